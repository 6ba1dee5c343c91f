"""The whole job in one go, by the same functions the pages call: a sample, its recipe, every cheap predictor, the built-in
model prompted and fine-tuned, the verdict and the report.

Paid for with nothing but time: about eight minutes on two cores for *Price it*, training included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import ModelError, SettingsError
from core.evaluation import Evaluation
from core.format import unit_of
from core.io import evaluations, jobs, projects, store
from core.version import Version

Say = Callable[[str], None]
PRESETS = {"price": "pricing", "stars": "sentiment", "facts": "closed_book"}
"""Sample -> the recipe that makes training data of it."""
MODEL_ROWS = 250
"""Test rows for language models, drawn by lot; classical predictors answer them all."""


def prepare(project: str, say: Say, rows: int | None = None, seed: int = 0) -> Version:
    """Open the sample, apply its recipe and save the curated version."""
    from core.curate.presets import preset
    from core.io import curating

    if project not in PRESETS:
        raise SettingsError(f"There is no project '{project}'. There are {', '.join(PRESETS)}.", title="No such project")
    raw = projects.open_sample(project, rows, seed)
    say(f"{raw.rows:,} raw rows, {raw.splits.get('test', 0):,} of them test rows")
    version = curating.save(raw, preset(PRESETS[project], raw, store.frame(raw)))
    for one in version.report:
        if one.rows_before != one.rows_after:
            say(f"  {one.name}: {one.rows_before:,} to {one.rows_after:,} rows")
    say(f"{version.rows:,} rows stay: " + ", ".join(f"{n:,} {name}" for name, n in version.splits.items()))
    return version


def baselines(version: Version, names: Sequence[str], say: Say, seed: int = 0) -> list[Evaluation]:
    """Measure these predictors on all test rows; one that fails is told and the others go on."""
    request = {"dataset": version.dataset, "version": version.id, "names": list(names), "limit": MODEL_ROWS, "seed": seed}
    _follow(jobs.start("baselines", request, title="Baselines", dataset=version.dataset), say)
    return evaluations.of(version.dataset, version.id)


def names(version: Version, *, prompted: bool = True) -> list[str]:
    """The predictors the demo runs: all that are on by default for the task, and the prompted built-in model."""
    from core.predict.registry import PREDICTORS, names_for

    chosen = [name for name in names_for(version.task or "chat", default=True, context=False) if PREDICTORS[name].family != "prompted"]
    return [*chosen, "prompted"] if prompted else chosen


def tune(version: Version, say: Say, settings: dict[str, Any] | None = None, preset: str = "quick", seed: int = 0) -> dict[str, Any]:
    """One LoRA run of the built-in model, then its answers to the same test rows."""
    from core.finetune.settings import TrainSettings
    from core.finetune.settings import preset as named

    chosen = {**named(preset, version.task or "chat").to_dict(), **(settings or {}), "seed": seed}
    request = {
        "dataset": version.dataset,
        "version": version.id,
        "settings": TrainSettings.from_dict(chosen).to_dict(),
        "limit": MODEL_ROWS,
    }
    return _follow(jobs.start("finetune", request, title="Fine-tune", dataset=version.dataset), say)


def _follow(job: jobs.Job, say: Say) -> dict[str, Any]:
    """Tell how a job goes on until it ends; raises ModelError with its words when it failed."""
    import time

    told = ""
    while job.alive:
        line = f"  {job.message} {job.step:,} of {job.total:,}" if job.total else f"  {job.message}"
        if line != told:
            say(line)
            told = line
        time.sleep(1)
        job = jobs.read(job.id)
    if job.state != "done":
        error = job.error or {"title": f"The job was {job.state}", "message": f"Its log is {job.folder / 'log.txt'}."}
        raise ModelError(error["message"], title=error["title"])
    return dict(job.result or {})


def run(
    project: str, say: Say, *, out: Path, rows: int | None = None, seed: int = 0, settings: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The whole job: {table, verdict, report}. `out` is the folder the report is written to."""
    from core.compare.leaderboard import leaderboard
    from core.compare.report import report
    from core.compare.verdict import verdict
    from core.io.commands.compare import table
    from core.io.files import atomic_write
    from core.io.testing import test_rows

    version = prepare(project, say, rows, seed)
    baselines(version, names(version), say, seed)
    tuned = tune(version, say, settings, seed=seed)
    board = leaderboard(evaluations.of(version.dataset, version.id), unit=unit_of(version.roles.target), seed=seed)
    said = verdict(board, leak=version.leak)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{project}_report.html"
    atomic_write(path, report(board, said, title=store.dataset(version.dataset).label, texts=dict(enumerate(test_rows(version).text))))
    return {"table": table(board), "verdict": said.text, "report": str(path), "training": tuned}
