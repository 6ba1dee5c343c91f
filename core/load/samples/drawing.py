"""How sample generators draw: one row of uniform numbers per row of data, used up in order."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_NORMAL = NormalDist()


class Draw:
    """Choices from a row of uniform numbers in [0, 1); it starts again from the front, shifted, when they are used up."""

    def __init__(self, line: np.ndarray) -> None:
        self._line: list[float] = line.tolist()
        self._at = 0

    def next(self) -> float:
        """The next uniform number."""
        turn, place = divmod(self._at, len(self._line))
        self._at += 1
        return self._line[place] if not turn else (self._line[place] * (7919 + 2 * turn) + 0.6180339887 * turn) % 1.0

    def index(self, count: int) -> int:
        """0 .. count - 1."""
        return int(self.next() * count)

    def one(self, things: Sequence[T]) -> T:
        return things[self.index(len(things))]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """`count` different ones, in random order."""
        left = list(things)
        return [left.pop(self.index(len(left))) for _ in range(min(count, len(left)))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        return self.some(things, len(things))

    def chance(self, share: float) -> bool:
        return self.next() < share

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.next()

    def normal(self) -> float:
        """Standard normal."""
        return _NORMAL.inv_cdf(min(max(self.next(), 1e-9), 1 - 1e-9))

    def weighted(self, things: Sequence[tuple[T, float]]) -> T:
        """One of them by its share; shares sum to 1."""
        left = self.next()
        for thing, share in things:
            left -= share
            if left < 0:
                return thing
        return things[-1][0]


def splits(rng: np.random.Generator, rows: int, *, test: int, validation: int) -> np.ndarray:
    """train, validation or test for every row, shuffled."""
    names = np.array(["test"] * test + ["validation"] * validation + ["train"] * (rows - test - validation), dtype=object)
    return rng.permutation(names)
