"""Curate: the card with the steps, one line each, and the menu that adds more."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.curate.presets import PRESETS, fitting
from core.curate.steps import STEPS, describe, kind
from core.errors import StudioError
from core.format import MINUS, count, plural
from core.io.previewing import Preview, StepPreview
from core.version import Step, Version
from ui import curate_state as state
from ui.curate_form import form
from ui.layout import card
from ui.state import link, plain, show_error

MENU = ("Change settings", "Move up", "Move down", "Remove")


def recipe_card(version: Version, seen: Preview, into: Any) -> None:
    """One line per step: on or off, what it does, how many rows leave, what can be done with it."""
    now = state.desk(version)
    with card("Recipe", control=lambda: _controls(version), into=into):
        if now.error:
            show_error(now.error)
        if not now.recipe.steps:
            _nothing_yet(version)
        for place, (step, one) in enumerate(zip(now.recipe.steps, seen.steps, strict=True)):
            _line(version, place, step, one, seen)


def _controls(version: Version) -> None:
    options = [*STEPS, *(f"preset:{name}" for name in PRESETS)]
    with st.container(horizontal=True, width="content", gap="small", vertical_alignment="center"):
        if state.desk(version).undo:
            st.button("Undo", key="curate_undo", icon=":material/undo:", type="tertiary", on_click=state.undo, args=(version,))
        st.menu_button("Add step", options, key="curate_add", icon=":material/add:", format_func=_named, on_click=_added, args=(version,))


def _named(option: str) -> str:
    """The menu's words: a step by its title, a preset as "Pricing recipe"."""
    return f"{PRESETS[option[7:]].title} recipe" if option.startswith("preset:") else STEPS[option].title


def _added(version: Version) -> None:
    option = st.session_state["curate_add"]
    if option:
        state.take(version, option[7:]) if option.startswith("preset:") else state.add(version, option)


def _nothing_yet(version: Version) -> None:
    """Raw rows: the first step is one click away. Curated rows: what made them, and where to go on."""
    made = [step for step in version.steps if step.name in STEPS]
    name = next(iter(fitting(version.task)), None)
    told = "A recipe turns raw rows into training data: it cleans, cuts, drops and splits. The source never changes."
    if made:
        told = f"Version {version.number} was made by {plural(len(made), 'step')}, see Lineage. Steps added here make one more."
    with st.container(horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown("**No steps yet.**" if not made else "**No further steps.**", text_alignment="center")
        st.caption(told, text_alignment="center", width=380)
        if name and version.roles.target and not made:
            title = PRESETS[name].title
            label = f"Start from the {title[0].lower()}{title[1:]} recipe"
            st.button(label, key="curate_start", type="primary", on_click=state.take, args=(version, name))
        if made and version.splits.get("test"):
            link("baselines", "Go on to Baselines", icon=":material/leaderboard:", key="curate_on")
        st.space("small")


def _line(version: Version, place: int, step: Step, one: StepPreview, seen: Preview) -> None:
    now, title = state.desk(version), kind(step.name).title
    key = f"curate_{version.id}_{now.turn}_{place}"
    left, middle, right, menu = st.columns([0.62, 3.3, 1.35, 1.0], vertical_alignment="center", gap="xsmall")
    left.toggle(
        f"{title}, step {place + 1}", step.on, key=f"{key}_on", label_visibility="collapsed", on_change=state.switch, args=(version, place)
    )
    with middle.container(gap=None):
        st.markdown(f"**{title}**" if step.on else f":gray[{title}]")
        st.caption(plain(_sentence(step)) if step.on else "off")
    with right:
        if step.on and not one.error:
            _count(version, place, one, seen, key)
    with menu:
        st.menu_button("Edit", MENU, key=f"{key}_edit", type="tertiary", on_click=_edited, args=(version, place, f"{key}_edit"))
    if one.error:
        show_error(one.error)
    if now.form == place:
        form(version, place)


def _sentence(step: Step) -> str:
    try:
        return describe(step)
    except StudioError as error:
        return str(error)


def _count(version: Version, place: int, one: StepPreview, seen: Preview, key: str) -> None:
    """ "−61 rows", which opens the rows that leave."""
    gone = one.before - one.after
    if not gone:
        st.caption("0 rows")
        return
    about = "" if seen.whole else "about "
    st.button(f"{about}{MINUS}{count(seen.scaled(gone))} {'row' if gone == 1 else 'rows'}", key=f"{key}_gone", type="tertiary",
              help="Show the rows that leave, and why", on_click=state.show_dropped, args=(version, place))  # fmt: skip


def _edited(version: Version, place: int, key: str) -> None:
    if st.session_state[key]:
        state.edit(version, place, st.session_state[key])
