"""A file or folder that is read piece by piece: a look at its first rows, then the job, with progress on the page."""

from __future__ import annotations

import hashlib

import streamlit as st

from core.errors import StudioError
from core.format import count, duration, plural, size
from core.io import importing, jobs, parts, store
from core.io.importing import Look
from core.io.jobs import Job
from core.io.parts import Place
from core.load.read import ReadOptions
from ui import explore_add, explore_cache, explore_look, explore_options, explore_table
from ui.jobs import show_failure, watch
from ui.layout import run_bar
from ui.state import guarded, plain


def runs() -> bool:
    """Whether an import runs."""
    job = _last()
    return job is not None and job.alive


def watched() -> bool:
    """Draw the import this session started last; True while it runs. When it has ended well, its version is opened."""
    job = _last()
    if job is None:
        return False
    if job.alive:
        st.markdown(f":material/description: **{plain(job.title)}**")
        watch(job.id, "explore_import", every="1s")
        st.caption("You may leave this page; the import goes on.")
        run_bar(
            label="Add data", key="explore_add_run", state="Working", badge="Reading", text=job.title, disabled=True, icon=":material/add:"
        )
        return True
    st.session_state.pop("explore_import", None)
    if job.state == "done" and job.result:
        with guarded():
            explore_add.done(store.version(job.result["dataset"], job.result["version"]))
    elif job.error:
        show_failure(job)
    else:
        word = "Stopped" if job.state == "cancelled" else "The import ended before its time"
        st.caption(f"{word} after {duration(job.seconds)}. Nothing was added.")
    return False


def _last() -> Job | None:
    known = st.session_state.get("explore_import")
    return next((job for job in jobs.all_jobs(kind="import") if job.id == known or job.alive), None)


def show(path: str, place: Place) -> None:
    """First rows, roles, and the run bar that starts the job."""
    key = hashlib.sha256(place.stamp.encode()).hexdigest()
    options = explore_options.current(key)
    try:
        if options.member:
            place = parts.locate(path, options.member)
        with st.spinner(f"Reading the first rows of {plain(place.name)}"):
            look, guess = explore_cache.looked(key, options, place)
    except StudioError as error:
        explore_table.refused(error, place.name, key, options)
        return
    _line(place, key, options, look)
    if look.loaded.notes:
        st.caption(plain(" ".join(look.loaded.notes)))
    chosen = explore_look.look(look.loaded.frame, guess, explore_add.key_of(key, options), explore_table.stem(place.name))
    takes = f"{_rows(look)} · {size(place.size)} · {duration(max(1.0, look.seconds), about=True)} · {chosen.told}"
    pressed = run_bar(
        label=f"Add {plain(chosen.label or 'data')}",
        key="explore_add_run",
        state=chosen.state,
        text=chosen.blocked or takes,
        disabled=bool(chosen.blocked),
        icon=":material/add:",
    )
    if pressed:
        with guarded():
            request = importing.request_for(path, place, chosen.label, options, chosen.roles, chosen.task)
            job = jobs.start("import", request, title=f"Import {chosen.label}")
            st.session_state["explore_import"] = job.id
            st.rerun()


def _line(place: Place, key: str, options: ReadOptions, look: Look) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.markdown(f":material/{'folder' if place.folder else 'description'}: **{plain(place.name)}**", width="content")
            st.caption(plain(" · ".join(explore_table.facts(look.loaded, _rows(look)))), width="content")
            if look.loaded.rejects:
                which = "" if look.exact and look.rows == len(look.loaded.frame) else " of the first"
                st.badge(f"{plural(len(look.loaded.rejects), 'line')}{which} left out", icon=":material/error:", color="yellow")
        explore_options.popover(key, options, look.loaded)
    st.caption(
        f"From the first {count(len(look.loaded.frame))} rows. Lines that cannot be read are kept beside the table, with the reason."
    )


def _rows(look: Look) -> str:
    return plural(look.rows, "row") if look.exact else f"about {count(round(look.rows, -3) or look.rows)} rows"
