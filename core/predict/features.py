"""Numbers a person would look for in a row: weight, rank, length, brand, category, and the columns with the role feature.

Source: the pricing course's features (weight, best-seller rank, text length, brand), made general. Not known here: targets.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from core.predict.heads import Head, check_scale, fit_head
from core.predict.rows import needs
from core.prediction import Examples, Prediction
from core.reading import read_amount

_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)\s*(pounds?|lbs?|ounces?|oz|kilograms?|kgs?|grams?|g)\b", re.I)
_IN_POUNDS = {"p": 1.0, "l": 1.0, "o": 1 / 16, "k": 2.20462, "g": 0.00220462}
_RANK = re.compile(r"(?:rank|순위)\D{0,20}(\d[\d,]*)", re.I)
_BRAND = re.compile(r"\bbrand\W{1,4}(\w+)", re.I)
PLAIN = ("weight (log)", "weight given", "rank (log)", "rank given", "characters (log)", "words (log)", "numbers", "capitals", "! and ?")
"""Features every text has, in order."""


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


def plain(text: str) -> list[float]:
    """The features of one text, as in PLAIN; a weight or rank that is not told is NaN."""
    weight, place = pounds(text), rank(text)
    letters = sum(map(str.isalpha, text))
    return [
        math.log1p(weight) if weight is not None else math.nan,
        float(weight is not None),
        math.log1p(place) if place is not None else math.nan,
        float(place is not None),
        math.log1p(len(text)),
        math.log1p(len(text.split())),
        math.log1p(len(re.findall(r"\d+", text))),
        sum(map(str.isupper, text)) / letters if letters else 0.0,
        math.log1p(text.count("!") + text.count("?")),
    ]


@dataclass
class Features:
    """Rows as an (n, k) array of engineered features; unseen categories and brands are all zeros, gaps the train median."""

    brands: int = 40
    """Most frequent brands that get a column of their own, each in at least 3 train rows."""
    categories: int = 60
    """Most frequent categories that get a column of their own."""

    def fit(self, rows: Examples) -> Self:
        self.groups_ = {
            "category": _frequent(rows.category(), self.categories, 1),
            "brand": _frequent(map(brand, rows.text), self.brands, 3),
        }
        self.numeric_: list[str] = []
        for column in rows.roles.features:
            if column in rows.frame:
                cells = [read_amount(cell) for cell in rows.frame[column].tolist()]
                if sum(cell is not None for cell in cells) >= 0.5 * len(cells):
                    self.numeric_.append(column)
                else:
                    self.groups_[column] = _frequent(_cells(rows, column), self.categories, 1)
        numbers = self._numbers(rows)
        known = np.isfinite(numbers).any(axis=0)
        self.middles_ = np.where(known, np.nanmedian(np.where(known, numbers, 0.0), axis=0), 0.0)
        self.names_ = [*PLAIN, *self.numeric_, *(f"{group}: {name}" for group, names in self.groups_.items() for name in names)]
        return self

    def transform(self, rows: Examples) -> np.ndarray:
        numbers = self._numbers(rows)
        parts = [np.where(np.isfinite(numbers), numbers, self.middles_)]
        for group, names in self.groups_.items():
            cells = rows.category() if group == "category" else list(map(brand, rows.text)) if group == "brand" else _cells(rows, group)
            parts.append(np.array([[cell == name for name in names] for cell in cells], dtype=float).reshape(len(rows), len(names)))
        return np.hstack(parts)

    def _numbers(self, rows: Examples) -> np.ndarray:
        columns = [np.array([plain(text) for text in rows.text], dtype=float).reshape(len(rows), len(PLAIN))]
        for column in self.numeric_:
            cells = [read_amount(cell) for cell in rows.frame[column].tolist()]
            columns.append(np.array([[math.nan if cell is None else cell] for cell in cells], dtype=float).reshape(len(rows), 1))
        return np.hstack(columns)


@dataclass
class FeaturesLinear:
    """A linear model on engineered features: ridge regression for numbers, logistic regression for labels."""

    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def fit(self, train: Examples) -> Self:
        from sklearn.preprocessing import StandardScaler

        needs(train, 2, labels=2)
        self.features_ = Features().fit(train)
        self.scaler_ = StandardScaler()
        scaled = self.scaler_.fit_transform(self.features_.transform(train))
        self.head_: Head = fit_head(scaled, train, [_linear(train.task)], scale=self.scale, seed=self.seed)
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return self.head_.answers(self.scaler_.transform(self.features_.transform(rows))) if len(rows) else []

    def looks_at(self) -> list[tuple[str, float]]:
        """Standardized coefficients: what one standard deviation of the feature changes (on the log scale when that was chosen)."""
        from core.predict.heads import weights

        labels = tuple(map(str, getattr(self.head_.estimator, "classes_", ())))
        return weights(self.head_.estimator, self.features_.names_, labels)


def _linear(task: str) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    return (lambda: Ridge(alpha=1.0)) if task == "regression" else (lambda: LogisticRegression(max_iter=500))


def _cells(rows: Examples, column: str) -> list[str]:
    cells = rows.frame[column].tolist() if column in rows.frame else [None] * len(rows)
    return ["" if cell is None or cell != cell else str(cell) for cell in cells]


def _frequent(cells: Any, most: int, fewest: int) -> list[str]:
    counts: Counter[str] = Counter(cell for cell in cells if cell)
    chosen: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return [name for name, count in chosen if count >= fewest]
