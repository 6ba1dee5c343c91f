"""The few blocks every page is built of: card, run bar, empty state, view switch, metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from ui.state import go, plain

STATES = {
    "Ready": ("green", "check_circle"),
    "Not ready": ("gray", "radio_button_unchecked"),
    "Warning": ("yellow", "error"),
    "Failed": ("red", "cancel"),
    "Working": ("blue", "pending"),
    "Done": ("green", "check_circle"),
}
"""Kind of state -> colour and icon of its badge."""


@contextmanager
def card(
    title: str,
    *,
    control: Callable[[], None] | None = None,
    icon: str | None = None,
    help: str | None = None,
    into: Any = st,
    height: str = "stretch",
    key: str | None = None,
) -> Iterator[None]:
    """A bordered container whose heading sits in a row with its one control at the right. `title` may be data: it is escaped."""
    with into.container(border=True, height=height, gap="xsmall", key=key):
        if title or control:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.subheader(plain(title), anchor=False, width="content", help=help)
                with st.container(horizontal=True, width="content", gap=None, vertical_alignment="center"):
                    st.container(width=1, height=38, border=False)  # the strut: every heading row is 38 px high
                    if control:
                        control()
        yield


def run_bar(
    *,
    label: str,
    key: str,
    state: str = "Ready",
    badge: str | None = None,
    text: str = "",
    disabled: bool = False,
    primary: bool = True,
    shortcut: str | None = "Mod+Enter",
    icon: str | None = ":material/play_arrow:",
    before: Callable[[], None] | None = None,
    on_click: Callable[..., None] | None = None,
) -> bool:
    """The bar at the foot: how it stands (`state` one of STATES, `badge` its words), what it takes or what is missing, the one button.

    `before` draws secondary controls left of the button. Returns whether the button was pressed.
    """
    color, sign = STATES[state]
    row = {"horizontal": True, "vertical_alignment": "center", "gap": "small", "width": "content"}
    with st.bottom, st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(**row):
            st.badge(plain(badge or state), icon=f":material/{sign}:", color=color)  # type: ignore[arg-type]
            if text:
                st.markdown(f":small[:gray[{plain(text)}]]", width="content")
        with st.container(**row):
            if before:
                before()
            return st.button(
                label,
                key=key,
                type="primary" if primary else "secondary",
                icon=icon,
                disabled=disabled,
                shortcut=None if disabled else shortcut,
                on_click=on_click,
            )


def empty(icon: str, title: str, text: str, label: str | None = None, *, to: str | None = None, key: str = "empty",
          first: Callable[[], object] | None = None) -> bool:  # fmt: skip
    """What is not there, why it matters, and the one button that mends it (`to` names the page it leads to, after `first`)."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"# :gray[:material/{icon}:]", width="content")
        st.subheader(title, anchor=False, text_alignment="center")
        st.caption(text, width=420, text_alignment="center")
        pressed = st.button(label, type="primary", key=f"{key}_button") if label else False
        st.space("small")
    if pressed and first:
        first()
    if pressed and to:
        go(to)
    return pressed


def no_data(page: str) -> None:
    """The empty state of every page before there is a dataset; ends the run."""
    empty(
        "database",
        "No data yet",
        "Open a sample or a file of your own first. It takes less than a minute.",
        "Choose data",
        to="home",
        key=page,
    )
    st.stop()


def view(page: str, options: Sequence[str]) -> str:
    """The page's views as a segmented control bound to the URL."""
    return st.segmented_control(
        "View", list(options), default=options[0], required=True, label_visibility="collapsed", key=f"{page}_view", bind="query-params"
    )


def metrics(items: Sequence[tuple[str, str, str | None]]) -> None:
    """Label, value as text, and a sentence of help, side by side in bordered boxes."""
    for column, (label, value, help) in zip(st.columns(len(items)), items, strict=True):
        column.metric(label, plain(value) if any(c in value for c in "$*_[:") else value, help=help, border=True)
