"""From a finding or a cut to the step that mends it, on the page where steps are."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.version import Version

FIXES = {
    "parse": "Parse in Curate",
    "duplicates": "Remove in Curate",
    "conflicts": "Settle in Curate",
    "windows": "Trim in Curate",
    "scrub": "Clean in Curate",
    "range": "Cut in Curate",
    "balance": "Balance in Curate",
    "split": "Split in Curate",
    "augment": "Even out in Augment",
}
"""What mends a finding -> the words of its button. `roles` is mended by the card below."""


def fix(version: Version, name: str, column: str | None = None) -> None:
    """Remember what is to be done and where; `follow` goes there on the next run (callbacks cannot switch pages)."""
    st.session_state["_explore_send"] = {"version": version.id, "fix": name, "column": column, "settings": {}}


def send_cut(version: Version, low: int, high: int, tokenizer: str) -> None:
    """The cut of the Tokens view as a step."""
    settings = {"minimum": low, "maximum": high, "tokenizer": tokenizer}
    st.session_state["_explore_send"] = {"version": version.id, "fix": "windows", "column": None, "settings": settings}


def waiting() -> dict[str, Any] | None:
    return st.session_state.get("_explore_send")


def follow() -> None:
    """Go where the remembered fix belongs, if one waits."""
    from ui.state import go

    asked = st.session_state.pop("_explore_send", None)
    if not asked:
        return
    st.session_state["curate_incoming"] = asked
    go("augment" if asked["fix"] == "augment" else "curate")
