"""Samples of an ErrorExplorer put together by what the model makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.measures.error_clusters import ERRORS_AT_MOST, ErrorCluster, cluster_errors
from nbdiag.measures.sample_lists import Place, SampleList
from nbdiag.measures.similarity import most_similar
from nbdiag.sources import features
from nbdiag.widgets.base import Handler, Reply
from nbdiag.widgets.explorer_samples import ExplorerSamples

SEEN = "by what the model makes of them just before it decides"
ANSWERED = "by the probabilities that the model gave (no model to look into)"


class ExplorerGroups(ExplorerSamples):
    """Clusters of errors, and what is similar to a sample."""

    _serial = 0

    def handlers(self) -> dict[str, Handler]:
        return {**super().handlers(), "clusters": self._clusters, "similar": self._similar}

    def find_clusters(self) -> tuple[ErrorCluster, ...]:
        """Group the most confident errors that pass the filter; each group becomes a list.

        The features are what goes into the model's last layer; without a model, the probabilities.

        Raises
        ------
        ValueError : where the inputs cannot be looked up or stacked, or no layer gives features.
        """
        rows = np.sort(self.places.in_order("errors", "confidence", ERRORS_AT_MOST))
        found = cluster_errors(self._features(rows), rows, self.predictions)
        self._serial += 1
        with self.hold_sync():
            if isinstance(self.place, str) and self.place.startswith("cluster:"):
                self._close_place()
            self.places.drop("cluster")
            for i, cluster in enumerate(found):
                key, text = f"cluster:{self._serial}.{i}", "; ".join(map(str, cluster.shared[:2]))
                text = f"{text}." if text else "They share nothing else that is known of them."
                title = cluster.label[:1].upper() + cluster.label[1:]
                order = "most typical first"
                self.places.put(SampleList(key, title, text, cluster.rows, order, "cluster"))
            self._tell_lists()
        return found

    @property
    def _looks_inside(self) -> bool:
        return self.model is not None and self.predictions.inputs is not None

    def _features(self, rows: np.ndarray) -> np.ndarray:
        """(M, D): of the model's last layer, or what it answered."""
        if self._looks_inside:
            return features(self.model, self.predictions, rows)
        told = self.predictions
        with np.errstate(divide="ignore"):
            answered = np.log(told.probabilities[rows].astype(np.float64)).clip(min=-30)
        return answered - answered.mean(axis=1, keepdims=True)

    def _order_by_similarity(self, row: int, place: Place) -> str:
        """A list of the samples of a place, most similar to one of them first; its key."""
        first = self.places.in_order(place, self.places.default_order(place), ERRORS_AT_MOST)
        rows = np.concatenate([[row], first[first != row]])
        order = rows[most_similar(self._features(rows), 0)]
        self._serial += 1
        key = f"similar:{self._serial}"
        name = self.predictions.ids[row : row + 1].tolist()[0]
        many = f" the first {ERRORS_AT_MOST:,} of" if self.places.count(place) > len(rows) else ""
        text = f"Of{many} {self._name_of(place)}, {SEEN if self._looks_inside else ANSWERED}."
        self.places.drop("similar")
        with self.hold_sync():
            self.places.put(
                SampleList(
                    key, f"Most similar to {name}", text, order, "most similar first", "similar"
                )
            )
            self._tell_lists()
        return key

    def _name_of(self, place: Place) -> str:
        names = self.predictions.class_names
        if isinstance(place, str):
            if place in self.places.lists:
                return f"“{self.places.lists[place].title}”"
            return "all errors" if place == "errors" else f"errors of {names[int(place[5:])]}"
        true, predicted = place
        return f"{names[true]} → {names[predicted] if predicted >= 0 else 'not finite'}"

    def _clusters(self, args: dict[str, Any], reply: Reply) -> None:
        reply({"clusters": len(self.find_clusters())})

    def _similar(self, args: dict[str, Any], reply: Reply) -> None:
        place = self.places.known(args["place"])
        reply({"list": self._order_by_similarity(self._known_row(args["row"]), place)})
