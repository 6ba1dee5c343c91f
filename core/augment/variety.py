"""How varied texts are before and after an augmentation, and how much of what was written is new.

Distinct-n (Li et al. 2016) is the number of different runs of n words over the number of all of them. It falls with the length of
the text, so before and after are taken over the same number of words, from rows drawn by the seed. Spread is 1 minus the mean cosine
of all pairs of texts: 0 says the same thing over and over. A word is a run of letters and digits; Han and kana letters stand alone.
Memory grows with the number of words, not with their n-grams as text.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+")
_BITS = 21
"""Bits of a word's number in an n-gram's key: up to 2,097,151 different words, all later ones count as one."""
SIZE = 4_096
"""Numbers per text of the spelling vectors."""
MOST_SPREAD = 300
"""Texts, drawn by the seed, whose spread is measured."""
Encode = Callable[[Sequence[str]], "np.ndarray"]
"""Texts -> (n, d) rows of unit length."""


@dataclass(frozen=True)
class Variety:
    """Of one set of texts."""

    texts: int
    words: int
    """Words in all of them."""
    vocabulary: int
    """Different words."""
    distinct: tuple[float | None, float | None, float | None]
    """Distinct-1, -2 and -3, each 0 to 1; None where no text has that many words."""
    over: int
    """Words distinct-n was taken over."""
    spread: float | None
    """None below two texts."""


@dataclass(frozen=True)
class Novelty:
    """Shares of what the new texts hold that no original does, 0 to 1; None where there is nothing to share."""

    words: float | None
    """Of their different words."""
    pairs: float | None
    """Of their different pairs of neighbouring words."""
    triples: float | None
    """Of their different runs of three words."""


@dataclass(frozen=True)
class Compared:
    """Originals alone, originals with the new texts, and what is new."""

    before: Variety
    after: Variety
    novelty: Novelty
    by: str
    """What the spread was measured by: "meaning" (an encoder that knows the language) or "spelling"."""


def compared(originals: Iterable[str], new: Iterable[str], *, encode: Encode | None = None, seed: int = 0) -> Compared:
    """`originals` and `new` are read once. `encode` comes from a model that knows their language; without it spelling decides."""
    numbers: dict[str, int] = {}
    old, spread_old = _read(originals, numbers)
    vocabulary = len(numbers)
    fresh, spread_new = _read(new, numbers)
    both = old.joined(fresh)
    over = len(old.ids)
    vectors = encode or spelled
    before = _variety(old, vocabulary, over, _spread(spread_old, vectors, seed), seed)
    after = _variety(both, len(numbers), over, _spread(spread_old + spread_new, vectors, seed), seed)
    return Compared(before, after, _novelty(old, fresh), "meaning" if encode else "spelling")


def spelled(texts: Sequence[str]) -> np.ndarray:
    """(n, SIZE) unit vectors of the character trigrams of texts: alike where they are spelled alike, in any language."""
    import numpy as np

    made = np.zeros((len(texts), SIZE), "float32")
    for row, text in enumerate(texts):
        letters = f" {unicodedata.normalize('NFC', text).casefold()} "
        for i in range(len(letters) - 2):
            made[row, zlib.crc32(letters[i : i + 3].encode()) % SIZE] += 1
    return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)


def mean_distance(vectors: np.ndarray) -> float | None:
    """1 - mean cosine of all pairs of rows of unit length; None below two rows."""
    n = len(vectors)
    if n < 2:
        return None
    total = vectors.sum(axis=0, dtype="float64")
    cosine = (float(total @ total) - float((vectors.astype("float64") ** 2).sum())) / (n * (n - 1))
    return min(1.0, max(0.0, 1 - cosine))


@dataclass(frozen=True)
class _Counted:
    """Texts as numbers of words, one after the other."""

    ids: np.ndarray
    rows: np.ndarray
    """The text each word belongs to."""
    texts: int

    def joined(self, other: _Counted) -> _Counted:
        import numpy as np

        return _Counted(
            np.concatenate([self.ids, other.ids]), np.concatenate([self.rows, other.rows + self.texts]), self.texts + other.texts
        )

    def keys(self, n: int) -> np.ndarray:
        """One number per run of n words within a text."""
        import numpy as np

        total = max(0, len(self.ids) - n + 1)
        made = np.zeros(total, "uint64")
        for k in range(n):
            made = (made << np.uint64(_BITS)) | self.ids[k : k + total].astype("uint64")
        return made[self.rows[:total] == self.rows[n - 1 : n - 1 + total]]

    def drawn(self, most: int, seed: int) -> _Counted:
        """Whole texts in an order drawn by the seed, up to so many words; the last is cut there."""
        import numpy as np

        if most >= len(self.ids):
            return self
        ends = np.searchsorted(self.rows, np.arange(self.texts + 1)).tolist()
        kept: list[np.ndarray] = []
        left = most
        for row in np.random.default_rng(seed).permutation(self.texts).tolist():
            places = np.arange(ends[row], ends[row + 1])[:left]
            kept.append(places)
            left -= len(places)
            if not left:
                break
        at = np.concatenate(kept)
        return _Counted(self.ids[at], self.rows[at], self.texts)


def _read(texts: Iterable[str], numbers: dict[str, int]) -> tuple[_Counted, list[str]]:
    """The words as numbers, and the texts themselves for the spread."""
    import numpy as np

    ids, rows = array("i"), array("i")
    kept: list[str] = []
    for row, text in enumerate(texts):
        kept.append(text)
        found = [min(numbers.setdefault(word, len(numbers)), (1 << _BITS) - 1) for word in words(text)]
        ids.extend(found)
        rows.extend([row] * len(found))
    return _Counted(np.array(ids, "int32"), np.array(rows, "int32"), len(kept)), kept


def words(text: str) -> list[str]:
    """The words of a text, case folded."""
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold())


def _variety(one: _Counted, vocabulary: int, over: int, spread: float | None, seed: int) -> Variety:
    drawn = one.drawn(over, seed)
    shares = []
    for n in (1, 2, 3):
        keys = drawn.keys(n)
        shares.append(_different(keys) / len(keys) if len(keys) else None)
    return Variety(one.texts, len(one.ids), vocabulary, (shares[0], shares[1], shares[2]), len(drawn.ids), spread)


def _different(keys: np.ndarray) -> int:
    import numpy as np

    return len(np.unique(keys))


def _novelty(old: _Counted, fresh: _Counted) -> Novelty:
    import numpy as np

    shares = []
    for n in (1, 2, 3):
        mine = np.unique(fresh.keys(n))
        shares.append(float(np.mean(~np.isin(mine, old.keys(n)))) if len(mine) else None)
    return Novelty(*shares)


def _spread(texts: Sequence[str], encode: Encode, seed: int) -> float | None:
    import numpy as np

    places = list(range(len(texts)))
    if len(texts) > MOST_SPREAD:
        places = sorted(np.random.default_rng(seed).permutation(len(texts))[:MOST_SPREAD].tolist())
    return mean_distance(encode([texts[i] for i in places])) if len(texts) > 1 else None
