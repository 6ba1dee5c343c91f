"""How sure a classifier is: a probability for each train label, where the estimator has one that means something.

Logistic models, forests and boosted trees give their own. A support vector machine only says on which side of its border a row
lies: a logistic curve from these distances to labels (Platt 1999), learnt on rows that a machine of the same kind had not
learnt from, makes probabilities of them. Everything else has none, and none are made up. Numbers a model says about itself in
words are no probabilities and never come here. What the probabilities are worth is measured in `core.evaluate.calibration`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.predict.rows import held_out

FEWEST_TO_CALIBRATE = 100
"""Train rows below which a support vector machine has no probabilities."""
MOST_LABELS = 100
"""With more labels no probabilities are kept: they would outweigh the answers."""


class Platt:
    """A logistic curve from distances (n,) or (n, labels) to labels."""

    def fit(self, distances: np.ndarray, truth: np.ndarray) -> Platt:
        from sklearn.linear_model import LogisticRegression

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.estimator_ = LogisticRegression(max_iter=300).fit(_columns(distances), truth)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, distances: np.ndarray) -> np.ndarray:
        return self.estimator_.predict_proba(_columns(distances))


def _columns(distances: np.ndarray) -> np.ndarray:
    return distances[:, None] if distances.ndim == 1 else distances


def platt(make: Callable[[], Any], features: Any, truth: np.ndarray, seed: int) -> Platt | None:
    """The curve for estimators of this kind, learnt on a held-out fifth; None when they have probabilities, or rows are too few."""
    estimator = make()
    if hasattr(estimator, "predict_proba") or not hasattr(estimator, "decision_function") or len(truth) < FEWEST_TO_CALIBRATE:
        return None
    fit, check = held_out(len(truth), seed)
    if len(set(truth[fit])) < len(set(truth)) or set(truth[check]) != set(truth):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(features[fit], truth[fit])
    return Platt().fit(estimator.decision_function(features[check]), truth[check])


def probabilities(estimator: Any, curve: Platt | None, features: Any, labels: Sequence[str]) -> np.ndarray | None:
    """(n, labels) of 32-bit floats that add up to 1, columns in the order of `labels`; None where there are none."""
    if len(labels) > MOST_LABELS:
        return None
    if curve is not None:
        found, classes = curve.predict_proba(estimator.decision_function(features)), curve.classes_
    elif hasattr(estimator, "predict_proba"):
        found, classes = estimator.predict_proba(features), estimator.classes_
    else:
        return None
    place = {str(label): column for column, label in enumerate(labels)}
    if any(str(name) not in place for name in classes):
        return None
    out = np.zeros((len(found), len(labels)), dtype=np.float32)
    out[:, [place[str(name)] for name in classes]] = found
    return out
