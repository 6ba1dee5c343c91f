"""Which test rows to look at: where models fail, where they differ, where tuning helped or harmed.

"Right" is the metric of the task that is yes or no for every row: close enough for numbers, the right label, the exact
answer; for free replies, that the right answer stands in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.compare.board import Board, Row
from core.compare.verdict import untuned
from core.evaluate.metrics import per_item

RIGHT = {"regression": "hits", "classification": "accuracy", "qa": "exact_match", "chat": "contains"}
KINDS = ("All", "Failures", "Different", "Tuned right, untuned wrong", "Untuned right, tuned wrong")
MEANING = {
    "All": "Every row that all models answered.",
    "Failures": "Rows that no shown model gets right.",
    "Different": "Rows that some shown models get right and others do not.",
    "Tuned right, untuned wrong": "What fine-tuning gained.",
    "Untuned right, tuned wrong": "What fine-tuning lost.",
}


def right(board: Board, models: Sequence[str]) -> dict[str, np.ndarray]:
    """Model id -> (n,) True where its answer counts as right."""
    return {id: per_item(RIGHT[board.task], board.row(id).answers) > 0 for id in models}


def rule(board: Board) -> str:
    """What "right" means here, for people."""
    near = "within $40 or 20 % of the truth" if board.unit == "usd" else "within 40 or 20 % of the truth"
    words = {"regression": near, "classification": "the label of the row", "qa": "the answer, apart from case and punctuation"}
    return words.get(board.task, "the right answer stands in the reply")


def tuned_and_other(board: Board) -> tuple[Row, Row] | None:
    """The best fine-tuned model and the one it was made from (else the best other that is not a constant)."""
    tuned = next((row for row in board.rows if row.family == "tuned"), None)
    if tuned is None:
        return None
    other = untuned(board, tuned) or next((row for row in board.rows if row.family not in ("tuned", "trivial")), None)
    return (tuned, other) if other else None


def kinds(board: Board) -> tuple[str, ...]:
    """The choices that mean something for this board."""
    return KINDS if tuned_and_other(board) else KINDS[:3]


def pick(board: Board, kind: str, models: Sequence[str], *, search: str = "", texts: Mapping[int, str] | None = None) -> np.ndarray:
    """Positions on the board, in test order. `search` looks into texts, truths and replies, whatever the case."""
    marks = right(board, models)
    keep = np.ones(board.n, dtype=bool)
    every = np.array(list(marks.values())) if marks else np.zeros((1, board.n), dtype=bool)
    pair = tuned_and_other(board)
    if kind == "Failures":
        keep = ~every.any(axis=0)
    elif kind == "Different":
        keep = every.any(axis=0) & ~every.all(axis=0)
    elif kind in KINDS[3:] and pair:
        tuned, other = right(board, [row.id for row in pair]).values()
        keep = tuned & ~other if kind == KINDS[3] else other & ~tuned
    positions = np.flatnonzero(keep)
    wanted = search.strip().casefold()
    if not wanted:
        return positions
    said = [answer_rows(board, id)["raw"].astype("str").tolist() for id in models]
    truths = [str(truth) for truth in board.row(board.rows[0].id).answers.truth]
    places = texts or {}
    found = [p for p in positions if any(wanted in part.casefold() for part in
             (places.get(int(board.index[p]), ""), truths[p], *(column[p] for column in said)))]  # fmt: skip
    return np.array(found, dtype=int)


def answer_rows(board: Board, id: str) -> pd.DataFrame:
    """The stored answers of a model on the board's rows, in order."""
    return board.row(id).evaluation.answers.set_index("index").loc[board.index.tolist()].reset_index()
