"""What is odd about a table: number and fact, consequence, rows, fix. The worst first.

Four topics: quality, diversity, balance, amount. Near-duplicates are looked for in tables of at most 20,000 rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.explore.amount import AMOUNT_CHECKS
from core.explore.finding import SEVERITIES, Finding, Table
from core.explore.language import Identify
from core.explore.rows import ROW_CHECKS
from core.explore.sameness import SAMENESS_CHECKS, asked, near
from core.explore.targets import COLUMN_CHECKS
from core.task import target_of
from core.version import Roles

if TYPE_CHECKING:
    from core.explore.profile import ColumnProfile

CHECKS: tuple[Callable[[Table], list[Finding]], ...] = (*ROW_CHECKS, *SAMENESS_CHECKS, *COLUMN_CHECKS, *AMOUNT_CHECKS)


def find(
    frame: pd.DataFrame,
    roles: Roles,
    kind: str | None,
    columns: Sequence[ColumnProfile],
    lengths: Sequence[int] | None = None,
    limit: int = 256,
    identify: Identify | None = None,
) -> tuple[Finding, ...]:
    """Every finding, worst first: by severity, then by how many rows it touches. Languages are told with `identify` only."""
    measured = None if lengths is None else np.asarray(lengths)
    text, target = text_of(frame, roles), _target(frame, roles, kind)
    frame = frame.reset_index(drop=True)
    groups = near(asked(text, frame, roles, kind), roles)
    table = Table(frame, roles, kind, text, target, tuple(columns), measured, limit, groups, identify)
    found = [one for check in CHECKS for one in check(table)]
    return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), -len(one.rows))))


def text_of(frame: pd.DataFrame, roles: Roles) -> pd.Series:
    """The text columns of each row joined by a line break; empty cells add nothing."""
    names = [name for name in roles.text if name in frame]
    if not names:
        return pd.Series([""] * len(frame), dtype="str")
    parts = [["" if c is None or c != c else str(c) for c in frame[name].tolist()] for name in names]
    return pd.Series(["\n".join(p for p in row if p) for row in zip(*parts, strict=True)], dtype="str")


def _target(frame: pd.DataFrame, roles: Roles, kind: str | None) -> pd.Series:
    if not roles.target or roles.target not in frame or not kind:
        return pd.Series([None] * len(frame), dtype="object")
    values = [target_of(kind, cell) for cell in frame[roles.target].tolist()]
    return pd.Series(values, dtype="float64" if kind == "regression" else "object")
