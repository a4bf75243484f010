"""What every result offers besides its numbers: a dataframe and a stand-alone figure."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

from nbdiag.measures.frames import make_frame


class Result:
    """Base of the result dataclasses.

    A subclass names in `figure_stem` the file of nbdiag/figures that draws it (a function
    ``draw(result, **options)``), and gives in `columns` what `to_frame` holds.
    """

    figure_stem: ClassVar[str] = ""

    def figure(self, **options: Any) -> Any:
        """This result as a Bokeh figure: ``bokeh.io.show`` or ``bokeh.io.save`` it anywhere."""
        # Looked up by name: figures import measures, and never the other way round.
        drawn = import_module(f"nbdiag.figures.{self.figure_stem}")
        return drawn.draw(self, **options)

    def to_frame(self) -> Any:
        """This result as a dataframe: polars where the metadata or the
        samples came in polars, else pandas.
        """
        return make_frame(self.columns(), like=self.metadata_given())

    def columns(self) -> Mapping[str, Any]:
        """Name -> column of equal length."""
        raise NotImplementedError

    def metadata_given(self) -> Any:
        """The user's own table that this result rests on, or None."""
        return table_behind(getattr(self, "predictions", None))


def table_behind(predictions: Any) -> Any:
    """The metadata of predictions; without them what was predicted, which may be a dataframe."""
    metadata = getattr(predictions, "metadata", None)
    if metadata is None:
        return getattr(getattr(predictions, "inputs", None), "dataset", None)
    return metadata
