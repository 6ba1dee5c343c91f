"""From one training format to another, with a count of everything that has no place in the new one.

Chat, preference (OpenAI's shape) and ShareGPT keep whole conversations; Alpaca keeps them where user and assistant take
turns; prompt and completion keep the last answer and its question; text keeps the words only; reinforcement keeps the answer
as what a grader compares with. Separators and leading spaces that old prompt/completion files needed are taken off when
every row has the same one: chat models need none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import SettingsError
from core.validate.formats import FORMATS, detect
from core.validate.row_writers import WRITERS
from core.validate.separators import Separators, separators_of, without_separators
from core.validate.talks import talk_of

UNCHANGED = ("prompt_completion", "reinforcement", "alpaca", "sharegpt", "text")
"""Formats whose rows stay as they are when they are to be what they are; the others get the one shape hosted jobs take."""
_OLD = ("prompt_completion", "text")


@dataclass(frozen=True)
class Converted:
    """The rows in the new format, and what they lost."""

    rows: tuple[Any, ...]
    lost: dict[str, int]
    """What -> how many times it could not be carried over."""
    origins: tuple[int, ...]
    """The position of the row each new row was made of."""


def convert(rows: Sequence[Any], to: str, kinds: Sequence[str | None] | None = None, shared: Separators | None = None) -> Converted:
    """Every row that has a place in the format `to`, in order. Raises SettingsError for an unknown format.

    `shared` is `separators_of` of the whole file, when these are only some of its rows.
    """
    if to not in FORMATS:
        raise SettingsError(f"There is no format '{to}'. Choose one of {', '.join(FORMATS)}.", title="Unknown format")
    kinds = kinds if kinds is not None else detect(rows).kinds
    same = to if to in UNCHANGED else None
    strip = Separators() if to in _OLD else shared if shared is not None else separators_of(rows, kinds)
    lost: Counter[str] = Counter()
    made, origins = [], []
    for place, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        new = row if kind is not None and kind == same else _converted(row, kind, to, strip, lost)
        if new is not None:
            made.append({"text": new} if to == "text" and isinstance(new, str) else new)
            origins.append(place)
    return Converted(tuple(made), {what: n for what, n in sorted(lost.items()) if n}, tuple(origins))


def _converted(row: Any, kind: str | None, to: str, strip: Separators, lost: Counter[str]) -> Any:
    talk = talk_of(row, kind, lost)
    if talk is None:
        lost["rows of no known format"] += 1
        return None
    return WRITERS[to](without_separators(talk, strip, lost) if kind == "prompt_completion" else talk, lost)
