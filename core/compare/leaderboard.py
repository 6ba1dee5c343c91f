"""Everything that answered the same test rows, side by side: values with intervals, coverage, cost and time.

Rules: only evaluations of one test split and one task are put beside each other, joined on the row's place and never on
its position; the rows that all of them answered count, and the board says how many those are. A reply that failed for
reasons of the infrastructure ("error") makes its model incomplete from 1 % on. Not known here: which of them is worth it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from core.compare.board import Board, Row
from core.compare.pairs import altogether, with_reference
from core.errors import DataError, MissingError
from core.evaluate.answers import Answers, answers_of, clamped, clipped
from core.evaluate.intervals import FULL, Measured, group_codes, measure_all
from core.evaluate.metrics import METRICS, applicable, metric
from core.evaluation import Evaluation


def leaderboard(
    evaluations: Sequence[Evaluation],
    *,
    reference: str | None = None,
    groups: Mapping[int, object] | None = None,
    unit: str = "number",
    seed: int = 0,
    resamples: int = FULL,
) -> Board:
    """The board of these evaluations. `reference` is an id or title (default: the best constant, else the first given);
    `groups` says for each place in the test split which rows belong together.

    Raises DataError when they answered different test rows or tasks, or share no row.
    """
    check_same(evaluations)
    frames = [_by_place(one) for one in evaluations]
    index = shared_index(frames)
    aligned = [frame.loc[index].reset_index() for frame in frames]
    _check_truths(evaluations, aligned, index)
    answers = [answers_of(_with(one, frame)) for one, frame in zip(evaluations, aligned, strict=True)]
    codes = None if groups is None else group_codes([groups.get(int(place)) for place in index])
    names = _names(answers)
    measured = measure_all(answers, [*names, "coverage"], groups=codes, seed=seed, count=resamples)
    titles = unique_titles([one.title for one in evaluations])
    rows = [_row(*parts) for parts in zip(evaluations, titles, aligned, answers, measured, strict=True)]
    first = _reference(rows, names[0], reference)
    ordered = tuple(sorted(rows, key=lambda row: _rank(row, names[0])))
    board = Board(evaluations[0].task, unit, names, ordered, (), first, np.asarray(index), evaluations[0].test_rows,
                  evaluations[0].test_id, codes, seed, resamples)  # fmt: skip
    return with_reference(replace(board, omnibus=altogether(board)), first)


def check_same(evaluations: Sequence[Evaluation]) -> None:
    """Raises DataError when there is nothing to compare, or when it did not answer the same test rows."""
    if not evaluations:
        raise DataError("No model has answered the test rows yet. Run the baselines first.", title="Nothing to compare yet")
    first = evaluations[0]
    for other in evaluations[1:]:
        if other.task != first.task:
            raise DataError(f"'{first.title}' was asked for {first.task}, '{other.title}' for {other.task}. Compare one task at a time.",
                            title="These two answered different questions")  # fmt: skip
        if other.test_id != first.test_id:
            raise DataError(
                f"'{first.title}' answered the {first.test_rows} test rows of version {first.version}, '{other.title}' the "
                f"{other.test_rows} test rows of version {other.version}, and these are not the same. Answer the same rows with both.",
                title="These two answered different test rows",
            )


def shared_index(frames: Sequence[pd.DataFrame]) -> list[int]:
    """The places that every frame has, ascending. Raises DataError when there is none."""
    places = set(frames[0].index)
    for frame in frames[1:]:
        places &= set(frame.index)
    if not places:
        raise DataError("The models share no test row. Let them answer the same rows.", title="No row in common")
    return sorted(places)


def unique_titles(titles: Sequence[str]) -> list[str]:
    """Titles with a number where one occurs again: "Random forest", "Random forest (2)"."""
    seen: dict[str, int] = {}
    out = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        out.append(title if seen[title] == 1 else f"{title} ({seen[title]})")
    return out


def _by_place(one: Evaluation) -> pd.DataFrame:
    frame = one.answers.set_index("index")
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()][0]
        raise DataError(f"'{one.title}' answers row {twice} more than once. One answer per row is needed.", title="A row answered twice")
    return frame


def _with(one: Evaluation, frame: pd.DataFrame) -> Evaluation:
    return Evaluation.from_meta({**one.meta(), "labels": one.labels}, frame)


def _check_truths(evaluations: Sequence[Evaluation], aligned: Sequence[pd.DataFrame], index: Sequence[int]) -> None:
    first = aligned[0]["truth"].tolist()
    for one, frame in zip(evaluations[1:], aligned[1:], strict=True):
        different = [place for place, a, b in zip(index, first, frame["truth"].tolist(), strict=True) if a != b]
        if different:
            raise DataError(f"Row {different[0]} has another right answer in '{one.title}' than in '{evaluations[0].title}'. "
                            "Compare models that were measured on the same table.", title="The right answers differ")  # fmt: skip


def _names(answers: Sequence[Answers]) -> tuple[str, ...]:
    """Metrics that apply to every model, the task's order first."""
    return tuple(name for name in applicable(answers[0]) if all(METRICS[name].columns(one) is not None for one in answers[1:]))


def _row(one: Evaluation, title: str, frame: pd.DataFrame, answers: Answers, measured: dict[str, Measured]) -> Row:
    n = len(frame)
    seconds, usd = _numbers(frame, "seconds"), _numbers(frame, "usd")
    total = float(seconds.sum()) if len(seconds) else one.predict_seconds * n / max(one.n, 1)
    tokens = _numbers(frame, "tokens_in").sum() + _numbers(frame, "tokens_out").sum()
    return Row(
        id=one.id, title=title, family=one.family, predictor=one.predictor,
        values={name: value for name, value in measured.items() if name != "coverage"},
        coverage=measured["coverage"], n=n,
        unread=int(np.sum(~answers.read)), errors=frame["status"].tolist().count("error"),
        clipped=clipped(answers), clamped=clamped(answers),
        usd_per_1000=1000 * float(usd.sum()) / n if len(usd) and usd.sum() > 0 else None,
        seconds_per_1000=1000 * total / n if total > 0 else None,
        seconds_median=float(np.median(seconds)) if len(seconds) else total / n if total > 0 else None,
        fit_seconds=one.fit_seconds, training_usd=one.training_usd,
        tokens_per_answer=float(tokens) / n if tokens > 0 else None, evaluation=one, answers=answers,
    )  # fmt: skip


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame:
        return np.array([])
    numbers = np.asarray(pd.to_numeric(frame[column], errors="coerce"), dtype=float)
    return numbers[~np.isnan(numbers)]


def _rank(row: Row, name: str) -> tuple[float, str]:
    value = row.values[name].value
    return (metric(name).rank(value) if math.isfinite(value) else math.inf), row.title


def _reference(rows: Sequence[Row], name: str, asked: str | None) -> str:
    if asked is not None:
        match = [row.id for row in rows if asked in (row.id, row.title)]
        if not match:
            raise MissingError(f"There is no model '{asked}' here. Choose one of {', '.join(row.title for row in rows)}.",
                               title="No such model")  # fmt: skip
        return match[0]
    constants = [row for row in rows if row.family == "trivial"]
    return min(constants, key=lambda row: _rank(row, name)).id if constants else rows[0].id
