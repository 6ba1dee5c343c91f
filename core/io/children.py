"""Accepted variants as train rows of a new version, each with where it came from.

A child of a row copies that row's other cells and carries its number (`parent_row`); a row written from a description has none. Beside
it stand, in columns of their own, `origin` (human or synthetic), `provider`, `model`, `prompt_id` (hash of the templates) and
`written_at` (UTC). Validation and test rows have no children, and what comes too close to a row kept aside is refused here once more,
because people may have edited it after the gates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.augment.limits import Limits
from core.augment.presets import PRESETS, AugmentSettings
from core.errors import DataError
from core.format import plural
from core.io import store
from core.io.judging import held_out, train_rows, usual_limits
from core.io.writers import Writer
from core.version import Roles, Step, StepReport, Version, digest

HUMAN, SYNTHETIC = "human", "synthetic"
PROVENANCE = ("origin", "provider", "model", "prompt_id", "written_at")


@dataclass(frozen=True)
class Children:
    """New train rows, and how their columns of lineage are called in this version."""

    rows: pd.DataFrame
    lineage: str
    """The column that holds the parent's row number."""
    names: Mapping[str, str]
    """Each of PROVENANCE -> its column."""


def prompt_id(settings: AugmentSettings) -> str:
    """12 hex digits of the templates that were really used: the same request, the same id."""
    return digest(list(settings.asked))[:12]


def children(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, writer: Writer | None = None, *,
             limits: Limits | None = None) -> Children:  # fmt: skip
    """The accepted variants as whole train rows.

    `accepted` has the columns row (missing for rows without a parent) and variant, and may have `cells` (JSON text: the cells a
    whole-row request wrote, by column) and `written_at`; `limits` where the gates were moved. Raises DataError when a row is no train
    row of this version, a cell does not fit its column, or a variant comes too close to a row kept aside.
    """
    train = train_rows(version)
    parents = _parents(version, accepted, train)
    _refuse_held_out(version, accepted, settings, limits or usual_limits(settings))
    made = _copied(train, parents)
    written = _written(accepted, settings.column)
    for name in dict.fromkeys(name for cells in written for name in cells):
        before = made[name].tolist() if name in made else [None] * len(made)
        cells = [one.get(name, old) for one, old in zip(written, before, strict=True)]
        made[name] = _as(cells, pd.Series(train[name]) if name in train else pd.Series([], dtype="str"), name)
    if version.roles.split:
        made[version.roles.split] = "train"
    lineage, names = _names(version, train)
    made[lineage] = pd.array(parents, dtype="Int64")
    who = writer or Writer("hand")
    said = {"origin": SYNTHETIC, "provider": who.name, "model": who.model, "prompt_id": prompt_id(settings)}
    for name, value in said.items():
        made[names[name]] = pd.array([value or None] * len(made), dtype="str")
    times = accepted["written_at"].tolist() if "written_at" in accepted else [None] * len(accepted)
    made[names["written_at"]] = pd.array(times, dtype="str")
    if version.roles.id and version.roles.id in made:
        made[version.roles.id] = _new_ids(pd.Series(made[version.roles.id]), parents)
    return Children(made, lineage, names)


def save(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, writer: Writer, *, rejected: Mapping[str, int] | None = None,
         usd: float | None = None, job: str = "", limits: Limits | None = None) -> Version:  # fmt: skip
    """The version with the accepted variants added as train rows (validation and test stay as they are)."""
    made = children(version, accepted, settings, writer, limits=limits)
    rows = _marked(version, store.frame(version), made)
    for name in [name for name in made.rows.columns if name not in rows]:
        rows[name] = pd.array([None] * len(rows), dtype="str")
    whole = pd.DataFrame(pd.concat([rows, made.rows.reindex(columns=rows.columns)], ignore_index=True))
    whole[made.lineage] = whole[made.lineage].astype("Int64")
    content = digest(accepted[[name for name in ("row", "variant", "cells") if name in accepted]].astype("str").to_numpy().tolist())
    step = Step("augment", {**settings.to_dict(), "writer": writer.to_dict()})
    of = len(set(accepted["row"].dropna().tolist()))
    what = PRESETS[settings.preset].title.casefold()
    sentence = f"{plural(len(made.rows), 'variant')} of {plural(of, 'train row')}, {what}, written by {writer.label}"
    told = StepReport("augment", sentence, len(rows), len(whole), 0.0, dict(rejected or {}))
    about = {
        "writer": writer.to_dict(),
        "settings": settings.to_dict(),
        "prompt_id": prompt_id(settings),
        "job": job,
        "usd": usd,
        "accepted": len(made.rows),
        "rejected": dict(rejected or {}),
        "columns": dict(made.names),
    }
    return store.save("", whole, title="Augment", parent=version, steps=[step], seed=settings.seed, task=version.task,
                      prompt=version.prompt, roles=replace(version.roles, parent_row=made.lineage), report=[told],
                      source={"augment": about}, source_hash=content)  # fmt: skip


def synthetic(version: Version, rows: pd.DataFrame) -> np.ndarray:
    """(n,) True for rows a writer made; where no column says so, for rows that have a parent and are no copy of a row without one (the
    step that evens out classes copies rows)."""
    origin = _origin(rows, version.roles)
    if origin is not None:
        return (rows[origin] == SYNTHETIC).to_numpy(dtype=bool)
    lineage = version.roles.parent_row
    if lineage not in rows:
        return np.zeros(len(rows), dtype=bool)
    child = rows[lineage].notna().to_numpy(dtype=bool)
    said = rows[[name for name in rows.columns if name not in (lineage, version.roles.id, version.roles.split)]]
    told = np.array([digest(row) for row in said.astype("str").to_numpy().tolist()])
    return child & ~np.isin(told, told[~child])


