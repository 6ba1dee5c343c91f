"""Which checkpoint of a run is kept: the one with the lowest validation loss, or the one that answers validation rows best.

Ties go to the earlier step: it was trained less. Not known here: who answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import DataError
from core.evaluate.metrics import metric

ROWS = 64
"""Validation rows each checkpoint answers, at most."""


@dataclass(frozen=True)
class Checkpoint:
    """One kept checkpoint and what it is worth."""

    step: int
    epoch: float
    """How often the train rows had been seen by then."""
    val_loss: float | None = None
    score: float | None = None
    """The task's headline metric over the validation rows it answered; None where it is not defined."""
    low: float | None = None
    high: float | None = None
    seconds: float = 0.0
    """What answering took."""


def epoch_of(step: int, rows: int, batch: int) -> float:
    """Epochs after `step` updates of `batch` rows each."""
    return round(step * batch / rows, 3) if rows else 0.0


def by_loss(kept: Sequence[Checkpoint]) -> Checkpoint:
    """The lowest validation loss; without any measured the last step. Raises DataError when nothing was kept."""
    measured = [one for one in _some(kept) if one.val_loss is not None]
    return min(measured, key=lambda one: (one.val_loss, one.step)) if measured else max(kept, key=lambda one: one.step)


def by_score(kept: Sequence[Checkpoint], name: str) -> Checkpoint:
    """The best score by the metric of that name; by loss where none is defined. Raises DataError when nothing was kept."""
    ranked = [(metric(name).rank(one.score), one.step, one) for one in _some(kept) if one.score is not None]
    return min(ranked, key=lambda entry: entry[:2])[2] if ranked else by_loss(kept)


def told(kept: Sequence[Checkpoint], rows: int, name: str) -> dict[str, Any]:
    """choosing.json: {rows, metric, chosen, checkpoints}."""
    return {"rows": rows, "metric": name, "chosen": by_score(kept, name).step, "checkpoints": [asdict(one) for one in kept]}


def _some(kept: Sequence[Checkpoint]) -> Sequence[Checkpoint]:
    if not kept:
        raise DataError("No checkpoint of this run is kept. Train with keep set to each, so that every measurement leaves one.",
                        title="Nothing to choose from")  # fmt: skip
    return kept
