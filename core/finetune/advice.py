"""What a loss history says, in one sentence: still learning, done, or learning by heart.

Loss is the mean surprise per learnt token, in nats; lower is better, and only the validation loss says whether the model
got better at rows it was not trained on. Rule: changes under 1 % are noise, and a
single measurement above the lowest is not yet overfitting, two are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SLACK = 0.01


@dataclass(frozen=True)
class Advice:
    word: str
    """early | improving | settled | overfitting | not learning"""
    sentence: str
    step: int | None = None
    """The step with the lowest validation loss."""


def advise(history: Sequence[Mapping[str, Any]]) -> Advice:
    """`history` holds {"step", "loss"} and {"step", "val_loss"} records in order."""
    measured = [(int(one["step"]), float(one["val_loss"])) for one in history if one.get("val_loss") is not None]
    if len(measured) < 4:
        return Advice("early", "Too early to say: the validation loss has been measured fewer than four times.")
    (_, first), (_, last) = measured[0], measured[-1]
    best_step, best = min(measured, key=lambda one: one[1])
    after = [loss for step, loss in measured if step > best_step]
    if best > first * (1 - SLACK):
        return Advice(
            "not learning",
            f"Not learning: the validation loss is {last:.2f} and began at {first:.2f}. Try another learning rate, or check that "
            "the answer can be known from the question.",
            best_step,
        )
    if len(after) >= 2 and min(after) > best * (1 + SLACK):
        return Advice(
            "overfitting",
            f"Overfitting since step {best_step}: the validation loss rose from {best:.2f} to {last:.2f} over the last {len(after)} "
            "measurements. Fewer epochs or more rows would help.",
            best_step,
        )
    before = measured[-3][1]
    if last < before * (1 - SLACK) and last <= best * (1 + SLACK):
        return Advice(
            "improving",
            f"Still improving: {before:.2f} to {last:.2f} over the last two measurements. More epochs would probably help.",
            best_step,
        )
    return Advice("settled", f"Settled at {last:.2f}, from {first:.2f}. More steps on these rows would change little.", best_step)


def patience_is_over(validation: Mapping[int, float], patience: int) -> bool:
    """Whether the last `patience` measurements (step -> loss) all failed to be lower than the lowest before; 0 waits for ever."""
    best = min(validation, key=validation.__getitem__, default=0)
    return 0 < patience <= sum(step > best for step in validation)


def fall(history: Sequence[Mapping[str, Any]]) -> float | None:
    """By what share the lowest validation loss is below the one before training; None until it was measured twice."""
    values = [float(one["val_loss"]) for one in history if one.get("val_loss") is not None]
    return 1 - min(values) / values[0] if len(values) > 1 and values[0] > 0 else None


def smooth(values: Sequence[float]) -> list[float]:
    """An exponential mean that starts unbiased and looks back over a tenth of the values, at most ten: the line over the raw losses."""
    total, mass, result = 0.0, 0.0, []
    weight = 1 - 1 / min(10.0, max(1.5, len(values) / 10))
    for value in values:
        total, mass = weight * total + (1 - weight) * value, weight * mass + (1 - weight)
        result.append(total / mass)
    return result
