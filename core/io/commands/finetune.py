"""`finetune local`: a LoRA adapter of a local model, trained on this machine, without a workspace; `finetune hosted`: at a host."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from core.finetune.rows import TrainingRows
    from core.finetune.settings import TrainSettings
    from core.prompt import Prompt
    from core.version import Version

HELP = "train on this machine (local), or at a host of the platform's protocol (hosted)"


def arguments(parser: argparse.ArgumentParser) -> None:
    from core.io.commands import _hosted, _report

    where = parser.add_subparsers(dest="where", required=True, metavar="local|hosted|report")
    _local(where.add_parser("local", help="train an adapter of the embedded model, or of a model in a folder, on this machine"))
    _hosted.arguments(where.add_parser("hosted", help="files, jobs and models at a host"))
    _report.arguments(where.add_parser("report", help="the curves of a run to Weights & Biases, or as TensorBoard files"))


def _local(parser: argparse.ArgumentParser) -> None:
    from core.finetune.settings import TITLES, TrainSettings

    parser.add_argument("train", metavar="TRAIN", help="a chat file, a prompt/completion file, a table, or a version id")
    parser.add_argument("--validation", metavar="FILE", help="rows to measure the loss on (default: the version's validation rows)")
    parser.add_argument("--model", default="embedded", help="embedded, a model folder, or owner/name[@revision] of the Hub")
    parser.add_argument("--out", required=True, help="folder for the adapter")
    parser.add_argument("--prompt", metavar="FILE", help="a prompt as JSON, for tables")
    parser.add_argument("--text", action="append", help="a text column, for tables (may be repeated)")
    parser.add_argument("--target", help="the target column, for tables")
    parser.add_argument("--task", default="chat", choices=("regression", "classification", "qa", "chat"), help="for tables")
    parser.add_argument("--preset", default="balanced", choices=tuple(TITLES), help="the settings to start from")
    parser.add_argument("--autotrain", metavar="COMMAND", help="settings from an AutoTrain command in quotes; the flags below override it")
    group = parser.add_argument_group("settings", "each overrides the preset")
    for one in fields(TrainSettings):
        name, meta = f"--{one.name.replace('_', '-')}", one.metadata
        if isinstance(one.default, bool):
            group.add_argument(name, action=argparse.BooleanOptionalAction, default=None, help=meta["meaning"])
        else:
            group.add_argument(name, type=type(one.default), choices=meta["choices"] or None, default=None, help=meta["meaning"])
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object and nothing else on standard output"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    if args.where == "hosted":
        from core.io.commands import _hosted

        return _hosted.run(args, say)
    if args.where == "report":
        from core.io.commands import _report

        return _report.run(args, say)
    return _run_local(args, say)


def _run_local(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.io.commands.generate import base_folder
    from core.io.embedded.loading import training_here
    from core.io.files import home, lock

    settings = _settings(args, say)
    base = base_folder(args.model, None, say)
    rows, prompt = _rows(args, args.train, "train", base, settings)
    validation = _rows(args, args.validation or args.train, "validation", base, settings)[0] if _has_validation(args) else None
    assert rows is not None
    for row, reason in sorted(rows.left_out.items())[:5]:
        say(f"row {row + 1} is left out: {reason}")
    with lock(home() / "training.lock"), training_here():
        return _train(base, rows, validation, settings, Path(args.out), prompt, say)


def _settings(args: argparse.Namespace, say: Callable[[str], None]) -> TrainSettings:
    from core.finetune.settings import TrainSettings, preset

    given = {one.name: getattr(args, one.name) for one in fields(TrainSettings) if getattr(args, one.name) is not None}
    if "batch" in given:
        given.setdefault("accumulate", 1)  # a batch that is named is the whole of a step
    start = _pasted(args, say) if args.autotrain else preset(args.preset, args.task)
    return TrainSettings.from_dict({**start.to_dict(), **given})


def _pasted(args: argparse.Namespace, say: Callable[[str], None]) -> TrainSettings:
    """The settings of an AutoTrain command, each of its flags told."""
    from core.finetune.autotrain import parse

    made = parse(args.autotrain)
    for one in made.flags:
        say(f"{one.state:10} {one.name} {one.value}  {one.sentence}")
    if made.model and made.model != args.model:
        say(f"The base {made.model} is not taken from the command: {args.model} is trained. Name a model's folder with --model.")
    return made.settings


def _train(base: Path, rows: TrainingRows, validation: TrainingRows | None, settings: TrainSettings, out: Path, prompt: Prompt | None,
           say: Callable[[str], None]) -> dict[str, Any]:  # fmt: skip
    from core.finetune.estimates import steps_of
    from core.io.embedded import facts
    from core.io.files import write_json
    from core.io.lora import bases, sample
    from core.io.lora.standing import Run, Told
    from core.io.lora.training import train

    if (out / "adapter_config.json").exists():
        raise SettingsError(f"{out} already holds an adapter. Name another folder.", title="The folder is taken")
    out.mkdir(parents=True, exist_ok=True)
    checked = sample(validation.rows, settings.validation_rows, settings.seed) if validation else ()
    used = sample(rows.rows, settings.train_rows, settings.seed)
    run = Run(base, used, checked, settings, steps_of(len(rows.rows), settings), out / "checkpoints")

    def tell(told: Told) -> None:
        if told.val_loss is not None:
            say(f"step {told.step} of {told.steps}, validation loss {told.val_loss:.3f}")
        elif told.loss is not None and told.step % 10 == 0:
            say(f"step {told.step} of {told.steps}, loss {told.loss:.3f}")

    made = train(run, tell)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(made.checkpoint / name, out / name)
    about = {"base": base.name, "revision": facts(base).revision, **bases.identity(base)}
    write_json(out / "adapter.json", {**about, "settings": settings.to_dict(), "prompt": prompt.to_dict() if prompt else None,
                                      "step": made.step, "steps": made.steps})  # fmt: skip
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    return {"adapter": str(out), "steps": made.steps, "seconds": round(made.seconds, 2), "train_loss": made.train_loss,
            "validation_loss": made.validation_loss, "tokens_per_second": made.tokens_per_second}  # fmt: skip


def _has_validation(args: argparse.Namespace) -> bool:
    if args.validation:
        return True
    from core.io.commands import read_data

    _, version = read_data(args.train)
    return bool(version and version.splits.get("validation"))


def _rows(args: argparse.Namespace, name: str, split: str, base: Path, settings: TrainSettings) -> tuple[TrainingRows, Prompt | None]:
    """The rows of a file or version as tokens, and the prompt that made them (None for recorded chats)."""
    from core.finetune.rows import chats_of, supervised, training_rows
    from core.io.commands import read_data
    from core.io.embedded import tokenizer
    from core.io.embedded.generate import encode, render
    from core.prediction import examples

    words = tokenizer(base)
    how = (lambda chat, prefix: render(words, chat, prefix), lambda texts: encode(words, texts), words.eos_token_id, settings.max_tokens)
    frame, version = read_data(name)
    if version is not None and version.roles.split:
        frame = frame.loc[frame[version.roles.split].astype("str") == split].reset_index(drop=True)
    recorded = _recorded(frame)
    if recorded is not None:
        return supervised(*chats_of(recorded), "", *how), None
    roles, task, prompt = _meaning(args, version)
    return training_rows(examples(frame, roles, task), prompt, *how), prompt


def _recorded(frame: pd.DataFrame) -> list[list[dict[str, str]]] | None:
    """Chats of a training file: a column of messages, or prompt and completion; None for any other table."""
    if "messages" in frame:
        cells = [json.loads(cell) if isinstance(cell, str) else list(cell) for cell in frame["messages"].tolist()]
        return [[{"role": str(m.get("role")), "content": str(m.get("content") or "")} for m in chat] for chat in cells]
    if {"prompt", "completion"} <= set(frame.columns):
        pairs = zip(frame["prompt"].tolist(), frame["completion"].tolist(), strict=True)
        return [[{"role": "user", "content": str(p)}, {"role": "assistant", "content": str(c)}] for p, c in pairs]
    return None


def _meaning(args: argparse.Namespace, version: Version | None) -> tuple[Any, str, Prompt]:
    """Roles, task and prompt: from the flags, else from the version."""
    from core.io.commands import read_prompt
    from core.io.lora import prompt_of
    from core.prompt import default_prompt
    from core.version import Roles

    named = read_prompt(args.prompt) if args.prompt else None
    if version is not None and version.task and not args.target:
        return version.roles, version.task, named or prompt_of(version)
    if not args.target or not args.text:
        raise DataError(
            "This table holds neither messages nor prompt and completion. Say what to learn from: --text COL --target COL.",
            title="What should be learnt?",
        )
    roles = Roles(text=tuple(args.text), target=args.target)
    return roles, args.task, named or default_prompt(args.task, roles)


def show(result: dict[str, Any]) -> str:
    if "report" in result:
        from core.io.commands import _report

        return _report.show(result)
    if "adapter" not in result:
        from core.io.commands import _hosted

        return _hosted.show(result)
    loss = "" if result["validation_loss"] is None else f", validation loss {result['validation_loss']:.3f}"
    return (
        f"{result['adapter']}: {result['steps']} steps in {result['seconds']:.0f} s, {result['tokens_per_second'] or 0:.0f} tokens/s{loss}"
    )
