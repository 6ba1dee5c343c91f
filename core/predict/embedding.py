"""A linear model on sentence embeddings. The encoder comes in as an argument; nothing is loaded here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from core.predict.heads import Head, Make, check_scale, fit_head
from core.predict.rows import needs
from core.prediction import Examples, Prediction

Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts -> (n, d) floats."""


@dataclass
class EmbeddingLinear:
    """A linear model on embeddings of whole texts; the usual encoder knows English only."""

    encode: Encode
    """Texts in, an (n, d) array out."""
    scale: str = "auto"
    """Numbers: plain | log | auto (chosen on a held-out part of train)."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def fit(self, train: Examples) -> Self:
        needs(train, 2, labels=2)
        features = np.asarray(self.encode(train.text), dtype=float)
        self.head_: Head = fit_head(features, train, _candidates(train.task), scale=self.scale, seed=self.seed)
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        return self.head_.answers(np.asarray(self.encode(rows.text), dtype=float)) if len(rows) else []


def _candidates(task: str) -> list[Make]:
    from sklearn.linear_model import LogisticRegression, Ridge

    if task == "regression":
        return [lambda: Ridge(alpha=0.3), lambda: Ridge(alpha=3.0)]
    return [lambda: LogisticRegression(C=10.0, max_iter=300)]
