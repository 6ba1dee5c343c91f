"""TF-IDF of character n-grams, reduced to a few numbers (latent semantic analysis): texts compared by their spelling.

The fitted parts are three plain arrays, so that a question asked later is placed without fitting again and without a pickle.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import DataError

NGRAMS = (2, 4)
SIZE = 128
"""Numbers per text."""
MOST = 50_000
"""Different n-grams that count: the most frequent."""
LONGEST = 2_000
"""Characters of a text that are looked at."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Fitted:
    terms: np.ndarray
    """(t,) n-grams as text."""
    weights: np.ndarray
    """(t,) inverse document frequencies."""
    axes: np.ndarray
    """(size, t)"""

    def place(self, texts: Sequence[str]) -> np.ndarray:
        """(n, size) the texts on the axes; zeros for a text that shares no n-gram."""
        model = _vectorizer(vocabulary={term: at for at, term in enumerate(self.terms.tolist())})
        model.idf_ = self.weights.astype("float64")
        return np.asarray(model.transform([_plain(text) for text in texts]) @ self.axes.T)


def fit(texts: Sequence[str], seed: int = 0, progress: Progress | None = None) -> Fitted:
    """The n-grams of these texts and the axes along which they differ most. Raises DataError when they share nothing."""
    from sklearn.decomposition import TruncatedSVD

    model: Any = _vectorizer(min_df=2 if len(texts) >= 50 else 1, max_features=MOST)
    if progress:
        progress(0, 2, "Counting character n-grams")
    try:
        table = model.fit_transform([_plain(text) for text in texts])
    except ValueError as error:
        raise DataError("The texts share no letters, so they cannot be compared.", title="Nothing to compare") from error
    if progress:
        progress(1, 2, "Reducing them")
    reduced = TruncatedSVD(max(1, min(SIZE, min(table.shape) - 1)), random_state=seed, n_iter=4).fit(table)
    if progress:
        progress(2, 2, "Reducing them")
    axes = np.asarray(reduced.components_).astype("float16").astype("float32")  # as they are kept
    return Fitted(model.get_feature_names_out().astype("str"), np.asarray(model.idf_, "float32"), axes)


def _vectorizer(**settings: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char_wb", ngram_range=NGRAMS, sublinear_tf=True, **{"dtype": np.float32, **settings})


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text)[:LONGEST]
