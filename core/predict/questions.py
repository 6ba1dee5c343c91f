"""Questions on a text: which column is the text, which the question, and the sentence of the text that shares most with the question.

Source: the sliding window and word overlap baselines of the SQuAD paper (Rajpurkar et al. 2016), counted in character n-grams so that
Korean particles do not hide a shared word. Not known here: targets of the rows that are asked.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from core.errors import SettingsError
from core.predict.rows import needs
from core.predict.words import words
from core.prediction import Examples, Prediction
from core.version import Roles

CONTEXTS = ("context", "passage", "paragraph", "document", "article", "지문", "본문", "문맥", "문단")
"""Words of a column's name that say it holds the text a question is about."""
ASKS_FOR_A_NUMBER = re.compile(r"\b(?:when|how (?:many|much|long|old|far)|(?:what|which) year)\b|언제|얼마|몇|연도|년도|날짜", re.I)
ENDS = re.compile(r"(?:(?<=[.!?。！？])|(?<=[.!?。！？][\"'”’)\]]))\s+|\n+")
SHARED = 0.5
"""A word of the sentence is the question's own when so much of its character pairs stand in the question."""


def context_column(roles: Roles) -> str | None:
    """The text column that holds what a question is about: by its name, among at least two text columns. None: closed book."""
    if len(roles.text) < 2:
        return None
    return next((name for name in roles.text if set(re.split(r"[\W_\d]+", name.casefold())) & set(CONTEXTS)), None)


def question_texts(rows: Examples) -> tuple[str, ...]:
    """What is asked in each row: its text without the context."""
    context = context_column(rows.roles)
    if context is None or context not in rows.frame:
        return rows.text
    columns = [_cells(rows, name) for name in rows.roles.text if name != context]
    return tuple("\n".join(part for part in row if part) for row in zip(*columns, strict=True))


def contexts(rows: Examples) -> list[str]:
    """The text each row's question is about, "" where there is none."""
    context = context_column(rows.roles)
    return _cells(rows, context) if context else [""] * len(rows)


def _cells(rows: Examples, column: str) -> list[str]:
    if column not in rows.frame:
        return [""] * len(rows)
    return ["" if value is None or value != value else str(value) for value in rows.frame[column].tolist()]


@dataclass
class Overlap:
    """The sentence of the row's own context that shares most with its question, or a few words of it. Without a context: the most
    frequent train answer. Of equally good sentences the first."""

    longest: int = 0
    """Words kept of the sentence: a run that the question does not hold, near words that it does. 0 keeps the whole sentence."""

    def __post_init__(self) -> None:
        if self.longest < 0:
            raise SettingsError(f"longest is {self.longest}; it is a number of words, or 0 for the whole sentence.", title="No words")

    def fit(self, train: Examples) -> Self:
        counts = Counter(map(str, needs(train, 1)))
        most = max(counts.values())
        self.otherwise_ = min(answer for answer, count in counts.items() if count == most)
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        pairs = zip(question_texts(rows), contexts(rows), strict=True)
        return [Prediction(self._answer(question, context) or self.otherwise_) for question, context in pairs]

    def _answer(self, question: str, context: str) -> str:
        sentence = nearest_sentence(question, context)
        return words_of(sentence, question, self.longest) if self.longest else sentence


def sentences(text: str) -> list[str]:
    """The sentences of a text in order: cut after . ! ? 。 and at line breaks; "3.5" stays whole."""
    return [part.strip() for part in ENDS.split(text) if part and part.strip()]


def nearest_sentence(question: str, context: str) -> str:
    """The sentence that shares most character n-grams with the question; those of many sentences weigh little, long ones are damped."""
    parts = sentences(context)
    if not parts:
        return ""
    pieces = [grams(part, (2, 3)) for part in parts]
    in_how_many = Counter(piece for one in pieces for piece in one)
    asked = grams(question, (2, 3))
    scores = [
        sum(math.log(1 + len(parts) / in_how_many[piece]) for piece in sorted(asked & one)) / max(1, len(one)) ** 0.25 for one in pieces
    ]
    return parts[max(range(len(parts)), key=lambda place: (scores[place], -place))]


def words_of(sentence: str, question: str, longest: int) -> str:
    """At most `longest` words in a row that are not the question's own, next to most that are; a run with a digit first where a number
    is asked for. The whole sentence when every word is the question's."""
    said = sentence.split()
    asked = grams(question, (2,))
    own = [_share(grams(word, (2,)), asked) for word in said]
    number = bool(ASKS_FOR_A_NUMBER.search(question))
    runs = [
        (start, end)
        for start in range(len(said))
        for end in range(start + 1, min(len(said), start + longest) + 1)
        if all(part < SHARED for part in own[start:end])
    ]
    if not runs:
        return sentence

    def worth(run: tuple[int, int]) -> tuple[bool, float, int]:
        start, end = run
        near = sum(part / (start - at if at < start else at - end + 1) for at, part in enumerate(own) if not start <= at < end)
        return number and any(map(str.isdigit, "".join(said[start:end]))), round(near, 9), start - end

    start, end = max(runs, key=worth)
    return " ".join(said[start:end]).strip(".,;:!?。、\"'“”‘’()[]")


def grams(text: str, sizes: Sequence[int]) -> set[str]:
    """Character n-grams of a text's words, each word between blanks."""
    return {piece for word in words(text) for size in sizes for piece in _pieces(f" {word} ", size)}


def _pieces(padded: str, size: int) -> list[str]:
    return [padded[at : at + size] for at in range(len(padded) - size + 1)]


def _share(part: set[str], whole: set[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0
