"""Faults planted in a made-up table, in exact numbers and in train rows only, so that what is measured stays honest.

A row that takes part in a duplicate has no other fault, and a cell has one at most: the counts are exact. Rows that happen to be
equal without being planted can only add to the duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.load.synthetic_columns import Column

SPLIT = "split"
FAULTS = {
    "missing": ("Missing cells", "Cells of columns other than text, target and split are emptied."),
    "duplicates": ("Exact duplicates", "Train rows become copies of other train rows."),
    "outliers": ("Outliers", "Numbers far above their range."),
    "label_noise": ("Wrong targets", "Train rows get a target that is not theirs."),
    "html": ("Cells with HTML", "Texts are wrapped in tags and entities."),
}
"""Fault -> its name and what it does."""


@dataclass(frozen=True)
class Faults:
    """How many of each; see FAULTS."""

    missing: int = 0
    duplicates: int = 0
    outliers: int = 0
    label_noise: int = 0
    html: int = 0

    def __post_init__(self) -> None:
        for name in FAULTS:
            if getattr(self, name) < 0:
                raise SettingsError(f"{FAULTS[name][0]}: {getattr(self, name)}; at least 0.", title="Not a number of faults")


def plant(frame: pd.DataFrame, faults: Faults, columns: Sequence[Column], seed: int) -> tuple[pd.DataFrame, dict[str, tuple[Any, ...]]]:
    """(the table with its faults, what was planted where). Raises SettingsError when more are asked for than there is room."""
    rng = np.random.default_rng([seed, 13])
    out = frame.copy()
    train = rng.permutation(np.flatnonzero((frame[SPLIT] == "train").to_numpy()))
    kinds: dict[str, list[str]] = {}
    for column in columns:
        kinds.setdefault(column.kind, []).append(column.name)
    target = next((column for column in columns if column.kind == "target"), None)
    _room("duplicates", faults.duplicates, len(train) // 2)
    copies = [(int(a), int(b)) for a, b in zip(train[: faults.duplicates], train[faults.duplicates : 2 * faults.duplicates], strict=True)]
    free = np.sort(train[2 * faults.duplicates :])
    used: set[tuple[int, str]] = set()

    def some(fault: str, count: int, names: Sequence[str]) -> list[tuple[int, str]]:
        """`count` cells of these columns that have no fault yet."""
        room = [(int(row), name) for name in names for row in free if (int(row), name) not in used] if count else []
        _room(fault, count, len(room))
        picked = [room[place] for place in np.sort(rng.choice(len(room), count, replace=False))] if count else []
        used.update(picked)
        return picked

    wrong = some("label_noise", faults.label_noise, [target.name] if target else [])
    for row, name in wrong:
        out.at[row, name] = _other(frame, row, name, target, rng)
    numbers = kinds.get("number", []) or ([target.name] if target and target.task == "regression" else [])
    far = some("outliers", faults.outliers, numbers)
    for row, name in far:
        one = next(column for column in columns if column.name == name)
        value = one.high + (one.high - one.low) * (5 + 15 * float(rng.random()))
        out.at[row, name] = round(value) if pd.api.types.is_integer_dtype(out[name]) else round(value, one.decimals)
    marked = some("html", faults.html, kinds.get("text", []))
    for row, name in marked:
        out.at[row, name] = f"<p>{out.at[row, name]}</p><br/>&nbsp;&amp; more"
    gaps = some("missing", faults.missing, [name for kind in ("number", "category", "flag", "date") for name in kinds.get(kind, [])])
    for name in dict.fromkeys(name for _, name in gaps):
        column = out[name].astype("float64") if pd.api.types.is_numeric_dtype(out[name]) else out[name]
        out[name] = column.mask(np.isin(np.arange(len(out)), [row for row, other in gaps if other == name]))
    if copies:
        out.iloc[[b for _, b in copies]] = out.iloc[[a for a, _ in copies]].to_numpy()
    planted = {"missing": gaps, "duplicates": copies, "outliers": far, "label_noise": wrong, "html": marked}
    return out, {name: tuple(cells) for name, cells in planted.items() if cells}


def _other(frame: pd.DataFrame, row: int, name: str, target: Column | None, rng: np.random.Generator) -> Any:
    """A target that is not the row's own."""
    own = frame.at[row, name]
    if target is not None and target.task == "classification":
        others = [label for label in target.classes if label != own]
        return others[int(rng.integers(len(others)))]
    others = [cell for cell in frame[name].drop_duplicates().tolist() if cell != own]
    if not len(others):
        raise SettingsError(f"{name} is {own} in every row, so no other target can be planted.", title="No other target")
    return others[int(rng.integers(len(others)))]


def _room(fault: str, count: int, room: int) -> None:
    if count > room:
        title, meaning = FAULTS[fault]
        raise SettingsError(f"{title}: {count:,} are asked for, and there is room for {room:,}. {meaning}", title="Too many faults")
