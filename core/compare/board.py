"""A board of models that answered the same test rows, as values: rows, pairs, and what they are measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.errors import MissingError
from core.evaluate.answers import Answers
from core.evaluate.intervals import FULL, Measured
from core.evaluate.metrics import METRICS, Metric
from core.evaluate.omnibus import Omnibus
from core.evaluation import Evaluation

INCOMPLETE_FROM = 0.01
"""Share of answers lost to errors from which a model is incomplete and no verdict is given."""


@dataclass(frozen=True)
class Row:
    """One model on the board."""

    id: str
    title: str
    """Unique on the board."""
    family: str
    predictor: str
    values: Mapping[str, Measured]
    coverage: Measured
    n: int
    unread: int
    errors: int
    clipped: int
    clamped: int
    usd_per_1000: float | None
    """None: nothing was charged."""
    seconds_per_1000: float | None
    seconds_median: float | None
    """Of one answer."""
    fit_seconds: float
    training_usd: float | None
    tokens_per_answer: float | None
    evaluation: Evaluation = field(repr=False)
    answers: Answers = field(repr=False)

    @property
    def incomplete(self) -> bool:
        return self.errors >= max(1, INCOMPLETE_FROM * self.n)


@dataclass(frozen=True)
class Pair:
    """Model a against model b: a - b in the metric's unit, judged after adjusting for all comparisons of its family."""

    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    verdict: str
    """better | worse | not distinguishable: what a is"""
    needed_items: int | None
    """About how many more test rows would tell; 0 when told, None when too many to ask for."""
    comparisons: int
    test: str
    n: int


@dataclass(frozen=True)
class Board:
    task: str
    unit: str
    """Of the target: "usd" or "number"."""
    metrics: tuple[str, ...]
    """The headline first."""
    rows: tuple[Row, ...]
    """Best first by the headline."""
    pairs: tuple[Pair, ...]
    """Every row but the reference against the reference, in the order of `rows`."""
    reference: str
    index: np.ndarray = field(repr=False)
    """(n,) places in the test split of the rows all models answered, ascending."""
    test_rows: int
    test_id: str
    groups: np.ndarray | None = field(default=None, repr=False)
    seed: int = 0
    resamples: int = FULL
    omnibus: Omnibus | None = None
    """Do the models differ at all, on the headline? None where it is not asked (see `core.compare.pairs.altogether`)."""

    @property
    def n(self) -> int:
        return len(self.index)

    @property
    def headline(self) -> Metric:
        return METRICS[self.metrics[0]]

    @property
    def best(self) -> Row:
        return self.rows[0]

    def row(self, id: str) -> Row:
        """By id or title. Raises MissingError naming the choices."""
        for one in self.rows:
            if id in (one.id, one.title):
                return one
        raise MissingError(f"There is no model '{id}' here. Choose one of {', '.join(r.title for r in self.rows)}.", title="No such model")

    def pair(self, id: str) -> Pair | None:
        """That model against the reference."""
        return next((pair for pair in self.pairs if pair.a == id), None)

    def unit_of(self, name: str) -> str:
        """The unit a metric's value is shown in."""
        unit = METRICS[name].unit
        return self.unit if unit == "target" else unit
