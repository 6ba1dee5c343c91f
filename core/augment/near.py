"""How alike two texts are, and the nearest of many: by letters, without a model.

Two measures. *Similarity* is the Dice coefficient of the sets of character bigrams and trigrams, for one text and its source. *Nearness*
is the Jaccard coefficient of the sets of five-letter pieces, for one text among thousands: each set is kept as rising 64-bit
hashes, of a long text only the smallest ones (bottom-k sketch, Broder 1997), so that memory does not grow with the length.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.augment.reading import normal

PIECE = 5
FEWEST = 8
"""A text with fewer pieces is near to its equal only."""
MOST = 128
"""Pieces kept of a text; beyond them nearness is an estimate (standard error 0.035 at 0.8)."""
MOST_EXACT = 1024
"""The same for rows kept aside."""
MOST_LOOKED_AT = 30_000
"""Places of pieces counted for one text, the rarest pieces first; beyond them the likeliest rows are compared in full."""
SHARED = 0.1
"""Share of the counted pieces below which a row counts as having nothing in common."""
LIKELY = 0.4
"""Share of the counted pieces a row must hold to be compared in full; at most 16 rows are. Nearness below it is a lower bound."""
_WHOLE = np.uint64(2**64 - 1)
_TRUE = np.ones(1, dtype=bool)
_SIGN = re.compile(r"[^\w\s]")


def bare(text: str) -> str:
    """Normalised, without punctuation: what makes two texts the same."""
    if text.isalnum() and unicodedata.is_normalized("NFKC", text):
        return text.casefold()
    return " ".join(_SIGN.sub(" ", normal(text)).split())


def gram_codes(plain: str) -> np.ndarray:
    """(m,) rising codes of the character bigrams and trigrams of a bare text, each once."""
    codes = np.frombuffer(f" {plain} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    pairs = codes[:-1] << np.uint64(21) | codes[1:]
    both = np.concatenate([pairs, pairs[:-1] << np.uint64(21) | codes[2:]])  # a character takes 21 bits at most
    both.sort()
    return both[np.concatenate([_TRUE, both[1:] != both[:-1]])]


def similarity(one: str, other: str) -> float:
    """Dice coefficient of character bigrams and trigrams of the bare texts, 0 to 1."""
    return dice(gram_codes(bare(one)), gram_codes(bare(other)))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """The same of two texts' codes."""
    return 2 * _shared(one, other) / (len(one) + len(other)) if len(one) and len(other) else 0.0


def _shared(one: np.ndarray, other: np.ndarray) -> int:
    """How many values of one rising array are in another."""
    at = np.minimum(np.searchsorted(other, one), len(other) - 1)
    return int(np.count_nonzero(other[at] == one))


def pieces(plain: str, most: int = MOST) -> np.ndarray:
    """(m,) rising hashes of the five-letter pieces of a bare text, the `most` smallest."""
    codes = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(codes) < PIECE:
        codes = np.concatenate([codes, np.zeros(PIECE - len(codes), dtype=np.uint64)])
    mixed = np.zeros(len(codes) - PIECE + 1, dtype=np.uint64)
    for i in range(PIECE):
        mixed = mixed * np.uint64(0x100000001B3) + codes[i : len(codes) - PIECE + 1 + i]
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    mixed.sort()
    return mixed[np.concatenate([_TRUE, mixed[1:] != mixed[:-1]])][:most]


