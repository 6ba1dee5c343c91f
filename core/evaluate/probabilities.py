"""Metrics of stated probabilities, row by row: Brier's score (1950) and log loss, over the whole list of labels.

Both are best for a model that says what it knows and no more. Whether "80 % sure" is right in 80 of 100 is asked in
`core.evaluate.calibration`.
"""

from __future__ import annotations

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.labels import column

CLIP = 1e-15
"""A probability of 0 for the truth counts as this much, so that the log is finite."""


def stated(answers: Answers) -> np.ndarray | None:
    """(n, labels) probabilities; None when there are none, or a read answer comes without."""
    table = answers.probabilities
    if answers.task != "classification" or table is None or not answers.n:
        return None
    return None if np.any(np.isnan(table).any(axis=1) & answers.read) else table


def brier(answers: Answers) -> np.ndarray | None:
    """(n, 1): squared distance of the probabilities from the truth; two labels: of the second one's, as is usual.

    An unread answer, or a truth nobody had declared, costs the most there is: 1 with two labels, else 2 at most.
    """
    table = stated(answers)
    if table is None:
        return None
    half = 0.5 if len(answers.labels) == 2 else 1.0
    squares = half * ((table - _truths(answers)) ** 2).sum(axis=1)
    return column(np.where(np.isnan(table).any(axis=1), 2 * half, squares))


def log_loss(answers: Answers) -> np.ndarray | None:
    """(n, 1): minus the log of the probability of the truth, clipped at 1e-15, which is also what an unread answer costs."""
    table = stated(answers)
    if table is None:
        return None
    return column(-np.log(np.clip(np.nan_to_num((table * _truths(answers)).sum(axis=1)), CLIP, 1.0)))


def _truths(answers: Answers) -> np.ndarray:
    return (answers.truth[:, None] == np.array(answers.labels, dtype=object)).astype(float)
