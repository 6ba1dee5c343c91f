"""Which languages texts are written in: by their script where it tells, by an identifier elsewhere.

Hangul is Korean and kana Japanese at any length. Scripts that many languages share (Latin, Cyrillic, Han alone) are asked of the
identifier from LETTERS letters on, and only a sure answer counts; the rest is undetermined and said so. A row is mixed when
two scripts each hold a quarter of its letters: two languages of one script in one row are not seen here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.evaluate.intervals import wilson

Identify = Callable[[str], tuple[str, float]]
"""A text -> two letters of a language (ISO 639-1) and how sure that is, 0 to 1."""
SAMPLE = 2_000
LETTERS, SURE = 20, 0.9
LONGEST = 1_000
"""Characters of a text that are looked at."""
SHARED = 0.05
"""A language that holds more of the rows than this is one of the table's languages."""
NAMES = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese",
    "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_SCRIPTS = {
    "latin": re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "hangul": re.compile(r"[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]"),
    "kana": re.compile(r"[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]"),
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "cyrillic": re.compile(r"[\u0400-\u052f]"),
    "arabic": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "devanagari": re.compile(r"[\u0900-\u097f]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
    "greek": re.compile(r"[\u0370-\u03ff]"),
    "hebrew": re.compile(r"[\u0590-\u05ff]"),
}
_ALONE = {"hangul": "ko", "kana": "ja", "thai": "th", "greek": "el", "hebrew": "he"}
"""Scripts that one language writes."""


@dataclass(frozen=True)
class Share:
    """One language among the rows whose language could be told; `low` to `high` is a 95 % interval (Wilson)."""

    language: str
    rows: int
    share: float
    low: float
    high: float

    @property
    def name(self) -> str:
        return NAMES.get(self.language, f"'{self.language}'")


@dataclass(frozen=True)
class Mix:
    n: int
    """Rows looked at."""
    of: int
    """Rows there are."""
    shares: tuple[Share, ...] = ()
    """The most frequent first."""
    undetermined: int = 0
    """Rows of too few letters, or of which the identifier was not sure."""
    rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Language -> the rows looked at that are written in it."""
    mixed: tuple[int, ...] = ()
    """Rows looked at in which two scripts each hold a quarter of the letters."""

    @property
    def languages(self) -> tuple[Share, ...]:
        """Those that hold more than SHARED."""
        return tuple(one for one in self.shares if one.share > SHARED)

    def part(self, language: str) -> float:
        return next((one.share for one in self.shares if one.language == language), 0.0)


def scripts(text: str) -> dict[str, int]:
    """Letters of each script, the most frequent first."""
    text = text[:LONGEST]
    asked = {"latin": _SCRIPTS["latin"]} if text.isascii() else _SCRIPTS
    found = {name: len(pattern.findall(text)) for name, pattern in asked.items()}
    return {name: found[name] for name in sorted(found, key=lambda one: -found[one]) if found[name]}


def language(text: str, identify: Identify | None = None, *, letters_from: int = LETTERS, sure_from: float = SURE) -> str:
    """The two letters of a text's language, "" when it cannot be told.

    The identifier is asked from so many letters on, and believed from so sure on.
    """
    found = scripts(text)
    if not found:
        return ""
    lead, letters = next(iter(found)), sum(found.values())
    if lead == "han" and found.get("kana", 0) * 10 > letters:
        lead = "kana"
    if lead in _ALONE:
        return _ALONE[lead]
    if identify is None or letters < letters_from:
        return ""
    name, sure = identify(text[:LONGEST])
    return name if sure >= sure_from and name not in _ALONE.values() else ""


def is_mixed(text: str) -> bool:
    """Whether two scripts each hold a quarter of the letters; kana and Han are one."""
    found = scripts(text)
    if "kana" in found:
        found["kana"] += found.pop("han", 0)
    return sum(count * 4 >= sum(found.values()) and count >= 4 for count in found.values()) > 1


def mix(texts: Sequence[str], identify: Identify | None = None, *, most: int = SAMPLE, seed: int = 0) -> Mix:
    """The languages of at most `most` texts, drawn by lot. Blank texts count as undetermined."""
    rows = np.arange(len(texts))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    found: dict[str, list[int]] = {}
    for row in rows.tolist():
        found.setdefault(language(texts[row], identify), []).append(row)
    unknown = found.pop("", [])
    known = sum(map(len, found.values()))
    shares = [Share(name, len(mine), len(mine) / known, *wilson(len(mine), known)) for name, mine in found.items()]
    mixed = tuple(row for row in rows.tolist() if is_mixed(texts[row]))
    ordered = tuple(sorted(shares, key=lambda one: (-one.rows, one.language)))
    return Mix(len(rows), len(texts), ordered, len(unknown), {name: tuple(mine) for name, mine in found.items()}, mixed)
