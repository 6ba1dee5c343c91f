"""The answer of the most similar train rows, by TF-IDF cosine of words and characters.

For questions it is the answer of the nearest train question, compared without the text it is about. Ties go to the earlier train row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from core.errors import SettingsError
from core.predict.parts import Parts, Sharer
from core.predict.questions import question_texts
from core.predict.rows import needs
from core.predict.words import Bags, tfidf, tfidf_asked
from core.prediction import Examples, Prediction
from core.task import Target

CHUNK = 512
"""Rows compared with all train rows at once."""


@dataclass
class Index:
    """The train texts, searchable by similarity."""

    parts: Parts = field(default_factory=Parts, repr=False)
    bags_: Bags = field(init=False, repr=False)

    def fit(self, texts: Sequence[str]) -> Self:
        self.bags_, table = tfidf(texts, self.parts)
        self.table_ = self._unit(table)
        return self

    def nearest(self, texts: Sequence[str], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Places (n, k) of the most similar train texts, the nearest first, and their cosines (n, k), 0 to 1."""
        k = min(k, self.table_.shape[0])
        places, cosines = np.zeros((len(texts), k), dtype=int), np.zeros((len(texts), k))
        asked = self._unit(tfidf_asked(self.bags_, texts, self.parts))
        for start in range(0, len(texts), CHUNK):
            some = asked[start : start + CHUNK]
            alike = (some @ self.table_.T).toarray()
            order = np.argsort(-np.round(alike, 6), axis=1, kind="stable")[:, :k]
            places[start : start + CHUNK] = order
            cosines[start : start + CHUNK] = np.take_along_axis(alike, order, axis=1)
        return places, np.clip(cosines, 0.0, 1.0)

    @staticmethod
    def _unit(rows: Any) -> Any:
        from sklearn.preprocessing import normalize

        return normalize(rows)


@dataclass
class Neighbours(Sharer):
    """Numbers: the median of the nearest train rows. Labels: their vote, weighted by similarity. Questions: the nearest one's answer."""

    reads_words: ClassVar[bool] = True
    k: int = 7
    """Train rows asked; questions always ask one."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise SettingsError(f"k is {self.k}; at least 1 neighbour is needed.", title="No neighbours")

    def fit(self, train: Examples) -> Self:
        self.targets_ = needs(train, 1)
        self.index_ = Index(self.parts).fit(_asked(train))
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        if not len(rows):
            return []
        asked = self.k if rows.task in ("regression", "classification") else 1
        places, cosines = self.index_.nearest(_asked(rows), asked)
        return [
            Prediction(_agree(rows.task, [self.targets_[p] for p in near], weights))
            for near, weights in zip(places.tolist(), cosines.tolist(), strict=True)
        ]


def _asked(rows: Examples) -> Sequence[str]:
    """What is compared: the question of a question on a text, else the whole text."""
    return question_texts(rows) if rows.task in ("qa", "chat") else rows.text


def _agree(task: str, targets: Sequence[Target], cosines: Sequence[float]) -> Target:
    if task == "regression":
        return float(np.median([float(value) for value in targets]))
    votes: dict[Target, float] = {}
    for target, cosine in zip(targets, cosines, strict=True):
        votes[target] = votes.get(target, 0.0) + cosine + 1e-6
    return max(votes, key=lambda target: votes[target])
