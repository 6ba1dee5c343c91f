"""Answers that no predictor here gave: a person's, and recorded ones from a file, kept as evaluations of the same test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DataError
from core.evaluation import Evaluation, answers_frame, test_id
from core.io import evaluations
from core.io.testing import declared_labels, target_range, test_rows, train_rows
from core.prediction import Examples, Prediction
from core.task import target_of
from core.version import Version, digest

if TYPE_CHECKING:
    import pandas as pd


def quiz(rows: int, test: int, seed: int) -> list[int]:
    """Places of the test rows a person is asked, drawn by lot."""
    return [int(place) for place in np.random.default_rng(seed).permutation(test)[:rows]]


def save_answers(version: Version, said: Mapping[int, Any], *, title: str = "You", seconds: float = 0.0) -> Evaluation:
    """A person's answers by place in the test split; what holds no answer is unread. Replaces the earlier ones of that title."""
    train, test = train_rows(version), test_rows(version)
    places = sorted(said)
    values = [target_of(test.task, said[place]) for place in places]
    predictions = [Prediction(value, str(said[place] or ""), "ok" if value is not None else "unread", seconds=seconds / max(len(places), 1))
                   for place, value in zip(places, values, strict=True)]  # fmt: skip
    found = answers_frame(test.take(places), predictions, places)
    return evaluations.save(_about(version, train, test, title, found))


def save_recorded(version: Version, table: pd.DataFrame, name: str) -> list[Evaluation]:
    """Long-form predictions of this version's test rows: `index` is the place in the test split, `truth` may be absent.

    Raises DataError when the index leaves the test split or a truth differs from the table's.
    """
    from core.evaluate.recorded import from_long

    train, test = train_rows(version), test_rows(version)
    table = table.rename(columns=lambda column: str(column).strip().casefold())
    if "index" not in table:
        raise DataError(f"{name} has no column index. It is the row's place in the test split, from 0.", title="Which rows are these?")
    places = _places(table["index"].tolist(), len(test), name)
    truths = [(test.targets or ())[place] for place in places]
    if "truth" in table:
        _check(places, truths, table["truth"].tolist(), test.task, name)
    labels = declared_labels(train, test)
    found = from_long(table.assign(index=places, truth=truths), test.task, name=name.rsplit(".", 1)[0], labels=labels)
    return [evaluations.save(_about(version, train, test, one.title, one.answers, one.family)) for one in found]


def _places(cells: Sequence[Any], n: int, name: str) -> list[int]:
    numbers = [target_of("regression", cell) for cell in cells]
    for row, number in enumerate(numbers, start=1):
        if not isinstance(number, float) or not number.is_integer() or not 0 <= number < n:
            raise DataError(f"{name}: row {row} has the index '{str(cells[row - 1])[:40]}'; the test split has the places 0 to {n - 1}.",
                            title="Not a test row")  # fmt: skip
    return [int(number) for number in numbers if isinstance(number, float)]


def _check(places: Sequence[int], truths: Sequence[Any], told: Sequence[Any], kind: str, name: str) -> None:
    for place, truth, cell in zip(places, truths, told, strict=True):
        value = target_of(kind, cell)
        if value is not None and value != truth:
            raise DataError(
                f"{name}: the truth at index {place} is '{str(cell)[:40]}', in this version it is '{str(truth)[:40]}'. "
                "These answers belong to other test rows.",
                title="The right answers differ",
            )


def _about(version: Version, train: Examples, test: Examples, title: str, answers: pd.DataFrame, family: str = "people") -> Evaluation:
    made = Evaluation(
        id=digest({"people": title, "version": version.id, "dataset": version.dataset})[:16],
        predictor="recorded",
        title=title,
        family=family,
        dataset=version.dataset,
        version=version.id,
        task=version.task or "chat",
        test_id=test_id(test),
        test_rows=len(test),
        answers=answers,
        labels=declared_labels(train, test),
        target_range=target_range(train),
        created=datetime.now(UTC).isoformat(),
        train_rows=len(train),
    )
    return replace(made, predictor="person") if title == "You" else made
