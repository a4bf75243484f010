"""Open train, val or test, in whatever form, to be read once from first to last."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    SequentialSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from nbdiag.measures.data_split import Loading
from nbdiag.measures.sample_pairs import TARGETS
from nbdiag.probes.data import _positions
from nbdiag.probes.quiet import same_random_state
from nbdiag.probes.samples import (
    gathered,
    is_frame,
    of_frame,
    parts_of,
    targets_of,
    to_rows,
)

Batch = tuple[dict[str, Any], Any, np.ndarray]
AT_ONCE = 4_000_000  # values in a batch
STREAM = 200_000  # samples of a stream, which may have no end
ARRIVAL = "ids count the samples in order of arrival"


@dataclass
class Reach:
    """How far a stream was read."""

    cut_at: int = 0
    """Samples after which reading stopped although there were more; 0 where there were none."""


@dataclass(frozen=True)
class SplitSource:
    """How to read one split, and what is known about it besides."""

    batches: Callable[[], Iterator[Batch]]
    total: int | None
    columns: tuple[str, ...] = ()
    coded: tuple[bool, ...] = ()
    origin: tuple[Any, np.ndarray] | None = None
    loading: Loading | None = None
    note: str = ""
    dataset: Any = None
    generators: list[torch.Generator] = field(default_factory=list)
    reach: Reach = field(default_factory=Reach)


def open_split(data: Any, name: str) -> SplitSource:
    """A `SplitSource` out of a data set, loader, pair, dataframe, array or list of samples.

    Raises
    ------
    TypeError : for anything else, with what it was.
    ValueError : for an empty split, or inputs and targets of different length.
    """
    if isinstance(data, DataLoader):
        return _from_loader(data, name)
    if (
        isinstance(data, (tuple, list))
        and len(data) == 2
        and _is_pair(data[0], data[1], type(data))
    ):
        return _from_pair(data[0], data[1], name)
    if is_frame(data):
        return _from_frame(data, name)
    if _is_array(data):
        return _from_pair(data, None, name)
    if isinstance(data, IterableDataset):
        return _from_loader(DataLoader(data, batch_size=64, collate_fn=_as_they_are), name)
    if isinstance(data, Iterator):
        raise TypeError(
            f"{name} is an iterator ({type(data).__name__}), which reading would use up: pass the "
            "data set or loader that it comes from"
        )
    indexed = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    if not indexed or isinstance(data, (str, bytes, Mapping)):
        hint = ", one split at a time" if isinstance(data, Mapping) else ""
        raise TypeError(
            f"{name} must be a torch Dataset, a DataLoader, a pair (X, y) of arrays, a dataframe, "
            f"or a list of samples{hint}; got {type(data).__name__}"
        )
    if len(data) == 0:
        raise ValueError(f"{name} is empty: there is no sample to look at")
    return _from_items(data, np.arange(len(data)), {}, None)


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and np.ndim(value) > 0


def _is_pair(x: Any, y: Any, kind: type) -> bool:
    rows = _is_array(x) or is_frame(x) or hasattr(x, "toarray")
    labels = _is_array(y) or is_frame(y)
    if rows and labels:
        return True
    if kind is not tuple:
        return False
    return (rows and (y is None or isinstance(y, list))) or (
        isinstance(x, list) and (isinstance(y, list) or labels)
    )


def _from_pair(x: Any, y: Any, name: str) -> SplitSource:
    columns: list[str] = []
    coded: list[bool] = []
    rows: Any = x
    if is_frame(x):
        rows, columns, coded = of_frame(x)
    n = rows.shape[0] if hasattr(rows, "shape") else len(rows)
    labels = y
    if is_frame(y):
        labels = of_frame(y)[0]
    elif y is not None and not isinstance(y, (list, torch.Tensor)):
        labels = np.asarray(y)
        if labels.dtype.kind == "O":
            labels = labels.tolist()
    if labels is not None and len(labels) != n:
        raise ValueError(f"{name}: X has {n} rows and y has {len(labels)}")
    if n == 0:
        raise ValueError(f"{name} is empty: there is no sample to look at")
    size = _batch(rows[0:1] if not isinstance(rows, list) else rows[:1], 8192)

    def batches() -> Iterator[Batch]:
        for start in range(0, n, size):
            stop = min(n, start + size)
            target = None if labels is None else targets_of(labels[start:stop])
            yield {"": to_rows(rows[start:stop])}, target, np.arange(start, stop)

    return SplitSource(batches, n, tuple(columns), tuple(coded))


def _from_frame(frame: Any, name: str) -> SplitSource:
    named = {str(column).lower(): column for column in frame.columns}
    target = next((named[word] for word in TARGETS if word in named), None)
    if target is None:
        return _from_pair(frame, None, name)
    rest = [column for column in frame.columns if column != target]
    if not rest:
        raise ValueError(f"{name} holds no input, only the column {target!r}")
    return _from_pair(frame[rest], frame[target], name)


def _from_items(
    dataset: Any, ids: np.ndarray, options: dict[str, Any], loading: Loading | None
) -> SplitSource:
    """Samples of a data set with positions, each once, in the order of the data set."""
    size = _batch(list(parts_of(_peek(dataset, int(ids[0])))[0].values()), 1024)
    settings = {"generator": torch.Generator().manual_seed(0), **options}
    reader: DataLoader[Any] = DataLoader(
        dataset, batch_size=size, sampler=ids.tolist(), collate_fn=_as_they_are, **settings
    )

    def batches() -> Iterator[Batch]:
        for start, items in zip(range(0, len(ids), size), reader, strict=True):
            inputs, targets = gathered(items)
            yield inputs, targets, ids[start : start + size]

    return SplitSource(
        batches, len(ids), origin=_origin(dataset, ids), loading=loading, dataset=dataset
    )


def _from_loader(loader: DataLoader[Any], name: str) -> SplitSource:
    dataset = loader.dataset
    options: dict[str, Any] = {
        "num_workers": loader.num_workers,
        "timeout": loader.timeout,
        "worker_init_fn": loader.worker_init_fn,
        "multiprocessing_context": loader.multiprocessing_context,
        # Without one of its own a loader draws its seed from the global random state.
        "generator": torch.Generator().manual_seed(0),
    }
    if loader.num_workers:
        options["prefetch_factor"] = loader.prefetch_factor
    own = [] if loader.generator is None else [loader.generator]
    if isinstance(dataset, IterableDataset):
        size = loader.batch_size
        reader: DataLoader[Any] = DataLoader(
            dataset, batch_size=size, collate_fn=loader.collate_fn, **options
        )
        order = Loading(size, True) if size else None
        reach = Reach()
        return SplitSource(
            lambda: _stream(reader, size is None, reach), None, loading=order, note=ARRIVAL,
            dataset=dataset, generators=own, reach=reach,
        )  # fmt: skip
    size_of_all = len(dataset)  # type: ignore[arg-type]
    if size_of_all == 0:
        raise ValueError(f"{name} is empty: there is no sample to look at")
    with same_random_state(*own):
        ids = _positions(loader, size_of_all)
    if not len(ids):
        raise ValueError(f"{name} is empty: its loader's sampler gives no sample")
    loading = _loading(loader, ids)
    if loader.batch_size is None and loader.batch_sampler is None:
        if _is_batch(_peek(dataset, int(ids[0]))):
            ready: DataLoader[Any] = DataLoader(
                dataset, batch_size=None, sampler=ids.tolist(), collate_fn=loader.collate_fn,
                **options,
            )  # fmt: skip
            reach = Reach()
            return SplitSource(
                lambda: _stream(ready, True, reach), None, note=ARRIVAL, dataset=dataset,
                generators=own, reach=reach,
            )  # fmt: skip
    elif loader.collate_fn is not default_collate:
        return _collated(loader, ids, options, loading, own)
    source = _from_items(dataset, ids, options, loading)
    source.generators.extend(own)
    return source


def _collated(
    loader: DataLoader[Any],
    ids: np.ndarray,
    options: dict[str, Any],
    loading: Loading | None,
    own: list[torch.Generator],
) -> SplitSource:
    """Batches as the user's own collate function makes them."""
    size = loader.batch_size or 64
    reader: DataLoader[Any] = DataLoader(
        loader.dataset, batch_size=size, sampler=ids.tolist(), collate_fn=loader.collate_fn,
        **options,
    )  # fmt: skip

    def batches() -> Iterator[Batch]:
        seen = 0
        for start, item in zip(range(0, len(ids), size), reader, strict=True):
            inputs, targets, n = _of_batch(item)
            part = ids[start : start + size]
            yield inputs, targets, part if len(part) == n else np.arange(seen, seen + n)
            seen += n

    dataset = loader.dataset
    origin = _origin(dataset, ids)
    return SplitSource(
        batches, len(ids), origin=origin, loading=loading, dataset=dataset, generators=own
    )


