"""word2vec trained on the train texts, a row as the mean of its words' vectors, and a linear model or SVM on top.

Source: the pricing course; gensim's Word2Vec with one worker, which makes it deterministic. Not known here: word order, and
words that no train text holds (a row of such words is a row of zeros).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np

from core.predict.heads import Head, Make, check_scale, fit_head, weights
from core.predict.linear import support_vectors
from core.predict.median import MedianLine
from core.predict.parts import Parts, Sharer
from core.predict.rows import needs
from core.predict.words import Lexicon, encoded, lexicon
from core.prediction import Examples, Prediction

SIZE, EPOCHS = 200, 5
TOLD = 3_000
"""Most frequent words among which those the model weighs most are told."""


@dataclass
class Vectors:
    """Texts as (n, size) means of word vectors learnt from the texts it was fitted on."""

    size: int = SIZE
    epochs: int = EPOCHS
    seed: int = 0
    parts: Parts = field(default_factory=Parts, repr=False)

    def fit(self, texts: Sequence[str]) -> Self:
        from gensim.models import Word2Vec

        self.lexicon_: Lexicon = lexicon(texts, self.parts)
        names = self.lexicon_.names
        spoken = np.split(self.lexicon_.numbers, np.flatnonzero(np.diff(self.lexicon_.rows)) + 1)
        documents = [[names[number] for number in document.tolist()] for document in spoken if len(document)]
        self.table_ = np.zeros((len(names), self.size), np.float32)
        self.known_ = np.zeros(len(names), bool)
        self.vectors_: Any = None
        if not documents:
            return self
        settings: dict[str, Any] = {"vector_size": self.size, "epochs": self.epochs, "workers": 1, "seed": self.seed + 1}
        settings |= {"window": 5, "sample": 1e-4, "alpha": 0.05}
        model = Word2Vec(min_count=2 if len(documents) >= 50 else 1, **settings)
        model.build_vocab(documents)
        if not len(model.wv):
            model = Word2Vec(min_count=1, **settings)
            model.build_vocab(documents)
        model.train(documents, total_examples=model.corpus_count, epochs=self.epochs)
        self.vectors_ = model.wv
        places = [self.lexicon_.places[str(word)] for word in model.wv.index_to_key]
        self.table_[places], self.known_[places] = model.wv.vectors, True
        return self

    def of_train(self) -> np.ndarray:
        """The texts it was fitted on."""
        return self._means(self.lexicon_.numbers, self.lexicon_.rows, self.lexicon_.texts)

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Zeros for a text without a known word."""
        return self._means(*encoded(self.lexicon_, texts, self.parts), len(texts))

    def _means(self, numbers: np.ndarray, rows: np.ndarray, texts: int) -> np.ndarray:
        from scipy.sparse import csr_matrix

        told = numbers >= 0
        told[told] = self.known_[numbers[told]]
        counts = csr_matrix((np.ones(int(told.sum()), np.float32), (rows[told], numbers[told])), shape=(texts, len(self.table_)))
        return (counts @ self.table_) / np.maximum(1, np.bincount(rows[told], minlength=texts))[:, None]


def vectors(texts: Sequence[str], size: int, epochs: int, seed: int, parts: Parts) -> tuple[Vectors, np.ndarray]:
    """What was learnt from train texts, and those texts as (n, size)."""

    def made() -> tuple[Vectors, np.ndarray]:
        found = Vectors(size, epochs, seed, parts).fit(texts)
        return found, found.of_train()

    return parts.get(("vectors", size, epochs, seed), (texts,), made)


class _OnVectors(Sharer):
    """Rows as scaled vectors, one head on top of them."""

    reads_words: ClassVar[bool] = True
    size: int
    epochs: int
    scale: str
    seed: int
    vectors_: Vectors
    head_: Head

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def fit(self, train: Examples) -> Self:
        from sklearn.preprocessing import StandardScaler

        needs(train, 2, labels=2)
        self.vectors_, means = vectors(train.text, self.size, self.epochs, self.seed, self.parts)
        self.scaler_ = StandardScaler()
        features = self.scaler_.fit_transform(means)
        self.head_ = fit_head(features, train, self._candidates(train.task), scale=self.scale, seed=self.seed)
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return self.head_.answers(self.scaler_.transform(self.vectors_.transform(rows.text))) if len(rows) else []

    def looks_at(self) -> list[tuple[str, float]]:
        """The frequent words whose directions the linear model weighs most: what a row of this word alone adds to the answer."""
        if self.vectors_.vectors_ is None:
            return []
        names = self.vectors_.vectors_.index_to_key[:TOLD]
        scaled = np.asarray(self.scaler_.transform(self.vectors_.vectors_.vectors[:TOLD]))
        labels = tuple(map(str, getattr(self.head_.estimator, "classes_", ())))
        return weights(SimpleNamespace(coef_=np.atleast_2d(self.head_.estimator.coef_) @ scaled.T), names, labels)

    def _candidates(self, task: str) -> list[Make]:
        raise NotImplementedError


@dataclass
class Word2VecLinear(_OnVectors):
    """A linear model on the mean of the words' vectors."""

    size: int = SIZE
    """Numbers per word."""
    epochs: int = EPOCHS
    """Times word2vec reads the train texts."""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def _candidates(self, task: str) -> list[Make]:
        from sklearn.linear_model import LogisticRegression, Ridge

        return [lambda: Ridge(alpha=10.0)] if task == "regression" else [lambda: LogisticRegression(C=1.0, max_iter=300)]


@dataclass
class Word2VecSvm(_OnVectors):
    """A linear support vector machine on the mean of the words' vectors."""

    size: int = SIZE
    """Numbers per word."""
    epochs: int = EPOCHS
    """Times word2vec reads the train texts."""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def _candidates(self, task: str) -> list[Make]:
        return [lambda: MedianLine(0.3)] if task == "regression" else support_vectors(task, self.seed)
