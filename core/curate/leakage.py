"""What the train rows already know of the test rows.

Eight levels, the strictest first; a test row counts once, at the first level that finds it:
exact (equal text), normalized (equal but for case, width, punctuation, spacing), near (Jaccard of character 5-grams at
least 0.8), substring (a shared passage), group (the same product, author, patient in both), time (not later than the
last train row), answer (the test row's own text tells its target), lineage (a synthetic train row made from it, or both
made from one row). Up to near, and lineage, the test measures memory: blocked. The others are to be looked at: warn.
Contamination of a base model's own training data cannot be seen here. Test rows are never changed; offenders leave train.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.curate import across
from core.curate.across import Hits
from core.curate.duplicates import NEAR, cell_text, normalized, texts_of
from core.curate.families import ancestors, parents
from core.curate.passages import contained, shared_runs
from core.errors import DataError
from core.reading import read_amount

LEVELS = ("exact", "normalized", "near", "substring", "group", "time", "answer", "lineage")
BLOCKING = ("exact", "normalized", "near", "lineage")
Pair = tuple[int | None, int]


@dataclass(frozen=True)
class Level:
    count: int
    """Test rows found at this level and no stricter one."""
    pairs: tuple[Pair, ...]
    """(train row, test row), 0-based places in the two tables, at most 20 train rows per test row; an answer has no train row."""


@dataclass(frozen=True)
class LeakageReport:
    levels: dict[str, Level]
    """Every level of LEVELS in order."""
    train_rows: int
    test_rows: int

    @property
    def verdict(self) -> str:
        """clean | warn | blocked"""
        return "blocked" if self._leaked else "warn" if any(level.count for level in self.levels.values()) else "clean"

    @property
    def leaked(self) -> int:
        """Test rows that block, whichever level they are counted at."""
        return len(self._leaked)

    def counts(self) -> dict[str, Any]:
        """Verdict and test rows per level: what is kept with a version."""
        return {"verdict": self.verdict, **{name: level.count for name, level in self.levels.items()}}

    def offenders(self) -> list[int]:
        """Train rows that have to leave, ascending: those of the blocking levels. All of them, however many a test row has."""
        return sorted(self._offenders)

    def leaked_rows(self) -> list[int]:
        """Places of the test rows that block, ascending: what scores on the clean subset leave out."""
        return sorted(self._leaked)

    _offenders: frozenset[int] = frozenset()
    _leaked: frozenset[int] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """As the command prints it; rows are 1-based there."""
        levels = {
            name: {"count": level.count, "pairs": [[None if a is None else a + 1, b + 1] for a, b in level.pairs]}
            for name, level in self.levels.items()
        }
        return {**levels, "verdict": self.verdict}


def leakage(
    train: pd.DataFrame,
    test: pd.DataFrame,
    on: Sequence[str],
    *,
    group: str | None = None,
    time: str | None = None,
    parent: str | None = None,
    target: str | None = None,
    threshold: float = NEAR,
    same_table: bool = False,
) -> LeakageReport:
    """Compare the columns `on` of both tables.

    `parent` names the column with the row a synthetic row was made from; `same_table` says that the index of both tables
    numbers the rows of one table, so that a parent can be recognised in the other part. Raises DataError for a missing column.
    """
    wanted = [name for name in (group, time, target) if name]
    for name in wanted:
        if name not in train or name not in test:
            raise DataError(
                f"There is no column '{name}' in {'train' if name not in train else 'test'}. Choose one that both have.",
                title="No such column",
            )
    a, b = texts_of(train, on), texts_of(test, on)
    found = {
        **_texts(a, b, threshold),
        "group": across.equal(_cells(train, group), _cells(test, group)) if group else Hits(),
        "time": _early(_moments(train, time), _moments(test, time)) if time else Hits(),
        "answer": _told(b, _cells(test, target)) if target and target not in on else Hits(),
        "lineage": _family(train, test, parent, same_table) if parent else Hits(),
    }
    return _report(found, len(train), len(test))


def _report(found: dict[str, Hits], train_rows: int, test_rows: int) -> LeakageReport:
    seen: set[int] = set()
    levels: dict[str, Level] = {}
    for name in LEVELS:
        fresh = {test: trains for test, trains in sorted(found[name].tests.items()) if test not in seen}
        seen |= set(fresh)
        levels[name] = Level(len(fresh), tuple((train, test) for test, trains in fresh.items() for train in trains))
    blocking = [found[name] for name in BLOCKING]
    return LeakageReport(
        levels,
        train_rows,
        test_rows,
        frozenset(row for hits in blocking for row in hits.trains),
        frozenset(row for hits in blocking for row in hits.tests),
    )


def _texts(a: Sequence[str | None], b: Sequence[str | None], threshold: float) -> dict[str, Hits]:
    """The four levels that compare texts."""
    flat_a, flat_b = ([normalized(text) or None if text is not None else None for text in side] for side in (a, b))
    near = across.near(a, b, threshold)
    near.take(across.near(flat_a, flat_b, threshold))
    return {"exact": across.equal(a, b), "normalized": across.equal(flat_a, flat_b), "near": near, "substring": _passages(flat_a, flat_b)}


def _passages(a: Sequence[str | None], b: Sequence[str | None]) -> Hits:
    """Rows whose different texts share a long passage."""
    rows_a, rows_b = across.rows_of(a), across.rows_of(b)
    bare_a, bare_b = [*rows_a], [*rows_b]
    pairs = {*shared_runs(bare_a, bare_b), *((j, i) for i, j in contained(bare_b, bare_a)), *contained(bare_a, bare_b)}
    hits = Hits()
    for i, j in sorted(pairs):
        hits.add(rows_a[bare_a[i]], rows_b[bare_b[j]])
    return hits


def _cells(frame: pd.DataFrame, name: str) -> list[str | None]:
    return [cell_text(cell).strip() or None for cell in frame[name].tolist()]


def _early(train: np.ndarray, test: np.ndarray) -> Hits:
    """Test rows that are not later than the last train row."""
    if not np.isfinite(train).any():
        return Hits()
    last = int(np.nanargmax(train))
    return across.paired((last, row) for row in np.flatnonzero(test <= train[last]).tolist())


def _moments(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Dates as seconds, numbers as they are, anything else NaN."""
    cells = pd.Series(frame[name])
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=float)
    times = pd.to_datetime(cells, errors="coerce", utc=True, format="mixed")
    return np.where(times.isna(), np.nan, times.astype("datetime64[ns, UTC]").astype("int64") / 1e9)


