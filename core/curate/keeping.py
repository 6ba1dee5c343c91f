"""Which row of a group stays: the first, the last, the longest, the one with most or least of a number, one with a label.

Once there is a split only train rows leave: where a group has a validation or test row, its train rows leave and that row
stays whatever the rule. A row that was made from another never stays for a real one. At a tie the first stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.curate.families import parents
from core.curate.strata import amounts
from core.curate.table import Table, texts
from core.errors import DataError

KEEP = ("first", "last", "longest", "largest", "smallest", "labelled")
MEANING = (
    "Which row of a group stays: the first or last one, the one with the longest text, the one with the largest or smallest value "
    "of a column, or the first one that has a label."
)


def all_but_one(table: Table, groups: np.ndarray, reason: str, keep: str, by: str, compared: Sequence[str | None]) -> np.ndarray:
    """A reason for each train row (before a split: each row) its group does not keep, else None (object array).

    `compared` holds the text of each row. Raises DataError for a rule without its column.
    """
    rows = np.arange(len(groups))
    parts = table.splits()
    rank = np.full(len(groups), 2)
    rank[parts == "validation"], rank[parts == "test"] = 1, 0
    place = -rows if keep == "last" else rows
    order = np.lexsort((place, _value(table, keep, by, compared), _made(table), rank, groups))
    first = np.r_[True, groups[order][1:] != groups[order][:-1]] if len(order) else np.zeros(0, dtype=bool)
    keeper = np.empty(len(groups), dtype=np.int64)
    keeper[order] = order[first][np.cumsum(first) - 1]
    lost = np.flatnonzero((keeper != rows) & table.movable())
    numbers = table.frame.index.to_numpy()[keeper[lost]] + 1
    reasons = np.full(len(groups), None, dtype=object)
    reasons[lost] = np.array([f"{reason} {number}" for number in numbers.tolist()], dtype=object)
    return reasons


def kept_words(keep: str, by: str) -> str:
    """ "keep the first", "keep the largest price" """
    shown = {"longest": "longest text", "labelled": "first with a label"}.get(keep, keep)
    return f"keep the {shown}{f' {by}' if keep in ('largest', 'smallest') and by else ''}"


def _made(table: Table) -> np.ndarray:
    """1 for rows that were made from another, 0 for real ones."""
    column = table.roles.parent_row
    if not column or column not in table.frame:
        return np.zeros(len(table.frame), dtype=np.int64)
    return np.array([number is not None for number in parents(table.frame, column)], dtype=np.int64)


def _value(table: Table, keep: str, by: str, compared: Sequence[str | None]) -> np.ndarray:
    """The smaller, the rather a row stays."""
    if keep == "longest":
        return -np.array([len(text or "") for text in compared], dtype=np.int64)
    if keep == "labelled":
        if not table.roles.target:
            raise DataError("Nothing is to be predicted yet, so no row has a label. Choose what to predict on Explore.", title="No target")
        return np.array([not (cell or "").strip() for cell in texts(table.frame[table.roles.target])], dtype=np.int64)
    if keep in ("largest", "smallest"):
        if not by:
            raise DataError(f"The {keep} of what? Choose the column in the step's settings, under By.", title="No column to go by")
        values = _ordered(table.frame[by], by)
        return np.where(np.isnan(values), np.inf, -values if keep == "largest" else values)
    return np.zeros(len(table.frame), dtype=np.int64)


def _ordered(column: Any, name: str) -> np.ndarray:
    """The numbers of a column, or its times as seconds; NaN where there is neither. Raises DataError where no cell has one."""
    values = amounts(column)
    if np.isnan(values).all() and len(values):
        times = pd.to_datetime(pd.Series(column).astype("str"), errors="coerce", utc=True, format="mixed")
        values = np.where(times.isna(), np.nan, times.astype("datetime64[ns, UTC]").astype("int64") / 1e9)
        if np.isnan(values).all():
            raise DataError(f"{name} holds neither numbers nor times. Choose another column.", title="Nothing to compare")
    return values
