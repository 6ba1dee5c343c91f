"""word2vec trained on the train texts, a row as the mean of its words' vectors, and a linear model or SVM on top.

Source: the pricing course; gensim's Word2Vec with one worker, which makes it deterministic. Not known here: word order, and
words that no train text holds (a row of such words is a row of zeros).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np

from core.predict.heads import Head, Make, check_scale, fit_head, weights
from core.predict.linear import support_vectors
from core.predict.rows import needs
from core.predict.words import words
from core.prediction import Examples, Prediction

TOLD = 3_000
"""Most frequent words among which those the model weighs most are told."""


@dataclass
class Vectors:
    """Texts as (n, size) means of word vectors learnt from the texts it was fitted on."""

    size: int = 100
    epochs: int = 8
    seed: int = 0

    def fit(self, texts: Sequence[str]) -> Self:
        from gensim.models import Word2Vec

        documents = [found for text in texts if (found := words(text))]
        self.vectors_: Any = None
        if documents:
            fewest = 2 if len(documents) >= 50 else 1
            settings: dict[str, Any] = {"vector_size": self.size, "window": 5, "epochs": self.epochs, "workers": 1, "seed": self.seed + 1}
            model = Word2Vec(min_count=fewest, **settings)
            model.build_vocab(documents)
            if not len(model.wv):
                model = Word2Vec(min_count=1, **settings)
                model.build_vocab(documents)
            model.train(documents, total_examples=model.corpus_count, epochs=self.epochs)
            self.vectors_ = model.wv
        return self

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        out = np.zeros((len(texts), self.size))
        if self.vectors_ is None:
            return out
        place, table = self.vectors_.key_to_index, self.vectors_.vectors
        for row, text in enumerate(texts):
            known = [place[word] for word in words(text) if word in place]
            if known:
                out[row] = table[known].mean(axis=0)
        return out


class _OnVectors:
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
        self.vectors_ = Vectors(self.size, self.epochs, self.seed).fit(train.text)
        self.scaler_ = StandardScaler()
        features = self.scaler_.fit_transform(self.vectors_.transform(train.text))
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

    size: int = 100
    """Numbers per word."""
    epochs: int = 8
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

    size: int = 100
    """Numbers per word."""
    epochs: int = 8
    """Times word2vec reads the train texts."""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def _candidates(self, task: str) -> list[Make]:
        return support_vectors(task, self.seed)[:1]
