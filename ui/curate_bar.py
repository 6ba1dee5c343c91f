"""Curate: the bar that saves the recipe's outcome as a version, in this run or as a job with progress and Cancel."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.curate.recipe import Recipe
from core.curate.text import to_yaml
from core.format import count, duration, plural
from core.io import curating, jobs, previewing, store
from core.io.jobs import Job
from core.io.previewing import Preview
from core.version import Version
from ui import curate_state as state
from ui.jobs import latest, watch
from ui.layout import run_bar
from ui.state import choose, guarded

LONG = 3.0
"""Seconds from which on saving is a job that survives the page."""


def reason(version: Version, recipe: Recipe, seen: Preview) -> tuple[str, str]:
    """(state, words) when saving is not possible, else ("", "")."""
    if not recipe.on:
        return "Not ready", "Nothing changes"
    for place, one in enumerate(seen.steps):
        if one.error:
            return "Failed", f"Step {place + 1} cannot run"
        if one.on and one.before and not one.after:
            return "Not ready", f"Step {place + 1} leaves no rows"
    outcome = seen.outcome
    if outcome.roles.split:
        for name in ("test", "train"):
            if not seen.splits.get(name):
                return "Not ready", f"{_culprit(version, recipe, name)} leaves no {name} rows"
        if seen.leaks.test_rows:
            return "Failed", f"{plural(seen.leaks.test_rows, 'test row')} {'is' if seen.leaks.test_rows == 1 else 'are'} also in train"
    return "", ""


def _culprit(version: Version, recipe: Recipe, name: str) -> str:
    """The step behind which a part has no rows."""
    for place in range(1, len(recipe.steps) + 1):
        seen = previewing.preview(version, replace(recipe, steps=recipe.steps[:place]))
        if seen.outcome.roles.split and not seen.splits.get(name):
            return f"Step {place}"
    return "The recipe"


def bar(version: Version, seen: Preview) -> None:
    """How many rows stay and how long saving takes, or what is in the way; the one button."""
    recipe = state.desk(version).recipe
    job = latest("curate", version.dataset)
    mine = job if job and job.request.get("version") == version.id else None
    if mine and mine.alive:
        _working(mine, version)
        return
    if mine and mine.error and st.session_state.get("_curate_job") == mine.id:
        watch(mine.id, "curate_job")
    if mine and mine.state == "done" and mine.result and st.session_state.pop("_curate_job", None) == mine.id:
        _open(store.version(mine.result["dataset"], mine.result["version"]), version)
    if not recipe.steps:
        return
    wrong, words = reason(version, recipe, seen)
    versions = store.versions(version.dataset)
    there = next((one for one in versions if recipe.on and one.id == curating.planned_id(version, recipe)), None)
    if there and not wrong:
        if run_bar(label=f"Open version {there.number}", key="curate_open", state="Done", badge="Saved", icon=":material/history:",
                   text=f"This recipe is version {there.number} already · {plural(there.rows, 'row')}"):  # fmt: skip
            _open(there, version, toast=False)
        return
    seconds = seen.seconds * seen.total / max(1, seen.rows) + 0.3
    text = (
        words or f"{'' if seen.exact else 'about '}{count(seen.left)} of {plural(seen.total, 'row')} stay · {duration(seconds, about=True)}"
    )
    leak = bool(seen.leaks.test_rows) and words.endswith("also in train")
    number = max(one.number for one in versions) + 1
    pressed = run_bar(
        label=f"Save as version {number}",
        key="curate_save",
        state=wrong or "Ready",
        badge="1 check failed" if wrong == "Failed" else None,
        text=text,
        disabled=bool(wrong),
        icon=":material/save:",
        before=(lambda: _mend(version)) if leak else None,
    )
    if pressed:
        _save(version, recipe, seconds)


def _working(job: Job, version: Version) -> None:
    """Progress in rows and Cancel, at the foot where the button was."""
    with st.bottom, st.container(border=True):
        st.caption(f"Saving {plural(version.rows, 'row')} as a new version. You may leave the page; the work goes on.")
        watch(job.id, "curate_job", stop="Cancel")


def _mend(version: Version) -> None:
    st.button("Move them out of train", key="curate_mend", on_click=state.move_leaks_out, args=(version,))


def _save(version: Version, recipe: Recipe, seconds: float) -> None:
    workers = int(st.session_state.get("curate_workers") or 1)
    if seconds > LONG:
        asked = {"dataset": version.dataset, "version": version.id, "rows": version.rows}
        request = {**asked, "recipe": to_yaml(recipe), "workers": workers}
        st.session_state["_curate_job"] = jobs.start("curate", request, title="Curate", dataset=version.dataset).id
        st.rerun()
    with guarded(), st.spinner(f"Running {plural(len(recipe.on), 'step')} over {plural(version.rows, 'row')}"):
        made = curating.save(version, recipe, workers=workers)
        _open(made, version)


def _open(made: Version, version: Version, *, toast: bool = True) -> None:
    """Go on with the new version."""
    state.done(version)
    if toast:
        st.session_state["_curate_saved"] = f"Saved as version {made.number}"
    choose(made)
    st.rerun()


def greet() -> None:
    """The toast of a version that was just saved."""
    told = st.session_state.pop("_curate_saved", None)
    if told:
        st.toast(told, icon=":material/save:")
