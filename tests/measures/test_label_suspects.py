"""Labels that are probably wrong: the published rule, and no alarm on clean labels."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from nbdiag.measures.error_floor import error_floor
from nbdiag.measures.label_suspects import label_suspects
from nbdiag.measures.predictions import Predictions

NAN = np.nan


def told(targets: Any, probabilities: Any, **more: Any) -> Predictions:
    return Predictions(targets=targets, probabilities=probabilities, **more)


def by_the_loop(p: np.ndarray, y: np.ndarray) -> dict[int, int]:
    """Confident learning as the paper writes it, and only where another class is predicted."""
    classes = p.shape[1]
    thresholds = []
    for j in range(classes):
        own = [p[i, j] for i in range(len(y)) if y[i] == j and not np.isnan(p[i]).any()]
        thresholds.append(np.mean(own) if own else np.inf)
    found = {}
    for i in range(len(y)):
        claimed = [j for j in range(classes) if p[i, j] >= thresholds[j]]
        if claimed:
            best = max(claimed, key=lambda j: p[i, j])
            if best != y[i] and int(np.argmax(p[i])) != y[i]:
                found[i] = best
    return found


def test_by_hand() -> None:
    p = [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]
    result = label_suspects(told([0, 0, 1, 1, 0], p))
    # class 0: mean of 0.9, 0.7, 0.4; class 1: mean of 0.8, 0.1
    assert np.allclose(result.thresholds, [2 / 3, 0.45])
    assert result.rows.tolist() == [3, 4]  # 0.9 against 0.1, then 0.6 against 0.4
    assert result.suggested.tolist() == [0, 1]
    assert np.allclose(result.score, [0.8, 0.2])


@pytest.mark.parametrize("seed", range(4))
def test_against_the_loop(seed: int) -> None:
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(4, 0.5), 300)
    p[7] = NAN
    y = random.integers(0, 3, 300)  # class 3 has no sample
    result = label_suspects(told(y, p))
    expected = by_the_loop(p, y)
    assert dict(zip(result.rows.tolist(), result.suggested.tolist(), strict=True)) == expected
    assert np.isnan(result.thresholds[3])
    assert 7 not in result.rows
    assert (np.diff(result.score) <= 0).all()


@pytest.mark.parametrize(
    ("targets", "probabilities"),
    [
        ([0], [[0.9, 0.1]]),
        ([1], [[0.9, 0.1]]),
        ([0, 1], [[1.0, 0.0], [0.0, 1.0]]),
        ([0, 1], [[NAN, NAN], [NAN, NAN]]),
        ([0, 0], [[0.5, 0.5], [0.5, 0.5]]),
    ],
)
def test_edges_give_no_finding(targets: list, probabilities: list) -> None:
    result = label_suspects(told(targets, probabilities, out_of_sample=True))
    assert result.findings() == []
    assert len(result.to_frame()) == len(result)


@cache
def digits(noise: float, name: str, seed: int = 0) -> tuple[Predictions, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    random = np.random.default_rng(seed)
    flipped = random.random(len(y)) < noise
    y = np.where(flipped, (y + random.integers(1, 10, len(y))) % 10, y)
    p = cross_val_predict(MODELS[name], x / 16, y, cv=3, method="predict_proba")
    return told(y, p, out_of_sample=True), flipped


MODELS = {
    "logistic": LogisticRegression(max_iter=300),
    "forest": RandomForestClassifier(20, random_state=0),
    "overconfident": GaussianNB(var_smoothing=1e-3),
    "neighbours": KNeighborsClassifier(8),
}


@pytest.mark.parametrize("name", MODELS)
def test_good_model_with_clean_labels_gives_no_finding(name: str) -> None:
    assert label_suspects(digits(0, name)[0]).findings() == []


@pytest.mark.parametrize("name", ["logistic", "forest", "neighbours"])
def test_wrong_labels_are_found_and_stand_first(name: str) -> None:
    predictions, flipped = digits(0.05, name)
    result = label_suspects(predictions)
    (finding,) = result.findings()
    assert (finding.code, finding.severity) == ("label.suspect", "warning")
    assert finding.evidence["share_low"] < 0.06
    assert finding.evidence["share_high"] > 0.04
    assert flipped[result.rows[:30]].mean() > 0.8
    assert flipped[result.rows].sum() > 0.6 * flipped.sum()


@pytest.mark.parametrize("seed", range(6))
def test_hard_but_clean_problems_give_no_finding(seed: int) -> None:
    separation, classes = [(1.0, 5), (0.6, 3), (2.0, 4), (0.8, 2), (1.5, 8), (1.2, 3)][seed]
    x, y = make_classification(
        2000, 12, n_informative=8, n_classes=classes, class_sep=separation, flip_y=0,
        random_state=seed,
    )  # fmt: skip
    for model in (GaussianNB(), LogisticRegression(max_iter=300), KNeighborsClassifier(8)):
        p = cross_val_predict(model, x, y, cv=3, method="predict_proba")
        assert label_suspects(told(y, p, out_of_sample=True)).findings() == []


def test_sharpening_does_not_make_suspects() -> None:
    """TRAP: confident errors of an overconfident model are no label errors."""
    predictions, _ = digits(0, "logistic")
    logits = 8 * np.log(predictions.probabilities)
    sharp = Predictions(targets=predictions.targets, logits=logits, out_of_sample=True)
    wrong = sharp.predicted != sharp.targets
    assert (sharp.confidence[wrong] > 0.99).mean() > 0.3
    assert label_suspects(sharp).findings() == []


def test_samples_of_the_training_are_refused() -> None:
    with pytest.raises(ValueError, match="trained on, and it confirms.*cross-validation"):
        label_suspects(told([0], [[0.9, 0.1]], out_of_sample=False))


def test_unknown_origin_is_said() -> None:
    predictions, _ = digits(0.05, "forest")
    result = label_suspects(
        Predictions(targets=predictions.targets, probabilities=predictions.probabilities)
    )
    assert result.condition == "if the model was not trained on these samples"
    (finding,) = result.findings()
    assert finding.severity == "info"
    assert result.condition in finding.message
    assert result.condition in repr(result)
    assert "out_of_sample=True" in finding.remedy


def test_repr_holds_no_measured_number() -> None:
    clean, noisy = digits(0, "forest")[0], digits(0.05, "forest")[0]
    assert repr(label_suspects(clean)) == "Suspects: of 1797 samples, no sign of wrong labels"
    assert repr(label_suspects(noisy)) == "Suspects: of 1797 samples, probably wrong labels"


def test_frame_and_figure() -> None:
    p = [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]
    names = ["cat", "dog"]
    result = label_suspects(told([0, 0, 1, 1, 0], p, class_names=names, ids=[5, 6, 7, 8, 9]))
    frame = result.to_frame()
    assert frame["id"].tolist() == [8, 9]
    assert frame["label"].tolist() == ["dog", "cat"]
    assert frame["suggested"].tolist() == ["cat", "dog"]
    assert sorted(result.figure().y_range.factors) == ["cat -> dog", "dog -> cat"]


def test_floor_of_simulated_answers() -> None:
    """Answers whose chance of being right is known: the floor is the share of flipped labels."""
    random = np.random.default_rng(0)
    n = 20_000
    z = random.gamma(2, 2, n)
    right = random.random(n) < 1 / (1 + np.exp(-z))
    for flips in (0.0, 0.03):
        agree = np.where(random.random(n) < flips, ~right, right)
        logits = np.stack([np.zeros(n), z], axis=1)
        floor = error_floor(Predictions(targets=agree.astype(int), logits=logits))
        assert floor.low <= flips + 1e-3
        assert floor.high >= flips - 1e-3
        assert floor.there == (flips > 0)
