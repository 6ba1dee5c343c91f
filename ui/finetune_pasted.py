"""An AutoTrain command, pasted: its settings are taken, and every flag says what became of it."""

from __future__ import annotations

import streamlit as st

from core.errors import StudioError
from core.finetune.autotrain import CHANGED, IGNORED, UNDERSTOOD, Pasted, parse
from core.io import embedded
from core.io.lora import bases
from ui.finetune_model import BASE, HUB
from ui.finetune_settings import take
from ui.state import plain, show_error

SIGNS = {UNDERSTOOD: ":green[:material/check:]", CHANGED: ":yellow[:material/swap_horiz:]", IGNORED: ":gray[:material/remove:]"}
EXAMPLE = "!autotrain llm --train --model ... --data-path ... --peft --quantization int4 --lr 2e-4 --batch-size 8 --epochs 40"
SAMPLE = """!autotrain llm --train --project-name "llama2-korquad-finetuning-da" --model "TinyPixel/Llama-2-7B-bf16-sharded" \\
  --data-path "korquad_prompt_da" --text-column "text" --peft --quantization "int4" --lr 2e-4 --batch-size 8 --epochs 40 \\
  --trainer sft --model_max_length 256"""
"""The command of a Korean question answering project."""


def popover(kind: str) -> None:
    """The field, its button, and what the command said."""
    with st.popover("Paste a command", icon=":material/content_paste:", type="tertiary", help="The settings of an AutoTrain command"):
        st.text_area("An AutoTrain command", key="finetune_command", height=140, placeholder=EXAMPLE)
        with st.container(horizontal=True, gap="small"):
            st.button("Use its settings", key="finetune_command_use", icon=":material/check:", on_click=_use, args=(kind,))
            st.button("Fill in a Korean QA project's", key="finetune_command_sample", type="tertiary", on_click=_fill)
    if problem := st.session_state.pop("_finetune_command_error", None):
        show_error(problem)
    made: Pasted | None = st.session_state.get("_finetune_command")
    if made:
        _told(made)


def _fill() -> None:
    st.session_state["finetune_command"] = SAMPLE


def _use(kind: str) -> None:
    """Callback: the settings are there from the next run on."""
    try:
        made = parse(st.session_state.get("finetune_command", ""))
    except StudioError as problem:
        st.session_state["_finetune_command_error"] = problem
        return
    take(made.settings, kind)
    st.session_state["_finetune_command"] = made
    if here := next((one.id for one in bases.known() if made.model and made.model in (one.id, one.title)), None):
        st.session_state[BASE] = here


def _from_hub(model: str) -> None:
    st.session_state[BASE], st.session_state["finetune_repository"] = HUB, model


def _told(made: Pasted) -> None:
    """Every flag with its sign, and the base that is meant."""
    states = {state: sum(one.state == state for one in made.flags) for state in SIGNS}
    told = ", ".join(f"{n} {state}" for state, n in states.items() if n)
    with st.expander(f"The pasted command: {told}", icon=":material/content_paste:", expanded=True, key="finetune_command_told"):
        if made.model and not any(made.model in (one.id, one.title) for one in bases.known()):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f":material/info: {plain(f'{made.model} is not on this machine; {embedded.TITLE} is trained instead.')}",
                            width="content")  # fmt: skip
                if made.model.count("/") == 1:
                    st.button("Take it from the Hub", key="finetune_command_hub", type="tertiary", icon=":material/download:",
                              on_click=_from_hub, args=(made.model,))  # fmt: skip
        for one in made.flags:
            st.markdown(f"{SIGNS[one.state]} {plain(f'{one.name} {one.value}'.strip())} :gray[{plain(one.sentence)}]")
        if st.button("Close", key="finetune_command_close"):
            st.session_state.pop("_finetune_command", None)
            st.rerun()
