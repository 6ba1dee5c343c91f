"""Several models, each against one, on as many rows as those two share: for models that answered different numbers of test rows.

A leaderboard takes the rows all of them answered; here a model that was asked 250 of 2,000 rows takes nothing from the others.
The p values of one call are Holm-adjusted together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.compare.board import Pair
from core.compare.leaderboard import check_same
from core.compare.pairs import judged
from core.errors import DataError
from core.evaluate.answers import Answers, answers_of
from core.evaluate.intervals import FULL, group_codes
from core.evaluate.metrics import METRICS
from core.evaluate.paired import Difference, differences, holm
from core.evaluation import Evaluation
from core.task import task

if TYPE_CHECKING:
    import pandas as pd


def shared(a: Evaluation, b: Evaluation) -> list[int]:
    """The places in the test split that both answered, ascending; empty when there is none."""
    return sorted(set(a.answers["index"].tolist()) & set(b.answers["index"].tolist()))


def answers_on(one: Evaluation, places: Sequence[int]) -> Answers:
    """Its answers to these places, in that order."""
    frame: pd.DataFrame = one.answers.set_index("index").loc[list(places)].reset_index()
    return answers_of(replace(one, answers=frame))


def beside(
    others: Sequence[Evaluation],
    reference: Evaluation,
    *,
    name: str | None = None,
    groups: Mapping[int, object] | None = None,
    seed: int = 0,
    count: int = FULL,
) -> dict[str, Pair]:
    """Evaluation id -> that model minus the reference on one metric (default: the headline); models that share no row are left out.

    Raises DataError when they answered different tests, or when a truth differs.
    """
    check_same([reference, *others])
    metric = name or task(reference.task).headline
    same: dict[tuple[int, ...], list[Evaluation]] = {}
    for one in others:
        if places := shared(one, reference):
            same.setdefault(tuple(places), []).append(one)
    found: list[tuple[Evaluation, Difference]] = []
    for places, ones in same.items():
        base, mine = answers_on(reference, places), [answers_on(one, places) for one in ones]
        usable = [(one, its) for one, its in zip(ones, mine, strict=True) if _agree(one, its, reference, base, metric)]
        codes = None if groups is None else group_codes([groups.get(place) for place in places])
        seen = differences(metric, [its for _, its in usable], base, groups=codes, seed=seed, count=count)
        found += [(one, gap) for (one, _), gap in zip(usable, seen, strict=True)]
    adjusted = holm([gap.p for _, gap in found])
    return {one.id: judged(one.id, reference.id, gap, p, len(found)) for (one, gap), p in zip(found, adjusted, strict=True)}


def _agree(one: Evaluation, mine: Answers, reference: Evaluation, base: Answers, metric: str) -> bool:
    """Whether the metric means something for both. Raises DataError when the right answers differ."""
    if list(mine.truth) != list(base.truth):
        raise DataError(f"'{one.title}' and '{reference.title}' have different right answers to the same rows.",
                        title="The right answers differ")  # fmt: skip
    return METRICS[metric].columns(mine) is not None and METRICS[metric].columns(base) is not None
