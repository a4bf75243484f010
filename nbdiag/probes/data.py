"""Read whatever the user's data come in, each sample once, in the order of the data set."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    WeightedRandomSampler,
    default_collate,
)

from nbdiag.measures.metadata import take_rows
from nbdiag.measures.sample_pairs import pair_of
from nbdiag.probes.quiet import same_random_state

BATCH = 64
ARRIVAL = "ids count the samples in order of arrival, and their inputs cannot be looked up"


@dataclass(frozen=True)
class Source:
    """Batches of ``(inputs, targets, ids)``, and what is known about the data set behind them."""

    batches: Callable[[], Iterator[tuple[Any, Any, np.ndarray]]]
    dataset: Any
    total: int | None
    size: int | None  # of the whole data set, of which a sampler may take a part
    inputs: Callable[[Sequence[Any]], list[Any]] | None
    note: str = ""
    generator: torch.Generator | None = None


@dataclass(frozen=True)
class DatasetInputs:
    """``inputs(ids)``: inputs of a data set, read when asked for; ``.dataset`` is the data set."""

    dataset: Any

    def __call__(self, ids: Sequence[Any]) -> list[Any]:
        size = len(self.dataset)
        for key in ids:
            if not 0 <= int(key) < size:
                raise IndexError(f"no sample {key}: the data set has {size}")
        with same_random_state():
            return [pair_of(self.dataset[int(key)])[0] for key in ids]


@dataclass(frozen=True)
class ArrayInputs:
    """``inputs(ids)``: rows of the array, tensor or dataframe that was passed."""

    dataset: Any

    def __call__(self, ids: Sequence[Any]) -> list[Any]:
        rows = getattr(self.dataset, "iloc", self.dataset)
        return [rows[int(key)] for key in ids]


def open_data(data: Any, array_batch: int = BATCH) -> Source:
    """A `Source` from a Dataset, a DataLoader or a pair ``(X, y)`` of arrays.

    Raises
    ------
    TypeError : for anything else.
    ValueError : for an empty data set, or X and y of different length.
    """
    if isinstance(data, DataLoader):
        return _from_loader(data)
    if isinstance(data, (tuple, list)) and len(data) == 2 and all(map(_is_array, data)):
        return _from_arrays(data[0], data[1], array_batch)
    if isinstance(data, tuple) and len(data) == 2 and _rows_and_labels(*data):
        return _from_arrays(data[0], data[1], array_batch)
    if isinstance(data, IterableDataset):
        return _from_loader(DataLoader(data, batch_size=BATCH, collate_fn=_collate))
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not _is_array(data):
        if len(data) == 0:
            raise ValueError("the data set is empty")
        return _from_loader(DataLoader(data, batch_size=BATCH, collate_fn=_collate))
    raise TypeError(
        "data must be a torch Dataset, a DataLoader, or a pair (X, y) of arrays, got "
        f"{type(data).__name__}"
    )


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and (hasattr(value, "dtype") or hasattr(value, "dtypes"))


def _rows_and_labels(x: Any, y: Any) -> bool:
    """An array and a plain list of class numbers or names, which is no data set of two samples."""
    return _is_array(x) and isinstance(y, list) and all(isinstance(v, int | str) for v in y)


def _from_arrays(x: Any, y: Any, batch: int) -> Source:
    n = x.shape[0]
    if n != len(y):
        raise ValueError(f"X has {n} rows and y has {len(y)}")
    if n == 0:
        raise ValueError("the data set is empty")
    rows = getattr(x, "iloc", x)
    labels = y if isinstance(y, torch.Tensor) else np.asarray(y)

    def batches() -> Iterator[tuple[Any, Any, np.ndarray]]:
        for start in range(0, n, batch):
            stop = min(n, start + batch)
            yield rows[start:stop], labels[start:stop], np.arange(start, stop)

    return Source(batches, x, n, n, ArrayInputs(x))


def _from_loader(loader: DataLoader[Any]) -> Source:
    dataset = loader.dataset
    options: dict[str, Any] = {
        "collate_fn": loader.collate_fn,
        "num_workers": loader.num_workers,
        "pin_memory": loader.pin_memory,
        "timeout": loader.timeout,
        "worker_init_fn": loader.worker_init_fn,
        "multiprocessing_context": loader.multiprocessing_context,
        # Without one of its own a loader draws its seed from the global random state.
        "generator": torch.Generator().manual_seed(0),
    }
    if loader.num_workers:
        options["prefetch_factor"] = loader.prefetch_factor
    if isinstance(dataset, IterableDataset):
        reread: DataLoader[Any] = DataLoader(dataset, batch_size=loader.batch_size, **options)
        return Source(
            lambda: _as_they_arrive(reread), dataset, None, None, None, ARRIVAL, loader.generator
        )
    size = len(dataset)  # type: ignore[arg-type]
    with same_random_state(loader.generator):
        ids = _positions(loader, size)
    if not len(ids):
        raise ValueError("the data set is empty" if size == 0 else "the loader's sampler is empty")
    batch_size = loader.batch_size or getattr(loader.batch_sampler, "batch_size", None)
    if loader.batch_sampler is not None and not isinstance(batch_size, int):
        batch_size = BATCH
    ordered: DataLoader[Any] = DataLoader(
        dataset, batch_size=batch_size, sampler=ids.tolist(), **options
    )
    if batch_size is None and _holds_batches(dataset, int(ids[0])):
        return Source(
            lambda: _as_they_arrive(ordered), dataset, None, None, None, ARRIVAL, loader.generator
        )

    def batches() -> Iterator[tuple[Any, Any, np.ndarray]]:
        step = batch_size or 1
        for start, item in zip(range(0, len(ids), step), ordered, strict=True):
            inputs, targets = pair_of(item)
            if batch_size is None:
                inputs, targets = default_collate([inputs]), default_collate([targets])
            yield inputs, targets, ids[start : start + step]

    inputs = DatasetInputs(dataset)
    return Source(batches, dataset, len(ids), size, inputs, generator=loader.generator)


def _as_they_arrive(loader: DataLoader[Any]) -> Iterator[tuple[Any, Any, np.ndarray]]:
    seen = 0
    for item in loader:
        inputs, targets = pair_of(item)
        if np.ndim(targets) == 0:
            inputs, targets = default_collate([inputs]), default_collate([targets])
        yield inputs, targets, np.arange(seen, seen + len(targets))
        seen += len(targets)


def _holds_batches(dataset: Any, first: int) -> bool:
    """Without a batch size, a data set may hold single samples or batches put together before."""
    with same_random_state():
        return np.ndim(pair_of(dataset[first])[1]) > 0


def _positions(loader: DataLoader[Any], size: int) -> np.ndarray:
    """Positions that the loader's sampler can reach, in the order of the data set, each once."""
    batch_sampler: Any = loader.batch_sampler
    sampler: Any = loader.sampler
    if batch_sampler is not None:
        inner = getattr(batch_sampler, "sampler", None)
        if type(batch_sampler) is not BatchSampler:
            drawn = itertools.islice(batch_sampler, _length(batch_sampler, size))
            return _each_once(itertools.chain.from_iterable(drawn), size)
        sampler = sampler if inner is None else inner
    if type(sampler) in (SequentialSampler, RandomSampler):
        return np.arange(min(size, len(sampler.data_source)))
    if type(sampler) is WeightedRandomSampler:
        return np.arange(size)
    if type(sampler) is SubsetRandomSampler:
        return _each_once(sampler.indices, size)
    return _each_once(itertools.islice(sampler, _length(sampler, size)), size)


