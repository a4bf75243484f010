"""What is saved is opened again bit for bit, in the library that the metadata came in."""

from __future__ import annotations

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal as assert_polars_equal

from nbdiag.measures.outputs import OutputKind
from nbdiag.measures.predictions import Predictions

N = 6
WHEN = [datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC), None] * 3
NAN = float("nan")
DAYS = pd.date_range("2024-03-30", periods=N, freq="h", tz="Europe/Berlin")


def told(metadata: Any = None, **more: Any) -> Predictions:
    random = np.random.default_rng(0)
    logits = random.normal(size=(N, 3)).astype(np.float32)
    logits[2] = NAN
    given = {
        "ids": np.arange(N) * 7,
        "targets": np.array([0, 1, 2, 0, 1, 2]),
        "logits": logits,
        "class_names": ("<b>", "ü", ""),
        "output": OutputKind("logits", 3, "declared"),
        "note": "a note",
        "out_of_sample": True,
        "metadata": metadata,
    }
    return Predictions(**{**given, **more})


def again(predictions: Predictions, folder: Path) -> Predictions:
    path = predictions.save(folder / "told.npz")
    opened = Predictions.open(path)
    for name in ("ids", "targets", "probabilities", "logits"):
        one, two = getattr(predictions, name), getattr(opened, name)
        if one is None:
            assert two is None
        else:
            assert one.dtype == two.dtype
            assert one.tobytes() == two.tobytes()
    for name in ("class_names", "output", "note", "out_of_sample"):
        assert getattr(predictions, name) == getattr(opened, name)
    assert opened.inputs is None
    assert repr(opened) == repr(predictions)
    assert sorted(path.name for path in folder.iterdir()) == ["told.npz"]
    return opened


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"ids": np.array(["a", "bb", "ü", "", " ", "z" * 50])},
        {"ids": np.array(list("abcdef"), object), "class_names": ()},
        {"logits": None, "probabilities": np.full((N, 3), 1 / 3)},
        {"out_of_sample": None, "output": None, "note": ""},
        {"out_of_sample": False, "ids": np.arange(N, dtype=np.uint8)},
    ],
)
def test_arrays_and_words(change: dict, tmp_path: Path) -> None:
    if change.get("ids", np.zeros(1)).dtype == object:
        opened = told(**change).save(tmp_path / "x.npz")
        assert Predictions.open(opened).ids.tolist() == list("abcdef")
        return
    again(told(**change), tmp_path)


PANDAS = {
    "ints": [1, 2, 3, 4, 5, 6],
    "small": np.arange(N, dtype=np.int8),
    "floats": [0.1, NAN, -0.0, np.inf, 1e-310, 3.0],
    "flags": [True, False] * 3,
    "words": pd.Series(["a", "", "ü\x00", None, "a\nb", "\ud83d\ude00"], dtype="str"),
    "own words": pd.Series(["a", None] * 3, dtype="string"),
    "objects": pd.Series(["a", None, NAN, pd.NA, 1, True], dtype=object),
    "nullable": pd.Series([1, None, 3, 4, None, 6], dtype="Int64"),
    "nullable flags": pd.Series([True, None] * 3, dtype="boolean"),
    "nullable floats": pd.Series([1.5, None] * 3, dtype="Float32"),
    "days": pd.Series(pd.to_datetime(["2024-01-01", None] * 3)),
    "zoned": pd.Series(DAYS),
    "spans": pd.Series(pd.to_timedelta([1, None, 3, 4, 5, 6], unit="s")),
    "category": pd.Series(["x", None, "y", "x", "y", "y"], dtype="category"),
    "ordered": pd.Series(pd.Categorical([3, 1, 2] * 2, categories=[1, 2, 3, 4], ordered=True)),
    "boxes": pd.Series([[1, 2, 3, 4], None] * 3),
    "masks": pd.Series([np.eye(2, dtype=bool), np.zeros((3, 2), bool), None] * 2),
    "dates": pd.Series([datetime.date(2024, 1, 2), None] * 3, dtype=object),
    7: list("abcdef"),
}


