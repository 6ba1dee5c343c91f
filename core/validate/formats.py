"""Which kind of training file this is, and how sure that is.

| format | a row has |
|---|---|
| chat | messages: a list of {role, content} |
| preference | input, preferred_output, non_preferred_output; or chosen and rejected |
| prompt_completion | prompt and completion |
| alpaca | instruction and output (input, system, history may be there) |
| sharegpt | conversations: a list of {from, value} |
| text | text, or a bare line of text |

Every row is looked at by itself, so a file of two kinds is reported as mixed, with the rows of the smaller kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FORMATS = {
    "chat": "Chat",
    "prompt_completion": "Prompt and completion",
    "preference": "Preference",
    "alpaca": "Alpaca",
    "sharegpt": "ShareGPT",
    "text": "Plain text",
}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Detection:
    """The format of a file and of each of its rows."""

    format: str
    """One of FORMATS, or "unknown"."""
    confidence: float
    """Share of the rows that have this format, 0 to 1."""
    kinds: tuple[str | None, ...]
    """The format of each row; None where it has none."""

    @property
    def title(self) -> str:
        return FORMATS.get(self.format, "Unknown format")

    @property
    def sureness(self) -> str:
        """sure, likely, or not sure."""
        return "sure" if self.confidence >= 0.99 else "likely" if self.confidence >= 0.8 else "not sure"

    @property
    def counts(self) -> dict[str, int]:
        """Format -> rows, the most frequent first."""
        return dict(Counter(kind for kind in self.kinds if kind).most_common())

    @property
    def strangers(self) -> tuple[int, ...]:
        """Positions of rows that have another known format than the file's."""
        return tuple(place for place, kind in enumerate(self.kinds) if kind and kind != self.format)

    @property
    def nameless(self) -> tuple[int, ...]:
        """Positions of rows that have no known format."""
        return tuple(place for place, kind in enumerate(self.kinds) if kind is None)


def detect(rows: Sequence[Any]) -> Detection:
    """The format most rows have; the earlier one of FORMATS wins a tie."""
    kinds = tuple(map(kind_of, rows))
    counts = Counter(kind for kind in kinds if kind)
    if not counts:
        return Detection(UNKNOWN, 0.0, kinds)
    most = max(FORMATS, key=lambda name: counts[name])
    return Detection(most, counts[most] / len(kinds), kinds)


def kind_of(row: Any) -> str | None:
    """The format of one row, or None."""
    if isinstance(row, dict):
        if "messages" in row and not ("chosen" in row and "rejected" in row):
            return "chat" if isinstance(row["messages"], list) else None
        if ("preferred_output" in row and "non_preferred_output" in row) or ("chosen" in row and "rejected" in row):
            return "preference"
        if isinstance(row.get("conversations"), list):
            return "sharegpt"
        if "instruction" in row and "output" in row:
            return "alpaca"
        keys = {str(key).strip().casefold() for key in row}
        if {"prompt", "completion"} <= keys:
            return "prompt_completion"
        return "text" if isinstance(row.get("text"), str) else None
    return "text" if isinstance(row, str) else None
