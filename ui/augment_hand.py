"""Augment by hand: a request to copy into any chat, a box for the reply. No key, no network."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import StudioError
from core.format import plural
from core.io import by_hand
from core.version import Version
from ui.augment_write import Wish
from ui.layout import card, run_bar
from ui.state import guarded, plain, show_error


def ask_any_chat(version: Version, wish: Wish) -> None:
    """The card beside *What to write*, and the run bar."""
    if wish.settings is None:
        show_error(wish.error) if wish.error else None
        return
    with guarded():
        with card("Ask any chat"):
            left, right = st.columns([2, 3])
            per = left.number_input(
                "Rows per request",
                1,
                50,
                10,
                key="augment_per",
                persist_state="session",
                help="10 is a good size: chats forget rows in longer requests.",
            )
            requests = by_hand.hand_requests(version, wish.settings, int(per))
            known = by_hand.answered_by_hand(version, wish.settings)
            number = _choose(right, requests, known, int(per))
            st.caption("Copy this into any chat.")
            st.code(requests[number].text, language=None, wrap_lines=True, height=200)
            reply = st.text_area(
                "Its reply", key=f"augment_reply_{number}_{len(known)}", height=140, placeholder="Paste the whole reply here"
            )
            if st.button("Read the reply", key="augment_read", icon=":material/add:"):
                _read(version, wish, requests[number], reply)
            _said()
        _bar(len(known), sum(len(request.asks) for request in requests))


def _choose(into: Any, requests: list[by_hand.HandRequest], known: set[str], per: int) -> int:
    """Which request; the first that is not answered yet unless chosen otherwise."""
    open_ones = [i for i, request in enumerate(requests) if any(ask.key not in known for ask in request.asks)]
    names = {i: f"{i + 1} of {len(requests)}{'' if i in open_ones else ' (answered)'}" for i in range(len(requests))}
    first = open_ones[0] if open_ones else 0
    return into.selectbox("Request", list(names), index=first, format_func=lambda i: names[i], key=f"augment_request_{per}_{len(known)}")


def _read(version: Version, wish: Wish, request: by_hand.HandRequest, reply: str) -> None:
    if wish.settings is None:
        return
    pasted = by_hand.paste(version, wish.settings, request, reply)
    found = sum(len(read.variants) for read in pasted.found.values())
    if not found:
        raise StudioError(
            "A list with numbers or dashes, one variant per line, or JSON can be read. Paste the whole reply, or ask the chat again.",
            title="No variant was found in the reply",
        )
    st.session_state["augment_said"] = (
        f"{plural(found, 'variant')} of {plural(len(pasted.found), 'row')} read.",
        len(pasted.missing),
        list(pasted.left),
    )
    st.rerun()


def _said() -> None:
    said = st.session_state.pop("augment_said", None)
    if not said:
        return
    text, missing, left = said
    st.markdown(f":green[:material/check_circle:] {plain(text)}")
    if missing:
        st.caption(f"The reply says nothing about {plural(missing, 'row')}; they stay open.")
    if left:
        st.caption(f"{plural(len(left), 'piece')} of the reply held no variant:")
        st.code("\n".join(left)[:2000], language=None, wrap_lines=True)


def _bar(known: int, total: int) -> None:
    def review() -> None:
        st.session_state["augment_view"] = "Review"

    run_bar(
        state="Ready" if known else "Not ready",
        text=f"{known} of {plural(total, 'row')} answered · free" if known else "Paste a reply first",
        label="Review what was read",
        key="augment_to_review",
        disabled=not known,
        icon=":material/fact_check:",
        shortcut=None,
        on_click=review,
    )
