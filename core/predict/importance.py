"""Permutation importance: how much worse a fitted model gets when what one feature says is shuffled among the rows.

Source: Breiman, Random Forests (2001). The rows must be ones the model has not learnt from and nothing is measured on: the validation
rows, never the test rows. Features that say nearly the same share their importance: shuffling one leaves the other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.errors import DataError
from core.predict.rows import numbers, texts
from core.prediction import Examples

WORDS = "words of the text"
"""The name of all columns together that belong to no single feature."""
MOST_ROWS = 300
REPEATS = 3


@dataclass(frozen=True)
class Importance:
    """What one feature is worth to a model."""

    name: str
    worse: float
    """Numbers: how much the average miss grows, in the target's unit; labels: how much the share right falls. Mean over the shuffles."""
    spread: float
    """Standard deviation over the shuffles."""

    def to_list(self) -> list[Any]:
        return list(asdict(self).values())


def permutation(model: Any, rows: Examples, *, seed: int = 0, repeats: int = REPEATS, most: int = MOST_ROWS) -> list[Importance]:
    """Every feature of a fitted model that has `columns`, the most important first, on at most `most` rows spread over `rows`.

    Raises DataError with fewer than 10 rows, or without targets.
    """
    if rows.targets is None or len(rows) < 10:
        raise DataError(f"{len(rows)} rows with answers; importances need at least 10.", title="Too few rows")
    some = rows if len(rows) <= most else rows.take([place * len(rows) // most for place in range(most)])
    table, features = model.columns(some.without_targets())
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(some)) for _ in range(repeats)]
    usual = _wrong(model, table, some).mean()
    found = []
    for name in dict.fromkeys(features):
        places = [place for place, other in enumerate(features) if other == name]
        tables = np.vstack([table] * repeats)
        tables[:, places] = np.vstack([table[order][:, places] for order in orders])
        worse = _wrong(model, tables, some, repeats).reshape(repeats, -1).mean(axis=1) - usual
        found.append(Importance(name, float(worse.mean()), float(worse.std())))
    return sorted(found, key=lambda one: -one.worse)


def _wrong(model: Any, table: np.ndarray, rows: Examples, times: int = 1) -> np.ndarray:
    """(n * times,) how wrong each answer is: the miss of a number, 0 or 1 for a label."""
    said = model.head_.values(table)
    if rows.task == "regression":
        return np.abs(said - np.tile(numbers(rows.targets or ()), times))
    return (np.asarray(said, dtype=str) != np.tile(texts(rows.targets or ()).astype(str), times)).astype(float)
