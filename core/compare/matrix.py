"""The board as a table for people: rows are metrics, columns are models, the best in each row marked; cost and time last.

Cells are plain text: whoever draws them escapes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core import format as fmt
from core.compare.board import Board, Pair, Row
from core.compare.wording import SPOKEN
from core.evaluate.metrics import METRICS


@dataclass(frozen=True)
class Cell:
    text: str
    soft: str = ""
    """Said beside it in grey: the interval, or the word of a comparison."""
    best: bool = False
    word: str = ""
    """better | worse | not distinguishable, for comparisons."""


@dataclass(frozen=True)
class Line:
    name: str
    title: str
    meaning: str
    cells: tuple[Cell, ...]


COSTS = {"coverage": "Read", "time": "Answer time", "cost": "1,000 answers", "training": "Training", "tokens": "Tokens per answer"}


def lines(board: Board, models: Sequence[str] | None = None, metrics: Sequence[str] | None = None) -> tuple[Line, ...]:
    """The lines for these models (ids, in order) and metric names; default all. The comparison stands under the headline."""
    rows = [board.row(id) for id in models] if models is not None else list(board.rows)
    names = [name for name in board.metrics if metrics is None or name in metrics]
    out = []
    for name in names:
        out.append(_metric_line(board, rows, name))
        if name == board.metrics[0] and len(board.rows) > 1:
            out.append(_against_line(board, rows))
    out += [line for line in _cost_lines(rows) if metrics is None or line.name in metrics]
    return tuple(out)


def _metric_line(board: Board, rows: Sequence[Row], name: str) -> Line:
    one, unit = METRICS[name], board.unit_of(name)
    ranks = [one.rank(row.values[name].value) for row in rows]
    best = min((rank for rank in ranks if math.isfinite(rank)), default=math.nan)
    cells = []
    for row, rank in zip(rows, ranks, strict=True):
        value = row.values[name]
        told = fmt.interval(value.low, value.high, unit)
        cells.append(Cell(fmt.metric(unit, value.value, value.n), "" if told == "n/a" else told, rank == best and len(rows) > 1))
    return Line(name, one.title, one.meaning, tuple(cells))


def _against_line(board: Board, rows: Sequence[Row]) -> Line:
    base = board.row(board.reference)
    unit = board.unit_of(board.metrics[0])
    return Line("against", f"Against {short_name(base)}", "The difference to the reference, row by row, and whether it is real.",
                tuple(_against_cell(board.pair(row.id), unit) for row in rows))  # fmt: skip


def _against_cell(pair: Pair | None, unit: str) -> Cell:
    if pair is None:
        return Cell("reference")
    if unit == "share":
        size = fmt.signed(f"{100 * pair.difference:+.1f} points".replace("+0.0 ", "0.0 "))
    else:
        size = ("+" if pair.difference > 0 else "") + fmt.metric(unit, pair.difference)
    return Cell(size, "", word=pair.verdict)


def short_name(row: Row) -> str:
    """How a reference is named in few words: "the constant", else its title."""
    constants = ("constant_mean", "constant_median", "majority")
    return "the constant" if row.predictor in constants and row.predictor in SPOKEN else row.title


def _cost_lines(rows: Sequence[Row]) -> list[Line]:
    def line(name: str, meaning: str, texts: Sequence[str], values: Sequence[float | None] = ()) -> Line:
        known = [value for value in values if value is not None]
        best = [value is not None and value == min(known) and len(known) > 1 for value in values] or [False] * len(texts)
        return Line(name, COSTS[name], meaning, tuple(Cell(text, best=won) for text, won in zip(texts, best, strict=True)))

    read = [fmt.share(row.coverage.value, row.n) for row in rows]
    out = [line("coverage", "The share of replies that could be read as an answer.", read),
           line("time", "Half of the answers were faster than this.", [fmt.duration(row.seconds_median) for row in rows],
                [row.seconds_median for row in rows]),
           line("cost", "What 1,000 answers were charged; local work costs time only.",
                [fmt.cost(row.usd_per_1000, local="local") for row in rows]),
           line("training", "Time to learn, and what it was charged.", [_training(row) for row in rows])]  # fmt: skip
    if any(row.tokens_per_answer for row in rows):
        out.append(line("tokens", "Tokens read and written for one answer.",
                        [fmt.tokens(row.tokens_per_answer) if row.tokens_per_answer else "n/a" for row in rows]))  # fmt: skip
    return out


def _training(row: Row) -> str:
    spent = [fmt.duration(row.fit_seconds)] if row.fit_seconds > 0 else []
    return " · ".join([*spent, *([fmt.cost(row.training_usd)] if row.training_usd else [])]) or "none"
