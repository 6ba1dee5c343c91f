"""Curate: the card with the steps, one line each: on or off, what it does, how many rows leave and why, what can be done with it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.curate.presets import PRESETS, fitting
from core.curate.steps import STEPS, describe, kind
from core.errors import StudioError
from core.format import MINUS, count, duration, plural
from core.io import inspecting
from core.io.previewing import Preview, StepPreview
from core.version import Step, Version
from ui import curate_state as state
from ui.curate_form import form
from ui.layout import card
from ui.state import link, plain, show_error

MENU = ("Change settings", "What it changes", "Duplicate", "Move up", "Move down", "Remove")


def recipe_card(version: Version, seen: Preview, into: Any) -> None:
    """One line per step."""
    now = state.desk(version)
    with card("Recipe", control=lambda: _controls(version), into=into):
        if now.error:
            show_error(now.error)
        if not now.recipe.steps:
            _nothing_yet(version)
        for place, (step, one) in enumerate(zip(now.recipe.steps, seen.steps, strict=True)):
            _line(version, place, step, one, seen)


def _controls(version: Version) -> None:
    now = state.desk(version)
    with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center"):
        if now.undo:
            st.button("Undo", key="curate_undo", icon=":material/undo:", type="tertiary", on_click=state.undo, args=(version,))
        if now.redo:
            st.button("Redo", key="curate_redo", icon=":material/redo:", type="tertiary", on_click=state.redo, args=(version,))
        if now.recipe.steps:
            st.button("Presets", key="curate_presets", type="tertiary", on_click=state.offer, args=(version, "presets"))
        st.button("Add step", key="curate_add", icon=":material/add:", on_click=state.offer, args=(version, "steps"))


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
        st.button("See the whole recipes", key="curate_see", type="tertiary", on_click=state.offer, args=(version, "presets"))
        if made and version.splits.get("test"):
            with st.container(horizontal=True, horizontal_alignment="center"):
                link("validate", "Check in Validate & Cost", icon=":material/fact_check:")
                link("baselines", "Go on to Baselines", icon=":material/leaderboard:")
        st.space("small")


def _line(version: Version, place: int, step: Step, one: StepPreview, seen: Preview) -> None:
    now, title = state.desk(version), kind(step.name).title
    key = f"curate_{version.id}_{now.turn}_{place}"
    left, middle, right, menu = st.columns([0.62, 3.4, 1.4, 0.9], vertical_alignment="top", gap="xsmall")
    left.toggle(
        f"{title}, step {place + 1}", step.on, key=f"{key}_on", label_visibility="collapsed", on_change=state.switch, args=(version, place)
    )
    with middle.container(gap=None):
        st.markdown(f"**{place + 1}. {title}**" if step.on else f":gray[{place + 1}. {title}]")
        st.caption(plain(_sentence(step)) if step.on else "off")
        if step.on and not one.error:
            st.caption(f":small[{plain(_counted(one))}]")
    with right:
        if step.on and not one.error:
            _leaving(version, place, one, seen, key)
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


def _counted(one: StepPreview) -> str:
    """ "2,989 → 2,928 · 12 ms: 40 price below $0.50, 21 price above $999.49", with the two most frequent reasons."""
    most = list(one.reasons.items())
    told = ", ".join(f"{count(n)} {reason}" for reason, n in most[:2]) + (f" and {len(most) - 2} more" if len(most) > 2 else "")
    return f"{count(one.before)} → {count(one.after)} · {duration(one.seconds)}" + (f" · {told}" if told else "")


def _leaving(version: Version, place: int, one: StepPreview, seen: Preview, key: str) -> None:
    """ "−61 rows", which opens the rows that leave; else how many texts change, which opens them."""
    gone, about = one.before - one.after, "" if seen.exact else "about "
    if gone > 0:
        st.button(f"about {MINUS}{count(gone)}" if about else f"{MINUS}{plural(gone, 'row')}", key=f"{key}_gone", type="tertiary",
                  help="Show the rows that leave, and why", on_click=state.show_dropped, args=(version, place))  # fmt: skip
        return
    written = sum(len(text.rows) for text in inspecting.rewritten(version, state.desk(version).recipe, place) if not text.new)
    if written:
        about = "" if seen.whole else "about "
        st.button(f"{about}{plural(seen.scaled(written), 'text')}", key=f"{key}_texts", type="tertiary",
                  help="Show what changes in the texts", on_click=state.edit, args=(version, place, "What it changes"))  # fmt: skip
    else:
        st.caption(f"+{count(-gone)} rows" if gone else "0 rows")


def _edited(version: Version, place: int, key: str) -> None:
    if st.session_state[key]:
        state.edit(version, place, st.session_state[key])
