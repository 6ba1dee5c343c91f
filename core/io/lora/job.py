"""The job "finetune": rows of a version in, an adapter and its evaluation on the test rows out.

Phases people see: preparing or fetching the model (once), preparing the rows, waiting for another run, training, measuring
the base and the adapter on the test rows. Stopped or killed, the last complete checkpoint stays and the same job goes on from it.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, Stopped
from core.finetune.estimates import estimate, memory_of, steps_of
from core.finetune.rows import TrainingRows, answer_texts
from core.finetune.settings import TrainSettings
from core.finetune.smaller import ladder
from core.io import files, reporting, store
from core.io.embedded import facts, remember_rate, remembered_rate, tokenizer
from core.io.embedded.generate import encode, render
from core.io.embedded.loading import give_back, resolved, training_here
from core.io.embedded.weights import offline
from core.io.endings import WAYS
from core.io.lora import bases, card, choosing, continuing, forgetting, measuring, runs
from core.io.lora.measuring import LIMIT
from core.io.lora.preparing import Prepared, prepare, prompt_of, sample
from core.io.lora.standing import Run, Told, Trained
from core.io.lora.training import train
from core.io.sources.hub import token_for
from core.prompt import Prompt
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

TRAINING = "Training"


def run_finetune(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """Request: {dataset, version, settings, prompt?, limit?, base?, continue_from?, only_new?, forgetting?}. Of a run that is over:
    {dataset, version, measure: "ID" or "ID:step-N"} asks test rows, {dataset, version, compare: "ID", take?} compares its checkpoints.

    Result: {adapter, evaluation, base_evaluation, choosing, forgetting, step, steps, ...losses}; see `ended`.
    """
    version = store.version(request["dataset"], request["version"])
    settings = TrainSettings.from_dict(request.get("settings", {}))
    limit = int(request.get("limit") or LIMIT)
    if settings.report_to != "none":
        reporting.check(settings.report_to)
    if request.get("measure") or request.get("compare"):
        offline()
        return _afterwards(request, desk, version, limit)
    prompt = Prompt.from_dict(request["prompt"]) if request.get("prompt") else prompt_of(version)
    parent = continuing.parent(request["continue_from"]) if request.get("continue_from") else None
    base = _base(request, desk, parent)
    offline()
    if parent:
        continuing.check(parent, base, settings)
    desk.say(0, 0, "Preparing the rows")
    ready = prepare(version, prompt, settings, base)
    plan = _Plan(version, prompt, settings, base, ready, parent, bool(request.get("only_new")), request.get("continue_from") or "")
    with desk.turn("training"), training_here(), reporting.live(settings.report_to, desk) as report:
        try:
            made = _trained(desk, plan, report)
        except Stopped:
            if runs.last_step(desk.folder) is not None:
                keep(desk.folder)
            raise
        made = _chosen(desk, version, settings, made)
        measuring.both(desk, version, prompt, made, limit)
        if request.get("forgetting", True):
            forgetting.measure(desk, made)
    made = runs.adapter(made.id)
    card.write(made)
    shutil.rmtree(desk.folder / "checkpoints", ignore_errors=True)
    return ended(made)


def _chosen(desk: Desk, version: Version, settings: TrainSettings, made: runs.Adapter) -> runs.Adapter:
    """The run's adapter, by its answers to validation rows where the settings want that; kept checkpoints lie beside it."""
    if settings.keeps_each:
        choosing.keep_each(desk.folder / "checkpoints", made)
    if settings.choose != "score" or not version.splits.get("validation"):
        return made
    done = desk.folder / choosing.RESULT
    step = (files.read_json(done) if done.is_file() else choosing.compare(desk, version, made))["chosen"]
    return made if step == made.step else choosing.take(runs.adapter(made.id), step)


def ended(made: runs.Adapter) -> dict[str, Any]:
    """What a run tells when it is over."""
    told = ("step", "steps", "seconds", "train_loss", "validation_loss", "tokens_per_second")
    return {"adapter": made.id, "evaluation": made.evaluation or None, "base_evaluation": made.base_evaluation or None,
            "choosing": choosing.summary(made.choosing), "forgetting": forgetting.summary(made.forgetting),
            **{name: getattr(made, name) for name in told}}  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """What a run trains, on what."""

    version: Version
    prompt: Prompt
    settings: TrainSettings
    base: Path
    ready: Prepared
    parent: continuing.Parent | None
    only_new: bool
    reference: str
    """How the parent was named."""


def _base(request: dict[str, Any], desk: Desk, parent: continuing.Parent | None) -> Path:
    """The base's folder, fetched when needed. A run that goes on takes the very one it began with; an adapter's is its own."""
    noted = desk.folder / "base.json"
    named = files.read_json(noted)["base"] if noted.is_file() else str(request.get("base") or "")
    if not named and parent:
        return parent.base
    token = token_for(None, desk.environment)
    folder = bases.resolve(named, lambda done, total, message: desk.say(done, total, message, phase="base"), token)
    files.write_json(noted, {"base": bases.of(folder).id})
    return folder


