"""Filters of Explore: figures and findings add them, pills show and remove them, every table below obeys them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import StudioError
from core.format import count, metric, short, unit_of
from core.io import numbers
from core.io.query import Filter
from core.version import Version
from ui import explore_cache
from ui.charts import selection_key
from ui.state import plain


def active(version: Version) -> dict[str, Filter]:
    """Pill text -> filter, in the order they were added."""
    return st.session_state.setdefault(f"explore_filters_{version.id}", {})


def every(version: Version) -> list[Filter]:
    """All filters with the search box."""
    word = (st.session_state.get(f"explore_search_{version.id}") or "").strip()
    return [*active(version).values(), *([Filter(search=word, columns=searched(version))] if word else [])]


def others(version: Version, column: str) -> list[Filter]:
    """All filters but those on this column: what a figure of the column counts, so that its other bars stay to be chosen."""
    word = [one for one in every(version) if one.search]
    return [*(one for one in active(version).values() if one.column != column), *word]


def span(version: Version, column: str) -> tuple[float, float] | None:
    """The range a figure of this column is filtered to."""
    found = next((one for one in active(version).values() if one.column == column and one.low is not None and one.high is not None), None)
    return (found.low, found.high) if found and found.low is not None and found.high is not None else None


def picked(version: Version, column: str) -> tuple[str, ...]:
    """The values of this column that are filtered to."""
    return next((one.values for one in active(version).values() if one.column == column and one.values), ())


def searched(version: Version) -> tuple[str, ...]:
    """Where the search looks: the text columns, or every column of text."""
    return version.roles.text or tuple(name for name, kind in version.columns.items() if kind in ("text", "label", "list"))


def add(version: Version, label: str, one: Filter, replaces: str | None = None) -> None:
    """Add a filter; those on the same column that begin with `replaces` give way. Pages start from the first again."""
    filters = active(version)
    for old in [text for text in filters if replaces and text.startswith(replaces)]:
        del filters[old]
    filters[label] = one
    _restart(version)


def _restart(version: Version) -> None:
    st.session_state[f"explore_filters_{version.id}_stamp"] = st.session_state.get(f"explore_filters_{version.id}_stamp", 0) + 1


def stamp(version: Version) -> int:
    """Changes whenever the filters do: for keys of widgets that must start anew."""
    return st.session_state.get(f"explore_filters_{version.id}_stamp", 0)


def dragged(version: Version, key: str, column: str, title: str, unit: str, log: bool) -> Callable[[], None]:
    """A callback that turns a box dragged over a histogram into a filter."""

    def took() -> None:
        state = st.session_state.get(selection_key(key))
        box = (state or {}).get("selection", {}).get("box") or []
        if box:
            low, high = sorted(float(x) for x in box[0]["x"])
            low, high = (10**low, 10**high) if log else (low, high)
            add(version, f"{title} {metric(unit, low)} to {metric(unit, high)}", Filter(column, low, high), f"{title} ")

    return took


def clicked(version: Version, key: str, column: str, names: list[str]) -> Callable[[], None]:
    """A callback that turns a clicked bar into a filter."""

    def took() -> None:
        state = st.session_state.get(selection_key(key))
        points = (state or {}).get("selection", {}).get("points") or []
        if points:
            name = names[int(points[0]["point_index"])]
            _toggle(version, column, name)

    return took


def _toggle(version: Version, column: str, name: str) -> None:
    """Add a value to the filter of its column, or take it away again."""
    before = picked(version, column)
    values = tuple(one for one in before if one != name) if name in before else (*before, name)
    for old in [text for text, one in active(version).items() if one.column == column and one.values]:
        del active(version)[old]
    if values:
        add(version, short(", ".join(values), 40), Filter(column, values=values))
    else:
        _restart(version)


def strip(version: Version, *more: Filter) -> list[Filter]:
    """Search box, pills, and how many rows pass these and `more`. Returns all of them."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.text_input(
                "Search the text", key=f"explore_search_{version.id}", type="search", live="300ms", label_visibility="collapsed",
                placeholder="Search the text", width=260, on_change=_restart, args=(version,), icon=":material/search:",
            )  # fmt: skip
            _form(version)
            _pills(version)
        filters = [*every(version), *more]
        if not counted_later(version, filters):
            st.caption(f"{count(explore_cache.count(version, filters))} of {count(version.rows)} rows", width="content")
    return filters


