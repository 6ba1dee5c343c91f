"""The examples behind the checks, one page at a time, and one of them token by token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.format import count, plural
from core.io import validating
from core.validate.checks import RULES
from core.validate.learnt import learnt
from core.validate.talks import text_of
from ui.layout import card
from ui.tables import marked, rows
from ui.validate_source import Subject

PAGE = 50


def browser(subject: Subject) -> int | None:
    """The examples that pass the filters; returns the position of the selected one, else of the first."""
    places = _filtered(subject)
    with card("Examples", height="content", control=lambda: _filters(subject, len(places))):
        if not len(places):
            st.caption("No example passes the filters.")
            return None
        pages = max(1, -(-len(places) // PAGE))
        state = f"validate_page_{subject.key}_{st.session_state.get('validate_filter')}_{st.session_state.get('validate_range')}"
        number = min(int(st.session_state.get(state, 1)), pages)
        shown = places[(number - 1) * PAGE : number * PAGE]
        picked = rows(table(subject, shown), f"validate_examples_{state}_{number}", select=True, height="auto" if len(shown) < 8 else 320,
                      alt=f"{plural(len(places), 'example')}", columns=_columns())  # fmt: skip
        if pages > 1:
            st.pagination(pages, key=state)
        return int(shown[picked[0]]) if picked else int(shown[0])


def _filtered(subject: Subject) -> np.ndarray:
    """Positions of the examples that pass the check's filter and the range of tokens."""
    made = subject.made
    places = np.arange(made.examples)
    check = next((one for one in made.checks if one.name == st.session_state.get("validate_filter") and one.places), None)
    if check:
        places = np.array(check.places)
    between = st.session_state.get("validate_range")
    if between:
        total = made.tokens.total
        inside = made.tokens.places[(total >= between[0]) & (total <= between[1])]
        places = places[np.isin(places, inside)]
    return places


def _filters(subject: Subject, n: int) -> None:
    """The filters that are on, each removable, and how many examples pass."""
    names = {}
    chosen = st.session_state.get("validate_filter")
    if chosen in RULES and any(one.name == chosen for one in subject.made.checks):
        names["check"] = RULES[chosen].says
    if between := st.session_state.get("validate_range"):
        names["range"] = f"{count(between[0])} to {count(between[1])} tokens"
    with st.container(horizontal=True, width="content", gap="small", vertical_alignment="center"):
        for kind, words in names.items():
            shown = words.replace("<|end|>", "an end mark")
            if st.button(shown, icon=":material/close:", key=f"validate_off_{kind}", help="Remove this filter"):
                st.session_state["validate_filter" if kind == "check" else "validate_range"] = None
                st.rerun()
        st.caption(f"{count(n)} of {plural(subject.made.examples, 'example')}", width="content")


def table(subject: Subject, places: Any) -> pd.DataFrame:
    """Row, tokens, question and answer of these examples."""
    made = subject.made
    sizes = dict(zip(made.tokens.places.tolist(), made.tokens.total.tolist(), strict=True))
    chats = [made.chats[int(place)] for place in places]
    both = [_both(chat) for chat in chats]
    return pd.DataFrame(
        {
            "row": [made.file.lines[int(place)] for place in places],
            "tokens": pd.array([sizes.get(int(place)) for place in places], dtype="Int64"),
            "question": [asked for asked, _ in both],
            "answer": [told for _, told in both],
        }
    )


def _both(chat: Any) -> tuple[str, str]:
    """What the user said last and what the assistant said last, cut to a line; the raw line where there is neither."""
    messages = chat.get("messages") if isinstance(chat, dict) else None
    if not isinstance(messages, list):
        return str(chat)[:300], ""
    said = {str(one.get("role")): text_of(one.get("content")) for one in messages if isinstance(one, dict)}
    return " ".join(said.get("user", "").split())[:300], " ".join(said.get("assistant", "").split())[:200]


def _columns() -> dict[str, Any]:
    return {
        "row": st.column_config.NumberColumn("row", width=60, format="localized"),
        "tokens": st.column_config.NumberColumn("tokens", width=70, format="localized"),
        "question": st.column_config.TextColumn("question", width=420),
        "answer": st.column_config.TextColumn("answer", width=180),
    }


def _row(line: int) -> None:
    st.caption(f"row {count(line)}", width="content")


def learning(subject: Subject, place: int | None) -> None:
    """One example token by token, what is learnt marked."""
    if place is None:
        return
    made = subject.made
    with card("What the model learns", height="content", control=lambda: _row(made.file.lines[place])):
        shown = learnt(made.chats[place], validating.pieces_of(made.model), made.tokens.limit)
        if shown is None:
            st.caption("This line holds no messages, so nothing is learnt from it.")
            return
        cut = f" {count(shown.cut)} are past the limit and cut." if shown.cut else ""
        told = f"{plural(shown.learnt, 'marked token is', 'marked tokens are')} learnt, {count(shown.read)} are only read."
        st.caption(f"{told}{cut} Select another example above.")
        marked(shown.text, list(shown.spans), f"validate_learnt_{subject.key}_{place}")  # type: ignore[arg-type]
