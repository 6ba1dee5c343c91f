"""Answers that no predictor here gave: a person's, and recorded ones from a file, kept as evaluations of the same test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DataError
from core.evaluate.joined import recorded
from core.evaluation import Evaluation, answers_frame, test_id
from core.io import evaluations, files, store
from core.io.testing import declared_labels, target_range, test_rows, train_rows
from core.prediction import Examples, Prediction
from core.task import target_of
from core.version import Version, digest

if TYPE_CHECKING:
    import pandas as pd


def quiz(rows: int, test: int, seed: int) -> list[int]:
    """Places of the test rows a person is asked, drawn by lot."""
    return [int(place) for place in np.random.default_rng(seed).permutation(test)[:rows]]


def keep_quiz(version: Version, state: Mapping[str, Any]) -> None:
    """Where a person is in a quiz: {places, said: {place: answer}, skipped, seconds}, so that a reload or a restart goes on there."""
    said = {str(place): answer for place, answer in state["said"].items()}
    files.write_json(_quiz_file(version), {**state, "said": said})


def kept_quiz(version: Version) -> dict[str, Any] | None:
    """The quiz that was left in the middle; None where there is none, or its rows are gone."""
    path = _quiz_file(version)
    if not path.exists():
        return None
    state = files.read_json(path)
    said = {int(place): answer for place, answer in state["said"].items()}
    if any(not 0 <= place < version.splits.get("test", 0) for place in state["places"]):
        return None
    return {**state, "said": said}


def drop_quiz(version: Version) -> None:
    _quiz_file(version).unlink(missing_ok=True)


def _quiz_file(version: Version) -> Path:
    return files.folder("quizzes") / f"{files.slug(version.dataset)}-{version.id}.json"


def save_answers(version: Version, said: Mapping[int, Any], *, title: str = "You", seconds: float = 0.0) -> Evaluation:
    """A person's answers by place in the test split; what holds no answer is unread. Replaces the earlier ones of that title."""
    train, test = train_rows(version), test_rows(version)
    places = sorted(said)
    values = [target_of(test.task, said[place]) for place in places]
    predictions = [Prediction(value, str(said[place] or ""), "ok" if value is not None else "unread", seconds=seconds / max(len(places), 1))
                   for place, value in zip(places, values, strict=True)]  # fmt: skip
    found = answers_frame(test.take(places), predictions, places)
    return evaluations.save(_about(version, train, test, title, found))


def save_recorded(version: Version, table: pd.DataFrame, name: str, *, reader: str = "strict") -> list[Evaluation]:
    """A table of predictions of this version's test rows as evaluations, one per model (`core.evaluate.joined`).

    `index` is the place in the test split; without it the version's id column, or every test row in order. `truth` may be absent.
    """
    train, test = train_rows(version), test_rows(version)
    found = recorded(table, name, test, ids=test_ids(version), id_column=version.roles.id, labels=declared_labels(train, test),
                     reader=reader)  # fmt: skip
    return [evaluations.save(_about(version, train, test, one.title, one.answers, one.family)) for one in found]


def test_ids(version: Version) -> list[Any] | None:
    """The ids of the test rows in order; None where the version has no id column."""
    if not version.roles.id or not version.roles.split:
        return None
    return store.frame(version, [version.roles.id], "test")[version.roles.id].tolist()


test_ids.__test__ = False  # type: ignore[attr-defined]  # not a test, although its name begins so


def read_again(version: Version, id: str, reader: str) -> Evaluation:
    """The kept replies of an evaluation through another reader, as an evaluation of its own, labelled. Nothing is asked.

    Raises DataError where no reply was kept, SettingsError for another task than numbers.
    """
    one = evaluations.load(id)
    if not one.answers["raw"].str.strip().any():
        raise DataError(f"{one.title} kept no reply in words, so there is nothing to read again.", title="Nothing to read")
    table = one.answers[["index", "raw"]].assign(model=one.title)
    return save_recorded(version, table, one.title, reader=reader)[0]


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
