"""Numbers in, plotly figures out: one look for light and dark.

Colours are slots: the browser replaces `#000001` to `#000010` (categorical), `#000011` to `#000030` (scales) and
`#000035` to `#000038` (grid, inks, page) with the theme's colours when a figure is mounted, so one cached figure serves
both themes. Slots do not work inside rgba(): use opacity.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core import format as fmt

if TYPE_CHECKING:
    import plotly.graph_objects as go

CLASSICAL, TUNED, PROMPTED, PERSON, TRIVIAL = "#000001", "#000002", "#000003", "#000004", "#000010"
FREE = ("#000005", "#000006", "#000007", "#000008", "#000009")
GRID, SOFT, INK, PAGE = "#000035", "#000036", "#000037", "#000038"
GOOD, FAIR, POOR = "#2E9E63", "#C98412", "#D1493F"
"""Judged answers: close, off, far off. Good on both grounds."""
FAMILY: Mapping[str, tuple[str, str]] = {
    "trivial": (TRIVIAL, "circle-open"),
    "classical": (CLASSICAL, "square"),
    "prompted": (PROMPTED, "diamond"),
    "tuned": (TUNED, "circle"),
    "people": (PERSON, "triangle-up"),
}
FAMILY_KEY = ":blue[■] classical :violet[◆] prompted :orange[●] fine-tuned :gray[○] trivial :green[▲] people and recorded."
AXIS = {"fixedrange": True, "zeroline": False, "automargin": True}
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"],
    "toImageButtonOptions": {"format": "svg"},
}


@dataclass(frozen=True)
class Rung:
    """One row of the ladder."""

    title: str
    family: str
    value: float
    low: float
    high: float
    note: str = ""


def figure(height: int, **layout: Any) -> go.Figure:
    """An empty figure with the house's layout."""
    import plotly.graph_objects as go

    return go.Figure(
        layout={
            "height": height,
            "margin": {"l": 0, "r": 8, "t": 6, "b": 0},
            "showlegend": False,
            "bargap": 0.06,
            "hovermode": "closest",
            "xaxis": {**AXIS, "showgrid": False},
            "yaxis": {**AXIS, "gridcolor": GRID},
            **layout,
        }
    )


def show(
    fig: go.Figure,
    key: str,
    alt: str,
    *,
    select: Literal["points", "box", "lasso"] | None = None,
    on_select: Callable[[], None] | None = None,
) -> Any:
    """Draw a figure. `alt` says the finding. With `select` the selection is returned, or `on_select` is called first."""
    theme = st.context.theme.type or "light"
    chosen: dict[str, Any] = {"on_select": on_select or "rerun", "selection_mode": select} if select else {}
    return st.plotly_chart(fig, width="stretch", theme="streamlit", key=f"{key}_{theme}", alt=alt, config=CONFIG, **chosen)


def selection_key(key: str) -> str:
    """Where `show` keeps the selection in the session."""
    return f"{key}_{st.context.theme.type or 'light'}"


def clicked(key: str) -> int | None:
    """The `customdata` of the point that was clicked in the figure of that key, as a row's place; None when none was."""
    for point in (st.session_state.get(selection_key(key)) or {}).get("selection", {}).get("points", []):
        data = point.get("customdata")
        data = data[0] if isinstance(data, (list, tuple)) and data else data
        if isinstance(data, (int, float)):
            return int(data)
    return None


def ladder(rungs: Sequence[Rung], unit: str, *, best: str | None = None, constant: float | None = None) -> go.Figure:
    """One row per model: a dot with its interval, the number at the right; the best one's interval is a band, the constant a line.

    Rows are drawn from the top in the order given. `customdata` of each point is the row's place.
    """
    names = [_unique(rung, rungs) for rung in rungs]
    winner = next((rung for rung in rungs if rung.title == best), None)
    shapes = []
    if winner and math.isfinite(winner.low):
        shapes = [_upright(winner.low, winner.high, fillcolor=FAMILY[winner.family][0], opacity=0.11, line={"width": 0})]
    if constant is not None:
        shapes.append(_upright(constant, constant, type="line", line={"color": SOFT, "width": 1, "dash": "dot"}))
    words = []
    for rung, name in zip(rungs, names, strict=True):
        value = fmt.metric(unit, rung.value)
        words.append(_beside(name, 14, f"<b>{value}</b>" if winner is rung else value, INK, 13))
        words.append(_beside(name, 74, fmt.interval(rung.low, rung.high, unit), SOFT, 11))
    fig = figure(40 + 30 * len(rungs), margin={"l": 0, "r": 150, "t": 6, "b": 0}, shapes=shapes, annotations=words)
    fig.add_traces([*_intervals(rungs, names), _dots(rungs, names, unit)])
    low = min([end for rung in rungs for end in (rung.value, rung.low) if math.isfinite(end)] + [0.0])
    high = max([end for rung in rungs for end in (rung.value, rung.high) if math.isfinite(end)] + [constant or 0.0]) or 1.0
    fig.update_xaxes(
        range=[low, high * 1.04 if unit != "share" else min(1.02, high * 1.08)], showgrid=True, gridcolor=GRID, nticks=6, **axis(unit)
    )
    fig.update_yaxes(categoryorder="array", categoryarray=names[::-1], showgrid=False, tickfont={"color": INK, "size": 13})
    return fig


