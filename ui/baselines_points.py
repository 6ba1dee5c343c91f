"""Baselines: figures of answers that serve while a predictor answers and afterwards: guess against truth, the matrix, the running error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core import format as fmt
from core.evaluate.inside import CLOSE, FAR, OFF
from core.evaluate.running import Running
from ui import charts
from ui.baselines_hits import SYMBOL

SQUARE = 330
SKEWED = 2.0
"""Skew of the truths from which axes begin as logarithms."""
WORDS = 70
"""Characters of a row's text beside the pointer."""


def skewed(truths: Sequence[float] | np.ndarray) -> bool:
    """Whether positive truths are so lopsided that logarithms show them better."""
    values = np.asarray(truths, dtype=float)
    spread = float(values.std()) if len(values) > 2 else 0.0
    return bool(spread > 0 and values.min() > 0 and float(np.mean(((values - values.mean()) / spread) ** 3)) > SKEWED)


def ends(truth: np.ndarray, guess: np.ndarray, log: bool) -> tuple[float, float]:
    """Both ends of both axes: nearly all points are within them."""
    both = np.concatenate([truth, guess])
    both = both[np.isfinite(both) & ((both > 0) | (not log))]
    if not len(both):
        return (1.0, 10.0) if log else (0.0, 1.0)
    if log:
        low, high = (float(np.quantile(both, q)) for q in (0.002, 1.0))
        return low / 1.3, max(high * 1.3, low * 2)
    low, high = min(0.0, float(both.min()) * 1.05), float(np.quantile(both, 0.995)) * 1.05
    return low, high if high > low else low + 1.0


def scatter(table: Any, unit: str, *, log: bool = False, height: int = SQUARE, span: tuple[float, float] | None = None) -> tuple[Any, int]:
    """Every read row of `table` (truth, guess, judged, text; `place` becomes customdata) as a point, and how many lie beyond the axes.

    On the dashed line the guess is the truth. Colour and shape say the judgement. `span` holds the axes still while points come in.
    """
    import plotly.graph_objects as go

    truth, guess = (np.asarray(table[name], dtype=float) for name in ("truth", "guess"))
    low, high = span or ends(truth, guess, log)
    fig = charts.figure(height)
    line = {"color": charts.INK, "width": 1, "dash": "dot"}
    fig.add_trace(go.Scatter(x=[low, high], y=[low, high], mode="lines", line=line, hoverinfo="skip"))
    judged, words, places = table["judged"].tolist(), table["text"].tolist(), table["place"].tolist()
    for name in (CLOSE, OFF, FAR):
        some = [i for i, one in enumerate(judged) if one == name and np.isfinite(guess[i])]
        color, symbol, _ = SYMBOL[name]
        fig.add_trace(
            go.Scatter(
                x=truth[some],
                y=np.maximum(guess[some], low) if log else guess[some],
                mode="markers",
                marker={"color": color, "symbol": symbol, "size": 7, "opacity": 0.75},
                customdata=[places[i] for i in some],
                hovertext=[_told(unit, truth[i], guess[i], name, words[i]) for i in some],
                hoverinfo="text",
                unselected={"marker": {"opacity": 0.3}},
            )
        )
    given = {"range": [np.log10(low), np.log10(high)], "type": "log", **charts.log_ticks(low, high, unit)} if log else {
        "range": [low, high], **charts.axis(unit)}  # fmt: skip
    fig.update_xaxes(title="Truth", showgrid=True, gridcolor=charts.GRID, **given)
    fig.update_yaxes(title="Guess", **given)
    outside = (truth > high) | (guess > high) | ((truth < low) if log else (guess < low))
    return fig, int(np.sum(outside & np.isfinite(guess)))


def _told(unit: str, truth: float, guess: float, judged: str, text: str) -> str:
    head = f"truth {fmt.metric(unit, truth)}, guess {fmt.metric(unit, guess)}, {judged}"
    return f"{head}<br>{charts._safe(fmt.short(' '.join(str(text).split()), WORDS))}"


def cells(labels: Sequence[str], counts: np.ndarray, *, height: int | None = None) -> Any:
    """Truth down, guess across, the last column unread; the darker, the larger the share of that truth. `customdata` counts the cells
    from the top left."""
    import plotly.graph_objects as go

    shown = [*labels, "unread"]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    places = [(i, j) for i in range(len(labels)) for j in range(len(shown))]
    side = max(14, min(46, ((height or SQUARE) - 80) // max(len(labels), 1) - 2))
    fig = charts.figure(height or max(SQUARE, 80 + (side + 6) * len(labels)))
    fig.add_trace(
        go.Scatter(
            x=[j for _, j in places],
            y=[i for i, _ in places],
            mode="markers+text",
            marker={"symbol": "square", "size": side, "color": [f"#0000{11 + min(9, int(shares[i, j] * 9.99))}" for i, j in places]},
            text=[str(counts[i, j]) if counts[i, j] else "" for i, j in places],
            textfont={"color": [charts.PAGE if shares[i, j] > 0.45 else charts.INK for i, j in places], "size": 12},
            customdata=list(range(len(places))),
            hovertext=[
                charts._safe(
                    f"{counts[i, j]} of {counts[i].sum()} with truth {fmt.short(str(labels[i]), 60)} read as {fmt.short(str(shown[j]), 60)}"
                )
                for i, j in places
            ],
            hoverinfo="text",
            unselected={"marker": {"opacity": 0.5}},
        )
    )
    names = [charts._safe(name) for name in [*fmt.apart(list(map(str, labels)), 14), "unread"]]
    fig.update_xaxes(title="Guess", tickvals=list(range(len(shown))), ticktext=names, range=[-0.6, len(shown) - 0.4], side="bottom")
    fig.update_yaxes(title="Truth", tickvals=list(range(len(labels))), ticktext=names[: len(labels)], range=[len(labels) - 0.4, -0.6],
                     showgrid=False)  # fmt: skip
    return fig


def running_line(seen: Running, unit: str, *, color: str = charts.CLASSICAL, height: int = SQUARE, rows: int | None = None) -> Any:
    """The mean over the first k rows as a line between the thin lines of its 95 % interval; `rows` are all that will come."""
    import plotly.graph_objects as go

    fig = charts.figure(height, yaxis={**charts.AXIS, "gridcolor": charts.GRID, "nticks": 5, **charts.axis(unit)})
    for name, width, opacity in (("low", 1, 0.45), ("high", 1, 0.45), ("value", 2.5, 1.0)):
        fig.add_trace(go.Scatter(x=seen.rows, y=getattr(seen, name), mode="lines", line={"color": color, "width": width}, opacity=opacity,
                                 hoverinfo="skip" if name != "value" else "x+y"))  # fmt: skip
    settled = seen.rows >= min(10, len(seen.rows))
    bounds = np.concatenate([part[settled & np.isfinite(part)] for part in (seen.low, seen.high, seen.value)])
    if len(bounds):
        low, high = float(bounds.min()), float(bounds.max())
        room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
        fig.update_yaxes(range=[max(0.0, low - room), high + room if unit != "share" else min(1.02, high + room)])
    fig.update_xaxes(title="Rows answered", range=[0, max(rows or 0, int(seen.rows[-1]) if len(seen.rows) else 1)], nticks=6)
    return fig
