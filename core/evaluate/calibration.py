"""What stated probabilities are worth: are answers given as 80 % sure right in 80 of 100?

The calibration error (ECE, Naeini 2015) puts rows that are equally sure together, as many in each bin, and asks how far their mean
sureness is from the share that is right. It is above 0 by luck alone, more so with few rows: beside it stands what a model whose
probabilities are right would show on these rows in 95 of 100 cases (Bröcker and Smith 2007). Only probabilities of the model
itself come here; what a language model says in words about how sure it is, is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.intervals import resamples, wilson

FEWEST, BINS, DRAWS = 200, 10, 1_000
"""Rows below which no calibration error is shown, bins at most, resamples and simulations."""


@dataclass(frozen=True)
class Bin:
    """Rows about equally sure."""

    sure: float
    """Mean probability of the given answers."""
    right: float
    """Share of them that is right, with its interval."""
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Reliability:
    bins: tuple[Bin, ...]
    """The least sure first."""
    place: np.ndarray
    """(rows,) the bin of each row; -1 where no probability is stated."""
    n: int
    """Rows with a probability."""
    sure: float
    right: float
    error: float | None
    """The calibration error, 0 to 1; None below 200 rows."""
    low: float
    high: float
    luck: float
    """What a model with right probabilities stays below in 95 of 100 such tables; NaN without an error."""

    @property
    def sentence(self) -> str:
        """The finding in words."""
        way = "too sure" if self.sure > self.right else "not sure enough"
        told = f"On average {100 * self.sure:.0f} % sure, {100 * self.right:.0f} % right"
        if self.error is None:
            return f"{told}. With fewer than {FEWEST} rows the calibration error is mostly luck and not shown."
        size = f"calibration error (ECE) {self.error:.3f} [{self.low:.3f}, {self.high:.3f}]"
        if self.error <= self.luck:
            return f"{told}; {size}, no more than luck alone would show ({self.luck:.3f})."
        return f"{told}, {way}; {size}, more than luck alone would show ({self.luck:.3f})."


def reliability(answers: Answers, *, bins: int = BINS, seed: int = 0) -> Reliability | None:
    """How right the rows are that are about equally sure; None where no probabilities are stated.

    Sure is the probability of the given answer. Bins hold about as many rows each; equally sure rows stay together.
    """
    table = answers.probabilities
    if table is None or answers.task != "classification" or not len(answers.labels):
        return None
    places = {label: column for column, label in enumerate(answers.labels)}
    own = np.array([places.get(guess, -1) for guess in answers.guess], dtype=int)
    known = (own >= 0) & ~np.isnan(table).any(axis=1)
    if not known.any():
        return None
    sure = table[known, own[known]].astype(float)
    right = (answers.truth == answers.guess)[known].astype(float)
    within = _bins(sure, bins)
    place = np.full(answers.n, -1)
    place[known] = within
    found = tuple(_bin(sure[within == b], right[within == b]) for b in range(within.max() + 1))
    error, low, high, luck = _error(sure, right, within, seed) if len(sure) >= FEWEST else (None, math.nan, math.nan, math.nan)
    return Reliability(found, place, len(sure), float(sure.mean()), float(right.mean()), error, low, high, luck)


def _bins(sure: np.ndarray, bins: int) -> np.ndarray:
    """(n,) codes 0..b-1 by the middle rank of equally sure rows: no row's bin depends on the order of the rows."""
    _, code, counts = np.unique(sure, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return np.unique((middle * bins // len(sure))[code], return_inverse=True)[1]


def _bin(sure: np.ndarray, right: np.ndarray) -> Bin:
    low, high = wilson(round(right.sum()), len(right))
    return Bin(float(sure.mean()), float(right.mean()), low, high, len(right))


def _error(sure: np.ndarray, right: np.ndarray, within: np.ndarray, seed: int) -> tuple[float, float, float, float]:
    """The error, its percentile interval over rows, and the 95 % quantile of errors when the probabilities are right."""
    member = np.eye(int(within.max()) + 1)[within]
    gap = member * (sure - right)[:, None]
    n = len(sure)
    error = float(np.abs(gap.sum(axis=0)).sum() / n)
    drawn = np.concatenate([np.abs(weights @ gap).sum(axis=1) / n for weights in resamples(n, DRAWS, seed)])
    low, high = np.quantile(drawn, (0.025, 0.975))
    rng, chunk = np.random.default_rng(seed + 1), max(1, 4_000_000 // n)
    lucky = np.concatenate(
        [np.abs((sure - (rng.random((min(chunk, DRAWS - start), n)) < sure)) @ member).sum(axis=1) / n for start in range(0, DRAWS, chunk)]
    )
    return error, float(min(low, error)), float(max(high, error)), float(np.quantile(lucky, 0.95))