def _told(texts: Sequence[str | None], targets: Sequence[str | None]) -> Hits:
    """Test rows whose text holds their own target. Amounts count when written as money or with decimals; labels (few values
    that repeat) and answers shorter than three characters do not: they stand in texts by chance."""
    given = [target for target in targets if target]
    if not given or len(set(given)) <= max(2, min(20, len(given) // 2)):
        return Hits()
    amounts = [read_amount(target) for target in given]
    numeric = sum(amount is not None for amount in amounts) > len(given) / 2
    tells = _tells_amount if numeric else _tells
    rows = enumerate(zip(texts, targets, strict=True))
    return Hits({row: [None] for row, (text, target) in rows if text and target and tells(text, target)})


def _tells(text: str, target: str) -> bool:
    answer = normalized(target)
    return len(answer) >= 3 and f" {answer} " in f" {normalized(text)} "


def _tells_amount(text: str, target: str) -> bool:
    value = read_amount(target)
    if value is None:
        return False
    shapes = {f"{value:.2f}", f"{value:,.2f}"} | ({f"{value:.0f}", f"{value:,.0f}"} if value == int(value) else set())
    money = "|".join(rf"(?:[$€£₩]|USD)\s?{re.escape(shape)}(?![\d.,]?\d)" for shape in shapes)
    plain = rf"(?<![\d.,]){re.escape(f'{value:.2f}')}(?![\d.,]?\d)"
    return bool(re.search(money if value == int(value) else f"{money}|{plain}", text))


def _family(train: pd.DataFrame, test: pd.DataFrame, parent: str, same_table: bool) -> Hits:
    """Rows of one family on both sides: parent and child, or two children of one row."""
    if not same_table:
        return across.equal(*(_cells(side, parent) if parent in side else [None] * len(side) for side in (train, test)))
    numbers = [*train.index.tolist(), *test.index.tolist()]
    made = [of for side in (train, test) for of in (parents(side, parent) if parent in side else [None] * len(side))]
    families = [str(number) for number in ancestors(numbers, made)]
    return across.equal(families[: len(train)], families[len(train) :])
