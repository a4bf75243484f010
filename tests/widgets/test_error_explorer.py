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
    picture = page["images"][0]
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


def test_samples_that_are_no_pictures(connect: Any) -> None:
    rows = torch.randn(20, 5)
    explorer = nd.ErrorExplorer(nn.Linear(5, 2), (rows, torch.arange(20) % 2))
    assert explorer.info["pictures"] == {
        "kind": "none",
        "reason": "a sample is a vector of 5 numbers, not a picture",
    }
    assert not explorer.info["overlay"]["available"]
    cell = next((t, p) for t in (0, 1) for p in (0, 1) if explorer.table.matrix[t, p])
    page = connect(explorer).ask("page", place=list(cell))["result"]
    assert page["images"] == [None] * page["total"]
    assert page["samples"]


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
