"""Kept checkpoints compared: each answers the same validation rows, and the best becomes the adapter. Test rows are not looked at.

<job>/compared.jsonl    {step, place, reply, seconds}, journalled: a stopped comparison goes on where it was
<job>/choosing.json     {rows, metric, chosen, checkpoints: [{step, epoch, val_loss, score, low, high, seconds}]}
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.evaluate.answers import make_answers
from core.evaluate.intervals import measure
from core.evaluation import drawn
from core.finetune.choosing import ROWS, Checkpoint, epoch_of, told
from core.io import evaluations, files
from core.io.lora import bases, card, checkpoints, runs
from core.io.lora.continuing import LEARNT
from core.io.lora.measuring import complete_with
from core.io.lora.preparing import rows_of
from core.io.testing import declared_labels, target_range, train_rows
from core.predict.prompted import Prompted
from core.prediction import Examples
from core.reply import Reply
from core.task import task
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

TITLE = "Comparing checkpoints on validation rows"
RESULT = "choosing.json"
BATCH = 32


def keep_each(folder: Path, made: runs.Adapter) -> list[int]:
    """Copy every complete checkpoint of a run's job folder that its adapter does not hold yet; the steps that are kept now."""
    held = runs.kept_checkpoints(made.id)
    for step in checkpoints.steps(folder):
        if step not in held and step > 0:
            runs.keep_checkpoint(made.id, folder / f"step-{step:06d}")
    return list(runs.kept_checkpoints(made.id))


def compare(desk: Desk, version: Version, made: runs.Adapter) -> dict[str, Any]:
    """Let every kept checkpoint answer up to ROWS validation rows; writes and returns choosing.json. Raises DataError without any."""
    kept, whole = runs.kept_checkpoints(made.id), rows_of(version, "validation")
    if not kept:
        told([], 0, task(version.task or "chat").headline)
    if whole is None:
        raise DataError(f"{version.label} has no validation rows to compare checkpoints on. Split it on Curate.",
                        title="Needs validation rows")  # fmt: skip
    train = train_rows(version)
    asked = replace(whole, labels=train.labels).take(drawn(len(whole), ROWS))
    losses = {int(one["step"]): one["val_loss"] for one in runs.history(_job(desk, made)) if one.get("val_loss") is not None}
    batch, found = made.trained_with().effective_batch, []
    for number, (step, folder) in enumerate(kept.items()):
        desk.say(number * len(asked), len(kept) * len(asked), TITLE, phase="choose")
        replies, seconds = _replies(desk, version, made, step, folder, asked, (number, len(kept)))
        score = _score(made, train, asked, replies)
        found.append(Checkpoint(step, epoch_of(step, made.rows, batch), losses.get(step), **score, seconds=round(seconds, 2)))
    result = told(found, len(asked), task(asked.task).headline)
    for folder in {desk.folder, _job(desk, made)}:
        files.write_json(folder / RESULT, result)
    runs.note(made.id, choosing=result)
    return result


def take(made: runs.Adapter, step: int) -> runs.Adapter:
    """Make a kept checkpoint the adapter. Answers of the one before it are from now on those of its own checkpoint."""
    kept = runs.kept_checkpoints(made.id)
    if made.step in kept and made.step != step:
        _hand_over(made, kept[made.step])
    losses = {one["step"]: one["val_loss"] for one in made.choosing.get("checkpoints", [])}
    about = replace(made, step=step, validation_loss=losses.get(step, made.validation_loss), evaluation="", forgetting={})
    taken = runs.publish(runs.referred(f"{made.id}:step-{step}"), about, [made.folder / LEARNT])
    card.write(taken)
    return taken


def _hand_over(made: runs.Adapter, checkpoint: Path) -> None:
    for one in evaluations.of(made.dataset):
        if one.notes.get("adapter") == str(made.folder):
            notes = {**dict(one.notes), "adapter": str(checkpoint)}
            evaluations.save(replace(one, title=f"{made.title}, step {made.step}", notes=notes))


def summary(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """{rows, metric, chosen, score, low, high} of choosing.json; None where checkpoints were not compared."""
    if not found:
        return None
    best = next(one for one in found["checkpoints"] if one["step"] == found["chosen"])
    return {name: found[name] for name in ("rows", "metric", "chosen")} | {name: best[name] for name in ("score", "low", "high")}


def _job(desk: Desk, made: runs.Adapter) -> Path:
    """The folder of the run that made an adapter, where it is still here."""
    place = files.folder("jobs") / made.id
    return place if place.is_dir() else desk.folder


def _replies(
    desk: Desk, version: Version, made: runs.Adapter, step: int, folder: Path, asked: Examples, part: tuple[int, int]
) -> tuple[list[Reply], float]:
    """A checkpoint's replies, and the seconds they took."""
    journal, prompt = desk.journal("compared"), made.asked()
    known = {line["place"]: line for line in files.read_lines(journal) if line["step"] == step and line["place"] < len(asked)}
    missing = [place for place in range(len(asked)) if place not in known]
    chats = Prompted(prompt, lambda requests: []).questions(asked.without_targets())
    complete = complete_with(bases.of_adapter(folder), version, folder)
    for start in range(0, len(missing), BATCH):
        some, began = missing[start : start + BATCH], time.perf_counter()
        said = complete([chats[place] for place in some], max_tokens=prompt.max_tokens, prefix=prompt.prefix)
        each = (time.perf_counter() - began) / len(some)
        for place, reply in zip(some, said, strict=True):
            known[place] = {"step": step, "place": place, "reply": asdict(reply), "seconds": each}
            files.append_line(journal, known[place])
        desk.say(part[0] * len(asked) + len(known), part[1] * len(asked), TITLE, phase="choose")
    return [Reply(**known[place]["reply"]) for place in range(len(asked))], sum(line["seconds"] for line in known.values())


def _score(made: runs.Adapter, train: Examples, asked: Examples, replies: list[Reply]) -> dict[str, float | None]:
    """{score, low, high} of the task's headline metric; None where it is not defined."""
    read = Prompted(made.asked(), lambda requests: []).fit(train).read(asked.task, replies)
    labels = declared_labels(train, asked)
    answers = make_answers(asked.task, asked.targets or (), [one.value for one in read], labels=labels, target_range=target_range(train))
    one = next(iter(measure(answers, [task(asked.task).headline]).values()))
    return {name: value if math.isfinite(value) else None for name, value in (("score", one.value), ("low", one.low), ("high", one.high))}