@dataclass
class _Block:
    """The pieces of many texts, turned round: for each piece the texts that hold it."""

    sets: list[np.ndarray]
    most: int = MOST
    looked: int = MOST_LOOKED_AT

    def __post_init__(self) -> None:
        self.sizes = np.array([len(one) for one in self.sets], dtype=np.int64)
        self.cuts = np.array([one[-1] if len(one) >= self.most else _WHOLE for one in self.sets], dtype=np.uint64)
        together = np.concatenate([*self.sets, np.zeros(0, dtype=np.uint64)])
        order = np.argsort(together, kind="stable")
        self.texts = np.repeat(np.arange(len(self.sets), dtype=np.int32), self.sizes)[order]
        self.terms, starts = np.unique(together[order], return_index=True)
        self.starts = np.append(starts, len(together))

    def nearness(self, mine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of the texts that share a tenth of the pieces, and their Jaccard coefficients."""
        at = np.minimum(np.searchsorted(self.terms, mine), max(0, len(self.terms) - 1))
        at = at[self.terms[at] == mine] if len(self.terms) else at[:0]
        lengths = self.starts[at + 1] - self.starts[at]
        order = np.argsort(lengths, kind="stable")
        ends = np.cumsum(lengths[order])
        some = at[order][: np.searchsorted(ends, self.looked, side="right")]
        if not len(some):
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        ends = ends[: len(some)]
        first = self.starts[some] - np.append(0, ends[:-1])
        shared = np.bincount(self.texts[np.arange(ends[-1]) + np.repeat(first, np.diff(ends, prepend=0))])
        hit = np.flatnonzero(shared >= SHARED * len(some))
        near = shared[hit] / (len(mine) + self.sizes[hit] - shared[hit])
        mine_cut = mine[-1] if len(mine) >= self.most else _WHOLE
        if len(some) < len(at) or mine_cut != _WHOLE or (self.cuts[hit] != _WHOLE).any():
            held = shared[hit] / np.minimum(len(some), self.sizes[hit])
            likely = np.flatnonzero(held >= LIKELY)
            for place in likely[np.argsort(-held[likely], kind="stable")[:16]].tolist():
                other = int(hit[place])
                near[place] = _jaccard(mine, self.sets[other], min(mine_cut, self.cuts[other]))
        return hit, near


def _jaccard(one: np.ndarray, other: np.ndarray, cut: np.uint64) -> float:
    """Of the hashes up to `cut`, which both sets know in full."""
    one, other = one[: np.searchsorted(one, cut, side="right")], other[: np.searchsorted(other, cut, side="right")]
    shared = _shared(one, other) if len(one) and len(other) else 0
    return shared / max(1, len(one) + len(other) - shared)


class Near:
    """Many texts by their row, to find how near the nearest of them is."""

    def __init__(self, texts: Iterable[tuple[int, str]], most: int = MOST, looked: int = MOST_LOOKED_AT) -> None:
        self._same: dict[str, set[int]] = {}
        rows: list[int] = []
        sets: list[np.ndarray] = []
        for row, text in texts:
            plain = bare(text)
            if not plain:
                continue
            if plain not in self._same:
                rows.append(row)
                sets.append(pieces(plain, most))
            self._same.setdefault(plain, set()).add(row)
        self._rows = np.array(rows, dtype=np.int64)
        self._block = _Block(sets, most, looked)

    def nearest(self, plain: str, without: int | None = None, known: np.ndarray | None = None) -> float:
        """Nearness of the nearest text of another row than `without`; 1 for an equal one, 0 for short texts without an equal.

        `known` are the text's pieces, 1,024 of them or all, where they were counted before.
        """
        same = self._same.get(plain)
        if same and (without is None or len(same) > 1 or without not in same):
            return 1.0
        mine = pieces(plain, self._block.most) if known is None else known[: self._block.most]
        if len(mine) < FEWEST or not len(self._rows):
            return 0.0
        places, near = self._block.nearness(mine)
        if without is not None:
            near = near[self._rows[places] != without]
        return float(near.max(initial=0.0))


class HeldOut:
    """The rows kept aside, as far as needed to recognise a copy. Their texts leave this object in no way."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._near = Near(((row, text) for row, text in enumerate(texts)), most=MOST_EXACT, looked=2**62)

    def nearest(self, text: str, known: np.ndarray | None = None) -> float:
        """How near the nearest held-out row is, 0 to 1."""
        return self._near.nearest(bare(text), known=known)

    def nearest_bare(self, plain: str, known: np.ndarray) -> float:
        """The same of a bare text whose pieces (all, or MOST_EXACT) are counted already."""
        return self._near.nearest(plain, known=known)

    def holds(self, text: str, near: float) -> bool:
        """Whether a held-out row equals this text, or shares at least `near` of the pieces of both (Jaccard)."""
        return self.nearest(text) >= near


class Growing:
    """Texts that come one after another; in blocks that double, so that thousands stay quick."""

    LOOSE = 64

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._loose: list[tuple[str, np.ndarray]] = []
        self._blocks: list[tuple[list[str], _Block]] = []

    def add(self, plain: str) -> None:
        """Remember a bare text."""
        self._count[plain] += 1
        self._loose.append((plain, pieces(plain)))
        if len(self._loose) >= self.LOOSE:
            self._blocks.append(([text for text, _ in self._loose], _Block([one for _, one in self._loose])))
            self._loose = []
            while len(self._blocks) > 1 and len(self._blocks[-2][0]) <= len(self._blocks[-1][0]):
                (late, new), (early, old) = self._blocks.pop(), self._blocks.pop()
                self._blocks.append(([*early, *late], _Block([*old.sets, *new.sets])))

    def remove(self, plain: str) -> None:
        """Forget one such text."""
        self._count[plain] -= 1

    def nearest(self, plain: str, known: np.ndarray | None = None) -> float:
        """Nearness of the nearest text, 0 for short texts without an equal."""
        if self._count[plain] > 0:
            return 1.0
        mine = pieces(plain) if known is None else known[:MOST]
        if len(mine) < FEWEST:
            return 0.0
        best = max((_both(mine, one) for text, one in self._loose if self._count[text] > 0), default=0.0)
        for texts, block in self._blocks:
            places, near = block.nearness(mine)
            best = max([best, *(float(one) for place, one in zip(places.tolist(), near, strict=True) if self._count[texts[place]] > 0)])
        return best

    def copy(self) -> Growing:
        """The same texts; what is added later stays apart."""
        other = Growing()
        other._count, other._loose, other._blocks = Counter(self._count), list(self._loose), list(self._blocks)
        return other


def _both(one: np.ndarray, other: np.ndarray) -> float:
    return _jaccard(one, other, min(_end(one), _end(other)))


def _end(one: np.ndarray) -> np.uint64:
    return one[-1] if len(one) >= MOST else _WHOLE


def word_changes(original: str, variant: str) -> tuple[str, str]:
    """Words only the original has, and words only the variant has, in order."""
    old, new = ([(word, bare(word)) for word in text.split()] for text in (original, variant))
    return _without(old, Counter(key for _, key in new)), _without(new, Counter(key for _, key in old))


def _without(words: Sequence[tuple[str, str]], other: Mapping[str, int]) -> str:
    left = Counter(other)
    kept = []
    for word, key in words:
        if left[key] > 0:
            left[key] -= 1
        else:
            kept.append(word)
    return " ".join(kept)
