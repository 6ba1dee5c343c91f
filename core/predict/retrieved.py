"""Language models that look something up first: the most similar solved train rows, or the nearest passages of a text.

Source: retrieval-augmented generation (Lewis et al. 2020), with the searches people expect: by words and character n-grams, or by
meaning through a sentence encoder that comes in as an argument. Test rows and their targets are in neither index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from core.errors import SettingsError
from core.predict.neighbours import Index
from core.predict.passages import Passage
from core.predict.prompted import Prompted, Shown, after, as_shown, check_shots, solved
from core.predict.questions import question_texts
from core.predict.rows import needs
from core.prediction import Examples
from core.prompt import Message

SEARCHES = ("text", "meaning")
Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts in, an array (n, d) of their vectors out."""
LEAD = "Passages that may help:"


class Search(Protocol):
    def fit(self, texts: Sequence[str]) -> Self: ...

    def nearest(self, texts: Sequence[str], k: int) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass
class Meanings:
    """Texts searchable by the cosine of their vectors; ties go to the earlier text."""

    encode: Encode = field(repr=False)

    def fit(self, texts: Sequence[str]) -> Self:
        self.vectors_ = _unit(self.encode(texts))
        return self

    def nearest(self, texts: Sequence[str], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Places (n, k) of the nearest texts, the nearest first, and their cosines (n, k), 0 to 1."""
        alike = _unit(self.encode(texts)) @ self.vectors_.T
        places = np.argsort(-np.round(alike, 6), axis=1, kind="stable")[:, :k]
        return places, np.clip(np.take_along_axis(alike, places, axis=1), 0.0, 1.0)


@dataclass
class _Looking(Prompted):
    """What both have in common: how they search."""

    shots: int = 4
    """Solved rows, or passages, shown."""
    longest: int = 600
    """Characters kept of each text of a solved row."""
    search: str = "text"
    """text: words and characters in common; meaning: a sentence encoder, English only."""
    encode: Encode | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_shots(self.shots)
        if self.search not in SEARCHES:
            raise SettingsError(f"search is '{self.search[:40]}'; it must be one of {', '.join(SEARCHES)}.", title="Unknown search")
        if self.search == "meaning" and self.encode is None:
            raise SettingsError("A search by meaning needs a sentence encoder, which was not given.", title="Something is missing")

    def _index(self, texts: Sequence[str]) -> Search:
        return Meanings(self.encode).fit(texts) if self.search == "meaning" and self.encode else Index().fit(texts)

    def _nearest(self, index: Search, rows: Examples) -> list[list[int]]:
        """Places of the nearest of what is searched, the nearest first, per row."""
        if not len(rows):
            return []
        places, _ = index.nearest(_asked(rows), self.shots)
        return [[int(place) for place in near] for near in places]


@dataclass
class Retrieval(_Looking):
    """The most similar train rows, solved, stand before each question, the most similar one last."""

    def fit(self, train: Examples) -> Self:
        needs(train, 1)
        self.labels_, self.train_ = train.labels, train
        self.index_ = self._index(_asked(train))
        return self

    def _chat(self, place: int) -> list[Message]:
        return solved(self.prompt, self.train_.take([place]), self.longest)

    def shown(self, rows: Examples) -> list[list[Shown]]:
        return [[as_shown(place, self._chat(place)) for place in near[::-1]] for near in self._nearest(self.index_, rows)]

    def questions(self, rows: Examples, shown: Sequence[Sequence[Shown]] | None = None) -> list[list[Message]]:
        found = self.shown(rows) if shown is None else shown
        return [
            after([message for one in before for message in self._chat(one.place)], question)
            for before, question in zip(found, super().questions(rows), strict=True)
        ]


@dataclass
class PassageRetrieval(_Looking):
    """The nearest passages stand in the question, numbered, the nearest first. Train rows give labels only."""

    passages: Sequence[Passage] = field(default=(), repr=False)

    def fit(self, train: Examples) -> Self:
        if not self.passages:
            raise SettingsError("There is no passage to search. Name a text column, a file or a version.", title="No passages")
        self.labels_ = train.labels
        self.index_ = self._index([one.text for one in self.passages])
        return self

    def shown(self, rows: Examples) -> list[list[Shown]]:
        return [
            [Shown(self.passages[place].source, self.passages[place].text, "", place) for place in near]
            for near in self._nearest(self.index_, rows)
        ]

    def questions(self, rows: Examples, shown: Sequence[Sequence[Shown]] | None = None) -> list[list[Message]]:
        found = self.shown(rows) if shown is None else shown
        return [_with(before, question) for before, question in zip(found, super().questions(rows), strict=True)]


def _with(before: Sequence[Shown], question: Sequence[Message]) -> list[Message]:
    """The question with the passages at the head of what the user says."""
    told = "\n\n".join([LEAD, *(f"[{number}] {one.text}" for number, one in enumerate(before, start=1))])
    *rest, last = question
    return [*rest, {**last, "content": f"{told}\n\n{last['content']}"}]


def _asked(rows: Examples) -> Sequence[str]:
    """What is searched for: the question of a question on a text, else the whole text."""
    return question_texts(rows) if rows.task in ("qa", "chat") else rows.text


def _unit(vectors: Any) -> np.ndarray:
    table = np.asarray(vectors, dtype="float32")
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(lengths > 0, lengths, 1.0)
