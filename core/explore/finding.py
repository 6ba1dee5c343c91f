"""The noun of Explore: a finding, and the table as the checks see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.explore.language import Identify
from core.format import money, number, unit_of
from core.version import Roles

if TYPE_CHECKING:
    from core.explore.profile import ColumnProfile

SEVERITIES = ("fail", "warn", "note")
"""`fail`: scores measured on such data would be wrong. `warn`: a model learns or is judged worse for it. `note`: worth knowing."""

TOPICS: Mapping[str, tuple[str, ...]] = {
    "quality": ("leak", "conflict", "missing", "unreadable", "long", "short", "column", "encoding", "markup", "target", "label"),
    "diversity": ("duplicate", "near", "template", "variety", "language", "cluster"),
    "balance": ("balance",),
    "amount": ("split", "amount"),
}
"""What findings are about -> their groups."""


@dataclass(frozen=True)
class Finding:
    severity: str
    """fail, warn or note."""
    group: str
    """One of the groups in TOPICS."""
    text: str
    """Number and fact: "61 exact duplicates"."""
    rows: tuple[int, ...] = ()
    """The rows meant, 0-based, in order; empty when the finding is about a column."""
    detail: str = ""
    """The consequence, one or two sentences."""
    fix: str | None = None
    """What mends it: a key of `core.explore.fixes.FIXES`, or None."""
    column: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the fix that differ from the recommended ones."""

    @property
    def topic(self) -> str:
        """quality, diversity, balance or amount."""
        return next(topic for topic, groups in TOPICS.items() if self.group in groups)


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
    near: np.ndarray | None = None
    """The group of near-duplicates each row is in, where the table is small enough to look at once."""
    identify: Identify | None = None

    @property
    def n(self) -> int:
        return len(self.frame)

    def splits(self) -> np.ndarray | None:
        """The part of each row as text; None without a split."""
        if not self.roles.split or self.roles.split not in self.frame:
            return None
        return self.frame[self.roles.split].astype("str").to_numpy()


def rows_of(mask: pd.Series | np.ndarray) -> tuple[int, ...]:
    return tuple(int(row) for row in np.flatnonzero(np.asarray(mask)))


def amount(table: Table, value: float) -> str:
    usd = unit_of(table.roles.target, table.frame[table.roles.target].head(50).tolist()) == "usd"
    return (f"${value:.2g}" if value < 0.95 else money(value)) if usd else number(value)
