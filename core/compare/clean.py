"""What is left of a score without the test rows that train rows already know: the same answers, the clean rows only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core import format as fmt
from core.evaluate.answers import Answers
from core.evaluate.intervals import PREVIEW, Measured, group_codes, measure
from core.evaluate.metrics import METRICS


@dataclass(frozen=True)
class Entrant:
    """One model's answers and the places in the test split they belong to."""

    title: str
    answers: Answers
    index: Sequence[int]
    groups: Sequence[object] | None = None
    """Which rows belong together; None when each stands alone."""


@dataclass(frozen=True)
class Clean:
    """One model's score over all rows it answered and over those that do not leak."""

    title: str
    score_all: Measured
    score_clean: Measured
    """Over 0 rows, and not defined, when every row leaks."""

    @property
    def leaked(self) -> int:
        return self.score_all.n - self.score_clean.n


def cleaned(entrants: Sequence[Entrant], leaked: Collection[int], metric: str, *, seed: int = 0, count: int = PREVIEW) -> tuple[Clean, ...]:
    """Both scores of each model, in the given order; `leaked` are places in the test split. Empty when no answered row leaks."""
    gone = set(leaked)
    found = []
    for one in entrants:
        keep = np.array([place not in gone for place in one.index], dtype=bool)
        found.append(
            Clean(one.title, _measured(one, np.full(len(keep), True), metric, seed, count), _measured(one, keep, metric, seed, count))
        )
    return tuple(found) if any(one.leaked for one in found) else ()


def _measured(one: Entrant, keep: np.ndarray, metric: str, seed: int, count: int) -> Measured:
    places = np.flatnonzero(keep)
    groups = None if one.groups is None else group_codes([one.groups[place] for place in places.tolist()])
    return measure(one.answers.take(places), [metric], groups=groups if len(places) else None, seed=seed, count=count)[metric]


def sentence(found: Sequence[Clean], metric: str, unit: str) -> str:
    """One line on what leaking changes; "" when nothing leaks or no number changes as it is shown. `unit` is the metric's."""
    if not found:
        return ""
    most = max(found, key=lambda one: one.leaked)
    n, lost = most.score_all.n, most.leaked
    known = f"{fmt.count(lost)} of {fmt.plural(n, 'test row')} {'is' if lost == 1 else 'are'} known from train"
    if lost == n:
        return f"{known}: no score here is clean."
    first, then = (_first(found, metric, clean) for clean in (False, True))
    told = [fmt.metric(unit, value.value, value.n) for value in (first.score_all, first.score_clean)]
    if told[0] == told[1] and first == then:
        return ""
    ends = fmt.interval(first.score_clean.low, first.score_clean.high, unit, prose=True)
    clean = f"{told[1]}{'' if ends == 'n/a' else ' ' + ends}"
    line = (
        f"{known}. Without them {first.title} reaches {clean} on {fmt.plural(first.score_clean.n, 'row')}, not {told[0]} on {fmt.count(n)}"
    )
    if then == first:
        return f"{line}."
    value = then.score_clean
    return f"{line}; first is then {then.title} with {fmt.metric(unit, value.value, value.n)}."


def _first(found: Sequence[Clean], metric: str, clean: bool) -> Clean:
    def rank(one: Clean) -> tuple[float, str]:
        value = (one.score_clean if clean else one.score_all).value
        return (METRICS[metric].rank(value) if np.isfinite(value) else np.inf), one.title

    return min(found, key=rank)
