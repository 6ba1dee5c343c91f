"""Where a person is: the current dataset and version, pages, and how errors are shown.

Session keys: `dataset` and `version` belong to the pickers of the frame (and the URL), `_choose` is a choice waiting for
the next run, because a widget's key cannot be set once it is drawn. Nothing that matters lives in the session only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.errors import StreamlitAPIException

from core.errors import Stopped, StudioError
from core.io import files, store
from core.version import Version

PAGES = {
    "home": "Home",
    "explore": "Explore",
    "curate": "Curate",
    "augment": "Augment with GPT",
    "validate": "Validate & Cost",
    "baselines": "Baselines",
    "finetune": "Fine-tune",
    "compare": "Compare",
    "settings": "Settings",
}


@dataclass(frozen=True)
class Here:
    """What the page works on."""

    dataset: store.Dataset | None = None
    version: Version | None = None
    error: StudioError | None = None
    """Why the version asked for is not there."""


def page(name: str) -> str:
    """The path of a page for st.switch_page and st.page_link, seen from the main script."""
    return f"../pages/{name}.py"


def link(name: str, label: str, *, icon: str | None = None, key: str | None = None) -> None:
    """A link to a page; plain text where a page runs by itself, without the frame."""
    try:
        st.page_link(page(name), label=label, icon=icon)
    except Exception as error:  # a page that runs alone has no pages to link to
        if type(error).__name__ not in ("StreamlitPageNotFoundError", "StreamlitAPIException"):
            raise
        st.caption(f"{label} is on {PAGES[name]}.")


def go(name: str) -> None:
    """Switch to another page now (does not return). A page that runs alone stays where it is."""
    try:
        st.switch_page(page(name), query_params={})  # without them, parameters bound to the pickers make it fail
    except StreamlitAPIException:
        st.session_state["_went"] = name
        st.rerun()


def choose(version: Version) -> None:
    """Make this the current version from the next run on; call st.rerun() or go() after it."""
    st.session_state["_choose"] = (version.dataset, version.id)


def settle() -> None:
    """Take over a waiting choice, the URL's, or the workspace's last one: before the pickers are drawn."""
    waiting = st.session_state.pop("_choose", None)
    if waiting:
        st.session_state["dataset"], st.session_state["version"] = waiting
        files.write_json(files.home() / "current.json", {"dataset": waiting[0], "version": waiting[1]})


def last() -> tuple[str | None, str | None]:
    """The dataset and version used last in this workspace."""
    try:
        data = files.read_json(files.home() / "current.json")
        return data.get("dataset"), data.get("version")
    except (OSError, ValueError, AttributeError):
        return None, None


def remember(version: Version) -> None:
    """Keep the current version for the next visit."""
    if last() != (version.dataset, version.id):
        files.write_json(files.home() / "current.json", {"dataset": version.dataset, "version": version.id})


def current() -> Here:
    """What the pickers, the URL or the last visit say; the newest version where only a dataset is named."""
    asked = st.session_state.get("dataset") or st.query_params.get("dataset")
    asked_version = st.session_state.get("version") or st.query_params.get("version")
    if not asked:
        asked, asked_version = last()
    everything = store.datasets()
    if not asked and not any(one.versions for one in everything):
        return Here()
    try:
        found = next((d for d in everything if asked in (d.id, d.label, None) and d.versions), None) or store.dataset(asked or "")
        if not found.versions:
            raise StudioError(
                f"The dataset cannot be opened: {found.broken}. Remove it on Home, or restore its files.", title="Damaged dataset"
            )
        match = [v for v in found.versions if asked_version in (v.id, v.label)]
        if asked_version and not match:
            return Here(
                found, None, StudioError("It may have been deleted. Choose another version in the sidebar.", title="That version is gone")
            )
        return Here(found, match[0] if match else found.versions[0])
    except StudioError as error:
        return Here(error=error)


def open_page(
    key: str, title: str, lead: str, export: Callable[[], None] | None = None, *, action: Callable[[], None] | None = None
) -> Here:
    """Title, one-sentence lead, Export at the right; then what the page works on. Shows why a version cannot be opened."""
    settle()
    here = current()
    left, right = st.columns([5, 1] if not action else [3, 1.25], vertical_alignment="bottom")
    with left.container(gap=None):
        st.title(title, anchor=False)
        st.caption(lead)
    if export or action:
        with right.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
            if action:
                action()
            if export and here.version:
                with st.popover("Export", icon=":material/download:", type="tertiary"):
                    export()
    if here.error:
        show_error(here.error)
    elif here.version:
        remember(here.version)
    return here


def plain(text: object) -> str:
    """Untrusted text for places that render Markdown: every mark escaped, no link, no image, no formula, one line."""
    flat = " ".join(str(text).split())
    escaped = re.sub(r"([\\`*_{}\[\]()#+\-.!|~$<>:&^=])", r"\\\1", flat)
    return re.sub(r"\\:(?=\w)|\\:(?=\\?/)", "\\:\u2060", escaped).replace("www\\.", "www\u2060\\.")


def show_error(error: StudioError) -> None:
    """An error as people read it: what happened, then values, what was expected, what to do."""
    st.error(plain(error), title=plain(error.title), icon=":material/error:")


@contextmanager
def guarded() -> Iterator[None]:
    """Show a StudioError raised inside instead of ending the page; bugs are not hidden."""
    try:
        yield
    except Stopped:
        st.toast("Stopped. What was finished is kept.")
    except StudioError as error:
        show_error(error)
