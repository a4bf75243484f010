from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import Subset, TensorDataset

import nbdiag as nd
from nbdiag.measures.predictions import Predictions


class Brightness(nn.Module):
    """Scores class 0 for dark and class 1 for bright pictures, through one feature map."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(3, 2, 1)
        with torch.no_grad():
            self.map.weight.copy_(torch.tensor([[[[-1.0]]] * 3, [[[1.0]]] * 3]).reshape(2, 3, 1, 1))
            self.map.bias.copy_(torch.tensor([3.0, 0.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.map(x).relu().mean(dim=(2, 3))


# one picture an id: grey level, and the label; the model says bright = 1
LEVELS = torch.tensor([0.1, 0.9, 0.2, 0.8, 0.4, 0.95])
LABELS = torch.tensor([0, 1, 1, 0, 1, 0])


@pytest.fixture
def dataset() -> TensorDataset:
    return TensorDataset(LEVELS[:, None, None, None].expand(6, 3, 8, 8).contiguous(), LABELS)


@pytest.fixture
def explorer(dataset: TensorDataset) -> nd.ErrorExplorer:
    return nd.ErrorExplorer(Brightness(), dataset)


def array(packed: dict[str, Any], buffers: list[bytes]) -> np.ndarray:
    return np.frombuffer(buffers[packed["buffer"]], packed["dtype"]).reshape(packed["shape"])


def test_matrix_and_info(explorer: nd.ErrorExplorer) -> None:
    # bright are 1, 3, 5, of which 3 and 5 are labelled 0; of the dark ones, 2 and 4 are labelled 1
    packed = explorer.matrix
    counts = np.frombuffer(packed["data"], packed["dtype"]).reshape(packed["shape"])
    assert counts.tolist() == [[1, 2], [2, 1]]
    assert explorer.info["samples"] == 6
    assert explorer.info["classes"] == ["0", "1"]
    assert explorer.counted["accuracy"]["value"] == pytest.approx(2 / 6)
    assert explorer.info["overlay"] == {"available": True, "layer": "map"}
    assert explorer.info["pictures"] == {"kind": "image"}


def test_a_page_holds_samples_and_pictures_most_confidently_wrong_first(
    explorer: nd.ErrorExplorer, connect: Any
) -> None:
    browser = connect(explorer)
    page = browser.ask("page", place=[0, 1], offset=0, limit=24)["result"]
    assert (page["total"], page["offset"]) == (2, 0)
    assert [sample["id"] for sample in page["samples"]] == [5, 3]
    first = page["samples"][0]
    assert (first["true"], first["pred"]) == (0, 1)
    assert first["p_true"] + first["p_pred"] == pytest.approx(1)
    assert [name for name, _ in first["top"]] == [1, 0]
    picture = page["shown"][0]["image"]
    assert (picture["mime"], picture["width"], picture["height"]) == ("image/png", 8, 8)
    pixels = np.asarray(Image.open(io.BytesIO(browser.buffers[-1][picture["buffer"]])))
    assert pixels.tolist() == np.full((8, 8, 3), round(0.95 * 255)).tolist()


@pytest.mark.parametrize(
    ("offset", "limit", "ids"), [(0, 1, [5]), (1, 1, [3]), (2, 5, []), (0, 0, [])]
)
def test_paging(
    explorer: nd.ErrorExplorer, connect: Any, offset: int, limit: int, ids: list[int]
) -> None:
    page = connect(explorer).ask("page", place=[0, 1], offset=offset, limit=limit)["result"]
    assert [sample["id"] for sample in page["samples"]] == ids
    assert page["total"] == 2


def test_overlay_explains_the_class_asked_for(explorer: nd.ErrorExplorer, connect: Any) -> None:
    browser = connect(explorer)
    predicted = browser.ask("overlay", ids=[5, 3], target="predicted")["result"]
    buffers = browser.buffers[-1]
    maps = array(predicted["maps"], buffers)
    assert (predicted["ids"], predicted["layer"], maps.shape) == ([5, 3], "map", (2, 8, 8))
    # Grad-CAM of class 1 at grey level g: the mean gradient 1/64 * 1 times relu-free map value 3g
    model, images = explorer.model, LEVELS[[5, 3], None, None, None].expand(2, 3, 8, 8)
    expected = nd.grad_cam(model, images, [1, 1]).maps
    np.testing.assert_allclose(maps, expected, rtol=1e-6)
    np.testing.assert_allclose(array(predicted["peak"], buffers), expected.max(axis=(1, 2)))
    true = browser.ask("overlay", ids=[5], target="true")["result"]
    np.testing.assert_allclose(
        array(true["maps"], browser.buffers[-1]), nd.grad_cam(model, images[:1], [0]).maps
    )


def test_selection_works_as_a_subset(
    explorer: nd.ErrorExplorer, dataset: TensorDataset, connect: Any
) -> None:
    browser = connect(explorer)
    assert browser.ask("select", place=[1, 0])["result"] == {"selection": 2}
    assert explorer.cell == [1, 0]
    subset = Subset(dataset, explorer.selection)
    assert [label.item() for _, label in subset] == [1, 1]
    assert sorted(explorer.selection) == [2, 4]
    browser.ask("select", row=2, on=False)
    assert explorer.selection == [4]
    browser.ask("select", row=0, on=True)
    assert explorer.selection == [4, 0]
    browser.ask("select", none=True)
    assert explorer.selection == []
    assert explorer.cell == [1, 0]
    browser.ask("select", none=True, close=True)
    assert explorer.cell is None


def test_open_cell_does_what_a_click_does(explorer: nd.ErrorExplorer) -> None:
    assert explorer.open_cell("0", 1) == [5, 3]
    assert (explorer.cell, explorer.selection) == ([0, 1], [5, 3])
    with pytest.raises(ValueError, match="no class 'cat'; classes: 0, 1"):
        explorer.open_cell("cat", 0)
    with pytest.raises(ValueError, match="no cell"):
        explorer.open_cell(0, 2)
    with pytest.raises(TypeError, match="float"):
        explorer.open_cell(0.5, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("page", {"place": [0, 2]}, "no cell [0, 2]: the matrix has 2 classes"),
        ("page", {}, "'place'"),
        ("page", {"place": "fixed"}, "no list 'fixed'; lists: errors"),
        ("page", {"place": [0, 1], "order": "size"}, "ordered by confidence, loss, data"),
        ("overlay", {"ids": [77], "target": "true"}, "no sample has the id 77"),
        ("overlay", {"ids": [1], "target": "both"}, "'predicted' or 'true', got 'both'"),
        ("overlay", {"ids": [], "target": "true"}, "none of these samples has a class to explain"),
        ("image", {"id": "x"}, "no sample has the id 'x'"),
        ("select", {"row": 6}, "no row 6: there are 6 samples"),
        ("note", {"row": -1, "text": "a"}, "no row -1"),
    ],
)
def test_bad_requests_get_an_error_in_words(
    explorer: nd.ErrorExplorer, connect: Any, name: str, args: dict[str, Any], said: str
) -> None:
    reply = connect(explorer).ask(name, **args)
    assert not reply["ok"]
    assert said in reply["error"]


@pytest.mark.parametrize("wrong", [[99], np.array([1, 99]), [[1]], ["1"]])
def test_selecting_an_unknown_id_from_python_is_an_error(
    explorer: nd.ErrorExplorer, wrong: Any
) -> None:
    with pytest.raises(ValueError, match="no sample has the id"):
        explorer.selection = wrong
    assert explorer.selection == []


@pytest.mark.parametrize("ids", [[1, 2], (1, 2), np.array([1, 2]), torch.tensor([1, 2])])
def test_ids_in_any_form_become_a_list(explorer: nd.ErrorExplorer, ids: Any) -> None:
    explorer.selection = ids
    assert explorer.selection == [1, 2]
    assert type(explorer.selection) is list


def test_without_a_model_the_overlay_says_why(dataset: TensorDataset) -> None:
    explorer = nd.ErrorExplorer(nd.predict(Brightness(), dataset))
    assert not explorer.info["overlay"]["available"]
    assert "model=model" in explorer.info["overlay"]["reason"]


def test_rows_of_a_table_show_values_and_their_places(connect: Any) -> None:
    rows = torch.arange(20.0)[:, None] * torch.tensor([1.0, -1.0, 0.0, 1.0, 1.0])
    explorer = nd.ErrorExplorer(nn.Linear(5, 2), (rows, torch.arange(20) % 2))
    assert explorer.info["pictures"] == {"kind": "tabular"}
    assert explorer.info["overlay"] == {"available": False, "reason": "Grad-CAM is for pictures"}
    browser = connect(explorer)
    refused = browser.ask("overlay", ids=[19])
    assert not refused["ok"]
    assert "for pictures" in refused["error"]
    explorer.show([19])
    page = browser.ask("page", place=explorer.place)["result"]
    (shown,) = page["shown"]
    assert shown["more"] == 1  # four on a card, the most unusual ones
    assert shown["table"][0] == ["feature 0", "19", 0.975]  # the middle of the last of 20
    full = browser.ask("image", id=19)["result"]
    assert [name for name, _, _ in full["table"]] == [f"feature {i}" for i in range(5)]
    assert [value for _, value, _ in full["table"]] == ["19", "-19", "0", "19", "19"]
    assert [place for _, _, place in full["table"]] == [0.975, 0.025, 0.5, 0.975, 0.975]


def test_an_own_renderer_and_its_error_on_one_sample(dataset: TensorDataset, connect: Any) -> None:
    def render(image: torch.Tensor) -> str:
        if image[0, 0, 0] > 0.94:
            raise RuntimeError("too bright")
        return f"grey {image[0, 0, 0]:.1f}"

    explorer = nd.ErrorExplorer(nd.predict(Brightness(), dataset), render=render)
    assert explorer.info["pictures"] == {"kind": "text"}
    page = connect(explorer).ask("page", place=[0, 1])["result"]
    assert page["shown"] == [{"failed": "RuntimeError: too bright"}, {"text": "grey 0.8"}]
    with pytest.raises(TypeError, match="render must be a function"):
        nd.ErrorExplorer(nd.predict(Brightness(), dataset), render="grey")  # type: ignore[arg-type]


def test_predictions_without_inputs_still_open(connect: Any) -> None:
    told = Predictions(np.array(["a", "b"]), np.array([0, 1]), np.array([[0.9, 0.1], [0.7, 0.3]]))
    explorer = nd.ErrorExplorer(told)
    page = connect(explorer).ask("page", place=[1, 0])["result"]
    assert page["samples"][0]["id"] == "b"
    assert explorer.open_cell(1, 0) == ["b"]


def test_rows_that_are_not_finite_have_a_column(connect: Any) -> None:
    told = Predictions(
        np.arange(3), np.array([0, 1, 1]), np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8]])
    )
    explorer = nd.ErrorExplorer(told)
    assert explorer.info["nonfinite"] == 1
    assert explorer.counted["nonfinite_by_class"] == [0, 1]
    page = connect(explorer).ask("page", place=[1, -1])["result"]
    assert [sample["id"] for sample in page["samples"]] == [1]
    assert page["samples"][0]["pred"] == -1
    assert page["samples"][0]["p_pred"] is None


def test_the_picture_states_what_the_matrix_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(
        "nbdiag.widgets.error_explorer.draw", lambda **parts: seen.append(parts["headline"])
    )
    half = np.array([[0.9, 0.1], [np.nan, np.nan]])
    nd.ErrorExplorer(Predictions(np.arange(2), np.array([0, 1]), half)).picture()
    assert seen == ["2 samples, 1 not finite, accuracy 50.0 % (9.5 to 90.5 %)"]


def test_html_in_class_names_stays_text(dataset: TensorDataset) -> None:
    names = ["<img src=x onerror=alert(1)>", "b"]
    explorer = nd.ErrorExplorer(nd.predict(Brightness(), dataset, class_names=names))
    assert explorer.info["classes"] == names
    data, _ = explorer._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "image/png",
        "text/plain",
    }


def test_the_model_is_left_as_it_was(explorer: nd.ErrorExplorer, connect: Any) -> None:
    model = explorer.model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    browser = connect(explorer)
    browser.ask("page", place=[0, 1])
    browser.ask("overlay", ids=[5, 3], target="true")
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.map._forward_hooks
    assert torch.equal(torch.get_rng_state(), random)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_summary_is_the_same_everywhere(explorer: nd.ErrorExplorer) -> None:
    lines = repr(explorer).splitlines()
    assert lines[0].startswith("ErrorExplorer of Predictions: 6 samples, 2 classes, read as")
    assert lines[1:] == ["no findings"]


@pytest.mark.parametrize("data", [None, (1, 2)])
def test_sources(data: Any) -> None:
    told = Predictions(np.arange(1), np.array([0]), np.array([[0.9, 0.1]]))
    with pytest.raises(TypeError, match="model and its data; got Linear alone"):
        nd.ErrorExplorer(nn.Linear(1, 2))
    if data is not None:
        with pytest.raises(TypeError, match="leave the second argument"):
            nd.ErrorExplorer(told, data)


# the filter, the lists, the notes, another model

METADATA = {"light": ["day", "night", "day", "night", "day", None], "id": list("abcdef")}


@pytest.fixture
def described(dataset: TensorDataset) -> nd.ErrorExplorer:
    told = nd.predict(Brightness(), dataset, metadata=METADATA)
    return nd.ErrorExplorer(told, model=Brightness())


def counts(trait: dict[str, Any]) -> list[list[int]]:
    return np.frombuffer(trait["data"], trait["dtype"]).reshape(trait["shape"]).tolist()


def test_the_filter_counts_only_what_it_lets_through(
    described: nd.ErrorExplorer, connect: Any
) -> None:
    # right: 0 (day, 0) and 1 (night, 1); 2 and 4 (day) are 1 taken for 0, 3 (night) is 0 for 1
    browser = connect(described)
    assert described.faceted == []  # nothing is read before it is asked for
    assert browser.ask("facets")["result"] == {"facets": 1}  # ids group nothing
    (light,) = described.faceted
    assert (light["labels"], light["counts"], light["errors"]) == (["day", "night"], [3, 2], [2, 1])
    browser.ask("select", place=[1, 0])
    browser.ask("filter", filter={"light": ["night"]})
    assert counts(described.matrix) == [[0, 1], [0, 1]]
    assert described.counted["samples"] == 2
    assert described.counted["accuracy"]["value"] == 0.5
    assert described.selection == []  # the open cell is empty now
    assert browser.ask("page", place=[0, 1])["result"]["total"] == 1
    described.filter = {"light": "day"}  # from Python, a single value
    assert described.filter == {"light": ["day"]}
    assert sorted(described.selection) == [2, 4]
    assert described.faceted[0]["counts"] == [3, 2]  # what choosing the other would add
    described.filter = {}
    assert counts(described.matrix) == [[1, 2], [2, 1]]


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"wind": ["a"]}, "no column 'wind' to filter by; columns: light"),
        ({"light": ["dusk"]}, "light has no value 'dusk'; values: day, night"),
        ({"light": []}, "no value of light is chosen"),
    ],
)
def test_a_filter_that_cannot_be(described: nd.ErrorExplorer, filter: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        described.filter = filter
    assert described.filter == {}
    assert described.counted["samples"] == 6


def test_a_filter_without_metadata_says_so(explorer: nd.ErrorExplorer) -> None:
    assert explorer.info["metadata"] is False
    with pytest.raises(ValueError, match="none: these predictions have no metadata"):
        explorer.filter = {"light": "day"}


def test_notes_come_back_as_ids_and_make_a_list(described: nd.ErrorExplorer, connect: Any) -> None:
    browser = connect(described)
    browser.ask("note", row=5, text="glare")
    described.note(3, "label?")
    assert described.notes == {5: "glare", 3: "label?"}
    assert described.open_list("notes") == [5, 3]
    browser.ask("note", row=5, text=" ")
    assert described.notes == {3: "label?"}
    assert [one["count"] for one in described.lists if one["key"] == "notes"] == [1]
    described.notes = {}
    assert described.place is None  # the list that was open is gone
    with pytest.raises(ValueError, match="no sample has the id 9"):
        described.note(9, "x")


@pytest.mark.parametrize("library", ["pandas", "polars", None])
def test_selected_samples_as_a_dataframe(dataset: TensorDataset, library: str | None) -> None:
    table: Any = METADATA
    if library is not None:
        table = pytest.importorskip(library).DataFrame(METADATA)
    explorer = nd.ErrorExplorer(nd.predict(Brightness(), dataset, metadata=table))
    assert len(explorer.to_frame()) == 6
    explorer.filter = {"light": "day"}
    assert len(explorer.to_frame()) == 3
    explorer.note(4, "why")
    explorer.open_cell(1, 0)
    frame = explorer.to_frame()
    assert type(frame).__module__.split(".")[0] == (library or "pandas")
    assert list(frame["id"]) == explorer.selection
    columns = ["id", "true", "predicted", "confidence", "loss", "note", "light"]
    assert list(frame.columns)[:7] == columns
    at = explorer.selection.index(4)
    assert (frame["note"][at], frame["true"][at], frame["predicted"][at]) == ("why", "1", "0")


def test_a_baseline_shows_the_change_and_lists_what_was_fixed(connect: Any) -> None:
    targets = [0, 0, 1, 1]
    right, wrong = [0.9, 0.1], [0.2, 0.8]
    flipped = [right[::-1], wrong[::-1]]
    before = nd.Predictions(targets=targets, probabilities=[right, wrong, *flipped])
    after = nd.Predictions(targets=targets, probabilities=[right, right, flipped[1], flipped[1]])
    explorer = nd.ErrorExplorer(after, baseline=before)
    assert counts(explorer.matrix) == [[2, 0], [2, 0]]
    assert counts(explorer.change) == [[1, -1], [1, -1]]
    assert explorer.open_list("fixed") == [1]
    assert explorer.open_list("broken") == [2]
    assert explorer.open_list("still_wrong") == [3]
    assert explorer.info["baseline"]["sentence"] == explorer.comparison.sentence
    assert explorer.comparison.sentence in repr(explorer)
    assert nd.ErrorExplorer(after).change is None
    with pytest.raises(ValueError, match="not about the same samples"):
        nd.ErrorExplorer(after, baseline=before.take([0, 1]))


def test_ids_chosen_in_python_open_in_their_order(explorer: nd.ErrorExplorer, connect: Any) -> None:
    assert explorer.show([4, 0, 5], "Dark ones") == [4, 0, 5]
    page = connect(explorer).ask("page", place=explorer.place)["result"]
    assert [one["id"] for one in page["samples"]] == [4, 0, 5]
    (listed,) = [one for one in explorer.lists if one["group"] == "given"]
    assert (listed["title"], listed["count"]) == ("Dark ones", 3)
    first = explorer.place
    explorer.show([1])
    assert explorer.place != first  # the browser must tell the two apart
    assert [one["count"] for one in explorer.lists if one["group"] == "given"] == [1]


def test_orders_of_a_page(explorer: nd.ErrorExplorer, connect: Any) -> None:
    browser = connect(explorer)
    for order, ends in (("confidence", [5, 4]), ("loss", [5, 4]), ("data", [2, 5])):
        page = browser.ask("page", place="errors", order=order)["result"]
        assert [one["id"] for one in page["samples"]][:: len(page["samples"]) - 1] == ends
        assert (page["order"], page["total"]) == (order, 4)


def test_similar_samples_and_groups_use_the_models_features(
    explorer: nd.ErrorExplorer, connect: Any
) -> None:
    browser = connect(explorer)
    key = browser.ask("similar", row=5, place="errors")["result"]["list"]
    ids = explorer.open_list(key)
    assert ids[0] == 5
    assert sorted(ids) == [2, 3, 4, 5]
    assert browser.ask("clusters")["result"] == {"clusters": 0}  # four errors are no group
    assert "just before it decides" in explorer.info["clusters"]


def test_groups_of_errors_become_lists() -> None:
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], 100)
    told = np.eye(3)[targets] * 0.8 + rng.random((300, 3)) * 0.05
    told[100:140] = [0.1, 0.1, 0.9] + rng.random((40, 3)) * 0.02
    told[200:230] = [0.9, 0.1, 0.1] + rng.random((30, 3)) * 0.02
    told /= told.sum(axis=1, keepdims=True)
    explorer = nd.ErrorExplorer(nd.Predictions(targets=targets, probabilities=told))
    assert "no model" in explorer.info["clusters"]
    found = explorer.find_clusters()
    listed = [one for one in explorer.lists if one["group"] == "cluster"]
    assert [one["count"] for one in listed] == [len(cluster) for cluster in found]
    assert set(explorer.open_list(listed[1]["key"])) <= set(range(200, 230))
    assert sorted(explorer.open_list(listed[0]["key"])) == list(range(100, 140))
    explorer.find_clusters()
    assert explorer.place is None  # the group that was open is another one now


def test_a_million_predictions_send_little_and_build_no_table_of_ids() -> None:
    n = 1_000_000
    targets = np.arange(n) % 2
    told = np.where(np.arange(n)[:, None] % 10 == np.array([[3, 3]]), 0.4, 0.6)
    told = np.stack([np.where(targets == 0, told[:, 0], 1 - told[:, 0]), np.zeros(n)], axis=1)
    told[:, 1] = 1 - told[:, 0]
    explorer = nd.ErrorExplorer(nd.Predictions(targets=targets, probabilities=told))
    explorer._open("errors")
    assert explorer.selected["count"] == 100_000
    assert len(explorer.selected["bits"]["data"]) == n // 8
    assert "_table" not in vars(explorer._ids)
    assert len(explorer.selection) == 100_000


@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_the_share_of_evidence_on_the_object(kind: str, connect: Any) -> None:
    # 40 bright pictures, called 1 for the brightness of all of it; the object is the left quarter
    pictures, labels = torch.full((40, 3, 8, 8), 0.9), torch.zeros(40, dtype=torch.long)
    mask = np.zeros((8, 8), bool)
    mask[:, :2] = True
    objects: dict[str, list[Any]] = {
        "masks": {"mask": [mask] * 40},
        "boxes": {"bbox": [(0, 0, 2, 8)] * 40},
    }[kind]
    told = nd.predict(Brightness(), TensorDataset(pictures, labels), metadata=objects)
    explorer = nd.ErrorExplorer(told, model=Brightness())
    browser = connect(explorer)
    reply = browser.ask("overlay", ids=list(range(20)), target="predicted")["result"]
    share, area = (array(reply[name], browser.buffers[-1]) for name in ("share", "area"))
    assert share == pytest.approx(np.full(20, 0.25))  # evidence is everywhere alike
    assert area == pytest.approx(np.full(20, 0.25))
    assert "cam.off_object" not in [one["code"] for one in explorer.findings]  # too few yet
    browser.ask("overlay", ids=list(range(20, 40)), target="predicted")
    assert "cam.off_object" in [one["code"] for one in explorer.findings]
    assert len(explorer.open_list("off_object")) == 40


def test_no_share_where_no_object_is_given(explorer: nd.ErrorExplorer, connect: Any) -> None:
    reply = connect(explorer).ask("overlay", ids=[5], target="predicted")["result"]
    assert "share" not in reply
