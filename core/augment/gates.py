"""Which variants are kept: gates in order, each with its reason; every one is measured, the first that rejects names the rejection.

What the gates are and where they stand is in `core/augment/limits.py`. Of 2,000 pairs of unrelated reviews the drift gate stops
57 % (English) and 91 % (Korean); no gate can know whether a variant is true or well written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.augment.asks import Ask
from core.augment.facts import leaked, named, named_in, names_lost, numbers_added, numbers_lost, units_lost
from core.augment.fields import Field, misfits
from core.augment.limits import ALWAYS, GATES, SMALL_WRITER, Gate, Limits
from core.augment.near import MOST_EXACT, Growing, HeldOut, Near, bare, dice, pieces, similarity, word_changes
from core.augment.negation import turned
from core.augment.reading import normal
from core.augment.said import Said
from core.augment.wording import chats, other_script, refuses, told_apart

__all__ = ["ALWAYS", "GATES", "SMALL_WRITER", "Gate", "HeldOut", "Judge", "Limits", "Looked", "Near", "bare", "floor", "similarity",
           "word_changes"]  # fmt: skip
Meaning = Callable[[Sequence[tuple[str, str]]], Sequence[float | None]]
"""Pairs of texts -> the cosine of each pair's vectors, None where the encoder does not know the language."""
_SAME_WORDS = 0.8
"""Share of a variant's letters in words of the original from which both are of one language."""
_SIDE_TEXT = 20
"""Letters from which a further cell of a whole row is compared with the rows kept aside."""


@dataclass(frozen=True)
class Looked:
    """Everything the gates measured about one variant."""

    values: Mapping[str, float | None]
    """Gate -> measured value; None where it could not judge (too short, a language it does not know). Yes or no is 1 or 0."""
    failed: tuple[str, ...] = ()
    """Gates on whose wrong side it lies, whether they reject or warn."""
    gate: str = ""
    """The first that rejects, or "" when it passes."""

    @property
    def warned(self) -> tuple[str, ...]:
        """What a variant that passes should still be looked at for."""
        return () if self.gate else self.failed


class _Source(Said):
    """What the gates compare a variant with, found once for all variants of one original."""

    def __init__(self, text: str, limits: Limits, language: Callable[[str], str] | None) -> None:
        super().__init__(text)
        self.share = _strictness(self, limits)
        self.language = language(text) if language else ""
        self.refuses, self.chats = refuses(text), chats(text)