def _of_batch(item: Any) -> tuple[dict[str, Any], Any, int]:
    if isinstance(item, list) and (len(item) != 2 or not _is_batch(item)):
        rows, targets = gathered(item)  # a collate function that leaves the samples apart
        return rows, targets, len(item)
    inputs, target = parts_of(item)
    rows = {name: to_rows(value) for name, value in inputs.items()}
    counts = {len(value) for value in rows.values() if np.ndim(value) or isinstance(value, list)}
    if len(counts) != 1:
        raise ValueError(
            f"the inputs of a batch differ in length: {sorted(counts)}; the first axis must be the "
            "samples"
        )
    n = counts.pop()
    labels = targets_of(list(target) if isinstance(target, tuple) else target)
    if isinstance(labels, Mapping):
        labels = [{}] * n  # several targets a sample
    if labels is not None and len(labels) != n:
        raise ValueError(f"a batch has {n} inputs and {len(labels)} targets")
    return rows, labels, n


def _stream(loader: DataLoader[Any], single: bool, reach: Reach) -> Iterator[Batch]:
    seen = 0
    for item in loader:
        if seen >= STREAM:
            reach.cut_at = seen
            return
        if single and not _is_batch(item):
            inputs, targets = gathered([item])
            n = 1
        else:
            inputs, targets, n = _of_batch(item)
        yield inputs, targets, np.arange(seen, seen + n)
        seen += n


