"""Compare, views Leaderboard and Cost and quality: ladder, scatter, the matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core import format as fmt
from core.compare.board import Board, Row
from core.compare.frontier import frontier
from core.compare.matrix import COSTS, Cell, lines, short_name
from core.evaluate.metrics import HIT_ABSOLUTE, HIT_RATIO, METRICS
from ui import boards, charts, tables
from ui.compare_parts import models
from ui.layout import card
from ui.state import go, plain

SECONDS, DOLLARS = "Seconds per 1,000 answers", "Dollars per 1,000 answers"
FEWEST = 1e-4
"""Seconds at which the time axis begins."""


def leaderboard(board: Board) -> None:
    """Pickers, ladder beside cost and quality, the matrix below."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = models(board, "compare_models")
        metrics = _metrics(board)
        st.space("stretch")
        reference_picker(board)
    rows = [board.row(id) for id in chosen]
    left, right = st.columns([1.28, 1])
    with card(title(board), into=left, help=board.headline.meaning):
        draw_ladder(board, rows, "compare_ladder")
    with card("Cost and quality", into=right):
        scatter(board, rows, SECONDS, "compare_scatter", height=max(220, 40 + 30 * len(rows)), width=340)
    matrix(board, chosen, metrics)


def title(board: Board) -> str:
    """ "Average miss in dollars" """
    return board.headline.title + (" in dollars" if board.unit_of(board.metrics[0]) == "usd" else "")


def reference_picker(board: Board) -> None:
    """Against whom differences are taken. The page reads the choice before the board is made."""
    ids = [row.id for row in board.rows]
    st.selectbox("Reference", ids, index=ids.index(board.reference), key="compare_reference", label_visibility="collapsed", width=260,
                 format_func=lambda id: f"against {short_name(board.row(id))}", icon=":material/push_pin:")  # fmt: skip


def _metrics(board: Board) -> list[str]:
    names = [*board.metrics, *COSTS]
    titles = {**{name: METRICS[name].title for name in board.metrics}, **COSTS}
    kept = st.session_state.get("compare_metrics", names)
    with st.popover(f"{len(kept) or len(names)} of {fmt.plural(len(names), 'metric')}", icon=":material/table_rows:"):
        given: Any = {} if "compare_metrics" in st.session_state else {"default": names}
        chosen = st.multiselect("Metrics", names, format_func=lambda name: str(titles.get(name, name)), key="compare_metrics", **given)
    return chosen or names


def draw_ladder(board: Board, rows: Sequence[Row], key: str) -> None:
    """The ladder of these models on the headline metric."""
    name, unit = board.metrics[0], board.unit_of(board.metrics[0])
    rungs = [charts.Rung(row.title, row.family, m.value, m.low, m.high) for row in rows for m in [row.values[name]]]
    constant = next((row.values[name].value for row in board.rows if row.family == "trivial"), None)
    best = rows[0]
    said = f"{best.title} is first of {len(rows)}: {fmt.metric(unit, best.values[name].value, board.n)}"
    ids = [row.evaluation.id for row in rows]
    charts.show(charts.ladder(rungs, unit, best=best.title, constant=constant), key, said, select="points", on_select=opener(key, ids))
    follow()


def opener(key: str, ids: Sequence[str]) -> Callable[[], None]:
    """The callback of a ladder whose dots open their model on Baselines; `ids` are its evaluations from the top."""

    def click() -> None:
        place = charts.clicked(key)
        if place is not None and place < len(ids):
            st.session_state["baselines_model"] = st.session_state["_open_model"] = ids[place]
            st.session_state.pop("baselines_rows", None)

    return click


def follow() -> None:
    """Go to the model whose dot was clicked (a callback cannot switch pages)."""
    if st.session_state.pop("_open_model", None):
        go("baselines")


