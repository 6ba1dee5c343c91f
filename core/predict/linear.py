"""Linear models on word counts: bag of words, TF-IDF with characters where they help, and a linear support vector machine.

Not known here: word order beyond pairs, and what a word means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from core.predict.heads import Head, Make, check_scale, fit_head, weights
from core.predict.parts import Sharer
from core.predict.rows import needs
from core.predict.words import Bag, Bags, tfidf, tfidf_asked
from core.prediction import Examples, Prediction


class _OnBags(Sharer):
    """Rows as bags, one head on top of them."""

    reads_words: ClassVar[bool] = True
    bags_: Bags
    head_: Head

    def predict(self, rows: Examples) -> list[Prediction]:
        return self.head_.answers(tfidf_asked(self.bags_, rows.text, self.parts)) if len(rows) else []

    def looks_at(self) -> list[tuple[str, float]]:
        """The words with the largest coefficients; for three or more labels the strongest words of each."""
        labels = tuple(map(str, getattr(self.head_.estimator, "classes_", ())))
        return weights(self.head_.estimator, self.bags_.names_, labels)


@dataclass
class BowLinear(_OnBags):
    """How often each frequent word occurs, and a linear model on it."""

    words: int = 2_000
    """Most frequent words counted."""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def fit(self, train: Examples) -> Self:
        needs(train, 2, labels=2)
        self.bags_ = Bags((Bag(weighting="counts", most=self.words),))
        features = self.bags_.fit_transform(train.text, self.parts)
        self.head_ = fit_head(features, train, _ridges(train.task, (10.0, 100.0), 0.1), scale=self.scale, seed=self.seed)
        return self


@dataclass
class TfidfLinear(_OnBags):
    """Words and pairs of words weighted by how rare they are, character n-grams where they help, and a linear model."""

    characters: str = "auto"
    """auto (short texts and scripts without much spacing) | yes | no"""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def fit(self, train: Examples) -> Self:
        needs(train, 2, labels=2)
        self.bags_, features = tfidf(train.text, self.parts, self.characters)
        self.head_ = fit_head(features, train, _ridges(train.task, (1.0, 3.0), 5.0), scale=self.scale, seed=self.seed)
        return self


@dataclass
class Svm(_OnBags):
    """A linear support vector machine on TF-IDF: for numbers it aims at the median, as the average miss does."""

    characters: str = "auto"
    """auto (short texts and scripts without much spacing) | yes | no"""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def fit(self, train: Examples) -> Self:
        needs(train, 2, labels=2)
        self.bags_, features = tfidf(train.text, self.parts, self.characters)
        self.head_ = fit_head(features, train, support_vectors(train.task, self.seed), scale=self.scale, seed=self.seed)
        return self


def _ridges(task: str, alphas: tuple[float, ...], strength: float) -> list[Make]:
    from sklearn.linear_model import LogisticRegression, Ridge

    def ridge(alpha: float) -> Make:
        return lambda: Ridge(alpha=alpha, solver="sparse_cg", tol=1e-4)

    if task == "regression":
        return [ridge(alpha) for alpha in alphas]
    return [lambda: LogisticRegression(C=strength, max_iter=200)]


def support_vectors(task: str, seed: int) -> list[Make]:
    """Candidate support vector machines for sparse features."""
    from sklearn.svm import LinearSVC, LinearSVR

    def svr(strength: float) -> Make:
        return lambda: Scaled(LinearSVR(C=strength, epsilon=0.0, max_iter=2_000, tol=1e-3, random_state=seed))

    if task == "regression":
        return [svr(0.3), svr(1.0)]
    return [lambda: LinearSVC(C=0.3, max_iter=2_000, random_state=seed)]


class Scaled:
    """A regressor that learns the target in units of its own spread, so that one strength suits dollars and logarithms."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, features: Any, truth: Any) -> Self:
        import numpy as np

        self.middle_, self.spread_ = float(np.median(truth)), float(np.std(truth)) or 1.0
        self.estimator.fit(features, (truth - self.middle_) / self.spread_)
        return self

    def predict(self, features: Any) -> Any:
        return self.estimator.predict(features) * self.spread_ + self.middle_

    @property
    def coef_(self) -> Any:
        """In the target's units (or its logarithm's)."""
        return self.estimator.coef_ * self.spread_
