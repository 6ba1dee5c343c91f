"""A step over equal texts with different targets: no model can be right about them.

Rows without a target contradict nothing and stay. Once there is a split train rows only leave, and only they are counted
for the majority. The measure of what disagreement costs is `core/curate/conflicts.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.curate.duplicates import normal, texts_of
from core.curate.fields import Settings, setting
from core.curate.parse import listed
from core.curate.repeats import compared
from core.curate.table import Change, Table, texts
from core.errors import DataError
from core.reading import read_amount

Value = float | str


@dataclass(frozen=True)
class ConflictSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that must be equal; empty means the text columns.", "columns", empty="the text columns")
    apart: float = setting(
        0.0, "For numbers: how far apart, in percent of the larger, two targets may be and still agree.", "number", low=0, high=100
    )
    action: str = setting(
        "drop",
        "drop: all rows of such a text leave. majority: rows with the most frequent target stay; at a tie all leave.",
        "choice",
        choices=("drop", "majority"),
    )


def conflicting(table: Table, settings: ConflictSettings, seed: int) -> Change:
    """Rows of a text that comes with different targets leave, all or all but the majority; capitals and marks make no difference."""
    if not table.roles.target:
        raise DataError("Nothing is to be predicted yet, so no targets can disagree. Choose what to predict on Explore.", title="No target")
    groups = normal(texts_of(table.frame, compared(settings.columns, table.roles)))
    places, values = _targets(table)
    movable = table.movable()
    reasons = np.full(len(groups), None, dtype=object)
    rows = np.flatnonzero(places >= 0)
    rows = rows[np.argsort(groups[rows], kind="stable")]
    cuts = np.flatnonzero(groups[rows][1:] != groups[rows][:-1]) + 1
    starts = np.r_[0, cuts] if len(rows) else cuts
    if not len(rows):
        return Change(dropped=reasons)
    mixed = np.minimum.reduceat(places[rows], starts) != np.maximum.reduceat(places[rows], starts)
    ends = np.r_[cuts, len(rows)]
    for start, end in zip(starts[mixed].tolist(), ends[mixed].tolist(), strict=True):
        some = rows[start:end]
        told = sorted({int(place) for place in places[some]})
        if not _disagree([values[place] for place in told], settings.apart):
            continue
        reason = f"the same text has {len(told)} different targets"
        able = some[movable[some]]
        if settings.action == "majority" and len(able):
            kept = _majority(places[able], values, settings.apart)
            if kept is not None:
                able, reason = able[~np.isin(places[able], kept)], "most rows of the same text have another target"
        reasons[able] = reason
    return Change(dropped=reasons)


def _targets(table: Table) -> tuple[np.ndarray, list[Value]]:
    """The place of each row's target among the distinct ones, -1 where there is none, and these."""
    codes, cells = pd.factorize(np.array(texts(table.frame[table.roles.target]), dtype=object))
    where: dict[Value, int] = {}
    places = []
    for cell in cells.tolist():
        value = _target(cell, table.task)
        places.append(-1 if value is None else where.setdefault(value, len(where)))
    return np.array([*places, -1], dtype=np.int64)[codes], list(where)


def _target(cell: str, task: str | None) -> Value | None:
    number = read_amount(cell) if task in (None, "regression") else None
    return number if number is not None else cell.strip() or None


def _disagree(values: Sequence[Value], apart: float) -> bool:
    if all(isinstance(value, float) for value in values):
        low, high = float(min(values)), float(max(values))  # type: ignore[type-var]
        return high - low > apart / 100 * max(abs(low), abs(high))
    return len(values) > 1


def _majority(places: np.ndarray, values: Sequence[Value], apart: float) -> np.ndarray | None:
    """The targets that stay: the one most rows agree with, and those that agree with it; None at a tie."""
    told, counts = np.unique(places, return_counts=True)
    if not apart or not all(isinstance(values[place], float) for place in told.tolist()):
        best = np.flatnonzero(counts == counts.max())
        return told[best] if len(best) == 1 else None
    numbers = np.array([values[place] for place in told.tolist()], dtype=float)
    order = np.argsort(numbers)
    told, numbers, total = told[order], numbers[order], np.r_[0, np.cumsum(counts[order])]
    near, far = numbers * (1 - apart / 100), numbers / max(1 - apart / 100, 1e-12)
    first = np.searchsorted(numbers, np.minimum(near, far) - 1e-12, side="left")
    last = np.searchsorted(numbers, np.maximum(near, far) + 1e-12, side="right")
    votes = total[last] - total[first]
    best = np.flatnonzero(votes == votes.max())
    spans = {(int(first[one]), int(last[one])) for one in best}
    return told[first[best[0]] : last[best[0]]] if len(spans) == 1 else None


def conflict_sentence(settings: ConflictSettings) -> str:
    kept = ", the majority stays" if settings.action == "majority" else ""
    return f"{listed(settings.columns) if settings.columns else 'the text'} equal, targets not{kept}"
