"""What stands on top of the features: one estimator, its strength and its scale chosen on a held-out part of train.

For numbers the candidates are tried on the plain target and on its logarithm (prices are skewed: a model of the logarithm
aims at the median, one of the plain number at the mean), and the smallest average miss on 20 % of the train rows wins.
Then the winner learns from all train rows. Answers on the logarithmic scale stay inside the range seen in train; plain
ones may be negative or beyond it: metrics clip them and say how many.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import SettingsError
from core.predict.confidence import Platt, platt, probabilities
from core.predict.rows import answered, held_out, needs, numbers, texts
from core.prediction import Examples, Prediction

SCALES = ("auto", "plain", "log")
FEWEST_TO_CHOOSE = 40
"""With fewer train rows nothing is chosen: the first candidate on the plain target learns from all of them."""

Make = Callable[[], Any]


@dataclass(frozen=True)
class Head:
    """A fitted estimator and the scale its numbers are on."""

    task: str
    estimator: Any
    log: bool = False
    low: float = 0.0
    high: float = 0.0
    """Range of the train targets."""
    labels: tuple[str, ...] = ()
    """Labels of the train rows, in the order of the probabilities."""
    curve: Platt | None = None
    """Makes probabilities of distances, for support vector machines."""

    def values(self, features: Any) -> np.ndarray:
        """(n,) floats, or labels as objects."""
        found = self.estimator.predict(features)
        if self.task != "regression":
            return found
        found = np.asarray(found, dtype=float).ravel()
        if self.log:
            found = np.clip(np.expm1(np.clip(found, np.log1p(self.low), np.log1p(self.high))), self.low, self.high)
        return np.nan_to_num(found, nan=(self.low + self.high) / 2, posinf=self.high, neginf=self.low)

    def answers(self, features: Any) -> list[Prediction]:
        """With probabilities where there are some; without a curve the likeliest label is the answer, as the estimator's own is."""
        found = None if self.task == "regression" else probabilities(self.estimator, self.curve, features, self.labels)
        if found is None or self.curve is not None:
            return answered(self.task, self.values(features), found)
        return answered(self.task, [self.labels[place] for place in found.argmax(axis=1)], found)


def check_scale(scale: str) -> None:
    if scale not in SCALES:
        raise SettingsError(f"scale is '{scale}'; it must be one of {', '.join(SCALES)}.", title="Unknown scale")


def fit_head(
    features: Any, train: Examples, candidates: Sequence[Make], *, scale: str = "plain", seed: int = 0, trial: Make | None = None
) -> Head:
    """The best candidate on the best scale, fitted on all rows. `features` is (n, k), dense or sparse.

    The scale of an only candidate that is dear to fit is chosen with a cheaper one of its kind, the `trial`. Raises DataError with
    fewer than two train rows, or one label only.
    """
    needs(train, 2, labels=2)
    if train.task != "regression":
        truth = texts(train.targets or ())
        make = _choose_label(features, truth, candidates, seed)
        return replace(_fit(train.task, make, features, truth, False), labels=train.labels, curve=platt(make, features, truth, seed))
    truth = numbers(train.targets or ())
    scales = [scale == "log"] if scale != "auto" else [False, True]
    if truth.min() <= -1:  # the logarithm of 1 + y is not defined
        scales = [False]
    tried = [trial] if trial and len(candidates) == 1 else candidates
    make, log = _choose_number(features, truth, tried, scales, seed)
    return _fit(train.task, candidates[0] if make is trial else make, features, truth, log)


def _fit(task: str, make: Make, features: Any, truth: np.ndarray, log: bool) -> Head:
    estimator = make()
    with warnings.catch_warnings():  # "did not converge" is no news for a baseline: the number of rounds is a setting
        warnings.simplefilter("ignore")
        estimator.fit(features, np.log1p(truth) if log else truth)
    if task != "regression":
        return Head(task, estimator)
    return Head(task, estimator, log, float(truth.min()), float(truth.max()))


def _choose_number(features: Any, truth: np.ndarray, candidates: Sequence[Make], scales: Sequence[bool], seed: int) -> tuple[Make, bool]:
    options = [(make, log) for log in scales for make in candidates]
    if len(options) == 1 or len(truth) < FEWEST_TO_CHOOSE:
        return options[0]
    fit, check = held_out(len(truth), seed)
    misses = []
    for make, log in options:
        head = _fit("regression", make, features[fit], truth[fit], log)
        misses.append(float(np.abs(head.values(features[check]) - truth[check]).mean()))
    return options[int(np.argmin(misses))]


def _choose_label(features: Any, truth: np.ndarray, candidates: Sequence[Make], seed: int) -> Make:
    if len(candidates) == 1 or len(truth) < FEWEST_TO_CHOOSE:
        return candidates[0]
    fit, check = held_out(len(truth), seed)
    if len(set(truth[fit])) < 2:
        return candidates[0]
    rights = [
        float(np.mean(_fit("", make, features[fit], truth[fit], False).values(features[check]) == truth[check])) for make in candidates
    ]
    return candidates[int(np.argmax(rights))]


def weights(estimator: Any, names: Sequence[str], labels: Sequence[str] = (), most: int = 40) -> list[tuple[str, float]]:
    """Coefficients by name, the largest first: one row for numbers and for two labels, `label: name` for more labels."""
    coefficients = np.atleast_2d(np.asarray(estimator.coef_, dtype=float))
    if coefficients.shape[0] == 1:
        prefix = f"{labels[1]}: " if len(labels) == 2 else ""
        return [(prefix + names[j], float(coefficients[0, j])) for j in _largest(np.abs(coefficients[0]), most)]
    each = max(10, most // coefficients.shape[0])
    return [
        (f"{label}: {names[j]}", float(row[j]))
        for label, row in zip(labels, coefficients, strict=True)
        for j in _largest(row, each)
        if row[j] > 0
    ]


def _largest(values: np.ndarray, most: int) -> list[int]:
    order = np.argsort(-values, kind="stable")[:most]
    return [int(j) for j in order if values[j] != 0]
