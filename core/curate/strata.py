"""Columns as numbers: amounts, labels, and the layers whose shares a sample or a split keeps.

Each distinct cell is read once, so that a million rows take a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.curate.table import Table, texts
from core.reading import read_amount

_BINS = 10


def amounts(column: Any) -> np.ndarray:
    """The number each cell stands for, NaN where it is none."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan).copy()
        values[~np.isfinite(values)] = np.nan
        return values
    places, cells = _distinct(column)
    read = [read_amount(cell.item() if isinstance(cell, np.generic) else cell) for cell in cells]
    return np.array([*(np.nan if value is None else value for value in read), np.nan])[places]


def labels(column: Any) -> tuple[np.ndarray, list[str]]:
    """The place of each cell in the sorted names, -1 where it is missing or empty, and the names."""
    places, cells = _distinct(column)
    told = texts(pd.Series(cells, dtype="object"))
    names = sorted({name for name in told if name})
    where = {name: place for place, name in enumerate(names)}
    return np.array([*(where[name] if name else -1 for name in told), -1], dtype=np.int64)[places], names


def strata(table: Table, column: str | None) -> np.ndarray:
    """A number per row: its label, or the tenth of the numbers it lies in; missing is a layer too. All 0 without a column."""
    if not column or column not in table.frame or (column == table.roles.target and table.task in ("qa", "chat")):
        return np.zeros(len(table.frame), dtype=np.int64)
    cells = table.frame[column]
    if (table.task == "regression" and column == table.roles.target) or pd.api.types.is_float_dtype(cells):
        values = amounts(cells)
        known = values[np.isfinite(values)]
        ends = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else known
        return np.where(np.isnan(values), 0, np.digitize(values, ends) + 1)
    return labels(cells)[0] + 1


def spaced(n: int, wanted: int, random: np.random.Generator) -> np.ndarray:
    """A mask with exactly `wanted` of `n` places, evenly spaced from a random start.

    Of places sorted by layer each layer gets its share to within one.
    """
    if not n:
        return np.zeros(0, dtype=bool)
    steps = (np.arange(n + 1) * wanted + int(random.integers(n))) // n
    return np.diff(steps) > 0


def _distinct(column: Any) -> tuple[np.ndarray, list[Any]]:
    """Where each cell stands among the distinct ones, -1 where there is none. Cells that cannot be compared stand alone."""
    try:
        places, cells = pd.factorize(column)
    except TypeError:
        return np.arange(len(column)), column.tolist()
    return places, list(cells)
