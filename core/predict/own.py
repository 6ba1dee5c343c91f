"""Any Python function as a predictor: of one row, or of all rows at once when its only parameter is called `rows`.

A row is a dict of its columns and `text`; the target is never among them. The function answers with a number, a label or a text
(read as a model's reply is), or None when it does not know. An exception is a counted failure of its row, not the end.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from core.errors import ModelError
from core.prediction import Examples, Prediction
from core.reading import read_reply
from core.task import target_of


@dataclass
class Own:
    """A function as a predictor. Learns nothing: what the function knows it brought along."""

    function: Callable[..., Any] = field(repr=False)

    @property
    def title(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def fit(self, train: Examples) -> Self:
        self.labels_ = train.labels
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        """Raises ModelError when every row fails, or when a function of all rows does not answer each."""
        labels = getattr(self, "labels_", rows.labels)
        if takes_rows(self.function):
            return [read(rows.task, said, labels) for said in self._all(rows)]
        found = [self._one(rows.task, row, labels) for row in rows.rows()]
        if found and all(one.note.startswith(FAILED) for one in found):
            reason = found[0].note.removeprefix(FAILED)
            raise ModelError(
                f"{self.title} failed on every one of {len(found)} test rows, first on test row 1: {reason}. Mend it, or return None where "
                "it does not know.",
                title="The predictor failed",
            )
        return found

    def _one(self, task: str, row: dict[str, Any], labels: Sequence[str]) -> Prediction:
        try:
            said = self.function(row)
        except Exception as error:
            return Prediction(None, "", "unread", note=f"{FAILED}{type(error).__name__}: {error}")
        return read(task, said, labels)

    def _all(self, rows: Examples) -> list[Any]:
        try:
            said = list(self.function(rows.rows()))
        except Exception as error:
            raise ModelError(f"{self.title} failed on {len(rows)} rows: {type(error).__name__}: {error}.",
                             title="The predictor failed") from error  # fmt: skip
        if len(said) != len(rows):
            raise ModelError(f"{self.title} gave {len(said)} answers to {len(rows)} rows. One for each is needed, in their order; None "
                             "where it does not know.", title="Answers are missing")  # fmt: skip
        return said


FAILED = "the function failed: "


def takes_rows(function: Callable[..., Any]) -> bool:
    """Whether the function wants all rows at once: its first parameter is called `rows`."""
    try:
        return next(iter(inspect.signature(function).parameters), "") == "rows"
    except (TypeError, ValueError):  # built-in functions may tell nothing of themselves
        return False


def read(task: str, said: Any, labels: Sequence[str] = ()) -> Prediction:
    """What a function said as an answer: a text as a model's reply, anything else as a cell."""
    if isinstance(said, str):
        found = read_reply(task, said, labels)
        return Prediction(found.value, said) if found.value is not None else Prediction(None, said, "unread", note=found.reason)
    value = target_of(task, said)
    raw = "" if said is None else str(said)
    return Prediction(value, raw) if value is not None else Prediction(None, raw, "unread", note="the function gave no answer")
