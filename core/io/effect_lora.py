"""The embedded model fine-tuned twice, without and with the new rows, and asked the same test rows.

Both adapters start from the same weights and seed and take the same number of update steps: with more rows each of them is seen less
often, so that nothing but the rows can make the difference. One training seed says nothing about another.

    <job>/without/  <job>/with/      checkpoints while training, the adapter after it
    <job>/said_without.jsonl         {place, reply}, journalled: a stopped run goes on where it was
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.evaluation import drawn
from core.finetune.estimates import steps_of
from core.finetune.rows import TrainingRows, training_rows
from core.finetune.settings import TrainSettings, preset
from core.io import files
from core.prediction import Examples, Prediction
from core.prompt import Prompt
from core.reply import Reply
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

LIMIT = 150
"""Test rows that are asked, drawn by lot, unless told otherwise."""
BATCH = 32
SIDES = {"without": "without the new rows", "with": "with the new rows"}


def settings_of(version: Version, request: Mapping[str, Any]) -> TrainSettings:
    """The quick preset of the task, with what the request says otherwise; the last step is kept, validation is not asked."""
    chosen = {**preset("quick", version.task or "chat").to_dict(), **request.get("settings", {})}
    return replace(TrainSettings.from_dict(chosen), keep_best=False)


def answered_by_both(version: Version, sides: Mapping[str, Examples], test: Examples, request: Mapping[str, Any],
                     desk: Desk) -> tuple[dict[str, list[Prediction]], list[int], int]:  # fmt: skip
    """Predictions of "without" and "with" for the same test rows, the places of these rows, and the update steps of each.

    `request` may hold settings (of TrainSettings) and limit (test rows). Waits for its turn among trainings.
    """
    from core.io.embedded import ensure_converted, is_ready, tokenizer
    from core.io.embedded.loading import training_here
    from core.io.embedded.weights import model_dir, offline
    from core.io.lora.job import prompt_of

    offline()
    if not is_ready():
        ensure_converted(lambda done, total, message: desk.say(done, total, message))
    base, settings, prompt = model_dir(), settings_of(version, request), prompt_of(version)
    words = tokenizer(base)
    desk.say(0, 0, "Preparing the rows")
    made = {name: _tokens(rows, prompt, words, settings) for name, rows in sides.items()}
    steps = steps_of(len(made["with"].rows), settings)
    places = drawn(len(test), int(request.get("limit") or LIMIT))
    asked = test.take(places)
    whole = 2 * (steps + len(asked))
    found, done = {}, 0
    with desk.turn("training"), training_here():
        for name in SIDES:
            folder = _trained(desk, name, base, made[name], settings, steps, (done, whole))
            done += steps
            replies = _replies(desk, name, folder, prompt, asked, (done, whole))
            done += len(asked)
            found[name] = _read(replies, prompt, sides["without"], asked)
    for name in SIDES:
        shutil.rmtree(desk.folder / name, ignore_errors=True)
    return found, places, steps


def _tokens(rows: Examples, prompt: Prompt, words: Any, settings: TrainSettings) -> TrainingRows:
    from core.io.embedded.generate import encode, render

    return training_rows(rows, prompt, lambda chat, prefix: render(words, chat, prefix), lambda texts: encode(words, texts),
                         words.eos_token_id, settings.max_tokens)  # fmt: skip


def _trained(desk: Desk, name: str, base: Path, rows: TrainingRows, settings: TrainSettings, steps: int, part: tuple[int, int]) -> Path:
    """The folder of the adapter after its last step; trained now, or as far as an earlier start of this job did not get."""
    from core.io.embedded.loading import give_back
    from core.io.lora import checkpoints
    from core.io.lora.standing import Run, Told
    from core.io.lora.training import train

    folder = desk.folder / name
    if (there := checkpoints.last(folder)) is not None and there.name == f"step-{steps:06d}":
        return there

    def tell(told: Told) -> None:
        figures = {"loss": round(told.loss, 4)} if told.loss is not None else {}
        desk.say(part[0] + told.step, part[1], f"Training {SIDES[name]}, step {told.step} of {steps}", side=name, **figures)

    trained = train(Run(base, rows.rows, (), settings, steps, folder), tell)
    give_back()
    return trained.checkpoint


def _replies(desk: Desk, name: str, adapter: Path, prompt: Prompt, asked: Examples, part: tuple[int, int]) -> list[Reply]:
    from core.io.embedded import engine
    from core.predict.prompted import Prompted

    journal = desk.journal(f"said_{name}")
    replies = {line["place"]: Reply(**line["reply"]) for line in files.read_lines(journal) if line["place"] < len(asked)}
    missing = [place for place in range(len(asked)) if place not in replies]
    chats = Prompted(prompt, lambda requests: []).questions(asked.without_targets())
    for start in range(0, len(missing), BATCH):
        some = missing[start : start + BATCH]
        said = engine().complete([chats[place] for place in some], adapter=adapter, max_tokens=prompt.max_tokens, prefix=prompt.prefix,
                                 stop_at_newline=asked.task != "chat")  # fmt: skip
        for place, reply in zip(some, said, strict=True):
            replies[place] = reply
            files.append_line(journal, {"place": place, "reply": asdict(reply)})
        desk.say(part[0] + len(replies), part[1], f"Asking the test rows, {SIDES[name]}", side=name)
    return [replies[place] for place in range(len(asked))]


def _read(replies: Sequence[Reply], prompt: Prompt, train: Examples, asked: Examples) -> list[Prediction]:
    from core.predict.prompted import Prompted

    return Prompted(prompt, lambda requests: []).fit(train).read(asked.task, replies)
