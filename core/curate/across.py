"""Which rows outside the test meet which test rows: by equal values, by nearly equal texts, by pairs.

Work and result grow with the rows, not with the pairs: ten thousand equal rows on either side are ten thousand hits.
Missing values meet nothing. Not known here: what a meeting means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.curate.minhash import similar

MOST = 20
"""Train rows listed per test row."""
Rows = dict[str, list[int]]


@dataclass
class Hits:
    """0-based places in the two tables."""

    tests: dict[int, list[int | None]] = field(default_factory=dict)
    """Test row -> the train rows it meets, at most 20; None where no train row is needed."""
    trains: dict[int, int] = field(default_factory=dict)
    """Every train row that meets a test row -> the first one it meets."""

    def add(self, trains: Sequence[int], tests: Sequence[int]) -> None:
        """All of these train rows meet all of these test rows."""
        for test in tests:
            known = self.tests.setdefault(test, [])
            known += [row for row in trains[:MOST] if row not in known][: MOST - len(known)]
        for train in trains if tests else ():
            self.trains.setdefault(train, tests[0])

    def take(self, other: Hits) -> None:
        """What the other found too."""
        for test, trains in other.tests.items():
            known = self.tests.setdefault(test, [])
            known += [row for row in trains if row not in known][: MOST - len(known)]
        for train, test in other.trains.items():
            self.trains.setdefault(train, test)


def equal(train: Sequence[str | None], test: Sequence[str | None]) -> Hits:
    """Rows of the same value."""
    hits, there = Hits(), rows_of(test)
    for value, rows in rows_of(train).items():
        if value in there:
            hits.add(rows, there[value])
    return hits


def near(train: Sequence[str | None], test: Sequence[str | None], threshold: float) -> Hits:
    """Texts with a Jaccard of at least `threshold` (character 5-grams), equal ones included; blank texts meet nothing."""
    sides: tuple[Rows, Rows] = (_filled(rows_of(train)), _filled(rows_of(test)))
    keys, border = [[*side] for side in sides], len(sides[0])
    hits = Hits()
    for one, other in similar([*keys[0], *keys[1]], threshold, border).tolist():
        hits.add(sides[0][keys[0][one]], sides[1][keys[1][other - border]])
    return hits


def paired(pairs: Iterable[tuple[int, int]]) -> Hits:
    """Rows that are known to meet, (train, test)."""
    hits = Hits()
    for train, test in sorted(pairs):
        hits.add([train], [test])
    return hits


def rows_of(values: Sequence[str | None]) -> Rows:
    """Value -> its rows in order, without missing ones."""
    found: Rows = {}
    for row, value in enumerate(values):
        if value is not None:
            found.setdefault(value, []).append(row)
    return found


def _filled(rows: Mapping[str, list[int]]) -> Rows:
    return {text: places for text, places in rows.items() if text.strip()}
