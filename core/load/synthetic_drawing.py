"""How one column of a described table is drawn: its cells, and a score in -1..1 per row that a target may depend on.

Every column has a stream of random numbers of its own, named by the seed and the column's name, used up row by row: another
column, or more rows, change nothing of it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import pandas as pd

from core.load.synthetic_columns import RANKED, SLOT, WORDS, Column

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Drawn:
    """The cells of a column and what a target may read of them."""

    cells: pd.Series
    score: np.ndarray
    """(n,) in -1..1."""
    middle: float
    """Mean of the score over all rows there could be."""
    spread: float
    """Its standard deviation."""


def draw(column: Column, rows: int, seed: int, drawn: Mapping[str, Drawn]) -> Drawn:
    """The column's first `rows` cells. `drawn` holds the columns it depends on."""
    rng = np.random.default_rng([seed, zlib.crc32(column.name.encode())])
    return {"text": _text, "number": _number, "category": _category, "flag": _flag, "date": _date, "target": _target}[column.kind](
        column, rows, rng, drawn
    )


def _text(column: Column, rows: int, rng: np.random.Generator, drawn: Mapping[str, Drawn]) -> Drawn:
    own, lines = dict(column.words), [line.strip() for line in column.templates if line.strip()]
    found = [SLOT.findall(line) for line in lines]
    width = 1 + max(map(len, found))
    chance = rng.random((rows, width))
    which = (chance[:, 0] * len(lines)).astype(int)
    cells, score = np.empty(rows, dtype=object), np.zeros(rows)
    spreads = []
    for number, (line, names) in enumerate(zip(lines, found, strict=True)):
        here = np.flatnonzero(which == number)
        pieces = SLOT.split(line)
        columns, ranks = [], []
        for place, name in enumerate(names, start=1):
            u = chance[here, place]
            words = own.get(name) or WORDS.get(name)
            if words:
                picked = (u * len(words)).astype(int)
                columns.append([words[one] for one in picked])
                if name in own or name in RANKED:
                    ranks.append(2 * picked / max(1, len(words) - 1) - 1)
            elif name == "number":
                columns.append([str(2 + int(one * 9_997)) for one in u])
            else:
                columns.append([str(one) for one in drawn[name].cells.iloc[here].tolist()])
        for at, row in enumerate(here):
            parts = list(pieces)
            parts[1::2] = [values[at] for values in columns]
            cells[row] = "".join(parts)
        if ranks:
            score[here] = np.mean(ranks, axis=0)
        spreads.append(1 / (3 * len(ranks)) if ranks else 0.0)
    return Drawn(pd.Series(cells, dtype="str"), score, 0.0, math.sqrt(float(np.mean(spreads))))


def _number(column: Column, rows: int, rng: np.random.Generator, drawn: Mapping[str, Drawn]) -> Drawn:
    u = rng.random(rows)
    return Drawn(_cells(_shaped(u, column), column.decimals), 2 * u - 1, 0.0, 1 / math.sqrt(3))


def _category(column: Column, rows: int, rng: np.random.Generator, drawn: Mapping[str, Drawn]) -> Drawn:
    shares = np.array([weight for _, weight in column.values])
    shares = shares / shares.sum()
    picked = np.minimum(np.searchsorted(np.cumsum(shares), rng.random(rows), side="right"), len(shares) - 1)
    scores = np.linspace(-1, 1, len(shares))
    middle = float(shares @ scores)
    names = np.array([value for value, _ in column.values], dtype=object)
    return Drawn(pd.Series(names[picked], dtype="str"), scores[picked], middle, math.sqrt(float(shares @ (scores - middle) ** 2)))


def _flag(column: Column, rows: int, rng: np.random.Generator, drawn: Mapping[str, Drawn]) -> Drawn:
    yes = rng.random(rows) < column.share
    spread = 2 * math.sqrt(column.share * (1 - column.share))
    return Drawn(pd.Series(np.where(yes, "yes", "no"), dtype="str"), np.where(yes, 1.0, -1.0), 2 * column.share - 1, spread)


def _date(column: Column, rows: int, rng: np.random.Generator, drawn: Mapping[str, Drawn]) -> Drawn:
    first = date.fromisoformat(column.first)
    days = (date.fromisoformat(column.last) - first).days + 1
    u = rng.random(rows)
    texts = [(first + timedelta(days=int(one))).isoformat() for one in np.minimum(u * days, days - 1)]
    return Drawn(pd.Series(texts, dtype="str"), 2 * u - 1, 0.0, 1 / math.sqrt(3))


def _target(column: Column, rows: int, rng: np.random.Generator, drawn: Mapping[str, Drawn]) -> Drawn:
    """The weighted scores and noise, as a number of standard spread, turned into a share and then into a value or a label."""
    total = np.zeros(rows)
    variance = 0.0
    for name, weight in column.weights:
        one = drawn[name]
        if one.spread:
            total += weight * (one.score - one.middle) / one.spread
            variance += weight**2
    explained = total / math.sqrt(variance) if variance else total
    whole = (explained + column.noise * rng.standard_normal(rows)) / math.sqrt((1.0 if variance else 0.0) + column.noise**2 or 1.0)
    u = np.array([_NORMAL.cdf(one) for one in whole.tolist()])
    if column.task == "regression":
        return Drawn(_cells(_shaped(u, column), column.decimals), 2 * u - 1, 0.0, 1 / math.sqrt(3))
    place = np.minimum((u * len(column.classes)).astype(int), len(column.classes) - 1)
    return Drawn(pd.Series(np.array(column.classes, dtype=object)[place], dtype="str"), 2 * u - 1, 0.0, 1 / math.sqrt(3))


def _shaped(u: np.ndarray, column: Column) -> np.ndarray:
    """Shares 0..1 as numbers of the column's range and shape."""
    low, high = column.low, column.high
    if column.shape == "normal":
        z = np.array([_NORMAL.inv_cdf(min(max(one, 1e-9), 1 - 1e-9)) for one in u.tolist()])
        return np.clip((low + high) / 2 + z * (high - low) / 6, low, high)
    if column.shape == "skewed":
        return low * (high / low) ** u if low > 0 else low + (high - low) * u**3
    return low + (high - low) * u


def _cells(values: np.ndarray, decimals: int) -> pd.Series:
    rounded = np.round(values, decimals)
    return pd.Series(rounded.astype("int64") if decimals == 0 else rounded + 0.0)
