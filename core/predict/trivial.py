"""Predictors that read nothing: what every model has to beat.

Source: the pricing course's random and constant pricers; scikit-learn's dummies. The median is the best constant for the
average miss, the mean for the squared one, the geometric mean for the squared miss of logarithms. Not known here: texts, and
how good an answer is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Self

import numpy as np

from core.errors import SettingsError
from core.predict.confidence import MOST_LABELS
from core.predict.rows import needs
from core.prediction import Examples, Prediction
from core.task import Target

STATISTICS = ("mean", "median", "geometric")


@dataclass
class Random:
    """The target of a train row drawn by lot: a guess that knows how often each answer occurs, and nothing else."""

    seed: int = 0

    def fit(self, train: Examples) -> Self:
        self.targets_ = needs(train, 1)
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        drawn = np.random.default_rng(self.seed).integers(0, len(self.targets_), len(rows))
        return [Prediction(self.targets_[place]) for place in drawn]


@dataclass
class Constant:
    """The same number for every row."""

    statistic: str = "median"
    """mean | median | geometric, of the train targets."""

    def __post_init__(self) -> None:
        _check(self.statistic)

    def fit(self, train: Examples) -> Self:
        self.value_ = _middle(self.statistic, needs(train, 1))
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return [Prediction(self.value_)] * len(rows)


@dataclass
class Majority:
    """The most frequent train answer for every row; of equally frequent ones the first in text order.

    Of labels it says how often each occurs in train: the probabilities that knowing nothing about a row gives.
    """

    def fit(self, train: Examples) -> Self:
        targets = needs(train, 1)
        self.value_ = _most_frequent(targets)
        counts = Counter(str(target) for target in targets)
        shares = tuple(float(np.float32(counts[label] / len(targets))) for label in train.labels)
        self.shares_ = shares if 0 < len(shares) <= MOST_LABELS else None
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return [Prediction(self.value_, probabilities=self.shares_)] * len(rows)


@dataclass
class GroupConstant:
    """One answer per category (numbers: a constant; labels: the most frequent), the overall one for unseen categories."""

    statistic: str = "median"
    """mean | median | geometric, of the train targets of the category. Not used for labels."""

    def __post_init__(self) -> None:
        _check(self.statistic)

    def fit(self, train: Examples) -> Self:
        targets = needs(train, 1)
        groups: dict[str, list[Target]] = {}
        for category, target in zip(train.category(), targets, strict=True):
            groups.setdefault(category, []).append(target)
        numeric = train.task == "regression"
        self.overall_ = _middle(self.statistic, targets) if numeric else _most_frequent(targets)
        self.values_ = {name: _middle(self.statistic, some) if numeric else _most_frequent(some) for name, some in groups.items()}
        self.shares_ = {} if numeric else {name: some.count(self.values_[name]) / len(some) for name, some in groups.items()}
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return [Prediction(self.values_.get(category, self.overall_)) for category in rows.category()]

    def looks_at(self) -> list[tuple[str, float]]:
        """Each category and how far its number is from the overall one; for labels its label and the share of train rows that have it."""
        if not isinstance(self.overall_, float):
            return [(f"{name or '(none)'}: {self.values_[name]}", share) for name, share in self.shares_.items()]
        return [(name, float(value) - self.overall_) for name, value in self.values_.items()]


def _check(statistic: str) -> None:
    if statistic not in STATISTICS:
        raise SettingsError(f"statistic is '{statistic}'; it must be one of {', '.join(STATISTICS)}.", title="Unknown statistic")


def _middle(statistic: str, targets: Sequence[Target]) -> float:
    numbers = [float(value) for value in targets]
    if statistic == "geometric":  # of 1 + y, so that zeros count; numbers below zero count as zero, as they do in RMSLE
        return math.expm1(fmean(math.log1p(max(value, 0.0)) for value in numbers))
    return fmean(numbers) if statistic == "mean" else float(median(numbers))


def _most_frequent(targets: Sequence[Target]) -> Target:
    counts = Counter(targets)
    most = max(counts.values())
    return min((value for value, count in counts.items() if count == most), key=str)