def _parents(version: Version, accepted: pd.DataFrame, train: pd.DataFrame) -> list[int | None]:
    parents = [None if row is None or pd.isna(row) or int(row) < 0 else int(row) for row in accepted["row"].tolist()]
    foreign = sorted({row for row in parents if row is not None} - set(train.index.tolist()))
    if foreign:
        raise DataError(f"Rows {foreign[:5]} are no train rows of version {version.number}; only train rows can have children.",
                        title="Not a train row")  # fmt: skip
    return parents


def _refuse_held_out(version: Version, accepted: pd.DataFrame, settings: AugmentSettings, limits: Limits) -> None:
    aside, near = held_out(version, settings), limits.near_held_out
    texts = [[str(cell) for cell in cells.values() if isinstance(cell, str)] for cells in _written(accepted, settings.column)]
    close = [row for row in texts if any(aside.holds(text, near) for text in row)]
    if close:
        raise DataError(f"{plural(len(close), 'variant')} equal or nearly equal a row kept aside for the test. Leave them out.",
                        title="Too close to the test")  # fmt: skip


def _copied(train: pd.DataFrame, parents: Sequence[int | None]) -> pd.DataFrame:
    """The parents' cells, one row per child; empty cells where there is no parent."""
    at = train.index.get_indexer(pd.Index([-1 if row is None else row for row in parents]))
    return train.take(np.where(at < 0, 0, at)).reset_index(drop=True).mask(pd.Series(at < 0), None) if len(train) else train


def _written(accepted: pd.DataFrame, column: str) -> list[dict[str, Any]]:
    """The cells that were written, row by row: the varied column's, or those of a whole row."""
    cells = accepted["cells"].tolist() if "cells" in accepted else [""] * len(accepted)
    return [json.loads(text) if isinstance(text, str) and text else {column: variant}
            for text, variant in zip(cells, accepted["variant"].tolist(), strict=True)]  # fmt: skip


def _as(cells: Sequence[Any], like: pd.Series, name: str) -> Any:
    """The cells as their column has them. Raises DataError for one that cannot be such a value."""
    try:
        if pd.api.types.is_numeric_dtype(like) and not pd.api.types.is_bool_dtype(like):
            whole = not pd.api.types.is_float_dtype(like)
            numbers = [None if one is None or one != one else int(one) if whole else float(one) for one in cells]
            return pd.array(numbers, dtype="Int64" if whole else "float64")
        return pd.array([None if one is None or one != one else str(one) for one in cells], dtype="str")
    except (ValueError, TypeError) as error:
        raise DataError(f"A written cell of '{name}' is no number: {str(error)[:120]}. Reject or edit that row.",
                        title="A cell does not fit") from error  # fmt: skip


def _names(version: Version, train: pd.DataFrame) -> tuple[str, dict[str, str]]:
    """How the columns are called: those of an earlier augmentation, or new ones that take no name of the data's own."""
    lineage = version.roles.parent_row or _free("parent_row", train.columns)
    known = version.source.get("augment", {}).get("columns", {})
    names = {name: known[name] for name in PROVENANCE if known.get(name) in train.columns}
    origin = _origin(train, version.roles)
    for name in PROVENANCE:
        column = f"{name}{origin.removeprefix('origin')}" if origin else name
        names.setdefault(name, column if origin and column in train else _free(name, train.columns))
    return lineage, names


def _origin(rows: pd.DataFrame, roles: Roles) -> str | None:
    """The column of an earlier augmentation that says human or synthetic."""
    if roles.parent_row is None:
        return None
    named = [name for name in rows.columns if re.fullmatch(r"origin(_\d+)?", str(name))]
    return next((name for name in named if set(rows[name].dropna().unique().tolist()) <= {HUMAN, SYNTHETIC}), None)


def _marked(version: Version, rows: pd.DataFrame, made: Children) -> pd.DataFrame:
    """The rows that were there, with the columns of lineage. Written rows of versions that know no `origin` are told by their parent."""
    before = synthetic(version, rows)
    if made.lineage not in rows:
        rows[made.lineage] = pd.array([None] * len(rows), dtype="Int64")
    for name in PROVENANCE:
        column = made.names[name]
        if column not in rows:
            cells = [SYNTHETIC if one else HUMAN for one in before] if name == "origin" else [None] * len(rows)
            rows[column] = pd.array(cells, dtype="str")
    return rows


def _free(name: str, taken: Sequence[str] | pd.Index) -> str:
    number, chosen = 2, name
    while chosen in taken:
        chosen, number = f"{name}_{number}", number + 1
    return chosen


def _new_ids(cells: pd.Series, parents: Sequence[int | None]) -> pd.Series:
    """Text ids get a number behind them, counted per parent; number ids, and those of rows without a parent, are left empty."""
    if pd.api.types.is_numeric_dtype(cells):
        return pd.Series(pd.array([None] * len(cells), dtype="Int64"))
    orphan = pd.Series([row is None for row in parents])
    numbered = cells.astype("str") + "-" + (cells.groupby(cells).cumcount() + 1).astype("str")
    return numbered.mask(orphan, None)