def test_pandas_keeps_every_type(tmp_path: Path) -> None:
    frame = pd.DataFrame(PANDAS)
    opened = again(told(frame), tmp_path).metadata
    masks, theirs = frame.pop("masks"), opened.pop("masks")
    for one, two in zip(masks, theirs, strict=True):
        assert (one is None) == (two is None)
        assert one is None or (one.dtype == two.dtype and np.array_equal(one, two))
    pd.testing.assert_frame_equal(frame, opened, check_exact=True)
    objects = opened["objects"].tolist()
    assert objects[1] is None
    assert objects[3] is pd.NA
    assert objects[4] == 1
    assert objects[4] is not True
    assert np.signbit(opened["floats"][2])


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 5 + N, name="row"),
        pd.Index(list("fedcba"), name="name"),
        DAYS,
        pd.Index([3, 1, 2, 9, 8, 7]),
    ],
    ids=["range", "words", "times", "numbers"],
)
def test_pandas_keeps_its_index(index: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(N)}, index=index)
    opened = again(told(frame), tmp_path).metadata
    pd.testing.assert_frame_equal(frame, opened, check_freq=False)


def test_polars_keeps_every_type(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "ints": [1, None, 3, 4, 5, 6],
            "floats": [0.1, None, NAN, -0.0, 1.0, 2.0],
            "words": ["a", None, "", "ü", "\x00", "b"],
            "category": pl.Series(["x", None, "y"] * 2, dtype=pl.Categorical),
            "enum": pl.Series(["x", None, "y"] * 2, dtype=pl.Enum(["y", "x", "z"])),
            "zoned": pl.Series(WHEN, dtype=pl.Datetime("us", "Europe/Berlin")),
            "days": [datetime.date(2024, 1, 1), None] * 3,
            "boxes": [[1, 2, 3, 4], None] * 3,
            "fields": [{"a": 1, "b": "x"}, None] * 3,
        }
    )  # fmt: skip
    assert_polars_equal(frame, again(told(frame), tmp_path).metadata)


def test_many_names(tmp_path: Path) -> None:
    for text in ("file {}.png", "Datei ü {}"):
        n = 3000
        names = [text.format(i) for i in range(n)]
        table = pd.DataFrame({"name": names, "half": [*names[:2500], *["x"] * 500]})
        probabilities = np.full((n, 2), 0.5)
        made = Predictions(targets=np.zeros(n, int), probabilities=probabilities, metadata=table)
        opened = Predictions.open(made.save(tmp_path / "x")).metadata
        pd.testing.assert_frame_equal(opened, table)


def test_dict_and_structured_array(tmp_path: Path) -> None:
    table = {
        "list": ["a", None, "c", NAN, 1, 2.0],
        "ints": list(range(N)),
        "large": [2**70] * N,
        "tuple": (True, False) * 3,
        "array": np.linspace(0, 1, N),
        "words": np.array(["ab", "c"] * 3),
        "objects": np.array(["ab", None] * 3, object),
        "matrix": np.arange(2 * N).reshape(N, 2),
        "series": pd.Series([1, None] * 3, dtype="Int8"),
        "times": np.array(["2024-01-01", "NaT"] * 3, "M8[s]"),
        "scalars": [np.float32(1.5), np.int8(3), np.str_("x")] * 2,
    }
    opened = again(told(table), tmp_path).metadata
    assert list(opened) == list(table)
    for name, column in table.items():
        assert type(opened[name]) is type(column)
        one, two = list(column), list(opened[name])
        assert list(map(type, one)) == list(map(type, two))
        assert repr(one) == repr(two)
    rows = np.array([("a", 1.5)] * N, dtype=[("name", "U3"), ("size", "f4")])
    opened = again(told(rows), tmp_path).metadata
    assert opened.dtype == rows.dtype
    assert np.array_equal(opened, rows)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"x": [object()] * N}, "column 'x' .* the type object.*text or numbers, or leave"),
        ({"x": [{1, 2}] * N}, "the type set"),
        ({"x": [[1], ["a"]] * 3}, "mixes lists or arrays"),
        ({"x": [[1, [2]]] * N}, "mixes lists or arrays"),
        (pd.DataFrame({"x": pd.period_range("2024", periods=N)}), r"column 'x'.*the type period\["),
        (pd.DataFrame([range(2)] * N, columns=["a", "a"]), "several columns .a."),
        (pd.DataFrame({("a", "b"): range(N)}), "several levels"),
        (pd.DataFrame({1.5: range(N)}), "named by a float"),
    ],
)
def test_what_only_pickle_could_keep(metadata: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        told(metadata).save(tmp_path / "x.npz")
    assert list(tmp_path.iterdir()) == []


def test_old_file_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    path = told().save(tmp_path / "x.npz")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="the type object"):
        told({"x": [object()] * N}).save(path)
    assert path.read_bytes() == before


