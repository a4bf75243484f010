"""Groups and times are found wherever the user keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, Subset

from nbdiag.measures.findings import Finding
from nbdiag.probes.inspect_data import inspect_data

N = 120
X = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(N) % 2
WHO = np.repeat(np.arange(30), 4)
DAY = np.datetime64("2024-01-01") + np.arange(N).astype("m8[D]")
ORDER = np.random.default_rng(0).permutation(N)


class Scans(Dataset):
    metadata = pd.DataFrame({"patient": WHO, "day": DAY, "site": np.arange(N) % 3})

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int) -> Any:
        return X[i], int(Y[i])


def leaks(*data: Any, **more: Any) -> list[Finding]:
    found = inspect_data(*data, progress=False, **more)
    return [one for one in found if one.code == "data.leakage"]


def cut(rows: np.ndarray) -> tuple[Any, Any]:
    return Subset(Scans(), rows[:80].tolist()), Subset(Scans(), rows[80:].tolist())


def test_columns_of_the_data_set() -> None:
    train, val = cut(ORDER)
    found = leaks(train, val, groups="patient", time="day")
    assert [one.subject for one in found] == ["train and val, patient", "train and val, day"]
    assert found[0].evidence["confidence"] == "high"
    assert leaks(*cut(np.arange(N)), groups="patient", time="day") == []


def test_a_column_named_patient_is_tried_without_being_asked() -> None:
    (found,) = leaks(*cut(ORDER))
    assert (found.severity, found.subject) == ("info", "train and val, patient")
    assert leaks(*cut(np.arange(N))) == []


def test_loaders_and_their_order() -> None:
    train, val = (DataLoader(part, batch_size=8, shuffle=True) for part in cut(np.arange(N)))
    assert leaks(train, val, groups="patient", time="day") == []


def test_given_beside_the_data() -> None:
    train, val = (X[:80], Y[:80]), (X[80:], Y[80:])
    tables = {"train": {"who": WHO[:80]}, "val": {"who": WHO[80:] % 10}}
    assert len(leaks(train, val, metadata=tables, groups="who")) == 1
    assert len(leaks(train, val, metadata=list(tables.values()), groups="who")) == 1
    assert len(leaks(train, val, groups=[WHO[:80], WHO[80:] % 10])) == 1
    assert leaks(train, val, groups={"train": WHO[:80], "val": WHO[80:]}) == []
    assert leaks(train, val, time=[DAY[:80], DAY[80:]]) == []


def test_columns_of_dataframes() -> None:
    frame = pd.DataFrame(X.numpy(), columns=list("abcd")).assign(who=WHO, target=Y.numpy())
    train, val = frame.iloc[ORDER[:80]], frame.iloc[ORDER[80:]]
    assert [one.subject for one in leaks(train, val, groups="who")] == ["train and val, who"]


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        (
            {"groups": "nobody"},
            ValueError,
            "train has no column 'nobody' for groups=; columns: pat",
        ),
        ({"time": "nobody"}, ValueError, "no column 'nobody' for time="),
        ({"groups": {"train": WHO, "test": WHO}}, ValueError, "names test, which was not given"),
        ({"groups": WHO}, TypeError, "must be given for each split.*2 entries, got ndarray"),
        ({"groups": [WHO[:80], WHO[:3]]}, ValueError, "3 values for the 40 samples of val"),
        ({"metadata": 3}, TypeError, "metadata must be given for each split.*got int"),
    ],
)
def test_what_is_refused(more: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        inspect_data(*cut(np.arange(N)), progress=False, **more)


def test_no_column_at_all() -> None:
    with pytest.raises(ValueError, match="columns: none: give metadata="):
        inspect_data((X[:80], Y[:80]), (X[80:], Y[80:]), progress=False, groups="patient")
