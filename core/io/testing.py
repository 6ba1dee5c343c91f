"""The one tester: every predictor answers the same test rows, is timed, and its every answer is kept as an evaluation.

Targets are taken off the rows before a predictor sees them. An evaluation's id is the hash of predictor, settings,
version, seed and number of rows, so running the same again replaces it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.evaluation import Evaluation, answers_frame, drawn, test_id
from core.io import evaluations, store
from core.io.segmenting import parted
from core.predict.parts import Parts, share
from core.prediction import Examples, Prediction, Predictor, examples
from core.task import labels_of
from core.version import Version, digest

if TYPE_CHECKING:
    from core.io.work import Desk

Progress = Callable[[int, int, str], None]
LANGUAGE_MODEL_ROWS = 250
"""Test rows a language model answers unless told otherwise."""


@dataclass(frozen=True)
class Measured:
    """What one predictor answered, and how long it took."""

    predictions: list[Prediction]
    fit_seconds: float
    predict_seconds: float
    notes: Mapping[str, Any]


def train_rows(version: Version) -> Examples:
    """The train rows with targets. Raises DataError: no target, no task, not split, no train rows, unreadable targets."""
    return _rows(version, "train")


def test_rows(version: Version) -> Examples:
    """The test rows with targets, in the table's order; `labels` are those of the train rows. Raises as `train_rows` does."""
    labels = train_rows(version).labels if version.task == "classification" else None
    return _rows(version, "test", labels)


test_rows.__test__ = False  # type: ignore[attr-defined]  # not a test, although its name begins so


def groups(version: Version) -> dict[int, Any] | None:
    """Which test rows belong together, by place, where a column says so: their answers are not independent."""
    if not version.roles.group or not version.roles.split:
        return None
    column = store.frame(version, [version.roles.group], "test")[version.roles.group]
    return dict(enumerate(column.astype("str").tolist()))


def _rows(version: Version, split: str, labels: tuple[str, ...] | None = None) -> Examples:
    if not version.roles.target or not version.task:
        raise DataError("It is not said what should be predicted. Choose the target on Explore.", title="Choose what to predict")
    if not version.splits.get(split):
        raise DataError(
            f"{version.label} has no {split} rows: {'its splits are ' + _told(version) if version.splits else 'it is not split'}. "
            "Split it on Curate: 80 % train, 10 % validation, 10 % test.",
            title=f"Needs a {split} split",
        )
    columns = list(dict.fromkeys([*version.roles.inputs(), version.roles.target]))
    return examples(store.frame(version, columns, split), version.roles, version.task, labels)


def _told(version: Version) -> str:
    return ", ".join(f"{name} {count}" for name, count in version.splits.items())


@contextmanager
def few_threads() -> Iterator[None]:
    """Matrix libraries use the cores this process may use; half of them while something trains."""
    from threadpoolctl import threadpool_limits

    from core.io.embedded.loading import threads

    with threadpool_limits(limits=threads()):
        yield


def measure(predictor: Predictor, train: Examples, test: Examples, say: Progress | None = None, parts: Parts | None = None) -> Measured:
    """Fit on train, answer the test rows without their targets. Raises ValueError when the number of answers is wrong.

    With `parts`, what several predictors learn alike is learnt once, by the first; its seconds count for each.
    """
    shared = parts or Parts(time.perf_counter)
    share(predictor, shared)
    tell = say or (lambda done, total, message: None)
    words: dict[str, Any] = {}
    if getattr(predictor, "reads_words", False):
        train, test, words = parted(train, test, tell)
    with few_threads():
        tell(0, 2, "learning")
        start = time.perf_counter() + shared.borrowed
        predictor.fit(train)
        fitted = time.perf_counter() + shared.borrowed
        tell(1, 2, "answering")
        predictions = predictor.predict(test.without_targets())
        ended = time.perf_counter() + shared.borrowed
    if len(predictions) != len(test):
        raise ValueError(f"{type(predictor).__name__} gave {len(predictions)} answers to {len(test)} rows")
    return Measured(predictions, fitted - start, ended - fitted, notes_of(predictor) | words)


