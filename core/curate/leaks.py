"""Train rows that also stand in the test: what Move leaks takes out and what the gate before saving counts.

The blocking levels of `core/curate/leakage.py` (equal, equal once normalised, near-duplicates, lineage) by the same finders,
without its slower levels that only warn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.curate.duplicates import NEAR, near_duplicates, normal, normalized, texts_of
from core.curate.families import parents


@dataclass(frozen=True)
class Leaks:
    test_rows: int = 0
    """Test rows that also stand in train or validation."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Place of each train or validation row that has to leave -> why, ascending."""


def leaks(
    frame: pd.DataFrame, parts: np.ndarray, columns: Sequence[str], *, parent: str | None = None, near: bool = True, threshold: float = NEAR
) -> Leaks:
    """Compare the rows of the test with all others. `parts` names each row's part; the index numbers rows as `parent` does."""
    other, test = np.flatnonzero(parts != "test"), np.flatnonzero(parts == "test")
    if not len(test) or not len(other):
        return Leaks()
    cells = texts_of(frame, list(columns))
    ordered = [cells[row] for row in [*other.tolist(), *test.tolist()]]
    numbers = frame.index.tolist()
    found: dict[int, str] = {}
    leaked: set[int] = set()

    def take(pairs: Iterator[tuple[int, int]] | list[tuple[int, int]], what: str) -> None:
        for one, place in pairs:
            leaked.add(place)
            found.setdefault(one, f"{what} test row {numbers[place] + 1}")

    take(_same(normal(ordered), other, test), "same text as")
    if near:
        flat = [normalized(text) or None if text is not None else None for text in ordered]
        for side in (ordered, flat):
            pairs = near_duplicates(side, threshold, len(other)).tolist()
            take([(int(other[i]), int(test[j - len(other)])) for i, j in pairs], "nearly the same text as")
    if parent and parent in frame:
        take(_related(frame, parent, other, test), "made from or from the same row as")
    return Leaks(len(leaked), dict(sorted(found.items())))


def _same(groups: np.ndarray, other: np.ndarray, test: np.ndarray) -> Iterator[tuple[int, int]]:
    """(other row, test row) for every pair of one group."""
    where: dict[int, list[int]] = {}
    for place, group in enumerate(groups[: len(other)].tolist()):
        where.setdefault(group, []).append(int(other[place]))
    for place, group in enumerate(groups[len(other) :].tolist()):
        yield from ((row, int(test[place])) for row in where.get(group, ()))


def _related(frame: pd.DataFrame, column: str, other: np.ndarray, test: np.ndarray) -> Iterator[tuple[int, int]]:
    """(other row, test row) that are parent and child, or children of one row."""
    family = [own if of is None else of for own, of in zip(frame.index.tolist(), parents(frame, column), strict=True)]
    where: dict[int, list[int]] = {}
    for row in other.tolist():
        where.setdefault(family[row], []).append(row)
    for row in test.tolist():
        yield from ((one, row) for one in where.get(family[row], ()))
