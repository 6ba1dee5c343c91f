"""The headline as rows come in: its mean over the first k rows with the 95 % interval, which narrows as the rows grow.

0/1 scores by Wilson, other means by t. The rows are in the order of the test: a run that is looked at early is only a preview.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.intervals import z_of
from core.evaluate.metrics import METRICS, per_item
from core.task import task


@dataclass(frozen=True)
class Running:
    rows: np.ndarray
    """(m,) numbers of rows, ascending; the last is all."""
    value: np.ndarray
    """(m,) means over so many rows."""
    low: np.ndarray
    """(m,) NaN where there is no interval (one row)."""
    high: np.ndarray


def running(answers: Answers, most: int = 200) -> Running:
    """The running headline at no more than `most` numbers of rows. Empty for no rows."""
    name = task(answers.task).headline
    items = per_item(name, answers).astype(float) if answers.n else np.array([])
    n = np.arange(1, len(items) + 1)
    total, squares = np.cumsum(items), np.cumsum(items**2)
    value = total / np.maximum(n, 1)
    low, high = _wilson(value, n) if METRICS[name].binary else _student(value, squares, n)
    places = np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)) if len(items) else n[:0]
    return Running(n[places], value[places], low[places], high[places])


def _student(value: np.ndarray, squares: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import stdtrit

    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.maximum(squares - n * value**2, 0.0) / (n - 1) / n)
        half = np.where(n > 1, stdtrit(np.maximum(n - 1, 1), 0.975) * spread, np.nan)
    return value - half, value + half


def _wilson(value: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z2 = z_of() ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (value + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2) * np.sqrt(value * (1 - value) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
