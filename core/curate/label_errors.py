"""A step over targets that are likely wrong: flagged in three columns, or dropped. `core/curate/suspects.py` finds them.

Once there is a split train rows are judged alone, by models trained on train rows alone: the test is neither used nor changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.curate.balance import generator
from core.curate.duplicates import normal, texts_of
from core.curate.fields import Settings, setting
from core.curate.repeats import compared
from core.curate.strata import amounts
from core.curate.suspects import Suspects, far_numbers, wrong_labels
from core.curate.table import Change, Table, texts
from core.errors import DataError

FLAG, SUGGESTED, QUALITY, DISTANCE = "label_issue", "label_suggested", "label_quality", "label_distance"


@dataclass(frozen=True)
class LabelErrorSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that are read; empty means the text columns.", "columns", empty="the text columns")
    action: str = setting(
        "flag",
        "flag: three new columns say which targets are likely wrong, what is likelier, and how sure that is. drop: these rows leave.",
        "choice",
        choices=("flag", "drop"),
    )
    folds: int = setting(5, "In how many parts the rows are judged, each by a model trained on the others.", "whole", low=2, high=20)
    distance: float = setting(
        5.0, "For numbers: how many robust standard deviations from what the text suggests is too far.", "number", low=1, high=100
    )


def label_errors(table: Table, settings: LabelErrorSettings, seed: int) -> Change:
    """Likely wrong labels or numbers, flagged or dropped. Rows without text or target are not judged and stay.

    Raises DataError without a target, for tasks with free answers, and with too few rows or labels to compare.
    """
    target, task = table.roles.target, table.task
    if not target:
        raise DataError("Nothing is to be predicted yet, so no target can be wrong. Choose what to predict on Explore.", title="No target")
    if task in ("qa", "chat"):
        raise DataError("Answers in free words are no labels. Label errors are found for labels and numbers.", title="No labels")
    cells, numeric = texts_of(table.frame, compared(settings.columns, table.roles)), task == "regression"
    values = amounts(table.frame[target]) if numeric else np.array([_label(cell) for cell in texts(table.frame[target])], dtype=object)
    known = ~np.isnan(values) if numeric else np.array([value is not None for value in values], dtype=bool)
    rows = np.flatnonzero(table.movable() & known & np.array([cell is not None for cell in cells], dtype=bool))
    if not len(rows):
        return Change(columns=_columns(table, rows, None, numeric) if settings.action == "flag" else {})
    some = [cells[row] or "" for row in rows.tolist()]
    groups, random = normal(some), generator(seed, "label_errors")
    if numeric:
        found = far_numbers(some, values[rows], groups, settings.folds, settings.distance, random)
    else:
        found = wrong_labels(some, values[rows], groups, settings.folds, random)
    if settings.action == "flag":
        return Change(columns=_columns(table, rows, found, numeric))
    reasons = np.full(len(cells), None, dtype=object)
    hits = np.flatnonzero(found.found)
    if numeric:
        reasons[rows[hits]] = f"{target} is far from what similar texts have"
    else:
        told = zip(values[rows[hits]].tolist(), found.suggested[hits].tolist(), strict=True)
        reasons[rows[hits]] = np.array([f"labelled {old}, reads like {new}" for old, new in told], dtype=object)
    return Change(dropped=reasons)


def _label(cell: str | None) -> str | None:
    return (cell or "").strip() or None


def _columns(table: Table, rows: np.ndarray, found: Suspects | None, numeric: bool) -> dict[str, np.ndarray]:
    """The three columns, empty where a row was not judged."""
    flag, quality = np.full(len(table.frame), None, dtype=object), np.full(len(table.frame), np.nan)
    suggested = np.full(len(table.frame), np.nan) if numeric else np.full(len(table.frame), None, dtype=object)
    if found is not None:
        judged = ~np.isnan(found.quality)
        flag[rows[judged]] = np.where(found.found[judged], "likely wrong", "no")
        quality[rows], suggested[rows] = found.quality, found.suggested
    return {FLAG: flag, SUGGESTED: suggested, DISTANCE if numeric else QUALITY: quality}


def label_error_sentence(settings: LabelErrorSettings) -> str:
    """ "likely wrong targets flagged, 5 folds" """
    return f"likely wrong targets {'flagged' if settings.action == 'flag' else 'leave'}, {settings.folds} folds"
