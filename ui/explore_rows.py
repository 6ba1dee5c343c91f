"""Rows of a version, a page at a time, and one row in full."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from core.format import count, unit_of
from core.io import query
from core.io.query import Filter
from core.load.columns import is_nested, of
from core.version import Version
from ui import cache
from ui.explore_filters import stamp, strip
from ui.layout import card
from ui.state import plain
from ui.tables import record, rows

SIZES = (25, 50, 100, 500)


def browser(version: Version, filters: list[Filter], key: str, *, columns: list[str] | None = None, sort: str | None = None,
            descending: bool = False, size: int = 50) -> None:  # fmt: skip
    """One page of rows with a selectable row, its pages, and the row in full below."""
    total = query.count(version, filters)
    if not total:
        st.caption("No row passes the filters. Remove one above.")
        return
    reach = min(total, query.REACH) if sort else total
    pages = max(1, -(-reach // size))
    state = f"{key}_page_{version.id}_{stamp(version)}_{sort}_{descending}_{size}"
    number = min(int(st.session_state.get(state, 1)), pages)
    found = query.page(version, filters, sort=sort, descending=descending, offset=(number - 1) * size, limit=size)
    shown = columns or default_columns(version)
    table = found.frame.loc[:, [name for name in shown if name in found.frame]].copy(deep=False)
    table.insert(0, "row", [row + 1 for row in found.rows]) if "row" not in table else None
    picked = rows(table, key=f"{key}_table_{state}_{number}", select=True, columns=_config(version, table), alt=f"Rows {number} of {pages}")
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.pagination(pages, key=state)
            if reach < total:
                st.caption(f"A sorted view ends at row {count(reach)}; filter to see what lies deeper.", width="content")
    if picked:
        _detail(version, found.rows[picked[0]], found.frame.iloc[picked[0]])


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
    config: dict[str, object] = {"row": st.column_config.NumberColumn("row", width=60, format="localized")}
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


def _detail(version: Version, row: int, values: pd.Series) -> None:
    """One row in full, as text, and the rows that hold the same text."""
    with card(f"Row {count(row + 1)}", height="content"):
        cells = {name: values.get(name) for name in version.columns}
        record({name: json.loads(str(v)) if is_nested(v) else v for name, v in cells.items()}, key=f"explore_row_{version.id}")
        same = [other for other in cache.same_text(version.dataset, version.id).get(row, ()) if other != row]
        tokens = values.get("n_tokens")
        told = f"{count(float(tokens))} tokens · " if tokens is not None and tokens == tokens else ""
        others = ", ".join(count(other + 1) for other in same[:8])
        st.caption(told + (f"the same text stands in row {others}" if same else "no other row has the same text"))


def view(version: Version) -> None:
    """The Rows view: columns, sort, page size."""
    names = list(version.columns)
    filters = strip(version)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Columns", [*names, "n_chars", "n_tokens"], default=default_columns(version), key=f"explore_columns_{version.id}"
        )
        sort = st.selectbox("Sort by", [None, *names, "n_chars", "n_tokens"], key=f"explore_sort_{version.id}", width=180,
                            format_func=lambda one: "As they came" if one is None else one)  # fmt: skip
        order = st.selectbox("Order", ["Rising", "Falling"], key=f"explore_order_{version.id}", width=120)
        size = st.selectbox("Rows a page", SIZES, index=1, key=f"explore_size_{version.id}", width=120)
    column = "target" if sort == version.roles.target and version.task == "regression" and "target" not in version.columns else sort
    browser(version, filters, "explore_rows", columns=chosen or None, sort=column, descending=order == "Falling", size=int(size))
