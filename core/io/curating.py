"""Recipes at the edge: previewed on some rows, saved as a version, kept as a draft between visits.

A preview keeps the table after every step in memory (the last 24 of them), named by version, steps and seed: changing
step five runs steps five and on. Saving runs the whole recipe over all rows through the engine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.curate.leaks import Leaks, leaks
from core.curate.recipe import Outcome, Recipe, begin, finish, run
from core.curate.running import RowSteps, State, advance
from core.curate.steps import kind
from core.curate.table import Table, Tokenizer
from core.curate.text import from_yaml, to_yaml
from core.errors import DataError, StudioError
from core.io import engine, files, store
from core.version import SPLITS, Step, Version, version_id

if TYPE_CHECKING:
    import pandas as pd

ALL = 10_000
"""Up to so many rows a preview counts them all."""
SOME = 5_000
"""Rows of the preview of a larger table, spread evenly over it."""


@dataclass(frozen=True)
class StepPreview:
    """What one step of the recipe does, as far as the preview can tell."""

    on: bool
    before: int = 0
    after: int = 0
    reasons: dict[str, int] | None = None
    dropped: Any = None
    """Data frame: row (0-based, of the version), reason."""
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
    splits: dict[str, int]
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
    done: tuple[Step, ...] = ()
    state = _state(version.dataset, version.id, "[]", recipe.seed)
    rows = len(state.table.frame)
    for step in recipe.steps:
        if not step.on:
            steps.append(StepPreview(False))
            continue
        step = replace(step, revision=kind(step.name).revision)
        try:
            state = _state(version.dataset, version.id, _key((*done, step)), recipe.seed)
        except StudioError as error:
            steps.append(StepPreview(True, error=error))
            continue
        done = (*done, step)
        report = state.reports[-1]
        steps.append(StepPreview(True, report.rows_before, report.rows_after, dict(report.reasons), state.gone[-1]))
    table = state.table
    parts = table.splits()
    counts = {name: int((parts == name).sum()) for name in SPLITS if (parts == name).any()}
    found = _leaks(version.dataset, version.id, _key(done), recipe.seed)
    seconds = sum(report.seconds for report in state.reports)
    return Preview(tuple(steps), rows, version.rows, finish(state, done), counts, found, seconds)


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
    return gate(_state(dataset, version, steps, seed).table)


def _some(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """All rows of a small table, else evenly spread ones with the numbers they have."""
    return frame if rows <= ALL else frame.iloc[np.linspace(0, rows - 1, SOME).round().astype(np.int64)]


def gate(table: Table) -> Leaks:
    """Train and validation rows that also stand in the test."""
    if not table.roles.text or not (table.splits() == "test").any():
        return Leaks()
    return leaks(table.frame, table.splits(), table.roles.text, parent=table.roles.parent_row)


def tokenizer(name: str) -> Tokenizer:
    """A tokenizer by the name it has in settings: an encoding of hosted models, or "embedded"."""
    if name == "embedded":
        from core.io import embedded

        words = embedded.tokenizer()
        return Tokenizer(lambda text: words.encode(text, add_special_tokens=False), words.decode)
    from core.io.tokens import encoding

    found = encoding(name)
    return Tokenizer(found.encode_ordinary, found.decode)


def make(
    version: Version, recipe: Recipe, *, workers: int | None = None, progress: Callable[[int, int, str], None] | None = None
) -> Outcome:
    """The whole recipe over all rows of a version. The number of workers changes the time and nothing else."""
    rows = store.frame(version)
    count = workers or engine.workers_for(len(rows))

    def spread(steps: RowSteps, frame: pd.DataFrame) -> pd.DataFrame:
        return _spread(steps, frame, count, progress)

    return run(
        rows, version.roles, recipe, prompt=version.prompt, task=version.task, tokenizer=tokenizer, rows=spread, clock=time.perf_counter
    )


def _spread(steps: RowSteps, frame: pd.DataFrame, workers: int, progress: Callable[[int, int, str], None] | None) -> pd.DataFrame:
    import pyarrow as pa

    types = {"text": pa.large_string(), "number": pa.float64()}
    writes = {**{name: types[what] for name, what in steps.writes().items()}, "dropped": pa.large_string(), "dropped_by": pa.int32()}
    done = engine.run(steps, frame, writes, workers=workers, progress=progress)
    done.frame.attrs["seconds"] = np.sum([note["seconds"] for note in done.notes], axis=0).tolist()
    return done.frame


def save(
    version: Version,
    recipe: Recipe,
    *,
    workers: int | None = None,
    leaks: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Version:
    """Run the recipe over all rows and save what stays as a new version with its reports and every row that left.

    Raises DataError when nothing changes, no row stays, a split leaves no test or train row, or test rows are also in
    train (`leaks` lets them through).
    """
    if not recipe.on:
        raise DataError("The recipe has no step that is on. Add one.", title="Nothing changes")
    outcome = make(version, recipe, workers=workers, progress=progress)
    check(outcome, version, leaks=leaks)
    return store.save(
        "", outcome.frame, title=title(recipe), parent=version, steps=recipe.on, seed=recipe.seed, roles=outcome.roles, task=version.task,
        prompt=outcome.prompt, report=outcome.reports, dropped=outcome.dropped, source={"recipe": to_yaml(recipe)},
    )  # fmt: skip


def check(outcome: Outcome, version: Version, *, leaks: bool = False) -> None:
    """Raises DataError when the outcome is nothing to train and measure on."""
    if not len(outcome.frame):
        raise DataError(f"None of {version.rows:,} rows stays. Look at the step that drops most and make it milder.", title="No row stays")
    table = Table(outcome.frame, outcome.roles, outcome.prompt, version.task)
    parts = table.splits()
    if outcome.roles.split:
        for name, what in (("test", "measure on"), ("train", "train on")):
            if not (parts == name).any():
                raise DataError(f"The recipe leaves no {name} rows, and there is nothing to {what}. Look at the split.",
                                title=f"No {name} rows")  # fmt: skip
        found = gate(table)
        if found.reasons and not leaks:
            raise DataError(f"{found.test_rows:,} test rows are also in train: the test would measure memory. Add Move leaks after it.",
                            title="The test leaks into train")  # fmt: skip


def planned_id(version: Version, recipe: Recipe) -> str:
    """The id the version will have: known before it is made."""
    return version_id(version.id, recipe.on, recipe.seed)


def title(recipe: Recipe) -> str:
    """How the version picker names it: "Split" for a single step, else "Curate" or "Curate and split"."""
    names = [step.name for step in recipe.on]
    if len(names) == 1:
        return kind(names[0]).title
    return "Curate and split" if "split" in names else "Curate"


def draft(version: Version) -> Recipe | None:
    """The recipe that was being written for this version; None when there is none or it cannot be read any more."""
    path = _draft_path(version)
    try:
        return from_yaml(path.read_text(encoding="utf-8")) if path.exists() else None
    except StudioError:
        return None


def keep_draft(version: Version, recipe: Recipe) -> None:
    """Keep the recipe until it is saved or emptied."""
    path = _draft_path(version)
    if recipe == Recipe():
        path.unlink(missing_ok=True)
    else:
        files.atomic_write(path, to_yaml(recipe))


def _draft_path(version: Version) -> Path:
    return files.folder("drafts") / f"{version.dataset}-{version.id}.yaml"
