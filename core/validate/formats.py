"""Which kind of training file this is, and how sure that is.

| format | a row has |
|---|---|
| chat | messages: a list of {role, content} |
| prompt_completion | prompt and completion |
| preference | input, preferred_output, non_preferred_output; or chosen and rejected |
| reinforcement | messages that end with a question, and other keys a grader compares with |
| alpaca | instruction and output (input, system, history may be there) |
| sharegpt | conversations: a list of {from, value} |
| text | text, or a bare line of text |

Every row is looked at by itself, so a file of two kinds is reported as mixed, with the rows of the smaller kind. Only what
a row cannot tell (a chat line that lost its answer, or a reinforcement row) follows the rest of its file, see `settled`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.validate.limits import EXAMPLE_KEYS

FORMATS = {
    "chat": "Chat",
    "prompt_completion": "Prompt and completion",
    "preference": "Preference",
    "reinforcement": "Reinforcement",
    "alpaca": "Alpaca",
    "sharegpt": "ShareGPT",
    "text": "Plain text",
}
UNKNOWN = "unknown"
HOSTED = ("chat", "preference", "reinforcement")
"""Formats that hosted jobs take today; the others are converted first."""
_EXAMPLE_KEYS = frozenset(EXAMPLE_KEYS)


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
    if most in ("chat", "reinforcement") and counts["reinforcement"]:
        kinds = tuple(settled(row, kind, most) for row, kind in zip(rows, kinds, strict=True))
        counts = Counter(kinds)
    return Detection(most, counts[most] / len(kinds), kinds)


def settled(row: Any, kind: str | None, most: str) -> str | None:
    """The format of a row in a file of the format `most`.

    A chat line that lost its answer is no reinforcement row, and a reinforcement row that lost its other keys, or ends with an
    answer beside them, is no chat line.
    """
    if most == "chat" and kind == "reinforcement":
        return "chat"
    if most == "reinforcement" and kind == "chat" and row["messages"] and (not _answered(row) or not row.keys() <= _EXAMPLE_KEYS):
        return "reinforcement"
    return kind


def kind_of(row: Any) -> str | None:
    """The format of one row, or None."""
    if isinstance(row, dict):
        if "messages" in row and not ("chosen" in row and "rejected" in row):
            messages = row["messages"]
            if not isinstance(messages, list):
                return None
            return "reinforcement" if messages and not row.keys() <= _EXAMPLE_KEYS and not _answered(row) else "chat"
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


def _answered(row: dict[str, Any]) -> bool:
    """Whether the assistant speaks last, or anything but a person's or a tool's words stands there."""
    last = row["messages"][-1] if row["messages"] else None
    return not (isinstance(last, dict) and last.get("role") in ("user", "tool", "developer"))
