"""A linear support vector regression without a dead zone: the line with the smallest average miss, held back by its weights.

Solved by least squares that are weighted anew each round, a row by one over its last miss (iteratively reweighted least squares);
liblinear's coordinate descent takes ten times as long on columns that go together, such as word vectors. For dense features of some
hundred columns. Not known here: logarithms.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

NEAR = 0.01
"""Of the target's spread: misses below it weigh as if they were so large."""
ENOUGH = 3e-4
"""It ends when a round makes the whole less by this share."""


class MedianLine:
    """Minimises strength x the sum of misses + half the squared weights, the target in units of its own spread.

    One strength suits dollars and logarithms.
    """

    def __init__(self, strength: float = 0.3, rounds: int = 40) -> None:
        self.strength, self.rounds = strength, rounds

    def fit(self, features: np.ndarray, truth: np.ndarray) -> Self:
        """`features` is (n, k), dense."""
        middle, spread = float(np.median(truth)), float(np.std(truth)) or 1.0
        wanted = (truth - middle) / spread
        table = np.hstack([features, np.ones((len(features), 1))]).astype(np.float32)
        held = np.eye(table.shape[1])
        held[-1, -1] = 1e-9  # the constant is free
        line, last = np.zeros(table.shape[1]), np.inf
        for _ in range(self.rounds):
            miss = table @ line.astype(np.float32) - wanted
            cost = self.strength * float(np.abs(miss).sum()) + 0.5 * float(line[:-1] @ line[:-1])
            if last - cost < ENOUGH * cost:
                break
            last, weights = cost, np.sqrt(self.strength / np.sqrt(miss * miss + NEAR**2)).astype(np.float32)
            scaled = table * weights[:, None]
            line = np.linalg.solve(scaled.T @ scaled + held, scaled.T @ (weights * wanted.astype(np.float32)))
        self.coef_, self.intercept_ = line[:-1] * spread, line[-1] * spread + middle
        return self

    def predict(self, features: Any) -> np.ndarray:
        """(n,) in the target's units."""
        return features @ self.coef_ + self.intercept_
