"""What goes with the target: associations, the target by category and by length, its quantiles, and how numbers go together."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.explore.association import Association
from core.format import count, plural, unit_of
from core.io.numbers import LARGE
from core.io.relating import SHARES
from core.version import Version
from ui import charts, explore_cache, explore_figures, explore_python
from ui import explore_filters as filters
from ui.layout import card
from ui.state import guarded, plain
from ui.tables import rows

LOCAL = {name: st.column_config.NumberColumn(name, format="localized") for name in ("rows", *SHARES)}
SHOWN = 12
"""Columns in the figure; the table has all of them."""


def cards(version: Version) -> None:
    """Every figure this version has the columns for."""
    with st.spinner("Comparing the columns"):
        found, matrix, drawn = explore_cache.associations(version.dataset, version.id)
    target = version.roles.target
    if found and target:
        _associations(version, target, found, drawn)
    category = version.roles.category
    if target and version.task == "regression":
        asked = target if "target" in version.columns else "target"
        sorted_by = category if category != target else None
        left, right = st.columns(2) if sorted_by and version.roles.text else (st, st)
        if sorted_by:
            with guarded():
                _by_category(version, target, asked, sorted_by, left)
        if version.roles.text:
            with guarded():
                _by_length(version, target, right)
        with guarded():
            _quantiles(version, target, asked)
    elif target and version.task == "classification" and version.roles.text:
        with guarded():
            _lengths_by_label(version, target)
    if len(matrix) > 1:
        with card(
            "Numbers with each other", height="content", help="Spearman: 1 when one rises with the other, −1 when it falls, 0 neither."
        ):
            strongest = _strongest(matrix)
            charts.show(explore_figures.matrix(matrix), f"explore_matrix_{version.id}", strongest)
            st.caption(plain(f"Spearman's rank correlation from {plural(drawn, 'row')}. {strongest}"))
            explore_python.taken(lambda: matrix.reset_index(names="column"), f"{version.dataset}-correlations", "matrix_down")


def _associations(version: Version, target: str, found: dict[str, Association], drawn: int) -> None:
    with card(f"What goes with {target}", height="content", help="0: knows nothing of the target. It does not say what causes what."):
        table = pd.DataFrame(
            {
                "column": list(found),
                "measure": [one.measure for one in found.values()],
                "value": [one.value for one in found.values()],
                "low": [one.low for one in found.values()],
                "high": [one.high for one in found.values()],
                "n": [one.n for one in found.values()],
            }
        )
        shown = table.head(SHOWN)
        labels = [_written(one) for one in list(found.values())[:SHOWN]]
        names = [str(name) for name in shown["column"]]
        figure = charts.bars(names, [abs(value) for value in shown["value"]], labels)
        figure.update_layout(margin={"r": 130})
        figure.update_xaxes(range=[0, 1])
        charts.show(figure, f"explore_with_target_{version.id}", f"{names[0]} goes with {target} most: {labels[0]}")
        kinds = sorted({one.measure for one in found.values()})
        st.caption(
            plain(f"{' and '.join(kinds)}, size from 0 to 1, from {plural(drawn, 'row')}{_lot(version, drawn)}; 95 % interval in brackets.")
        )
        explore_python.taken(lambda: table, f"{version.dataset}-associations", "associations_down")


def _written(one: Association) -> str:
    value, low, high = (None if end is None else f"{end + 0.0:.2f}" for end in (one.value, one.low, one.high))
    return (f"{value} [{low}, {high}]" if low is not None else f"{value}").replace("-0.00", "0.00").replace("-", "−")


def _lot(version: Version, drawn: int) -> str:
    return f" of {count(version.rows)}, drawn by lot" if drawn < version.rows else ""


def _by_category(version: Version, target: str, asked: str, category: str, into: Any) -> None:
    with card(f"{target} by {category}", into=into):
        table = explore_cache.quantiles(version.dataset, version.id, asked, category, ())
        if not len(table):
            st.caption("No row has both.")
            return
        names = [str(name) for name in table["category"]]
        place = f"explore_boxes_{version.id}_{filters.stamp(version)}"
        alt = f"Median {target} by {category}, the most frequent first"
        charts.show(explore_figures.boxes(table, unit_of(target)), place, alt, select="points",
                    on_select=filters.clicked(version, place, category, names))  # fmt: skip
        st.caption("Box: the middle half of the rows; line: 5 to 95 %; mark: the median. Click a box to filter the rows.")
        explore_python.taken(lambda: table, f"{version.dataset}-by-{category}", "boxes_down")


def _by_length(version: Version, target: str, into: Any) -> None:
    with card(f"{target} by length of the text", into=into):
        table = explore_cache.target_by_length(version.dataset, version.id)
        if len(table) < 2:
            st.caption("All texts are about as long as each other.")
            return
        middle = ((table["from"] + table["to"]) / 2).tolist()
        figure = explore_figures.band(middle, table["25 %"].tolist(), table["median"].tolist(), table["75 %"].tolist(), unit_of(target))
        charts.show(figure, f"explore_by_length_{version.id}", f"Median {target} in tenths of the rows by characters")
        st.caption("Tenths of the rows by characters: the median, and the middle half as a band.")
        explore_python.taken(lambda: table, f"{version.dataset}-by-length", "by_length_down")


def _quantiles(version: Version, target: str, asked: str) -> None:
    with card(f"Quantiles of {target}", height="content", help="Of every 17th row." if version.rows > LARGE else None):
        table = explore_cache.quantiles(version.dataset, version.id, asked, None, ())
        rows(table.drop(columns="category"), key=f"explore_quantiles_{version.id}", columns=LOCAL, alt=f"Quantiles of {target}")


def _lengths_by_label(version: Version, target: str) -> None:
    with card(f"Characters by {target}", height="content"):
        table = explore_cache.quantiles(version.dataset, version.id, "n_chars", target, ())
        names = [str(name) for name in table["category"]]
        place = f"explore_label_boxes_{version.id}_{filters.stamp(version)}"
        charts.show(explore_figures.boxes(table), place, f"How long the texts of each {target} are", select="points",
                    on_select=filters.clicked(version, place, target, names))  # fmt: skip
        st.caption("Box: the middle half of the rows; line: 5 to 95 %; mark: the median. Click a box to filter the rows.")
        explore_python.taken(lambda: table, f"{version.dataset}-characters-by-{target}", "label_boxes_down")


def _strongest(matrix: pd.DataFrame) -> str:
    pairs = [
        (abs(v), a, b, v) for i, a in enumerate(matrix) for j, b in enumerate(matrix) if j < i and (v := float(matrix.iloc[i, j])) == v
    ]
    if not pairs:
        return "No two numbers vary."
    _, a, b, value = max(pairs)
    return f"Strongest: {a} with {b}, {value:.2f}.".replace("-", "−")
