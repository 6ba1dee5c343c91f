"""Curate: the panel that offers steps, grouped and searchable, and whole recipes explained step by step."""

from __future__ import annotations

import streamlit as st

from core.curate.presets import PRESETS, explained, fitting
from core.curate.steps import STEPS, describe, kind
from core.errors import StudioError
from core.format import plural
from core.version import Version
from ui import cache
from ui import curate_state as state
from ui.layout import card
from ui.state import guarded, plain

GROUPS: dict[str, tuple[str, ...]] = {
    "Columns": ("parse", "join"),
    "Clean texts": ("scrub", "substitute", "regex_scrub", "personal_data", "length_window", "token_window"),
    "Choose rows": ("range", "missing", "filter", "expression", "language", "quality", "distinct", "sample"),
    "Duplicates and labels": ("exact_duplicates", "near_duplicates", "conflicting", "label_errors"),
    "Balance": ("balance", "class_balance"),
    "Prompt and parts": ("prompts", "split", "move_leaks", "shuffle"),
}
"""Heading -> steps; what is named in none of them stands under More."""


def groups() -> dict[str, list[str]]:
    """Every step there is under its heading."""
    found = {title: [name for name in names if name in STEPS] for title, names in GROUPS.items()}
    placed = {name for names in found.values() for name in names}
    rest = [name for name in STEPS if name not in placed]
    return {title: names for title, names in {**found, "More": rest}.items() if names}


def panel(version: Version) -> None:
    """Steps or presets, while the person chooses; nothing else on the page moves meanwhile."""
    offered = state.desk(version).adding
    if offered == "steps":
        with card("Add a step", control=lambda: _close(version)):
            _steps(version)
    elif offered == "presets":
        with card("Start from a whole recipe", control=lambda: _close(version)):
            _presets(version)


def _close(version: Version) -> None:
    st.button("Close", key="curate_add_close", type="tertiary", icon=":material/close:", on_click=state.offer, args=(version, None))


def _steps(version: Version) -> None:
    asked = st.text_input("Search the steps", type="search", live="300ms", key="curate_add_search", label_visibility="collapsed",
                          placeholder="Search: prices, tags, duplicates")  # fmt: skip
    found = {title: [name for name in names if matches(name, asked or "")] for title, names in groups().items()}
    found = {title: names for title, names in found.items() if names}
    if not found:
        st.caption(plain(f"No step is about '{asked}'. There are {plural(len(STEPS), 'step')}."))
    sides = st.columns(2)
    for number, (title, names) in enumerate(found.items()):
        with sides[number % 2].container(gap="xsmall"):
            st.markdown(f":small[:gray[**{title}**]]")
            for name in names:
                with st.container(gap=None):
                    st.button(kind(name).title, key=f"curate_add_{name}", type="tertiary", icon=":material/add:", on_click=state.add,
                              args=(version, name))  # fmt: skip
                    st.caption(plain(kind(name).meaning))


def matches(name: str, asked: str) -> bool:
    """Whether every word that is asked for stands in the step's title, meaning or settings."""
    one = kind(name)
    told = " ".join([name, one.title, one.meaning, *(str(f.metadata["meaning"]) for f in one.settings.__dataclass_fields__.values())])
    return all(word in told.casefold() for word in asked.casefold().split())


def _presets(version: Version) -> None:
    fit = fitting(version.task)
    for name in sorted(PRESETS, key=lambda name: name not in fit):
        one = PRESETS[name]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width="stretch"):
                st.markdown(f"**{one.title}**" + (" :green-badge[fits what is predicted here]" if name in fit else ""))
                st.caption(plain(one.meaning))
            st.button(f"Use {one.title}", key=f"curate_preset_{name}", on_click=state.take, args=(version, name))
        with st.expander("Its steps", expanded=name in fit), guarded():
            _explained(version, name)


def _explained(version: Version, name: str) -> None:
    """What each step of a preset does to this table, and why it is there."""
    try:
        planned = explained(name, version, cache.frame(version.dataset, version.id))
    except StudioError as error:
        st.caption(plain(str(error)))
        return
    for number, one in enumerate(planned, start=1):
        step = one.step
        off = "" if step.on else " :gray-badge[off until you switch it on]"
        with st.container(gap=None):
            st.markdown(f"{number}. **{kind(step.name).title}**: {plain(describe(step))}{off}")
            st.caption(plain(one.why))
