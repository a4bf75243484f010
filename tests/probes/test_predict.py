"""predict: any data in their own order, any ending of a network, and no trace."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from nbdiag.measures.predictions import Predictions
from nbdiag.probes.predict import predict

N, FEATURES, CLASSES = 23, 4, 3


class Numbered(Dataset):
    """Sample i is (i, 0, 0, 0) with target i mod 3, so that order shows in the numbers."""

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return torch.tensor([float(i), 0, 0, 0]), i % CLASSES


class Identity(nn.Module):
    """Its first logit is the position of the sample."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :CLASSES]


def order_of(told: Predictions) -> list[float]:
    assert told.logits is not None
    return told.logits[:, 0].tolist()


class Evens(Sampler):
    def __init__(self) -> None:
        pass

    def __iter__(self) -> Iterator[int]:
        return iter([4, 2, 0, 4])

    def __len__(self) -> int:
        return 4


class Pairs:
    """A batch sampler of the user's own."""

    def __iter__(self) -> Iterator[list[int]]:
        yield [9, 3]
        yield [5, 1, 3]

    def __len__(self) -> int:
        return 2


ALL = list(range(N))
LOADERS: dict[str, tuple[Callable[[], Any], list[int]]] = {
    "dataset": (lambda: Numbered(), ALL),
    "sequential": (lambda: DataLoader(Numbered(), batch_size=4), ALL),
    "shuffled": (lambda: DataLoader(Numbered(), batch_size=4, shuffle=True), ALL),
    "drop_last": (lambda: DataLoader(Numbered(), 4, shuffle=True, drop_last=True), ALL),
    "one by one": (lambda: DataLoader(Numbered(), batch_size=1), ALL),
    "no batching": (lambda: DataLoader(Numbered(), batch_size=None), ALL),
    "workers": (lambda: DataLoader(Numbered(), 5, shuffle=True, num_workers=1), ALL),
    "random": (lambda: DataLoader(Numbered(), sampler=RandomSampler(Numbered())), ALL),
    "a few at random": (
        lambda: DataLoader(Numbered(), sampler=RandomSampler(Numbered(), num_samples=5)),
        ALL,
    ),
    "weighted": (lambda: DataLoader(Numbered(), sampler=WeightedRandomSampler([1.0] * N, 5)), ALL),
    "subset sampler": (
        lambda: DataLoader(Numbered(), batch_size=2, sampler=SubsetRandomSampler([7, 3, 5])),
        [3, 5, 7],
    ),
    "distributed": (
        lambda: DataLoader(Numbered(), sampler=DistributedSampler(Numbered(), 4, 1, shuffle=False)),
        [1, 5, 9, 13, 17, 21],
    ),
    "first ten": (lambda: DataLoader(Numbered(), sampler=SequentialSampler(range(10))), ALL[:10]),
    "a list": (lambda: DataLoader(Numbered(), sampler=[5, 3]), [3, 5]),
    "own sampler": (lambda: DataLoader(Numbered(), sampler=Evens()), [0, 2, 4]),
    "batch sampler": (
        lambda: DataLoader(
            Numbered(), batch_sampler=BatchSampler(SubsetRandomSampler([8, 2]), 2, True)
        ),
        [2, 8],
    ),
    "own batch sampler": (lambda: DataLoader(Numbered(), batch_sampler=Pairs()), [1, 3, 5, 9]),
}


@pytest.mark.parametrize("name", LOADERS)
def test_ids_follow_the_data_set_whatever_the_loader_does(name: str) -> None:
    make, ids = LOADERS[name]
    told = predict(Identity(), make(), progress=False)
    assert told.ids.tolist() == ids
    assert order_of(told) == ids
    assert told.targets.tolist() == [i % CLASSES for i in ids]
    assert told.inputs is not None
    assert [x[0].item() for x in told.inputs([ids[-1], ids[0]])] == [ids[-1], ids[0]]


def test_ids_of_a_subset_are_positions_in_the_subset() -> None:
    told = predict(Identity(), Subset(Numbered(), [7, 2]), progress=False)
    assert told.ids.tolist() == [0, 1]
    assert order_of(told) == [7, 2]


class Stream(IterableDataset):
    def __iter__(self) -> Iterator[tuple[torch.Tensor, int]]:
        return (Numbered()[i] for i in reversed(range(N)))