def test_suffix(tmp_path: Path) -> None:
    assert told().save(tmp_path / "x").name == "x.npz"
    assert len(Predictions.open(tmp_path / "x")) == N
    with pytest.raises(ValueError, match=r"must end in .npz, got x.pkl; for Parquet"):
        told().save(tmp_path / "x.pkl")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing.npz"):
        Predictions.open(tmp_path / "nothing.npz")


def test_no_pickle_is_inside(tmp_path: Path) -> None:
    path = told(pd.DataFrame(PANDAS)).save(tmp_path / "x.npz")
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype.kind != "O" for name in file.files)


def damaged(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("id,target\n1,2\n")
    elif how == "flipped":
        at = content.index(b"targets.npy") + 200
        path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
    elif how == "pickle":
        np.save(path.open("wb"), np.array([{}], object), allow_pickle=True)
    elif how == "array":
        np.save(path.open("wb"), np.zeros(3))
    elif how == "other npz":
        np.savez(path.open("wb"), x=np.zeros(3))
    else:
        header = {"format": "nbdiag.predictions", "version": 99}
        if how == "foreign":
            header["format"] = "else"
        text = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(path.open("wb"), header=text)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("cut", "damaged, cut short"),
        ("empty", "damaged, cut short"),
        ("text", "damaged, cut short"),
        ("flipped", "damaged, cut short"),
        ("pickle", "damaged, cut short"),
        ("array", "damaged, cut short"),
        ("other npz", "holds no nbdiag predictions"),
        ("foreign", "holds no nbdiag predictions"),
        ("newer", r"written by a newer nbdiag \(format 99, this one reads up to 1\)"),
    ],
)
def test_damaged_and_foreign_files(how: str, message: str, tmp_path: Path) -> None:
    path = told().save(tmp_path / "x.npz")
    damaged(path, how)
    with pytest.raises(ValueError, match=message):
        Predictions.open(path)


def test_it_is_a_plain_npz(tmp_path: Path) -> None:
    path = told().save(tmp_path / "x.npz")
    assert zipfile.ZipFile(path).testzip() is None
    assert np.load(path)["targets"].tolist() == [0, 1, 2, 0, 1, 2]


def test_inputs_are_attached_again(tmp_path: Path) -> None:
    path = told().save(tmp_path / "x.npz")
    data = [(f"text {i}", 0) for i in range(36)]
    opened = Predictions.open(path, inputs=data)
    assert opened.inputs is not None
    assert opened.inputs([7, 0]) == ["text 7", "text 0"]
    with pytest.raises(IndexError, match="no sample 99: the data set has 36"):
        opened.inputs([99])
    rows = np.arange(72).reshape(36, 2)
    for given in (rows, (rows, np.zeros(36)), pd.DataFrame(rows)):
        looked = Predictions.open(path, inputs=given).inputs
        assert looked is not None
        assert list(looked([2])[0]) == [4, 5]
    own = Predictions.open(path, inputs=lambda ids: [str(i) for i in ids]).inputs
    assert own is not None
    assert own([3]) == ["3"]
    with pytest.raises(ValueError, match="has 10 samples and the predictions reach id 35"):
        Predictions.open(path, inputs=data[:10])
    with pytest.raises(TypeError, match="got int"):
        Predictions.open(path, inputs=3)
