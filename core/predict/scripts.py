"""Where words end in the world's scripts: texts as words with spaces between them.

Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words: their runs become overlapping pairs of letters, as search
engines index them. Vowel signs and accents that are characters of their own stay with their letter (Hindi, Thai, decomposed
accents). Korean has spaces but hides what words share; where a morpheme analyser is installed, `core.io.segmenting` has parted its
words before they come here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_SIGNS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3"
    "\u200c\u200d"
)
"""Marks inside words that are no letters, by Unicode block."""
WORD = rf"[\w{_SIGNS}]+"
"""A word: letters, digits and the marks that belong to them."""
_UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u109f\u1780-\u17d3\u3005\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
)
_RUN = re.compile(f"[{_UNSPACED}]+")
_LETTER = re.compile(rf".[{_SIGNS}]*", re.S)
SAMPLE = 500


def composed(text: str) -> str:
    """The text with accents and Korean syllables as one character each (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def spaced(text: str) -> str:
    """The composed text with runs of scripts without spaces as overlapping pairs of letters."""
    return text if text.isascii() else _RUN.sub(_pairs, composed(text))


def _pairs(run: re.Match[str]) -> str:
    letters = _LETTER.findall(run[0])
    return f" {' '.join(map(str.__add__, letters, letters[1:])) if len(letters) > 1 else run[0]} "


def korean(texts: Sequence[str]) -> bool:
    """Whether most letters are Hangul. Judged on 500 texts spread over all."""
    some = "".join(text[:2_000] for text in texts[:: max(1, len(texts) // SAMPLE)])
    letters = sum(map(str.isalpha, some))
    return letters > 0 and sum("\uac00" <= sign <= "\ud7a3" or "\u3131" <= sign <= "\u318e" for sign in some) > letters / 2


def script_of(texts: Sequence[str]) -> str:
    """How words are found in these texts: korean | pairs (scripts without spaces) | spaces. Judged on 500 texts spread over all."""
    if korean(texts):
        return "korean"
    some = "".join(text[:2_000] for text in texts[:: max(1, len(texts) // SAMPLE)])
    letters = sum(map(str.isalpha, some))
    return "pairs" if letters and sum(map(len, _RUN.findall(some))) > letters / 2 else "spaces"
