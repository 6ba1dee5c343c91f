"""The figure of the map: a point a text, coloured by a column, with the titles of its groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core import format as fmt
from ui import charts

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

HEIGHT, WIDTH = 460, 820
"""Pixels of the figure, for keeping titles apart."""
PALETTE = (charts.CLASSICAL, *charts.FREE, charts.PERSON)
"""Colours of categories: never those of prompted and fine-tuned models."""
MARKS = ("circle", "diamond", "square")
"""After seven colours come other shapes."""
MOST = len(PALETTE) * len(MARKS)
_SEQUENTIAL = [f"#0000{slot}" for slot in range(12, 21)]
"""The theme's sequential scale as slots (see `ui.charts`), without its palest."""


@dataclass(frozen=True)
class Paint:
    """What colours the points, and what the caption says of it."""

    values: pd.Series
    title: str
    numeric: bool
    unit: str = "number"


def names(paint: Paint) -> list[str]:
    """The categories with a colour of their own, the most frequent first; the others are grey."""
    cells = paint.values.astype("object").where(paint.values.notna(), "n/a").map(str)
    counts = cells.value_counts()
    return [str(one) for one in counts.index[: MOST if len(counts) <= MOST else len(PALETTE) - 1]]


def draw(x: np.ndarray, y: np.ndarray, hover: list[str], paint: Paint | None, titles: list[tuple[float, float, str]]) -> go.Figure:
    """`hover` are texts as they are; `titles` are (x, y, words) of the groups, the largest first."""
    fig = charts.figure(HEIGHT, dragmode="lasso", newselection={"line": {"color": charts.SOFT, "width": 1}})
    fig.update_xaxes(visible=False, showgrid=False)
    fig.update_yaxes(visible=False, showgrid=False)
    size = 7 if len(x) < 1_000 else 5 if len(x) < 5_000 else 4 if len(x) < 12_000 else 3
    shown = [charts._safe(fmt.short(" ".join(text.split()), 110)) for text in hover]
    if paint is None:
        fig.add_trace(_points(x, y, shown, np.arange(len(x)), {"color": charts.CLASSICAL, "size": size}))
    elif paint.numeric:
        fig.add_traces(_numbers(x, y, shown, paint, size))
    else:
        fig.add_traces(_categories(x, y, shown, paint, size))
        key = {"orientation": "h", "y": -0.02, "itemclick": False, "itemdoubleclick": False, "itemsizing": "constant"}
        fig.update_layout(showlegend=not titles, legend={**key, "font": {"color": charts.INK}})
    _write(fig, x, y, titles)
    return fig


def keep(figure: go.Figure, passing: np.ndarray | None) -> None:
    """Fade the points that do not pass; None fades nothing."""
    if passing is None:
        return
    traces: Any = figure.data
    for trace in traces:
        rows = np.asarray(trace["customdata"])
        trace["selectedpoints"] = np.flatnonzero(passing[rows]).tolist()


def _points(x: np.ndarray, y: np.ndarray, hover: list[str], rows: np.ndarray, marker: dict[str, Any]) -> go.Scattergl:
    import plotly.graph_objects as go

    return go.Scattergl(
        x=x[rows],
        y=y[rows],
        mode="markers",
        customdata=rows,
        hovertext=[hover[row] for row in rows.tolist()],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"opacity": 0.75, "line": {"width": 0}, **marker},
        unselected={"marker": {"opacity": 0.15}},
    )


def _numbers(x: np.ndarray, y: np.ndarray, hover: list[str], paint: Paint, size: int) -> list[go.Scattergl]:
    """Pale is low, dark is high, from the 2nd to the 98th percentile; grey where there is no number."""
    values = paint.values.to_numpy(dtype="float64")
    known = np.isfinite(values)
    words = [f"{text}<br>{charts._safe(paint.title)}: {fmt.metric(paint.unit, value)}" for text, value in zip(hover, values, strict=True)]
    traces = [_points(x, y, hover, np.flatnonzero(~known), {"color": charts.TRIVIAL, "size": size})] if (~known).any() else []
    if known.any():
        scale = _scaled(values)
        low, high = np.percentile(scale[known], [2, 98])
        colors = [[place / (len(_SEQUENTIAL) - 1), slot] for place, slot in enumerate(_SEQUENTIAL)]
        bar = {"thickness": 8, "len": 0.7, "outlinewidth": 0, "tickvals": [low, high], "ticktext": [fmt.metric(paint.unit, v) for v in
               np.percentile(values[known], [2, 98])], "tickfont": {"color": charts.SOFT}}  # fmt: skip
        marker = {"color": scale[known], "colorscale": colors, "cmin": low, "cmax": max(high, low + 1e-9), "size": size, "colorbar": bar}
        traces.append(_points(x, y, words, np.flatnonzero(known), marker))
    return traces


def _scaled(values: np.ndarray) -> np.ndarray:
    """The logarithm where all values are positive and skewed."""
    from core.explore.distributions import skewed

    return np.log10(values, where=values > 0, out=np.full(len(values), np.nan)) if skewed(values) else values


def _categories(x: np.ndarray, y: np.ndarray, hover: list[str], paint: Paint, size: int) -> list[go.Scattergl]:
    """One trace a category, the rest grey and below."""
    cells = paint.values.astype("object").where(paint.values.notna(), "n/a").map(str)
    words = [f"{text}<br>{charts._safe(paint.title)}: {charts._safe(fmt.short(cell, 40))}" for text, cell in zip(hover, cells, strict=True)]
    chosen = names(paint)
    rest = ~cells.isin(chosen).to_numpy()
    traces = [_points(x, y, words, np.flatnonzero(rest), {"color": charts.TRIVIAL, "size": size})] if rest.any() else []
    for place, name in enumerate(chosen):
        marker = {"color": PALETTE[place % len(PALETTE)], "symbol": MARKS[place // len(PALETTE)], "size": size}
        trace = _points(x, y, words, np.flatnonzero(cells.to_numpy() == name), marker)
        traces.append(trace.update(name=charts._safe(fmt.short(name)), showlegend=True))
    return traces


def _write(fig: go.Figure, x: np.ndarray, y: np.ndarray, titles: list[tuple[float, float, str]]) -> None:
    """Titles at the middle of their groups; one that would cover a larger group's is moved, or left out."""
    left, right, bottom, top = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    pad_x, pad_y = 0.03 * (right - left or 1), 0.05 * (top - bottom or 1)
    fig.update_xaxes(range=[left - pad_x, right + pad_x])
    fig.update_yaxes(range=[bottom - pad_y, top + pad_y])
    taken: list[tuple[float, float, float]] = []
    for at_x, at_y, words in titles:
        half = 3.7 * len(fmt.short(words, 40))
        across = min(max((at_x - left) / (right - left or 1) * WIDTH, half), WIDTH - half)
        up = (at_y - bottom) / (top - bottom or 1) * HEIGHT
        place = next((up + move for move in (0, 20, -20, 40, -40) if _free(taken, across, up + move, half)), None)
        if place is None:
            continue
        taken.append((across, place, half))
        fig.add_annotation(
            x=left + across / WIDTH * (right - left),
            y=bottom + place / HEIGHT * (top - bottom),
            text=charts._safe(fmt.short(words, 40)),
            showarrow=False,
            font={"color": charts.INK, "size": 12},
            bgcolor=charts.PAGE,
            opacity=0.85,
            borderpad=2,
        )


def _free(taken: list[tuple[float, float, float]], across: float, up: float, half: float) -> bool:
    return 8 < up < HEIGHT - 8 and all(abs(across - x) > half + other + 6 or abs(up - y) > 19 for x, y, other in taken)
