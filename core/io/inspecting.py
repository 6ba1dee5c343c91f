"""What a person looks at behind the steps of a recipe: texts before and after, outlines, prompts, leaks, class sizes.

Everything is computed once for the steps that ran and the seed, on the rows the preview looks at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from core.curate.contrast import Outlines, Shown, outlines, shown
from core.curate.leakage import LeakageReport
from core.curate.recipe import Recipe
from core.curate.steps import kind, settings_of
from core.curate.table import texts
from core.io.curating import gate_report as report_of
from core.io.previewing import Preview, key_at, state_of
from core.io.tokens import counter
from core.kinds import kinds
from core.reading import read_amount
from core.version import SPLITS, Version

COUNTED = 1_500
"""Rows whose tokens are counted for the figure."""
CLASSES = 12
"""Values that are shown of a column of labels, the most frequent first."""
SPREAD = ("number", "time")
Change = Outlines | Mapping[str, tuple[int, int]]
"""Two outlines of a number, or value -> rows (before, after)."""


@dataclass(frozen=True)
class Rewritten:
    """A text column that a step wrote."""

    column: str
    rows: tuple[int, ...]
    """Rows whose text is another one now (0-based, of the version), in the order of the table."""
    looked: int
    """Rows behind the step."""
    new: bool
    """Whether the step made the column."""


def rewritten(version: Version, recipe: Recipe, place: int) -> list[Rewritten]:
    """The text columns a step writes, with the rows it changed; empty for steps that write none."""
    step = recipe.steps[place]
    columns = tuple(name for name, what in kind(step.name).writes(settings_of(step)).items() if what == "text")
    before, after = (key_at(version, recipe, at) for at in (place, place + 1))
    if not columns or before == after:
        return []
    return list(_rewritten(version.dataset, version.id, before, after, recipe.seed, columns))


@lru_cache(maxsize=64)
def _rewritten(dataset: str, version: str, before: str, after: str, seed: int, columns: tuple[str, ...]) -> tuple[Rewritten, ...]:
    old, new = (state_of(dataset, version, key, seed).table.frame for key in (before, after))
    found = []
    for name in columns:
        now = texts(new[name])
        was = texts(old[name].loc[new.index]) if name in old else [None] * len(new)
        rows = tuple(int(row) for row, a, b in zip(new.index.tolist(), was, now, strict=True) if a != b)
        found.append(Rewritten(name, rows, len(new), name not in old))
    return tuple(found)


def pair(version: Version, recipe: Recipe, place: int, column: str, row: int) -> tuple[str, str]:
    """A row's text before and after a step; "" where there is none."""
    frames = [state_of(version.dataset, version.id, key_at(version, recipe, at), recipe.seed).table.frame for at in (place, place + 1)]
    one, other = (texts(frame[column].loc[[row]])[0] if column in frame else "" for frame in frames)
    return one or "", other or ""


def change_of(version: Version, recipe: Recipe, column: str, first: int, last: int) -> Change | None:
    """A column behind `first` and behind `last` steps; None where it is neither a number nor a few labels."""
    before, after = (key_at(version, recipe, place) for place in (first, last))
    numeric = version.task == "regression" and column == version.roles.target
    return _change(version.dataset, version.id, before, after, recipe.seed, column, numeric)


@lru_cache(maxsize=128)
def _change(dataset: str, version: str, before: str, after: str, seed: int, column: str, numeric: bool) -> Change | None:
    old, new = (state_of(dataset, version, key, seed).table.frame for key in (before, after))
    if column not in old or column not in new:
        return None
    if numeric or kinds(pd.DataFrame({column: old[column].head(500)}))[column] == "number":
        return outlines(_numbers(old[column].tolist()), _numbers(new[column].tolist()))
    one, other = (Counter(cell for cell in texts(frame[column]) if cell) for frame in (old, new))
    if len(one) > 40:
        return None
    return {name: (n, other[name]) for name, n in one.most_common(CLASSES)}


