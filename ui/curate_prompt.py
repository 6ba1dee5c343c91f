"""Curate: the prompt on real rows, in training with the answer and in the test without it."""

from __future__ import annotations

import streamlit as st

from core.curate.contrast import Shown
from core.format import count
from core.io import inspecting
from core.io.previewing import Preview
from core.version import Version
from ui import curate_state as state
from ui import tables
from ui.layout import card
from ui.state import plain

LONGEST = 900
"""Characters of a prompt that are shown until the whole is asked for."""


def stepper(key: str, total: int, turn: str = "") -> int:
    """Previous, Next and the place between them; returns the place (0 is the first). Another `turn` begins anew."""
    held = f"{key}_at"
    if st.session_state.get(f"{held}_turn") != turn:
        st.session_state[f"{held}_turn"], st.session_state[held] = turn, 0
    at = min(st.session_state.get(held, 0), total - 1)

    def move(by: int) -> None:
        st.session_state[held] = (at + by) % total

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Previous", key=f"{key}_previous", icon=":material/chevron_left:", on_click=move, args=(-1,), disabled=total < 2)
        st.button("Next", key=f"{key}_next", icon=":material/chevron_right:", on_click=move, args=(1,), disabled=total < 2)
        st.caption(f"{count(at + 1)} of {count(total)}", width="content")
    return at


def prompts(version: Version, seen: Preview) -> None:
    """One row of the outcome as the model meets it, twice."""
    recipe, frame = state.desk(version).recipe, seen.outcome.frame
    if inspecting.prompted(version, recipe, seen, 0) is None:
        return
    with card("The prompt on real rows", control=_whole):
        at = stepper("curate_prompt", len(frame), version.id)
        one = inspecting.prompted(version, recipe, seen, at)
        if one is None:
            return
        roles = seen.outcome.roles
        part = str(frame[roles.split].iloc[at]) if roles.split else ""
        st.caption(plain(f"{part.capitalize()} row" if part else "No split yet: each row could be trained on or tested"))
        left, right = st.columns(2)
        with left.container(gap="xsmall"):
            st.markdown("**In training: the answer is shown**")
            st.caption(f"{count(one.training_tokens)} tokens of {inspecting.tokenizer_of(recipe)}")
            text, start = cut(one.training, one)
            tables.marked(text, [(start, len(text), "learnt")], "curate_prompt_training")
        with right.container(gap="xsmall"):
            st.markdown("**In the test: the answer is hidden**")
            st.caption(f"{count(one.test_tokens)} tokens, then the model goes on")
            tables.marked(cut(one.test, one)[0], [], "curate_prompt_test")


def cut(text: str, one: Shown) -> tuple[str, int]:
    """The text without its middle unless the whole is asked for, and where the answer begins in it."""
    answer = len(one.training) - len(one.test) if one.training.startswith(one.test) else 0
    over = len(text) - LONGEST
    if over > 0 and not st.session_state.get("curate_prompt_whole"):
        text = f"{text[: LONGEST // 2]}\n… {count(over)} characters …\n{text[-LONGEST // 2 :]}"
    return text, len(text) - answer


def _whole() -> None:
    st.toggle("Whole texts", key="curate_prompt_whole")
