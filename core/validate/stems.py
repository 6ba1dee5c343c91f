"""How the answers of a file begin, from what pieces of it say: the same as `answers.stem_of` of all answers at once.

A stem that four fifths of all answers go on from is one that four fifths of some piece's answers go on from, so candidates come
from the pieces; they are then counted in every piece, where answers stand cut to LONGEST characters, sorted and packed.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.validate.answers import SEVERAL, STEM_LENGTH, STEM_SHARE, shared_beginning

_TOP = "\U0010ffff"


@dataclass(frozen=True)
class Told:
    """The answers of one piece that say anything."""

    n: int = 0
    low: str = ""
    """The first and the last of them in the order of the alphabet."""
    high: str = ""
    most: str = ""
    """The longest beginning, of STEM_LENGTH characters at most, that four fifths of them share."""
    packed: bytes = b""
    counts: bytes = b""

    @classmethod
    def of(cls, answers: Sequence[str]) -> Told:
        """The answers of a piece, spaces around them taken off."""
        told = [text for answer in answers if (text := answer.strip())]
        if not told:
            return cls()
        short = Counter(text[: STEM_LENGTH + 1] for text in told)
        names = sorted(short)
        counts = np.array([short[name] for name in names], dtype=np.int32)
        packed = zlib.compress(json.dumps(names).encode(), 1)
        return cls(len(told), min(told), max(told), _most(names, counts, len(told)), packed, counts.tobytes())


def _most(names: Sequence[str], counts: np.ndarray, n: int) -> str:
    total = np.concatenate([[0], np.cumsum(counts)])
    middle = names[int(np.searchsorted(total, n / 2, side="right")) - 1][:STEM_LENGTH]
    low, high = 0, len(middle)
    while low < high:
        length = (low + high + 1) // 2
        if _begin(names, total, middle[:length]) >= STEM_SHARE * n:
            low = length
        else:
            high = length - 1
    return middle[:low]


def _begin(names: Sequence[str], total: np.ndarray, start: str) -> int:
    """How many answers begin so."""
    return int(total[bisect_left(names, start + _TOP)] - total[bisect_left(names, start)])


def stem_of_all(pieces: Sequence[Told]) -> str:
    """The stem of the answers of all pieces."""
    pieces = [one for one in pieces if one.n]
    if not pieces:
        return ""
    n, low, high = sum(one.n for one in pieces), min(one.low for one in pieces), max(one.high for one in pieces)
    if low == high:
        return low if n >= SEVERAL else ""
    starts = {one.most[:length] for one in pieces for length in range(1, len(one.most) + 1)}
    candidates = sorted((one for one in starts if not one[-1].isalnum()), key=len)
    if candidates:
        begun, equal = np.zeros(len(candidates), np.int64), np.zeros(len(candidates), np.int64)
        for piece in pieces:
            names, counts = json.loads(zlib.decompress(piece.packed)), np.frombuffer(piece.counts, np.int32)
            total = np.concatenate([[0], np.cumsum(counts)])
            for i, start in enumerate(candidates):
                begun[i] += _begin(names, total, start)
                at = bisect_left(names, start)
                equal[i] += counts[at] if at < len(names) and names[at] == start else 0
        for start, going_on, same in zip(candidates, (begun - equal).tolist(), equal.tolist(), strict=True):
            if same and going_on and going_on >= STEM_SHARE * (n - same):
                return start
    return shared_beginning([low, high])
