"""Accepted variants as train rows of a new version: children that copy their parent's other cells and carry its row number.

Only train rows have children; a variant that comes too close to a row kept aside is refused here once more, because people
may have edited it after the gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from core.augment.presets import PRESETS, AugmentSettings
from core.errors import DataError
from core.io import store
from core.io.augmenting import Writer, judge_for, train_rows
from core.version import Step, StepReport, Version, digest


def children(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, origin: str) -> tuple[pd.DataFrame, str, str]:
    """The accepted variants (columns row, variant) as whole train rows, and the names of the lineage and origin columns.

    Raises DataError when a row is no train row of this version, or a variant comes too close to a row kept aside.
    """
    train = train_rows(version)
    foreign = sorted(set(accepted["row"].tolist()) - set(train.index.tolist()))
    if foreign:
        raise DataError(f"Rows {foreign[:5]} are no train rows of version {version.number}; only train rows can have children.",
                        title="Not a train row")  # fmt: skip
    judge = judge_for(version, settings)
    close = [text for text in accepted["variant"].tolist() if judge.held_out.holds(text, judge.limits.near_held_out)]
    if close:
        raise DataError(
            f"{len(close)} variants equal or nearly equal a row kept aside for the test. Leave them out.", title="Too close to the test"
        )
    lineage = version.roles.parent_row or _free("parent_row", train.columns)
    mine = any(step.name == "augment" for step in version.steps) or version.roles.parent_row is not None
    marked = "origin" if mine and "origin" in train else _free("origin", train.columns)
    made = train.loc[accepted["row"].tolist()].reset_index(drop=True)
    made[settings.column] = pd.array(accepted["variant"].tolist(), dtype="str")
    made[lineage] = pd.array(accepted["row"].tolist(), dtype="Int64")
    made[marked] = origin
    if version.roles.id and version.roles.id in made:
        made[version.roles.id] = _new_ids(made[version.roles.id])
    return made, lineage, marked


def save(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, writer: Writer, *, rejected: Mapping[str, int] | None = None,
         usd: float | None = None, job: str = "") -> Version:  # fmt: skip
    """The version with the accepted variants added as train rows (validation and test stay as they are).

    Each child copies its parent's other cells and carries the parent's row number; the column `origin` names the writer.
    """
    made, lineage, marked = children(version, accepted, settings, writer.label)
    rows = store.frame(version)
    if lineage not in rows:
        rows[lineage] = pd.array([None] * len(rows), dtype="Int64")
    if marked not in rows:
        rows[marked] = "data"
    whole = pd.DataFrame(pd.concat([rows, made.reindex(columns=rows.columns)], ignore_index=True))
    whole[lineage] = whole[lineage].astype("Int64")
    content = digest(accepted[["row", "variant"]].to_numpy().tolist())
    step = Step("augment", {**settings.to_dict(), "writer": writer.to_dict()})
    what = PRESETS[settings.preset].title.casefold()
    sentence = f"{len(made)} variants of {accepted['row'].nunique()} train rows, {what}, written by {writer.label}"
    told = StepReport("augment", sentence, len(rows), len(whole), 0.0, dict(rejected or {}))
    source = {"augment": {"writer": writer.to_dict(), "job": job, "usd": usd, "accepted": len(made), "rejected": dict(rejected or {})}}
    return store.save("", whole, title="Augment", parent=version, steps=[step], seed=settings.seed, task=version.task,
                      prompt=version.prompt,
                      roles=replace(version.roles, parent_row=lineage), report=[told],
                      source=source, source_hash=content)  # fmt: skip


def _free(name: str, taken: Sequence[str] | pd.Index) -> str:
    number, chosen = 2, name
    while chosen in taken:
        chosen, number = f"{name}_{number}", number + 1
    return chosen


def _new_ids(cells: pd.Series) -> pd.Series:
    """Text ids get a number behind them, counted per parent; number ids are left empty: a child has no id of its own."""
    if pd.api.types.is_numeric_dtype(cells):
        return pd.Series(pd.array([None] * len(cells), dtype="Int64"))
    return cells.astype("str") + "-" + (cells.groupby(cells).cumcount() + 1).astype("str")
