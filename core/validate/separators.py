"""Separators, leading spaces and stop texts of old prompt/completion files: taken off when every row has the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.validate.talks import Message, Talk, talk_of

ENDS = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n", "\n\n### =>\n\n")
"""Separators the old tool put at the end of prompts."""
STOPS = (" END", "\n", "***", "+++", "&&&", "$$$", "@@@", "%%%", " [END]")
"""Stop texts the old tool put at the end of completions; a full stop is left alone."""


@dataclass(frozen=True)
class Separators:
    """What every old row of a file has; empty texts and False where they differ."""

    end: str = ""
    """At the end of prompts."""
    stop: str = ""
    """At the end of completions."""
    space: bool = False
    """Whether every completion begins with a space."""


def separators_of(rows: Iterable[Any], kinds: Iterable[str | None]) -> Separators:
    """What the prompt/completion rows among these share; nothing of fewer than two, or when one of them is no text."""
    ends, stops, space, n = ENDS, STOPS, True, 0
    for row, kind in zip(rows, kinds, strict=True):
        if kind != "prompt_completion":
            continue
        talk = talk_of(row, kind)
        asked, said = _said(talk, 0), _said(talk, -1)
        if not isinstance(asked, str) or not isinstance(said, str):
            return Separators()
        n += 1
        ends, stops = tuple(one for one in ends if asked.endswith(one)), tuple(one for one in stops if said.endswith(one))
        space = space and said.startswith(" ")
        if not ends and not stops and not space:
            return Separators()
    return Separators(ends[0] if ends else "", stops[0] if stops else "", space) if n > 1 else Separators()


def without_separators(talk: Talk, shared: Separators, lost: Counter[str]) -> Talk:
    """The talk of an old row without what all of its file share; what is taken off is counted in `lost`."""
    if shared == Separators():
        return talk
    lost["separators at the end of prompts"] += bool(shared.end)
    lost["stop texts at the end of completions"] += bool(shared.stop)
    lost["leading spaces of completions"] += shared.space
    messages: list[Message] = [dict(one) for one in talk.messages]
    said = messages[-1]["content"].removesuffix(shared.stop)
    messages[-1]["content"] = said[1:] if shared.space else said
    if len(messages) > 1:
        messages[0]["content"] = messages[0]["content"].removesuffix(shared.end)
    return Talk(tuple(messages))


def _said(talk: Talk | None, place: int) -> Any:
    one = talk.messages[place] if talk else None
    return one.get("content") if isinstance(one, dict) else None
