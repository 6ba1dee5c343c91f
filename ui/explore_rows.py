"""Rows of a version, a page at a time, and one row in full."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from core.format import count, unit_of
from core.io import mapping, query
from core.io.query import Filter, Page
from core.load.columns import is_nested, of
from core.version import Version
from ui import explore_cache, explore_meaning, explore_python
from ui.explore_filters import counted_later, measures, stamp, strip, tell
from ui.layout import card
from ui.state import plain
from ui.tables import record, rows

SIZES = (25, 50, 100, 500)


def browser(version: Version, filters: list[Filter], key: str, *, columns: list[str] | None = None, sort: str | None = None,
            descending: bool = False, size: int = 50) -> int:  # fmt: skip
    """One page of rows with a selectable row, its pages, and the row in full below. Returns the number of the first row's place."""
    state = f"{key}_page_{version.id}_{stamp(version)}_{sort}_{descending}_{size}"
    number = max(1, int(st.session_state.get(state, 1)))
    later = counted_later(version, filters)  # rows first: how many pass is told when it is known
    total = None if later else explore_cache.count(version, filters)
    reach = query.REACH if total is None else min(total, query.REACH) if sort else total
    pages = max(1, -(-reach // size))
    number = min(number, pages)
    patient = f"{state}_patient_{hash(tuple(one.search for one in filters))}"
    seconds = 120.0 if st.session_state.get(patient) else query.SECONDS
    found = explore_cache.page(version, filters, sort, descending, (number - 1) * size, size + 1 if later else size, seconds)
    if found.until is not None:
        st.caption(f"Looked at the first {count(found.until)} of {count(version.rows)} rows, then stopped after 5 s.")
        st.button("Look at all rows", key=f"{patient}_button", on_click=lambda: st.session_state.update({patient: True}))
    if not found.rows and number == 1:
        st.caption("No row passes the filters. Remove one above." if found.until is None else "None of them passes.")
        return 0
    if later:
        pages = number + (len(found.rows) > size)
        found = Page(found.rows[:size], found.frame.head(size), found.until)
    shown = columns or default_columns(version)
    table = found.frame.loc[:, [name for name in shown if name in found.frame]].copy(deep=False)
    table.insert(0, "row", [row + 1 for row in found.rows]) if "row" not in table else None
    opened = f"{key}_open_{version.id}"
    place = f"{key}_table_{state}_{number}"

    def chose() -> None:
        picked = st.session_state[place].selection.rows
        st.session_state[opened] = found.rows[picked[0]] if picked else None

    rows(table, key=place, select=True, columns=_config(version, table), alt=f"Rows {number} of {pages}", on_select=chose)
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.pagination(pages, key=state)
            if total is not None and reach < total:
                st.caption(f"A sorted view ends at row {count(reach)}; filter to see what lies deeper.", width="content")
    if later and found.until is None:
        tell(version, filters, (number - 1) * size + len(found.rows) if number == pages else None)
    if st.session_state.get(opened) in found.rows:
        _detail(version, found, found.rows.index(st.session_state[opened]), opened)
    return (number - 1) * size


def default_columns(version: Version) -> list[str]:
    """The first text, category, target, tokens, split, then the rest; at most ten."""
    roles = version.roles
    lead = roles.text[-1:] if version.task == "qa" else roles.text[:1]
    named = [*lead, roles.category, roles.target]
    first = [name for name in dict.fromkeys(named) if name]
    tail = [name for name in (roles.split, *roles.text) if name and name not in first]
    rest = [name for name in version.columns if name not in (*first, *tail)]
    return [*first, "n_tokens", *tail, *rest][:10]


def _config(version: Version, table: pd.DataFrame) -> dict[str, object]:
    config: dict[str, object] = {"row": st.column_config.NumberColumn("row", width=70, format="localized")}
    for name in table.columns:
        if name in version.roles.text:
            config[name] = st.column_config.TextColumn(plain(name), width=330 if name == version.roles.text[0] else "medium")
        elif name == version.roles.category:
            config[name] = st.column_config.TextColumn(plain(name), width=130)
    if "n_tokens" in table and len(table) and bool(of(table, "n_tokens").notna().any()):
        most = int(of(table, "n_tokens").max())
        config["n_tokens"] = st.column_config.ProgressColumn("tokens", min_value=0, max_value=max(1, most), format="%d", width=120)
    target = version.roles.target
    if target and target in table and pd.api.types.is_numeric_dtype(table[target]) and unit_of(target) == "usd":
        config[target] = st.column_config.NumberColumn(plain(target), format="dollar")
    return config


def _detail(version: Version, found: Page, place: int, opened: str) -> None:
    """One row in full, as text, the rows that hold the same text, and the ways to its neighbours on this page."""
    row, values = found.rows[place], found.frame.iloc[place]

    def step(by: int) -> None:
        st.session_state[opened] = found.rows[place + by]

    def control() -> None:
        st.button("Previous row", key=f"{opened}_before", type="tertiary", icon=":material/arrow_upward:", disabled=place == 0,
                  on_click=step, args=(-1,))  # fmt: skip
        st.button("Next row", key=f"{opened}_after", type="tertiary", icon=":material/arrow_downward:",
                  disabled=place + 1 == len(found.rows), on_click=step, args=(1,))  # fmt: skip

    with card(f"Row {count(row + 1)}", height="content", control=control):
        cells = {name: values.get(name) for name in version.columns}
        record({name: json.loads(str(v)) if is_nested(v) else v for name, v in cells.items()}, key=f"explore_row_{version.id}")
        same = explore_cache.same_text(version.dataset, version.id, row)
        tokens = values.get("n_tokens")
        told = f"{count(float(tokens))} tokens · " if tokens is not None and tokens == tokens else ""
        others = ", ".join(count(other + 1) for other in same[:8]) + (" and more" if len(same) > 8 else "")
        st.caption(told + (f"the same text stands in row {others}" if same else "no other row has the same text"))


def view(version: Version) -> None:
    """The Rows view: columns, sort, page size."""
    explore_cache.prepare(version)
    names = [*version.columns, *(name for name in ("n_chars", "n_tokens") if name not in version.columns)]
    sortable = [*version.columns, *(name for name in measures(version) if name not in version.columns)]
    filters = strip(version)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect("Columns", names, default=default_columns(version), key=f"explore_columns_{version.id}")
        sort = st.selectbox("Sort by", [None, *sortable], key=f"explore_sort_{version.id}", width=180,
                            format_func=lambda one: "As they came" if one is None else one)  # fmt: skip
        order = st.selectbox("Order", ["Rising", "Falling"], key=f"explore_order_{version.id}", width=120)
        size = int(st.selectbox("Rows a page", SIZES, index=1, key=f"explore_size_{version.id}", width=120))
    column = "target" if sort == version.roles.target and version.task == "regression" and "target" not in version.columns else sort
    falling = order == "Falling"
    if version.roles.text:
        with st.expander("Search by meaning", icon=":material/travel_explore:", expanded=bool(mapping.stamp(version))):
            explore_meaning.form(version)
    start = browser(version, filters, "explore_rows", columns=chosen or None, sort=column, descending=falling, size=size)
    explore_python.copied(explore_python.rows(version, filters, column, falling, chosen, start, size), "rows")
