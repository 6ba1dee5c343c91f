"""Columns: one line each with its shape; a chosen one in full."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.explore import distributions
from core.explore.profile import ColumnProfile
from core.format import count, plural, share, short
from core.load.columns import of
from core.version import Version
from ui import cache, charts
from ui.explore_roles import role_of
from ui.layout import card
from ui.state import plain
from ui.tables import rows


def view(version: Version) -> None:
    """The table of columns, and the chosen one below it."""
    with st.spinner("Looking at the columns"):
        report = cache.profile(version.dataset, version.id)
    table = pd.DataFrame(
        {
            "Column": [one.name for one in report.columns],
            "Role": [role_of(version.roles, one.name) for one in report.columns],
            "Kind": [one.kind for one in report.columns],
            "Shape": [list(one.shape) for one in report.columns],
            "Missing": [_missing(one.nulls, report.rows) for one in report.columns],
            "Unique": [one.unique for one in report.columns],
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
        column_config={
            "Shape": st.column_config.BarChartColumn("Shape", width=180, y_min=0),
            "Unique": st.column_config.NumberColumn(format="localized"),
        },
        alt=f"{len(table)} columns with their shapes",
    )
    if report.rows < version.rows:
        st.caption(f"From the first {count(report.rows)} of {count(version.rows)} rows.")
    if event.selection.rows:
        _detail(version, report.columns[event.selection.rows[0]])
    else:
        st.caption("Choose a column to see its figure, its top values, its longest and shortest cells.")


def _missing(nulls: int, rows: int) -> str:
    """ "0 %", "3.1 %", and "under 0.1 %" where a few of very many are missing."""
    if not nulls or nulls == rows:
        return "0 %" if not nulls else "100 %"
    part = nulls / rows
    return "under 0.1 %" if part < 0.001 else "over 99.9 %" if part > 0.999 else share(part, 1000)


def _detail(version: Version, one: ColumnProfile) -> None:
    cells = of(cache.frame(version.dataset, version.id), one.name)
    with card(one.name, height="content"):
        st.caption(
            plain(f"{role_of(version.roles, one.name)} · {one.kind} · {count(one.unique)} different values · {count(one.nulls)} missing")
        )
        if one.kind == "number":
            values = cells.dropna().to_numpy(dtype="float64")
            shape = distributions.histogram(values, log=distributions.skewed(values))
        else:
            lengths = cells.dropna().map(lambda cell: len(str(cell))).to_numpy()
            shape = distributions.histogram(np.asarray(lengths))
        if shape.counts:
            words = "Values" if one.kind == "number" else "Characters per cell"
            charts.show(
                charts.histogram(shape.edges, shape.counts, log=shape.log),
                f"explore_column_{version.id}_{one.name}",
                f"{words} of {one.name}",
            )
            st.caption(words)
        left, right = st.columns(2)
        with left:
            st.caption("Most frequent values")
            top = cells.map(lambda cell: short(str(cell), 200), na_action="ignore").value_counts().head(8)
            rows(pd.DataFrame({"value": top.index.astype(str), "rows": top.to_numpy()}), key=f"explore_top_{version.id}_{one.name}")
        with right:
            st.caption("Five shortest and five longest")
            rows(_extremes(cells), key=f"explore_ends_{version.id}_{one.name}")


def _extremes(cells: pd.Series) -> pd.DataFrame:
    """The five shortest and the five longest filled cells with their rows."""
    filled = sorted(((len(str(cell)), row, str(cell)) for row, cell in enumerate(cells.tolist()) if cell is not None and cell == cell))
    ends = list(dict.fromkeys([*filled[:5], *filled[-5:]]))
    return pd.DataFrame(
        {"row": [row + 1 for _, row, _ in ends], "chars": [n for n, _, _ in ends], "value": [short(c, 200) for *_, c in ends]}
    )
