"""Train, validation and test: rows that belong together never part.

Rows belong together when they are near-duplicates, share a group, or one was made from the other. Families of several
rows are placed first, in random order, where they fit; single rows then fill each part to its exact size, spaced evenly
over the strata, so that shares are kept to within a row. A family that holds a synthetic row goes to train: what is
tested is never made up. A split that came with the data is kept as it is; only a missing validation part is taken from
its train rows. What a kept split lets through is for Move leaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.curate.balance import generator
from core.curate.families import families
from core.curate.fields import Settings, setting
from core.curate.table import Change, Table, texts
from core.errors import DataError, SettingsError
from core.format import count, plural
from core.reading import read_amount
from core.version import SPLITS, Roles

COLUMN = "split"
METHODS = ("keep", "random", "stratified", "newest")
ALIASES = {"val": "validation", "valid": "validation", "dev": "validation", "eval": "validation", "training": "train", "testing": "test"}
_BINS = 10


@dataclass(frozen=True)
class SplitSettings(Settings):
    method: str = setting(
        "keep",
        "keep: the split that came with the data, else random. random: any rows. stratified: the same shares of each label, or "
        "of each tenth of the numbers, in every part. newest: the latest rows are the test.",
        "choice",
        choices=METHODS,
    )
    validation: float = setting(10.0, "How much is kept aside to choose a model by.", "number", low=0)
    test: float = setting(10.0, "How much is kept aside to measure on, and never trained on.", "number", low=0)
    unit: str = setting("percent", "What the two sizes count.", "choice", choices=("percent", "rows"))
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unit == "percent" and self.validation + self.test >= 100:
            raise SettingsError(
                f"{self.validation:g} % and {self.test:g} % leave nothing to train on. Keep some for train.", title="No train rows"
            )


def split(table: Table, settings: SplitSettings, seed: int) -> Change:
    """Names each row's part in the column "split". With `keep`, rows whose part has no known name leave."""
    came = _came(table)
    n, roles = len(table.frame), replace(table.roles, split=COLUMN)
    reasons: list[str | None] = [None] * n
    if settings.method == "keep" and came is not None:
        parts = np.array([name or "" for name in came], dtype=object)
        reasons = [None if name in SPLITS else f"its split is '{name}'" if name else "it has no split" for name in parts.tolist()]
        if "validation" not in parts and settings.validation:
            inside, family = np.flatnonzero(parts == "train"), _families(table, settings)
            sizes = _sizes(n if settings.unit == "percent" else len(inside), settings)
            parts[inside] = assign(family[inside], _strata(table, settings)[inside], _synthetic(table)[inside],
                                   {"validation": min(sizes["validation"], max(0, len(inside) - 1))}, generator(seed, "split"))  # fmt: skip
    elif settings.method == "newest":
        parts = _newest(_times(table, settings), _families(table, settings), _synthetic(table), _sizes(n, settings))
    else:
        strata = _strata(table, settings) if settings.method == "stratified" else np.zeros(n, dtype=np.int64)
        parts = assign(_families(table, settings), strata, _synthetic(table), _sizes(n, settings), generator(seed, "split"))
    return Change(dropped=reasons, columns={COLUMN: parts.tolist()}, roles=roles)


def assign(family: np.ndarray, strata: np.ndarray, synthetic: np.ndarray, sizes: dict[str, int], random: np.random.Generator) -> np.ndarray:
    """A part for each row (object array): `sizes` of validation and test, the rest train.

    `family` and `strata` number the rows; `synthetic` marks rows whose whole family goes to train. Exact when families are
    single rows; a family that fits nowhere else goes to train.
    """
    parts = np.full(len(family), "train", dtype=object)
    members = _members(family)
    left = dict(sizes)
    left["train"] = len(family) - sum(sizes.values())
    single, several = [], []
    for rows in members:
        if synthetic[rows].any():
            left["train"] -= len(rows)
        else:
            (single if len(rows) == 1 else several).append(rows)
    for place in random.permutation(len(several)).tolist():
        rows = several[place]
        open_to = [name for name in left if left[name] >= len(rows)]
        shares = np.array([left[name] for name in open_to], dtype=float)
        name = open_to[int(random.choice(len(open_to), p=shares / shares.sum()))] if open_to else "train"
        parts[rows] = name
        left[name] -= len(rows)
    rows = np.array([rows[0] for rows in single], dtype=np.int64)
    rows = rows[np.lexsort((random.random(len(rows)), strata[rows]))]
    for name in sizes:
        wanted = min(max(0, left[name]), len(rows))
        taken = spaced(len(rows), wanted, random)
        parts[rows[taken]] = name
        rows = rows[~taken]
    return parts


