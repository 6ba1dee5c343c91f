"""Any Python function as a predictor: of one row, or of all rows at once when its first parameter is called `rows`.

A row is a dict of its columns and `text`; the target is never among them. The function answers with a number, a label or a text
(read as a model's reply is), or None when it does not know. An exception, or no answer in time, is a counted failure of its row, not
the end. Numbers and texts of numpy and pandas are those of Python; lists, tables and generators are no answers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from core.errors import ModelError, SettingsError
from core.predict.waiting import Waiting
from core.prediction import Examples, Prediction
from core.reading import read_reply
from core.task import target_of

HANGS = 3
"""Rows in a row without an answer in time, after which the rest is not asked."""


@dataclass
class Own:
    """A function as a predictor. Learns nothing: what the function knows it brought along."""

    function: Callable[..., Any] = field(repr=False)
    seconds: float | None = 60.0
    """How long one row may take; None waits for ever. A function of all rows gets so long for each of them."""

    def __post_init__(self) -> None:
        """Raises SettingsError for what cannot be called row by row."""
        if not callable(self.function):
            raise SettingsError(f"{type(self.function).__name__} is not a function.", title="Not a predictor")
        body = inspect.unwrap(self.function)
        if inspect.iscoroutinefunction(body) or inspect.isasyncgenfunction(body):
            raise SettingsError(
                f"{self.title} is asynchronous. Wrap it: def answer(row): return asyncio.run({self.title}(row)).",
                title="Not a plain function",
            )
        if inspect.isgeneratorfunction(body) and not takes_rows(self.function):
            raise SettingsError(
                f"{self.title} is a generator, which is no answer to one row. Return the answer, or call its parameter rows and yield one "
                "answer for each.",
                title="Not a plain function",
            )

    @property
    def title(self) -> str:
        inner = getattr(self.function, "func", self.function)  # what functools.partial holds
        return getattr(inner, "__name__", type(inner).__name__)

    def fit(self, train: Examples) -> Self:
        self.labels_ = train.labels
        return self

    def predict(self, rows: Examples) -> list[Prediction]:
        """Raises ModelError when every row fails, or when a function of all rows does not answer each."""
        labels = getattr(self, "labels_", rows.labels)
        if takes_rows(self.function):
            return [read(rows.task, said, labels) for said in self._all(rows)]
        found = self._each(rows, labels)
        if found and all(one.note.startswith(FAILED) for one in found):
            reason = found[0].note.removeprefix(FAILED)
            raise ModelError(
                f"{self.title} failed on every one of {len(found)} test rows, first on test row 1: {reason}. Mend it, or return None where "
                "it does not know.",
                title="The predictor failed",
            )
        return found

    def _each(self, rows: Examples, labels: Sequence[str]) -> list[Prediction]:
        call, hung = Waiting(self.function), 0
        found = []
        for row in rows.rows():
            if hung >= HANGS:
                found.append(Prediction(None, "", "timeout", note=f"{FAILED}not asked after {HANGS} rows without an answer"))
                continue
            try:
                found.append(read(rows.task, call(row, self.seconds), labels))
                hung = 0
            except TimeoutError as error:
                found.append(Prediction(None, "", "timeout", note=f"{FAILED}{error}"))
                hung += 1
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                found.append(Prediction(None, "", "unread", note=f"{FAILED}{type(error).__name__}: {error}"))
                hung = 0
        call.close()
        return found

    def _all(self, rows: Examples) -> list[Any]:
        limit = None if self.seconds is None else self.seconds * max(1, len(rows))
        call = Waiting(lambda given: list(self.function(given)))
        try:
            said = call(rows.rows(), limit)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ModelError(f"{self.title} failed on {len(rows)} rows: {type(error).__name__}: {error}.",
                             title="The predictor failed") from error  # fmt: skip
        call.close()
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
    said = _plain(said)
    if isinstance(said, str):
        found = read_reply(task, said, labels)
        return Prediction(found.value, said) if found.value is not None else Prediction(None, said, "unread", note=found.reason)
    raw = "" if said is None else str(said)[:2000]
    if said is not None and not isinstance(said, (int, float)):
        return Prediction(None, raw, "unread", note=f"the function gave {type(said).__name__}, which is no number, label or text")
    value = target_of(task, said)
    if value is None:
        return Prediction(None, raw, "unread", note="the function gave no answer")
    if task == "classification" and labels and value not in labels:
        return Prediction(None, raw, "unread", note="none of the labels")
    return Prediction(value, raw)


def _plain(said: Any) -> Any:
    """Scalars of numpy and pandas as Python's; what pandas calls missing as None."""
    if type(said).__name__ in ("NAType", "NaTType"):
        return None
    if type(said).__module__.split(".")[0] == "numpy" and getattr(said, "ndim", 1) == 0:
        return said.item()
    return said
