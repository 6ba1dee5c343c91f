"""What a predictor is given and what it gives back.

`Examples` never carry targets when they are handed to `predict`: leakage is prevented by shape.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, runtime_checkable

import pandas as pd

from core.errors import DataError
from core.task import Target, labels_of, targets_of
from core.version import Roles

STATUSES = ("ok", "unread", "refusal", "truncated", "error", "timeout", "missing")
PROBABILITIES = "probabilities"
"""Column of an evaluation's answers where the predictor says how likely each label is."""


@dataclass(frozen=True)
class Prediction:
    """One answer. `value` is None exactly when `status` is not "ok"."""

    value: Target | None
    raw: str = ""
    """What the model said, unread; empty for predictors that do not speak."""
    status: str = "ok"
    tokens_in: int | None = None
    tokens_out: int | None = None
    seconds: float | None = None
    usd: float | None = None
    note: str = ""
    """Why it was not read."""
    probabilities: tuple[float, ...] | None = None
    """Classification: how likely each label of the train rows is (order of `Examples.labels`); None where the predictor has none."""


@dataclass(frozen=True)
class Examples:
    """Some rows as predictors see them, in order."""

    frame: pd.DataFrame
    """Input columns only (text, category, group, ...): neither the target nor the split is among them. Index 0..n-1."""
    text: tuple[str, ...]
    """The text columns of each row, joined by a line break."""
    task: str
    roles: Roles
    labels: tuple[str, ...] = ()
    """Classification: every label of the train rows, in order."""
    targets: tuple[Target, ...] | None = None
    """The right answers; None when these rows are to be predicted."""

    def __len__(self) -> int:
        return len(self.text)

    def without_targets(self) -> Examples:
        return replace(self, targets=None)

    def category(self) -> list[str]:
        """The category of each row as text, "" where there is none."""
        column = self.roles.category
        if column is None or column not in self.frame:
            return [""] * len(self)
        return ["" if value is None or value != value else str(value) for value in self.frame[column].tolist()]

    def rows(self) -> list[dict[str, Any]]:
        """Each row as a dict of its input columns plus `text`, for prompts."""
        records = self.frame.to_dict("records")
        return [{**{str(k): v for k, v in record.items()}, "text": text} for record, text in zip(records, self.text, strict=True)]

    def take(self, positions: list[int]) -> Examples:
        """The rows at these positions, in that order."""
        return replace(
            self,
            frame=self.frame.iloc[positions].reset_index(drop=True),
            text=tuple(self.text[i] for i in positions),
            targets=None if self.targets is None else tuple(self.targets[i] for i in positions),
        )


@runtime_checkable
class Predictor(Protocol):
    """Everything that can answer. Settings only in the constructor, stored unchanged; what is learnt ends in `_`.

    A class attribute `reads_words` that is true asks for texts whose words are parted where that is known (`core.io.segmenting`).
    """

    def fit(self, train: Examples) -> Self: ...

    def predict(self, rows: Examples) -> list[Prediction]:
        """Same length, same order as `rows`, which carry no targets."""
        ...


def examples(frame: pd.DataFrame, roles: Roles, kind: str, labels: tuple[str, ...] | None = None) -> Examples:
    """The rows of a table as examples with targets. Raises DataError when a role is missing or a target unreadable."""
    if not roles.target or roles.target not in frame:
        raise DataError(f"No target column: {roles.target or 'none is chosen'}. Choose what to predict on Explore.", title="No target")
    if not roles.text or any(column not in frame for column in roles.text):
        raise DataError(f"No text column: {', '.join(roles.text) or 'none is chosen'}. Choose the text on Explore.", title="No text")
    targets = tuple(targets_of(kind, frame[roles.target].tolist(), roles.target))
    if labels is None:
        labels = labels_of(targets) if kind == "classification" else ()
    return replace(asked(frame, roles, kind), labels=labels, targets=targets)


def asked(frame: pd.DataFrame, roles: Roles, kind: str) -> Examples:
    """The rows of a table without their targets; a target that is missing or cannot be read does not matter here."""
    hidden = {roles.target, roles.split}
    inputs = frame.loc[:, [column for column in roles.inputs() if column in frame and column not in hidden]].reset_index(drop=True)
    parts = [[_text(value) for value in frame[column].tolist()] for column in roles.text]
    text = tuple("\n".join(part for part in row if part) for row in zip(*parts, strict=True))
    return Examples(inputs, text, kind, roles)


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return str(value)
