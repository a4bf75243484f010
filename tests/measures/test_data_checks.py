"""All rules together: nothing on sound data, the planted fault on unsound ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.cases_data import Case, load
from nbdiag.measures.data_checks import judge_data
from nbdiag.measures.data_tally import SplitTally
from nbdiag.measures.findings import Finding, text_lines


def judge(**splits: tuple[Any, Any]) -> list[Finding]:
    read = []
    for name, (x, y) in splits.items():
        tally = SplitTally(name)
        tally.add({"": x}, y, np.arange(len(x)))
        read.append(tally.finish())
    return judge_data(read)


X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = np.arange(60) % 3


def test_nothing_on_sound_data() -> None:
    assert judge(train=(X[:40], Y[:40]), val=(X[40:], Y[40:])) == []


def test_not_a_number() -> None:
    x, y = X.copy(), np.where(np.arange(60) == 50, np.nan, X[:, 0])
    x[[3, 4], 2], x[7, 1] = np.nan, -np.inf
    inputs, target = judge(train=(x[:40], y[:40]), val=(x[40:], y[40:]))
    assert (inputs.subject, inputs.severity) == ("train", "critical")
    assert inputs.message == (
        "3 samples of the 40 of train (7.5 %) hold NaN and infinity in column 2, column 1."
    )
    assert inputs.evidence["features"] == {
        "column 2": {"nan": 2, "infinite": 0},
        "column 1": {"nan": 0, "infinite": 1},
    }
    assert inputs.evidence["ids"] == [3, 4, 7]
    assert (target.subject, target.evidence["ids"]) == ("val, target", [10])


def test_one_column_is_the_subject_and_an_empty_one_is_to_be_left_out() -> None:
    x = X.copy()
    x[:, 3] = np.nan
    (finding,) = judge(train=(x, Y))
    assert finding.subject == "train, column 3"
    assert finding.remedy.startswith("Leave out column 3, which has no value at all.")


def test_most_severe_first_and_text_without_digits() -> None:
    x = X.copy()
    x[0, 0] = np.nan
    findings = judge(train=(x * 300, (np.arange(60) == 0).astype(int)), val=(x[1:9] * 300, Y[1:9]))
    order = ["critical", "warning", "info"]
    ranks = [order.index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert "critical: data.nonfinite in train, column 0" in text_lines(findings)


def test_splits_must_fit() -> None:
    with pytest.raises(ValueError, match="train has 4 columns, val has 3"):
        judge(train=(X, Y), val=(X[:, :3], Y))


@pytest.mark.parametrize("case", load(), ids=lambda case: case.name)
def test_the_collection(case: Case) -> None:
    import nbdiag as nd

    findings = nd.inspect_data(*case.make(np.random.default_rng(77)), progress=False)
    codes = {finding.code for finding in findings}
    assert codes - case.also == ({case.expected} if case.expected else set()), findings
    assert all(finding.remedy and finding.evidence for finding in findings)


@pytest.mark.parametrize("name", ["digits", "wine", "breast_cancer", "diabetes", "iris"])
@pytest.mark.parametrize("seed", range(3))
def test_real_tables(name: str, seed: int) -> None:
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    a, b = order[: int(0.7 * len(x))], order[int(0.7 * len(x)) :]
    raw = {finding.code for finding in judge(train=(x[a], y[a]), val=(x[b], y[b]))}
    assert raw == ({"data.unnormalized"} if name in ("wine", "breast_cancer") else set())
    mean, sd = x[a].mean(0), x[a].std(0)
    x = (x - mean) / np.where(sd > 0, sd, 1)
    assert judge(train=(x[a], y[a]), val=(x[b], y[b])) == []
