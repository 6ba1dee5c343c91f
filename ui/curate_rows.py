"""Curate: how many rows are left after each step, exactly or from a sample, and the cards that belong below the recipe."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.curate.steps import kind
from core.format import count, plural
from core.io import jobs, previewing
from core.io.previewing import Preview
from core.version import Version
from ui import charts, tables
from ui import curate_state as state
from ui.curate_difference import differences
from ui.curate_dropped import dropped
from ui.curate_figures import before_and_after
from ui.curate_gate import parts
from ui.curate_prompt import prompts
from ui.jobs import watch
from ui.layout import card
from ui.state import guarded


def rows_left_card(version: Version, seen: Preview, into: Any) -> None:
    """Bars from the source to the last step (click one for its rows), the leak gate, the sizes of the parts."""
    now = state.desk(version)
    on = [
        (place, step, one) for place, (step, one) in enumerate(zip(now.recipe.steps, seen.steps, strict=True)) if one.on and not one.error
    ]
    with card("Rows left", into=into):
        names = ["Source", *(kind(step.name).title for _, step, _ in on)]
        values = [seen.total, *(one.after for _, _, one in on)]
        fig = charts.bars(names, values, [count(n) for n in values], height=20 + 34 * len(names))
        places = [0, *(place + 1 for place, _, _ in on)]

        def chosen() -> None:
            found = charts.clicked("curate_left")
            now.at = places[found] if found is not None and found < len(places) else None

        charts.show(fig, "curate_left", f"{count(values[-1])} of {count(values[0])} rows are left", select="points", on_select=chosen)
        _counted(version, seen)
        _gate(seen)


def _counted(version: Version, seen: Preview) -> None:
    """What the numbers rest on, and the job that counts all rows."""
    if seen.exact:
        if seen.recounted:
            st.caption(f"Counted on all {count(seen.total)} rows. Texts and figures below are from {count(seen.rows)} of them.")
        return
    st.caption(f"From {count(seen.rows)} rows spread evenly over {count(seen.total)}; caps and fixed sizes act on all of them when saved.")
    recipe = state.desk(version).recipe
    job = previewing.recount_of(version, recipe)
    if job and job.alive:
        watch(job.id, "curate_recount", stop="Cancel")
    elif recipe.on and not seen.failed:
        if job and job.error:
            watch(job.id, "curate_recount")
        st.button("Count all rows", key="curate_count_all", icon=":material/functions:", on_click=_recount, args=(version,))


def _recount(version: Version) -> None:
    jobs.start("recount", previewing.recount_request(version, state.desk(version).recipe), title="Count all rows", dataset=version.dataset)


def _gate(seen: Preview) -> None:
    if not seen.splits:
        st.caption("No split yet. Models are trained on one part of the rows and measured on another.")
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if not seen.splits.get("test"):
            st.markdown(":red[:material/cancel:] No test rows", width="content")
        elif seen.leaks.test_rows:
            st.markdown(":red[:material/gpp_bad:] Test rows that are also in train", width="content")
            st.caption(plural(seen.leaks.test_rows, "row"), width="content")
        else:
            st.markdown(":green[:material/gpp_good:] No test row stands in train", width="content")
            st.caption("0 rows", width="content")
    st.caption(" · ".join(f"{count(n)} {name}" for name, n in seen.splits.items()))


def below(version: Version, seen: Preview) -> Any:
    """The rows a click asked for, then before and after, parts, the prompt; returns the place of the leakage card, if there is one."""
    now, place = state.desk(version), None
    with guarded():
        if now.dropped is not None and now.dropped < len(seen.steps):
            dropped(version, seen, now.dropped)
        if now.difference is not None and now.difference < len(seen.steps):
            differences(version, now.difference)
        if now.at is not None and now.at <= len(now.recipe.steps):
            _rows_at(version, now.at)
    if now.recipe.on:
        with guarded():
            before_and_after(version, seen)
    with guarded():
        place = parts(version, seen)
    with guarded():
        prompts(version, seen)
    return place


def _rows_at(version: Version, place: int) -> None:
    recipe = state.desk(version).recipe
    frame = previewing.rows_at(version, recipe, place)
    title = f"Rows after {kind(recipe.steps[place - 1].name).title}" if place else "Rows of the source"
    with card(title):
        st.caption(f"The first {count(min(200, len(frame)))} of {plural(len(frame), 'row')}")
        shown = frame.head(200)
        shown.insert(0, "row in the source", [number + 1 for number in shown.index.tolist()], allow_duplicates=True)
        tables.rows(shown.reset_index(drop=True), f"curate_at_{place}", height=280)
