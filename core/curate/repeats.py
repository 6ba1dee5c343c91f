"""Steps over rows that say the same: exact and near duplicates, duplicates whose targets disagree, train rows that stand in the test.

After a split the test is never changed: of two equal rows the one in the test stays, then the one in validation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.curate.duplicates import clusters, exact, normal, texts_of
from core.curate.fields import Settings, setting
from core.curate.leaks import leaks
from core.curate.parse import listed
from core.curate.table import Change, Table, texts
from core.errors import DataError
from core.reading import read_amount
from core.version import Roles


@dataclass(frozen=True)
class ExactSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that must be equal; empty means the text columns.", "columns", empty="the text columns")
    normalised: bool = setting(True, "Capitals, marks, spacing and ways of writing a character make no difference.", "flag")


def exact_duplicates(table: Table, settings: ExactSettings, seed: int) -> Change:
    """Of equal rows the first stays."""
    cells = texts_of(table.frame, _columns(settings.columns, table.roles))
    return Change(dropped=_but_first(table, normal(cells) if settings.normalised else exact(cells), "same text as row"))


def exact_sentence(settings: ExactSettings) -> str:
    """ "title and description, keep the first" """
    return f"{listed(settings.columns) if settings.columns else 'the text'}, keep the first"


@dataclass(frozen=True)
class NearSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that are compared; empty means the text columns.", "columns", empty="the text columns")
    threshold: float = setting(
        0.8, "The share of 5-letter pieces two texts have in common from which on they are near-duplicates.", "number", low=0.5, high=1
    )


def near_duplicates_step(table: Table, settings: NearSettings, seed: int) -> Change:
    """Of each group of near-duplicates (closed under nearness) the first stays."""
    cells = texts_of(table.frame, _columns(settings.columns, table.roles))
    return Change(dropped=_but_first(table, clusters(cells, settings.threshold), "nearly the same text as row"))


def near_sentence(settings: NearSettings) -> str:
    return f"{listed(settings.columns) if settings.columns else 'the text'}, {100 * settings.threshold:.0f} % alike, keep the first"


def _columns(named: tuple[str, ...], roles: Roles) -> list[str]:
    if not (named or roles.text):
        raise DataError("There is no text column to compare. Choose columns in the step's settings.", title="No text")
    return list(named or roles.text)


def _but_first(table: Table, groups: np.ndarray, reason: str) -> list[str | None]:
    """A reason for every row but the one its group keeps: a test row before a validation row before any other, then the first."""
    rank = np.array([{"test": 0, "validation": 1}.get(part, 2) for part in table.splits().tolist()])
    order = np.lexsort((np.arange(len(groups)), rank, groups))
    first = np.r_[True, groups[order][1:] != groups[order][:-1]] if len(order) else np.array([], dtype=bool)
    keeper = dict(zip(groups[order][first].tolist(), order[first].tolist(), strict=True))
    numbers = table.frame.index.tolist()
    reasons: list[str | None] = []
    for row, group in enumerate(groups.tolist()):
        stays = keeper[group] == row or (rank[row] == 0)
        reasons.append(None if stays else f"{reason} {numbers[keeper[group]] + 1}")
    return reasons


@dataclass(frozen=True)
class ConflictSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that must be equal; empty means the text columns.", "columns", empty="the text columns")
    apart: float = setting(
        0.0, "For numbers: how far apart, in percent of the larger, two targets may be and still agree.", "number", low=0, high=100
    )


def conflicting(table: Table, settings: ConflictSettings, seed: int) -> Change:
    """All rows of a text that comes with different targets leave: no model can be right about them. Test rows stay."""
    if not table.roles.target:
        raise DataError("Nothing is to be predicted yet, so no targets can disagree. Choose what to predict on Explore.", title="No target")
    groups = normal(texts_of(table.frame, _columns(settings.columns, table.roles)))
    values = [_target(cell, table.task) for cell in texts(table.frame[table.roles.target])]
    test = table.splits() == "test"
    reasons: list[str | None] = [None] * len(groups)
    together: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        together.setdefault(group, []).append(row)
    for rows in together.values():
        if len(rows) > 1 and _disagree([values[row] for row in rows], settings.apart):
            for row in rows:
                reasons[row] = None if test[row] else f"the same text has {len({values[r] for r in rows})} different targets"
    return Change(dropped=reasons)


def _target(cell: str | None, task: str | None) -> float | str | None:
    number = read_amount(cell) if task in (None, "regression") else None
    return number if number is not None else cell.strip() if cell else None


def _disagree(values: list[float | str | None], apart: float) -> bool:
    if all(isinstance(value, float) for value in values):
        low, high = min(values), max(values)  # type: ignore[type-var]
        return high - low > apart / 100 * max(abs(low), abs(high))  # type: ignore[operator,arg-type]
    return len(set(values)) > 1


def conflict_sentence(settings: ConflictSettings) -> str:
    return f"{listed(settings.columns) if settings.columns else 'the text'} equal, targets not"


@dataclass(frozen=True)
class MoveSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that are compared; empty means the text columns.", "columns", empty="the text columns")
    near: bool = setting(True, "Near-duplicates of a test row leave too, not only equal texts.", "flag")
    threshold: float = setting(
        0.8, "The share of 5-letter pieces two texts have in common from which on they are near-duplicates.", "number", low=0.5, high=1
    )


def move_leaks(table: Table, settings: MoveSettings, seed: int) -> Change:
    """Train and validation rows that also stand in the test leave. Raises DataError before a split."""
    parts = table.splits()
    if not (parts == "test").any():
        raise DataError("There are no test rows yet. Put this step after Split.", title="Needs a split")
    found = leaks(
        table.frame,
        parts,
        _columns(settings.columns, table.roles),
        parent=table.roles.parent_row,
        near=settings.near,
        threshold=settings.threshold,
    )
    return Change(dropped=[found.reasons.get(row) for row in range(len(parts))])


def move_sentence(settings: MoveSettings) -> str:
    return f"train rows that {'equal or nearly equal' if settings.near else 'equal'} a test row leave"


def text_keys(settings: Settings, roles: Roles) -> list[str]:
    """The compared columns, the target, the split and the lineage."""
    return [*(getattr(settings, "columns", ()) or roles.text), roles.target or "", roles.split or "", roles.parent_row or ""]
