"""Add data: choose a source, look at the first rows, say what each column is, add it."""

from __future__ import annotations

import zlib
from importlib import import_module

import streamlit as st

from core.format import plural
from core.io import store
from core.load.read import ReadOptions
from core.version import Version
from ui.state import choose, plain

MODULES = {
    "Upload": "ui.explore_upload",
    "Hugging Face": "ui.explore_hub",
    "Kaggle": "ui.explore_kaggle",
    "This machine": "ui.explore_machine",
    "Samples": "ui.explore_samples",
    "Make one up": "ui.explore_make",
}
"""Source -> the module with its `page()`."""
SOURCES = tuple(MODULES)
TITLE, LEAD = "Add data", "Choose a source, look at the first rows, say what each column is."


def wanted() -> bool:
    """Whether this page shows Add data: asked for by a button or the URL, or because there is no data yet."""
    asked = st.session_state.get("explore_add", st.query_params.get("explore_add") == "1")
    if asked:
        st.query_params["explore_add"] = "1"
    return bool(asked) or not any(one.versions or one.broken for one in store.datasets())


def open_add() -> None:
    st.session_state["explore_add"] = True


def close_add() -> None:
    st.session_state["explore_add"] = False
    st.query_params.pop("explore_add", None)


def button() -> None:
    """`Add data` beside Export, or the way back."""
    if st.session_state.get("explore_add", st.query_params.get("explore_add") == "1"):
        if any(one.versions for one in store.datasets()):
            st.button("Back to the data", key="explore_back", type="tertiary", icon=":material/arrow_back:", on_click=close_add)
    else:
        st.button("Add data", key="explore_open_add", type="tertiary", icon=":material/add:", on_click=open_add)


def page() -> None:
    """The whole of Add data."""
    source = st.segmented_control(
        "Source", SOURCES, default="Upload", required=True, label_visibility="collapsed", key="explore_add_source"
    )
    import_module(MODULES[source]).page()


def done(version: Version) -> None:
    """Make the version the current one and show it."""
    label = store.dataset(version.dataset).label
    st.session_state["_explore_told"] = f"{label}, version {version.number}, {plural(version.rows, 'row')}"
    choose(version)
    close_add()
    st.rerun()


def tell() -> None:
    """The toast of what was just added."""
    told = st.session_state.pop("_explore_told", None)
    if told:
        st.toast(plain(told), icon=":material/check_circle:")


def key_of(sha: str, options: ReadOptions) -> str:
    """Names a file read in one way: for keys of widgets that start anew when either changes."""
    return f"{sha[:12]}_{zlib.crc32(repr(options).encode()):08x}"
