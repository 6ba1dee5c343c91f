"""What predictors ask of train rows before they learn from them, and how answers become predictions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core.errors import DataError
from core.prediction import Examples, Prediction
from core.task import Target


def needs(train: Examples, rows: int, labels: int = 1) -> tuple[Target, ...]:
    """The targets of the train rows. Raises DataError when there are fewer than `rows`, or fewer different labels."""
    if train.targets is None:
        raise DataError("These train rows carry no right answers, so nothing can be learnt from them.", title="No answers to learn from")
    if len(train) < rows:
        raise DataError(
            f"There {'is' if len(train) == 1 else 'are'} {len(train)} train row{'' if len(train) == 1 else 's'}; this predictor needs "
            f"at least {rows}. Split again with a larger train part, or add rows.",
            title="Too few train rows",
        )
    if labels > 1 and train.task == "classification" and len(set(train.targets)) < labels:
        only = str(train.targets[0])[:60]
        raise DataError(
            f"All {len(train)} train rows are labelled '{only}'; a classifier needs at least {labels} labels. Split again so that train "
            "holds every label, or choose another target.",
            title="Only one class in train",
        )
    return train.targets


def numbers(targets: Iterable[Target]) -> np.ndarray:
    """(n,) regression targets as floats."""
    return np.array([float(value) for value in targets], dtype=float)


def texts(targets: Iterable[Target]) -> np.ndarray:
    """(n,) labels as text, an object array."""
    return np.array([str(value) for value in targets], dtype=object)


def answered(task: str, values: Iterable[object], probabilities: np.ndarray | None = None) -> list[Prediction]:
    """Plain answers as predictions: floats for regression, text otherwise. Numbers may be negative: metrics clip them.

    `probabilities` (n, labels) go with the answers, row by row.
    """
    if task == "regression":
        return [Prediction(float(value)) for value in values]  # type: ignore[arg-type]
    if probabilities is None:
        return [Prediction(str(value)) for value in values]
    return [Prediction(str(value), probabilities=tuple(row)) for value, row in zip(values, probabilities.tolist(), strict=True)]


def held_out(n: int, seed: int, share: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Places (fit, check) of a random split of n train rows: choices are made on `check`, never on test rows."""
    order = np.random.default_rng(seed).permutation(n)
    size = max(1, round(n * share))
    return np.sort(order[size:]), np.sort(order[:size])