def notes_of(predictor: Predictor) -> dict[str, Any]:
    """What a fitted predictor looks at, the scale it learnt numbers on and whether it chose that itself, as JSON values."""
    looks_at = getattr(predictor, "looks_at", None)
    weights = [[str(name), float(weight)] for name, weight in looks_at()] if looks_at else []
    head = getattr(predictor, "head_", None)
    scale = {"log": bool(head.log), "scale": getattr(predictor, "scale", "")} if head is not None and head.task == "regression" else {}
    return {**({"looks_at": weights} if weights else {}), **scale}


def _importances(predictor: Predictor, version: Version, train: Examples, seed: int) -> dict[str, Any]:
    """What each feature of a model of trees is worth on validation rows, as JSON values; nothing where there are none, or too few."""
    from core.predict.importance import MOST_ROWS, permutation

    if not hasattr(predictor, "columns") or not version.splits.get("validation"):
        return {}
    try:
        rows = parted(train, _rows(version, "validation", train.labels or None), lambda done, total, message: None)[1]
        with few_threads():
            found = permutation(predictor, rows, seed=seed)
    except DataError:
        return {}
    return {"permutation": [one.to_list() for one in found], "permutation_rows": min(len(rows), MOST_ROWS)}


def target_range(train: Examples) -> tuple[float, float] | None:
    """Lowest and highest train target, where answers are clipped; None for other tasks."""
    if train.task != "regression" or not train.targets:
        return None
    values = [float(value) for value in train.targets]
    return min(values), max(values)


def declared_labels(train: Examples, test: Examples) -> tuple[str, ...]:
    """Every label of train and test rows: what metrics are computed over."""
    return labels_of([*(train.targets or ()), *(test.targets or ())]) if train.task == "classification" else ()


def evaluation_id(predictor: str, settings: Mapping[str, Any], version: Version, seed: int, limit: int | None) -> str:
    parts = {"predictor": predictor, "settings": dict(settings), "version": version.id, "seed": seed, "drawn": limit}
    return digest({**parts, "dataset": version.dataset})[:16]


def run_predictor(
    name: str,
    settings: Mapping[str, Any] | None,
    version: Version,
    *,
    title: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    encode: Any = None,
    progress: Progress | None = None,
    rows: tuple[Examples, Examples] | None = None,
    parts: Parts | None = None,
) -> Evaluation:
    """Fit a predictor that does not speak on the train rows, answer `limit` test rows drawn by lot (default: all), save.

    `rows` are (train, test), when they are at hand; `parts` what others have learnt of them.
    Predictors that speak go through `core.io.prompting`.
    """
    from core.predict.registry import entry, make, title_of

    train, whole = rows or (train_rows(version), test_rows(version))
    asked = drawn(len(whole), limit)
    test = whole if len(asked) == len(whole) else whole.take(asked)
    predictor = make(name, settings, seed=seed, encode=encode)
    found = measure(predictor, train, test, progress, parts)
    one = entry(name)
    return evaluations.save(
        Evaluation(
            id=evaluation_id(name, settings or {}, version, seed, None if len(test) == len(whole) else limit),
            predictor=name,
            title=title or title_of(name, settings),
            family=one.family,
            answers=answers_frame(test, found.predictions, asked),
            settings=dict(settings or {}),
            fit_seconds=found.fit_seconds,
            predict_seconds=found.predict_seconds,
            notes={**found.notes, **_importances(predictor, version, train, seed)},
            probability_labels=train.labels if any(p.probabilities for p in found.predictions) else (),
            **about_evaluation(version, train, whole, seed),
        )
    )


def about_evaluation(version: Version, train: Examples, whole: Examples, seed: int) -> dict[str, Any]:
    """What every evaluation of a version has in common."""
    return {
        "dataset": version.dataset,
        "version": version.id,
        "task": version.task or "chat",
        "test_id": test_id(whole),
        "test_rows": len(whole),
        "labels": declared_labels(train, whole),
        "target_range": target_range(train),
        "train_rows": len(train),
        "seed": seed,
        "created": datetime.now(UTC).isoformat(),
    }


def run_baselines(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "baselines"; see `core.io.baselines`."""
    from core.io.baselines import run

    return run(request, desk)
