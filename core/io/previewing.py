"""What a recipe does, step by step, before anything is saved.

The table after every step stays in memory (the last 64 of them), named by version, steps and seed: changing step five
runs steps five and on. Tables above 10,000 rows are looked at through 5,000 rows spread evenly over them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.curate.leaks import Leaks
from core.curate.recipe import Outcome, Recipe, begin, finish
from core.curate.running import State, advance
from core.curate.steps import kind
from core.curate.table import Table
from core.curate.text import from_yaml, to_yaml
from core.errors import StudioError
from core.io import jobs, store
from core.io.curating import gate, make, planned_id, tokenizer
from core.io.jobs import Job
from core.io.languages import identify
from core.kinds import kinds
from core.version import SPLITS, Step, Version

if TYPE_CHECKING:
    from core.io.work import Desk

ALL = 10_000
"""Up to so many rows a preview counts them all."""
SOME = 5_000
"""Rows of the preview of a larger table."""


@dataclass(frozen=True)
class StepPreview:
    """What one step of the recipe does to the whole table: counted, or scaled up from the rows looked at."""

    on: bool
    before: int = 0
    after: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    dropped: pd.DataFrame | None = None
    """row (0-based, of the version), reason: among the rows looked at."""
    seconds: float = 0.0
    """What it took on the rows that were counted."""
    error: StudioError | None = None
    """Why this step could not run; the steps after it run as if it were off."""


@dataclass(frozen=True)
class Preview:
    steps: tuple[StepPreview, ...]
    rows: int
    """Rows looked at."""
    total: int
    """Rows of the version."""
    left: int
    """Rows behind the last step, of the whole table."""
    outcome: Outcome
    """Of the rows looked at."""
    splits: Mapping[str, int]
    """Rows of each part, of the whole table."""
    leaks: Leaks
    key: str
    """The steps that ran, as `state_of` names its cache."""
    seconds: float
    """What the steps took on the rows looked at."""
    recounted: bool = False
    """Whether a job has counted all rows."""

    @property
    def whole(self) -> bool:
        """Whether all rows were looked at."""
        return self.rows == self.total

    @property
    def exact(self) -> bool:
        """Whether the counts are those of all rows."""
        return self.whole or self.recounted

    @property
    def failed(self) -> bool:
        return any(step.error for step in self.steps)

    def scaled(self, n: int) -> int:
        """A count of the rows looked at, for the whole table; what is there stays at least one."""
        return n if self.whole or not n else max(1, round(n * self.total / max(1, self.rows)))


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
        steps.append(StepPreview(True, report.rows_before, report.rows_after, report.reasons, state.gone[-1], report.seconds))
    parts = state.table.splits()
    counts = {name: int((parts == name).sum()) for name in SPLITS if (parts == name).any()}
    named = (version.dataset, version.id, _key(done), recipe.seed)
    seconds = sum(report.seconds for report in state.reports)
    left = len(state.table.frame)
    seen = Preview(tuple(steps), rows, version.rows, left, _outcome(*named), counts, _leaks(*named), named[2], seconds)
    return seen if seen.whole else _grown(seen, recount_of(version, recipe))


def _grown(seen: Preview, job: Job | None) -> Preview:
    """Counts of the whole table: those of the job that counted it, else scaled up."""
    counted = job.result if job and job.state == "done" else None
    if counted is None:
        steps = [replace(one, before=seen.scaled(one.before), after=seen.scaled(one.after),
                         reasons={reason: seen.scaled(n) for reason, n in one.reasons.items()}) for one in seen.steps]  # fmt: skip
        parts = {name: seen.scaled(n) for name, n in seen.splits.items()}
        return replace(seen, steps=tuple(steps), splits=parts, left=seen.scaled(seen.left))
    told = iter(counted["steps"])
    steps = [replace(one, **next(told)) if one.on and not one.error else one for one in seen.steps]
    leaks = Leaks(counted["leaked"]) if "leaked" in counted else seen.leaks
    return replace(seen, steps=tuple(steps), splits=counted["splits"], left=counted["left"], leaks=leaks, recounted=True)


def recount_request(version: Version, recipe: Recipe) -> dict[str, Any]:
    """What the job "recount" is asked."""
    asked = {"dataset": version.dataset, "version": version.id, "rows": version.rows}
    return {**asked, "recipe": to_yaml(recipe), "planned": planned_id(version, recipe)}


def recount_of(version: Version, recipe: Recipe) -> Job | None:
    """The newest job that counts, or has counted, what this recipe does to all rows; a stopped one counts for none."""
    planned = planned_id(version, recipe)
    found = (job for job in jobs.all_jobs(version.dataset, "recount") if job.request.get("planned") == planned)
    return next((job for job in found if job.state not in ("cancelled", "interrupted")), None)


def run_recount(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "recount": every row through every step, nothing kept but the counts."""
    version = store.version(request["dataset"], request["version"])
    outcome = make(version, from_yaml(request["recipe"]), progress=desk.say)
    parts = Table(outcome.frame, outcome.roles).splits()
    steps = [{"before": one.rows_before, "after": one.rows_after, "reasons": dict(one.reasons), "seconds": one.seconds}
             for one in outcome.reports]  # fmt: skip
    splits = {name: int((parts == name).sum()) for name in SPLITS if (parts == name).any()}
    desk.say(0, 0, "Looking for leaks")
    leaked = gate(Table(outcome.frame, outcome.roles)).test_rows
    return {"steps": steps, "splits": splits, "left": len(outcome.frame), "leaked": leaked}


