"""Slices as intervals, worst first; or the rate over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbdiag.figures.style import INK, MUTED, SEVERITY, new_figure

if TYPE_CHECKING:
    from nbdiag.measures.slice_explorer import SliceTable

BLUE = "#33638d"


def draw(
    result: SliceTable, *, most: int = 20, over_time: bool | str = False, **options: Any
) -> Any:
    """The ``most`` first slices; with ``over_time`` (True or a column) the rate over time."""
    if over_time:
        return _time(result, None if over_time is True else str(over_time), options)
    order = result.order[:most]
    rates = [result.rate(int(at)) for at in order]
    weak = set(result.judged.weak)
    names = [result.family.title(int(at)) for at in order]
    places = list(range(len(names)))[::-1]
    figure = new_figure(
        options.pop("title", f"Slices: {result.metric}"),
        f"{result.metric}, 95 % interval",
        "",
        **{"height": 120 + 24 * len(names), "x_range": (0, _end(rates)), **options},
    )
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.models.annotations import Span

    data = ColumnDataSource(
        {
            "y": places,
            "name": names,
            "rate": [rate.value for rate in rates],
            "low": [rate.low for rate in rates],
            "high": [rate.high for rate in rates],
            "n": [rate.n for rate in rates],
            "errors": [rate.successes for rate in rates],
            "color": [
                SEVERITY["critical"] if int(at) in weak
                else BLUE if result.judged.tested[at] else MUTED
                for at in order
            ],
        }
    )  # fmt: skip
    figure.segment("low", "y", "high", "y", source=data, line_color="color", line_width=2)
    dots = figure.scatter("rate", "y", source=data, color="color", size=9)
    figure.add_layout(Span(location=result.overall.value, dimension="height", line_color=INK))
    figure.add_tools(
        HoverTool(
            renderers=[dots],
            tooltips=[
                ("slice", "@name"),
                ("bad", "@errors of @n"),
                ("rate", "@rate{0.0%} (@low{0.0%} to @high{0.0%})"),
            ],
        )
    )
    figure.yaxis.ticker = places
    figure.yaxis.major_label_overrides = dict(zip(places, names, strict=True))
    _percent(figure.xaxis)
    return figure


def _time(result: SliceTable, column: str | None, options: dict[str, Any]) -> Any:
    line = result.over_time(column)
    figure = new_figure(
        options.pop("title", line.words), line.column, f"{result.metric}, 95 % interval", **options
    )
    from bokeh.models.annotations import Span

    at = line.at.tolist()
    figure.varea(at, line.low.tolist(), line.high.tolist(), fill_color=BLUE, fill_alpha=0.2)
    figure.line(at, line.rate.tolist(), line_color=BLUE, line_width=2)
    figure.scatter(at, line.rate.tolist(), color=BLUE, size=7)
    figure.add_layout(
        Span(location=result.overall.value, dimension="width", line_color=INK, line_dash="dashed")
    )
    if line.step >= 0:
        between = (at[line.step - 1] + at[line.step]) / 2
        color = SEVERITY["warning"]
        figure.add_layout(
            Span(location=between, dimension="height", line_color=color, line_width=2)
        )
    stride = -(-len(at) // 8)
    figure.xaxis.ticker = at[::stride]
    figure.xaxis.major_label_overrides = dict(zip(at[::stride], line.labels[::stride], strict=True))
    figure.y_range.start = 0
    _percent(figure.yaxis)
    return figure


def _percent(axis: Any) -> None:
    from bokeh.models import NumeralTickFormatter

    axis.formatter = NumeralTickFormatter(format="0%")


def _end(rates: list[Any]) -> float:
    return min(1.0, 1.05 * max((rate.high for rate in rates if rate.n), default=1.0))
