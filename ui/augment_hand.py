"""Augment by hand: a request to copy into any chat, a box for the reply, what was read of it. No key, no network."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.augment.pasted import HandRequest
from core.errors import StudioError
from core.format import count, plural, short
from core.io import augmenting, by_hand
from core.version import Version
from ui import augment_cache
from ui.augment_write import Wish
from ui.layout import card, run_bar
from ui.state import guarded, plain
from ui.tables import rows


def ask_any_chat(version: Version, wish: Wish) -> None:
    """The card beside *What to write*, and the run bar."""
    if wish.settings is None:
        return
    with guarded():
        with card("Ask any chat"):
            per = st.number_input(
                "Rows per request",
                1,
                20,
                10,
                key="augment_per",
                persist_state="session",
                help="1 sends the request word for word. 10 is a good size; chats forget rows in longer requests.",
            )
            requests = augment_cache.hand_requests(version.dataset, version.id, wish.settings, int(per))
            known = by_hand.answered_by_hand(version, wish.settings)
            number = _choose(requests, known, int(per))
            request = requests[number]
            st.markdown("**1.** Copy this into any chat.")
            st.code(request.text, language=None, wrap_lines=True, height=200)
            st.markdown("**2.** Paste its whole reply here.")
            box = f"augment_reply_{number}_{len(known)}"
            reply = st.text_area(
                "Its reply", key=box, height=140, placeholder="Paste the whole reply here", label_visibility="collapsed"
            )  # fmt: skip
            if st.button("Read the reply", key="augment_read", icon=":material/add:"):
                _read(version, wish, request, reply)
            _said()
        _answered(version, wish, request, known)
        _bar(len(known), sum(len(one.asks) for one in requests))


def _choose(requests: list[HandRequest], known: set[str], per: int) -> int:
    """Which request; the first that is not answered yet unless chosen otherwise."""
    open_ones = [i for i, request in enumerate(requests) if any(ask.key not in known for ask in request.asks)]
    names = {i: f"{i + 1} of {len(requests)}{'' if i in open_ones else ' (answered)'}" for i in range(len(requests))}
    first = open_ones[0] if open_ones else 0
    return st.selectbox("Request", list(names), index=first, format_func=lambda i: names[i], key=f"augment_request_{per}_{len(known)}")


def _read(version: Version, wish: Wish, request: HandRequest, reply: str) -> None:
    if wish.settings is None:
        return
    if not reply.strip():
        raise StudioError("Copy the request into a chat, then paste its whole reply into the box.", title="Nothing is pasted yet")
    pasted = by_hand.paste(version, wish.settings, request, reply)
    found = sum(len(read.variants) for read in pasted.found.values())
    if not found:
        raise StudioError(
            "A list with numbers or dashes, one variant per line, or JSON can be read. Paste the whole reply, or ask the chat again.",
            title="No variant was found in the reply",
        )
    known = by_hand.answered_by_hand(version, wish.settings)
    missing = {ask.row: ask.original for ask in request.asks if ask.row in pasted.missing and ask.key not in known}
    st.session_state["augment_said"] = (
        f"{plural(found, 'variant')} of {plural(len(pasted.found), 'row')} read.",
        missing,
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
        st.caption(f"The reply says nothing about {plural(len(missing), 'row')}; they stay open and come again:")
        st.code("\n".join(f"row {row + 1}: {short(' '.join(text.split()), 80)}" for row, text in missing.items()), language=None)
    if left:
        st.caption(f"{plural(len(left), 'piece')} of the reply held no variant:")
        st.code("\n".join(left)[:2000], language=None, wrap_lines=True)


def _answered(version: Version, wish: Wish, request: HandRequest, known: set[str]) -> None:
    """Row by row of the chosen request: what was read of it, what is missing."""
    if wish.settings is None or not known:
        return
    found = augmenting.replies_in(by_hand.hand_folder(version, wish.settings), request.asks)
    table = pd.DataFrame(
        [(count(ask.row + 1), " ".join(ask.original.split()), _read_of(found, ask)) for ask in request.asks],
        columns=["Train row", "Text", "Read"],
    )
    with card("What was read"):
        rows(table, "augment_hand_read", height=min(300, 38 + 35 * len(table)), alt=f"{len(found)} of {len(request.asks)} rows read")


def _read_of(found: dict[str, Any], ask: Any) -> str:
    return plural(len(found[ask.key].variants), "variant") if ask.key in found else "missing"


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
