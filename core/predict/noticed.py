"""What is noticed in rows without being asked: weight, rank, length, brand, category, dates, and the columns with the role feature.

Source: the pricing course's features (weight, best-seller rank, text length, brand), made general. Not known here: targets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.curate.found import DATE_PARTS, date_part
from core.prediction import Examples
from core.reading import read_amount

_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)\s*(pounds?|lbs?|ounces?|oz|kilograms?|kgs?|grams?|g)\b", re.I)
_IN_POUNDS = {"p": 1.0, "l": 1.0, "o": 1 / 16, "k": 2.20462, "g": 0.00220462}
_RANK = re.compile(r"(?:rank|순위)\D{0,20}(\d[\d,]*)", re.I)
_BRAND = re.compile(r"\bbrand\W{1,4}(\w+)", re.I)


@dataclass(frozen=True)
class Feature:
    """One thing about a row: numbers in one or more columns, or a text of which the frequent values get a column each."""

    name: str
    meaning: str
    read: Callable[[Examples], Any]
    """Rows -> (n, len(columns)) floats, NaN where missing; or n texts, "" where missing."""
    columns: tuple[str, ...] = ()
    """Names of the numbers; () for a text."""
    fewest: int = 1
    """Texts: train rows a value needs for a column."""
    told: int | None = 0
    """Numbers: the column whose NaN means that a row does not tell; None when every row does."""

    def coverage(self, cells: Any) -> float:
        """Share of the rows that tell it, 0 to 1, of what `read` gave."""
        if not len(cells):
            return 0.0
        if not self.columns:
            return float(np.mean([bool(cell) for cell in cells]))
        return 1.0 if self.told is None else float(np.isfinite(cells[:, self.told]).mean())


def pounds(text: str) -> float | None:
    """The first weight a text tells, in pounds."""
    found = _WEIGHT.search(text)
    return float(found.group(1)) * _IN_POUNDS[found.group(2)[0].lower()] if found else None


def rank(text: str) -> int | None:
    """The best-seller rank a text tells."""
    found = _RANK.search(text)
    return int(found.group(1).replace(",", "")[:12]) if found else None


def brand(text: str) -> str:
    """The word after "Brand:", else the first word of the text, lower case; listings begin with their brand."""
    found = _BRAND.search(text) or re.search(r"(\w+)", text)
    return found.group(1).lower() if found else ""


def noticed(rows: Examples) -> list[Feature]:
    """Every feature these rows have: those of the text first, then columns, then texts with frequent values."""
    features = [
        Feature(
            "weight", "The first weight in the text, in pounds, as a logarithm", _texts(_told(pounds)), ("weight (log)", "weight given")
        ),
        Feature("rank", "Best-seller rank in the text, as a logarithm", _texts(_told(rank)), ("rank (log)", "rank given")),
        Feature("length", "Characters and words, as logarithms", _texts(_length), ("characters (log)", "words (log)"), told=None),
        Feature("numbers", "How many numbers the text has, as a logarithm", _texts(_numbers), ("numbers",), told=None),
        Feature("capitals", "Share of capitals among the letters", _texts(_capitals), ("capitals",), told=None),
        Feature("marks", "Exclamation and question marks, as a logarithm", _texts(_marks), ("! and ?",), told=None),
    ]
    taken = {one.name for one in features} | {"category", "brand"}
    groups = [Feature("category", "The column with the role category", Examples.category)] if any(rows.category()) else []
    groups.append(Feature("brand", "The word after Brand:, else the first word of the text", _brands, fewest=3))
    if rows.roles.time in rows.frame:
        features.append(_dated(str(rows.roles.time), _named(f"{rows.roles.time} (date)", taken)))
    for column in rows.roles.features:
        if column not in rows.frame:
            continue
        name = _named(column, taken)
        if _is_number(rows.frame[column].tolist()):
            features.append(Feature(name, "A number of that column", _amounts(column), (name,)))
        else:
            groups.append(Feature(name, "The frequent values of that column", _cells(column)))
    return [*features, *groups]


def _named(name: str, taken: set[str]) -> str:
    """The column's name, or a longer one when a feature of the text is called so."""
    return f"{name} (column)" if name in taken else name


def _is_number(cells: Sequence[Any]) -> bool:
    return sum(read_amount(cell) is not None for cell in cells) >= 0.5 * max(1, len(cells))


def _texts(read: Callable[[str], list[float]]) -> Callable[[Examples], np.ndarray]:
    return lambda rows: np.array([read(text) for text in rows.text], dtype=float).reshape(len(rows), -1 if len(rows) else len(read("")))


def _told(read: Callable[[str], float | None]) -> Callable[[str], list[float]]:
    """The logarithm of what a text tells (NaN when it does not), and whether it does."""

    def both(text: str) -> list[float]:
        value = read(text)
        return [math.nan, 0.0] if value is None else [math.log1p(value), 1.0]

    return both


def _length(text: str) -> list[float]:
    return [math.log1p(len(text)), math.log1p(len(text.split()))]


def _numbers(text: str) -> list[float]:
    return [math.log1p(len(re.findall(r"\d+", text)))]


def _capitals(text: str) -> list[float]:
    letters = sum(map(str.isalpha, text))
    return [sum(map(str.isupper, text)) / letters if letters else 0.0]


def _marks(text: str) -> list[float]:
    return [math.log1p(text.count("!") + text.count("?"))]


def _brands(rows: Examples) -> list[str]:
    return [brand(text) for text in rows.text]


def _dated(column: str, name: str) -> Feature:
    def read(rows: Examples) -> np.ndarray:
        cells = _column(rows, column)
        return np.column_stack([date_part(cells, part) for part in DATE_PARTS])

    return Feature(name, "Year, month and day of the week", read, tuple(f"{name}: {part}" for part in DATE_PARTS))


def _amounts(column: str) -> Callable[[Examples], np.ndarray]:
    def read(rows: Examples) -> np.ndarray:
        cells = [read_amount(cell) for cell in _column(rows, column)]
        return np.array([math.nan if cell is None else cell for cell in cells], dtype=float).reshape(len(rows), 1)

    return read


def _cells(column: str) -> Callable[[Examples], list[str]]:
    return lambda rows: ["" if cell is None or cell != cell else str(cell) for cell in _column(rows, column)]


def _column(rows: Examples, column: str) -> list[Any]:
    return rows.frame[column].tolist() if column in rows.frame else [None] * len(rows)
