"""One text as the gates see it: everything they compare, found once however many of them ask."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

import numpy as np

from core.augment.facts import names, numbers_in, quantities_in, words_in
from core.augment.near import bare, gram_codes
from core.augment.negation import Denials, denials
from core.augment.reading import normal
from core.augment.wording import scripts

_TOKEN = re.compile(r"\w+")


class Said:
    """A text and what it says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.normal = normal(text)
        self.bare = bare(text)

    @cached_property
    def tokens(self) -> set[str]:
        """Its runs of letters and digits."""
        return set(_TOKEN.findall(self.normal))

    @cached_property
    def numbers(self) -> set[float]:
        """Numbers in digits."""
        return numbers_in(self.normal)

    @cached_property
    def words(self) -> set[float]:
        """Small numbers written as words."""
        return words_in(self.normal, self.tokens)

    @cached_property
    def quantities(self) -> set[tuple[float, str]]:
        """Numbers with their units."""
        return quantities_in(self.normal)

    @cached_property
    def names(self) -> set[str]:
        """Names, as they are written."""
        return names(self.text)

    @cached_property
    def denials(self) -> Denials:
        """What it denies."""
        return denials(self.normal, self.tokens)

    @cached_property
    def scripts(self) -> Counter[str]:
        """Letters of each script."""
        return scripts(self.text)

    @cached_property
    def grams(self) -> np.ndarray:
        """Codes of its character bigrams and trigrams, rising."""
        return gram_codes(self.bare)

    def letters_of(self, other: Said) -> float:
        """Which share of the letters stands in words that the other text has too; each word counts once."""
        all_letters = sum(map(len, self.tokens))
        return sum(map(len, self.tokens & other.tokens)) / all_letters if all_letters else 0.0
