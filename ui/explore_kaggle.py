"""Add data from Kaggle: a dataset, one of its files, the job that downloads it, and the first look."""

from __future__ import annotations

from pathlib import PurePath

import pandas as pd
import streamlit as st

from core.errors import MissingError, StudioError
from core.format import count, duration, plural, short, size
from core.io import fetching, kaggle, parts, reading
from core.io.jobs import Job
from core.io.kaggle import Listing
from core.io.parquet import rejects_table
from core.load.formats import UPLOADS
from core.load.read import Loaded, ReadOptions
from ui import cache, explore_add, explore_fetch, explore_large
from ui.explore_look import line, look
from ui.layout import run_bar
from ui.state import guarded, plain, show_error
from ui.tables import rows

EXAMPLE = "owner/name"


def page() -> None:
    """Name a dataset, choose a file, fetch it, look at it, add it."""
    if not kaggle.installed():
        with guarded():
            kaggle.listing("owner/name")  # says what to install
        _wait("kagglehub is not installed")
        return
    if explore_large.watched():
        return
    job = explore_fetch.running("kaggle")
    if job is not None and explore_fetch.show(job, "kaggle"):
        return
    if job is not None and job.state == "done" and st.session_state.get("explore_fetch_kaggle") == job.id:
        with guarded():
            _fetched(job)
        return
    _ask()
    found = st.session_state.get("explore_kaggle_found")
    if isinstance(found, StudioError):
        show_error(found)
    if not isinstance(found, Listing):
        _wait(found.title if isinstance(found, StudioError) else "Name a dataset")
        return
    with guarded():
        _choose(found)


def _ask() -> None:
    with st.form("explore_kaggle_form", border=False):
        name, go = st.columns([4.2, 0.8], vertical_alignment="bottom")
        text = name.text_input(
            "Dataset of Kaggle", key="explore_kaggle_handle", persist_state="session", placeholder=EXAMPLE, max_chars=300,
            help="owner/name as in its address; owner/name/versions/3 for a version.",
        )  # fmt: skip
        pressed = go.form_submit_button("Look it up", width="stretch", icon=":material/search:")
    with guarded():
        held = kaggle.credentials()
        told = f"from {held}" if held else "none, so public datasets only (set KAGGLE_API_TOKEN, or put kaggle.json into ~/.kaggle)"
        st.caption(plain(f"Credentials: {told}. They are never stored."))
    if pressed and (text or "").strip():
        try:
            with st.spinner("Asking Kaggle"):
                st.session_state["explore_kaggle_found"] = kaggle.listing(text or "")
        except StudioError as error:
            st.session_state["explore_kaggle_found"] = error


def _choose(found: Listing) -> None:
    tables = [(name, n) for name, n in found.files if name.casefold().endswith(tuple(f".{ending}" for ending in UPLOADS))]
    line("database", found.handle, [f"version {found.version}", plural(len(found.files), "file"), size(sum(n for _, n in found.files))])
    if not tables:
        endings = sorted({PurePath(name).suffix or "no ending" for name, _ in found.files})
        told = f"{found.handle} holds {plural(len(found.files), 'file')} ({', '.join(endings[:8])}) and none is a table that is read here. "
        show_error(MissingError(f"{told}What is read: {', '.join(UPLOADS)}.", title="No table in this dataset"))
        _wait("No table in this dataset")
        return
    sizes = dict(tables)
    name = st.selectbox(
        "File",
        list(sizes),
        format_func=lambda one: f"{one} · {size(sizes[one])}" if sizes[one] else one,
        key="explore_kaggle_file",
        persist_state="session",
    )
    told = [size(sizes[name])] if sizes[name] else []
    if sizes[name] and (pace := explore_fetch.pace()):
        told.append(duration(sizes[name] / pace, about=True))
    label, text = f"Fetch {plain(short(PurePath(name).name, 40))}", " · ".join([*told, "nothing is added yet"])
    if run_bar(label=label, key="explore_add_run", text=text, icon=":material/download:"):
        request = {"handle": found.handle, "version": found.version, "file": name, "bytes": sizes[name]}
        with guarded():
            explore_fetch.start("kaggle", request, f"Fetch {short(PurePath(name).name, 40)}")


def _fetched(job: Job) -> None:
    """What came: its first rows, and the button that adds it."""
    result = dict(job.result or {})
    if st.button("Choose another file", key="explore_kaggle_back", type="tertiary", icon=":material/arrow_back:"):
        explore_fetch.forget("kaggle")
        kaggle.forget(result)
        st.rerun()
    name = PurePath(result["file"]).name
    try:
        place = parts.locate(result["path"])
        if place.streamed:
            explore_large.show(result["path"], place)
            return
        data = kaggle.fetched(result)
        sha = reading.sha256(data)
        with st.spinner(f"Reading {plain(name)}"):
            loaded, guess = cache.loaded(sha, name, ReadOptions(), data)
    except StudioError as error:
        show_error(error)
        _wait(error.title)
        return
    facts = [
        plural(len(loaded.frame), "row"),
        plural(len(loaded.frame.columns), "column"),
        f"{result['handle']}, version {result['version']}",
    ]
    badge = (f"{plural(len(loaded.rejects), 'line')} left out", "yellow") if loaded.rejects else ("All rows read", "green")
    line("description", name, facts, badge)
    if loaded.rejects:
        with st.popover("See them", type="tertiary"):
            rows(_rejects(loaded), key=f"explore_kaggle_rejects_{sha[:12]}", alt="Lines that cannot be read")
    for note in loaded.notes:
        st.caption(plain(note))
    chosen = look(loaded.frame, guess, f"kaggle_{sha[:12]}", PurePath(name).stem)
    blocked = "Only 1 row: two are needed" if len(loaded.frame) < 2 else chosen.blocked
    label, text = f"Add {plain(short(chosen.label or 'data', 40))}", blocked or f"{count(len(loaded.frame))} rows · {chosen.told}"
    state = "Not ready" if blocked else chosen.state
    if run_bar(label=label, key="explore_add_run", state=state, text=text, disabled=bool(blocked), icon=":material/add:"):
        source, content = reading.source_of(name, loaded, sha, ReadOptions(), len(loaded.rejects))
        source |= {"kaggle": result["handle"], "kaggle_version": result["version"], "path": result["file"]}
        with guarded(), st.spinner("Saving version 1"):
            version = fetching.keep(
                chosen.label, loaded.frame, chosen.roles, chosen.task, "Import", source, content, rejects_table(loaded.rejects)
            )
            explore_fetch.forget("kaggle")
            kaggle.forget(result)
            explore_add.done(version)


def _rejects(loaded: Loaded) -> pd.DataFrame:
    return pd.DataFrame(
        [{"line": one.line, "why": one.reason, "text": one.text} for one in loaded.rejects[:1000]], columns=["line", "why", "text"]
    )


def _wait(text: str) -> None:
    run_bar(label="Add data", key="explore_add_run", state="Not ready", text=text, disabled=True, icon=":material/add:")
