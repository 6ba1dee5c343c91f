"""Compare, views Rows and Slices: which rows, and how models do on parts of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import format as fmt
from core.compare import rows as find
from core.compare.board import Board, Row
from core.compare.matrix import short_name
from core.compare.slices import Named, Slice, by_leak, by_length, by_truth, slices
from core.compare.wording import answer
from ui import cache, charts, tables
from ui.compare_parts import categories, models, texts
from ui.layout import card
from ui.shown import shown as shown_before
from ui.state import plain

PAGE = 500
BADGE = {"trivial": "gray", "classical": "blue", "prompted": "violet", "tuned": "orange", "people": "green"}


def rows(board: Board) -> None:
    """A choice of rows, a search, the table, and under it the selected row with every raw reply."""
    kind = st.segmented_control("Rows", find.kinds(board), default="All", required=True, key="compare_kind", label_visibility="collapsed")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        search = st.text_input("Search", key="compare_search", type="search", placeholder="Search text, truth and replies",
                               label_visibility="collapsed", live="300ms", width=340)  # fmt: skip
        chosen = models(board, "compare_row_models")
        found = find.pick(board, kind, chosen, search=search or "", texts=texts(board))
        st.caption(plain(f"{fmt.count(len(found))} of {fmt.plural(board.n, 'row')}"), width="content")
    st.caption(plain(f"{find.MEANING[kind]} Right means: {find.rule(board)}."))
    if not len(found):
        st.caption("No row is left. Choose All or clear the search.")
        return
    shown = found[_page(len(found))]
    height = 360 if len(shown) > 9 else "auto"
    picked = tables.rows(_table(board, shown, chosen), "compare_rows", select=True, placeholder="unread", height=height,
                         columns=_columns(board, chosen))  # fmt: skip
    if picked and picked[0] < len(shown):
        panel(board, int(shown[picked[0]]))
    else:
        st.caption("Select a row to read every reply to it.")


def _page(n: int) -> slice:
    if n <= PAGE:
        return slice(0, n)
    page = st.pagination(-(-n // PAGE), key="compare_page") or 1
    return slice((page - 1) * PAGE, page * PAGE)


def _table(board: Board, positions: np.ndarray, chosen: list[str]) -> pd.DataFrame:
    said = texts(board)
    places = board.index[positions]
    columns: dict[str, list] = {"Row": [int(place) + 1 for place in places], "Text": [said.get(int(place), "") for place in places],
                                "Truth": board.rows[0].answers.truth[positions].tolist()}  # fmt: skip
    for id in chosen:
        row = board.row(id)
        columns[_column(row, columns)] = [None if value is None or value != value else value for value in row.answers.guess[positions]]
    return pd.DataFrame(columns)


def _column(row: Row, taken: dict[str, list]) -> str:
    return row.title if row.title not in taken else f"{row.title} (model)"


def _columns(board: Board, chosen: list[str]) -> dict[str, object]:
    if board.task != "regression":
        return {"Text": st.column_config.TextColumn(width="medium")}
    number = st.column_config.NumberColumn(format="dollar" if board.unit == "usd" else "%.4g")
    return {
        "Text": st.column_config.TextColumn(width="medium"),
        **dict.fromkeys(("Truth", *(board.row(id).title for id in chosen)), number),
    }


def panel(board: Board, position: int) -> None:
    """One row: its text, the truth, and what every model said."""
    place = int(board.index[position])
    with card(f"Row {fmt.count(place + 1)}"):
        st.text(texts(board).get(place, "The text of this row is no longer in the workspace."))
        st.caption("Right answer")
        st.text(answer(board.rows[0].answers.truth[position], board.unit))
        for start in range(0, len(board.rows), 3):
            for column, row in zip(st.columns(3), board.rows[start : start + 3], strict=False):
                with column.container(border=True, gap="xsmall"):
                    reply(board, row, position)


def reply(board: Board, row: Row, position: int) -> None:
    """What one model said to one row, as it said it, and what it was read as."""
    one = find.answer_rows(board, row.id).iloc[position].to_dict()
    st.badge(plain(fmt.short(row.title, 28)), color=BADGE[row.family])  # type: ignore[arg-type]
    st.text(answer(row.answers.guess[position], board.unit))
    if one["raw"]:
        st.code(one["raw"], language=None, wrap_lines=True)
    told = [one["status"] if one["status"] != "ok" else "", *_took(one)]
    st.caption(plain(" · ".join(part for part in told if part) or "no reply in words"))
    shown_before(row.evaluation, int(board.index[position]), "compare_shown_row")


def _took(one: dict[str, Any]) -> list[str]:
    tokens, seconds = (None if name not in one or pd.isna(one[name]) else float(one[name]) for name in ("tokens_out", "seconds"))
    return [fmt.plural(int(tokens), "token") if tokens is not None else "", fmt.duration(seconds) if seconds is not None else ""]


def _sliced(board: Board, way: str, named: dict[int, str], leaked: list[int]) -> Named:
    """The slice of each place, and the order of the slices."""
    if way == "Category":
        return named, ()
    if way == "Leak":
        return by_leak(board, leaked)
    return by_length(texts(board)) if way == "Length" else by_truth(board)


def slice_view(board: Board) -> None:
    """The ladder of one model, one row per slice, and where it differs from the reference."""
    named = categories(board)
    ways = [*(["Category"] if named else []), "Length", "Size of the truth" if board.task == "regression" else "Truth"]
    ways = ways if board.task in ("regression", "classification") else ways[:-1]
    leaked = cache.leaked_places(board.rows[0].evaluation.dataset, board.rows[0].evaluation.version)
    ways += ["Leak"] if leaked else []
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        ids = [row.id for row in board.rows]
        model = st.selectbox("Model", ids, key="compare_slice_model", format_func=lambda id: board.row(id).title,
                             label_visibility="collapsed", width=260)  # fmt: skip
        way = st.segmented_control("Slice by", ways, default=ways[0], required=True, key="compare_slice_way", label_visibility="collapsed")
        st.badge("exploratory", icon=":material/travel_explore:", color="gray")
    names, order = _sliced(board, str(way), named, leaked)
    reference = board.row(board.reference)
    found = slices(board, model, names, reference=reference.id, order=order)
    row, unit = board.row(model), board.unit_of(board.metrics[0])
    with card(f"{board.headline.title}: {row.title}", help=board.headline.meaning):
        rungs = [charts.Rung(one.name, row.family, one.measured.value, one.measured.low, one.measured.high) for one in found]
        best = min(found, key=lambda one: board.headline.rank(one.measured.value))
        charts.show(charts.ladder(rungs, unit), "compare_slices", f"Best on {best.name}: {fmt.metric(unit, best.measured.value, best.n)}")
    against = f"Against {short_name(reference)}"
    frame = pd.DataFrame([{"Slice": one.name, "Rows": one.n, board.headline.title: fmt.metric(unit, one.measured.value, one.n),
                           **({} if row.id == reference.id else {against: _gap(board, one), "It is": _word(board, one)})}
                          for one in found])  # fmt: skip
    tables.rows(frame, "compare_slice_table")
    st.caption(plain(f"For looking, not for deciding: p is adjusted for {fmt.plural(len(found), 'slice')} (Benjamini-Hochberg). "
                     "Slices with fewer than 5 rows are put together."))  # fmt: skip


def _gap(board: Board, one: Slice) -> str:
    if not math.isfinite(one.difference):
        return "n/a"
    if board.unit_of(board.metrics[0]) == "share":
        return fmt.signed(f"{100 * one.difference:.1f}") + " points"
    return fmt.metric(board.unit_of(board.metrics[0]), one.difference)


def _word(board: Board, one: Slice) -> str:
    if not one.p_adjusted < 0.05:
        return "not distinguishable"
    return f"{'better' if board.headline.better(one.difference) else 'worse'}, {fmt.p_value(one.p_adjusted)}"
