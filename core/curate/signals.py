"""Signals of text quality, each a number of one text: words, symbols, digits, capitals, repeats.

They ask for no language: a letter is a letter of any script, Han and kana count one word per sign, and capitals are
counted among letters that have them. The repeats are those of Rae et al. 2021 (Gopher), appendix A1.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_WITHOUT_BLANKS = re.compile("[\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PIECES = re.compile(
    "[\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\s\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
_PLANES = 0x20000
"""Characters whose class is looked up; those above are Han."""
LETTER, CAPITAL, SMALL, DIGIT, BLANK, MARK = 0, 1, 2, 3, 4, 5
_FEW = 10
"""Words (or lines) from which on repeats say something."""
_GRAM = 5
"""Words of a passage."""


def classes() -> np.ndarray:
    """The class of every character below U+20000 (uint8): LETTER (without case), CAPITAL, SMALL, DIGIT, BLANK or MARK."""
    of = {"Lu": CAPITAL, "Lt": CAPITAL, "Ll": SMALL, "Nd": DIGIT, "Nl": DIGIT, "No": DIGIT, "Zs": BLANK, "Zl": BLANK, "Zp": BLANK}
    found = np.full(_PLANES, MARK, dtype=np.uint8)
    for code in range(_PLANES):
        category = unicodedata.category(chr(code))
        found[code] = of.get(category, LETTER if category[0] in "LM" else MARK)
    found[[9, 10, 11, 12, 13, 0x85]] = BLANK
    return found


@dataclass
class Measured:
    """One text, counted as far as it is asked for."""

    text: str
    table: np.ndarray
    _kept: dict[str, Any] = field(default_factory=dict)

    def counts(self) -> list[int]:
        """Characters of each class."""
        if "counts" not in self._kept:
            codes = np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            found = (
                self.table[codes] if self.text.isascii() else np.where(codes < _PLANES, self.table[np.minimum(codes, _PLANES - 1)], LETTER)
            )
            self._kept["counts"] = np.bincount(found, minlength=6).tolist()
        return self._kept["counts"]

    def words(self) -> list[str]:
        if "words" not in self._kept:
            self._kept["words"] = _PIECES.findall(self.text) if _WITHOUT_BLANKS.search(self.text) else self.text.split()
        return self._kept["words"]

    def share(self, *parts: int) -> float:
        """Characters of these classes among all but blanks; 0 for an empty text."""
        counts = self.counts()
        seen = sum(counts) - counts[BLANK]
        return sum(counts[part] for part in parts) / seen if seen else 0.0


def words(one: Measured) -> float:
    return len(one.words())


def word_length(one: Measured) -> float:
    """Characters of a word, on average; 0 without words."""
    found = one.words()
    return sum(map(len, found)) / len(found) if found else 0.0


def symbols(one: Measured) -> float:
    return one.share(MARK)


def digits(one: Measured) -> float:
    return one.share(DIGIT)


def letters(one: Measured) -> float:
    return one.share(LETTER, CAPITAL, SMALL)


def capitals(one: Measured) -> float:
    """Capital letters among letters that have a case; 0 below ten of them."""
    counts = one.counts()
    cased = counts[CAPITAL] + counts[SMALL]
    return counts[CAPITAL] / cased if cased >= _FEW else 0.0


def repeated_lines(one: Measured) -> float:
    """Filled lines that stood before, among all filled ones; 0 below three."""
    lines = [line for part in one.text.splitlines() if (line := part.strip())]
    return 1 - len(set(lines)) / len(lines) if len(lines) > 2 else 0.0


def common_word(one: Measured) -> float:
    """The share of the most frequent word; 0 below ten words."""
    found = one.words()
    return Counter(found).most_common(1)[0][1] / len(found) if len(found) >= _FEW else 0.0


def repeated_passages(one: Measured) -> float:
    """Passages of five words that stood before, among all; 0 below ten words."""
    found = one.words()
    if len(found) < _FEW:
        return 0.0
    passages = list(zip(*(found[start:] for start in range(_GRAM)), strict=False))
    return 1 - len(set(passages)) / len(passages)


SIGNALS: Mapping[str, Callable[[Measured], float]] = {
    "words": words,
    "word_length": word_length,
    "letters": letters,
    "symbols": symbols,
    "digits": digits,
    "capitals": capitals,
    "repeated_lines": repeated_lines,
    "common_word": common_word,
    "repeated_passages": repeated_passages,
}
