"""Which models are worth their cost: those that no other beats in quality, price and time at once (Pareto)."""

from __future__ import annotations

from core.compare.board import Board, Row


def frontier(board: Board) -> tuple[str, ...]:
    """Ids of the models on the frontier, the best first. A model without a price costs nothing; unknown time is not compared."""
    return tuple(row.id for row in board.rows if not any(_beats(board, other, row) for other in board.rows if other.id != row.id))


def _beats(board: Board, a: Row, b: Row) -> bool:
    """Whether a is at least as good in everything and strictly better in something."""
    name = board.metrics[0]
    sides = [(board.headline.rank(a.values[name].value), board.headline.rank(b.values[name].value)),
             (a.usd_per_1000 or 0.0, b.usd_per_1000 or 0.0)]  # fmt: skip
    if a.seconds_per_1000 is not None and b.seconds_per_1000 is not None:
        sides.append((a.seconds_per_1000, b.seconds_per_1000))
    return all(mine <= theirs for mine, theirs in sides) and any(mine < theirs for mine, theirs in sides)
