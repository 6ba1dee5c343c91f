"""How two short answers are compared: the rules of SQuAD (English) and KorQuAD (Korean).

Sources: the official evaluation scripts of SQuAD 1.1, SQuAD 2.0 and KorQuAD 1.0. English drops punctuation and articles and
counts words; Korean turns brackets and quotes into spaces, drops punctuation, keeps articles and particles, and counts
characters. Ours on top: both sides are NFC first, because a decomposed Korean word would otherwise match nothing.
An answer is compared by the rules of its own letters, or as Korean where nearly all answers are (`korean`).
Known and kept: curly double quotes and full-width punctuation stay, as in the official scripts.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_KOREAN_SPACE = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


def is_korean(text: str) -> bool:
    return bool(_HANGUL.search(text))


def mostly_korean(truths: Iterable[str | tuple[str, ...]]) -> bool:
    """Whether at least four in five rows that hold letters have an accepted answer with Korean ones."""
    rows = [" ".join(truth) if isinstance(truth, tuple) else truth for truth in truths]
    lettered = [row for row in rows if any(map(str.isalpha, row))]
    return bool(lettered) and sum(map(is_korean, lettered)) >= 0.8 * len(lettered)


def normalize_english(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def normalize_korean(text: str) -> str:
    return " ".join(text.translate(_KOREAN_SPACE).lower().translate(_PUNCTUATION).split())


def normal(text: str, *, korean: bool, official: bool = False) -> str:
    """The text as it is compared; `official` skips NFC."""
    text = text if official else unicodedata.normalize("NFC", text)
    return normalize_korean(text) if korean else normalize_english(text)


def overlap(guess: list[str], gold: list[str]) -> float:
    """F1 of two multisets of pieces; when either is empty, 1 only when both are."""
    if not guess or not gold:
        return float(guess == gold)
    same = sum((Counter(guess) & Counter(gold)).values())
    return 0.0 if same == 0 else 2 * same / (len(guess) + len(gold))


def pieces(normalized: str, *, korean: bool) -> list[str]:
    """Words in English, characters without spaces in Korean."""
    return list(normalized.replace(" ", "")) if korean else normalized.split()


def exact(guess: str, gold: str, *, official: bool = False, korean: bool = False) -> float:
    korean = korean or is_korean(gold)
    return float(normal(guess, korean=korean, official=official) == normal(gold, korean=korean, official=official))


def f1(guess: str, gold: str, *, official: bool = False, korean: bool = False) -> float:
    korean = korean or is_korean(gold)
    sides = (pieces(normal(text, korean=korean, official=official), korean=korean) for text in (guess, gold))
    return overlap(*sides)


def contains(guess: str, gold: str, *, official: bool = False, korean: bool = False) -> float:
    """1 when the gold answer stands in the guess: as whole words in English, as characters in Korean (particles follow words)."""
    korean = korean or is_korean(gold)
    found, wanted = (normal(text, korean=korean, official=official) for text in (guess, gold))
    if not wanted:
        return float(not found)
    return float(wanted.replace(" ", "") in found.replace(" ", "") if korean else f" {wanted} " in f" {found} ")
