"""Tokens of many texts, a word at a time: each word is cut once and remembered.

The hosted encodings cut a text before every single space that stands between two visible characters, whatever they are, so a
text without other blanks has the tokens of its words, a space before each but the first. Texts with blanks side by side, and
words too long to come back, are counted as they are. The numbers are those of the encoding, to the token.
"""

from __future__ import annotations

from core.validate.accounting import Count

WORDS = 100_000
"""Words that are remembered; then memory is emptied and begins anew."""
LONGEST = 32
"""Characters of a word that is remembered."""


class _Known(dict[str, int]):
    """Word -> its tokens with `before` in front."""

    def __init__(self, count: Count, before: str) -> None:
        super().__init__()
        self.count, self.before = count, before

    def __missing__(self, word: str) -> int:
        found = self.count([self.before + word])[0]
        if len(word) <= LONGEST:
            self[word] = found
        return found


def by_words(count: Count) -> Count:
    """The same numbers as `count`, which is that of o200k_base or cl100k_base, about three times as fast on prose."""
    first, other = _Known(count, ""), _Known(count, " ")

    def counted(texts: list[str]) -> list[int]:
        if len(first) + len(other) > WORDS:
            first.clear()
            other.clear()
        find, numbers = other.__getitem__, []
        for text in texts:
            words = words_of(text)
            numbers.append(first[words[0]] + sum(map(find, words[1:])) if words else count([text])[0])
        return numbers

    return counted


def words_of(text: str) -> list[str]:
    """A text cut at its spaces; empty where a space stands beside another blank."""
    words = text.split(" ")
    if not text.isascii():
        return words if words == text.split() else []
    beside = "  " in text or "\n " in text or " \n" in text or "\t" in text or "\r" in text or "\x0b" in text or "\x0c" in text
    return [] if beside else words
