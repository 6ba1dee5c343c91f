"""One model's answers beside the truth as arrays: what every metric is computed from.

Rules: an answer that could not be read is never dropped and never 0. For numbers it costs the larger distance from the
truth to the ends of the range seen in train, where read answers are clipped, so that failing can never improve a score.
Not known here: who answered, and which metric is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.evaluate.text import mostly_korean
from core.prediction import PROBABILITIES
from core.reading import read_amount

if TYPE_CHECKING:
    from core.evaluation import Evaluation


@dataclass(frozen=True)
class Answers:
    task: str
    truth: np.ndarray
    """(n,) floats for regression; else text, or a tuple of accepted texts for questions."""
    guess: np.ndarray
    """(n,) floats with NaN where unread; else text with None where unread."""
    labels: tuple[str, ...] = ()
    """Classification: the declared labels; a guess that is none of them is unread."""
    target_range: tuple[float, float] | None = None
    """Regression: lowest and highest target of the train rows; None when they are not known (nothing is clipped then)."""
    official: bool = False
    """True leaves Unicode as it is, as the official question answering scripts do."""
    korean: bool = False
    """Questions: nearly all accepted answers are Korean, so those without a Korean letter (years, names) are compared alike."""
    probabilities: np.ndarray | None = None
    """Classification: (n, labels) how likely each label is, NaN in rows without; None when no row has any."""

    @property
    def n(self) -> int:
        return len(self.truth)

    @property
    def read(self) -> np.ndarray:
        """(n,) True where there is an answer."""
        if self.task == "regression":
            return np.isfinite(self.guess)
        known = set(self.labels) if self.task == "classification" else None
        return np.array([g is not None and (known is None or g in known) for g in self.guess], dtype=bool)

    def take(self, positions: np.ndarray) -> Answers:
        some = None if self.probabilities is None else self.probabilities[positions]
        return replace(self, truth=self.truth[positions], guess=self.guess[positions], probabilities=some)


def make_answers(
    task: str,
    truth: Sequence[Any],
    guess: Sequence[Any],
    *,
    labels: Sequence[str] = (),
    target_range: tuple[float, float] | None = None,
    official: bool = False,
) -> Answers:
    """Answers of plain sequences; None, NaN and (numbers) infinity are unread. Raises ValueError when lengths differ."""
    if len(truth) != len(guess):
        raise ValueError(f"{len(truth)} truths and {len(guess)} guesses")
    if task == "regression":
        numbers = np.array([np.nan if value is None else float(value) for value in guess], dtype=float)
        numbers[~np.isfinite(numbers)] = np.nan
        return Answers(task, np.array(truth, dtype=float), numbers, (), target_range)
    truths, guesses = np.empty(len(truth), dtype=object), np.empty(len(guess), dtype=object)
    truths[:] = [tuple(map(str, value)) if isinstance(value, (list, tuple)) else str(value) for value in truth]
    guesses[:] = [None if value is None or value != value else str(value) for value in guess]
    if task == "classification" and not labels:
        labels = sorted(set(truths))
    return Answers(task, truths, guesses, tuple(labels), None, official, task != "classification" and mostly_korean(truths))


def answers_of(evaluation: Evaluation) -> Answers:
    """The stored answers of an evaluation, in their order."""
    frame = evaluation.answers
    ok = (frame["status"] == "ok").tolist()
    guess = [value if fine else None for value, fine in zip(frame["guess"].tolist(), ok, strict=True)]
    truth = frame["truth"].tolist()
    found = make_answers(evaluation.task, truth, guess, labels=evaluation.labels, target_range=evaluation.target_range)
    return replace(found, probabilities=_stated(evaluation, found.labels))


def _stated(evaluation: Evaluation, labels: Sequence[str]) -> np.ndarray | None:
    """(n, labels) the stored probabilities, 0 for a label that train did not have; None when there are none."""
    if PROBABILITIES not in evaluation.answers or evaluation.task != "classification":
        return None
    column = {label: place for place, label in enumerate(labels)}
    names = evaluation.probability_labels
    out = np.full((evaluation.n, len(labels)), np.nan)
    if not names or any(name not in column for name in names):
        return None
    for row, cells in enumerate(evaluation.answers[PROBABILITIES]):
        if isinstance(cells, (list, tuple, np.ndarray)) and len(cells) == len(names):
            out[row] = 0.0
            out[row, [column[name] for name in names]] = cells
    return None if np.isnan(out).all() else out


def span(answers: Answers) -> tuple[float, float]:
    """The range an unread number is judged by: the train range, or else that of all truths and guesses at hand."""
    if answers.target_range is not None:
        return answers.target_range
    seen = np.concatenate([answers.truth, answers.guess[answers.read]])
    return (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 0.0)


def scored_numbers(answers: Answers) -> np.ndarray:
    """(n,) the numbers that are scored: clipped to the train range, the farther end of the range where unread."""
    low, high = span(answers)
    guess = answers.guess if answers.target_range is None else np.clip(answers.guess, low, high)
    worst = np.where(np.abs(answers.truth - low) >= np.abs(answers.truth - high), low, high)
    return np.where(answers.read, guess, worst)


def clipped(answers: Answers) -> int:
    """How many read numbers lay outside the train range."""
    if answers.task != "regression" or answers.target_range is None:
        return 0
    low, high = answers.target_range
    return int(np.sum((answers.guess < low) | (answers.guess > high)))


def clamped(answers: Answers) -> int:
    """How many read numbers are below 0 and count as 0 in the logarithmic miss."""
    return int(np.sum(answers.guess < 0)) if answers.task == "regression" else 0


def label_numbers(answers: Answers) -> dict[str, float] | None:
    """Every declared label as a number, or None when one of them is not."""
    numbers = {label: read_amount(label) for label in answers.labels}
    if len(numbers) < 2 or any(value is None for value in numbers.values()):
        return None
    return {label: float(value) for label, value in numbers.items() if value is not None}


def confusion(answers: Answers) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels and counts of shape (labels, labels + 1): rows are the truth, the last column is unread."""
    place = {label: i for i, label in enumerate(answers.labels)}
    unread = len(place)
    counts = np.zeros((unread, unread + 1), dtype=int)
    for truth, guess in zip(answers.truth, answers.guess, strict=True):
        if truth in place:
            counts[place[truth], place.get(guess, unread)] += 1
    return answers.labels, counts
