"""Train, validation and test: rows that belong together never part.

Rows belong together when they are near-duplicates, share a group, or one was made from the other; how families are placed
is told in `core/curate/placing.py`. Copies a step made are placed by none of the methods: they are train rows where the row
they copy is, and leave where it is not. A split that came with the data is kept as it is; only a missing validation part is
taken from its train rows. What a kept split lets through is for Move leaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.curate.balance import generator
from core.curate.duplicates import texts_of
from core.curate.families import families, parents
from core.curate.fields import Settings, setting
from core.curate.placing import assign, hashed, newest
from core.curate.strata import spaced, strata
from core.curate.table import Change, Table, texts
from core.errors import DataError, SettingsError
from core.format import count, plural
from core.version import SPLITS, Roles

__all__ = ["COLUMN", "SplitSettings", "assign", "came_with", "spaced", "split"]

COLUMN = "split"
METHODS = ("keep", "random", "stratified", "group", "newest", "hash")
ALIASES = {"val": "validation", "valid": "validation", "dev": "validation", "eval": "validation", "training": "train", "testing": "test"}


@dataclass(frozen=True)
class SplitSettings(Settings):
    method: str = setting(
        "keep",
        "keep: the split that came with the data, else random. random: any rows. stratified: the same shares of each label, or "
        "of each tenth of the numbers, in every part. group: all rows of a group in one part. newest: the latest rows are the test. "
        "hash: a row's part depends on its key alone, so that it stays when rows are added.",
        "choice",
        choices=METHODS,
    )
    validation: float = setting(10.0, "How much is kept aside to choose a model by.", "number", low=0)
    test: float = setting(10.0, "How much is kept aside to measure on, and never trained on.", "number", low=0)
    unit: str = setting("percent", "What the sizes count.", "choice", choices=("percent", "rows"))
    train: int | None = setting(
        None, "The most train rows when sizes are rows; others leave, drawn at random.", "whole", low=1, empty="all the rest"
    )
    otherwise: float | None = setting(
        None,
        "When there are fewer rows than the sizes add up to: the test is so many percent instead, and so is validation if it has a size.",
        "number", low=0.01, high=50, empty="an error",
    )  # fmt: skip
    near_duplicates: bool = setting(True, "Keep near-duplicates in one part, so that no test row was seen in training.", "flag")
    group: str = setting(
        "",
        "Rows with the same value here stay in one part.",
        "column",
        empty="the group column",
    )
    by: str = setting(
        "",
        "Whose shares are kept (stratified), or which column holds the time (newest).",
        "column",
        empty="the target or the time",
    )
    key: tuple[str, ...] = setting((), "hash: what a row's part depends on; empty means the text.", "columns", empty="the text columns")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unit == "percent" and self.validation + self.test >= 100:
            raise SettingsError(
                f"{self.validation:g} % and {self.test:g} % leave nothing to train on. Keep some for train.", title="No train rows"
            )
        if self.method != "keep" and not self.test:
            raise SettingsError("The test has size 0, and there is nothing to measure on. Keep some rows for it.", title="No test rows")
        if self.unit == "percent" and (self.train is not None or self.otherwise is not None):
            raise SettingsError("Train and Otherwise go with sizes in rows; here sizes are percent. Set Unit to rows, or empty them.",
                                title="Sizes that do not go together")  # fmt: skip
        if self.method == "hash" and self.unit == "rows":
            raise SettingsError("A split by hash knows no number of rows, because it stays when rows are added. Set Unit to percent.",
                                title="Hash needs percent")  # fmt: skip


def split(table: Table, settings: SplitSettings, seed: int) -> Change:
    """Names each row's part in the column "split". With `keep`, rows whose part has no known name leave.

    Raises DataError naming the sizes when a part that was asked for stays empty.
    """
    real = _real(table)
    some = replace(table, frame=pd.DataFrame(table.frame[real])) if not real.all() else table
    parts, reasons = np.full(len(real), "", dtype=object), np.full(len(real), None, dtype=object)
    parts[real], reasons[real] = _placed(some, settings, seed)
    _copies(table, real, parts, reasons)
    return Change(dropped=reasons, columns={COLUMN: parts.tolist()}, roles=replace(table.roles, split=COLUMN))


def _placed(table: Table, settings: SplitSettings, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of each row, and a reason for each that leaves."""
    came, n = _came(table), len(table.frame)
    reasons, random = np.full(n, None, dtype=object), generator(seed, "split")
    if settings.method == "keep" and came is not None:
        parts = np.array([name or "" for name in came], dtype=object)
        for name in set(parts.tolist()) - set(SPLITS):
            reasons[parts == name] = f"its split is '{name}'" if name else "it has no split"
        if "validation" not in parts and settings.validation:
            inside, family = np.flatnonzero(parts == "train"), _families(table, settings)
            wanted = _sizes(n if settings.unit == "percent" else len(inside), settings)["validation"]
            sizes = {"validation": min(wanted, max(0, len(inside) - 1))}
            parts[inside] = assign(family[inside], strata(table, table.roles.target)[inside], _synthetic(table)[inside], sizes, random)
        return parts, reasons
    sizes, family, synthetic = _sizes(n, settings), _families(table, settings), _synthetic(table)
    if settings.method == "newest":
        parts = newest(_times(table, settings).rank(method="first").to_numpy(), family, synthetic, sizes)
    elif settings.method == "hash":
        percent = {"test": settings.test, "validation": settings.validation}
        parts = hashed(texts_of(table.frame, _key(settings, table.roles)), family, synthetic, percent, seed)
    else:
        column = settings.by or table.roles.target
        layers = strata(table, column) if settings.method == "stratified" else np.zeros(n, dtype=np.int64)
        parts = assign(family, layers, synthetic, sizes, random)
    _check(parts, family, synthetic, settings)
    if settings.train is not None and not _few(n, settings):
        reasons[random.permutation(np.flatnonzero(parts == "train"))[settings.train :]] = f"more than {count(settings.train)} train rows"
    return parts, reasons