def token_change(version: Version, recipe: Recipe, first: int, last: int) -> Outlines | None:
    """Tokens of the text behind `first` and behind `last` steps, on rows spread evenly over both."""
    before, after = (key_at(version, recipe, place) for place in (first, last))
    return _token_change(version.dataset, version.id, before, after, recipe.seed, tokenizer_of(recipe))


@lru_cache(maxsize=64)
def _token_change(dataset: str, version: str, before: str, after: str, seed: int, name: str) -> Outlines | None:
    old, new = _tokens(dataset, version, before, seed, name), _tokens(dataset, version, after, seed, name)
    return outlines(old, new) if old and new else None


@lru_cache(maxsize=64)
def _tokens(dataset: str, version: str, key: str, seed: int, name: str) -> list[float]:
    table = state_of(dataset, version, key, seed).table
    columns = [column for column in table.roles.text if column in table.frame]
    if not columns or not len(table.frame):
        return []
    some = table.frame.iloc[np.unique(np.linspace(0, len(table.frame) - 1, min(COUNTED, len(table.frame))).round().astype(int))]
    parts = [texts(some[column]) for column in columns]
    return [float(n) for n in counter(name)(["\n".join(cell or "" for cell in row) for row in zip(*parts, strict=True)])]


def tokenizer_of(recipe: Recipe) -> str:
    """The tokenizer the recipe's token window names, else the newer hosted models'."""
    named = [step.settings.get("tokenizer") for step in recipe.on if step.settings.get("tokenizer")]
    return str(named[-1]) if named else "o200k_base"


def prompted(version: Version, recipe: Recipe, seen: Preview, place: int) -> Shown | None:
    """The prompts of the row at that place of the outcome; None without a prompt, a target or rows. Raises DataError for a
    target that cannot be read."""
    prompt, roles, frame = seen.outcome.prompt, seen.outcome.roles, seen.outcome.frame
    if prompt is None or not roles.target or not version.task or not 0 <= place < len(frame):
        return None
    return next(iter(shown(frame.iloc[[place]], roles, version.task, prompt, counter(tokenizer_of(recipe)), rows=1)), None)


def gate_report(version: Version, recipe: Recipe, seen: Preview) -> LeakageReport:
    """All eight levels of the leakage gate on the outcome: the rows outside the test against the test rows.

    Pairs name places in `parts_of`: (row outside the test, test row).
    """
    return _gate_report(version.dataset, version.id, seen.key, recipe.seed)


@lru_cache(maxsize=16)
def _gate_report(dataset: str, version: str, key: str, seed: int) -> LeakageReport:
    return report_of(state_of(dataset, version, key, seed).table)


def sides(frame: pd.DataFrame, parts: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows outside the test, and the test rows; the index still numbers rows as before."""
    return pd.DataFrame(frame[parts != "test"]), pd.DataFrame(frame[parts == "test"])


def parts_table(version: Version, seen: Preview) -> pd.DataFrame:
    """part, rows, share and, for numbers, the median target: one line per part of the outcome."""
    frame, roles = seen.outcome.frame, seen.outcome.roles
    named = frame[roles.split].astype("str").to_numpy() if roles.split else np.full(len(frame), "")
    lines: list[dict[str, Any]] = []
    for name in SPLITS:
        mine = frame[named == name]
        if not len(mine):
            continue
        line: dict[str, Any] = {"part": name, "rows": seen.splits.get(name, 0), "share": seen.splits.get(name, 0) / max(1, seen.left)}
        if version.task == "regression" and roles.target:
            line[f"median {roles.target}"] = float(np.nanmedian(_numbers(mine[roles.target].tolist())))
        lines.append(line)
    return pd.DataFrame(lines)


def _numbers(cells: Sequence[Any]) -> list[float]:
    return [float("nan") if (value := read_amount(cell)) is None else value for cell in cells]
