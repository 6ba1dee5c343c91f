"""Baselines: when an answer counts as a hit, the two rules by name, and what a constant hits beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import format as fmt
from core.evaluate.answers import make_answers
from core.evaluate.hits import RULES, Rule, constant_guess
from core.evaluate.inside import CLOSE, FAR, OFF, UNREAD, judged
from core.version import Version
from ui import cache, charts

SYMBOL = {CLOSE: (charts.GOOD, "circle", "●"), OFF: (charts.FAIR, "diamond", "◆"), FAR: (charts.POOR, "x", "✕"), UNREAD: ("", "", "?")}
"""Judgement -> colour, shape in figures, shape in words."""
NAMES = {"scaled": "Close: scaled to the data", "course": "Close: the course's $40 or 20 %"}


def rule(version: Version) -> Rule:
    """The rule in force: chosen by name, else scaled to the truths of all test rows."""
    return _rule(version.dataset, version.id, st.session_state.get("baselines_rule", "scaled"))


@st.cache_data(max_entries=16, show_spinner=False)
def _rule(dataset: str, version: str, name: str) -> Rule:
    truths = cache.examples(dataset, version, "test").targets or ()
    return RULES[name](np.asarray(truths, dtype=float) if all(isinstance(one, float) for one in truths) else np.array([]))


def picker(version: Version) -> None:
    """The choice between the two rules, for numbers."""
    if version.task == "regression":
        st.selectbox("When a guess is close", list(NAMES), key="baselines_rule", format_func=lambda one: NAMES[one],
                     label_visibility="collapsed")  # fmt: skip


def words(version: Version) -> str:
    """The rule in a sentence."""
    if version.task == "classification":
        return "Right says the same as the truth."
    if version.task != "regression":
        return "Close says the same, off shares half of it."
    unit, one = fmt.unit_of(version.roles.target), rule(version)
    near, fair = (f"within {fmt.metric(unit, times * one.close)} or {fmt.share(times * one.ratio)} of the truth" for times in (1, 2))
    why = ": a quarter of the truths' median absolute deviation" if one.name == "scaled" else ""
    return f"Close: {near}{why}. Off: {fair}."


def judgement(kind: str, name: str) -> str:
    """The word for a judgement: numbers and answers are close or off, labels right or wrong."""
    return {CLOSE: "right", OFF: "one off", FAR: "wrong"}.get(name, name) if kind == "classification" else name


def constant_share(version: Version, places: Sequence[int]) -> float:
    """The share of these test rows that a constant learnt from the train targets hits."""
    train, test = (cache.examples(version.dataset, version.id, split) for split in ("train", "test"))
    said, truths = constant_guess(train.task, train.targets or ()), test.targets or ()
    some = [truths[place] for place in places]
    if said is None or not some:
        return float("nan")
    answers = make_answers(train.task, some, [said] * len(some))
    return float(np.mean(judged(answers, rule(version)) == CLOSE))


def beside(version: Version, judgements: Any, places: Sequence[int] | None = None) -> str:
    """ "71 % close, a constant 31 %": the hit rate and what it is worth; without places the constant's over all test rows."""
    said = np.asarray(judgements)
    word, n = judgement(version.task or "", CLOSE), len(said)
    mine = fmt.share(float(np.mean(said == CLOSE)), n) if n else "n/a"
    asked = list(places) if places is not None else list(range(version.splits.get("test", 0)))
    constant = fmt.share(constant_share(version, asked), len(asked))
    return f"{mine} {word}, a constant {constant}" + ("" if places is not None else " of all test rows")
