"""What metrics of labels are computed from: counts per label, and distances where the labels are steps of a scale.

Definitions are scikit-learn's, over the declared labels (F1 with zero_division=0), so that a label that is absent from some
rows changes nothing. An unread answer is a predicted label of its own that is never right; as a step it is the farthest one.
"""

from __future__ import annotations

import numpy as np

from core.evaluate.answers import Answers, label_numbers


def column(values: np.ndarray) -> np.ndarray:
    """(n, 1): one number per item."""
    return np.asarray(values, dtype=float).reshape(-1, 1)


def one_hot(a: Answers) -> np.ndarray:
    """(n, 3 x labels): is the truth, is the guess, is both."""
    labels = np.array(a.labels, dtype=object)
    truth, guess = a.truth[:, None] == labels, a.guess[:, None] == labels
    return np.column_stack([truth, guess, truth & guess]).astype(float)


def _thirds(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    k = sums.shape[-1] // 3
    return sums[..., :k], sums[..., k : 2 * k], sums[..., 2 * k :]


def _f1s(sums: np.ndarray) -> np.ndarray:
    truth, guess, both = _thirds(sums)
    return np.divide(2 * both, truth + guess, out=np.zeros_like(both), where=truth + guess > 0)


def macro_f1(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    return _f1s(sums).mean(axis=-1)


def weighted_f1(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    return (_f1s(sums) * _thirds(sums)[0]).sum(axis=-1) / n


def balanced(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    truth, _, both = _thirds(sums)
    recall = np.divide(both, truth, out=np.zeros_like(both), where=truth > 0)
    return recall.sum(axis=-1) / np.maximum((truth > 0).sum(axis=-1), 1)


def mcc(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    truth, guess, both = _thirds(sums)
    unread = n - guess.sum(axis=-1)  # a predicted class of its own that is never right
    top = both.sum(axis=-1) * n - (truth * guess).sum(axis=-1)
    bottom = (n**2 - (guess**2).sum(axis=-1) - unread**2) * (n**2 - (truth**2).sum(axis=-1))
    return np.where(bottom > 0, top / np.sqrt(np.maximum(bottom, 1e-300)), 0.0)


def _steps(a: Answers) -> np.ndarray | None:
    """(n,) distance between numeric labels; the worst possible one where unread."""
    numbers = label_numbers(a)
    if numbers is None or any(truth not in numbers for truth in a.truth):
        return None
    ends = min(numbers.values()), max(numbers.values())
    worst = {label: max(abs(value - ends[0]), abs(value - ends[1])) for label, value in numbers.items()}
    pairs = zip(a.truth, a.guess, strict=True)
    return np.array([abs(numbers[g] - numbers[t]) if g in numbers else worst[t] for t, g in pairs], dtype=float)


def label_miss(a: Answers) -> np.ndarray | None:
    steps = _steps(a)
    return None if steps is None else column(steps)


def macro_label_miss(a: Answers) -> np.ndarray | None:
    """(n, 2 x labels): the distance in the place of the truth's label, and is the truth."""
    steps = _steps(a)
    if steps is None:
        return None
    truth = (a.truth[:, None] == np.array(a.labels, dtype=object)).astype(float)
    return np.column_stack([truth * steps[:, None], truth])


def macro_of(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The mean over the labels that occur of each one's mean."""
    k = sums.shape[-1] // 2
    total, rows = sums[..., :k], sums[..., k:]
    means = np.divide(total, rows, out=np.zeros_like(total), where=rows > 0)
    return means.sum(axis=-1) / np.maximum((rows > 0).sum(axis=-1), 1)


def within_one(a: Answers) -> np.ndarray | None:
    steps = _steps(a)
    return None if steps is None else column((steps <= 1) & a.read)


def kappa_columns(a: Answers) -> np.ndarray | None:
    """(n, 1 + 2 x labels): squared distance of places, is the truth, is the guess; unread counts as the farther end."""
    if label_numbers(a) is None or any(truth not in a.labels for truth in a.truth):
        return None
    last = len(a.labels) - 1
    place = {label: i for i, label in enumerate(a.labels)}
    truth = np.array([place[value] for value in a.truth], dtype=int)
    guess = np.array([place.get(value, 0 if place[t] * 2 > last else last) for t, value in zip(a.truth, a.guess, strict=True)], dtype=int)
    eye = np.eye(last + 1)
    return np.column_stack([(truth - guess) ** 2.0, eye[truth], eye[guess]])


def kappa(sums: np.ndarray, n: np.ndarray) -> np.ndarray:
    k = (sums.shape[-1] - 1) // 2
    truth, guess = sums[..., 1 : 1 + k], sums[..., 1 + k :]
    weight = (np.arange(k)[:, None] - np.arange(k)[None, :]) ** 2.0
    expected = np.einsum("...i,ij,...j->...", truth, weight, guess) / n
    return np.where(expected > 0, 1 - sums[..., 0] / np.where(expected > 0, expected, 1), np.nan)