def _intervals(rungs: Sequence[Rung], names: Sequence[str]) -> list[go.Scatter]:
    """The 95 % intervals, one trace for each colour."""
    import plotly.graph_objects as go

    traces = []
    for color in dict.fromkeys(FAMILY[rung.family][0] for rung in rungs):
        mine = [(rung, name) for rung, name in zip(rungs, names, strict=True) if FAMILY[rung.family][0] == color]
        x = [value for rung, _ in mine for value in (rung.low, rung.high, None)]
        y = [value for _, name in mine for value in (name, name, None)]
        traces.append(go.Scatter(x=x, y=y, mode="lines", line={"color": color, "width": 2}, opacity=0.6, hoverinfo="skip"))
    return traces


def _dots(rungs: Sequence[Rung], names: Sequence[str], unit: str) -> go.Scatter:
    """The values, one point for each row."""
    import plotly.graph_objects as go

    looks = [FAMILY[rung.family] for rung in rungs]
    colors = [color for color, _ in looks]
    told = [f"{_safe(r.title)}<br>{fmt.metric(unit, r.value)} ({fmt.interval(r.low, r.high, unit)})" for r in rungs]
    line = {"width": [2 if symbol.endswith("open") else 0 for _, symbol in looks], "color": colors}
    return go.Scatter(
        x=[rung.value for rung in rungs],
        y=list(names),
        mode="markers",
        customdata=list(range(len(rungs))),
        hovertext=told,
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": colors, "size": 11, "symbol": [symbol for _, symbol in looks], "line": line},
        unselected={"marker": {"opacity": 0.5}},
    )


