"""The recipe that is being written: in the session for this visit, as a draft in the workspace for the next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import streamlit as st

from core.curate.presets import preset, suggest
from core.curate.recipe import Recipe
from core.curate.steps import make
from core.errors import StudioError
from core.io import curating, previewing
from core.version import Step, Version
from ui import cache

KEY = "curate_desk"
MOST = 50
"""Changes that can be undone."""


@dataclass
class Desk:
    """What the page works on; changed by callbacks."""

    version: str
    recipe: Recipe
    undo: list[Recipe] = field(default_factory=list)
    redo: list[Recipe] = field(default_factory=list)
    form: int | None = None
    """The step whose settings are open."""
    form_changed: bool = False
    """Whether the open form has changed the recipe yet: one form is one undo."""
    dropped: int | None = None
    """The step whose dropped rows are shown."""
    difference: int | None = None
    """The step whose changes to the text are shown."""
    adding: str | None = None
    """What the panel above the recipe offers: steps, presets, or nothing."""
    at: int | None = None
    """Rows after so many steps are shown."""
    turn: int = 0
    """Raised when steps move, so that widgets do not keep the values of others."""
    error: StudioError | None = None


def desk(version: Version) -> Desk:
    """The desk of this version; a draft of an earlier visit is taken up, steps sent from Explore are added."""
    now = st.session_state.get(KEY)
    if now is None or now.version != version.id:
        now = st.session_state[KEY] = Desk(version.id, curating.draft(version) or Recipe())
    waiting = st.session_state.get("curate_incoming")
    if waiting and waiting["version"] == version.id:
        del st.session_state["curate_incoming"]
        sent = [make(step["name"], **step["settings"]) for step in waiting["steps"]]
        put(version, replace(now.recipe, steps=(*now.recipe.steps, *(step for step in sent if step not in now.recipe.steps))))
    return now


def put(version: Version, recipe: Recipe, *, keep_form: bool = False) -> None:
    """Make this the recipe, remember the one before, keep the draft."""
    now = desk(version)
    if recipe == now.recipe:
        return
    if not (keep_form and now.form_changed):
        now.undo = [*now.undo[-MOST:], now.recipe]
    now.recipe, now.error, now.at, now.redo = recipe, None, None, []
    now.form_changed = keep_form
    if not keep_form:
        now.form, now.dropped, now.difference, now.turn = None, None, None, now.turn + 1
    curating.keep_draft(version, recipe)


def undo(version: Version) -> None:
    now = desk(version)
    if now.undo:
        now.redo.append(now.recipe)
        _back_to(version, now.undo.pop())


def redo(version: Version) -> None:
    now = desk(version)
    if now.redo:
        now.undo.append(now.recipe)
        _back_to(version, now.redo.pop())


def _back_to(version: Version, recipe: Recipe) -> None:
    now = desk(version)
    now.recipe, now.form, now.form_changed, now.error, now.turn = recipe, None, False, None, now.turn + 1
    now.dropped = now.difference = now.at = None
    curating.keep_draft(version, recipe)


def switch(version: Version, place: int) -> None:
    """Turn a step on or off."""
    step = desk(version).recipe.steps[place]
    put(version, desk(version).recipe.changed(place, replace(step, on=not step.on)))


def add(version: Version, name: str) -> None:
    """Add a step fitted to the columns there are behind the last one, and open its settings."""
    now = desk(version)
    place, now.adding = len(now.recipe.steps), None
    columns = previewing.columns_at(version, now.recipe, place)
    roles = previewing.preview(version, now.recipe).outcome.roles
    numbers = [column for column, kind in columns.items() if kind == "number"]
    step = suggest(name, roles, list(columns), numbers, [column for column, kind in columns.items() if kind in ("text", "label", "list")])
    put(version, now.recipe.with_step(step))
    open_form(version, place)


def take(version: Version, name: str) -> None:
    """Replace the recipe with a preset that fits the version."""
    now = desk(version)
    now.adding = None
    try:
        put(version, preset(name, version, cache.frame(version.dataset, version.id), now.recipe.seed))
    except StudioError as error:
        now.error = error


def edit(version: Version, place: int, what: str) -> None:
    """One entry of a step's menu."""
    now = desk(version)
    if what == "Change settings":
        open_form(version, None if now.form == place else place)
    elif what == "What it changes":
        now.difference = None if now.difference == place else place
    elif what == "Duplicate":
        put(version, now.recipe.with_step(now.recipe.steps[place], place + 1))
    elif what == "Remove":
        put(version, now.recipe.without(place))
    else:
        put(version, now.recipe.moved(place, -1 if what == "Move up" else 1))


def open_form(version: Version, place: int | None) -> None:
    now = desk(version)
    now.form, now.form_changed, now.turn = place, False, now.turn + 1


def show_dropped(version: Version, place: int | None) -> None:
    now = desk(version)
    now.dropped = None if now.dropped == place else place


def offer(version: Version, what: str | None) -> None:
    """Open the panel that offers steps or presets; close it with None or a second press."""
    now = desk(version)
    now.adding = None if now.adding == what else what


def move_leaks_out(version: Version) -> None:
    """Add the step that mends a leak."""
    put(version, desk(version).recipe.with_step(make("move_leaks")))


def done(version: Version) -> None:
    """After saving: the draft has served."""
    curating.keep_draft(version, Recipe())
    st.session_state.pop(KEY, None)


def changed(version: Version, place: int, step: Step) -> None:
    """New settings from the open form."""
    put(version, desk(version).recipe.changed(place, step), keep_form=True)