@dataclass
class Judge:
    """Judges variants one after another and remembers what it has let pass. Same order, same verdicts."""

    held_out: HeldOut
    keeps: str = "answer"
    """answer: numbers, names and meaning must stay. label: a new text of the same class. context: a question about the original.
    schema: a new row like the original."""
    task: str = "classification"
    limits: Limits = field(default_factory=Limits)
    seen: set[str] = field(default_factory=set)
    """Normalised texts that exist already: train rows, then every variant that passed."""
    language: Callable[[str], str] | None = None
    """Names the language of a text, "" when it is too short to tell."""
    train: Near | None = None
    """The train rows with their row numbers, to find near copies of other rows than the source."""
    meaning: Meaning | None = None
    families: dict[int, Growing] = field(default_factory=dict)
    """Row -> its variants that passed; whole new rows are one family."""
    fields: tuple[Field, ...] = ()
    """The columns of whole rows, for those that people rewrite."""
    meanings: dict[tuple[str, str], float | None] = field(default_factory=dict)
    """What `meaning` gave for pairs asked ahead (see `prepare`)."""
    original: Callable[[str], str] | None = None
    """Like `language`, for an original, of which less sureness is asked: both being wrong, and differently, is rare. None: `language`."""
    last: _Source | None = None
    """The original that was compared with last."""

    def __call__(self, variant: str, ask: Ask, cells: Mapping[str, Any] | None = None) -> str:
        """The name of the gate it fails, or "" when it passes."""
        return self.take(variant, ask, cells).gate

    def take(self, variant: str, ask: Ask, cells: Mapping[str, Any] | None = None) -> Looked:
        """Look at it and remember it when it passes."""
        self.fields = ask.fields
        looked = self.look(variant, ask, cells)
        if not looked.gate:
            self.seen.add(bare(variant))
            self.families.setdefault(self._family(ask), Growing()).add(bare(variant))
        return looked

    def look(self, variant: str, ask: Ask, cells: Mapping[str, Any] | None = None) -> Looked:
        """What every gate measures. `cells` are the other cells of a whole row. Nothing is remembered."""
        values = self._values(variant, ask, cells or {})
        failed = tuple(
            name for name in GATES if name in values and self.limits.fails(name, values[name]) and self.limits.mode(name) != "off"
        )
        return Looked(values, failed, next((name for name in failed if self.limits.mode(name) == "reject"), ""))

    def forget(self, variant: str, ask: Ask) -> None:
        """Forget one that had passed, because it is rewritten."""
        plain = bare(variant)
        self.seen.discard(plain)
        if family := self.families.get(self._family(ask)):
            family.remove(plain)

    def copy(self) -> Judge:
        """The same knowledge; what is judged later stays apart."""
        return replace(self, last=None, seen=set(self.seen), families={row: family.copy() for row, family in self.families.items()})

    def prepare(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Ask for the meanings of (variant, original) pairs at once, which is far quicker than one by one."""
        if self.meaning is None or not self._asked("meaning"):
            return
        new = list(dict.fromkeys(pair for pair in pairs if pair not in self.meanings and all(re.search(r"\w", text) for text in pair)))
        if new:
            self.meanings.update(zip(new, self.meaning(new), strict=True))

    def _asked(self, gate: str) -> bool:
        return self.keeps in GATES[gate].of and self.limits.mode(gate) != "off"

    def _family(self, ask: Ask) -> int:
        return -1 if ask.fields else ask.row

    def _values(self, variant: str, ask: Ask, cells: Mapping[str, Any]) -> dict[str, float | None]:
        """Gate -> value, of the gates that are asked of this kind of variant."""
        source, said = self._source(ask.original), Said(variant)
        plain = said.bare
        known = pieces(plain, MOST_EXACT)
        family = self.families.get(self._family(ask))
        values: dict[str, float | None] = {
            "refusal": float(refuses(variant) and not source.refuses),
            "empty": float(not re.search(r"\w", variant)),
            "held_out": max([self.held_out.nearest_bare(plain, known), *map(self.held_out.nearest, _side_texts(cells, variant))]),
            "chatter": float(chats(variant) and not source.chats),
            "duplicate": float(plain in self.seen),
            "near_sibling": family.nearest(plain, known) if family else 0.0,
            "near_train": self.train.nearest(plain, None if self.keeps == "context" else ask.row, known) if self.train else None,
            "language": float(other_script(said.scripts, source.scripts) or self._other_language(said, source)),
            "same": float(plain == source.bare),
            "answer_leaked": float(self._gives_away(said, source, ask, cells)),
        }
        if self.keeps == "schema":
            values["schema"] = float(len(misfits(cells, ask.fields)))
        elif self.keeps == "context":
            values |= {
                "schema": float(len(misfits(cells, ask.fields))),
                "answer_absent": float(not stands_in(ask.answer(cells), source.text)),
            }
        else:
            values |= self._against_original(said, source, ask)
        return values

    def _source(self, original: str) -> _Source:
        """What is known of an original; the variants of one come together."""
        if self.last is None or self.last.text != original:
            self.last = _Source(original, self.limits, self.original or self.language)
        return self.last

    def _other_language(self, said: Said, source: _Source) -> bool:
        """Texts of the same words are of the same language; telling it takes longer than all other gates but the near copies."""
        if self.language is None or not source.language:
            return False
        if said.scripts.keys() <= source.scripts.keys() and said.letters_of(source) >= _SAME_WORDS:
            return False
        return told_apart(source.language, self.language, said.text)

    def _gives_away(self, said: Said, source: Said, ask: Ask, cells: Mapping[str, Any]) -> bool:
        if self.keeps == "schema":
            return False
        if self.keeps == "context":
            return named(said.text, ask.answer(cells))
        return leaked(said, source, ask.target, self.task)

    def _against_original(self, said: Said, source: _Source, ask: Ask) -> dict[str, float | None]:
        slack, share, size = self.limits.slack, source.share, max(1, len(source.text))
        alike = dice(said.grams, source.grams)
        values: dict[str, float | None] = {"too_long": max(0, len(said.text) - slack) / size, "too_similar": alike}
        if self.keeps != "answer":
            return values
        lost = self.task != "regression" and named_in(source.normal, ask.target) and not named_in(said.normal, ask.target)
        return values | {
            "too_short": (len(said.text) + slack / 2) / size,
            "number_lost": float(numbers_lost(source, said)),
            "number_added": float(numbers_added(source, said)),
            "unit_lost": float(units_lost(source, said)),
            "name_lost": float(names_lost(source, said)),
            "label_lost": float(lost),
            "too_different": min(1.0, alike / share) if share else None,
            "meaning": self._meaning(said.text, source.text),
            "negation": float(turned(source.denials, said.denials)),
        }

    def _meaning(self, variant: str, original: str) -> float | None:
        if self.meaning is None or not self._asked("meaning"):
            return None
        self.prepare([(variant, original)])
        return self.meanings.get((variant, original))


def _side_texts(cells: Mapping[str, Any], variant: str) -> list[str]:
    return [cell for cell in cells.values() if isinstance(cell, str) and cell != variant and len(cell) >= _SIDE_TEXT]


def stands_in(answer: str, text: str) -> bool:
    """Whether an answer stands word for word in a text, apart from case and blanks."""
    return bool(normal(answer)) and normal(answer) in normal(text)


def floor(original: str, limits: Limits) -> float:
    """The least similarity a paraphrase of this text must have: 0 for a few words, all of it from 60 letters on (28 syllables)."""
    return limits.least_similar * _strictness(Said(original), limits)


def _strictness(original: Said, limits: Limits) -> float:
    """Which part of `least_similar` is asked of a text: rising with its length, a third of it for scripts written in syllables."""
    if limits.strict:
        return 1.0
    letters = original.scripts
    syllables = letters["hangul"] + letters["han"] + letters["kana"] > letters.total() / 2
    length = len(original.bare)
    share = (length - 8) / 20 if syllables else (length - 15) / 45
    return (1 / 3 if syllables else 1.0) * min(1.0, max(0.0, share))
