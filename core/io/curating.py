"""Recipes at the edge: run over all rows through the engine, saved as a version, kept as a draft between visits.

What a recipe would do is told by `core/io/previewing.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.curate import checking
from core.curate.leakage import LeakageReport, leakage
from core.curate.leaks import Leaks, leaks
from core.curate.recipe import Outcome, Recipe, run
from core.curate.running import Passed, RowSteps
from core.curate.steps import kind
from core.curate.table import Table, Tokenizer
from core.curate.text import from_yaml, lines_of, to_yaml
from core.errors import DataError, StudioError
from core.io import engine, files, spawning, store
from core.io.languages import identify
from core.version import Version, version_id

if TYPE_CHECKING:
    from core.io.work import Desk


EVERY_LEVEL = 50_000
"""Rows up to which the gate looks at the levels that only warn too: about half a minute."""


def gate(table: Table) -> Leaks:
    """Train and validation rows that also stand in the test."""
    if not table.roles.text or not (table.splits() == "test").any():
        return Leaks()
    return leaks(table.frame, table.splits(), table.roles.text, parent=table.roles.parent_row)


def gate_report(table: Table) -> LeakageReport:
    """All eight levels of the leakage gate: the rows outside the test against the test rows. Works on previews too."""
    parts, roles = table.splits(), table.roles
    train, test = pd.DataFrame(table.frame[parts != "test"]), pd.DataFrame(table.frame[parts == "test"])
    group, time, parent, target = (
        name if name in table.frame else None for name in (roles.group, roles.time, roles.parent_row, roles.target)
    )
    return leakage(train, test, roles.text, group=group, time=time, parent=parent, target=target, same_table=True)


def tokenizer(name: str) -> Tokenizer:
    """A tokenizer by the name it has in settings: an encoding of hosted models, or "embedded"."""
    if name == "embedded":
        from core.io import embedded

        words = embedded.tokenizer()
        return Tokenizer(lambda text: words.encode(text, add_special_tokens=False), words.decode)
    from core.io.tokens import counter, encoder, encoding

    counted = counter(name)
    return Tokenizer(encoder(name), encoding(name).decode, lambda text: counted([text])[0])


def make(
    version: Version,
    recipe: Recipe,
    *,
    workers: int | None = None,
    crew: engine.Crew | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Outcome:
    """The whole recipe over all rows of a version. The number of workers changes the time and nothing else.

    One crew of workers serves all passes; a `crew` that is given stays for what comes after.
    """
    several = crew or engine.crew_of(workers or engine.workers_for(version.rows))
    if several.workers > 1:
        spawning.warm()
    rows = store.frame(version)

    def spread(steps: RowSteps, frame: pd.DataFrame) -> Passed:
        return _spread(steps, frame, several, progress)

    def begins(name: str) -> None:
        if progress:
            progress(0, 0, kind(name).title)

    with several:
        return run(
            rows,
            version.roles,
            recipe,
            prompt=version.prompt,
            task=version.task,
            tokenizer=tokenizer,
            rows=spread,
            clock=time.perf_counter,
            identify=identify,
            begins=begins,
        )


def _spread(steps: RowSteps, frame: pd.DataFrame, crew: engine.Crew, progress: Callable[[int, int, str], None] | None) -> Passed:
    import pyarrow as pa

    types = {"text": pa.large_string(), "number": pa.float64()}
    writes = {**{name: types[what] for name, what in steps.writes().items()}, "dropped": pa.large_string(), "dropped_by": pa.int32()}
    done = engine.run(steps, frame, writes, reads=steps.reads(), told=("dropped", "dropped_by"), crew=crew, progress=progress)
    seconds = np.sum([note["seconds"] for note in done.notes], axis=0).tolist()
    return Passed(done.frame, pd.Series(done.told["dropped"]), pd.Series(done.told["dropped_by"]), seconds)


def save(
    version: Version,
    recipe: Recipe,
    *,
    workers: int | None = None,
    leaks: bool = False,
    lines: Sequence[int] = (),
    progress: Callable[[int, int, str], None] | None = None,
) -> Version:
    """Run the recipe over all rows and save what stays as a new version with its reports and every row that left.

    Raises SettingsError before any row is read when a step cannot run (`lines`: where each step begins in the recipe's file),
    DataError when nothing changes, no row stays, a split leaves no test or train row, or test rows are also in
    train (`leaks` lets them through).
    """
    if not recipe.on:
        raise DataError("The recipe has no step that is on. Add one.", title="Nothing changes")
    checking.check(recipe.steps, version.columns, version.roles, rows=version.rows, task=version.task, lines=lines)
    outcome = make(version, recipe, workers=workers, progress=progress)
    if progress:
        progress(0, 0, "Looking for leaks")
    found = check(outcome, version, leaks=leaks)
    kept = {"recipe": to_yaml(recipe), **found}
    return store.save(
        "", outcome.frame, title=title(recipe), parent=version, steps=recipe.on, seed=recipe.seed, roles=outcome.roles, task=version.task,
        prompt=outcome.prompt, report=outcome.reports, dropped=outcome.dropped, source=kept,
    )  # fmt: skip


def check(outcome: Outcome, version: Version, *, leaks: bool = False) -> dict[str, Any]:
    """What the leakage gate found, to be kept with the version; up to 50,000 rows at all eight levels, above at those that block.

    leaked_test_rows (None without a split), leakage (verdict and a count per level), leaked_places (places among the test
    rows). Raises DataError when there is nothing to train and measure on, or test rows are also in train.
    """
    if not len(outcome.frame):
        raise DataError(f"None of {version.rows:,} rows stays. Look at the step that drops most and make it milder.", title="No row stays")
    table = Table(outcome.frame, outcome.roles, outcome.prompt, version.task)
    parts = table.splits()
    if outcome.roles.split:
        for name, what in (("test", "measure on"), ("train", "train on")):
            if not (parts == name).any():
                raise DataError(f"The recipe leaves no {name} rows, and there is nothing to {what}. Look at the split.",
                                title=f"No {name} rows")  # fmt: skip
        report = gate_report(table) if len(parts) <= EVERY_LEVEL and outcome.roles.text else None
        count = gate(table).test_rows if report is None else report.leaked
        if count and not leaks:
            raise DataError(f"{count:,} test rows are also in train: the test would measure memory. Add Move leaks after it.",
                            title="The test leaks into train")  # fmt: skip
        whole = {} if report is None else {"leakage": report.counts(), "leaked_places": report.leaked_rows()}
        return {"leaked_test_rows": count, **whole}
    return {"leaked_test_rows": None}


def leaked_places(version: Version) -> list[int]:
    """Places among the test rows of those that block: as kept when the version was saved, else looked for in up to 50,000 rows."""
    if "leaked_places" in version.source:
        return list(version.source["leaked_places"])
    if not version.roles.text or not version.splits.get("test") or version.rows > EVERY_LEVEL:
        return []
    return gate_report(Table(store.frame(version), version.roles, version.prompt, version.task)).leaked_rows()


def run_save(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "curate": {dataset, version, recipe (YAML), leaks, workers} -> {dataset, version}."""
    version = store.version(request["dataset"], request["version"])
    recipe, lines = from_yaml(request["recipe"]), lines_of(request["recipe"])
    made = save(version, recipe, lines=lines, leaks=bool(request.get("leaks")), workers=request.get("workers"), progress=desk.say)
    return {"dataset": made.dataset, "version": made.id}


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
