"""Overview: the worst findings, the target's shape, categories, and the rows behind them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.explore import distributions
from core.explore.finding import Finding
from core.explore.fixes import FIXES
from core.format import count, metric, plural, share, unit_of
from core.io import query
from core.io.query import Filter
from core.version import Version
from ui import cache, charts
from ui import explore_filters as filters
from ui.explore_rows import browser
from ui.explore_send import send
from ui.layout import card
from ui.state import plain

ICONS = {
    "leak": "gpp_bad", "duplicate": "content_copy", "near": "difference", "conflict": "call_split",
    "missing": "radio_button_unchecked", "unreadable": "error",
    "long": "content_cut", "short": "short_text", "balance": "balance", "column": "view_column", "encoding": "font_download_off",
    "markup": "code", "target": "trending_up", "label": "label", "split": "call_split",
}  # fmt: skip
COLORS = {"fail": "red", "warn": "yellow", "note": "gray"}
WORDS = {"fail": "FAIL", "warn": "WARN", "note": "NOTE"}


def view(version: Version) -> None:
    """Findings, figures, rows."""
    with st.spinner("Looking for what is odd"):
        report = cache.profile(version.dataset, version.id)
    findings(version, report.findings)
    shown, column = _target_column(version)
    category = version.roles.category or (version.roles.target if version.task == "classification" else None)
    if shown and category and category != shown:
        left, right = st.columns([1.78, 1])
        _histogram(version, shown, column, left)
        _categories(version, category, right, median=version.task == "regression")
    elif shown:
        _histogram(version, shown, column, st)
    elif category:
        _categories(version, category, st, median=False)
    browser(version, filters.strip(version), "explore_overview")


def _target_column(version: Version) -> tuple[str | None, str]:
    """(what the histogram is of, the column asked): the numeric target, else the text's tokens."""
    target = version.roles.target
    if target and version.task == "regression":
        return target, "target" if "target" not in version.columns else target
    if version.roles.text:
        return "tokens", "n_tokens"
    number = next((name for name, kind in version.columns.items() if kind == "number"), None)
    return number, number or ""


def findings(version: Version, found: tuple[Finding, ...]) -> None:
    """The three worst as cards, all of them in an expander."""
    if not found:
        st.caption(":material/verified_user: Nothing odd found: no duplicates, no missing cells, no leak.")
        return
    for column, one in zip(st.columns(3), found[:3], strict=False):
        with column.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f":{COLORS[one.severity]}[:material/{ICONS[one.group]}:] **{plain(one.text)}**")
            st.caption(plain(one.detail))
            st.space("stretch")
            _buttons(version, one, f"card_{found.index(one)}")
    if len(found) > 3:
        with st.expander(f"All {len(found)} findings"):
            for place, one in enumerate(found):
                with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                    with st.container(width=560, gap=None):
                        st.markdown(f":{COLORS[one.severity]}[**{WORDS[one.severity]}**] {plain(one.text)}")
                        st.caption(plain(one.detail))
                    _buttons(version, one, f"all_{place}")


def _buttons(version: Version, one: Finding, key: str) -> None:
    with st.container(horizontal=True, gap="small", width="content"):
        if one.fix and one.fix in FIXES:
            st.button(FIXES[one.fix], key=f"explore_fix_{key}", type="tertiary", icon=":material/arrow_forward:", icon_position="right",
                      on_click=_fix, args=(version, one))  # fmt: skip
        if one.rows:
            st.button(f"See {plural(len(one.rows), 'row')}", key=f"explore_see_{key}", type="tertiary", on_click=_see, args=(version, one))


def _see(version: Version, one: Finding) -> None:
    filters.add(version, one.text, Filter(rows=one.rows))


def _fix(version: Version, one: Finding) -> None:
    send(version, one.fix or "", one.column)


def _histogram(version: Version, title: str, column: str, into: Any) -> None:
    chosen = filters.others(version, column)
    found = query.summary(version, column, chosen)
    unit = unit_of(title) if column == "target" or title == version.roles.target else "number"
    with card(filters.title_of(title), control=lambda: _scale(version, column), into=into):
        if not found:
            st.caption("No row has a number here.")
            return
        log = _log(version, column)
        shape = query.histogram(version, column, chosen, log=log)
        key = f"explore_shape_{version.id}_{column}_{filters.stamp(version)}_{log}"
        figure = charts.histogram(
            shape.edges,
            shape.counts,
            unit=unit,
            lines=[found["median"], found["mean"]],
            log=log,
            drag=True,
            keep=filters.span(version, column),
        )
        write = count if column == "n_tokens" else lambda value: metric(unit, value)
        told = f"Median {write(found['median'])}, mean {write(found['mean'])}, highest {write(found['highest'])}."
        charts.show(figure, key, told, select="box", on_select=filters.dragged(version, key, column, filters.title_of(title), unit, log))
        st.caption(plain(f"{told} Drag across the figure to filter the rows."))


def _scale(version: Version, column: str) -> None:
    st.segmented_control("Scale", ["Linear", "Log"], default="Log" if _skewed(version, column) else "Linear", required=True,
                         label_visibility="collapsed", key=f"explore_scale_{version.id}_{column}")  # fmt: skip


def _log(version: Version, column: str) -> bool:
    return st.session_state.get(f"explore_scale_{version.id}_{column}") == "Log"


def _skewed(version: Version, column: str) -> bool:
    return distributions.skewed(cache.measured(version.dataset, version.id, column)) if version.rows <= 200_000 else False


def _colors(version: Version, column: str, names: list[str]) -> list[str]:
    """Bars that are filtered away are grey."""
    picked = filters.picked(version, column)
    return [charts.CLASSICAL if not picked or name in picked else charts.TRIVIAL for name in names]


def _categories(version: Version, column: str, into: Any, *, median: bool) -> None:
    chosen = filters.others(version, column)
    unit = unit_of(version.roles.target)
    key = f"explore_measure_{version.id}_{column}"

    def control() -> None:
        if median:
            st.selectbox("Show", ["Rows", "Median target"], key=key, label_visibility="collapsed", width=130)

    with card(filters.title_of(column), control=control, into=into):
        table = query.categories(version, column, chosen, most=8)
        if not len(table):
            st.caption("No row passes the filters.")
            return
        names = [str(name) for name in table["category"]]
        by_median = median and st.session_state.get(key) == "Median target"
        values = table["median"].fillna(0).tolist() if by_median else table["share"].tolist()
        n = sum(table["rows"].tolist())
        labels = [metric(unit, v) if by_median else share(v, max(n, 100)) for v in values]
        place = f"explore_bars_{version.id}_{column}_{filters.stamp(version)}_{by_median}"
        n_first = int(max(table["rows"].tolist()))
        alt = f"{names[0]} is the most frequent {column}: {count(n_first)} rows"
        charts.show(
            charts.bars(names, values, labels, colors=_colors(version, column, names)),
            place,
            alt,
            select="points",
            on_select=filters.clicked(version, place, column, names),
        )
        st.caption("Click a bar to filter.")
