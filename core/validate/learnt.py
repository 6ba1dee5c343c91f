"""One example token by token: what a model reads, what it learns to say, and what is cut at the limit.

`pieces` comes in as an argument: a text in, its tokens as texts out. Positions follow the accounting: 3 tokens of frame
before each message's role, so what lies past the limit here is what the platform cuts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.validate.accounting import PER_CONVERSATION, PER_MESSAGE, has_messages
from core.validate.talks import text_of

Pieces = Callable[[str], list[str]]
SHOWN = 700
"""Tokens of one message that are shown; the middle of longer ones is left out."""


@dataclass(frozen=True)
class Learnt:
    """One example as marked text, and how many of its tokens are learnt, read and cut."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    """(start, end, mark) in characters: learnt, removed (cut at the limit), even (every other token that is only read)."""
    learnt: int
    """Tokens learnt from."""
    read: int
    """Tokens only read, frames included."""
    cut: int
    """Tokens past the limit."""


def learnt(chat: Any, pieces: Pieces, limit: int) -> Learnt | None:
    """The example with its tokens marked; None where it has no messages."""
    if not has_messages(chat):
        return None
    text, spans = "", []
    counts = {"learnt": 0, "removed": 0, "even": 0, "": 0}
    at = 0
    for message in chat["messages"]:
        if not isinstance(message, dict):
            continue
        role = str(message.get("role"))
        text += f"{role}\n"
        at += PER_MESSAGE + 1
        counts[""] += PER_MESSAGE + 1
        taught = role == "assistant" and message.get("weight", 1) != 0
        tokens = pieces(text_of(message.get("content")))
        for place, token in enumerate(tokens):
            mark = "removed" if at >= limit else "learnt" if taught else "even" if place % 2 else ""
            counts[mark] += 1
            at += 1
            if len(tokens) > SHOWN and SHOWN // 2 <= place < len(tokens) - SHOWN // 2:
                text += f"\n… {len(tokens) - SHOWN:,} tokens are not shown …\n" if place == SHOWN // 2 else ""
                continue
            if mark:
                spans.append((len(text), len(text) + len(token), mark))
            text += token
        text += "\n\n"
    return Learnt(text.rstrip(), tuple(spans), counts["learnt"], counts["even"] + counts[""] + PER_CONVERSATION, counts["removed"])
