"""nd.inspect_data reads data in any form, changes nothing, and says what it cannot read."""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest
import scipy.sparse
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)

import nbdiag as nd

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5)).astype(np.float32)
Y = RNG.integers(0, 3, 90)
TX, TY = torch.from_numpy(X), torch.from_numpy(Y)


class Pairs(Dataset[Any]):
    """Rows with noise from every random source there is, its own included."""

    def __init__(self, rows: np.ndarray = X, noise: float = 1e-3) -> None:
        self.rows, self.noise = rows, noise
        self.own = np.random.default_rng(3)
        self.parts = {"torch": torch.Generator().manual_seed(1), "old": random.Random(2)}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Any:
        change = random.random() + np.random.rand() + float(torch.rand(()))  # noqa: NPY002
        change += self.own.random() + self.parts["old"].random()
        change += float(torch.rand((), generator=self.parts["torch"]))
        return torch.from_numpy(self.rows[i]) + self.noise * change, int(Y[i])


class Stream(IterableDataset[Any]):
    def __init__(self, rows: np.ndarray, labels: Any) -> None:
        self.rows, self.labels = rows, labels

    def __iter__(self) -> Iterator[Any]:
        return iter(zip(self.rows, self.labels, strict=True))


def planted() -> np.ndarray:
    x = X.copy()
    x[4, 2] = np.nan
    return x


BAD = planted()
FRAME = pd.DataFrame(BAD, columns=["a", "b", "c", "d", "e"])
FORMS: dict[str, Any] = {
    "arrays": (BAD, Y),
    "tensors": (torch.from_numpy(BAD), TY),
    "list of arrays": [BAD, Y],
    "array and list": (BAD, Y.tolist()),
    "no targets": BAD,
    "None as targets": (BAD, None),
    "samples": list(zip(BAD, Y.tolist(), strict=True)),
    "dicts": [{"x": BAD[i], "label": int(Y[i]), "idx": i} for i in range(90)],
    "inputs only": list(BAD),
    "dataset": TensorDataset(torch.from_numpy(BAD), TY),
    "unlabelled dataset": TensorDataset(torch.from_numpy(BAD)),
    "subset": Subset(TensorDataset(torch.from_numpy(BAD), TY), range(90)),
    "loader": DataLoader(TensorDataset(torch.from_numpy(BAD), TY), batch_size=8, shuffle=True),
    "loader that drops": DataLoader(TensorDataset(torch.from_numpy(BAD), TY), 64, drop_last=True),
    "loader with workers": DataLoader(TensorDataset(torch.from_numpy(BAD), TY), 8, num_workers=1),
    "loader with a collate function": DataLoader(
        TensorDataset(torch.from_numpy(BAD), TY), 8,
        collate_fn=lambda items: dict(zip("xy", default_collate(items), strict=True)),
    ),
    "loader that keeps samples apart": DataLoader(
        TensorDataset(torch.from_numpy(BAD), TY), 8, collate_fn=list
    ),
    "loader without batches": DataLoader(TensorDataset(torch.from_numpy(BAD), TY), batch_size=None),
    "loader of ready batches": DataLoader(
        [(torch.from_numpy(BAD[i : i + 30]), TY[i : i + 30]) for i in (0, 30, 60)], batch_size=None
    ),
    "loader with a batch sampler": DataLoader(
        TensorDataset(torch.from_numpy(BAD), TY),
        batch_sampler=BatchSampler(SequentialSampler(range(90)), 7, False),
    ),
    "stream": Stream(BAD, Y),
    "loader of a stream": DataLoader(Stream(BAD, Y), batch_size=8),
    "pandas": (FRAME, pd.Series(Y)),
    "pandas with a target": FRAME.assign(Target=Y),
    "polars": polars.DataFrame(FRAME).with_columns(label=pd.Series(Y).to_numpy()),
    "sparse": (scipy.sparse.csr_matrix(BAD), Y),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read(name: str) -> None:
    (finding,) = nd.inspect_data(FORMS[name], progress=False)
    assert finding.code == "data.nonfinite"
    assert finding.evidence["ids"] == [4]
    assert finding.evidence["samples"] == 1
    assert finding.subject.endswith("c" if name.startswith(("pandas", "polars")) else "column 2")


def test_the_classes_of_every_labelled_form_are_seen() -> None:
    for name, data in FORMS.items():
        if any(word in name for word in ("no targets", "None", "inputs only", "unlabelled")):
            continue
        val: Any = (X[:20], np.full(20, 7))
        if name in ("dicts", "loader with a collate function"):
            val = [{"x": row, "y": 7} for row in X[:20]]
        elif name.startswith(("pandas", "polars")):
            val = (FRAME[:20], np.full(20, 7))
        findings = nd.inspect_data(data, val, progress=False)
        absent = [f for f in findings if f.subject == "class 7"]
        assert absent, name


def states(data: Any) -> list[Any]:
    numpy_state = np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]  # noqa: NPY002
    found = [torch.get_rng_state().tolist(), numpy_state, random.getstate()]
    dataset = getattr(data, "dataset", data)
    if isinstance(dataset, Pairs):
        found += [str(dataset.own.bit_generator.state), dataset.parts["old"].getstate()]
        found.append(dataset.parts["torch"].get_state().tolist())
    for part in (data, getattr(data, "sampler", None)):
        if isinstance(getattr(part, "generator", None), torch.Generator):
            found.append(part.generator.get_state().tolist())
    return found


