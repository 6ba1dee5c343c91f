"""What a step did to a text: the old and the new one as a single text with removed and added stretches.

Compared in words and single other characters, after the common beginning and end are set aside; where too much is left to compare, the
whole middle counts as replaced.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal

MOST = 1_000_000
"""Pairs of pieces (old times new) that are compared."""
_PIECE = re.compile(r"\w+|\W")
Span = tuple[int, int, Literal["removed", "added"]]


def difference(before: str, after: str) -> tuple[str, list[Span]]:
    """The merged text and its marked stretches, in characters: what is not added is `before`, what is not removed is `after`."""
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    one, other = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(one) * len(other) > MOST:
        moves = [("replace", 0, len(one), 0, len(other))]
    else:
        moves = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    text, spans = "".join(old[:head]), []
    for what, a, b, c, d in moves:
        if what == "equal":
            text += "".join(one[a:b])
            continue
        for pieces, mark in ((one[a:b], "removed"), (other[c:d], "added")):
            if pieces:
                spans.append((len(text), len(text) + len("".join(pieces)), mark))
                text += "".join(pieces)
    return text + "".join(old[len(old) - tail :]), spans


def _shared(one: list[str], other: list[str]) -> int:
    """How many pieces both begin with."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
