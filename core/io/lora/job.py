"""The job "finetune": rows of a version in, an adapter and its evaluation on the test rows out.

Phases people see: preparing the model (once), preparing the rows, waiting for another run, training, measuring on the
test rows. Stopped or killed, the last complete checkpoint stays and the same job goes on from it.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DataError, Stopped
from core.finetune.estimates import estimate, steps_of
from core.finetune.rows import TrainingRows, answer_texts, training_rows
from core.finetune.settings import TrainSettings
from core.format import unit_of
from core.io import files, store
from core.io.embedded import ensure_converted, facts, is_ready, remember_rate, remembered_rate, tokenizer
from core.io.embedded.generate import encode, render
from core.io.embedded.loading import give_back, resolved, training_here
from core.io.embedded.weights import model_dir, offline
from core.io.lora import card, runs
from core.io.lora.standing import Run, Told, Trained
from core.io.lora.training import train
from core.prediction import Examples, examples
from core.prompt import Prompt, default_prompt
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

LIMIT = 250
"""Test rows answered after a run, drawn by lot: about half a minute on two cores."""
SHOWN = 4
TITLES = {"train": "Training", "test": "Measuring on test rows"}


@dataclass(frozen=True)
class Prepared:
    """A version's rows as tokens."""

    train: TrainingRows
    validation: TrainingRows | None
    """None when the version has no validation rows."""
    shown: Examples
    """The rows whose answers are watched: validation rows, or train rows where there are none."""


def prepare(version: Version, prompt: Prompt, settings: TrainSettings, base: Path | None = None) -> Prepared:
    """The train and validation rows of a version as tokens. Raises DataError when something is missing."""
    if not version.roles.target or not version.task:
        raise DataError("Nothing is chosen to be predicted. Choose a target on Explore.", title="Choose what to predict")
    words = tokenizer(base or model_dir())
    parts = {name: _examples(version, name) for name in ("train", "validation")}
    if parts["train"] is None:
        raise DataError(f"{version.label} has no train rows. Split it on Curate.", title="Needs train rows")
    made = {name: _tokens(rows, prompt, words, settings) for name, rows in parts.items() if rows is not None}
    shown = parts["validation"] or parts["train"]
    return Prepared(made["train"], made.get("validation"), shown.take(list(range(min(SHOWN, len(shown))))))


def prompt_of(version: Version) -> Prompt:
    """The version's prompt, or the task's default where none was chosen. Raises DataError without a task."""
    if version.prompt is not None:
        return version.prompt
    if not version.task:
        raise DataError("Nothing is chosen to be predicted. Choose a target on Explore.", title="Choose what to predict")
    return default_prompt(version.task, version.roles, unit=unit_of(version.roles.target))


def _examples(version: Version, split: str) -> Examples | None:
    if version.roles.split is None or not version.splits.get(split):
        return None
    return examples(store.frame(version, split=split).reset_index(drop=True), version.roles, version.task or "chat")


def _tokens(rows: Examples, prompt: Prompt, words: Any, settings: TrainSettings) -> TrainingRows:
    def draw(messages: list[dict[str, str]], prefix: str) -> str:
        return render(words, messages, prefix)

    return training_rows(rows, prompt, draw, lambda texts: encode(words, texts), words.eos_token_id, settings.max_tokens)


def sample(rows: tuple[Any, ...], most: int, seed: int) -> tuple[Any, ...]:
    """That many rows (0: all) drawn with the seed, in their order."""
    if not most or most >= len(rows):
        return rows
    return tuple(rows[i] for i in sorted(np.random.default_rng(seed).permutation(len(rows))[:most].tolist()))