@pytest.mark.parametrize(
    "make",
    [
        Pairs,
        lambda: DataLoader(Pairs(), 8, shuffle=True),
        lambda: DataLoader(Pairs(), 8, shuffle=True, generator=torch.Generator().manual_seed(5)),
        lambda: DataLoader(Pairs(), 8, sampler=SubsetRandomSampler(range(50))),
        lambda: DataLoader(Pairs(), 8, sampler=WeightedRandomSampler([1.0] * 90, 90)),
        lambda: DataLoader(Pairs(), 8, num_workers=1),
        lambda: DataLoader(Pairs(), 8, collate_fn=list, shuffle=True),
    ],
)
def test_no_random_state_changes(make: Any) -> None:
    data = make()
    before = states(data)
    nd.inspect_data(data, data, progress=False)
    assert states(data) == before


def test_random_states_come_back_after_an_error() -> None:
    class Fails(Pairs):
        def __getitem__(self, i: int) -> Any:
            if i == 30:
                raise RuntimeError("file lost")
            return super().__getitem__(i)

    data = Fails()
    before = states(data)
    with pytest.raises(RuntimeError, match="file lost"):
        nd.inspect_data(data, progress=False)
    assert states(data) == before


def test_the_data_are_not_changed() -> None:
    x, y, frame = X.copy(), Y.copy(), FRAME.copy()
    nd.inspect_data((x, y), (x[:9], y[:9]), frame, progress=False)
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)
    pd.testing.assert_frame_equal(frame, FRAME)
    x.flags.writeable = False
    nd.inspect_data((x, y), progress=False)


def test_samplers_that_restrict_keep_restricting() -> None:
    data = TensorDataset(torch.from_numpy(BAD), TY)
    without = [i for i in range(90) if i != 4]
    loader = DataLoader(data, 8, sampler=SubsetRandomSampler(without))
    assert nd.inspect_data(loader, progress=False) == []


def leaks(*data: Any) -> list[nd.Finding]:
    return [f for f in nd.inspect_data(*data, progress=False) if f.code == "data.leakage"]


def test_overlapping_samplers_and_subsets_of_augmented_data() -> None:
    data = Pairs(noise=10.0)
    train = DataLoader(data, 8, sampler=SubsetRandomSampler(range(60)))
    val = DataLoader(data, 8, sampler=SubsetRandomSampler(range(55, 90)))
    (finding,) = leaks(train, val)
    assert finding.evidence["ids"] == [55, 56, 57, 58, 59]
    nested = Subset(Subset(data, range(50, 90)), range(5))
    (finding,) = leaks(Subset(data, range(60)), nested)
    assert finding.evidence["entries"] == list(range(50, 55))
    assert leaks(*random_split(data, [60, 30], torch.Generator().manual_seed(0))) == []


def test_two_objects_over_the_same_files() -> None:
    class Folder(Pairs):
        root, train = "pictures", True

    train, val = Subset(Folder(noise=5), range(60)), Subset(Folder(noise=0), range(50, 90))
    (finding,) = leaks(train, val)
    assert finding.evidence["samples"] == 10


def test_sorted_loaders_and_streams() -> None:
    order = np.argsort(Y, kind="stable")
    data = TensorDataset(TX[order], TY[order])
    for loader in (DataLoader(data, 6), DataLoader(Stream(X[order], Y[order]), 6)):
        (finding,) = nd.inspect_data(loader, progress=False)
        assert finding.subject == "train batches"
    assert nd.inspect_data(DataLoader(data, 6, shuffle=True), progress=False) == []
    assert nd.inspect_data(data, progress=False) == []


def test_a_stream_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbdiag.probes import split_source

    class Endless(IterableDataset[Any]):
        def __init__(self, bad: int = -1, seed: int = 0) -> None:
            self.bad, self.seed = bad, seed

        def __iter__(self) -> Iterator[Any]:
            rng = np.random.default_rng(self.seed)
            for position in itertools.count():
                row = rng.normal(size=3)
                yield row * np.nan if position == self.bad else row, int(rng.integers(2))

    monkeypatch.setattr(split_source, "STREAM", 500)
    rows, labels = np.random.default_rng(5).normal(size=(90, 3)), np.arange(90) % 2
    with pytest.warns(UserWarning, match="train is a stream: only the first 512 samples were read"):
        assert nd.inspect_data(Endless(), progress=False) == []
    with pytest.warns(UserWarning, match="train is a stream"):
        (found,) = nd.inspect_data(Endless(bad=7), (rows, labels), progress=False)
    assert found.message.endswith("Of train, a stream, only the first 512 samples were read.")
    note = "ids count the samples in order of arrival; only the first 512 samples were read"
    assert found.evidence["read"] == {"train": note}
    rows[4, 1] = np.nan
    with pytest.warns(UserWarning, match="train is a stream"):
        (other,) = nd.inspect_data(Endless(), (rows, labels), progress=False)
    assert (other.evidence["split"], "read" in other.evidence) == ("val", False)
    assert "stream" not in other.message


