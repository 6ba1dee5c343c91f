"""Baselines: the figures inside one model. Each is a filter: what is clicked or dragged stays in `baselines_rows`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from core import format as fmt
from core.evaluate.answers import Answers, confusion
from core.evaluate.inside import CLOSE, Part, by_category, residual_bins
from core.evaluate.tenths import by_tenth, tenths
from core.version import Version
from ui import baselines_looks as looks
from ui import baselines_points as points
from ui import charts
from ui.baselines_calibration import how_sure
from ui.baselines_ladder import Ranked
from ui.state import plain

SQUARE = points.SQUARE


def _on_select(key: str, places: Callable[[dict[str, Any]], list[int]]) -> Callable[[], None]:
    """A callback that keeps the places of the rows a selection means; an empty selection changes nothing."""

    def keep() -> None:
        selection = (st.session_state.get(charts.selection_key(key)) or {}).get("selection", {})
        found = places(selection)
        if found:
            st.session_state["baselines_rows"] = found

    return keep


def _custom(point: dict[str, Any]) -> Any:
    data = point.get("customdata")
    return data[0] if isinstance(data, (list, tuple)) and data else data


def guess_and_truth(version: Version, one: Ranked, answers: Answers, table: Any) -> None:
    """Every row as a point; on the dashed line the guess is the truth. A click on a point opens its row, or a drag keeps the rows."""
    truths = np.asarray(table["truth"], dtype=float)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        log = bool(len(truths)) and float(truths.min()) > 0
        log = st.toggle("Logarithmic", points.skewed(truths), key=f"baselines_log_{version.id}", disabled=not log,
                        help="Off: equal distances are equal amounts. On: equal ratios. Needs truths above 0.")  # fmt: skip
        drag = st.toggle(
            "Drag around points", key="baselines_drag", help="On: rows inside what you draw are kept. Off: a click opens a row."
        )
    fig, beyond = points.scatter(table, fmt.unit_of(version.roles.target), log=log and bool(truths.min() > 0), height=400)
    fig.update_layout(dragmode="lasso" if drag else False)
    key = f"baselines_scatter_{one.evaluation.id}_{drag}_{log}"
    close = fmt.share(float((table["judged"] == CLOSE).mean()), len(table))
    keep = _on_select(key, lambda s: [int(v) for p in s.get("points", []) if isinstance(v := _custom(p), (int, float))])
    charts.show(fig, key, f"{close} of the guesses are close to the truth", select="lasso" if drag else "points", on_select=keep)
    said = "Drag around points to keep their rows." if drag else "Click a point to open its row."
    st.caption(said + (f" {fmt.plural(beyond, 'row')} beyond the axes." if beyond else ""))


def residuals(version: Version, one: Ranked, answers: Answers, table: Any) -> None:
    """How far and in which direction the guesses miss. Drag across bars to see their rows."""
    unit = fmt.unit_of(version.roles.target)
    edges, counts = residual_bins(answers)
    miss = table["miss"].dropna()
    bias = float(miss.mean()) if len(miss) else 0.0
    fig = charts.histogram(edges, counts, unit=unit, height=SQUARE, lines=[0.0], drag=True)
    fig.update_xaxes(title="Guess minus truth")
    key = f"baselines_residuals_{one.evaluation.id}"

    def places(selection: dict[str, Any]) -> list[int]:
        spans = [box["x"] for box in selection.get("box", []) if box.get("x")]
        if not spans:
            return []
        low, high = min(spans[0]), max(spans[0])
        low = -np.inf if low <= edges[0] else low
        high = np.inf if high >= edges[-1] else high
        return table.loc[(table["miss"] >= low) & (table["miss"] <= high), "place"].astype(int).tolist()

    size = fmt.metric(unit, abs(bias))
    said = (
        f"On average {size} {'too high' if bias > 0 else 'too low'}."
        if size != fmt.metric(unit, 0.0)
        else "Neither too high nor too low on average."
    )
    charts.show(fig, key, said, select="box", on_select=_on_select(key, places))
    st.caption(plain(f"{said} Drag across bars to see their rows."))


CATEGORY, TRUTH, LENGTH = "Category", "Size of the truth", "Length of the text"


def slices(version: Version, one: Ranked, answers: Answers, table: Any) -> None:
    """The average miss or the share right per category or per tenth of the truths or text lengths. Click a bar to see its rows."""
    numeric = version.task == "regression"
    ways = [*([CATEGORY] if any(table["category"]) else []), *([TRUTH] if numeric else []), LENGTH]
    if st.session_state.get("baselines_slice") not in ways:
        st.session_state.pop("baselines_slice", None)
    way = st.segmented_control("By", ways, default=ways[0], required=True, key="baselines_slice", label_visibility="collapsed")
    names, parts = _parts(version, answers, table, str(way))
    unit = fmt.unit_of(version.roles.target) if numeric else "share"
    labels = [f"{fmt.metric(unit, p.measured.value, p.measured.n)}  ({fmt.interval(p.measured.low, p.measured.high, unit)})  "
              f"n = {fmt.count(p.measured.n)}" for p in parts]  # fmt: skip
    fig = charts.bars([part.name or "(none)" for part in parts], [part.measured.value for part in parts], labels)
    fig.update_layout(margin={"l": 0, "r": 175, "t": 6, "b": 0})
    key = f"baselines_slices_{one.evaluation.id}_{way}"

    def places(selection: dict[str, Any]) -> list[int]:
        found = [_custom(p) for p in selection.get("points", [])]
        chosen = {parts[int(i)].name for i in found if isinstance(i, (int, float))}
        return table.loc[[name in chosen for name in names], "place"].astype(int).tolist()

    what = "Average miss" if numeric else "Share right"
    charts.show(fig, key, f"{what} by {str(way).lower()}", select="points", on_select=_on_select(key, places))
    more = "" if way != CATEGORY or len(set(names)) <= len(parts) else f" The {len(parts)} most frequent of {len(set(names))}."
    none = "" if CATEGORY in ways else " No column has the role category: give one that role on Explore."
    st.caption(f"{what} with its 95 % interval.{more} Click a bar to see its rows.{none}")


def _parts(version: Version, answers: Answers, table: Any, way: str) -> tuple[list[str], list[Part]]:
    """The name of each row's slice, and the slices in their order."""
    if way == CATEGORY:
        names = table["category"].tolist()
        return names, by_category(answers, names)
    if way == TRUTH:
        unit = fmt.unit_of(version.roles.target)
        values = np.asarray(table["truth"], dtype=float)
        names = tenths(values, lambda value: fmt.metric(unit, value))
    else:
        values = np.asarray(table["text"].str.len(), dtype=float)
        names = tenths(values, fmt.count)
        names = [f"{name} characters" for name in names]
    return names, by_tenth(answers, values, names)


