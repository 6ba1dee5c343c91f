"""Train rows that also stand in the test: what Move leaks takes out and what the gate before saving counts.

The blocking levels of `core/curate/leakage.py` (equal, equal once normalised, near-duplicates, lineage) by the same finders,
without its slower levels that only warn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.curate import across
from core.curate.across import Hits
from core.curate.duplicates import NEAR, normalized, texts_of
from core.curate.families import ancestors, parents


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
    other, test = np.flatnonzero(parts != "test").tolist(), np.flatnonzero(parts == "test").tolist()
    if not test or not other:
        return Leaks()
    cells, numbers = texts_of(frame, list(columns)), frame.index.tolist()
    flat = [normalized(text) or None if text is not None else None for text in cells]
    reasons: dict[int, str] = {}
    leaked: set[int] = set()

    def sides(values: Sequence[str | None]) -> tuple[list[str | None], list[str | None]]:
        return [values[row] for row in other], [values[row] for row in test]

    def found() -> Iterator[tuple[str, Hits]]:
        yield "same text as", across.equal(*sides(flat))
        for values in (cells, flat) if near else ():
            yield "nearly the same text as", across.near(*sides(values), threshold)
        if parent and parent in frame:
            yield "made from or from the same row as", across.equal(*sides(_families(frame, parent)))

    for what, hits in found():
        leaked.update(hits.tests)
        for row, place in hits.trains.items():
            reasons.setdefault(other[row], f"{what} test row {numbers[test[place]] + 1}")
    return Leaks(len(leaked), dict(sorted(reasons.items())))


def _families(frame: pd.DataFrame, column: str) -> list[str | None]:
    """For each row the real row it goes back to; itself where it was made from none."""
    return [str(number) for number in ancestors(frame.index.tolist(), parents(frame, column))]