def _upright(low: float, high: float, **look: Any) -> dict[str, Any]:
    """A band or a line over the whole height, behind the marks."""
    return {"type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1, "layer": "below", **look}


def _beside(name: str, shift: int, text: str, color: str, size: int) -> dict[str, Any]:
    """A number at the right of a row."""
    font = {"color": color, "size": size}
    return {"x": 1, "xref": "paper", "y": name, "xshift": shift, "text": text, "showarrow": False, "xanchor": "left", "font": font}


def _unique(rung: Rung, rungs: Sequence[Rung]) -> str:
    """The name on the axis: short, escaped, and different for two rows of one title."""
    titles = [other.title for other in rungs]
    number = f" ({titles[: rungs.index(rung) + 1].count(rung.title)})" if titles.count(rung.title) > 1 else ""
    return _safe(fmt.apart(titles, 22 if not number else 18)[titles.index(rung.title)]) + number


def _safe(text: str) -> str:
    """Plotly renders a few tags in text: none of them from data."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def axis(unit: str) -> dict[str, Any]:
    """Tick format of an axis in that unit."""
    return {"usd": {"tickformat": "$,~r"}, "share": {"tickformat": ".0%"}}.get(unit, {"tickformat": ",~r"})


def log_ticks(low: float, high: float, unit: str = "number", *, most: int = 7) -> dict[str, Any]:
    """Ticks of a logarithmic axis from low to high (both above 0): 1, 2, 5 of each power of ten where there is room, else fewer."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        every = (f * 10.0**p for p in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for f in steps)
        places = [place for place in every if low * 0.999 <= place <= high * 1.001]
        if len(places) <= most:
            break
    places = places[:: math.ceil(len(places) / most)] if places else [low]
    return {"tickvals": places, "ticktext": [("$" if unit == "usd" else "") + f"{place:,g}" for place in places]}


def histogram(
    edges: Sequence[float],
    counts: Sequence[float],
    *,
    unit: str = "number",
    height: int = 220,
    lines: Sequence[float] = (),
    keep: tuple[float, float] | None = None,
    log: bool = False,
    drag: bool = False,
) -> go.Figure:
    """Bars of counts between edges (one more edge than counts). `lines` are dashed verticals; outside `keep` bars are greyed."""
    import plotly.graph_objects as go

    scale = (lambda x: math.log10(max(x, 1e-9))) if log else (lambda x: x)
    spans = list(itertools.pairwise(edges))
    middles = [(scale(a) + scale(b)) / 2 for a, b in spans]
    widths = [(scale(b) - scale(a)) * 0.94 for a, b in spans]
    kept = [keep is None or (a < keep[1] and b > keep[0]) for a, b in spans]
    hover = [
        f"{fmt.metric(unit, a)} to {fmt.metric(unit, b)}: {fmt.count(n)}" for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    ticks = axis(unit)
    if log:
        steps = (1, 2, 5) if edges[0] > 0 and edges[-1] < 100 * edges[0] else (1,)
        places = [t for t in (f * 10.0**p for p in range(-2, 8) for f in steps) if edges[0] <= t * 1.5 and t <= edges[-1] * 1.5]
        ticks = {"tickvals": [scale(t) for t in places], "ticktext": [("$" if unit == "usd" else "") + f"{t:,g}" for t in places]}
    dashed = {"type": "line", "line": {"color": SOFT, "width": 1, "dash": "dash"}, "xref": "x", "yref": "y domain", "y0": 0, "y1": 1}
    fig = figure(
        height,
        xaxis={**AXIS, "showgrid": False, **ticks},
        yaxis={**AXIS, "gridcolor": GRID, "nticks": 4},
        shapes=[{**dashed, "x0": scale(x), "x1": scale(x)} for x in lines],
        **({"dragmode": "select", "selectdirection": "h"} if drag else {}),
    )
    fig.add_trace(
        go.Bar(
            x=middles,
            y=list(counts),
            width=widths,
            marker={"color": [CLASSICAL if k else TRIVIAL for k in kept], "line": {"width": 0}},
            customdata=spans,
            hovertext=hover,
            hoverinfo="text",
        )
    )
    return fig


def bars(
    names: Sequence[str],
    values: Sequence[float],
    labels: Sequence[str],
    *,
    height: int | None = None,
    color: str = CLASSICAL,
    colors: Sequence[str] | None = None,
) -> go.Figure:
    """Horizontal bars from the top, their labels outside. `customdata` of each bar is its place; names are escaped and shortened."""
    import plotly.graph_objects as go

    shown = [_safe(fmt.short(name)) for name in names]
    fig = figure(
        height or max(84, 14 + 32 * len(names)),
        bargap=0.3,
        margin={"l": 0, "r": 56, "t": 6, "b": 0},
        xaxis={**AXIS, "visible": False, "rangemode": "tozero"},
        yaxis={**AXIS, "autorange": "reversed", "showgrid": False, "tickvals": list(range(len(names))), "ticktext": shown},
    )
    fig.add_trace(
        go.Bar(
            y=list(range(len(names))),
            x=list(values),
            orientation="h",
            text=list(labels),
            textposition="outside",
            cliponaxis=False,
            marker={"color": list(colors) if colors else color, "line": {"width": 0}},
            textfont={"color": SOFT, "size": 12},
            customdata=list(range(len(names))),
            hovertext=[f"{s}: {t}" for s, t in zip(shown, labels, strict=True)],
            hoverinfo="text",
        )
    )
    return fig


def thumbnail(values: Sequence[float], *, soft_from: int | None = None) -> go.Figure:
    """A small static picture of some data; bars from `soft_from` on are lighter."""
    import plotly.graph_objects as go

    fig = figure(84)
    opacity = [0.55 if soft_from is not None and i >= soft_from else 1.0 for i in range(len(values))]
    fig.add_trace(go.Bar(y=list(values), marker={"color": CLASSICAL, "opacity": opacity, "line": {"width": 0}}, hoverinfo="skip"))
    fig.update_layout(bargap=0.08, margin={"l": 0, "r": 0, "t": 2, "b": 0})
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False)
    return fig
