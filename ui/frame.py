"""The frame around every page: page config, menu, the version picker, running jobs. The app's main script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from core.curate.fields import label
from core.format import count, plural
from core.io import store
from core.version import Version
from ui import jobs
from ui.state import choose, last, page, plain, settle

HERE = Path(__file__).parent
HELP = {
    "explore": "What is in the table, and what is odd about it",
    "curate": "Steps from raw rows to training data",
    "augment": "More training rows, written by a language model",
    "validate": "Check a training file, count its tokens, see what it costs",
    "baselines": "Everything cheap, on the same test rows",
    "finetune": "Teach a model your rows",
    "compare": "The verdict",
    "settings": "Keys, providers, workspace, device",
}


def main() -> None:
    st.set_page_config(page_title="Finetune Studio", layout="wide", initial_sidebar_state=264, page_icon=str(HERE / "mark.svg"))
    st.logo(str(HERE / "logo.svg"), size="large", icon_image=str(HERE / "mark.svg"))
    chosen = st.navigation(
        {
            "": [st.Page(page("home"), title="Home", icon=":material/home:", default=True)],
            "Data": [
                _page("explore", "Explore", "travel_explore"),
                _page("curate", "Curate", "filter_alt"),
                _page("augment", "Augment with GPT", "auto_awesome"),
                _page("validate", "Validate & Cost", "fact_check"),
            ],
            "Models": [
                _page("baselines", "Baselines", "leaderboard"),
                _page("finetune", "Fine-tune", "model_training"),
                _page("compare", "Compare", "balance"),
            ],
            "Studio": [_page("settings", "Settings", "settings", visibility="hidden")],
        },
        expanded=True,
    )
    settle()
    with st.sidebar:
        _pickers()
        jobs.sidebar()
        st.page_link(page("settings"), label="Settings", icon=":material/settings:")
    chosen.run()


def _page(name: str, title: str, icon: str, **more: Any) -> Any:
    return st.Page(page(name), title=title, icon=f":material/{icon}:", url_path=name, help=HELP[name], **more)


def _pickers() -> None:
    """Dataset and version, bound to the URL; the newest version where none is asked for."""
    found = [one for one in store.datasets() if one.versions]
    if not found:
        return
    names = {one.id: one for one in found}
    asked = st.session_state.get("dataset") or _named(found, st.query_params.get("dataset")) or last()[0]
    st.session_state["dataset"] = asked if asked in names else found[0].id
    labels = {one.id: one.label for one in found}
    dataset = st.selectbox(
        "Dataset",
        list(labels),
        index=None,
        required=True,
        format_func=lambda id: labels[id],
        key="dataset",
        bind="query-params",
        icon=":material/database:",
        label_visibility="collapsed",
        placeholder="Choose a dataset",
        on_change=_forget_version,
    )
    if dataset is not None:
        _versions(names[dataset])


def _forget_version() -> None:
    st.session_state.pop("version", None)


def _named(found: list[store.Dataset], label: str | None) -> str | None:
    return next((one.id for one in found if label in (one.id, one.label)), None)


def _versions(dataset: store.Dataset) -> None:
    labels = {one.id: one.label for one in dataset.versions}
    asked = st.query_params.get("version") if "version" not in st.session_state else st.session_state["version"]
    match = next((id for id, label in labels.items() if asked in (id, label)), None)
    if asked and not match:
        st.caption(f":material/error: {plain(str(asked)[:40])} is gone; this is the newest.")
    remembered = last()[1] if last()[0] == dataset.id else None
    st.session_state["version"] = match or (remembered if remembered in labels and not asked else None) or dataset.versions[0].id
    picked = st.selectbox(
        "Version",
        list(labels),
        index=None,
        required=True,
        format_func=lambda id: labels[id],
        key="version",
        bind="query-params",
        icon=":material/history:",
        label_visibility="collapsed",
    )
    version = next((one for one in dataset.versions if one.id == picked), dataset.versions[0])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(plural(version.rows, "row"), width="content")
        if st.button("Lineage", icon=":material/account_tree:", type="tertiary", key="lineage"):
            _lineage(dataset, version)


@st.dialog("Lineage", position="right", width=460)
def _lineage(dataset: store.Dataset, version: Version) -> None:
    """Every version: what made it, rows before and after, what was dropped."""
    st.caption(plain(dataset.label))
    for one in dataset.versions:
        with st.status(f"{one.number} · {plain(one.title)}", type="step", state="complete", expanded=one.id == version.id):
            for report in one.report:
                gone = report.rows_before - report.rows_after
                st.caption(
                    plain(
                        f"{label(report.name)}: {report.sentence}"
                        + (f" ({'−' if gone > 0 else '+'}{count(abs(gone))} rows)" if gone else "")
                    )
                )
            st.caption(f"{plural(one.rows, 'row')}" + "".join(f" · {count(n)} {plain(name)}" for name, n in one.splits.items()))
            if one.id != version.id and st.button("Use this version", key=f"use_{one.id}"):
                choose(one)
                st.rerun()


main()
