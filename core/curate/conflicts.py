"""The same text with different targets, and how good any model can be in spite of it.

A model that sees equal texts must answer them alike: of each group it can get only the most frequent label right, and
its smallest absolute error is at the group's median. Summed over all rows that is the ceiling. Which rows are the same
is decided by `core/curate/duplicates.py`; what a target is, by `core/task.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.curate.duplicates import members
from core.format import cost, money, number, share
from core.task import Target


@dataclass(frozen=True)
class Conflicts:
    groups: tuple[tuple[int, ...], ...]
    """Rows (0-based) of each group of equal texts that disagree on the target."""
    rows: int
    """Rows with a target."""
    ceiling: float
    """Labels and answers: the highest possible accuracy, 0 to 1. Numbers: the smallest possible mean absolute error."""
    numeric: bool

    @property
    def disagreeing(self) -> int:
        """How many rows stand in a group that disagrees."""
        return sum(map(len, self.groups))

    def sentence(self, unit: str = "number") -> str:
        """The ceiling in words; `unit` is "usd" or "number" and counts for numbers only."""
        if not self.groups:
            return "Rows of equal text agree."
        if self.numeric:
            shown = number(self.ceiling) if unit != "usd" else money(self.ceiling) if self.ceiling >= 0.05 else cost(self.ceiling)
            return f"no model can miss by less than {shown}"
        told = share(self.ceiling, self.rows)
        if told.startswith("100"):  # a ceiling below one never reads as one
            told = f"{math.floor(10_000 * self.ceiling) / 100:.2f} %"
        return f"no model can reach more than {told}"


def conflicts(groups: np.ndarray, targets: Sequence[Target | None]) -> Conflicts:
    """Groups of rows that are the same (as `duplicates.exact` gives them) whose targets differ; rows without a target are left out."""
    known = [target for target in targets if target is not None and target == target]
    numeric = bool(known) and all(isinstance(target, (int, float)) and not isinstance(target, bool) for target in known)
    found, lost = [], 0.0
    for rows in members(groups).values():
        given = [(row, target) for row in rows if (target := targets[row]) is not None and target == target]
        if len({target for _, target in given}) > 1:
            found.append(tuple(row for row, _ in given))
            lost += _lost([target for _, target in given], numeric)
    best = (lost if numeric else len(known) - lost) / len(known) if known else math.nan
    return Conflicts(tuple(found), len(known), best, numeric)


def usual(groups: np.ndarray, targets: Sequence[Target | None]) -> dict[int, Target]:
    """The answer to keep for each row of a disagreeing group: the most frequent target, the first seen at a tie; numbers: the median
    of the group (its lower one when the count is even)."""
    kept: dict[int, Target] = {}
    found = conflicts(groups, targets)
    for rows in found.groups:
        given = [target for row in rows if (target := targets[row]) is not None]
        best = sorted(given)[(len(given) - 1) // 2] if found.numeric else Counter(given).most_common(1)[0][0]
        kept.update(dict.fromkeys(rows, best))
    return kept


def _lost(given: list[Target], numeric: bool) -> float:
    """What a group costs at least: rows that stay wrong, or the sum of absolute errors."""
    if numeric:
        values = np.array(given, dtype=float)
        return float(np.abs(values - np.median(values)).sum())
    return len(given) - Counter(given).most_common(1)[0][1]
