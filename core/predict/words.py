"""Texts as sparse word and character counts. Words are what `core.predict.scripts` finds in any script; Korean works.

Spaces hide what Korean words share (particles, endings), so texts that are short or mostly not Latin also give character
n-grams. Words are numbered once, and counted and paired as numbers. Not known here: targets.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import numpy as np

from core.predict.parts import Parts
from core.predict.scripts import WORD, composed, spaced

SHORT_TEXT = 200
"""Characters per text, on average, up to which character n-grams are worth their time in Latin scripts."""
_WORD = re.compile(WORD)


def words(text: str) -> list[str]:
    """Lower-case words in order."""
    return _WORD.findall(lower_words(text))


def part_of_word(name: str) -> str:
    """A character n-gram as people read it: "ca-" begins a word, "-at" ends one, "-a-" stands inside."""
    return f"{'' if name.startswith(' ') else '-'}{name.strip()}{'' if name.endswith(' ') else '-'}"


def lower_words(text: str) -> str:
    """The text in lower case with its words apart."""
    return spaced(text).lower()


def lower_letters(text: str) -> str:
    """The text in lower case with its letters composed."""
    return composed(text).lower()


def wants_characters(texts: Sequence[str]) -> bool:
    """Whether character n-grams help: short texts, or mostly letters outside ASCII. Judged on 500 texts spread over all."""
    some = texts[:: max(1, len(texts) // 500)]
    length = sum(map(len, some))
    letters = sum(character.isalpha() for text in some for character in text)
    plain = sum(character.isascii() and character.isalpha() for text in some for character in text)
    return length <= SHORT_TEXT * max(len(some), 1) or plain < letters / 2


class Lexicon:
    """The words of some texts, numbered in the order they are met, and those texts as numbers."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.places: dict[str, int] = defaultdict()
        self.places.default_factory = self.places.__len__  # type: ignore[attr-defined]
        found = [words(text) for text in texts]
        self.numbers, self.rows = self._flat(found, map(self.places.__getitem__, chain.from_iterable(found)))
        self.texts, self.places = len(texts), dict(self.places)
        self.names = list(self.places)

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(numbers, rows) of the words of other texts, both (m,); -1 for a word not known here."""
        found = [words(text) for text in texts]
        return self._flat(found, map(self.places.get, chain.from_iterable(found), repeat(-1)))

    @staticmethod
    def _flat(found: list[list[str]], numbers: Any) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.fromiter(map(len, found), np.int64, len(found))
        return np.fromiter(numbers, np.int64, int(lengths.sum())), np.repeat(np.arange(len(found)), lengths)


def lexicon(texts: Sequence[str], parts: Parts) -> Lexicon:
    return parts.get("lexicon", (texts,), lambda: Lexicon(texts))


def encoded(known: Lexicon, texts: Sequence[str], parts: Parts) -> tuple[np.ndarray, np.ndarray]:
    """`known.encode` of texts that are asked for."""
    return parts.get("encoded", (known, texts), lambda: known.encode(texts))


@dataclass
class Bag:
    """Counts or TF-IDF of words, or of character n-grams, as a sparse (n, k) matrix with column names."""

    weighting: str = "tfidf"
    """counts | tfidf"""
    unit: str = "word"
    """word | character"""
    ngrams: tuple[int, int] = (1, 1)
    """Fewest and most units in a column; of words 1 and 2."""
    most: int = 50_000
    """Columns kept: the most frequent."""
    fewest: int = 1
    """Texts that must share a column; 1 when there are fewer than 50 texts."""
    names_: list[str] = field(init=False, repr=False, default_factory=list)

    def fit_transform(self, texts: Sequence[str], parts: Parts | None = None) -> Any:
        """(n, k) in CSR form, float32; one column of zeros when the texts hold no word."""
        self.parts_ = parts or Parts()
        counts = self._words(texts) if self.unit == "word" else self._characters(texts)
        shared = np.bincount(counts.indices, minlength=counts.shape[1])
        self.weights_ = (np.log((1 + len(texts)) / (1 + shared)) + 1).astype(np.float32)
        return self._weighted(counts)

    def transform(self, texts: Sequence[str]) -> Any:
        if self.names_ == [NOTHING]:
            return _matrix(np.zeros(0, int), np.zeros(0, int), len(texts), 1)
        if self.unit == "character":
            return self._weighted(self.vectorizer_.transform(texts).tocsr())
        numbers, rows = encoded(self.lexicon_, texts, self.parts_)
        codes, rows = self._coded(numbers, rows)
        places = np.minimum(np.searchsorted(self.codes_, codes), len(self.codes_) - 1)
        known = self.codes_[places] == codes
        return self._weighted(_matrix(rows[known], places[known], len(texts), len(self.codes_)))

    def _words(self, texts: Sequence[str]) -> Any:
        self.lexicon_ = lexicon(texts, self.parts_)
        codes, rows = self._coded(self.lexicon_.numbers, self.lexicon_.rows)
        found, places = np.unique(codes, return_inverse=True)
        counts = _matrix(rows, places, len(texts), len(found))
        enough = np.bincount(counts.indices, minlength=len(found)) >= (self.fewest if len(texts) >= 50 else 1)
        often = np.where(enough, np.bincount(places, minlength=len(found)), 0)
        kept = np.sort(np.argsort(-often, kind="stable")[: self.most])
        kept = kept[often[kept] > 0]
        self.codes_, size, names = found[kept], len(self.lexicon_.names), self.lexicon_.names
        self.names_ = [names[c] if c < size else f"{names[c // size - 1]} {names[c % size]}" for c in self.codes_.tolist()] or [NOTHING]
        return counts[:, kept] if len(kept) else _matrix(np.zeros(0, int), np.zeros(0, int), len(texts), 1)

    def _coded(self, numbers: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(codes, rows) of the known words and pairs: a word is its number, a pair (1 + first) x words + second."""
        size = len(self.lexicon_.names)
        known = numbers >= 0
        codes, where = [numbers[known]], [rows[known]]
        if self.ngrams[1] > 1 and len(numbers):
            beside = known[1:] & known[:-1] & (rows[1:] == rows[:-1])
            codes.append((1 + numbers[:-1][beside]) * size + numbers[1:][beside])
            where.append(rows[:-1][beside])
        return np.concatenate(codes), np.concatenate(where)

    def _characters(self, texts: Sequence[str]) -> Any:
        from sklearn.feature_extraction.text import CountVectorizer

        shared: dict[str, Any] = {
            "dtype": np.float32,
            "max_features": self.most,
            "ngram_range": self.ngrams,
            "min_df": self.fewest if len(texts) >= 50 else 1,
        }
        self.vectorizer_: Any = CountVectorizer(analyzer="char_wb", preprocessor=lower_letters, **shared)
        try:
            counts = self.vectorizer_.fit_transform(texts).tocsr()
        except ValueError as error:
            if "empty vocabulary" not in str(error) and "no terms remain" not in str(error).lower():
                raise
            self.names_ = [NOTHING]
            return _matrix(np.zeros(0, int), np.zeros(0, int), len(texts), 1)
        self.names_ = [part_of_word(str(name)) for name in self.vectorizer_.get_feature_names_out()]
        return counts

    def _weighted(self, counts: Any) -> Any:
        if self.weighting == "counts":
            return counts
        from sklearn.preprocessing import normalize as unit_length

        counts.data = (1 + np.log(counts.data)) * self.weights_[counts.indices]
        return unit_length(counts, copy=False)