def test_a_stream_that_ends_in_time_was_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbdiag.probes import split_source

    monkeypatch.setattr(split_source, "STREAM", len(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nd.inspect_data(Stream(X, Y), progress=False) == []
        (found,) = nd.inspect_data(Stream(BAD, Y), progress=False)
    assert found.evidence["read"] == {"train": "ids count the samples in order of arrival"}
    assert "stream" not in found.message


def test_texts_pictures_and_tokens_of_different_lengths() -> None:
    from PIL import Image

    texts = [(f"this is a longer sentence with number {i}", i % 2) for i in range(40)]
    (finding,) = nd.inspect_data(texts[:30], [*texts[30:], texts[3]], progress=False)
    assert finding.evidence["twins"] == [3]
    sizes = [(20 + i, 30, 3) for i in range(20)]
    pictures = [
        (Image.fromarray(RNG.integers(0, 256, size, dtype=np.uint8)), size[0] % 2) for size in sizes
    ]
    (raw,) = nd.inspect_data(pictures, progress=False)
    assert (raw.code, raw.severity) == ("data.unnormalized", "info")
    tokens = [(RNG.integers(1, 900, 10 + i % 7), i % 2) for i in range(60)]
    assert nd.inspect_data(tokens[:40], tokens[40:], progress=False) == []
    padded = [(np.pad(tokens[2][0], (0, 9)), 0), *tokens[40:]]
    (twin,) = nd.inspect_data(tokens[:40], padded, progress=False)
    assert (twin.evidence["ids"], twin.evidence["twins"]) == ([0], [2])


def test_detection_targets_are_no_classes() -> None:
    boxes = [torch.ones(int(k) + 1, 4) for k in Y]
    for targets in ([{"boxes": part} for part in boxes], [[part] for part in boxes], boxes):
        assert nd.inspect_data(list(zip(X, targets, strict=True)), progress=False) == []


class Lengthless:
    pass


@pytest.mark.parametrize(
    ("train", "error", "message"),
    [
        (None, TypeError, "train must be a data set, got None"),
        (3, TypeError, "train must be a torch Dataset, a DataLoader, .* got int"),
        ("data.csv", TypeError, "got str"),
        ({"train": X}, TypeError, "one split at a time; got dict"),
        (Lengthless(), TypeError, "got Lengthless"),
        (iter([(X[0], 1)]), TypeError, "an iterator .* which reading would use up"),
        ([], ValueError, "train is empty"),
        ((X[:0], Y[:0]), ValueError, "train is empty"),
        (DataLoader(TensorDataset(TX[:0], TY[:0]), 4), ValueError, "train is empty"),
        (DataLoader(Stream(X[:0], Y[:0]), 4), ValueError, "train is empty"),
        (DataLoader(TensorDataset(TX), sampler=[]), ValueError, "sampler gives no sample"),
        ((X, Y[:50]), ValueError, "train: X has 90 rows and y has 50"),
        ([(X[0], 1, 2)], ValueError, "got a tuple of 3"),
        ([(Lengthless(), 1)], TypeError, "numbers, a picture or text, got Lengthless"),
        ([(X[0], 1), (X[0][:3], 1), (X[0][None], 0)], ValueError, "differ in their number of axes"),
        (FRAME[[]].assign(label=Y), ValueError, "holds no input, only the column"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(train: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nd.inspect_data(train, progress=False)


def test_splits_must_hold_the_same_inputs() -> None:
    with pytest.raises(ValueError, match="train and val must hold the same inputs"):
        nd.inspect_data([{"a": 1.0, "y": 1}], [{"b": 1.0, "y": 1}], progress=False)
    with pytest.raises(ValueError, match="train has 5 columns, test has 3"):
        nd.inspect_data((X, Y), test=(X[:, :3], Y), progress=False)


def test_one_sample_and_one_column() -> None:
    assert nd.inspect_data((X[:1], None), progress=False) == []
    assert nd.inspect_data((X[:, 0], Y), (X[:1, 1], Y[:1]), progress=False) == []
    (single,) = nd.inspect_data((X[:1], Y[:1]), progress=False)
    assert single.code == "data.single_class"


def test_progress_ends_as_one_stable_line(capsys: pytest.CaptureFixture[str]) -> None:
    nd.inspect_data((X, Y), (X[:9] + 1, Y[:9]))
    assert capsys.readouterr().out == ""  # neither a notebook nor a terminal
