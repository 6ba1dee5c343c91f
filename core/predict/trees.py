"""Forests and boosted trees on engineered features and the directions of TF-IDF space that differ most.

Trees cannot use 60,000 word columns; a truncated singular value decomposition keeps `directions` of them. What the trees
look at is told in words again: a direction's importance goes to the words that make it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from core.predict.features import features
from core.predict.heads import Head, Make, check_scale, fit_head
from core.predict.importance import WORDS
from core.predict.parts import Parts, Sharer, rows_of
from core.predict.rows import needs
from core.predict.words import tfidf, tfidf_asked
from core.prediction import Examples, Prediction

TRIAL = 0.2
"""Share of the trees with which the scale is chosen."""


@dataclass
class Dense:
    """Rows as (n, features + directions)."""

    directions: int = 100
    seed: int = 0
    parts: Parts = field(default_factory=Parts, repr=False)

    def fit_transform(self, rows: Examples) -> np.ndarray:
        from sklearn.decomposition import TruncatedSVD

        self.features_, plain = features(rows, self.parts)
        self.bags_, counts = tfidf(rows.text, self.parts)
        size = min(self.directions, counts.shape[1] - 1, counts.shape[0] - 1)
        self.svd_: Any = TruncatedSVD(size, n_iter=3, random_state=self.seed).fit(counts) if size >= 1 and counts.nnz else None
        return self._join(plain, counts)

    def transform(self, rows: Examples) -> np.ndarray:
        return self._join(self.features_.transform(rows), tfidf_asked(self.bags_, rows.text, self.parts))

    def _join(self, plain: np.ndarray, counts: Any) -> np.ndarray:
        return plain if self.svd_ is None else np.hstack([plain, self.svd_.transform(counts)])

    def in_words(self, importances: np.ndarray, most: int = 40) -> list[tuple[str, float]]:
        """Importances of the columns, those of directions shared out to their words by squared loading; the largest first."""
        own = len(self.features_.names_)
        pairs = list(zip(self.features_.names_, importances[:own].tolist(), strict=True))
        if self.svd_ is not None:
            shared = importances[own:] @ self.svd_.components_**2
            top = np.argsort(-shared, kind="stable")[:most]
            names: Sequence[str] = self.bags_.names_
            pairs += [(f"word: {names[j]}", float(shared[j])) for j in top]
        return sorted((pair for pair in pairs if pair[1] > 0), key=lambda pair: -pair[1])[:most]


def dense(rows: Examples, directions: int, seed: int, parts: Parts) -> tuple[Dense, np.ndarray]:
    """What was learnt from train rows, and those rows as (n, k) float32."""

    def made() -> tuple[Dense, np.ndarray]:
        found = Dense(directions, seed, parts)
        return found, found.fit_transform(rows).astype("float32")

    return parts.get(("dense", directions, seed), rows_of(rows), made)


def dense_asked(found: Dense, rows: Examples, parts: Parts) -> np.ndarray:
    """Rows that are asked for as (n, k) float32."""
    return parts.get("dense asked", (found, *rows_of(rows)), lambda: found.transform(rows).astype("float32"))


class _Trees(Sharer):
    reads_words: ClassVar[bool] = True
    directions: int
    scale: str
    seed: int
    dense_: Dense
    head_: Head

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def fit(self, train: Examples) -> Self:
        needs(train, 2, labels=2)
        self.dense_, features = dense(train, self.directions, self.seed, self.parts)
        trial = self._tree(train.task, TRIAL)
        self.head_ = fit_head(features, train, [self._tree(train.task)], scale=self.scale, seed=self.seed, trial=trial)
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return self.head_.answers(dense_asked(self.dense_, rows, self.parts)) if len(rows) else []

    def columns(self, rows: Examples) -> tuple[np.ndarray, list[str]]:
        """Rows as the trees get them, and the feature each column belongs to; directions of word space belong to all words."""
        table = dense_asked(self.dense_, rows, self.parts)
        own = self.dense_.features_.of_
        return table, [*own, *[WORDS] * (table.shape[1] - len(own))]

    def _tree(self, task: str, share: float = 1.0) -> Make:
        """What makes the estimator, with that share of its trees."""
        raise NotImplementedError


@dataclass
class Forest(_Trees):
    """Many decision trees, each on its own random rows and columns, averaged."""

    trees: int = 100
    directions: int = 60
    """Directions of word space the trees may split on."""
    leaf: int = 2
    """Fewest train rows in a leaf."""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen with a fifth of the trees on a held-out part of train)."""
    jobs: int = 2
    """Trees grown at once; the answer does not depend on it."""
    seed: int = 0

    def fit(self, train: Examples) -> Self:
        super().fit(train)
        self.head_.estimator.set_params(n_jobs=1)  # threads add up the trees' answers in any order, and floats notice
        return self

    def _tree(self, task: str, share: float = 1.0) -> Make:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        trees = max(1, round(share * self.trees))
        shared: dict[str, Any] = {"n_estimators": trees, "min_samples_leaf": self.leaf, "n_jobs": self.jobs, "random_state": self.seed}
        if task == "regression":
            return lambda: RandomForestRegressor(max_features=0.2, **shared)
        return lambda: RandomForestClassifier(max_features="sqrt", **shared)

    def looks_at(self) -> list[tuple[str, float]]:
        """Shares of the forest's splitting power, by feature and word."""
        return self.dense_.in_words(np.asarray(self.head_.estimator.feature_importances_))


@dataclass
class Boosting(_Trees):
    """Small trees one after another, each mending what the ones before it miss."""

    rounds: int = 150
    directions: int = 60
    """Directions of word space the trees may split on."""
    learning_rate: float = 0.08
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen with a fifth of the trees on a held-out part of train)."""
    seed: int = 0

    def _tree(self, task: str, share: float = 1.0) -> Make:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        shared: dict[str, Any] = {
            "max_iter": max(1, round(share * self.rounds)),
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": 15,
            "early_stopping": False,
            "random_state": self.seed,
        }
        return (
            (lambda: HistGradientBoostingRegressor(**shared))
            if task == "regression"
            else (lambda: HistGradientBoostingClassifier(**shared))
        )