def rows_at(version: Version, recipe: Recipe, place: int) -> pd.DataFrame:
    """The rows behind so many steps of the recipe (0: the source), with their number in the version as index."""
    return state_at(version, recipe, place).table.frame


def state_at(version: Version, recipe: Recipe, place: int) -> State:
    """Where the recipe stands behind so many of its steps; those that are off or fail change nothing."""
    return state_of(version.dataset, version.id, key_at(version, recipe, place), recipe.seed)


def key_at(version: Version, recipe: Recipe, place: int) -> str:
    """The steps that ran among the first so many, as a JSON list: what `state_of` names its cache by."""
    return _key([step for step, after, _ in _walk(version, replace(recipe, steps=recipe.steps[:place])) if after])


def columns_at(version: Version, recipe: Recipe, place: int) -> dict[str, str]:
    """Column -> kind, as the step at that place finds them."""
    return kinds(rows_at(version, recipe, place).head(500))


def _start(version: Version, recipe: Recipe) -> State:
    return state_of(version.dataset, version.id, "[]", recipe.seed)


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
            state = state_of(version.dataset, version.id, _key((*done, step)), recipe.seed)
        except StudioError as error:
            found.append((step, None, error))
            continue
        done = (*done, step)
        found.append((step, state, None))
    return found


def _key(steps: Sequence[Step]) -> str:
    return json.dumps([step.to_dict() for step in steps], sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=64)
def state_of(dataset: str, version: str, steps: str, seed: int) -> State:
    """The state after these steps (a JSON list); the one before the last step is looked up the same way."""
    entries = json.loads(steps)
    if not entries:
        one = store.version(dataset, version)
        return begin(_some(store.frame(one), one.rows), one.roles, one.prompt, one.task, one.rows)
    before = state_of(dataset, version, json.dumps(entries[:-1], sort_keys=True, ensure_ascii=False), seed)
    return advance(before, [Step.from_dict(entries[-1])], seed, tokenizer=tokenizer, clock=time.perf_counter, identify=identify)


@lru_cache(maxsize=16)
def _outcome(dataset: str, version: str, steps: str, seed: int) -> Outcome:
    return finish(state_of(dataset, version, steps, seed), [Step.from_dict(entry) for entry in json.loads(steps)])


@lru_cache(maxsize=16)
def _leaks(dataset: str, version: str, steps: str, seed: int) -> Leaks:
    """What the gate finds; a recipe that ends in Move leaks, as recommended, has just taken all of it out."""
    last = next(iter(json.loads(steps)[-1:]), None)
    if last and last["name"] == "move_leaks" and last["settings"] == kind("move_leaks").settings().to_dict():
        return Leaks()
    return gate(state_of(dataset, version, steps, seed).table)


def _some(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """All rows of a small table, else evenly spread ones with the numbers they have."""
    return frame if rows <= ALL else frame.iloc[np.unique(np.linspace(0, rows - 1, SOME).round().astype(np.int64))]
