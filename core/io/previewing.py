"""What a recipe does, step by step, before anything is saved.

The table after every step stays in memory (the last 24 of them), named by version, steps and seed: changing step five
runs steps five and on. Tables above 10,000 rows are looked at through 5,000 rows spread evenly over them.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from core.curate.contrast import Outlines, Shown, outlines, shown
from core.curate.leaks import Leaks
from core.curate.recipe import Outcome, Recipe, begin, finish
from core.curate.running import State, advance
from core.curate.steps import kind
from core.curate.table import texts
from core.errors import StudioError
from core.io import store
from core.io.curating import gate, tokenizer
from core.io.tokens import counter
from core.kinds import kinds
from core.reading import read_amount
from core.version import SPLITS, Step, Version

ALL = 10_000
"""Up to so many rows a preview counts them all."""
SOME = 5_000
"""Rows of the preview of a larger table."""
COUNTED = 1_500
"""Rows whose tokens are counted for the figure."""


@dataclass(frozen=True)
class StepPreview:
    """What one step of the recipe does, as far as the preview can tell."""

    on: bool
    before: int = 0
    after: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    dropped: pd.DataFrame | None = None
    """row (0-based, of the version), reason."""
    error: StudioError | None = None
    """Why this step could not run; the steps after it run as if it were off."""


@dataclass(frozen=True)
class Preview:
    steps: tuple[StepPreview, ...]
    rows: int
    """Rows looked at."""
    total: int
    """Rows of the version."""
    outcome: Outcome
    splits: Mapping[str, int]
    leaks: Leaks
    seconds: float
    """What the steps took on the rows looked at."""

    @property
    def whole(self) -> bool:
        """Whether all rows were looked at, so that numbers are exact."""
        return self.rows == self.total

    @property
    def failed(self) -> bool:
        return any(step.error for step in self.steps)

    def scaled(self, n: int) -> int:
        """A count of the rows looked at, for the whole table."""
        return n if self.whole else round(n * self.total / max(1, self.rows))


def preview(version: Version, recipe: Recipe) -> Preview:
    """What the recipe does, step by step; a step that fails tells why and the others stay."""
    steps: list[StepPreview] = []
    state, done = _start(version, recipe), ()
    rows = len(state.table.frame)
    for step, after, error in _walk(version, recipe):
        if after is None:
            steps.append(StepPreview(step.on, error=error))
            continue
        state, done = after, (*done, step)
        report = state.reports[-1]
        steps.append(StepPreview(True, report.rows_before, report.rows_after, report.reasons, state.gone[-1]))
    parts = state.table.splits()
    counts = {name: int((parts == name).sum()) for name in SPLITS if (parts == name).any()}
    found = _leaks(version.dataset, version.id, _key(done), recipe.seed)
    seconds = sum(report.seconds for report in state.reports)
    return Preview(tuple(steps), rows, version.rows, finish(state, done), counts, found, seconds)


def rows_at(version: Version, recipe: Recipe, place: int) -> pd.DataFrame:
    """The rows behind so many steps of the recipe (0: the source), with their number in the version as index."""
    state = _start(version, recipe)
    for _, after, _ in _walk(version, replace(recipe, steps=recipe.steps[:place])):
        state = after or state
    return state.table.frame


def columns_at(version: Version, recipe: Recipe, place: int) -> dict[str, str]:
    """Column -> kind, as the step at that place finds them."""
    return kinds(rows_at(version, recipe, place).head(500))


def _start(version: Version, recipe: Recipe) -> State:
    return _state(version.dataset, version.id, "[]", recipe.seed)


def _walk(version: Version, recipe: Recipe) -> list[tuple[Step, State | None, StudioError | None]]:
    """Each step with the state behind it; no state where it is off or fails."""
    found: list[tuple[Step, State | None, StudioError | None]] = []
    done: tuple[Step, ...] = ()
    for step in recipe.steps:
        step = replace(step, revision=kind(step.name).revision)
        if not step.on:
            found.append((step, None, None))
            continue
        try:
            state = _state(version.dataset, version.id, _key((*done, step)), recipe.seed)
        except StudioError as error:
            found.append((step, None, error))
            continue
        done = (*done, step)
        found.append((step, state, None))
    return found


def _key(steps: Sequence[Step]) -> str:
    return json.dumps([step.to_dict() for step in steps], sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=24)
def _state(dataset: str, version: str, steps: str, seed: int) -> State:
    """The state after these steps (a JSON list); the one before the last step is looked up the same way."""
    entries = json.loads(steps)
    if not entries:
        one = store.version(dataset, version)
        return begin(_some(store.frame(one), one.rows), one.roles, one.prompt, one.task, one.rows)
    before = _state(dataset, version, json.dumps(entries[:-1], sort_keys=True, ensure_ascii=False), seed)
    return advance(before, [Step.from_dict(entries[-1])], seed, tokenizer=tokenizer, clock=time.perf_counter)


@lru_cache(maxsize=8)
def _leaks(dataset: str, version: str, steps: str, seed: int) -> Leaks:
    """What the gate finds; a recipe that ends in Move leaks, as recommended, has just taken all of it out."""
    last = next(iter(json.loads(steps)[-1:]), None)
    if last and last["name"] == "move_leaks" and last["settings"] == kind("move_leaks").settings().to_dict():
        return Leaks()
    return gate(_state(dataset, version, steps, seed).table)


def _some(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """All rows of a small table, else evenly spread ones with the numbers they have."""
    return frame if rows <= ALL else frame.iloc[np.unique(np.linspace(0, rows - 1, SOME).round().astype(np.int64))]


def target_outlines(version: Version, seen: Preview) -> Outlines | dict[str, tuple[int, int]] | None:
    """The target before and after: two histograms of a number, or label -> (before, after); None where neither fits."""
    before, after = _start(version, Recipe()).table.frame, seen.outcome.frame
    target = version.roles.target
    if not target or target not in after or version.task not in ("regression", "classification"):
        return None
    if version.task == "regression":
        return outlines(_numbers(before[target].tolist()), _numbers(after[target].tolist()))
    old, new = (Counter(texts(frame[target])) for frame in (before, after))
    return {str(name): (n, new[name]) for name, n in old.most_common(12)} if len(old) <= 40 else None


def token_outlines(version: Version, recipe: Recipe, seen: Preview) -> Outlines | None:
    """Tokens of the text before and after, on rows spread evenly over both."""
    before = _start(version, recipe).table
    if not before.roles.text or not len(seen.outcome.frame):
        return None
    name = tokenizer_of(recipe)
    return outlines(_tokens(before.frame, before.roles.text, name), _tokens(seen.outcome.frame, seen.outcome.roles.text, name))


def tokenizer_of(recipe: Recipe) -> str:
    """The tokenizer the recipe's token window names, else the newer hosted models'."""
    named = [step.settings.get("tokenizer") for step in recipe.on if step.settings.get("tokenizer")]
    return str(named[-1]) if named else "o200k_base"


def prompt_rows(version: Version, recipe: Recipe, seen: Preview) -> list[Shown]:
    """The prompt on three rows of the outcome; empty without a prompt, a target or rows. Raises DataError for unreadable targets."""
    prompt, roles = seen.outcome.prompt, seen.outcome.roles
    if prompt is None or not roles.target or not version.task or not len(seen.outcome.frame):
        return []
    return shown(seen.outcome.frame, roles, version.task, prompt, counter(tokenizer_of(recipe)))


def _tokens(frame: pd.DataFrame, columns: Sequence[str], name: str) -> list[float]:
    some = frame.iloc[np.unique(np.linspace(0, len(frame) - 1, min(COUNTED, len(frame))).round().astype(int))]
    parts = [texts(some[column]) for column in columns]
    return [float(n) for n in counter(name)(["\n".join(cell or "" for cell in row) for row in zip(*parts, strict=True)])]


def _numbers(cells: list[Any]) -> list[float]:
    return [float("nan") if (value := read_amount(cell)) is None else value for cell in cells]
