"""Engineered features as an array, and a linear model on them: those that are noticed, without those switched off, and derived ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from core.errors import SettingsError
from core.predict.derived import derived, read_all
from core.predict.heads import Head, check_scale, fit_head
from core.predict.noticed import Feature, noticed
from core.predict.parts import Parts, Sharer, rows_of
from core.predict.rows import needs
from core.prediction import Examples, Prediction

MOST_WEIGHTS = 300
"""Coefficients that are told."""


@dataclass
class Features:
    """Rows as an (n, k) array of engineered features; unseen categories and brands are all zeros, gaps the train median."""

    brands: int = 40
    """Most frequent brands that get a column of their own, each in at least 3 train rows."""
    categories: int = 60
    """Most frequent values of any other text that get a column of their own."""
    off: tuple[str, ...] = ()
    """Noticed features that are left out, by name."""
    made: tuple[str, ...] = ()
    """Derived ones, each `name = expression`."""

    def fit(self, rows: Examples) -> Self:
        """Raises SettingsError for a name in `off` that is not there and when nothing is left; as `derived` does for the others."""
        chosen = _without(noticed(rows), self.off) + [derived(one, rows) for one in read_all(self.made)]
        if not chosen:
            raise SettingsError("Every feature is switched off. Switch one on, or derive one.", title="No features")
        self.numbers_ = [one for one in chosen if one.columns]
        self.groups_ = [
            (one, _frequent(one.read(rows), self.brands if one.name == "brand" else self.categories, one.fewest))
            for one in chosen
            if not one.columns
        ]
        table = self._numbers(rows)
        known = np.isfinite(table).any(axis=0)
        self.middles_ = np.nanmedian(np.where(known, table, 0.0), axis=0)
        self.names_ = [name for one in self.numbers_ for name in one.columns]
        self.names_ += [f"{one.name}: {value}" for one, found in self.groups_ for value in found]
        self.of_ = [one.name for one in self.numbers_ for _ in one.columns] + [one.name for one, found in self.groups_ for _ in found]
        return self

    def transform(self, rows: Examples) -> np.ndarray:
        """Columns as in `names_`; `of_` names the feature each belongs to."""
        table = self._numbers(rows)
        parts = [np.where(np.isfinite(table), table, self.middles_)]
        for one, found in self.groups_:
            place = {value: column for column, value in enumerate(found)}
            part = np.zeros((len(rows), len(found)))
            for row, cell in enumerate(one.read(rows)):
                if cell in place:
                    part[row, place[cell]] = 1.0
            parts.append(part)
        return np.hstack(parts)

    def _numbers(self, rows: Examples) -> np.ndarray:
        return np.hstack([np.zeros((len(rows), 0)), *(one.read(rows).reshape(len(rows), len(one.columns)) for one in self.numbers_)])


def features(rows: Examples, parts: Parts, off: tuple[str, ...] = (), made: tuple[str, ...] = ()) -> tuple[Features, np.ndarray]:
    """What was learnt from train rows, and those rows as (n, k)."""

    def learnt() -> tuple[Features, np.ndarray]:
        found = Features(off=off, made=made).fit(rows)
        return found, found.transform(rows)

    return parts.get(("features", off, made), rows_of(rows), learnt)


@dataclass
class FeaturesLinear(Sharer):
    """A linear model on engineered features: ridge regression for numbers, logistic regression for labels."""

    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    off: Sequence[str] = ()
    """Noticed features that are left out, by name, such as brand."""
    made: Sequence[str] = ()
    """Derived ones, each `name = expression`, such as `wireless = contains(text, "wireless")`."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_scale(self.scale)
        for name in ("off", "made"):
            if isinstance(getattr(self, name), str):
                raise SettingsError(f'{name} is one text; a list is needed, such as ["brand"].', title="Not a list")
        read_all(self.made)

    def fit(self, train: Examples) -> Self:
        from sklearn.preprocessing import StandardScaler

        needs(train, 2, labels=2)
        self.features_, table = features(train, self.parts, tuple(self.off), tuple(self.made))
        self.scaler_ = StandardScaler()
        scaled = self.scaler_.fit_transform(table)
        self.head_: Head = fit_head(scaled, train, [_linear(train.task)], scale=self.scale, seed=self.seed)
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return self.head_.answers(self.scaler_.transform(self.features_.transform(rows))) if len(rows) else []

    def looks_at(self) -> list[tuple[str, float]]:
        """Standardized coefficients: what one standard deviation of the feature changes (on the log scale when that was chosen)."""
        from core.predict.heads import weights

        labels = tuple(map(str, getattr(self.head_.estimator, "classes_", ())))
        return weights(self.head_.estimator, self.features_.names_, labels, most=MOST_WEIGHTS)


def _linear(task: str) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    return (lambda: Ridge(alpha=1.0)) if task == "regression" else (lambda: LogisticRegression(max_iter=500))


def _without(features: list[Feature], off: Sequence[str]) -> list[Feature]:
    names = [one.name for one in features]
    unknown = [name for name in off if name not in names]
    if unknown:
        raise SettingsError(f"There is no feature '{unknown[0]}' to leave out. There are {', '.join(names)}.", title="Unknown feature")
    return [one for one in features if one.name not in off]


def _frequent(cells: Any, most: int, fewest: int) -> list[str]:
    counts: Counter[str] = Counter(cell for cell in cells if cell)
    chosen: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return [name for name, count in chosen if count >= fewest]
