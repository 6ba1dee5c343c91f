"""Texts as sparse word and character counts. Words are what `core.predict.scripts` finds in any script; Korean works.

Spaces hide what Korean words share (particles, endings), so texts that are short or mostly not Latin also give character
n-grams. Not known here: targets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from core.predict.scripts import WORD, composed, spaced

SHORT_TEXT = 200
"""Characters per text, on average, up to which character n-grams are worth their time in Latin scripts."""


def words(text: str) -> list[str]:
    """Lower-case words in order."""
    return re.findall(WORD, lower_words(text))


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


@dataclass
class Bag:
    """Counts or TF-IDF of words, or of character n-grams, as a sparse (n, k) matrix with column names."""

    weighting: str = "tfidf"
    """counts | tfidf"""
    unit: str = "word"
    """word | character"""
    ngrams: tuple[int, int] = (1, 1)
    most: int = 50_000
    """Columns kept: the most frequent."""
    fewest: int = 1
    """Texts that must share a column; 1 when there are fewer than 50 texts."""
    names_: list[str] = field(init=False, repr=False, default_factory=list)

    def fit_transform(self, texts: Sequence[str]) -> Any:
        self.fit(texts)
        return self.transform(texts)

    def fit(self, texts: Sequence[str]) -> Self:
        from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

        shared: dict[str, Any] = {
            "max_features": self.most,
            "ngram_range": self.ngrams,
            "min_df": self.fewest if len(texts) >= 50 else 1,
            "preprocessor": lower_letters if self.unit == "character" else lower_words,
            "dtype": np.float32,
        }
        shared |= {"analyzer": "char_wb"} if self.unit == "character" else {"token_pattern": WORD}
        if self.weighting == "counts":
            vectorizer: Any = CountVectorizer(**shared)
        else:
            vectorizer = TfidfVectorizer(**shared, sublinear_tf=True)
        try:
            self.vectorizer_ = vectorizer.fit(texts)
            self.names_ = list(map(str, vectorizer.get_feature_names_out()))
        except ValueError as error:
            if "empty vocabulary" not in str(error) and "no terms remain" not in str(error).lower():
                raise
            self.vectorizer_, self.names_ = None, ["(no words)"]
        return self

    def transform(self, texts: Sequence[str]) -> Any:
        """(n, k) in CSR form; one column of zeros when the train texts held no word."""
        if self.vectorizer_ is None:
            from scipy.sparse import csr_matrix

            return csr_matrix((len(texts), 1), dtype=np.float32)
        return self.vectorizer_.transform(texts).tocsr()


@dataclass
class Bags:
    """Several bags side by side."""

    parts: tuple[Bag, ...]

    def fit_transform(self, texts: Sequence[str]) -> Any:
        for part in self.parts:
            part.fit(texts)
        return self.transform(texts)

    def transform(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import hstack

        found = [part.transform(texts) for part in self.parts]
        return found[0] if len(found) == 1 else hstack(found).tocsr()

    @property
    def names_(self) -> list[str]:
        return [name for part in self.parts for name in part.names_]


def tfidf_bags(texts: Sequence[str], characters: str = "auto") -> Bags:
    """Words and pairs of words, and characters where they help. `characters` is auto, yes or no."""
    parts = [Bag(ngrams=(1, 2), fewest=2, most=60_000)]
    if characters == "yes" or (characters == "auto" and wants_characters(texts)):
        parts.append(Bag(unit="character", ngrams=(2, 4), fewest=2, most=60_000))
    return Bags(tuple(parts))
