"""Overview: the worst findings, the target's shape, categories, and the rows behind them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.explore import distributions
from core.explore.finding import Finding
from core.explore.fixes import FIXES
from core.format import count, metric, plural, share, unit_of
from core.io import profiling
from core.io.question import MEASURES, Filter
from core.version import Version
from ui import charts, explore_cache, explore_python
from ui import explore_filters as filters
from ui.explore_rows import browser
from ui.explore_send import send
from ui.layout import card
from ui.state import guarded, plain

ICONS = {
    "leak": "gpp_bad", "duplicate": "content_copy", "near": "difference", "conflict": "call_split",
    "missing": "radio_button_unchecked", "unreadable": "error",
    "long": "content_cut", "short": "short_text", "balance": "balance", "column": "view_column", "encoding": "font_download_off",
    "markup": "code", "target": "trending_up", "label": "label", "split": "call_split",
    "template": "repeat", "variety": "format_align_justify", "language": "translate", "amount": "data_usage", "cluster": "bubble_chart",
}  # fmt: skip
COLORS = {"fail": "red", "warn": "yellow", "note": "gray"}
WORDS = {"fail": "FAIL", "warn": "WARN", "note": "NOTE"}


def view(version: Version) -> None:
    """Findings, figures, rows."""
    explore_cache.prepare(version)
    if profiling.is_whole(version):
        with st.spinner("Looking for what is odd"):
            report = explore_cache.profile(version)
        findings(version, report.findings)
    else:
        st.fragment(_later, parallel=True)(version)
    shown, column = _target_column(version)
    category = version.roles.category or (version.roles.target if version.task == "classification" else None)
    if shown and category and category != shown:
        left, right = st.columns([1.78, 1])
        histogram(version, shown, column, left)
        categories(version, category, right, median=version.task == "regression")
    elif shown:
        histogram(version, shown, column, st)
    elif category:
        categories(version, category, st, median=False)
    chosen = filters.strip(version)
    browser(version, chosen, "explore_overview")
    explore_python.copied(explore_python.overview(version, column or None, category, chosen, _log(version, column)), "overview")


def _later(version: Version) -> None:
    """Findings of a large version, drawn when they are ready."""
    if st.session_state.pop("_explore_found", False):
        st.rerun(scope="app")
    place = st.empty()
    with place.container():
        st.skeleton(height=150)
    with guarded():
        report = explore_cache.profile(version)
        with place.container():
            findings(version, report.findings, report.rows if report.total else 0)


def _target_column(version: Version) -> tuple[str | None, str]:
    """(what the histogram is of, the column asked): the numeric target, else the text's tokens."""
    target = version.roles.target
    if target and version.task == "regression":
        return target, "target" if "target" not in version.columns else target
    if version.roles.text:
        return "tokens", "n_tokens"
    number = next((name for name, kind in version.columns.items() if kind == "number"), None)
    return number, number or ""


def findings(version: Version, found: tuple[Finding, ...], drawn: int = 0) -> None:
    """The three worst as cards, all of them in an expander; `drawn` says that they are of so many rows drawn by lot."""
    if not found:
        st.caption(":material/verified_user: Nothing odd found: no duplicates, no missing cells, no leak." + _of_sample(version, drawn))
        return
    for column, one in zip(st.columns(3), found[:3], strict=False):
        with column.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f":{COLORS[one.severity]}[:material/{ICONS.get(one.group, 'error')}:] **{plain(one.text)}**")
            st.caption(plain(one.detail))
            st.space("stretch")
            _buttons(version, one, f"card_{found.index(one)}")
    if drawn:
        st.caption(_of_sample(version, drawn))
    if len(found) > 3:
        every = st.expander(f"All {len(found)} findings", key=f"explore_all_{version.id}", on_change="rerun")
        with every:
            for place, one in enumerate(found if every.open else ()):
                with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                    with st.container(width=560, gap=None):
                        st.markdown(f":{COLORS[one.severity]}[**{WORDS[one.severity]}**] {plain(one.text)} :gray-badge[{one.topic}]")
                        st.caption(plain(one.detail))
                    _buttons(version, one, f"all_{place}")


def _of_sample(version: Version, drawn: int) -> str:
    """What the findings of a large version count."""
    if not drawn:
        return ""
    return (
        f" From a sample of {count(drawn)} of {count(version.rows)} rows, drawn by lot: numbers of rows are those of the sample "
        f"(shares ± {100 * distributions.half_width(0.5, drawn):.1f} % at most). Repeated texts are rarer in a sample than in the table."
    )


