"""What does a model say over a data set? Every sample once, without a trace in the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from nbdiag.measures import outputs
from nbdiag.measures.metadata import count_rows, take_rows
from nbdiag.measures.predictions import Predictions, check_range, names_of_classes, whole_targets
from nbdiag.probes.data import Source, class_names_of, metadata_of, open_data
from nbdiag.probes.ending import watched
from nbdiag.probes.estimator import EstimatorAsker, is_estimator
from nbdiag.probes.layout import unwrap
from nbdiag.probes.progress import Progress
from nbdiag.probes.quiet import device_of, evaluating, float_type_of, moved, same_random_state
from nbdiag.probes.scores import as_columns, call, on_device, scores_of, to_array

Output = Literal["auto", "logits", "log_probabilities", "probabilities", "logit", "probability"]
# Of a lone output without a sigmoid in sight that stays within [0, 1], at least so many.
SUSPICIOUS_FROM = 20


def predict(
    model: Any,
    data: Any,
    *,
    class_names: Sequence[Any] | None = None,
    metadata: Any = None,
    output: Output = "auto",
    device: str | torch.device | None = None,
    progress: bool = True,
    out_of_sample: bool | None = None,
) -> Predictions:
    """What does the model say over a data set?

    Parameters
    ----------
    model : an ``nn.Module``, a scikit-learn classifier, or a function from a batch of inputs to
        (N, C) or (N,) scores.
    data : a Dataset, a DataLoader, or a pair ``(X, y)`` of arrays or tensors. A loader lends its
        batch size, collate function and workers; the order is the data set's own, whatever the
        loader shuffles, a sampler that restricts keeps restricting, and no sample is dropped.
        Samples may be dicts with the target under ``"labels"`` or ``"label"``; what else is in
        them goes to the model, by its name where it is several things. Targets are class numbers 0
        to C-1, or words of ``class_names`` (for a scikit-learn classifier: its own labels).
    class_names : C names; by default those of the data set (``class_names`` or ``classes``).
    metadata : a dataframe or dict of columns with a row for each sample; by default the data
        set's ``metadata``.
    output : how to read what the model returns. ``"auto"`` looks at how the network ends: softmax,
        log-softmax, sigmoid, or none of them, which means logits; never at the range of values.
    device : where to compute, by default where the model is. A model that lives elsewhere is
        copied there and not moved.
    progress : show a line that counts the samples.
    out_of_sample : True where the model was not trained on these samples, False where it was.
        Labels can be doubted only where it was not.

    Returns
    -------
    Predictions, with ``ids`` = positions in the data set that was passed (``loader.dataset`` for a
    loader), or the order of arrival for an ``IterableDataset``.

    Each module runs in eval mode and gets its own flag back; no gradient, buffer or random state
    changes.

    Raises
    ------
    TypeError : for a model or data of another kind.
    ValueError : for data that are not ``(input, target)`` pairs, targets outside 0 to C-1, an
        empty data set, outputs that are no class scores or cannot be read, class names or metadata
        of the wrong length.
    """
    if output != "auto" and output not in outputs.READINGS:
        raise ValueError(f'output must be "auto" or one of {outputs.READINGS}, got {output!r}')
    asker = _asker(model, output, device)
    if class_names is not None and asker.class_names is None:
        asker.class_names = tuple(class_names)
    source = open_data(data, asker.array_batch)
    if metadata is not None and source.size is not None:
        _fits(metadata, source)
    with evaluating(model), same_random_state(source.generator), torch.no_grad():
        ids, targets, probabilities, logits, kind, note = _read_all(source, asker, progress)
    classes = probabilities.shape[1]
    if class_names is None:
        class_names = asker.class_names or class_names_of(source.dataset, classes)
    rows, remark = _metadata(metadata, source, ids)
    return Predictions(
        ids,
        targets,
        probabilities,
        logits,
        names_of_classes(class_names or (), classes),
        rows,
        kind,
        source.inputs,
        "; ".join(part for part in (source.note, note, remark) if part),
        out_of_sample,
    )


class Asker:
    """Asks a module or a function for the scores of a batch, and decides once how to read them."""

    array_batch = 64
    class_names: tuple[str, ...] | None = None

    def __init__(self, model: Any, output: str, device: str | torch.device | None) -> None:
        self.network = isinstance(model, nn.Module)
        self.device = torch.device(device) if device is not None else device_of(model)
        self.output = output
        self.kind: outputs.OutputKind | None = None
        self._float_type = float_type_of(model)
        self._model: Callable[..., Any] = model
        # The first batch runs on what is inside torch.compile, where its operations can be seen.
        self._open: Callable[..., Any] = model
        if self.network:
            self._model = on_device(model, self.device)
            self._open = on_device(unwrap(model), self.device)

    def __call__(self, inputs: Any, batch: int) -> np.ndarray:
        """Raw scores (N, C) or (N, 1) of a batch."""
        inputs = self._prepare(inputs)
        if self.kind is not None:
            answer = call(self._model, inputs)
            raw = to_array(as_columns(_tensor(scores_of(answer)), batch))
            outputs.check(raw, self.kind)
            return raw
        answer, ending = watched(lambda: call(self._open, inputs), scores_of)
        raw = to_array(as_columns(_tensor(scores_of(answer)), batch))
        self.kind = outputs.decide(raw, declared=self.output, ending=ending, network=self.network)
        return raw

    def targets(self, given: Any, ids: np.ndarray) -> np.ndarray:
        return whole_targets(_flat(given, len(ids)), ids, self.class_names or ())

    def _prepare(self, inputs: Any) -> Any:
        if self.network and not isinstance(inputs, torch.Tensor) and hasattr(inputs, "__array__"):
            # An array has no opinion on the precision of the network; a tensor has.
            inputs = torch.as_tensor(np.array(inputs))
            if inputs.is_floating_point() and self._float_type is not None:
                inputs = inputs.to(self._float_type)
        return moved(inputs, self.device)


def _asker(model: Any, output: str, device: str | torch.device | None) -> Any:
    if isinstance(model, nn.Module):
        return Asker(model, output, device)
    if is_estimator(model):
        return EstimatorAsker(model, output)
    if callable(model):
        return Asker(model, output, device)
    raise TypeError(
        "model must be a torch.nn.Module, a scikit-learn classifier or a function, got "
        f"{type(model).__name__}"
    )


def _read_all(source: Source, asker: Any, show: bool) -> tuple[Any, ...]:
    parts: list[tuple[np.ndarray, ...]] = []
    all_logits: list[np.ndarray] = []
    bounded = True
    with Progress("predicting", "predicted", source.total, show) as progress:
        for inputs, given, ids in source.batches():
            targets = asker.targets(given, ids)
            raw = asker(inputs, len(ids))
            check_range(targets, asker.kind.classes, ids)
            bounded = bounded and bool(((raw >= 0) & (raw <= 1)).all())
            probabilities, logits = outputs.read(raw, asker.kind)
            parts.append((ids, targets, probabilities))
            if logits is not None:
                all_logits.append(logits)
            progress.add(len(ids))
    if not parts:
        raise ValueError("the data set is empty")
    ids, targets, probabilities = (np.concatenate(part) for part in zip(*parts, strict=True))
    logits = np.concatenate(all_logits) if all_logits else None
    note = ""
    guess = asker.kind.reading == "logit" and asker.kind.evidence != "declared"
    if guess and bounded and len(ids) >= SUSPICIOUS_FROM:
        note = (
            "all outputs lie in [0, 1]: if they are probabilities, predict with "
            'output="probability"'
        )
    return ids, targets, probabilities, logits, asker.kind, note


def _flat(given: Any, n: int) -> Any:
    """Targets as an array (N,)."""
    if isinstance(given, torch.Tensor):
        given = to_array(given)
    elif isinstance(given, (list, tuple)):
        given = [to_array(t) if isinstance(t, torch.Tensor) else t for t in given]
    array = np.asarray(given)
    if array.shape == (n, 1):
        array = array[:, 0]
    if array.shape != (n,):
        raise ValueError(
            f"targets have the shape {array.shape} for {n} samples; one class number each is "
            "needed, (N,): for one-hot targets give targets.argmax(1), several labels a sample "
            "cannot be read"
        )
    return array


def _tensor(scores: Any) -> torch.Tensor:
    return scores if isinstance(scores, torch.Tensor) else torch.from_numpy(to_array(scores))


def _fits(metadata: Any, source: Source) -> None:
    rows = count_rows(metadata)
    if rows not in (source.total, source.size):
        raise ValueError(
            f"metadata has {rows} rows for a data set of {source.size} samples; it needs one each"
        )


def _metadata(given: Any, source: Source, ids: np.ndarray) -> tuple[Any, str]:
    """One row for each sample predicted, and a remark where the data set's own does not fit."""
    own = metadata_of(source.dataset) if given is None and source.size is not None else None
    table = own if given is None else given
    if table is None:
        return None, ""
    try:
        rows = count_rows(table)
    except (TypeError, ValueError):
        if given is not None:
            raise
        rows = -1
    if rows == len(ids):
        return table, ""
    if rows == source.size:
        return take_rows(table, ids), ""
    if given is None:
        return None, "the data set's metadata has no row for each sample and is left out"
    return table, ""  # of a stream: `Predictions` says what does not fit