def _check(parts: np.ndarray, family: np.ndarray, synthetic: np.ndarray, settings: SplitSettings) -> None:
    """Raises DataError when a part that should have rows has none."""
    wanted = [name for name, size in (("train", 1), ("validation", settings.validation), ("test", settings.test)) if size]
    there = set(pd.unique(parts))
    empty = [name for name in wanted if name not in there]
    if not len(parts) or not empty:
        return
    sizes = ", ".join(f"{count((parts == name).sum())} {name}" for name in SPLITS)
    largest = int(np.unique(family, return_counts=True)[1].max())
    why = f" {plural(largest, 'row')} belong together and cannot part." if largest > 1 else ""
    why += f" {plural(int(synthetic.sum()), 'synthetic row')} and their families are for train alone." if synthetic.any() else ""
    raise DataError(f"{plural(len(parts), 'row')} would be {sizes}: {' and '.join(empty)} would be empty.{why} "
                    "Change the sizes, bring more rows, or let fewer belong together.", title=f"No {empty[0]} rows")  # fmt: skip


def _real(table: Table) -> np.ndarray:
    """Which rows were not copied by a step before."""
    return table.frame.index.to_numpy() >= 0


def _copies(table: Table, real: np.ndarray, parts: np.ndarray, reasons: np.ndarray) -> None:
    """Copies go to train with the row they copy, or leave with or for it."""
    if real.all():
        return
    where = dict(zip(table.frame.index.tolist(), range(len(real)), strict=True))
    of = parents(table.frame, str(table.roles.parent_row))
    for place in np.flatnonzero(~real).tolist():
        parent = where.get(of[place]) if of[place] is not None else None
        part = parts[parent] if parent is not None else "train"
        parts[place] = "train"
        if part != "train":
            reasons[place] = f"a copy of a {part} row" if part in SPLITS else "a copy of a row that left"
        elif parent is not None and reasons[parent] is not None:
            reasons[place] = "a copy of a row that left"


def _sizes(n: int, settings: SplitSettings) -> dict[str, int]:
    """Rows of test and validation. Raises DataError when they leave no train row."""
    share, test, validation = n / 100 if settings.unit == "percent" else 1.0, settings.test, settings.validation
    if _few(n, settings):
        share, test = n / 100, float(settings.otherwise or 0)
        validation = test if validation else 0.0
    sizes = {"test": round(test * share), "validation": round(validation * share)}
    if sum(sizes.values()) >= n > 0:
        raise DataError(f"{sizes['test']} test rows and {sizes['validation']} validation rows of {n} leave nothing to train on. "
                        "Make them smaller.", title="No train rows")  # fmt: skip
    return sizes