def scatter(board: Board, rows: Sequence[Row], axis: str, key: str, *, height: int, width: int) -> None:
    """Quality over what an answer takes; the best of each family is named where there is room. `width` in pixels, about."""
    import plotly.graph_objects as go

    name, unit = board.metrics[0], board.unit_of(board.metrics[0])
    shown = [(row, x) for row in rows if (x := _across(row, axis)) is not None and math.isfinite(row.values[name].value)]
    if not shown:
        st.caption("No model here has a price." if axis == DOLLARS else "No time was measured.")
        return
    fig = charts.figure(height)
    across, up = _axes(fig, axis, unit, [x for _, x in shown], board, [row for row, _ in shown])
    named = {row.family: row.id for row, _ in reversed(shown)}
    points = [((math.log10(x) - across[0]) / (across[1] - across[0]), (row.values[name].value - up[0]) / (up[1] - up[0]),
               fmt.short(row.title, 18) if row.id in named.values() else "") for row, x in shown]  # fmt: skip
    wordy = placed(points, width - 60, height - 50)
    looks = [charts.FAMILY[row.family] for row, _ in shown]
    for color in dict.fromkeys(color for color, _ in looks):
        spans = [(x, row.values[name]) for (row, x), look in zip(shown, looks, strict=True) if look[0] == color]
        spans = [(x, value) for x, value in spans if math.isfinite(value.low)]
        fig.add_trace(go.Scatter(x=[at for x, _ in spans for at in (x, x, None)], y=[at for _, v in spans for at in (v.low, v.high, None)],
                                 mode="lines", line={"color": color, "width": 1.5}, hoverinfo="skip"))  # fmt: skip
    told = [f"{charts._safe(row.title)}<br>{fmt.metric(unit, row.values[name].value, board.n)}, {_told(row, axis)}" for row, _ in shown]
    colors = [color for color, _ in looks]
    edges = {"width": [2 if symbol.endswith("open") else 0 for _, symbol in looks], "color": colors}
    fig.add_trace(go.Scatter(
        x=[x for _, x in shown], y=[row.values[name].value for row, _ in shown], mode="markers+text", cliponaxis=False,
        text=[charts._safe(words) for words, _ in wordy], textposition=[side for _, side in wordy],
        textfont={"color": charts.SOFT, "size": 11}, hovertext=told, hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": colors, "size": 11, "symbol": [symbol for _, symbol in looks], "line": edges}))  # fmt: skip
    best = shown[0][0]
    charts.show(fig, key, f"{best.title} is best; it takes {_told(best, axis)}")


Point = tuple[float, float, str]
"""Across and up as shares of the figure, and the words beside the mark ("" for none)."""
_SIDES = {"middle right": (0.5, 0.0), "middle left": (-0.5, 0.0), "top center": (0.0, 14.0), "bottom center": (0.0, -14.0)}


def placed(points: Sequence[Point], width: int, height: int) -> list[tuple[str, str]]:
    """Words and where they stand, so that no words cover a mark or other words; words without room are left out."""
    taken = [(x * width, y * height, 8.0, 8.0) for x, y, _ in points]
    out: list[tuple[str, str]] = []
    for x, y, words in points:
        half, choice = 3.0 * len(words) + 2, ""
        for side, (right, lift) in _SIDES.items() if words else ():
            box = (x * width + 2 * right * (half + 9), y * height + lift, half, 7.0)
            inside = half <= box[0] <= width - half and -6 <= box[1] <= height
            own = (x * width, y * height, 8.0, 8.0)
            if inside and not any(_cover(box, other) for other in taken if other != own):
                taken.append(box)
                choice = side
                break
        out.append((words, choice) if choice else ("", "top center"))
    return out


def _cover(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return abs(a[0] - b[0]) < a[2] + b[2] and abs(a[1] - b[1]) < a[3] + b[3]


def _axes(
    fig: Any, axis: str, unit: str, xs: Sequence[float], board: Board, rows: Sequence[Row]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Draws both axes; gives their ends (powers of ten across)."""
    low, high = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    high = max(high, low + 1)
    step = max(1, math.ceil((high - low) / 4))
    ticks = [10.0**p for p in range(low, high + 1, step)]
    names = [fmt.cost(t) if axis == DOLLARS else _seconds(t) for t in ticks]
    fig.update_xaxes(type="log", range=[low - 0.3, high + 0.3], tickvals=ticks, ticktext=names, showgrid=False,
                     title={"text": axis, "font": {"size": 12, "color": charts.SOFT}})  # fmt: skip
    top = max(m.high if math.isfinite(m.high) else m.value for row in rows for m in [row.values[board.metrics[0]]])
    up = min(0.0, *(row.values[board.metrics[0]].value for row in rows)), top * 1.12 if unit != "share" else min(1.05, top * 1.15)
    up = up if up[1] > up[0] else (up[0], up[0] + 1.0)  # nothing misses at all
    fig.update_yaxes(range=list(up), nticks=4, **charts.axis(unit))
    fig.update_layout(margin={"l": 0, "r": 16, "t": 10, "b": 0})
    return (low - 0.3, high + 0.3), up


def _seconds(t: float) -> str:
    return f"{t:g} s"


def _across(row: Row, axis: str) -> float | None:
    if axis == DOLLARS:
        return row.usd_per_1000
    return None if row.seconds_per_1000 is None else max(FEWEST, row.seconds_per_1000)


def _told(row: Row, axis: str) -> str:
    if axis == DOLLARS:
        return f"{fmt.cost(row.usd_per_1000, local='no charge')} per 1,000 answers"
    return f"{fmt.duration(row.seconds_per_1000)} per 1,000 answers"


def matrix(board: Board, chosen: Sequence[str], metrics: Sequence[str]) -> None:
    """Columns are models, rows are metrics; the best in bold, intervals in grey."""
    found = lines(board, chosen, metrics)
    columns = {"\u2007": [plain(line.title) for line in found]}
    for place, id in enumerate(chosen):
        columns[plain(board.row(id).title)] = [_cell(line.cells[place]) for line in found]
    st.table(pd.DataFrame(columns), hide_index=True, border="horizontal")
    close = "".join(
        f" {METRICS[one].title}: {within(one, board.unit)}." for one in ("hits", "hits_wide") if one in metrics and one in board.metrics
    )
    clipped = sum(board.row(id).clipped for id in chosen)
    more = (
        f" {fmt.plural(clipped, 'answer')} outside the range seen in train {'was' if clipped == 1 else 'were'} clipped to it."
        if clipped
        else ""
    )
    st.caption(plain(f"Best in bold. Numbers in grey are 95 % intervals. Differences are paired and Holm-adjusted.{close}{more}"))
    first = board.rows[0].evaluation
    for line in boards.asides(first.dataset, first.version):
        st.caption(plain(line))
    if whole := board.omnibus:
        name = {"cochran": "Cochran's Q", "friedman": "Friedman's test"}[whole.test]
        word = "They differ" if whole.p < 0.05 else "Not distinguishable"
        st.caption(plain(f"All {whole.models} models at once, {fmt.count(whole.n)} rows: {word.lower()} ({name}, {fmt.p_value(whole.p)})."))


def within(name: str, unit: str) -> str:
    """What counts as close enough or roughly right: "within $40 or 20 %"."""
    times = 2 if name == "hits_wide" else 1
    return f"within {'$' if unit == 'usd' else ''}{times * HIT_ABSOLUTE:g} or {times * HIT_RATIO:.0%}".replace("%", " %")


def _cell(cell: Cell) -> str:
    text = f"**{plain(cell.text)}**" if cell.best else plain(cell.text)
    word = f" :green[{cell.word}]" if cell.word == "better" else f" :gray[{cell.word}]" if cell.word else ""
    return text + (f" :gray[:small[{plain(cell.soft)}]]" if cell.soft else "") + word


def cost(board: Board) -> None:
    """The large scatter and a table with what each model takes; the frontier is marked in words."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        axis = st.segmented_control(
            "Across", [SECONDS, DOLLARS], default=SECONDS, required=True, key="compare_axis", label_visibility="collapsed"
        )
    with card(f"{board.headline.title} against {axis.lower()}", help="The frontier: nothing else is at least as good and cheaper."):
        scatter(board, board.rows, axis, "compare_cost", height=380, width=800)
        st.caption(charts.FAMILY_KEY)
    kept = frontier(board)
    unit = board.unit_of(board.metrics[0])
    frame = pd.DataFrame([{
        "Model": row.title, board.headline.title: fmt.metric(unit, row.values[board.metrics[0]].value, row.n),
        "1,000 answers": fmt.cost(row.usd_per_1000, local="local"), "Time for 1,000": fmt.duration(row.seconds_per_1000),
        "Training": fmt.duration(row.fit_seconds) if row.fit_seconds else "none",
        "Frontier": "on it" if row.id in kept else "beaten",
    } for row in board.rows])  # fmt: skip
    tables.rows(frame, "compare_cost_table")
