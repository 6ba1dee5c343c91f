"""Filters of Explore: figures and findings add them, pills show and remove them, every table below obeys them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.format import count, metric, short
from core.io import query
from core.io.query import Filter
from core.version import Version
from ui.charts import selection_key
from ui.state import plain


def active(version: Version) -> dict[str, Filter]:
    """Pill text -> filter, in the order they were added."""
    return st.session_state.setdefault(f"explore_filters_{version.id}", {})


def every(version: Version) -> list[Filter]:
    """All filters with the search box."""
    word = (st.session_state.get(f"explore_search_{version.id}") or "").strip()
    return [*active(version).values(), *([Filter(search=word, columns=searched(version))] if word else [])]


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
            add(version, short(name, 40), Filter(column, values=(name,)))

    return took


def strip(version: Version) -> list[Filter]:
    """Search box, pills, and how many rows pass. Returns the filters."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.text_input(
                "Search the text", key=f"explore_search_{version.id}", type="search", live="300ms", label_visibility="collapsed",
                placeholder="Search the text", width=300, on_change=_restart, args=(version,), icon=":material/search:",
            )  # fmt: skip
            _pills(version)
        filters = every(version)
        st.caption(f"{count(query.count(version, filters))} of {count(version.rows)} rows", width="content")
    return filters


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
