"""The noun of Explore: a finding, and the table as the checks see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.format import money, number, unit_of
from core.version import Roles

if TYPE_CHECKING:
    from core.explore.profile import ColumnProfile

SEVERITIES = ("fail", "warn", "note")
"""`fail`: scores measured on such data would be wrong. `warn`: a model learns or is judged worse for it. `note`: worth knowing."""


@dataclass(frozen=True)
class Finding:
    severity: str
    """fail, warn or note."""
    group: str
    """leak, duplicate, near, conflict, missing, unreadable, long, short, balance, column, encoding, markup, target, label, split."""
    text: str
    """Number and fact: "61 exact duplicates"."""
    rows: tuple[int, ...] = ()
    """The rows meant, 0-based, in order; empty when the finding is about a column."""
    detail: str = ""
    """The consequence, one or two sentences."""
    fix: str | None = None
    """What mends it: a key of `core.explore.fixes.FIXES`, or None."""
    column: str | None = None


@dataclass(frozen=True)
class Table:
    """What the checks look at, computed once."""

    frame: pd.DataFrame
    roles: Roles
    kind: str | None
    text: pd.Series
    """All text columns joined by a line break; empty where there is none."""
    target: pd.Series
    """The target as read (float or text), missing where there is none; all missing without a task."""
    columns: tuple[ColumnProfile, ...]
    lengths: np.ndarray | None
    limit: int

    @property
    def n(self) -> int:
        return len(self.frame)


def rows_of(mask: pd.Series | np.ndarray) -> tuple[int, ...]:
    return tuple(int(row) for row in np.flatnonzero(np.asarray(mask)))


def amount(table: Table, value: float) -> str:
    usd = unit_of(table.roles.target, table.frame[table.roles.target].head(50).tolist()) == "usd"
    return (f"${value:.2g}" if value < 0.95 else money(value)) if usd else number(value)
