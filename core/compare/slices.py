"""How one model does on parts of the test rows, and where it differs from another: for exploring, not for verdicts.

p values are adjusted by Benjamini-Hochberg over the slices, because there are many of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core import format as fmt
from core.compare.board import Board
from core.evaluate.intervals import PREVIEW, Measured, measure
from core.evaluate.paired import benjamini_hochberg, differences

SMALLEST = 5
"""Rows below which a slice is put together with the others."""
OTHER = "other"


@dataclass(frozen=True)
class Slice:
    name: str
    n: int
    measured: Measured
    difference: float = math.nan
    """Model minus reference; NaN without a reference."""
    p_adjusted: float = math.nan


def slices(
    board: Board, model: str, names: Mapping[int, str], *, reference: str | None = None, order: Sequence[str] = (), most: int = 20
) -> tuple[Slice, ...]:
    """The headline of a model in each slice, in the given order, else the largest first. `names` says the slice of each place.

    Slices below 5 rows, and those after the `most` largest, go into "other".
    """
    places = _places(board, names, order, most)
    answers = board.row(model).answers
    theirs = board.row(reference).answers if reference and reference != model else None
    out, ps = [], []
    for name, rows in places.items():
        mine = answers.take(rows)
        measured = measure(mine, [board.metrics[0]], seed=board.seed, count=PREVIEW)[board.metrics[0]]
        if theirs is None:
            out.append(Slice(name, len(rows), measured))
            continue
        gap = differences(board.metrics[0], [mine], theirs.take(rows), seed=board.seed, count=PREVIEW)[0]
        out.append(Slice(name, len(rows), measured, gap.value))
        ps.append(gap.p)
    if theirs is not None:
        out = [Slice(one.name, one.n, one.measured, one.difference, p) for one, p in zip(out, benjamini_hochberg(ps), strict=True)]
    return tuple(out)


def _places(board: Board, names: Mapping[int, str], order: Sequence[str], most: int) -> dict[str, np.ndarray]:
    """Slice name -> positions on the board."""
    found: dict[str, list[int]] = {}
    for position, place in enumerate(board.index):
        found.setdefault(names.get(int(place)) or "none", []).append(position)
    ordered = [name for name in order if name in found] or sorted(found, key=lambda name: (-len(found[name]), name))
    kept = [name for name in ordered[:most] if len(found[name]) >= SMALLEST]
    rest = [position for name in ordered if name not in kept for position in found[name]]
    out = {name: np.array(found[name]) for name in kept}
    if rest:
        out[OTHER if OTHER not in out else "all others"] = np.array(sorted(rest))
    return out


Named = tuple[dict[int, str], tuple[str, ...]]
"""The slice of each place in the test split, and the slices in their order."""


def by_length(texts: Mapping[int, str]) -> Named:
    """Thirds of the rows by the length of their text."""
    lengths = {place: len(text) for place, text in texts.items()}
    low, high = np.quantile(list(lengths.values()), [1 / 3, 2 / 3]) if lengths else (0.0, 0.0)
    names = (f"up to {low:.0f} characters", f"{low:.0f} to {high:.0f} characters", f"over {high:.0f} characters")
    return {place: names[int(n > low) + int(n > high)] for place, n in lengths.items()}, names


def by_truth(board: Board) -> Named:
    """Fifths of the rows by the size of a number, or the label itself."""
    truth = board.rows[0].answers.truth
    if board.task != "regression":
        return {int(place): str(value) for place, value in zip(board.index, truth, strict=True)}, board.rows[0].answers.labels
    edges = np.quantile(truth, [0.2, 0.4, 0.6, 0.8])
    ends = [float(truth.min()), *map(float, edges), float(truth.max())]
    names = tuple(f"{fmt.metric(board.unit, a)} to {fmt.metric(board.unit, b)}" for a, b in itertools.pairwise(ends))
    return {int(p): names[int(np.searchsorted(edges, value, side="left"))] for p, value in zip(board.index, truth, strict=True)}, names


def by_leak(board: Board, leaked: Collection[int]) -> Named:
    """Test rows that also stand in train, and the clean ones. `leaked` are places in the test split."""
    names = ("clean rows", "rows that stand in train")
    seen = set(leaked)
    return {int(place): names[int(place) in seen] for place in board.index}, names
