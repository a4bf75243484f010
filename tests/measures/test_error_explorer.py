"""The error table: counts, order within cells, and findings that only planted faults cause."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import confusion_matrix

from nbdiag.measures.confusion import systematic_confusions, weak_classes
from nbdiag.measures.error_explorer import ErrorTable
from nbdiag.measures.predictions import Predictions


def table(targets: list, probabilities: list, names: tuple = ()) -> ErrorTable:
    n = len(targets)
    told = Predictions(
        np.arange(n) + 100, np.array(targets), np.array(probabilities, float), class_names=names
    )
    return ErrorTable.from_predictions(told)


NAN = [np.nan, np.nan, np.nan]


def test_by_hand() -> None:
    found = table(
        [0, 0, 0, 0, 2, 2],
        [[0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.1, 0.9, 0.0], [0.9, 0.1, 0.0], NAN, [0, 0, 1]],
    )
    assert found.matrix.tolist() == [[2, 2, 0], [0, 0, 0], [0, 0, 1]]
    assert found.nonfinite.tolist() == [0, 0, 1]
    assert found.cell(0, 1).tolist() == [2, 1]  # surest of the wrong class first
    assert found.cell(0, 0).tolist() == [0, 3]  # least sure of the right one first
    assert found.cell(2, -1).tolist() == [4]
    assert found.cell(1, 1).tolist() == found.cell(1, -1).tolist() == []
    assert found.accuracy == 0.5
    # Wilson for 3 of 6: 0.5 +- 0.3124
    assert (found.low, found.high) == pytest.approx((0.18762, 0.81238), abs=1e-4)
    assert found.accuracy_text == "0.5"
    assert repr(found) == "ErrorTable: 6 samples, 3 classes, accuracy 0.5"


def test_ties_are_broken_by_what_is_left_for_the_true_class_then_by_position() -> None:
    sure = 1 - 1e-9  # 1.0 in float32
    found = table(
        [0, 0, 0, 0],
        np.array(
            [[1e-6, sure, 0], [1e-9, sure, 0], [1e-6, sure, 0], [1e-3, 0.999, 0]], np.float32
        ).tolist(),
    )
    assert found.cell(0, 1).tolist() == [1, 0, 2, 3]


def test_nonfinite_column_keeps_the_order_of_the_data_set() -> None:
    assert table([1, 0, 1, 1], [NAN, NAN, [0, 1, 0], NAN]).cell(1, -1).tolist() == [0, 3]


@pytest.mark.parametrize("cell", [(3, 0), (0, 3), (-1, 0), (0, -2)])
def test_cells_that_do_not_exist(cell: tuple[int, int]) -> None:
    with pytest.raises(
        IndexError, match=f"no cell \\({cell[0]}, {cell[1]}\\): there are 3 classes"
    ):
        table([0], [[1, 0, 0]]).cell(*cell)


@pytest.mark.parametrize(
    ("n", "classes"), [(1, 2), (1, 1000), (500, 2), (3000, 10), (20_000, 1000)]
)
def test_matrix_and_cells_against_scikit_learn(n: int, classes: int) -> None:
    rng = np.random.default_rng(n + classes)
    targets = rng.integers(0, max(1, classes - 1), n)  # the last class never occurs
    scores = rng.random((n, classes)).astype(np.float32)
    scores /= scores.sum(1, keepdims=True)
    scores[rng.random(n) < 0.05] = np.nan
    told = Predictions(np.arange(n), targets, scores)
    found = ErrorTable.from_predictions(told)
    finite = told.finite
    oracle = (
        confusion_matrix(
            targets[finite], scores[finite].argmax(1) if finite.any() else [], labels=range(classes)
        )
        if finite.any()
        else np.zeros((classes, classes), int)
    )
    assert np.array_equal(found.matrix, oracle)
    assert np.array_equal(found.nonfinite, np.bincount(targets[~finite], minlength=classes))
    assert found.matrix.sum() + found.nonfinite.sum() == n
    seen = np.concatenate(
        [found.cell(t, p) for t in np.unique(targets) for p in range(-1, classes)]
        if classes <= 10
        else [found.cell(int(targets[0]), p) for p in range(-1, classes)]
    )
    rows = np.arange(n) if classes <= 10 else np.flatnonzero(targets == targets[0])
    assert np.array_equal(np.sort(seen), rows)
    true, predicted = np.unravel_index(
        (found.matrix - np.diag(np.diag(found.matrix))).argmax(), found.matrix.shape
    )
    order = found.cell(int(true), int(predicted))
    if len(order) and true != predicted:
        assert (np.diff(scores[order, predicted]) <= 0).all()


def test_all_right_and_all_wrong() -> None:
    right = table([0, 1, 2], np.eye(3).tolist())
    assert (right.accuracy, right.high) == (1.0, 1.0)
    wrong = table([1, 2, 0], np.eye(3).tolist())
    assert (wrong.accuracy, wrong.low) == (0.0, 0.0)
    assert right.findings() == wrong.findings() == []


def test_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        table([0], [[1, 0, 0]]).matrix[0, 0] = 5


def names(classes: int) -> tuple[str, ...]:
    return tuple(f"c{i}" for i in range(classes))


def judged(matrix: np.ndarray, nonfinite: np.ndarray | None = None) -> list[str]:
    classes = len(matrix)
    lost = np.zeros(classes, int) if nonfinite is None else nonfinite
    found = [
        *weak_classes(matrix, lost, names(classes)),
        *systematic_confusions(matrix, names(classes)),
    ]
    return [f"{finding.code} {finding.subject}" for finding in found]


def model(recall: np.ndarray, support: np.ndarray, seed: int) -> np.ndarray:
    """A confusion matrix of a model whose errors fall on the other classes alike."""
    rng = np.random.default_rng(seed)
    classes = len(recall)
    matrix = np.zeros((classes, classes), np.int64)
    for i in range(classes):
        right = rng.binomial(support[i], recall[i])
        others = np.delete(np.arange(classes), i)
        matrix[i, others] = rng.multinomial(
            support[i] - right, np.full(classes - 1, 1) / (classes - 1)
        )
        matrix[i, i] = right
    return matrix


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize("accuracy", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(5))
def test_sound_models_give_no_finding(classes: int, accuracy: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    recall = np.clip(rng.normal(accuracy, 0.03, classes), 0.02, 0.999)
    support = rng.integers(20, 300, classes)
    assert judged(model(recall, support, seed)) == []


def test_a_hard_class_and_a_natural_pair_are_not_faults() -> None:
    # As published for CIFAR-10: cats are hard (0.88 against 0.95) and look like dogs.
    matrix = model(
        np.array([0.96, 0.97, 0.93, 0.88, 0.95, 0.92, 0.96, 0.96, 0.97, 0.96]), np.full(10, 1000), 0
    )
    moved = matrix[3, [0, 1, 2, 4]].sum()
    matrix[3, [0, 1, 2, 4]] = 0
    matrix[3, 5] += moved  # more than half of the cats' errors are dogs
    assert judged(matrix) == []


def test_a_harder_class_of_a_mediocre_model_is_not_weak() -> None:
    recall = np.array([0.75] * 9 + [0.58])  # it errs 1.7 times as often as the others
    assert judged(model(recall, np.full(10, 1000), 0)) == []
    recall[9] = 0.4  # 2.4 times
    assert judged(model(recall, np.full(10, 1000), 0)) == ["class.weak c9"]


def test_errors_drawn_at_random_over_unequal_classes_are_not_systematic() -> None:
    rng = np.random.default_rng(3)
    share = np.array([0.6, 0.2, 0.1, 0.05, 0.05])
    guesses = np.stack([rng.multinomial(400, share) for _ in range(5)])
    found = systematic_confusions(guesses, names(5))
    assert found == []


def test_a_planted_weak_class_is_found() -> None:
    matrix = model(np.array([0.95] * 9 + [0.3]), np.full(10, 100), 1)
    (finding,) = weak_classes(matrix, np.zeros(10, int), names(10))
    right = matrix[9, 9]
    rest = (matrix.trace() - right) / 900
    assert (finding.code, finding.subject, finding.severity) == ("class.weak", "c9", "critical")
    assert f"{right} of 100 samples" in finding.message
    assert finding.evidence["recall"] == right / 100
    assert finding.evidence["others_recall"] == pytest.approx(rest)
    assert finding.evidence["recall_high"] + 0.1 <= finding.evidence["others_recall_low"]


def test_weak_by_samples_without_an_answer() -> None:
    matrix = np.diag([100, 100, 40])
    assert judged(matrix, np.array([0, 0, 60])) == ["class.weak c2"]
    assert judged(matrix) == []  # 40 of 40


def test_few_samples_prove_nothing() -> None:
    matrix = np.diag([95, 95, 1])
    matrix[2, 0] = 1
    matrix[0, 1] = matrix[1, 0] = 5
    assert judged(matrix) == []  # 1 of 2 right


def test_a_class_that_never_occurs_is_not_weak() -> None:
    matrix = np.diag([100, 100, 0])
    assert judged(matrix) == []


def test_a_model_that_always_says_the_same_of_two_classes() -> None:
    assert judged(np.array([[100, 0], [100, 0]])) == ["class.weak c1"]


def test_a_planted_confusion_is_found_with_its_exact_probability() -> None:
    matrix = model(np.full(10, 0.95), np.full(10, 100), 2)
    matrix[4] = [1, 0, 0, 0, 68, 0, 0, 0, 1, 30]
    (finding,) = systematic_confusions(matrix, names(10))
    assert finding.subject == "c4 -> c9"
    assert "30 of 100 samples of class c4 are taken for c9: 94% of its errors" in finding.message
    told = matrix.sum(0)
    expected = told[9] / (told.sum() - told[4])
    assert finding.evidence["expected_share"] == pytest.approx(expected)
    assert finding.evidence["p_value"] == pytest.approx(binom.sf(29, 32, expected), rel=1e-9)


def test_a_few_errors_on_one_class_may_be_chance() -> None:
    # 10 of 11 errors where half would be expected: 12 / 2048 = 0.6 %, six cells were looked at
    matrix = np.array([[49, 10, 1], [0, 49, 0], [0, 0, 58]])
    assert matrix[:, 1].sum() == matrix[:, 2].sum() == 59
    assert systematic_confusions(matrix, names(3)) == []
    matrix[0, 1] += 8  # 18 of 19
    matrix[2, 2] += 8
    assert [f.subject for f in systematic_confusions(matrix, names(3))] == ["c0 -> c1"]


def test_several_classes_taken_for_one_are_one_finding() -> None:
    matrix = np.diag([60] * 5)
    matrix[[0, 1, 2], 4] = 40  # three of five classes, and nothing else goes wrong
    (finding,) = systematic_confusions(matrix, names(5))
    assert (finding.subject, finding.severity) == ("several -> c4", "critical")
    assert finding.evidence == {"count": 120, "errors": 120, "classes": 3, "predicted": 4}
    assert "120 samples of other classes are taken for c4, 100% of all errors" in finding.message
    assert "c0, c1, c2" in finding.message
    matrix[2, 4] = 0  # two are still named one by one
    assert [f.subject for f in systematic_confusions(matrix, names(5))] == ["c0 -> c4", "c1 -> c4"]


def test_two_classes_have_no_systematic_confusion() -> None:
    assert systematic_confusions(np.array([[50, 50], [50, 50]]), names(2)) == []


def test_swapped_labels_of_two_classes_are_found_both_ways() -> None:
    matrix = np.diag(np.full(6, 100))
    matrix[1, 1] = matrix[2, 2] = 40
    matrix[1, 2] = matrix[2, 1] = 60
    found = [f.subject for f in systematic_confusions(matrix, names(6))]
    assert sorted(found) == ["c1 -> c2", "c2 -> c1"]


def test_findings_of_the_table_and_its_repr() -> None:
    targets = np.repeat(np.arange(3), 100)
    predicted = targets.copy()
    predicted[200:260] = 0
    found = table(targets.tolist(), np.eye(3)[predicted].tolist(), ("a", "b", "c"))
    codes = [finding.code for finding in found.findings()]
    assert codes == ["class.weak", "confusion.systematic"]
    assert "confusion.systematic (warning) c -> a" in repr(found)


def test_a_part_of_the_samples_against_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    targets, scores = rng.integers(0, 4, 300), rng.random((300, 4)).astype(np.float32)
    told = Predictions(targets=targets, probabilities=scores / scores.sum(1, keepdims=True))
    every, kept = ErrorTable.from_predictions(told), rng.random(300) < 0.4
    part = every.within(kept)
    labels = range(4)
    oracle = confusion_matrix(targets[kept], told.predicted[kept], labels=labels)
    assert np.array_equal(part.matrix, oracle)
    assert len(part) == kept.sum()
    assert part.accuracy == (targets == told.predicted)[kept].mean()
    assert all(kept[part.cell(t, p)].all() for t in labels for p in labels)
    assert np.array_equal(part.within(None).matrix, every.matrix)
    nothing = every.within(np.zeros(300, bool))
    assert (len(nothing), nothing.matrix.sum(), nothing.errors().tolist()) == (0, 0, [])
    assert np.isnan(nothing.accuracy)


@pytest.mark.parametrize("like", ["pandas", "polars"])
def test_cells_as_a_dataframe(like: str) -> None:
    library = pytest.importorskip(like)
    told = Predictions(
        targets=[0, 0, 0, 1],
        probabilities=[[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [np.nan, np.nan]],
        class_names=("cat", "dog"),
        metadata=library.DataFrame({"x": [1, 2, 3, 4]}),
    )
    frame = ErrorTable.from_predictions(told).to_frame()
    assert type(frame) is library.DataFrame
    assert list(frame["count"]) == [2, 1, 1]
    assert list(frame["true"]) == ["cat", "cat", "dog"]
    assert list(frame["predicted"])[:2] == ["dog", "cat"]
    assert not isinstance(frame["predicted"][2], str)  # no finite answer
    assert list(frame["share_of_true"]) == pytest.approx([2 / 3, 1 / 3, 1])
    # Wilson for 2 of 3
    assert (frame["low"][0], frame["high"][0]) == pytest.approx((0.20766, 0.93851), abs=1e-5)
