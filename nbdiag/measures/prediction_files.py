"""Predictions as a file that needs neither the model nor pickle, and back."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nbdiag.measures.outputs import OutputKind
from nbdiag.measures.sample_pairs import pair_of
from nbdiag.measures.table_archive import pack_table, unpack_table

if TYPE_CHECKING:
    from nbdiag.measures.predictions import Inputs, Predictions

FORMAT, VERSION = "nbdiag.predictions", 1


def save(predictions: Predictions, path: str | Path) -> Path:
    """Write them; the file appears whole or not at all. Without a suffix it gets ``.npz``."""
    target = Path(path)
    if target.suffix == "":
        target = target.with_suffix(".npz")
    if target.suffix != ".npz":
        raise ValueError(
            f"path must end in .npz, got {target.name}; for Parquet or CSV write the dataframe "
            "that predictions.to_frame() gives"
        )
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        _write_npz(predictions, aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def read(path: str | Path, inputs: Any = None) -> Predictions:
    """What `save` wrote.

    Raises
    ------
    FileNotFoundError : where there is no file.
    ValueError : for a file that is damaged, of something else, or of a newer version.
    """
    from nbdiag.measures.predictions import Predictions

    source = Path(path)
    if not source.exists() and source.suffix == "":
        source = source.with_suffix(".npz")
    header, arrays = _read_npz(source)
    metadata = unpack_table(header["metadata"], arrays)
    output = header["output"]
    made = Predictions(
        arrays["ids"],
        arrays["targets"],
        arrays["probabilities"],
        arrays.get("logits"),
        tuple(header["class_names"]),
        metadata,
        None if output is None else OutputKind(*output),
        None,
        header["note"],
        header["out_of_sample"],
    )
    return made if inputs is None else made.with_inputs(inputs)


def header_of(predictions: Predictions) -> dict[str, Any]:
    """All that is no array, as JSON can hold it."""
    output = predictions.output
    return {
        "format": FORMAT,
        "version": VERSION,
        "class_names": list(predictions.class_names),
        "output": None if output is None else [output.reading, output.columns, output.evidence],
        "note": predictions.note,
        "out_of_sample": predictions.out_of_sample,
    }


def plain_ids(ids: np.ndarray) -> np.ndarray:
    """Ids without Python objects; ValueError for those that are neither numbers nor words."""
    if ids.dtype != object:
        return ids
    if all(isinstance(key, str) for key in ids.tolist()):
        return ids.astype(str)
    raise ValueError(f"ids must be whole numbers or words to be saved, got {ids[0]!r}")


def check_header(header: Any, path: Path) -> dict[str, Any]:
    """ValueError for what `save` did not write, or a newer nbdiag did."""
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"{path} holds no nbdiag predictions; Predictions.save writes them")
    if header["version"] > VERSION:
        raise ValueError(
            f"{path} was written by a newer nbdiag (format {header['version']}, this one reads up "
            f"to {VERSION}): upgrade nbdiag"
        )
    return header


def _write_npz(predictions: Predictions, path: Path) -> None:
    arrays = {
        "ids": plain_ids(predictions.ids),
        "targets": predictions.targets,
        "probabilities": predictions.probabilities,
    }
    if predictions.logits is not None:
        arrays["logits"] = predictions.logits
    header = {**header_of(predictions), "metadata": pack_table(predictions.metadata, arrays)}
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with path.open("wb") as file:
        written: Any = {"header": text, **arrays}
        np.savez(file, **written)
        file.flush()
        os.fsync(file.fileno())


def _read_npz(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    broken = f"{path} cannot be read: it is damaged, cut short, or no file of nbdiag"
    if not zipfile.is_zipfile(path):
        raise ValueError(broken)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise ValueError(f"{broken} ({error})") from error
    try:
        header = json.loads(arrays.pop("header").tobytes())
    except (KeyError, ValueError):  # a file of something else
        header = None
    return check_header(header, path), arrays


def as_inputs(given: Any, ids: np.ndarray) -> Inputs:
    """``inputs(ids)`` of a data set, an array, a pair ``(X, y)``, or of a function as it is."""
    if callable(given) and not hasattr(given, "__getitem__"):
        return cast("Inputs", given)
    if isinstance(given, tuple) and len(given) == 2 and hasattr(given[0], "shape"):
        given = given[0]
    if not (hasattr(given, "__getitem__") and hasattr(given, "__len__")):
        raise TypeError(
            "inputs must be the data set that was predicted, its array, or a function from ids to "
            f"a list of inputs, got {type(given).__name__}"
        )
    if ids.dtype.kind in "iu" and len(given) <= int(ids.max()):
        raise ValueError(
            f"the data set has {len(given)} samples and the predictions reach id {int(ids.max())}: "
            "it is not the one that was predicted"
        )
    return LookedUp(given)


class LookedUp:
    """``inputs(ids)``: inputs of a data set, or rows of an array; ``.dataset`` is either."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __call__(self, ids: Any) -> list[Any]:
        rows = getattr(self.dataset, "iloc", self.dataset)
        keys = [key if isinstance(key, str) else int(key) for key in ids]
        if hasattr(self.dataset, "shape"):
            return [rows[key] for key in keys]
        for key in keys:
            if isinstance(key, int) and not 0 <= key < len(self.dataset):
                raise IndexError(f"no sample {key}: the data set has {len(self.dataset)}")
        return [pair_of(self.dataset[key])[0] for key in keys]
