"""Figures that only Explore draws: boxes, a band along a length, a matrix of correlations, a rising curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core import format as fmt
from ui.charts import CLASSICAL, GRID, INK, PAGE, SOFT, axis, figure

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_DIVERGING = [f"#0000{slot}" for slot in range(21, 31)]
"""The theme's diverging scale as slots (see `ui.charts`)."""


def _safe(text: object, longest: int = 22) -> str:
    return fmt.short(str(text), longest).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def boxes(table: pd.DataFrame, unit: str = "number") -> go.Figure:
    """One row a category from the top: a line from 5 to 95 %, a box from 25 to 75 %, a mark at the median."""
    import plotly.graph_objects as go

    names, places = [_safe(name) for name in table["category"]], list(range(len(table)))
    fig = figure(40 + 28 * len(table))
    ends = [value for low, high in zip(table["5 %"], table["95 %"], strict=True) for value in (low, high, None)]
    rows = [value for place in places for value in (place, place, None)]
    hover = [
        f"{name}: median {fmt.metric(unit, m)}, half of the rows {fmt.metric(unit, a)} to {fmt.metric(unit, b)}, {fmt.count(n)} rows"
        for name, m, a, b, n in zip(names, table["median"], table["25 %"], table["75 %"], table["rows"], strict=True)
    ]
    fig.add_traces(
        [
            go.Scatter(x=ends, y=rows, mode="lines", line={"color": SOFT, "width": 1}, hoverinfo="skip"),
            go.Bar(
                x=[b - a for a, b in zip(table["25 %"], table["75 %"], strict=True)],
                base=list(table["25 %"]),
                y=places,
                orientation="h",
                marker={"color": CLASSICAL, "opacity": 0.75, "line": {"width": 0}},
                customdata=places,
                hovertext=hover,
                hoverinfo="text",
            ),
            go.Scatter(
                x=list(table["median"]),
                y=places,
                mode="markers",
                marker={"symbol": "line-ns", "size": 14, "color": INK, "line": {"width": 2, "color": INK}},
                hoverinfo="skip",
            ),
        ]
    )
    fig.update_layout(
        bargap=0.4,
        xaxis={"showgrid": True, "gridcolor": GRID, "nticks": 6, **axis(unit)},
        yaxis={"autorange": "reversed", "showgrid": False, "tickvals": places, "ticktext": names, "tickfont": {"color": INK}},
    )
    return fig


def band(x: Sequence[float], low: Sequence[float], middle: Sequence[float], high: Sequence[float], unit: str = "number") -> go.Figure:
    """A median over a length, with the middle half of the rows as a band."""
    import plotly.graph_objects as go

    hover = [
        f"about {fmt.count(at)} characters: median {fmt.metric(unit, m)}, half {fmt.metric(unit, a)} to {fmt.metric(unit, b)}"
        for at, a, m, b in zip(x, low, middle, high, strict=True)
    ]
    fig = figure(220)
    fig.add_traces(
        [
            go.Scatter(
                x=[*x, *reversed(x)],
                y=[*high, *reversed(low)],
                fill="toself",
                fillcolor=CLASSICAL,
                opacity=0.18,
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
            ),
            go.Scatter(
                x=list(x), y=list(middle), mode="lines+markers", line={"color": CLASSICAL, "width": 2}, hovertext=hover, hoverinfo="text"
            ),
        ]
    )
    fig.update_layout(xaxis={**axis("number"), "rangemode": "tozero"}, yaxis={**axis(unit), "rangemode": "tozero", "nticks": 5})
    return fig


def matrix(table: pd.DataFrame) -> go.Figure:
    """Correlations of every pair from -1 to 1, the number in each cell."""
    import plotly.graph_objects as go

    names = [_safe(name, 18) for name in table.columns]
    values = [[None if value != value else float(value) for value in row] for row in table.to_numpy()]
    words = [["" if value is None else f"{value:.2f}".replace("-", "−") for value in row] for row in values]
    places = list(range(len(names)))
    scale = [[i / 9, color] for i, color in enumerate(_DIVERGING)]
    fig = figure(60 + 34 * len(names))
    fig.add_trace(
        go.Heatmap(
            z=values,
            x=places,
            y=places,
            zmin=-1,
            zmax=1,
            colorscale=scale,
            showscale=False,
            text=words,
            texttemplate="%{text}",
            xgap=2,
            ygap=2,
            hoverinfo="text",
            hovertext=[
                [f"{a} with {b}: {word}" for b, word in zip(names, line, strict=True)] for a, line in zip(names, words, strict=True)
            ],
        )
    )
    ticks: dict[str, Any] = {"tickvals": places, "ticktext": names, "showgrid": False}
    fig.update_layout(xaxis={**ticks, "side": "bottom"}, yaxis={**ticks, "autorange": "reversed"}, plot_bgcolor=PAGE)
    return fig


def curve(x: Sequence[float], shares: Sequence[float], keep: tuple[float, float], longest: float, height: int = 230) -> go.Figure:
    """The share of rows at most that long, rising to 1; what a cut takes away is greyed. Drag to cut."""
    import plotly.graph_objects as go

    hover = [f"{100 * share:.1f} % of the rows have at most {fmt.count(at)}" for at, share in zip(x, shares, strict=True)]
    look = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "fillcolor": SOFT, "opacity": 0.12, "line": {"width": 0}}
    outside = [{**look, "x0": a, "x1": b} for a, b in ((0, keep[0]), (keep[1], longest)) if b > a]
    fig = figure(height, shapes=outside, dragmode="select", selectdirection="h")
    line = {"color": CLASSICAL, "width": 2, "shape": "hv"}
    points = {"x": list(x), "y": list(shares), "mode": "lines+markers", "marker": {"size": 3}, "line": line}
    fig.add_trace(go.Scatter(**points, hovertext=hover, hoverinfo="text"))
    fig.update_layout(yaxis={"range": [0, 1.02], "tickformat": ".0%", "nticks": 5, "gridcolor": GRID}, xaxis=axis("number"))
    return fig
