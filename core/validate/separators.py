"""Separators, leading spaces and stop texts of old prompt/completion files: taken off when every row has the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.validate.talks import Message, Talk

ENDS = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n", "\n\n### =>\n\n")
"""Separators the old tool put at the end of prompts."""
STOPS = (" END", "\n", "***", "+++", "&&&", "$$$", "@@@", "%%%", " [END]")
"""Stop texts the old tool put at the end of completions; a full stop is left alone."""


def without_separators(talks: list[Talk | None], kinds: Sequence[str | None], lost: Counter[str]) -> list[Talk | None]:
    """The talks of old rows without what all of these share; what was taken off is counted in `lost`."""
    old = [place for place, kind in enumerate(kinds) if kind == "prompt_completion" and talks[place] is not None]
    pairs = [(_said(talks[place], 0), _said(talks[place], -1)) for place in old]
    if len(old) < 2 or not all(isinstance(a, str) and isinstance(b, str) for a, b in pairs):
        return talks
    end = next((one for one in ENDS if all(a.endswith(one) for a, _ in pairs)), "")
    stop = next((one for one in STOPS if all(b.endswith(one) for _, b in pairs)), "")
    space = all(b.startswith(" ") for _, b in pairs)
    lost["separators at the end of prompts"] += len(old) if end else 0
    lost["stop texts at the end of completions"] += len(old) if stop else 0
    lost["leading spaces of completions"] += len(old) if space else 0
    for place, (asked, said) in zip(old, pairs, strict=True):
        messages: list[Message] = [dict(one) for one in talks[place].messages]  # type: ignore[union-attr]
        said = said.removesuffix(stop)
        messages[-1]["content"] = said[1:] if space else said
        if len(messages) > 1:
            messages[0]["content"] = asked.removesuffix(end)
        talks[place] = Talk(tuple(messages))
    return talks


def _said(talk: Talk | None, place: int) -> Any:
    one = talk.messages[place] if talk else None
    return one.get("content") if isinstance(one, dict) else None