def _is_batch(item: Any) -> bool:
    """Whether an item is several samples: its target has an axis."""
    target = parts_of(item)[1]
    return isinstance(target, (torch.Tensor, np.ndarray)) and np.ndim(target) > 0


def _loading(loader: DataLoader[Any], ids: np.ndarray) -> Loading | None:
    sampler: Any = loader.sampler
    size = loader.batch_size
    if loader.batch_sampler is not None and type(loader.batch_sampler) is not BatchSampler:
        return None
    if size is None:
        return None
    weights = None
    if type(sampler) is WeightedRandomSampler:
        weights = sampler.weights.double().numpy()
        weights = weights[ids] if len(weights) > int(ids[-1]) else None
    return Loading(size, type(sampler) is SequentialSampler, weights)


def _origin(dataset: Any, ids: np.ndarray) -> tuple[Any, np.ndarray]:
    """What the samples are entries of, through `Subset`s, and which: equal for equal entries."""
    while isinstance(dataset, Subset):
        ids = np.asarray(dataset.indices)[ids]
        dataset = dataset.dataset
    if isinstance(dataset, TensorDataset):
        key: Any = tuple((t.data_ptr(), tuple(t.shape), t.stride()) for t in dataset.tensors)
        return key, ids
    root = getattr(dataset, "root", None)
    if isinstance(root, str) and hasattr(dataset, "__len__"):
        # Two objects over the same files, one with and one without augmentation.
        part = (getattr(dataset, "train", None), str(getattr(dataset, "split", None)))
        return (type(dataset), root, part, len(dataset)), ids
    return id(dataset), ids


def _peek(dataset: Any, position: int) -> Any:
    states = own_random_states(dataset)
    with same_random_state():
        try:
            return dataset[position]
        finally:
            put_back(states)


def _as_they_are(items: list[Any]) -> list[Any]:
    return items


def _batch(rows: Any, most: int) -> int:
    parts = rows if isinstance(rows, list) else [rows]
    width = sum(int(np.prod(np.shape(part))) if not isinstance(part, str) else 1 for part in parts)
    return int(np.clip(AT_ONCE // max(1, width), 16, most))


def own_random_states(dataset: Any, depth: int = 4) -> list[tuple[Any, Any]]:
    """Random generators that a data set and its transforms keep for themselves, with their state.

    >>> class Noisy:
    ...     random = np.random.default_rng(0)
    ...     def __init__(self): self.rng = np.random.default_rng(1)
    >>> len(own_random_states(Noisy()))
    1
    """
    found: list[tuple[Any, Any]] = []
    waiting, seen = [(dataset, 0)], set()
    while waiting:
        value, level = waiting.pop()
        if id(value) in seen or isinstance(value, (torch.Tensor, np.ndarray, str, type)):
            continue
        seen.add(id(value))
        if isinstance(value, torch.Generator):
            found.append((value, value.get_state()))
        elif isinstance(value, np.random.Generator):
            found.append((value, value.bit_generator.state))
        elif isinstance(value, np.random.RandomState):
            found.append((value, value.get_state()))
        elif isinstance(value, random.Random):
            found.append((value, value.getstate()))
        elif level < depth:
            inner: Any = []
            if isinstance(value, (list, tuple)) and len(value) <= 100:
                inner = value
            elif isinstance(value, Mapping) and len(value) <= 100:
                inner = value.values()
            elif hasattr(value, "__dict__"):
                inner = vars(value).values()
            waiting.extend(zip(inner, itertools.repeat(level + 1)))
    return found


def put_back(states: list[tuple[Any, Any]]) -> None:
    for generator, state in states:
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = state
        elif isinstance(generator, random.Random):
            generator.setstate(state)
        else:
            generator.set_state(state)
