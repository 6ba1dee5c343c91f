"""Baselines: the answer at the top: is a language model worth using here, in one sentence, with what it rests on."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import format as fmt
from core.compare.answer import Answer, answer
from core.io import evaluations as kept
from core.io import testing
from core.version import Version
from ui import cache
from ui.baselines_ladder import Ranked
from ui.state import go, plain


@st.cache_data(max_entries=16, show_spinner=False)
def _answer(_version: Version, id: str, seen: tuple[str, ...], stamp: Any) -> Answer | None:
    ones = [one for one, _ in cache.ranked(_version.dataset, id) if one.id in seen]
    return answer(ones, unit=fmt.unit_of(_version.roles.target), groups=testing.groups(_version))


def answer_card(version: Version, ranked: list[Ranked]) -> None:
    """The sentence and its two comparisons; nothing while a constant or a classical model is missing."""
    ones = [one.evaluation for one in ranked]
    found = _answer(version, version.id, tuple(one.id for one in ones), kept.stamp(version.dataset))
    if found is None:
        if ones:
            st.caption("An answer needs a constant and a classical model on these rows. Add them below.")
        return
    with st.container(border=True, gap="xsmall", key="baselines_answer"):
        with st.container(gap=None):
            st.caption("Must it be a language model?")
            st.header(plain(found.headline), anchor=False)
        for sentence in found.sentences:
            st.markdown(_bold(sentence, found.strong), width=780)
        leaked = len(cache.leaked_places(version.dataset, version.id))
        if leaked:
            known = f"{fmt.plural(leaked, 'test row')} {'is' if leaked == 1 else 'are'} known from train, which flatters whatever learns."
            st.markdown(f":yellow[:material/error:] {plain(known)} Move them in Curate before believing the numbers.", width=780)
        if any(one.family == "tuned" for one in ones) and st.button(
            "Fine-tuned models are judged in Compare", key="baselines_to_compare", type="tertiary", icon=":material/balance:"
        ):
            go("compare")


def _bold(sentence: str, strong: tuple[str, ...]) -> str:
    """The sentence with its verdict words in bold; everything is escaped first."""
    text = plain(sentence)
    for word in strong:
        text = text.replace(f", {word} ", f", **{word}** ", 1)
    return text
