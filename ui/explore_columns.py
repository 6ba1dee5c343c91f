"""Columns: one line each with its shape; a chosen one in full; how they go with the target and with each other."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.explore.profile import ColumnProfile, Profile
from core.format import count, plural, share, short
from core.version import Version
from ui import charts, explore_cache, explore_export, explore_python, explore_target
from ui import explore_filters as filters
from ui.explore_overview import categories, histogram
from ui.explore_roles import role_of
from ui.explore_rows import browser
from ui.layout import card
from ui.state import plain
from ui.tables import rows

MANY = 1_000_000
"""Different values up to which they are counted."""


def view(version: Version) -> None:
    """The table of columns, the chosen one and the rows behind it below, else what goes with the target."""
    explore_cache.prepare(version)
    with st.spinner("Looking at the columns"):
        report = explore_cache.profile(version)
    table = pd.DataFrame(
        {
            "Column": [one.name for one in report.columns],
            "Role": [role_of(version.roles, one.name) for one in report.columns],
            "Kind": [one.kind for one in report.columns],
            "Shape": [list(one.shape) for one in report.columns],
            "Missing": [_missing(one, report) for one in report.columns],
            "Unique": [_unique(one) for one in report.columns],
            "Longest": [plural(one.longest, "char") for one in report.columns],
            "Example": [short(one.example, 60) for one in report.columns],
        }
    )
    event = st.dataframe(
        table,
        key=f"explore_column_table_{version.id}",
        hide_index=True,
        row_height=44,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="n/a",
        column_config={"Shape": st.column_config.BarChartColumn("Shape", width=180, y_min=0)},
        alt=f"{len(table)} columns with their shapes",
    )
    if report.total:
        told = f"From a sample of {count(report.rows)} of {count(report.total)} rows, drawn by lot; what has no ± was counted in all rows."
        st.caption(f"{told} A number of different values above 1,000 is an estimate.")
    chosen = report.columns[event.selection.rows[0]] if event.selection.rows else None
    if chosen:
        _detail(version, chosen)
    else:
        st.caption("Choose a column to see its figure, its top values, its longest and shortest cells.")
        explore_target.cards(version)
    browser(version, filters.strip(version), "explore_columns_rows")
    with st.container(horizontal=True):
        explore_python.taken(lambda: explore_export.columns(version), f"{version.dataset}-columns", "columns_down")
        explore_python.copied(explore_python.columns(version, chosen.name if chosen else None), "columns")


def _missing(one: ColumnProfile, report: Profile) -> str:
    """ "0 %", "3.1 %", and "under 0.1 %" where a few of very many are missing; of a sample with its interval."""
    nulls, rows = one.nulls, report.total or report.rows
    if one.margin:
        return f"{share(nulls / rows, 1000) if nulls else '0 %'} ± {max(0.01, 100 * one.margin):.2f}"
    if not nulls or nulls == rows:
        return "0 %" if not nulls else "100 %"
    part = nulls / rows
    return "under 0.1 %" if part < 0.001 else "over 99.9 %" if part > 0.999 else share(part, 1000)


def _unique(one: ColumnProfile) -> str:
    return f"about {float(f'{one.unique:.2g}'):,.0f}" if one.about and one.unique > 1000 else count(one.unique)


def _detail(version: Version, one: ColumnProfile) -> None:
    """Figure, quantiles, top values, ends, and the rows that its filters leave."""
    asked = "target" if one.name == version.roles.target and version.task == "regression" and "target" not in version.columns else one.name
    number = one.kind == "number" or asked == "target"
    told = f"{role_of(version.roles, one.name)} · {one.kind} · {_unique(one)} different values · {count(one.nulls)} missing"
    if number:
        histogram(version, one.name, asked, st, heading=one.name)
    elif one.kind in ("label", "flag", "time"):
        categories(version, one.name, st, median=version.task == "regression", most=20)
    elif version.roles.text == (one.name,):
        histogram(version, "n_chars", "n_chars", st, heading=f"{one.name}: characters per row")
    elif one.shape:
        _characters(version, one)
    st.caption(plain(told))
    if number:
        spread = explore_cache.quantiles(version.dataset, version.id, asked, None, tuple(filters.others(version, asked)))
        key = f"explore_spread_{version.id}_{one.name}"
        rows(spread.drop(columns="category"), key=key, columns=explore_target.LOCAL, alt=f"Quantiles of {one.name}")
    left, right = st.columns(2)
    with left:
        top = _balance(version, one)
        again = len(top) and int(top["rows"].iloc[0]) > 1
        st.caption("Most frequent values" if again or not len(top) else "Examples: no value repeats")
        st.caption(f"{_unique(one)} different values are too many to be counted here; ask on SQL.") if one.unique > MANY else None
        rows(top, key=f"explore_top_{version.id}_{one.name}", columns=_SHARES, alt=f"Most frequent values of {one.name}")
        explore_python.taken(lambda: top, f"{version.dataset}-{one.name}-values", f"top_down_{version.id}_{one.name}")
    with right:
        st.caption("Five lowest and five highest" if one.kind == "number" else "Five shortest and five longest")
        ends = explore_cache.extremes(version.dataset, version.id, one.name)
        shown = ends.assign(value=[short(cell, 200) for cell in ends["value"]])
        rows(shown, key=f"explore_ends_{version.id}_{one.name}", alt=f"Ends of {one.name}")
        explore_python.taken(lambda: ends, f"{version.dataset}-{one.name}-ends", f"ends_down_{version.id}_{one.name}")


def _characters(version: Version, one: ColumnProfile) -> None:
    with card(f"{one.name}: characters per cell", height="content"):
        found = explore_cache.cell_lengths(version.dataset, version.id, one.name)
        shape = found.histogram(40)
        told = f"Half of the cells have at most {count(found.quantile(0.5))} characters, the longest {count(found.longest)}."
        charts.show(charts.histogram(shape.edges, shape.counts), f"explore_column_{version.id}_{one.name}", told)
        st.caption(told)


_SHARES = {name: st.column_config.NumberColumn(name, format="percent") for name in ("share", "cumulative")} | {
    "rows": st.column_config.NumberColumn("rows", format="localized")
}


def _balance(version: Version, one: ColumnProfile) -> pd.DataFrame:
    """The most frequent values with rows, share, and shares summed from the top; none where a large version has millions."""
    if one.unique > MANY:
        return pd.DataFrame({"value": [], "rows": [], "share": [], "cumulative": []})
    table = explore_cache.categories(version, one.name, (), most=50)
    table = table[table["category"] != "n/a"] if one.nulls else table
    values = [short(str(cell), 200) for cell in table["category"]]
    return pd.DataFrame({"value": values, "rows": table["rows"], "share": table["share"], "cumulative": table["share"].cumsum()})
