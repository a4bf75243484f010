"""Which part of the samples does a classifier fail, by what is known about them besides?"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.contrast import difference
from nbdiag.measures.drift import TimeLine, over_time
from nbdiag.measures.findings import Finding
from nbdiag.measures.grouping import Grouping
from nbdiag.measures.intervals import Proportion, wilson
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result
from nbdiag.measures.slice_source import read_by
from nbdiag.measures.slice_tests import Judged, judge
from nbdiag.measures.slices import Family, Metric, count

MIN_SUPPORT = 20


@dataclass(frozen=True, repr=False)
class SliceTable(Result):
    """How often each slice of the samples is wrong, and which slices are weak.

    A slice holds the samples that share a value, a range or a period in a column of the metadata,
    or values in a pair of columns. Each is tested against all samples outside it. A slice is
    **weak** only when all of this holds:

    - it has ``min_support`` samples, and so has the rest;
    - errors dealt out at random would hardly ever give it so many (Fisher's exact test, one-sided,
      at 1 % for all slices together after Holm's correction: slices overlap, and Holm holds
      whatever depends on what, where Benjamini and Hochberg's share of false discoveries would
      allow some of those reported to be luck);
    - the difference is large: at least 3 points more errors than the rest, surely 2, and 1.5 times
      as many or 15 points more;
    - nothing that was named already explains it: against samples in the same of those slices, and
      against samples of the same classes, it is still worse. A pair of columns must besides be
      worse than the rest of either of its two values and than both effects together.

    Attributes
    ----------
    family : the S slices and their counts.
    judged : what the tests say of each.
    metric : which share is looked at.
    overall : that share over all samples that count, with its 95 % Wilson interval.
    skipped : columns that were left out, and why.
    min_support : samples that a slice needs to be tested.

    >>> told = Predictions(targets=[0, 1, 1, 0], probabilities=np.eye(2)[[0, 1, 0, 0]],
    ...                    metadata={"sensor": ["a", "a", "b", "b"]})
    >>> table = SliceTable.from_predictions(told, min_support=1)
    >>> table.rate(table.find("sensor = b")).value
    0.5
    """

    figure_stem: ClassVar[str] = "slice_explorer"

    family: Family
    judged: Judged
    metric: Metric
    overall: Proportion
    skipped: dict[str, str]
    min_support: int
    rows: np.ndarray | None = field(compare=False)
    predictions: Predictions = field(compare=False)

    @classmethod
    def from_predictions(
        cls,
        predictions: Predictions,
        by: Any = None,
        *,
        metric: str = "error",
        min_support: int = MIN_SUPPORT,
        bins: int | None = None,
    ) -> SliceTable:
        """Slice `Predictions`.

        Parameters
        ----------
        by : a column, a list of columns (and of all pairs of them), a pair as a tuple, a list that
            names pairs (then only those are crossed), or a mapping of names to masks, to functions
            of samples (`nbdiag.measures.sample_view.Columns`) or to columns; None for all columns
            that can be used.
        metric : ``"error"``, ``"recall:CLASS"`` (how many of a class are missed) or
            ``"precision:CLASS"`` (how many answers of a class are false).
        min_support : samples that a slice needs to be tested.
        bins : ranges of a column of numbers; by default 4 to 10, by the number of samples.

        Raises
        ------
        ValueError : without metadata, for a column that cannot be used, a metric that does not
            exist, a class without samples.
        KeyError : for a column that does not exist.
        TypeError : for a ``by`` of another kind.
        """
        if min_support < 1:
            raise ValueError(f"min_support must be at least 1, got {min_support}")
        measured = Metric.read(metric, predictions.class_names)
        rows, bad = measured.counted(predictions)
        if not len(bad):
            raise ValueError(f"no sample counts for the metric {metric!r}")
        groupings, pairs, skipped = read_by(by, predictions, min_support, bins)
        if rows is not None:
            groupings = [grouping.at(rows) for grouping in groupings]
        family = count(groupings, bad, pairs)
        classes = predictions.targets if measured.kind == "error" else None
        return cls(
            family,
            judge(family, bad, classes, min_support),
            measured,
            Proportion.of(family.total_errors, family.total),
            skipped,
            min_support,
            rows,
            predictions,
        )

    @cached_property
    def bad(self) -> np.ndarray:
        """(M,) bool: which of the samples that count are bad."""
        return self.metric.counted(self.predictions)[1]

    @cached_property
    def order(self) -> np.ndarray:
        """Slices to show: weak ones, then those surest to err often; too few samples behind them.

        Pairs follow behind their columns, and ranges of several groups are only among them where
        they are weak.
        """
        family = self.family
        low, _ = wilson(family.errors, family.n)
        rank = np.lexsort((-family.n, -low, ~self.judged.tested, family.is_pair))
        shown = ~family.is_range & (family.n > 0)
        shown[list(self.judged.weak)] = False
        return np.concatenate([np.array(self.judged.weak, int), rank[shown[rank]]])

    def rate(self, at: int) -> Proportion:
        """The share of bad samples of a slice, with its 95 % Wilson interval."""
        return Proportion.of(int(self.family.errors[at]), int(self.family.n[at]))

    def rest(self, at: int) -> Proportion:
        """The same share of all samples outside a slice."""
        family = self.family
        return Proportion.of(
            int(family.total_errors - family.errors[at]), int(family.total - family.n[at])
        )

    def find(self, title: str) -> int:
        """The slice of that title. ValueError names some that there are."""
        for at in self.order:
            if self.family.title(int(at)) == title:
                return int(at)
        known = "; ".join(self.family.title(int(at)) for at in self.order[:8])
        raise ValueError(f"no slice {title!r}; there are {len(self.order):,}, such as {known}")

    def samples(self, at: int) -> np.ndarray:
        """Row positions of a slice: bad ones first, most confidently so; then least sure first."""
        inside = np.flatnonzero(self.family.inside(at))
        bad = self.bad[inside]
        rows = inside if self.rows is None else self.rows[inside]
        sure = np.nan_to_num(self.predictions.confidence[rows].astype(float), nan=-1.0)
        return rows[np.lexsort((np.where(bad, -sure, sure), ~bad))]

    def confusion(self, at: int | None = None) -> np.ndarray:
        """(C, C + 1) counts of a slice, or of all: true by predicted, the last one not finite."""
        told = self.predictions
        rows = slice(None) if at is None else self.samples(at)
        wide = told.n_classes + 1
        codes = told.targets[rows] * wide + told.predicted[rows] % wide
        return np.bincount(codes, minlength=told.n_classes * wide).reshape(-1, wide)

    def column(self, name: str) -> Grouping:
        """A column by name; ValueError names those there are."""
        for grouping in self.family.groupings:
            if grouping.name == name:
                return grouping
        known = ", ".join(grouping.name for grouping in self.family.groupings)
        why = f" ({self.skipped[name]})" if name in self.skipped else ""
        raise ValueError(f"{name!r} is no column that was sliced{why}; those are: {known}")

    @property
    def time_columns(self) -> list[str]:
        return [grouping.name for grouping in self.family.groupings if grouping.kind == "time"]

    def over_time(self, column: str | None = None) -> TimeLine:
        """The rate over time, and how it moves. By default of the first time column.

        Raises ValueError where there is none.
        """
        if column is None:
            if not self.time_columns:
                raise ValueError("no column holds times (datetime): there is nothing to follow")
            column = self.time_columns[0]
        grouping = self.column(column)
        if grouping.kind != "time":
            raise ValueError(f"{column!r} holds no times (datetime) but a {grouping.kind}")
        return over_time(grouping, self.bad, self.metric.name)

    def findings(self) -> list[Finding]:
        """``slice.weak`` for each slice with a weakness of its own."""
        return [self._finding(at) for at in self.judged.weak]

    def _finding(self, at: int) -> Finding:
        title, own, rest = self.family.title(at), self.rate(at), self.rest(at)
        low, high = difference(own.successes, own.n, rest.successes, rest.n)
        critical = own.value >= 0.5 and own.value >= 2 * rest.value
        share = own.successes / max(1, self.overall.successes)
        what = "wrong" if self.metric.kind == "error" else "bad"
        about = "" if self.metric.kind == "error" else f" ({self.metric})"
        return Finding(
            "slice.weak",
            "critical" if critical else "warning",
            title,
            f"{own.successes} of {own.n} samples with {title} are {what} ({own.value:.0%}), of the "
            f"others {rest.value:.0%}{about}; it holds {share:.0%} of all errors.",
            {
                "rate": own.value,
                "rate_low": own.low,
                "rate_high": own.high,
                "others_rate": rest.value,
                "difference_low": float(low),
                "difference_high": float(high),
                "samples": own.n,
                "errors": own.successes,
                "p_adjusted": float(self.judged.p_adjusted[at]),
                "slices_tested": int(self.judged.tested.sum()),
            },
            f"Open the slice {title} and look at its errors for what they share; count such "
            "samples in the training set. If they are rare there, collect more or weight them; if "
            "they look different (sensor, lighting, format), correct the preprocessing.",
        )

    def columns(self) -> dict[str, Any]:
        """A row for each slice in `order`."""
        family, order = self.family, self.order
        low, high = wilson(family.errors[order], family.n[order])
        n, errors = family.n[order], family.errors[order]
        rest, rest_errors = family.total - n, family.total_errors - errors
        weak, rate = set(self.judged.weak), errors / n
        with np.errstate(invalid="ignore", divide="ignore"):
            others = np.where(rest > 0, rest_errors / rest, np.nan)
        names = [grouping.name for grouping in family.groupings]
        return {
            "slice": [family.title(int(at)) for at in order],
            "column": [names[c] for c in family.column[order]],
            "second_column": [names[c] if c >= 0 else "" for c in family.other[order]],
            "samples": n,
            "errors": errors,
            "rate": rate,
            "low": low,
            "high": high,
            "others_rate": others,
            "difference": rate - others,
            "tested": self.judged.tested[order],
            "p_value": self.judged.p_value[order],
            "p_adjusted": self.judged.p_adjusted[order],
            "weak": np.array([int(at) in weak for at in order], bool),
            "explained_by": [self.judged.explained.get(int(at), "") for at in order],
        }

    def __repr__(self) -> str:
        names = ", ".join(grouping.name for grouping in self.family.groupings)
        lines = [f"SliceTable of {self.predictions!r}", f"  by {names}"]
        lines += [f"  {name} left out: {why}" for name, why in self.skipped.items()]
        lines += [f"  {f.severity}: {f.code} in {f.subject}" for f in self.findings()]
        return "\n".join(lines if self.judged.weak else [*lines, "  no weak slice"])
