"""Every model against one reference, with adjusted p values and the three words a comparison may end in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.compare.board import Board, Pair
from core.evaluate.metrics import metric, per_item
from core.evaluate.omnibus import Omnibus, cochran, friedman
from core.evaluate.paired import Difference, differences, holm
from core.evaluate.power import more_rows

LEVEL = 0.05


def with_reference(board: Board, reference: str) -> Board:
    """The same board with every difference taken to another reference (id or title)."""
    base = board.row(reference).id
    return replace(board, reference=base, pairs=against(board, base))


def against(board: Board, reference: str, name: str | None = None) -> tuple[Pair, ...]:
    """Every other model minus the reference on one metric (default: the headline), Holm-adjusted over all of them."""
    base = board.row(reference)
    others = [row for row in board.rows if row.id != base.id]
    name = name or board.metrics[0]
    found = differences(name, [row.answers for row in others], base.answers, groups=board.groups, seed=board.seed, count=board.resamples)
    adjusted = holm([one.p for one in found])
    return tuple(judged(row.id, base.id, one, p, len(found)) for row, one, p in zip(others, found, adjusted, strict=True))


def altogether(board: Board) -> Omnibus | None:
    """Do the models differ at all, on the headline? None with fewer than three, with groups, or where rows have no value of their own."""
    one = board.headline
    if len(board.rows) < 3 or board.groups is not None or not one.is_item_mean or board.n < 2:
        return None
    scores = np.column_stack([per_item(one.name, row.answers) for row in board.rows])
    return cochran(scores) if one.binary else friedman(scores)


def judged(a: str, b: str, seen: Difference, p_adjusted: float, comparisons: int) -> Pair:
    """A difference with the word it may end in, after adjusting for `comparisons` of them: where its interval holds 0, none is told."""
    told = p_adjusted < LEVEL and seen.value != 0 and not seen.low <= 0 <= seen.high
    low, high = (seen.low, seen.high) if seen.n > 1 else (math.nan, math.nan)  # one row says nothing of others
    word = ("better" if metric(seen.metric).better(seen.value) else "worse") if told else "not distinguishable"
    needed = 0 if told else more_rows(seen, comparisons=comparisons)
    return Pair(a, b, seen.metric, seen.value, low, high, seen.p, p_adjusted, word, needed, comparisons, seen.test, seen.n)


def turned(pair: Pair) -> Pair:
    """The same comparison seen from the other model."""
    word = {"better": "worse", "worse": "better"}.get(pair.verdict, pair.verdict)
    return replace(pair, a=pair.b, b=pair.a, difference=-pair.difference, low=-pair.high, high=-pair.low, verdict=word)


def find(pairs: Sequence[Pair], a: str) -> Pair | None:
    return next((pair for pair in pairs if pair.a == a), None)
