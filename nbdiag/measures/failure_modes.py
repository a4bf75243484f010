"""What kinds of error are these, and which kind takes more than its share?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.contrast import lift
from nbdiag.measures.findings import Finding
from nbdiag.measures.grouping import mask_grouping
from nbdiag.measures.intervals import Proportion, wilson
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result
from nbdiag.measures.sample_view import ask
from nbdiag.measures.slice_tests import Judged, judge
from nbdiag.measures.slices import count

REST = "uncategorised"
MIN_SUPPORT = 20
LIFT_SURELY = 1.5  # the lower end of the lift's interval
MASS_AT_LEAST = 0.10  # share of the errors above the share of the samples


@dataclass(frozen=True, repr=False)
class FailureTable(Result):
    """How many errors fall into each category, against how many samples do.

    A category is **concentrated** only when all of this holds: it and the rest have 20 samples;
    errors dealt out at random would hardly ever give it so many (Fisher's exact test, one-sided, at
    1 % for all categories together after Holm's correction); its lift is surely above 1.5 and its
    share of the errors 10 points above its share of the samples; and no category that was named
    already, nor the classes of its samples, explain that. Categories that are told which
    samples are wrong (by ``s.wrong``, or by ``s.predicted`` and ``s.true``) are counted and not
    judged: they hold errors by their own definition.

    Attributes
    ----------
    names : K categories, in the order given; then `REST`, what no category holds.
    n, errors : (K + 1,) samples and errors of each.
    total, total_errors : of all samples.
    lift, lift_low, lift_high : (K + 1,) error rate inside over that of all samples, with its 95 %
        interval; NaN where there are no samples, or no errors at all.
    overlap : (K, K) errors that are in both categories.
    by_answer : (K,) bool, categories that are told which samples are wrong.
    fits : (K + 1, N) bool.

    >>> told = Predictions(targets=[0, 1, 1, 0], probabilities=np.eye(2)[[0, 1, 0, 0]])
    >>> table = FailureTable.from_predictions(told, {"ones": lambda s: s.true == 1})
    >>> table.n.tolist(), table.errors.tolist(), table.lift.tolist()
    ([2, 2], [1, 0], [2.0, 0.0])
    """

    figure_stem: ClassVar[str] = "failure_modes"

    names: tuple[str, ...]
    n: np.ndarray
    errors: np.ndarray
    total: int
    total_errors: int
    lift: np.ndarray
    lift_low: np.ndarray
    lift_high: np.ndarray
    overlap: np.ndarray
    by_answer: np.ndarray
    fits: np.ndarray = field(compare=False)
    predictions: Predictions = field(compare=False)

    @classmethod
    def from_predictions(
        cls, predictions: Predictions, categories: Mapping[str, Any]
    ) -> FailureTable:
        """Sort the samples of `Predictions` into categories; one may be in several.

        Parameters
        ----------
        categories : name -> predicate: an array of bool, or a function. A function is given all
            samples at once (`nbdiag.measures.sample_view.Columns`: ``s.confidence``, ``s.true``,
            ``s.metadata["sensor"]``...) and gives a bool for each; one that asks about one sample
            is called with each (the same attributes, and ``s.input``), and one that knows nothing
            of samples with each sample's input: ``lambda x: (x.abs() > 3).any()``.

        Raises
        ------
        TypeError : when categories are no mapping.
        ValueError : for no category, a name that is `REST`, and predicates that fail, with the
            category and the sample.
        """
        if not isinstance(categories, Mapping):
            raise TypeError(
                "categories must be a mapping of names to predicates, such as "
                f'{{"dark": lambda s: s.metadata["light"] < 0.1}}; got {type(categories).__name__}'
            )
        names = [str(name) for name in categories]
        if not names:
            raise ValueError("there is no category: give at least one name and its predicate")
        if REST in names or len(set(names)) < len(names):
            raise ValueError(f"categories need different names, and none of them {REST!r}: {names}")
        asked = ask({str(name): given for name, given in categories.items()}, predictions)
        own = np.stack([mask for mask, _ in asked.values()])
        fits = np.concatenate([own, ~own.any(axis=0, keepdims=True)])
        fits.flags.writeable = False
        wrong = predictions.predicted != predictions.targets
        n, errors = fits.sum(axis=1), fits[:, wrong].sum(axis=1)
        total_errors = int(np.count_nonzero(wrong))
        inside = own[:, wrong].astype(np.float32)
        times, low, high = lift(errors, n, total_errors, len(predictions))
        return cls(
            (*names, REST),
            n,
            errors,
            len(predictions),
            total_errors,
            times,
            low,
            high,
            (inside @ inside.T).round().astype(np.int64),
            np.array([by_answer for _, by_answer in asked.values()]),
            fits,
            predictions,
        )

    @cached_property
    def judged(self) -> tuple[np.ndarray, Judged | None]:
        """Which categories were judged, and what the tests say of them."""
        kept = np.flatnonzero(~self.by_answer)
        if not len(kept) or not self.total_errors:
            return kept, None
        wrong = self.predictions.predicted != self.predictions.targets
        masks = [mask_grouping(self.names[i], self.fits[i]) for i in kept]
        return kept, judge(count(masks, wrong, []), wrong, self.predictions.targets, MIN_SUPPORT)

    @cached_property
    def concentrated(self) -> list[int]:
        """Categories with far more of the errors than of the samples, the telling ones first."""
        kept, judged = self.judged
        weak = [int(kept[at]) for at in judged.weak] if judged else []
        return [i for i in weak if self._far(i)]

    @cached_property
    def explained(self) -> dict[int, str]:
        """Categories that err more often, and what explains it: another one, or the classes."""
        kept, judged = self.judged
        return {int(kept[at]): why for at, why in judged.explained.items()} if judged else {}

    def _far(self, at: int) -> bool:
        mass = self.errors[at] / self.total_errors - self.n[at] / self.total
        return bool(self.lift_low[at] >= LIFT_SURELY and mass >= MASS_AT_LEAST)

    def find(self, name: str) -> int:
        """The number of a category; ValueError names those there are."""
        if name not in self.names:
            raise ValueError(f"no category {name!r}; there are {', '.join(self.names)}")
        return self.names.index(name)

    def samples(self, name: str, *, errors_only: bool = True) -> np.ndarray:
        """Row positions of a category: most confidently wrong first, then the right ones."""
        told, inside = self.predictions, np.flatnonzero(self.fits[self.find(name)])
        right = told.predicted[inside] == told.targets[inside]
        if errors_only:
            inside, right = inside[~right], right[~right]
        sure = np.nan_to_num(told.confidence[inside].astype(float), nan=-1.0)
        return inside[np.lexsort((np.where(right, sure, -sure), right))]

    def confusions(self, name: str, most: int = 8) -> list[tuple[int, int, int]]:
        """The largest kinds of confusion in a category: (true, predicted, count)."""
        told, rows = self.predictions, self.samples(name)
        codes = told.targets[rows] * (told.n_classes + 1) + told.predicted[rows] + 1
        kinds, counts = np.unique(codes, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:most]
        wide = told.n_classes + 1
        return [(int(k) // wide, int(k) % wide - 1, int(c)) for k, c in zip(
            kinds[order], counts[order], strict=True)]  # fmt: skip

    def rate(self, at: int) -> Proportion:
        """The error rate inside a category, with its 95 % Wilson interval."""
        return Proportion.of(int(self.errors[at]), int(self.n[at]))

    def findings(self) -> list[Finding]:
        """``failure.concentrated`` for each category that holds far more errors than its share."""
        return [self._finding(at) for at in self.concentrated]

    def _finding(self, at: int) -> Finding:
        name, k, n = self.names[at], int(self.errors[at]), int(self.n[at])
        of_errors, of_samples = k / self.total_errors, n / self.total
        return Finding(
            "failure.concentrated",
            "critical" if of_errors >= 0.5 else "warning",
            name,
            f"{name} holds {of_errors:.0%} of the errors with {of_samples:.0%} of the samples: "
            f"{k} of its {n} samples are wrong, {self.lift[at]:.1f} times as many as among all.",
            {
                "share_of_errors": of_errors,
                "share_of_samples": of_samples,
                "lift": float(self.lift[at]),
                "lift_low": float(self.lift_low[at]),
                "lift_high": float(self.lift_high[at]),
                "errors": k,
                "samples": n,
            },
            f"Open {name} and see what its errors share. More such samples in training, or "
            "preprocessing that takes the difference away, would pay most there.",
        )

    def columns(self) -> dict[str, Any]:
        """A row for each category, the last for what no category holds."""
        known = np.append(self.n, 1)[:-1] > 0
        low, high = wilson(self.errors, self.n)
        rate = np.where(known, self.errors / np.maximum(self.n, 1), np.nan)
        share = (
            self.errors / self.total_errors if self.total_errors else np.full(len(self.n), np.nan)
        )
        several = self.fits[:-1].sum(axis=0) > 1
        wrong = self.predictions.predicted != self.predictions.targets
        p_adjusted = np.full(len(self.n), np.nan)
        kept, judged = self.judged
        if judged is not None:
            p_adjusted[kept] = judged.p_adjusted
        return {
            "category": list(self.names),
            "samples": self.n,
            "share_of_samples": self.n / self.total,
            "errors": self.errors,
            "share_of_errors": share,
            "rate": rate,
            "rate_low": low,
            "rate_high": high,
            "lift": self.lift,
            "lift_low": self.lift_low,
            "lift_high": self.lift_high,
            "errors_in_others_too": (self.fits & (several & wrong)).sum(axis=1),
            "p_adjusted": p_adjusted,
            "concentrated": np.isin(np.arange(len(self.n)), self.concentrated),
            "by_answer": np.append(self.by_answer, False),
            "explained_by": [self.explained.get(i, "") for i in range(len(self.n))],
        }

    def __repr__(self) -> str:
        lines = [f"FailureTable of {self.predictions!r}", f"  {', '.join(self.names[:-1])}"]
        lines += [f"  {f.severity}: {f.code} in {f.subject}" for f in self.findings()]
        return "\n".join(lines if self.concentrated else [*lines, "  no concentration of errors"])