def _buttons(version: Version, one: Finding, key: str) -> None:
    with st.container(horizontal=True, gap="small", width="content"):
        if one.fix and one.fix in FIXES:
            st.button(FIXES[one.fix], key=f"explore_fix_{key}", type="tertiary", icon=":material/arrow_forward:", icon_position="right",
                      on_click=_fix, args=(version, one))  # fmt: skip
        if one.rows:
            st.button(f"See {plural(len(one.rows), 'row')}", key=f"explore_see_{key}", type="tertiary", on_click=_see, args=(version, one))


def _see(version: Version, one: Finding) -> None:
    filters.add(version, one.text, Filter(rows=one.rows))
    st.session_state["_explore_found"] = not profiling.is_whole(version)  # a fragment's button draws the fragment alone


def _fix(version: Version, one: Finding) -> None:
    send(version, one.fix or "", one.column, one.settings)
    st.session_state["_explore_found"] = not profiling.is_whole(version)


def histogram(version: Version, title: str, column: str, into: Any, *, heading: str | None = None) -> None:
    """The histogram of a number with its median and mean; dragging across it filters the rows."""
    chosen = filters.others(version, column)
    found = explore_cache.summary(version, column, chosen)
    unit = unit_of(title) if column == "target" or title == version.roles.target else "number"
    with card(heading or filters.title_of(title), control=lambda: _scale(version, column), into=into):
        if not found:
            st.caption("No row has a number here.")
            return
        log = _log(version, column)
        shape = explore_cache.histogram(version, column, chosen, log=log)
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
        write = count if column in MEASURES and column != "target" else lambda value: metric(unit, value)
        told = f"Median {write(found['median'])}, mean {write(found['mean'])}, highest {write(found['highest'])}."
        charts.show(figure, key, told, select="box", on_select=filters.dragged(version, key, column, filters.title_of(title), unit, log))
        st.caption(plain(f"{told} Drag across the figure to filter the rows."))


def _scale(version: Version, column: str) -> None:
    st.segmented_control("Scale", ["Linear", "Log"], default="Log" if _skewed(version, column) else "Linear", required=True,
                         label_visibility="collapsed", key=f"explore_scale_{version.id}_{column}")  # fmt: skip


def _log(version: Version, column: str) -> bool:
    return st.session_state.get(f"explore_scale_{version.id}_{column}") == "Log"


def _skewed(version: Version, column: str) -> bool:
    """Whether a log scale shows more: all values positive and a skewness above 2."""
    found = explore_cache.summary(version, column)
    return bool(found) and found["lowest"] > 0 and found["skewness"] > 2


def _colors(version: Version, column: str, names: list[str]) -> list[str]:
    """Bars that are filtered away are grey."""
    picked = filters.picked(version, column)
    return [charts.CLASSICAL if not picked or name in picked else charts.TRIVIAL for name in names]


def categories(version: Version, column: str, into: Any, *, median: bool, most: int = 8) -> None:
    """Bars of the most frequent values by share, shares summed from the top, or median target; a click filters the rows."""
    chosen = filters.others(version, column)
    unit = unit_of(version.roles.target)
    key = f"explore_measure_{version.id}_{column}"

    def control() -> None:
        options = ["Rows", *(["Median target"] if median else []), "Cumulative"]
        st.selectbox("Show", options, key=key, label_visibility="collapsed", width=130)

    with card(filters.title_of(column), control=control, into=into):
        measure = st.session_state.get(key)
        by_median = median and measure == "Median target"
        table = explore_cache.categories(version, column, chosen, most=most, median=by_median)
        if not len(table):
            st.caption("No row passes the filters.")
            return
        names = [str(name) for name in table["category"]]
        summed = table["share"].cumsum()
        values = (table["median"].fillna(0) if by_median else summed if measure == "Cumulative" else table["share"]).tolist()
        labels = [metric(unit, v) if by_median else share(v, 1000) for v in values]
        place = f"explore_bars_{version.id}_{column}_{filters.stamp(version)}_{measure}"
        alt = f"{names[0]} is the most frequent {column}: {count(int(table['rows'].iloc[0]))} rows"
        charts.show(
            charts.bars(names, values, labels, colors=_colors(version, column, names)),
            place,
            alt,
            select="points",
            on_select=filters.clicked(version, place, column, names),
        )
        different = int(table["different"].iloc[0])
        rest = (
            f" The other {count(different - len(table))} hold {share(1 - float(summed.iloc[-1]), 1000)}." if different > len(table) else ""
        )
        st.caption(f"Click a bar to filter.{rest}")