def spaced(n: int, wanted: int, random: np.random.Generator) -> np.ndarray:
    """A mask with exactly `wanted` of `n` places, evenly spaced from a random start."""
    if not n:
        return np.zeros(0, dtype=bool)
    steps = (np.arange(n + 1) * wanted + int(random.integers(n))) // n
    return np.diff(steps) > 0


def _members(family: np.ndarray) -> list[np.ndarray]:
    """The rows of each family, families in the order of their first row."""
    order = np.argsort(family, kind="stable")
    cuts = np.flatnonzero(np.diff(family[order])) + 1
    return sorted(np.split(order, cuts), key=lambda rows: rows[0]) if len(order) else []


def _sizes(n: int, settings: SplitSettings) -> dict[str, int]:
    """Rows of test and validation. Raises DataError when they leave no train row."""
    share = n / 100 if settings.unit == "percent" else 1.0
    sizes = {name: round(value * share) for name, value in (("test", settings.test), ("validation", settings.validation))}
    if sum(sizes.values()) >= n > 0:
        raise DataError(f"{sizes['test']} test rows and {sizes['validation']} validation rows of {n} leave nothing to train on. "
                        "Make them smaller.", title="No train rows")  # fmt: skip
    return sizes


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


def _strata(table: Table, settings: SplitSettings) -> np.ndarray:
    """A number per row: its label, or the tenth of the numbers it lies in; all 0 without a column."""
    column = (settings.by if settings.method == "stratified" else "") or table.roles.target
    if not column or column not in table.frame or table.task in ("qa", "chat"):
        return np.zeros(len(table.frame), dtype=np.int64)
    if (table.task == "regression" and column == table.roles.target) or pd.api.types.is_float_dtype(table.frame[column]):
        values = np.array(
            [
                np.nan if (v := read_amount(c.item() if isinstance(c, np.generic) else c)) is None else v
                for c in table.frame[column].tolist()
            ]
        )
        ends = np.unique(np.nanquantile(values, np.linspace(0, 1, _BINS + 1)[1:-1])) if np.isfinite(values).any() else np.array([])
        return np.digitize(values, ends)
    return np.unique([cell or "" for cell in texts(table.frame[column])], return_inverse=True)[1]


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


def _newest(times: pd.Series, family: np.ndarray, synthetic: np.ndarray, sizes: dict[str, int]) -> np.ndarray:
    """Whole families from the newest on into test, then validation; a family is as old as its newest row."""
    parts = np.full(len(family), "train", dtype=object)
    moment = times.rank(method="first").to_numpy()
    members = sorted((rows for rows in _members(family) if not synthetic[rows].any()), key=lambda rows: -moment[rows].max())
    left = dict(sizes)
    for rows in members:
        name = next((name for name in left if left[name] >= len(rows)), None)
        if name is None:
            break
        parts[rows] = name
        left[name] -= len(rows)
    return parts


def split_keys(settings: SplitSettings, roles: Roles) -> list[str]:
    return [settings.group or roles.group or "", settings.by or "", roles.target or "", roles.time or "", roles.split or "",
            roles.parent_row or "", *(roles.text if settings.near_duplicates else ())]  # fmt: skip


def split_sentence(settings: SplitSettings) -> str:
    """ "80 / 10 / 10, near-duplicates kept together" """
    together: Sequence[str] = [name for on, name in ((settings.near_duplicates, "near-duplicates"), (settings.group, settings.group)) if on]
    if settings.unit == "percent":
        sizes = f"{100 - settings.validation - settings.test:g} / {settings.validation:g} / {settings.test:g}"
    else:
        sizes = f"{count(settings.validation)} validation and {count(settings.test)} test rows"
    how = {"keep": "as it came, else ", "stratified": "stratified, ", "newest": "the newest are the test, "}.get(settings.method, "")
    return f"{how}{sizes}" + (f", {' and '.join(together)} kept together" if together else "")