def matrix(version: Version, one: Ranked, answers: Answers, table: Any) -> None:
    """Truth down, guess across, unread last; the stronger the colour, the larger the share of that truth. Click a cell to see its rows."""
    labels, counts = confusion(answers)
    shown = [*labels, "unread"]
    cells = [(i, j) for i in range(len(labels)) for j in range(len(shown))]
    fig = points.cells(labels, counts)
    key = f"baselines_matrix_{one.evaluation.id}"

    def places(selection: dict[str, Any]) -> list[int]:
        found = [cells[int(v)] for p in selection.get("points", []) if isinstance(v := _custom(p), (int, float))]
        mask = np.zeros(len(table), dtype=bool)
        for i, j in found:
            guessed = table["guess"] == shown[j] if j < len(labels) else ~np.asarray(answers.read)
            mask |= ((table["truth"] == labels[i]) & guessed).to_numpy()
        return table.loc[mask, "place"].astype(int).tolist()

    right = int(np.trace(counts[:, : len(labels)]))
    charts.show(fig, key, f"{right} of {answers.n} are right", select="points", on_select=_on_select(key, places))
    st.caption("Click a cell to see its rows. The stronger the colour, the larger the share of that truth.")


DRAW: dict[str, Callable[[Version, Ranked, Answers, Any], None]] = {
    "Guess and truth": guess_and_truth,
    "Residuals": residuals,
    "By category": slices,
    "What it looks at": looks.looks_at,
    "Confusion": matrix,
    "How sure": how_sure,
}
