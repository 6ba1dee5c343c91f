"""The best of several models was picked on the very rows it is measured on: by how much does that flatter it?

Bootstrap of the choice: on each resample of the rows the best model is picked anew, and how much better it looks there than over
all rows is what choosing adds. The mean of it comes off the score of the best (Efron 1983; Tibshirani and Tibshirani 2009). With one
model nothing is chosen. The correction is about chance only, not about rows that leak or differ from those to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.intervals import PREVIEW, Together, resamples
from core.evaluate.metrics import metric, value_of


@dataclass(frozen=True)
class BestOf:
    """The first of k models, as measured and as it is to be expected on new rows of the same kind."""

    place: int
    """Which of the given models is first."""
    k: int
    n: int
    value: float
    corrected: float

    @property
    def optimism(self) -> float:
        """What choosing adds, in the metric's unit, 0 or more."""
        return abs(self.value - self.corrected)


def best_of(
    name: str, models: Sequence[Answers], *, groups: np.ndarray | None = None, seed: int = 0, count: int = PREVIEW
) -> BestOf | None:
    """The best of models that answered the same rows, corrected; None without rows, or where the metric is not defined for each."""
    one = metric(name)
    columns = [one.columns(answers) for answers in models]
    known = [each for each in columns if each is not None]
    values = np.array([value_of(name, answers) for answers in models])
    if not models or len(known) < len(models) or not models[0].n or not np.isfinite(values).all():
        return None
    sign = -1.0 if one.lower_is_better else 1.0
    merit = -np.abs(values) if one.zero_is_best else sign * values
    first, n = int(np.argmax(merit)), models[0].n
    if len(models) == 1:
        return BestOf(first, 1, n, float(values[0]), float(values[0]))
    gains: list[np.ndarray] = []
    together = Together([one] * len(models), known)
    for weights in resamples(n, count, seed, groups):
        drawn = dict(together.of(weights, len(weights)))
        table = np.column_stack([drawn[place] for place in range(len(models))])
        table = -np.abs(table) if one.zero_is_best else sign * table
        table = np.where(np.isfinite(table), table, -np.inf)
        chosen = table.argmax(axis=1)
        gain = table[np.arange(len(table)), chosen] - merit[chosen]
        gains.append(gain[np.isfinite(gain)])
    optimism = max(0.0, float(np.mean(np.concatenate(gains)))) if sum(map(len, gains)) else 0.0
    if one.zero_is_best:
        return BestOf(first, len(models), n, float(values[first]), float(values[first] + np.copysign(optimism, values[first])))
    return BestOf(first, len(models), n, float(values[first]), float(values[first] - sign * optimism))
