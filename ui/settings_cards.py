"""The cards of Settings."""

from __future__ import annotations

import os

import streamlit as st

from core.format import plural, size
from core.io import keeping, store
from core.io.device import describe
from core.io.files import home
from core.io.providers import PROVIDERS, test_connection
from core.io.providers.addresses import OPENAI, clean_url, key_for
from ui.cache import embedded_ready
from ui.layout import card
from ui.state import guarded, plain

KEYS = {"OpenAI": "OPENAI_API_KEY", "Hugging Face": "HF_TOKEN", "Weights & Biases": "WANDB_API_KEY"}


def keys() -> None:
    """Which keys are there and from where; a field for this session."""
    with card("Keys"):
        for name, variable in KEYS.items():
            with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
                typed = st.text_input(
                    f"{name} key for this session",
                    type="password",
                    key=f"key_{variable}",
                    persist_state="session",
                    placeholder="kept in memory, never saved",
                    width=380,
                )
                where = "set for this session" if typed else "set, from the environment" if os.environ.get(variable) else "not set"
                st.badge(where, color="green" if where != "not set" else "gray")


def providers() -> None:
    """Who can write and answer, whether it is ready, and a free question to each address: which models are there?"""
    with card("Providers"):
        for name, one in PROVIDERS.items():
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                with st.container(width=520, gap=None):
                    st.markdown(f"**{one.title}**")
                    st.caption(one.meaning)
                _provider(name)


def _provider(name: str) -> None:
    if name == "embedded":
        ready = embedded_ready()
        st.badge("ready" if ready else "set up at first use", color="green" if ready else "gray")
        return
    url, typed = OPENAI, st.session_state.get("key_OPENAI_API_KEY") or None
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
        if name == "compatible":
            url = st.text_input("Address", key="augment_address", placeholder="http://localhost:11434/v1", persist_state="session",
                                label_visibility="collapsed", width=240)  # fmt: skip
            typed = st.session_state.get(f"key_{url}") or None
        has_key = name == "compatible" or bool(key_for(OPENAI, typed)[0])
        said = st.session_state.get(f"_settings_tested_{name}")
        if said and said[0] == (url, hash(typed)):
            st.badge(said[1], color="green", icon=":material/check_circle:")
        elif name == "openai":
            st.badge("has a key" if has_key else "no key", color="green" if has_key else "gray")
        if st.button("Test", key=f"settings_test_{name}", disabled=not (url and has_key)):
            with guarded(), st.spinner("Asking which models there are"):
                found = test_connection(name, base_url=clean_url(url), key=typed)
                st.session_state[f"_settings_tested_{name}"] = ((url, hash(typed)), f"works, {plural(len(found.models), 'model')}")
                st.rerun()


def workspace() -> None:
    """Place and size; per project rename, export, delete; the bin; import."""
    with card("Workspace"):
        st.caption("Place")
        st.code(str(home()), language=None)
        for one in keeping.usage():
            _project(one)
        others = keeping.other_usage()
        if others:
            st.caption(" · ".join(f"{name} {size(n)}" for name, n in others.items()))
        _bin()
        given = st.file_uploader("Import a project (zip)", type="zip", key="settings_import", max_upload_size=200)
        if given and st.button("Import project", icon=":material/upload:", key="settings_import_go"):
            with guarded():
                name = keeping.import_project(given.getvalue())
                st.toast(f"Imported as {plain(store.dataset(name).label)}")


def _project(one: keeping.Usage) -> None:
    with st.expander(
        plain(f"{one.label} · {size(one.bytes)} · {plural(one.versions, 'version')} · {plural(one.evaluations, 'evaluation')}")
    ):
        with st.form(f"rename_{one.name}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            label = st.text_input("Name", value=one.label)
            if st.form_submit_button("Rename"):
                with guarded():
                    keeping.rename(one.name, label)
                    st.rerun()
        with st.container(horizontal=True):
            st.download_button(
                "Export as zip",
                lambda: keeping.export_project(one.name),
                f"{one.name}.zip",
                key=f"export_{one.name}",
                on_click="ignore",
                icon=":material/download:",
            )
            if st.session_state.get("_deleting") != one.name:
                if st.button(f"Delete {plain(one.label)}", key=f"delete_{one.name}"):
                    st.session_state["_deleting"] = one.name
                    st.rerun()
            else:
                if st.button(f"Move {plain(one.label)} to the bin", key=f"delete_sure_{one.name}"):
                    keeping.delete(one.name)
                    st.session_state.pop("_deleting")
                    st.rerun()
                if st.button("Keep", key=f"keep_{one.name}"):
                    st.session_state.pop("_deleting")
                    st.rerun()


def _bin() -> None:
    waiting = keeping.in_bin()
    for ticket, label in waiting:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(f"{plain(label)} is in the bin.")
            if st.button("Undo", key=f"restore_{ticket}", icon=":material/undo:"):
                with guarded():
                    keeping.restore(ticket)
                    st.rerun()
    if waiting and st.button("Empty the bin", key="empty_bin"):
        st.toast(f"{size(keeping.empty_bin())} freed")
        st.rerun()


def device() -> None:
    """What this machine has to train with."""
    with card("Device"):
        for label, value in describe().items():
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                st.caption(label)
                st.text(value, width="content")


def prices() -> None:
    """The dated price table costs are computed from, to edit."""
    from ui.validate_prices import editor

    with card("Prices", height="content"):
        editor("settings")
