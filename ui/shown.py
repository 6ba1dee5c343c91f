"""What was shown to a language model before a question, and what asking it took: for Baselines and Compare."""

from __future__ import annotations

import streamlit as st

from core import format as fmt
from core.evaluation import Evaluation
from core.io import evaluations
from ui.state import plain


def shown(evaluation: Evaluation, place: int, key: str) -> None:
    """The solved rows or passages that stood before this test row's question, folded; nothing where there were none."""
    found = evaluations.shown(evaluation.id, place) if evaluation.family == "prompted" else []
    if not found:
        return
    with st.expander(f"What was shown to the model: {len(found)}", icon=":material/visibility:", key=f"{key}_{evaluation.id}_{place}"):
        for one in found:
            st.caption(plain(one.source))
            st.code(one.text, language=None, wrap_lines=True)
            if one.answer:
                st.code(one.answer, language=None, wrap_lines=True)


def account(evaluation: Evaluation) -> str:
    """ "250 prompts of 412 tokens on average, 688 at most · $0.02 · 12 asked again, 9 read then · 31 remembered, not paid" """
    told = evaluation.notes.get("asked")
    if not told:
        return ""
    mean, most = told.get("prompt_tokens_mean"), told.get("prompt_tokens_most")
    size = f" of {fmt.count(round(mean))} tokens on average, {fmt.count(most)} at most" if mean and most else ""
    counted = " (tokens counted here)" if told.get("estimated") else ""
    again = f"{fmt.count(told['asked_again'])} asked again, {fmt.count(told['read_then'])} read then" if told.get("asked_again") else ""
    parts = [fmt.plural(evaluation.n, "prompt") + size + counted, fmt.cost(told["usd"]) if told.get("usd") is not None else "free", again,
             f"{fmt.count(told['remembered'])} remembered, not paid again" if told.get("remembered") else "",
             f"{fmt.count(told['failed'])} failed" if told.get("failed") else "",
             f"{fmt.plural(evaluation.notes['passages_n'], 'passage')} from {evaluation.notes['passages']}"
             if "passages_n" in evaluation.notes else ""]  # fmt: skip
    return " · ".join(part for part in parts if part)
