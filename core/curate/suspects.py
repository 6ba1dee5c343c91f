"""Targets that the texts contradict: judged by models that never saw the row they judge.

The rows are cut into folds, equal texts in one fold; each fold is judged by a model trained on the others (tf-idf of words;
logistic regression for labels, ridge regression for numbers). Labels: cleanlab's confident learning over these
out-of-fold probabilities (Northcutt, Jiang and Chuang 2021, https://doi.org/10.1613/jair.1.12125), pruned by noise rate. Numbers:
residuals further from their median than so many robust standard deviations (1.4826 times the median absolute deviation);
positive, skewed numbers are compared as logarithms, so that distances are ratios. Not known here: tables, splits, reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.curate.balance import ranks
from core.errors import DataError, StudioError

WORDS = 50_000
"""Words that are weighed, the most frequent ones."""


@dataclass(frozen=True)
class Suspects:
    """One entry per row; rows that could not be judged are never found and have NaN and None."""

    found: np.ndarray
    """Whether the target is likely wrong."""
    quality: np.ndarray
    """Labels: the probability of the given label, 0 to 1. Numbers: the distance in robust standard deviations."""
    suggested: np.ndarray
    """Labels: the most likely one (object). Numbers: the expected value."""


def folds_of(groups: np.ndarray, layers: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """The fold of each row, 0 to folds - 1: equal groups together, each layer spread evenly."""
    _, first, unit = np.unique(groups, return_index=True, return_inverse=True)
    order = np.lexsort((random.random(len(first)), layers[first]))
    fold = np.empty(len(first), dtype=np.int64)
    fold[order] = ranks(layers[first][order]) % folds
    return fold[unit]


def wrong_labels(texts: Sequence[str], labels: np.ndarray, groups: np.ndarray, folds: int, random: np.random.Generator) -> Suspects:
    """Likely wrong labels (object array of names). Labels with fewer than `folds` different texts are not judged.

    Raises DataError when fewer than two labels are left, StudioError when cleanlab is not installed.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    find, score = _cleanlab()
    n = len(labels)
    result = Suspects(np.zeros(n, dtype=bool), np.full(n, np.nan), np.full(n, None, dtype=object))
    names, codes = np.unique(labels.astype(str), return_inverse=True)
    different = np.bincount(codes[np.unique(groups, return_index=True)[1]], minlength=len(names))
    usable = np.flatnonzero(different >= folds)
    if len(usable) < 2:
        raise DataError(
            f"{len(usable)} of {len(names)} labels has {folds} different texts or more; two are needed to compare. "
            "Bring more rows, or choose fewer folds.", title="Too few labels to compare",
        )  # fmt: skip
    rows = np.flatnonzero(np.isin(codes, usable))
    given = np.searchsorted(usable, codes[rows])
    matrix = _matrix([texts[row] for row in rows.tolist()])
    fold = folds_of(groups[rows], given, folds, random)
    likely = np.zeros((len(rows), len(usable)))
    for one in range(folds):
        inside = np.flatnonzero(fold != one)
        with threadpool_limits(1):  # vectors this short take longer on several threads
            model = LogisticRegression(C=10.0, tol=1e-3, max_iter=300).fit(matrix[inside], given[inside])
        likely[np.ix_(np.flatnonzero(fold == one), model.classes_)] = model.predict_proba(matrix[np.flatnonzero(fold == one)])
    result.found[rows] = find(labels=given, pred_probs=likely, filter_by="prune_by_noise_rate", n_jobs=1)
    result.quality[rows] = score(labels=given, pred_probs=likely, method="self_confidence")
    result.suggested[rows] = names[usable[likely.argmax(axis=1)]].astype(object)
    return result


def far_numbers(
    texts: Sequence[str], values: np.ndarray, groups: np.ndarray, folds: int, distance: float, random: np.random.Generator
) -> Suspects:
    """Numbers far from what the texts suggest. Raises DataError with fewer different texts than twice the folds."""
    from sklearn.linear_model import Ridge

    n = len(values)
    if len(np.unique(groups)) < 2 * folds:
        raise DataError(f"{len(np.unique(groups))} different texts with a number; {2 * folds} are needed for {folds} folds.",
                        title="Too few rows to compare")  # fmt: skip
    ratios = bool((values > 0).all() and values.mean() > 1.5 * np.median(values))
    seen = np.log(values) if ratios else values
    matrix, fold, expected = _matrix(texts), folds_of(groups, np.zeros(n, dtype=np.int64), folds, random), np.zeros(n)
    for one in range(folds):
        inside, outside = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        model = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-6).fit(matrix[inside], seen[inside])
        expected[outside] = model.predict(matrix[outside])
    rest = seen - expected
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    away = np.abs(rest - np.median(rest)) / spread if spread > 0 else np.where(rest == np.median(rest), 0.0, np.inf)
    return Suspects(away > distance, away, np.exp(expected) if ratios else expected)


def _matrix(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        rare = 2 if len(texts) >= 1000 else 1  # a word that stands in one text tells nothing of another
        return TfidfVectorizer(sublinear_tf=True, min_df=rare, max_features=WORDS, token_pattern=r"(?u)\b\w+\b").fit_transform(texts)
    except ValueError as error:
        raise DataError("The texts hold no words to compare. Choose other columns.", title="No words") from error


def _cleanlab() -> tuple[Any, Any]:
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError as error:
        raise StudioError("The package cleanlab is not installed. Run `pip install -r requirements.txt`, or switch this step off.",
                          title="Label errors needs cleanlab") from error  # fmt: skip
    return find_label_issues, get_label_quality_scores
