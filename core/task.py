"""What is predicted: regression, classification, qa or chat.

A task says how a cell of the target column becomes a target, and which metrics judge it (the first is the headline).
How a model's *reply* becomes a target stands in `core/reading.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import DataError, SettingsError
from core.reading import read_amount

Target = float | str


@dataclass(frozen=True)
class Task:
    kind: str
    title: str
    meaning: str
    """One sentence for people who never heard the term."""
    metrics: tuple[str, ...]
    """Names in `core.evaluate.metrics.METRICS`; the first is the headline."""

    @property
    def headline(self) -> str:
        return self.metrics[0]


STRUCTURED = ("contains_all", "json_valid", "json_fits", "json_fields")
"""Metrics of replies with several right answers, or of JSON; they apply only where the truths are such."""

TASKS: dict[str, Task] = {
    "regression": Task(
        "regression",
        "A number",
        "The model answers with a number, such as a price.",
        ("mae", "rmse", "medae", "rmsle", "r2", "bias", "hits", "hits_wide", "wape", "mape"),
    ),
    "classification": Task(
        "classification",
        "A label",
        "The model picks one of a few labels, such as 1 to 5 stars.",
        (
            "accuracy",
            "macro_f1",
            "weighted_f1",
            "balanced_accuracy",
            "mcc",
            "within_one",
            "label_mae",
            "macro_label_mae",
            "qwk",
            "brier",
            "log_loss",
        ),
    ),
    "qa": Task(
        "qa", "An answer", "The model answers a question in a few words.", ("exact_match", "f1", "contains", "rouge_l", "chrf", *STRUCTURED)
    ),
    "chat": Task(
        "chat", "A reply", "The model answers freely, in sentences.", ("f1", "exact_match", "contains", "rouge_l", "chrf", *STRUCTURED)
    ),
}


def task(kind: str) -> Task:
    """The task of that name. Raises SettingsError naming the choices."""
    if kind not in TASKS:
        raise SettingsError(f"There is no task '{kind}'. Choose one of {', '.join(TASKS)}.", title="Unknown task")
    return TASKS[kind]


def target_of(kind: str, cell: object) -> Target | None:
    """The target a cell holds, or None when the cell holds none.

    Regression reads "$12.50", "1,299" and 12.5 as numbers (see `read_amount`); labels and answers are stripped text,
    and a whole float label such as 5.0 reads "5" so that 5, 5.0 and "5" are one class.
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if kind == "regression":
        return read_amount(cell)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    return text or None


def targets_of(kind: str, cells: Iterable[object], column: str = "the target") -> list[Target]:
    """Every cell as a target, in order. Raises DataError naming the first rows that hold none."""
    values = [target_of(kind, cell) for cell in cells]
    missing = [row for row, value in enumerate(values, start=1) if value is None]
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        wanted = "a number" if kind == "regression" else "an answer"
        raise DataError(
            f"{column} holds no {wanted.split(' ', 1)[1]} in {len(missing)} of {len(values)} rows (rows {shown}); {wanted} is needed "
            "in each. Drop these rows with a Parse or Range step in Curate, or choose another target.",
            title="The target cannot be read",
        )
    return [value for value in values if value is not None]


def labels_of(targets: Iterable[Target]) -> tuple[str, ...]:
    """The distinct labels, numbers in numeric order, then text in text order."""
    seen = {str(value) for value in targets}

    def order(label: str) -> tuple[int, float, str]:
        number = read_amount(label)
        return (0, number, label) if number is not None else (1, 0.0, label)

    return tuple(sorted(seen, key=order))
