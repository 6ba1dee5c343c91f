"""The examples behind the checks, one page at a time; those over the limit with what is cut, and those that teach nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.format import count, plural
from core.io.counting import count_of
from core.validate.accounting import Cut, cuts
from core.validate.checks import RULES
from core.validate.talks import text_of
from ui.layout import card
from ui.tables import rows
from ui.validate_source import Subject

PAGE = 50
ALL, OVER, NOTHING = "All", "Over the limit", "Teach nothing"


def browser(subject: Subject) -> int | None:
    """The examples that pass the filters; returns the position of the selected one, else of the first."""
    kind = _kind(subject)
    places = _filtered(subject, kind)
    with card("Examples", height="content", control=lambda: _filters(subject, len(places))):
        _kinds(subject)
        if not len(places):
            st.caption("No example passes the filters.")
            return None
        pages = max(1, -(-len(places) // PAGE))
        state = f"validate_page_{subject.key}_{kind}_{st.session_state.get('validate_filter')}_{st.session_state.get('validate_range')}"
        number = min(int(st.session_state.get(state, 1)), pages)
        shown = places[(number - 1) * PAGE : number * PAGE]
        found = table(subject, shown) if kind != OVER else cut_table(subject, shown)
        picked = rows(found, f"validate_examples_{state}_{number}", select=True, height="auto" if len(shown) < 8 else 320,
                      alt=f"{plural(len(places), 'example')}", columns=_columns())  # fmt: skip
        if pages > 1:
            st.pagination(pages, key=state)
        return int(shown[picked[0]]) if picked else int(shown[0])


def _kind(subject: Subject) -> str:
    chosen = st.session_state.get("validate_kind")
    return str(chosen) if chosen in _offered(subject) else ALL


def _offered(subject: Subject) -> dict[str, int]:
    """Which kinds of examples there are, and how many of each."""
    tokens = subject.made.tokens
    found = {ALL: subject.made.examples, OVER: len(tokens.too_long), NOTHING: len(tokens.unlearnt)}
    return {name: n for name, n in found.items() if n or name == ALL}


def _kinds(subject: Subject) -> None:
    offered = _offered(subject)
    if len(offered) > 1:
        st.segmented_control("Which examples", list(offered), default=ALL, required=True, key="validate_kind", label_visibility="collapsed",
                             format_func=lambda name: f"{name} · {count(offered.get(name, 0))}")  # fmt: skip
        if _kind(subject) == OVER:
            local = hasattr(count_of(subject.made.model), "conversations")
            st.caption("A training on this machine cuts the end of the question and keeps the answer." if local else
                       "The platform cuts the end: where the answer stands there, it is the answer that is lost.")  # fmt: skip


def _filtered(subject: Subject, kind: str) -> np.ndarray:
    """Positions of the examples that pass the kind, the check's filter and the range of tokens; over the limit, the longest first."""
    made = subject.made
    places = np.arange(made.examples)
    if kind == OVER:
        over = np.flatnonzero(made.tokens.total > made.tokens.limit)
        places = made.tokens.places[over[np.argsort(-made.tokens.total[over], kind="stable")]]
    elif kind == NOTHING:
        places = made.tokens.unlearnt
    check = next((one for one in made.checks if one.name == st.session_state.get("validate_filter") and one.places), None)
    if check:
        places = places[np.isin(places, np.array(check.places))]
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


def cut_table(subject: Subject, places: Any) -> pd.DataFrame:
    """Examples over the limit: their tokens, how many are cut, and what becomes of the answer."""
    found = _cuts(subject, [int(place) for place in places])
    plain = table(subject, places)
    left = [f"{count(one.left)} of {count(one.answer)}" if one.answer else "n/a" for one in found]
    lost = pd.DataFrame(
        {
            "cut": [one.over for one in found],
            "answer": [one.says.replace("no answer", "none").removeprefix("answer ") for one in found],
            "answer left": left,
        }
    )
    return pd.concat([plain[["row", "tokens"]], lost, plain[["question"]]], axis=1)


def _cuts(subject: Subject, places: list[int]) -> list[Cut]:
    """What is cut of these examples, in their order."""
    made = subject.made
    model = "gpt-4" if made.rules == "classic" else made.model
    return cuts(made.chats, made.tokens, count_of(model), model, places=places)


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
        "cut": st.column_config.NumberColumn("cut", width=60, format="localized", help="Tokens past the limit."),
        "question": st.column_config.TextColumn("question", width=420),
        "answer": st.column_config.TextColumn("answer", width=180),
    }
