"""When a number counts as a hit: near enough to the truth by a rule that scales with the data, or by the pricing course's.

Scaled: strictly within 20 % of the truth, or within a quarter of the truths' median absolute deviation; twice both is "off".
The course's: strictly within $40 or 20 %. A hit rate says little by itself: `constant_guess` is what knowing nothing would say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluate.metrics import HIT_ABSOLUTE, HIT_RATIO
from core.task import Target


@dataclass(frozen=True)
class Rule:
    """Close: |miss| < close or |miss| < ratio * |truth|, or no miss at all. Off: the same with twice both."""

    name: str
    """scaled | course"""
    close: float
    """In the unit of the target."""
    ratio: float = HIT_RATIO


COURSE = Rule("course", HIT_ABSOLUTE)
QUARTER = 0.25


def scaled(truths: Sequence[float] | np.ndarray) -> Rule:
    """The rule that fits these truths; where they do not vary, only the share of the truth counts."""
    values = np.asarray(truths, dtype=float)
    deviation = float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
    return Rule("scaled", QUARTER * deviation)


RULES: dict[str, Callable[[np.ndarray], Rule]] = {"scaled": scaled, "course": lambda truths: COURSE}


def constant_guess(task: str, targets: Sequence[Target]) -> Target | None:
    """What knowing nothing but the train targets would say: their median, else the most frequent one (the first in order of ties)."""
    if not targets:
        return None
    if task == "regression":
        return float(np.median(np.asarray(targets, dtype=float)))
    counts = Counter(map(str, targets))
    return min(counts, key=lambda one: (-counts[one], one))