NOTHING = "(no words)"


def _matrix(rows: np.ndarray, columns: np.ndarray, height: int, width: int) -> Any:
    """How often each (row, column) comes, (height, width) in CSR form."""
    from scipy.sparse import coo_matrix

    return coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(height, width)).tocsr()


@dataclass
class Bags:
    """Several bags side by side."""

    parts: tuple[Bag, ...]

    def fit_transform(self, texts: Sequence[str], shared: Parts | None = None) -> Any:
        return _beside([part.fit_transform(texts, shared) for part in self.parts])

    def transform(self, texts: Sequence[str]) -> Any:
        return _beside([part.transform(texts) for part in self.parts])

    @property
    def names_(self) -> list[str]:
        return [name for part in self.parts for name in part.names_]


def _beside(found: list[Any]) -> Any:
    from scipy.sparse import hstack

    return found[0] if len(found) == 1 else hstack(found).tocsr()


def tfidf_bags(texts: Sequence[str], characters: str = "auto") -> Bags:
    """Words and pairs of words, and characters where they help. `characters` is auto, yes or no."""
    parts = [Bag(ngrams=(1, 2), fewest=2, most=60_000)]
    if characters == "yes" or (characters == "auto" and wants_characters(texts)):
        parts.append(Bag(unit="character", ngrams=(2, 4), fewest=2, most=60_000))
    return Bags(tuple(parts))


def tfidf(texts: Sequence[str], parts: Parts, characters: str = "auto") -> tuple[Bags, Any]:
    """The fitted TF-IDF of train texts and their (n, k) matrix."""

    def made() -> tuple[Bags, Any]:
        bags = tfidf_bags(texts, characters)
        return bags, bags.fit_transform(texts, parts)

    return parts.get(("tfidf", characters), (texts,), made)


def tfidf_asked(bags: Bags, texts: Sequence[str], parts: Parts) -> Any:
    """The (n, k) matrix of texts that are asked for."""
    return parts.get("tfidf asked", (bags, texts), lambda: bags.transform(texts))
