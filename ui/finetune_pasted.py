"""An AutoTrain command, pasted: its settings are taken, and every flag says what became of it."""

from __future__ import annotations

import streamlit as st

from core.errors import StudioError
from core.finetune.autotrain import CHANGED, IGNORED, UNDERSTOOD, Pasted, parse
from core.io import embedded
from ui.finetune_settings import take
from ui.state import plain, show_error

SIGNS = {UNDERSTOOD: ":green[:material/check:]", CHANGED: ":yellow[:material/swap_horiz:]", IGNORED: ":gray[:material/remove:]"}
EXAMPLE = "!autotrain llm --train --model ... --data-path ... --peft --quantization int4 --lr 2e-4 --batch-size 8 --epochs 40"


def popover(kind: str) -> None:
    """The field, its button, and what the command said."""
    with st.popover("Paste a command", icon=":material/content_paste:", type="tertiary", help="The settings of an AutoTrain command"):
        st.text_area("An AutoTrain command", key="finetune_command", height=140, placeholder=EXAMPLE)
        st.button("Use its settings", key="finetune_command_use", icon=":material/check:", on_click=_use, args=(kind,))
    if problem := st.session_state.pop("_finetune_command_error", None):
        show_error(problem)
    made: Pasted | None = st.session_state.get("_finetune_command")
    if made:
        _told(made)


def _use(kind: str) -> None:
    """Callback: the settings are there from the next run on."""
    try:
        made = parse(st.session_state.get("finetune_command", ""))
    except StudioError as problem:
        st.session_state["_finetune_command_error"] = problem
        return
    take(made.settings, kind)
    st.session_state["_finetune_command"] = made


def _told(made: Pasted) -> None:
    """Every flag with its sign, and the base that is meant."""
    states = {state: sum(one.state == state for one in made.flags) for state in SIGNS}
    told = ", ".join(f"{n} {state}" for state, n in states.items() if n)
    with st.expander(f"The pasted command: {told}", icon=":material/content_paste:", expanded=True, key="finetune_command_told"):
        if made.model:
            st.markdown(f":material/info: {plain(f'{made.model} is not on this machine; {embedded.TITLE} is trained instead.')}")
        for one in made.flags:
            st.markdown(f"{SIGNS[one.state]} {plain(f'{one.name} {one.value}'.strip())} :gray[{plain(one.sentence)}]")
        if st.button("Close", key="finetune_command_close"):
            st.session_state.pop("_finetune_command", None)
            st.rerun()
