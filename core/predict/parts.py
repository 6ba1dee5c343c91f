"""What several predictors learn alike from the same rows, made once: word numbers, weighted words, word vectors, directions.

A predictor that stands alone has parts of its own; a run over many predictors gives all of them the same. The answers are
the same either way: a part is used again only for the same rows and the same settings. Not known here: clocks (one may be
given), and what the parts are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from core.prediction import Examples, Predictor


class Parts:
    """Parts by what they are and what they were made of; the last rows of each kind are kept."""

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.clock = clock
        self.borrowed = 0.0
        """Seconds that parts taken over had cost when they were made."""
        self._kept: dict[Hashable, tuple[tuple[object, ...], Any, float]] = {}

    def get(self, key: Hashable, of: Sequence[object], make: Callable[[], Any]) -> Any:
        """The part `key` of these objects (texts are compared, others must be the very same); made when it is not here."""
        kept = self._kept.get(key)
        if kept is not None and len(kept[0]) == len(of) and all(map(_same, kept[0], of)):
            self.borrowed += kept[2]
            return kept[1]
        self._kept.pop(key, None)
        begin, before = self.clock(), self.borrowed
        made = make()
        self._kept[key] = tuple(of), made, self.clock() - begin + self.borrowed - before
        return made


def rows_of(rows: Examples) -> tuple[object, object]:
    """What tells these rows from others; the same with and without targets."""
    return rows.text, rows.frame


class Sharer:
    """A predictor whose parts others may have made."""

    @property
    def parts(self) -> Parts:
        """Its own, unless it was given others."""
        return vars(self).setdefault("parts_", Parts())


def share(predictor: Predictor, parts: Parts) -> None:
    """Let a predictor use these parts, if it has any."""
    if isinstance(predictor, Sharer):
        vars(predictor)["parts_"] = parts


def _same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, tuple) and one == other)