def _few(n: int, settings: SplitSettings) -> bool:
    """Whether the sizes in rows cannot be had, and percent are used instead."""
    return settings.otherwise is not None and n < settings.test + settings.validation + (settings.train or 1)


def _came(table: Table) -> list[str | None] | None:
    """The names of a split that came with the data; None when there is none."""
    if not came_with(table.frame, table.roles):
        return None
    return _named(table.frame, str(table.roles.split))


def came_with(frame: pd.DataFrame, roles: Roles) -> bool:
    """Whether the table has a split column with train and test rows."""
    return bool(roles.split) and roles.split in frame and {"train", "test"} <= set(_named(frame, str(roles.split)))


def _named(frame: pd.DataFrame, column: str) -> list[str | None]:
    cells = (cell.strip().casefold() if cell else None for cell in texts(frame[column]))
    return [ALIASES.get(cell, cell) if cell else None for cell in cells]


def _families(table: Table, settings: SplitSettings) -> np.ndarray:
    return families(table.frame, table.roles, settings.group or table.roles.group, settings.near_duplicates)


def _synthetic(table: Table) -> np.ndarray:
    parent = table.roles.parent_row
    return table.frame[parent].notna().to_numpy() if parent and parent in table.frame else np.zeros(len(table.frame), dtype=bool)


def _times(table: Table, settings: SplitSettings) -> pd.Series:
    column = settings.by or table.roles.time
    if not column or column not in table.frame:
        raise DataError("Newest needs a column that holds the time: choose it in the step's settings.", title="No time column")
    cells = pd.Series(table.frame[column])
    times = (
        cells if pd.api.types.is_numeric_dtype(cells) else pd.to_datetime(cells.astype("str"), errors="coerce", utc=True, format="mixed")
    )
    absent = times.isna().to_numpy().sum()
    if absent:
        raise DataError(f"{plural(int(absent), 'cell')} of {column} hold no time. Drop these rows with Missing first.", title="No time")
    return pd.Series(times)


def _key(settings: SplitSettings, roles: Roles) -> list[str]:
    if not (settings.key or roles.text):
        raise DataError("A split by hash needs a key: choose its columns in the step's settings.", title="No key")
    return list(settings.key or roles.text)


def split_keys(settings: SplitSettings, roles: Roles) -> list[str]:
    if settings.method == "group" and not (settings.group or roles.group):
        raise DataError("A split by group needs the column of the group: choose it in the step's settings.", title="No group")
    return [settings.group or roles.group or "", settings.by or "", roles.target or "", roles.time or "", roles.split or "",
            roles.parent_row or "", *(roles.text if settings.near_duplicates else ()),
            *(_key(settings, roles) if settings.method == "hash" else ())]  # fmt: skip


def split_sentence(settings: SplitSettings) -> str:
    """ "80 / 10 / 10, near-duplicates kept together" """
    grouped = settings.group or ("groups" if settings.method == "group" else "")
    together: Sequence[str] = [name for on, name in ((settings.near_duplicates, "near-duplicates"), (grouped, grouped)) if on]
    if settings.unit == "percent":
        sizes = f"{100 - settings.validation - settings.test:g} / {settings.validation:g} / {settings.test:g}"
    else:
        train = [f"{count(settings.train)} train"] if settings.train else []
        rows = [*train, *([f"{count(settings.validation)} validation"] if settings.validation else []), f"{count(settings.test)} test"]
        sizes = f"{', '.join(rows[:-1])}{' and ' if rows[:-1] else ''}{rows[-1]} rows"
        aside = (settings.otherwise or 0) * (2 if settings.validation else 1)
        sizes += f", of fewer rows {100 - aside:g} / {settings.otherwise:g} %" if settings.otherwise else ""
    how = {"keep": "as it came, else ", "stratified": "stratified, ", "newest": "the newest are the test, ", "hash": "by hash, "}
    return f"{how.get(settings.method, '')}{sizes}" + (f", {' and '.join(together)} kept together" if together else "")
