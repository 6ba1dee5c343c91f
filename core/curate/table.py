"""What a step is given and what it gives back.

Row steps see some rows and return the same rows in the same order with a text column `dropped` (null keeps). Whole-table
steps see their key columns only and return a `Change`: a reason per row that leaves, new columns, a new order, new roles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.prompt import Prompt
from core.version import SPLITS, Roles


@dataclass(frozen=True)
class Tokenizer:
    """Text to tokens and back. `decode(encode(text))` is the text; a cut inside a character gives a replacement sign."""

    encode: Callable[[str], Sequence[int]]
    decode: Callable[[Sequence[int]], str]
    count: Callable[[str], int] | None = None
    """How many tokens a text has, where that is faster than encoding it."""


@dataclass(frozen=True)
class Table:
    """A table on its way through a recipe. The frame's index is each row's number in the version it came from; rows that
    a step copied were not there and have negative numbers."""

    frame: pd.DataFrame
    roles: Roles
    prompt: Prompt | None = None
    task: str | None = None

    def splits(self) -> np.ndarray:
        """train, validation, test or "" for each row (object array); all "" before a split."""
        if not self.roles.split or self.roles.split not in self.frame:
            return np.full(len(self.frame), "", dtype=object)
        return np.array([name if name in SPLITS else "" for name in self.frame[self.roles.split].astype("str").tolist()], dtype=object)

    def movable(self) -> np.ndarray:
        """Which rows a step may drop to even things out: before a split all, after it the train rows only."""
        parts = self.splits()
        return parts == "train" if (parts != "").any() else np.ones(len(parts), dtype=bool)


@dataclass(frozen=True)
class Change:
    """What a whole-table step does; whatever is not named stays."""

    dropped: Sequence[str | None] | np.ndarray | None = None
    """A reason for each row that leaves, null for the others; in row order."""
    columns: Mapping[str, Sequence[Any] | np.ndarray] = field(default_factory=dict)
    """New or replaced columns: text, or numbers as an array of floats."""
    copied: np.ndarray | None = None
    """Places of rows that are put at the end once more, as children of the rows they copy; a place may come several times."""
    order: np.ndarray | None = None
    """Positions in their new order; every row once."""
    roles: Roles | None = None
    prompt: Prompt | None = None


def texts(column: Any) -> list[str | None]:
    """The cells of a Series as text, null where there is none."""
    return [None if cell is None or (isinstance(cell, float) and cell != cell) or cell is pd.NA else str(cell) for cell in column.tolist()]


def kept(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with an empty `dropped` column."""
    return with_reasons(rows, [None] * len(rows))


def with_reasons(rows: pd.DataFrame, reasons: Sequence[str | None]) -> pd.DataFrame:
    """The rows with these reasons in `dropped` (Python texts: whoever runs the steps gives columns their final type)."""
    out = rows.copy(deep=False)
    out["dropped"] = pd.Series(list(reasons), index=rows.index, dtype="object")
    return out


def with_text(rows: pd.DataFrame, cells: Mapping[str, Sequence[str | None]]) -> pd.DataFrame:
    """The rows with these text columns written."""
    out = rows.copy(deep=False)
    for name, values in cells.items():
        out[name] = pd.Series(list(values), index=rows.index, dtype="object")
    return out
