"""Several models at once: do they differ at all, and are two of them as good as each other?

Cochran's Q asks it of 0/1 scores, Friedman's test of others; pairs are looked at afterwards, adjusted (`core.evaluate.paired`).
"As good as" is a claim of its own: it needs a margin, and the 90 % interval of the difference inside it (two one-sided
tests, Schuirmann 1987). A difference that is not distinguishable is not shown to be none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.errors import SettingsError


@dataclass(frozen=True)
class Omnibus:
    """One test over all models."""

    test: str
    """cochran | friedman"""
    statistic: float
    p: float
    """1 where no row tells the models apart."""
    models: int
    n: int


def cochran(scores: np.ndarray) -> Omnibus:
    """Cochran's Q of 0/1 scores (n rows, k models). Raises ValueError for other scores or fewer than two models."""
    from scipy.stats import chi2

    scores = _checked(scores)
    if not np.isin(scores, (0.0, 1.0)).all():
        raise ValueError("Cochran's Q is for scores of 0 and 1")
    n, k = scores.shape
    models, rows, total = scores.sum(axis=0), scores.sum(axis=1), scores.sum()
    below = k * total - float((rows**2).sum())
    if below == 0:
        return Omnibus("cochran", 0.0, 1.0, k, n)
    statistic = (k - 1) * (k * float((models**2).sum()) - total**2) / below
    return Omnibus("cochran", float(statistic), float(chi2.sf(statistic, k - 1)), k, n)


def friedman(scores: np.ndarray) -> Omnibus:
    """Friedman's test of per-row scores (n rows, k >= 3 models), ties corrected. Raises ValueError for fewer than three models."""
    from scipy.stats import friedmanchisquare

    scores = _checked(scores)
    n, k = scores.shape
    if k < 3:
        raise ValueError(f"{k} models; Friedman's test is for three or more")
    if (scores == scores[:, :1]).all():
        return Omnibus("friedman", 0.0, 1.0, k, n)
    statistic, p = friedmanchisquare(*scores.T)
    return Omnibus("friedman", float(statistic), float(p), k, n)


def equivalent(differences: np.ndarray, margin: float) -> tuple[bool, float]:
    """Whether the mean of per-row differences is shown to lie within (-margin, margin) at 5 %, and the p of it.

    Raises SettingsError for a margin that is not above 0. Fewer than two rows show nothing: (False, 1.0).
    """
    from scipy.special import stdtr

    if not margin > 0 or not math.isfinite(margin):
        raise SettingsError(f"The margin is {margin}; it says how large a difference may be and has to be above 0.", title="No margin")
    n = len(differences)
    if n < 2:
        return False, 1.0
    mean, error = float(np.mean(differences)), float(np.std(differences, ddof=1)) / math.sqrt(n)
    if error == 0:
        return abs(mean) < margin, 0.0 if abs(mean) < margin else 1.0
    p = max(float(stdtr(n - 1, (mean - margin) / error)), float(stdtr(n - 1, (-mean - margin) / error)))
    return p < 0.05, p


def _checked(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f"scores have shape {scores.shape}; (rows, models) with two models or more is needed")
    return scores
