"""Steps over rows that say the same: exact and near duplicates, and train rows that stand in the test.

Once there is a split, duplicates leave the train rows only; what stands in validation or test stays there.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.curate.duplicates import clusters, exact, normal, texts_of
from core.curate.fields import Settings, setting
from core.curate.keeping import KEEP, MEANING, all_but_one, kept_words
from core.curate.leaks import leaks
from core.curate.parse import listed
from core.curate.table import Change, Table
from core.errors import DataError
from core.version import Roles


@dataclass(frozen=True)
class ExactSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that must be equal; empty means the text columns.", "columns", empty="the text columns")
    normalised: bool = setting(True, "Capitals, marks, spacing and ways of writing a character make no difference.", "flag")
    keep: str = setting("first", MEANING, "choice", choices=KEEP)
    by: str = setting("", "The number or time column for the largest or smallest.", "column", empty="not needed")


def exact_duplicates(table: Table, settings: ExactSettings, seed: int) -> Change:
    """Of equal rows one stays."""
    cells = texts_of(table.frame, compared(settings.columns, table.roles))
    groups = normal(cells) if settings.normalised else exact(cells)
    return Change(dropped=all_but_one(table, groups, "same text as row", settings.keep, settings.by, cells))


def exact_sentence(settings: ExactSettings) -> str:
    """ "title and description, keep the first" """
    return f"{listed(settings.columns) if settings.columns else 'the text'}, {kept_words(settings.keep, settings.by)}"


@dataclass(frozen=True)
class NearSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that are compared; empty means the text columns.", "columns", empty="the text columns")
    threshold: float = setting(
        0.8, "The share of 5-letter pieces two texts have in common from which on they are near-duplicates.", "number", low=0.5, high=1
    )
    keep: str = setting("first", MEANING, "choice", choices=KEEP)
    by: str = setting("", "The number or time column for the largest or smallest.", "column", empty="not needed")


def near_duplicates_step(table: Table, settings: NearSettings, seed: int) -> Change:
    """Of each group of near-duplicates (closed under nearness) one stays."""
    cells = texts_of(table.frame, compared(settings.columns, table.roles))
    groups = clusters(cells, settings.threshold)
    return Change(dropped=all_but_one(table, groups, "nearly the same text as row", settings.keep, settings.by, cells))


def near_sentence(settings: NearSettings) -> str:
    named = listed(settings.columns) if settings.columns else "the text"
    return f"{named}, {100 * settings.threshold:.0f} % alike, {kept_words(settings.keep, settings.by)}"


def compared(named: tuple[str, ...], roles: Roles) -> list[str]:
    """The named columns, else the text columns. Raises DataError when there are neither."""
    if not (named or roles.text):
        raise DataError("There is no text column to compare. Choose columns in the step's settings.", title="No text")
    return list(named or roles.text)


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
        compared(settings.columns, table.roles),
        parent=table.roles.parent_row,
        near=settings.near,
        threshold=settings.threshold,
    )
    return Change(dropped=[found.reasons.get(row) for row in range(len(parts))])


def move_sentence(settings: MoveSettings) -> str:
    return f"train rows that {'equal or nearly equal' if settings.near else 'equal'} a test row leave"


def text_keys(settings: Settings, roles: Roles) -> list[str]:
    """The compared columns, the column of the keep-rule, the target, the split and the lineage."""
    named = getattr(settings, "columns", ()) or roles.text
    return [*named, getattr(settings, "by", ""), roles.target or "", roles.split or "", roles.parent_row or ""]