def test_a_stream_counts_arrivals_and_says_so() -> None:
    for data in (Stream(), DataLoader(Stream(), batch_size=4, drop_last=True)):
        told = predict(Identity(), data, progress=False)
        assert told.ids.tolist() == ALL
        assert order_of(told) == ALL[::-1]
        assert told.inputs is None
        assert "order of arrival" in repr(told)


class ReadyBatches(Dataset):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full((3, 4), float(i)), torch.tensor([0, 1, 2])


def test_batches_put_together_by_the_data_set() -> None:
    told = predict(Identity(), DataLoader(ReadyBatches(), batch_size=None), progress=False)
    assert told.ids.tolist() == list(range(6))
    assert order_of(told) == [0, 0, 0, 1, 1, 1]
    assert told.inputs is None


def test_the_loaders_collate_function_is_used() -> None:
    def doubled(samples: list) -> tuple[torch.Tensor, torch.Tensor]:
        xs, ys = zip(*samples, strict=True)
        return 2 * torch.stack(xs), torch.tensor(ys)

    told = predict(Identity(), DataLoader(Numbered(), 4, collate_fn=doubled), progress=False)
    assert order_of(told) == [2 * i for i in ALL]


class Summed(nn.Module):
    """Takes its inputs by name."""

    def forward(self, one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
        return one + two


def test_dicts_give_their_inputs_by_name_and_one_alone() -> None:
    pairs = [Numbered()[i] for i in ALL]
    several = [{"two": x / 4, "one": 3 * x / 4, "labels": y} for x, y in pairs]
    single = [{"image": x, "label": y} for x, y in pairs]
    for data, model in ((several, Summed()), (single, Identity())):
        for given in (data, DataLoader(data, 4, shuffle=True)):
            told = predict(model, given, progress=False)
            assert order_of(told) == list(ALL)
            assert told.targets.tolist() == [y for _, y in pairs]
    assert told.inputs is not None
    assert torch.equal(told.inputs([3])[0], Numbered()[3][0])
    opened = told.with_inputs(several).inputs
    assert opened is not None
    assert sorted(opened([3])[0]) == ["one", "two"]


def test_a_model_in_train_mode_answers_as_in_eval_mode() -> None:
    """TRAP: train-mode predictions, where dropout and the batch decide as well."""
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model(x)  # so that the running statistics are not those of the batch
        expected = model.eval()(x)
    model.train()
    for data in ((x, np.zeros(30, int)), DataLoader(TensorDataset(x, torch.zeros(30)), 7)):
        told = predict(model, data, progress=False)
        assert np.allclose(told.logits, expected, atol=1e-6)
    assert all(module.training for module in model.modules())
    assert not np.allclose(told.logits, model(x).detach(), atol=0.1)


def test_targets_in_words() -> None:
    words = ["owl", "cat", "dog"]
    x = torch.stack([Numbered()[i][0] for i in ALL])
    y = [words[i % 3] for i in ALL]
    for given in (np.array(y), y, pd.Series(y), pd.Series(y, dtype="category")):
        told = predict(Identity(), (x, given), class_names=words, progress=False)
        assert told.targets.tolist() == [i % 3 for i in ALL]
    with pytest.raises(ValueError, match="target dog at id 2 is none of the class names: owl, cat"):
        predict(Identity(), (x, y), class_names=["owl", "cat", "x"], progress=False)


def test_dataframes_of_polars_reach_the_classifier_with_their_names() -> None:
    frame = pl.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
    labels = pl.Series(["no", "no", "yes", "yes"])
    model = LogisticRegression().fit(frame, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = predict(model, (frame, labels), progress=False)
    assert told.targets.tolist() == [0, 0, 1, 1]
    assert np.allclose(told.probabilities, model.predict_proba(frame))


def test_pairs_of_arrays() -> None:
    x = np.stack([Numbered()[i][0].numpy() for i in ALL])
    y = np.arange(N) % CLASSES
    pairs: list[Any] = [(x, y), (torch.tensor(x), torch.tensor(y)), (x, y.tolist())]
    for pair in [*pairs, (x.astype(np.float64), list_of(y))]:
        told = predict(nn.Sequential(nn.Identity(), Identity()), pair, progress=False)
        assert order_of(told) == ALL
        assert told.inputs is not None
        assert float(told.inputs([5])[0][0]) == 5
    # a float64 array does not break a float32 network
    predict(nn.Linear(4, 3), (x.astype(np.float64), y), progress=False)


def list_of(y: np.ndarray) -> pd.Series:
    return pd.Series(y, index=range(100, 100 + len(y)))


# Endings -----------------------------------------------------------------------------------------


class Ends(nn.Module):
    def __init__(self, columns: int, end: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        torch.manual_seed(columns)
        self.body = nn.Linear(FEATURES, columns)
        self.end = end

    def forward(self, x: torch.Tensor) -> Any:
        return self.end(self.body(x))


class HasLogits:
    def __init__(self, logits: torch.Tensor) -> None:
        self.logits = logits


ENDINGS: dict[str, tuple[int, Callable[[torch.Tensor], Any], str]] = {
    "logits": (3, lambda z: z, "softmax of 3 logits"),
    "logits within [0, 1]": (3, lambda z: z * 1e-3 + 0.5, "softmax of 3 logits"),
    "softmax module": (3, nn.Softmax(dim=1), "3 probabilities"),
    "softmax": (3, lambda z: F.softmax(z, 1), "3 probabilities"),
    "softmax, half": (3, lambda z: z.softmax(1).half(), "3 probabilities"),
    "softmax, clamped": (3, lambda z: z.softmax(1).clamp(1e-7, 1), "3 probabilities"),
    "softmax by hand": (3, lambda z: z.exp() / z.exp().sum(1, keepdim=True), "3 probabilities"),
    "softmax, log, exp": (3, lambda z: z.softmax(1).log().exp(), "3 probabilities"),
    "log-softmax": (3, nn.LogSoftmax(dim=1), "exp of 3 log-probabilities"),
    "log of softmax": (3, lambda z: torch.log(z.softmax(1)), "exp of 3 log-probabilities"),
    "softmax of a hidden layer": (
        3,
        lambda z: z.softmax(1) @ torch.eye(3) * 2,
        "softmax of 3 logits",
    ),
    "transposed": (3, lambda z: z.t().softmax(0).t(), "3 probabilities"),
    "dict": (3, lambda z: {"logits": z}, "softmax of 3 logits"),
    "object": (3, HasLogits, "softmax of 3 logits"),
    "one logit (N, 1)": (1, lambda z: z, "sigmoid of one logit"),
    "one logit (N,)": (1, lambda z: z[:, 0], "sigmoid of one logit"),
    "sigmoid module": (1, nn.Sigmoid(), "one probability"),
    "sigmoid (N,)": (1, lambda z: z.sigmoid().squeeze(), "one probability"),
    "sigmoid in place": (1, lambda z: z.clone().sigmoid_().view(-1), "one probability"),
    "two columns of a sigmoid": (
        1,
        lambda z: torch.cat([1 - z.sigmoid(), z.sigmoid()], 1),
        "2 probabilities",
    ),
    "sigmoid that was only a gate": (1, lambda z: z.sigmoid() * 8 - 4, "sigmoid of one logit"),
    "gate in place": (1, lambda z: z.sigmoid().mul_(8).sub_(4), "sigmoid of one logit"),
    "two logits": (2, lambda z: z, "softmax of 2 logits"),
    "bfloat16": (3, lambda z: z.bfloat16(), "softmax of 3 logits"),
}


def data_for(columns: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(N, FEATURES, generator=generator)
    return TensorDataset(x, torch.arange(N) % max(columns, 2))


def as_it_is(model: Ends) -> Any:
    return model


def frozen(model: Ends) -> Any:
    return model.requires_grad_(False)


def without_grad(model: Ends) -> Any:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        @torch.no_grad()
        def forward(self, x: torch.Tensor) -> Any:
            return self.inner(x)

    return Wrapped()


def in_inference_mode(model: Ends) -> Any:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        @torch.inference_mode()
        def forward(self, x: torch.Tensor) -> Any:
            return self.inner(x)

    return Wrapped()


def compiled(model: Ends) -> Any:
    return torch.compile(model, backend="eager")


@pytest.mark.parametrize("around", [as_it_is, frozen, without_grad, in_inference_mode])
@pytest.mark.parametrize("name", ENDINGS)
def test_endings_are_seen(name: str, around: Callable[[Ends], Any]) -> None:
    columns, end, words = ENDINGS[name]
    model = Ends(columns, end).eval()
    data = data_for(columns)
    told = predict(around(model), data, progress=False)
    assert str(told.output) == words
    z = model.body(data.tensors[0]).detach().double()
    if name in ("sigmoid that was only a gate", "gate in place"):
        z = z.sigmoid() * 8 - 4
    elif name == "softmax of a hidden layer":
        z = z.softmax(1) * 2
    elif name == "logits within [0, 1]":
        z = z * 1e-3 + 0.5
    oracle = torch.cat([1 - z.sigmoid(), z.sigmoid()], 1) if columns == 1 else z.softmax(1)
    rough = name in ("bfloat16", "softmax, half")
    assert np.allclose(told.probabilities, oracle.numpy(), atol=2e-2 if rough else 1e-6)


def test_a_compiled_model_is_read_like_the_model_inside() -> None:
    model = compiled(Ends(1, nn.Sigmoid()))
    assert str(predict(model, data_for(1), progress=False).output) == "one probability"


def test_no_gradient_is_recorded() -> None:
    recording = []
    predict(
        Ends(3, lambda z: recording.append(torch.is_grad_enabled()) or z),  # type: ignore[func-returns-value]
        DataLoader(data_for(3), 10),
        progress=False,
    )
    assert recording == [False] * 3


def test_inference_mode_around_predict() -> None:
    with torch.inference_mode():
        told = predict(Ends(3, nn.Softmax(1)), data_for(3), progress=False)
    assert str(told.output) == "3 probabilities"


@pytest.mark.parametrize(
    ("columns", "end", "message"),
    [
        (3, torch.sigmoid, r"3 sigmoid .*multi-label"),
        (2, torch.sigmoid, r"2 sigmoid .*multi-label"),
        (2, lambda z: z.softmax(1)[:, 1], r'one of two columns, return both, or say output="prob'),
        (1, F.logsigmoid, "log-sigmoid"),
        (3, lambda z: z.softmax(0), r"dim=1"),
        (3, lambda z: z[:, :, None, None].expand(-1, -1, 4, 4), r"shape \(23, 3, 4, 4\)"),
        (3, lambda z: z[:5], r"shape \(5, 3\) for 23 inputs"),
        (3, lambda z: (z, z), "a tuple of 2"),
        (3, lambda z: {"scores": z}, r"keys \['scores'\]"),
        (3, lambda z: "cat", "returned str"),
    ],
)
def test_outputs_that_cannot_be_read(columns: int, end: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        predict(Ends(columns, end), data_for(columns), progress=False)


def test_declared_output_and_its_repr() -> None:
    told = predict(Ends(1, torch.sigmoid), data_for(1), output="logit", progress=False)
    assert str(told.output) == "sigmoid of one logit"
    with pytest.raises(ValueError, match="got 'softmax'"):
        predict(Ends(1, torch.sigmoid), data_for(1), output="softmax", progress=False)  # type: ignore[arg-type]


def test_a_lone_output_within_0_and_1_is_a_logit_with_a_remark() -> None:
    told = predict(Ends(1, lambda z: 1 / (1 + torch.exp(-z))), data_for(1), progress=False)
    assert str(told.output) == "sigmoid of one logit"
    assert 'output="probability"' in repr(told)


def test_a_last_batch_of_one_that_lost_its_axis() -> None:
    loader = DataLoader(data_for(1), batch_size=11)  # 11, 11, 1
    told = predict(Ends(1, lambda z: z.sigmoid().squeeze()), loader, progress=False)
    assert told.probabilities.shape == (23, 2)
    loader = DataLoader(data_for(3), batch_size=11)
    told = predict(Ends(3, lambda z: z.squeeze()), loader, progress=False)
    assert told.probabilities.shape == (23, 3)


def test_functions_on_arrays_and_tensors() -> None:
    x, y = np.eye(3), np.arange(3)
    told = predict(lambda rows: rows * 0.9 + 0.1 / 3, (x, y), progress=False)
    assert str(told.output) == "3 probabilities"
    with pytest.raises(ValueError, match='output="logits"'):
        predict(lambda rows: rows * 4, (x, y), progress=False)
    with pytest.raises(ValueError, match='output="probability" or output="logit"'):
        predict(lambda rows: rows[:, 0], (x, y), progress=False)
    told = predict(lambda rows: rows[:, 0], (x, y % 2), output="probability", progress=False)
    assert told.probabilities[:, 1].tolist() == [1, 0, 0]
    told = predict(lambda rows: rows.softmax(1), Numbered(), progress=False)
    assert str(told.output) == "4 probabilities"


# scikit-learn ------------------------------------------------------------------------------------


def iris() -> tuple[pd.DataFrame, np.ndarray]:
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True)
    return data.data, np.array(["setosa", "versicolor", "virginica"])[data.target]


def test_scikit_learn_by_probabilities_with_its_own_labels() -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = iris()
    model = LogisticRegression(max_iter=500).fit(x, y)
    told = predict(model, (x, y), progress=False)
    assert told.class_names == ("setosa", "versicolor", "virginica")
    assert np.allclose(told.probabilities, model.predict_proba(x), atol=1e-6)
    assert told.accuracy == model.score(x, y)
    logits = predict(model, (x, y), output="logits", progress=False)
    assert np.allclose(logits.probabilities, told.probabilities, atol=1e-6)
    assert logits.logits is not None
    with pytest.raises(ValueError, match="target rose at id 0 is none of the classes"):
        predict(model, (x, np.full(len(x), "rose")), progress=False)


def test_scikit_learn_by_decision_function_and_from_a_data_set() -> None:
    from sklearn.svm import LinearSVC

    x, y = torch.randn(60, 2, 5, generator=torch.Generator().manual_seed(1)), torch.arange(60) % 2
    flat = x.reshape(60, -1).numpy()
    model = LinearSVC().fit(flat, y.numpy() + 5)  # its labels are 5 and 6
    told = predict(model, TensorDataset(x, y + 5), progress=False)
    assert str(told.output) == "sigmoid of one logit"
    assert told.class_names == ("5", "6")
    assert np.allclose(told.logits[:, 1], model.decision_function(flat), atol=1e-5)
    assert told.accuracy == model.score(flat, y.numpy() + 5)


def test_what_is_no_classifier() -> None:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    pair = (np.eye(3), np.arange(3))
    with pytest.raises(TypeError, match="LinearRegression has no decision_function"):
        predict(LinearRegression(), pair, progress=False)
    with pytest.raises(ValueError, match="LogisticRegression is not fitted"):
        predict(LogisticRegression(), pair, progress=False)
    with pytest.raises(TypeError, match=r"got int"):
        predict(3, pair, progress=False)


# Bad data ----------------------------------------------------------------------------------------


def samples(*items: Any) -> list:
    return list(items)


X = torch.zeros(4)
BAD: dict[str, tuple[Any, str]] = {
    "empty data set": (TensorDataset(torch.zeros(0, 4), torch.zeros(0)), "data set is empty"),
    "empty list": ([], "data set is empty"),
    "empty arrays": ((np.zeros((0, 4)), np.zeros(0)), "data set is empty"),
    "empty sampler": (DataLoader(Numbered(), sampler=SubsetRandomSampler([])), "sampler is empty"),
    "sampler beyond": (DataLoader(Numbered(), sampler=[3, 99]), "position 99, the data set has 23"),
    "no target": (TensorDataset(torch.zeros(3, 4)), "pairs, got a tuple of 1"),
    "three": (TensorDataset(torch.zeros(3, 4), torch.zeros(3), torch.zeros(3)), "a tuple of 3"),
    "three in a loader": (
        DataLoader(TensorDataset(torch.zeros(3, 4), torch.zeros(3), torch.zeros(3))),
        "a list of 3",
    ),
    "dict": (samples({"image": X, "caption": 0}), r"a dict with the keys \['caption', 'image'\]"),
    "only a label": (samples({"label": 0}), r"a dict with the keys \['label'\]"),
    "tensor": (samples(X, X, X), "a single Tensor"),
    "unequal shapes": (samples((X, 0), (torch.zeros(5), 0)), r"cannot be stacked .*\(4,\).*\(5,\)"),
    "target too large": (samples((X, 0), (X, 3)), r"0\.\.2 for 3 classes, got 3 at id 1"),
    "negative": (samples((X, 0), (X, -100)), "got -100 at id 1"),
    "from 1": (samples((X, 1), (X, 2), (X, 3)), "subtract 1"),
    "regression": (samples((X, 0.0), (X, 0.5)), "whole class numbers, got 0.5 at id 1"),
    "multi-hot": (samples((X, torch.tensor([1, 0, 1]))), r"shape \(1, 3\).*several labels"),
    "words": (samples((X, "cat"), (X, "dog")), "got values such as 'cat': give class_names="),
    "no label": (samples((X, 0), (X, None)), "a target is None"),
    "unequal arrays": ((np.zeros((3, 4)), np.zeros(2)), "X has 3 rows and y has 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data(name: str) -> None:
    data, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        predict(Ends(3, lambda z: z), data, progress=False)


def test_no_data_at_all() -> None:
    for data in (iter([]), 3, torch.zeros(3, 4), {"a": 1, "b": 2}.items()):
        with pytest.raises(TypeError, match="data must be a torch Dataset"):
            predict(Identity(), data, progress=False)


def test_an_error_of_the_users_own_model_arrives_unchanged() -> None:
    def broken(z: torch.Tensor) -> torch.Tensor:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        predict(Ends(3, broken), data_for(3), progress=False)


def test_columns_that_change_between_batches() -> None:
    def shrinking(z: torch.Tensor) -> torch.Tensor:
        return z if len(z) == 20 else z[:, :2]

    with pytest.raises(ValueError, match="2 columns here and 3 before"):
        predict(Ends(3, shrinking), DataLoader(data_for(3), batch_size=20), progress=False)


def test_nan_and_infinite_logits_are_kept_and_counted() -> None:
    x = torch.zeros(5, 4)
    x[1, 0], x[3, 2], x[4, 1] = float("nan"), float("inf"), 1.0
    told = predict(Identity(), TensorDataset(x, torch.ones(5, dtype=int)), progress=False)
    assert told.predicted.tolist() == [0, -1, 0, -1, 1]
    assert told.n_nonfinite == 2
    assert np.isnan(told.logits[1, 0])
    assert told.logits[3, 2] == np.inf
    assert repr(told).endswith("2 not finite")


# Names and metadata ------------------------------------------------------------------------------


class Described(Numbered):
    classes = ("a", "b", "c")

    def __init__(self, metadata: Any = None) -> None:
        self.metadata = {"at": np.arange(N)} if metadata is None else metadata


def test_names_and_metadata_of_the_data_set() -> None:
    told = predict(Identity(), Described(), progress=False)
    assert told.class_names == ("a", "b", "c")
    assert told.metadata["at"].tolist() == ALL
    told = predict(Identity(), Subset(Subset(Described(), [9, 8, 7]), [2, 0]), progress=False)
    assert told.class_names == ("a", "b", "c")
    assert told.metadata["at"].tolist() == [7, 9]
    loader = DataLoader(Described(), sampler=SubsetRandomSampler([5, 3]))
    assert predict(Identity(), loader, progress=False).metadata["at"].tolist() == [3, 5]


def test_given_names_and_metadata_go_first() -> None:
    frame = pd.DataFrame({"at": np.arange(N) * 10})
    told = predict(
        Identity(), Described(), class_names=["x", "y", "z"], metadata=frame, progress=False
    )
    assert told.class_names == ("x", "y", "z")
    assert told.metadata["at"].tolist() == [10 * i for i in ALL]
    loader = DataLoader(Numbered(), sampler=SubsetRandomSampler([5, 3]))
    told = predict(Identity(), loader, metadata=frame, progress=False)
    assert told.metadata["at"].tolist() == [30, 50]


def test_names_and_metadata_of_the_wrong_length() -> None:
    with pytest.raises(ValueError, match="2 names for 3 classes"):
        predict(Identity(), Numbered(), class_names=["a", "b"], progress=False)
    with pytest.raises(ValueError, match="metadata has 5 rows for a data set of 23 samples"):
        predict(Identity(), Numbered(), metadata={"x": range(5)}, progress=False)
    with pytest.raises(ValueError, match="metadata has 5 rows for 23 samples"):
        predict(Identity(), Stream(), metadata={"x": range(5)}, progress=False)
    # What a data set happens to call its metadata is no reason to fail; it is said.
    told = predict(Identity(), Described({"license": "CC0"}), progress=False)
    assert told.metadata is None
    assert "metadata has no row for each sample" in repr(told)