def counted_later(version: Version, filters: Sequence[Filter]) -> bool:
    """Whether counting what passes reads every cell of a large version: then the rows are painted first."""
    return version.rows > numbers.LARGE and any(one.search for one in filters)


def tell(version: Version, filters: Sequence[Filter], total: int | None) -> None:
    """How many rows a search of a large version found, below its rows: at once when that is known, else when it is counted."""
    if total is None:
        st.fragment(_counted, parallel=True)(version, tuple(filters))
    else:
        st.caption(f"{count(total)} of {count(version.rows)} rows")


def _counted(version: Version, filters: tuple[Filter, ...]) -> None:
    place = st.empty()
    place.caption("Counting the rows")
    try:
        place.caption(f"{count(explore_cache.count(version, filters))} of {count(version.rows)} rows")
    except StudioError:
        place.caption(f"Too many of {count(version.rows)} rows to count in 5 s")


def measures(version: Version) -> list[str]:
    """Numbers beside the table that are there for every row."""
    return ["n_chars", *(("n_tokens", "n_words") if numbers.is_counted(version) else ())]


def title_of(column: str) -> str:
    """A column's name as a heading: "list_price" is List price."""
    return column.replace("_", " ").capitalize() if column.isascii() else column


def _form(version: Version) -> None:
    """The keyboard's way to do what dragging and clicking do."""
    door = st.popover("Filters", icon=":material/filter_list:", type="tertiary", key=f"explore_door_{version.id}", on_change="rerun")
    if not door.open:
        return
    with door:
        column = st.selectbox("Column", [*version.columns, *measures(version)], key=f"explore_filter_column_{version.id}")
        priced = column == version.roles.target and version.task == "regression" and "target" not in version.columns
        asked = "target" if priced else column
        if priced or version.columns.get(column, "number") == "number":
            _numbers(version, column, asked)
        else:
            _values(version, column)


def _numbers(version: Version, column: str, asked: str) -> None:
    found = explore_cache.summary(version, asked)
    if not found:
        st.caption("No row has a number here.")
        return
    unit = unit_of(column) if column == version.roles.target else "number"
    low = st.number_input("From", value=found["lowest"], key=f"explore_low_{version.id}_{column}")
    high = st.number_input("To", value=found["highest"], key=f"explore_high_{version.id}_{column}")
    if st.button("Filter rows", key=f"explore_range_{version.id}_{column}"):
        label = f"{title_of(column)} {metric(unit, low)} to {metric(unit, high)}"
        add(version, label, Filter(asked, float(low), float(high)), f"{title_of(column)} ")
        st.rerun()


def _values(version: Version, column: str) -> None:
    names = [str(name) for name in explore_cache.categories(version, column, most=100)["category"]]
    chosen = st.multiselect("Values", names, key=f"explore_values_{version.id}_{column}", placeholder="Choose values")
    if st.button("Filter rows", key=f"explore_by_{version.id}_{column}", disabled=not chosen):
        for name in chosen:
            _toggle(version, column, name) if name not in picked(version, column) else None
        st.rerun()


def _pills(version: Version) -> None:
    names = list(active(version))
    if not names:
        return
    key = f"explore_pills_{version.id}_{stamp(version)}"

    def changed() -> None:
        kept = st.session_state[key]
        for name in [one for one in names if one not in kept]:
            active(version).pop(name, None)
        _restart(version)

    st.pills(
        "Filters", names, selection_mode="multi", default=names, format_func=plain, key=key, on_change=changed, label_visibility="collapsed"
    )