def run_finetune(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """Request: {dataset, version, settings, prompt?, limit?, continue_from?}. Result: {adapter, evaluation, step, steps, ...losses}."""
    offline()
    version = store.version(request["dataset"], request["version"])
    settings = TrainSettings.from_dict(request.get("settings", {}))
    prompt = Prompt.from_dict(request["prompt"]) if request.get("prompt") else prompt_of(version)
    if request.get("measure"):
        return _measure_again(desk, version, runs.adapter(request["measure"]), int(request.get("limit") or LIMIT))
    if not is_ready():
        ensure_converted(lambda done, total, message: desk.say(done, total, message))
    base = model_dir()
    desk.say(0, 0, "Preparing the rows")
    ready = prepare(version, prompt, settings, base)
    with desk.turn("training"), training_here():
        try:
            made = _trained(desk, version, prompt, settings, base, ready, request.get("continue_from"))
        except Stopped:
            if runs.last_step(desk.folder) is not None:
                keep(desk.folder)
            raise
        evaluation = _measure(desk, version, prompt, made, int(request.get("limit") or LIMIT))
    card.write(made)
    shutil.rmtree(desk.folder / "checkpoints", ignore_errors=True)
    told = ("step", "steps", "seconds", "train_loss", "validation_loss", "tokens_per_second")
    return {"adapter": made.id, "evaluation": evaluation, **{name: getattr(made, name) for name in told}}


def _trained(desk: Desk, version: Version, prompt: Prompt, settings: TrainSettings, base: Path, ready: Prepared,
             continue_from: str | None) -> runs.Adapter:  # fmt: skip
    """The run's adapter: trained now, or found where an earlier start of this job left it."""
    id = desk.folder.name
    if (files.folder("adapters") / id / runs.ABOUT).is_file() and not runs.adapter(id).stopped:
        return runs.adapter(id)
    rows = sample(ready.train.rows, settings.train_rows, settings.seed)
    steps = steps_of(len(ready.train.rows), settings)
    words = tokenizer(base)
    chats = [render(words, prompt.question(row), prompt.prefix) for row in ready.shown.rows()]
    validation = sample(ready.validation.rows, settings.validation_rows, settings.seed) if ready.validation else ()
    run = Run(base, rows, validation, settings, steps, desk.folder / "checkpoints", encode(words, chats), min(48, prompt.max_tokens),
              runs.adapter(continue_from).folder if continue_from else None)  # fmt: skip
    about = runs.Adapter(id, f"{runs.base_title(base)} fine-tuned", version.dataset, version.id, version.task or "", 0, steps,
                         settings.to_dict(), prompt.to_dict(), base.name, facts(base).revision, len(rows),
                         estimate=_expected(ready.train, validation, base, settings))  # fmt: skip
    files.write_json(desk.folder / "about.json", {key: getattr(about, key) for key in runs.Adapter.__dataclass_fields__})
    truth = ready.shown.targets or ()
    files.write_json(desk.folder / "shown.json", {"Row": list(ready.shown.text), "Truth": answer_texts(ready.shown, prompt, truth)})
    desk.say(0, steps, TITLES["train"], phase="train")
    trained = train(run, _teller(desk))
    give_back()
    if trained.tokens_per_second and settings.quantization == "none":
        remember_rate(base, trained.tokens_per_second)
    return runs.publish(trained.checkpoint, finished(about, trained))


def _expected(rows: TrainingRows, validation: tuple[Any, ...], base: Path, settings: TrainSettings) -> dict[str, Any]:
    """What this run should take, as people were told before it began: kept beside what it takes."""
    known = facts(base)
    plan = estimate(len(rows.rows), rows.tokens, rows.longest, known.parameters, known.config, settings, rate=remembered_rate(base),
                    precision=resolved(settings.precision), validation_tokens=sum(map(len, validation)))  # fmt: skip
    return {"seconds": plan.seconds, "memory": plan.memory}


def finished(about: runs.Adapter, trained: Trained) -> runs.Adapter:
    return replace(about, step=trained.step, seconds=round(trained.seconds, 1), train_loss=trained.train_loss, memory=trained.memory,
                   validation_loss=trained.validation_loss, first_validation_loss=trained.first_validation_loss,
                   tokens_per_second=trained.tokens_per_second)  # fmt: skip


def keep(folder: Path) -> runs.Adapter:
    """Make an adapter of a stopped run's last complete checkpoint. Raises DataError when there is none."""
    from core.io.lora import checkpoints

    found = checkpoints.last(folder / "checkpoints")
    if found is None or not (folder / "about.json").is_file():
        raise DataError(
            "This run was stopped before its first checkpoint; there is nothing to keep. Start it again.", title="Nothing to keep"
        )
    about, told = runs.Adapter(**files.read_json(folder / "about.json")), files.read_json(found / checkpoints.MANIFEST)
    losses, validation = told["losses"], told["validation"]
    about = replace(about, step=told["step"], stopped=True, seconds=round(told["seconds"], 1), train_loss=losses[-1] if losses else None)
    first, last = validation.get("0"), validation.get(str(told["step"]))
    made = runs.publish(found, replace(about, validation_loss=last, first_validation_loss=first))
    card.write(made)
    return made


def _teller(desk: Desk) -> Any:
    """What a run tells goes to the job's progress (live figures) and to its history (every step)."""
    journal = desk.journal("history")

    def tell(told: Told) -> None:
        figures: dict[str, Any] = {"memory": told.memory}
        if told.tokens_per_second:
            figures["tokens_per_second"] = round(told.tokens_per_second, 1)
        if told.kept is not None:
            figures["kept"] = told.kept
        if told.loss is not None:
            figures["loss"] = round(told.loss, 4)
            files.append_line(journal, {"step": told.step, "loss": told.loss, "learning_rate": told.learning_rate, "time": time.time()})
        if told.val_loss is not None or told.says:
            if told.val_loss is not None:
                figures["val_loss"] = round(told.val_loss, 4)
            files.append_line(journal, {"step": told.step, "val_loss": told.val_loss, "says": told.says, "time": time.time()})
        desk.say(told.step, told.steps, TITLES["train"], phase="train", **figures)

    return tell


def _measure(desk: Desk, version: Version, prompt: Prompt, made: runs.Adapter, limit: int) -> str | None:
    """The adapter's answers to the test rows, as an evaluation; None when the version has no test rows."""
    if not version.splits.get("test"):
        return None
    total = min(limit, version.splits["test"])
    desk.say(0, total, TITLES["test"], phase="test")
    evaluation = measure_adapter(
        version,
        prompt,
        made,
        limit=limit,
        journal=desk.journal("answers"),
        progress=lambda done, of, _: desk.say(done, of, TITLES["test"], phase="test"),
    )
    return evaluation.id


def _measure_again(desk: Desk, version: Version, made: runs.Adapter, limit: int) -> dict[str, Any]:
    """Only the test: for an adapter kept of a stopped run, or another version's rows."""
    evaluation = _measure(desk, version, made.asked(), made, limit)
    card.write(made)
    return {"adapter": made.id, "evaluation": evaluation, "step": made.step, "steps": made.steps}


def measure_adapter(
    version: Version, prompt: Prompt, made: runs.Adapter, *, limit: int = LIMIT, journal: Path | None = None, progress: Any = None
) -> Any:
    """Ask an adapter `limit` test rows, drawn by lot, and save its evaluation (family "tuned")."""
    from core.io.embedded import engine
    from core.io.prompting import How, run_prompted

    short = version.task != "chat"

    def complete(requests: Any, **how: Any) -> Any:
        return engine().complete(requests, adapter=made.folder, stop_at_newline=short, **how)

    return run_prompted(
        version,
        prompt,
        complete,
        title=made.title,
        family="tuned",
        predictor="adapter",
        how=How(limit),
        fit_seconds=made.seconds,
        settings=dict(made.settings),
        notes={"adapter": str(made.folder), "adapter_id": made.id, "base": made.base, "step": made.step},
        journal=journal,
        progress=progress,
    )
