"""Rows in ten parts of equal size by a number of each, such as the truth or the length of the text: tails hide in a mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.inside import Part, by_category

SMALLEST = 5
"""Rows a part has at least: fewer rows make fewer parts."""


def tenths(values: Sequence[float] | np.ndarray, say: Callable[[float], str], parts: int = 10) -> list[str]:
    """The name of each row's part, "$10 to $20": equal numbers are never parted, so parts may be fewer and unequal. Values are finite."""
    numbers = np.asarray(values, dtype=float)
    if not len(numbers):
        return []
    wanted = max(1, min(parts, len(numbers) // SMALLEST))
    cuts = np.unique(np.quantile(numbers, np.linspace(0, 1, wanted + 1)[1:-1])) if wanted > 1 else np.array([])
    place = np.searchsorted(cuts, numbers, side="left")
    names = {}
    for one in np.unique(place):
        low, high = numbers[place == one].min(), numbers[place == one].max()
        names[one] = say(float(low)) if low == high else f"{say(float(low))} to {say(float(high))}"
    taken = list(names.values())
    return [names[one] if taken.count(names[one]) == 1 else f"{names[one]} ({one + 1})" for one in place]


def by_tenth(answers: Answers, values: Sequence[float] | np.ndarray, names: Sequence[str]) -> list[Part]:
    """The average miss or the share right in each part of `tenths`, from the lowest values to the highest."""
    first: dict[str, float] = {}
    for name, value in zip(names, np.asarray(values, dtype=float), strict=True):
        first[name] = min(first.get(name, np.inf), float(value))
    return sorted(by_category(answers, names, most=len(first)), key=lambda part: first[part.name])