def _trained(desk: Desk, plan: _Plan, report: reporting.Live) -> runs.Adapter:
    """The run's adapter: trained now, or found where an earlier start of this job left it."""
    id = desk.folder.name
    if (files.folder("adapters") / id / runs.ABOUT).is_file() and not runs.adapter(id).stopped:
        return runs.adapter(id)
    settings, prompt, ready, base, before = plan.settings, plan.prompt, plan.ready, plan.base, plan.parent
    known = before.learnt if before else frozenset()
    train_rows = continuing.unseen(ready.train, ready.keys, known) if before and plan.only_new else ready.train
    rows = sample(train_rows.rows, settings.train_rows, settings.seed)
    steps = steps_of(len(train_rows.rows), settings)
    words = tokenizer(base)
    chats = [render(words, prompt.question(row), prompt.prefix) for row in ready.shown.rows()]
    validation = sample(ready.validation.rows, settings.validation_rows, settings.seed) if ready.validation else ()
    run = Run(base, rows, validation, settings, steps, desk.folder / "checkpoints", encode(words, chats), min(48, prompt.max_tokens),
              before.folder if before else None)  # fmt: skip
    taken = [ready.keys[row.row] for row in rows]
    of, began = plan.version, before.lineage(plan.reference, taken, plan.only_new) if before else {}
    about = runs.Adapter(id, f"{runs.base_title(base)} fine-tuned", of.dataset, of.id, of.task or "", 0, steps, settings.to_dict(),
                         prompt.to_dict(), base.name, facts(base).revision, len(rows), continued=began,
                         estimate=_expected(desk.folder, train_rows, validation, base, settings))  # fmt: skip
    about = replace(about, **bases.identity(base))
    files.write_json(desk.folder / "about.json", {key: getattr(about, key) for key in runs.Adapter.__dataclass_fields__})
    continuing.remember(desk.folder, taken, known)
    truth = ready.shown.targets or ()
    files.write_json(desk.folder / "shown.json", {"Row": list(ready.shown.text), "Truth": answer_texts(ready.shown, prompt, truth)})
    desk.say(0, steps, TRAINING, phase="train")
    trained = train(run, _teller(desk, report))
    give_back()
    if trained.tokens_per_second and settings.quantization == "none":
        remember_rate(base, trained.tokens_per_second)
    return _published(desk.folder, trained.checkpoint, finished(about, trained))


def _published(folder: Path, checkpoint: Path, about: runs.Adapter) -> runs.Adapter:
    """The adapter, with the keys of the rows it was trained on beside it."""
    return runs.publish(checkpoint, about, (folder / continuing.LEARNT,))


def _expected(folder: Path, rows: TrainingRows, validation: tuple[Any, ...], base: Path, settings: TrainSettings) -> dict[str, Any]:
    """What this run should take, as people were told before it began: kept beside what it takes; and what would take less."""
    known, precision = facts(base), resolved(settings.precision)
    ways = ladder(settings, lambda now: memory_of(known.parameters, known.config, now, rows.longest, precision))
    files.write_json(folder / WAYS, [way.to_dict() for way in ways])
    plan = estimate(len(rows.rows), rows.tokens, rows.longest, known.parameters, known.config, settings, rate=remembered_rate(base),
                    precision=precision, validation_tokens=sum(map(len, validation)))  # fmt: skip
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
    made = _published(folder, found, replace(about, validation_loss=last, first_validation_loss=first))
    if made.settings.get("keep") == "each":
        choosing.keep_each(folder / "checkpoints", made)
    card.write(made)
    return made


def _teller(desk: Desk, report: reporting.Live) -> Any:
    """What a run tells goes to the job's progress (live figures), to its history (every step), and to whom it is reported."""
    journal = desk.journal("history")

    def keep_record(record: dict[str, Any]) -> None:
        files.append_line(journal, {**record, "time": time.time()})
        report.record({**record, "time": time.time()})

    def tell(told: Told) -> None:
        figures: dict[str, Any] = {"memory": told.memory}
        if told.tokens_per_second:
            figures["tokens_per_second"] = round(told.tokens_per_second, 1)
        if told.kept is not None:
            figures["kept"] = told.kept
        if told.loss is not None:
            figures["loss"] = round(told.loss, 4)
            keep_record({"step": told.step, "loss": told.loss, "learning_rate": told.learning_rate, "memory": told.memory,
                         "tokens_per_second": told.tokens_per_second})  # fmt: skip
        if told.val_loss is not None or told.says:
            if told.val_loss is not None:
                figures["val_loss"] = round(told.val_loss, 4)
            keep_record({"step": told.step, "val_loss": told.val_loss, "says": told.says})
        if told.note:
            files.append_line(journal, {"step": told.step, "note": told.note, "time": time.time()})
        desk.say(told.step, told.steps, told.note or TRAINING, phase="train", **figures, **report.figures)

    return tell


def _afterwards(request: dict[str, Any], desk: Desk, version: Version, limit: int) -> dict[str, Any]:
    """Only the test, for an adapter kept of a stopped run, another version's rows or one of its checkpoints; or only the comparison."""
    id, _, step = str(request.get("measure") or request["compare"]).partition(":")
    made, place = runs.adapter(id), None
    if request.get("compare"):
        found = choosing.compare(desk, version, made)
        if not request.get("take") or found["chosen"] == made.step:
            return ended(runs.adapter(id))
        made = choosing.take(runs.adapter(id), found["chosen"])
    elif step:
        place = int(runs.referred(f"{id}:{step}").name.removeprefix("step-"))
    tested, known = measuring.both(desk, version, made.asked(), made, limit, place)
    made = runs.adapter(id)
    card.write(made)
    return {**ended(made), "evaluation": tested, "base_evaluation": known, "step": made.step if place is None else place}