def _length(sampler: Any, size: int) -> int:
    # One that never ends is cut after as many draws as there are samples.
    return len(sampler) if hasattr(sampler, "__len__") else size


def _each_once(positions: Any, size: int) -> np.ndarray:
    found = np.unique(np.array([int(i) for i in positions], dtype=np.int64))
    if len(found) and (found[0] < 0 or found[-1] >= size):
        bad = found[0] if found[0] < 0 else found[-1]
        raise ValueError(f"the sampler gives position {bad}, the data set has {size} samples")
    return found


def _collate(samples: list[Any]) -> Any:
    """`default_collate`, which says what it could not stack."""
    for sample in samples:
        if pair_of(sample)[1] is None:
            raise ValueError("a target is None: predictions are compared with a class number each")
    try:
        return default_collate(samples)
    except (TypeError, RuntimeError) as error:
        kinds = {f"{type(s[0]).__name__} {tuple(getattr(s[0], 'shape', ()))}" for s in samples}
        raise ValueError(
            f"the inputs cannot be stacked into a batch ({', '.join(sorted(kinds)[:3])}): let the "
            "data set's transform give tensors of one shape, or pass a DataLoader with a collate_fn"
        ) from error


def class_names_of(dataset: Any, classes: int) -> tuple[str, ...] | None:
    """Names that the data set itself gives to `classes` classes, or None where they do not fit."""
    while True:
        for attribute in ("class_names", "classes"):
            names = getattr(dataset, attribute, None)
            if isinstance(names, (list, tuple, np.ndarray)) and len(names) == classes:
                words = tuple(str(name) for name in names)
                return words if len(set(words)) == classes else None
        if not isinstance(dataset, Subset):
            return None
        dataset = dataset.dataset


def metadata_of(dataset: Any) -> Any:
    """The ``.metadata`` of a data set, also of the one that a `Subset` is taken from, or None."""
    metadata = getattr(dataset, "metadata", None)
    if metadata is None and isinstance(dataset, Subset):
        whole = metadata_of(dataset.dataset)
        return None if whole is None else take_rows(whole, np.asarray(dataset.indices))
    return None if callable(metadata) else metadata
