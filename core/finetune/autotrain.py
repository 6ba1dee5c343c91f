"""A pasted AutoTrain command as settings of this studio: every flag is understood, changed or ignored, and says so.

What the command leaves out has AutoTrain's own default (its command line of 2023), so that the same run is meant.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import SettingsError
from core.finetune.settings import ATTENTION, TrainSettings
from core.format import plural

UNDERSTOOD, CHANGED, IGNORED = "understood", "changed", "ignored"
DEFAULTS: Mapping[str, Any] = {
    "epochs": 1.0, "learning_rate": 3e-5, "batch": 2, "accumulate": 1, "max_tokens": 1024, "rank": 16, "alpha": 32, "dropout": 0.05,
    "warmup": 0.1, "weight_decay": 0.0, "clip": 1.0, "schedule": "linear", "seed": 42, "answers_only": False, "group_by_length": False,
    "keep_best": False,
}  # fmt: skip
"""Of a text column all words are learnt, questions too; the last step is kept."""


@dataclass(frozen=True)
class Flag:
    """One flag of the command."""

    name: str
    value: str
    state: str
    """understood | changed | ignored"""
    sentence: str
    """What it means here, or why it means nothing."""


@dataclass(frozen=True)
class Pasted:
    """What the command asks for."""

    settings: TrainSettings
    flags: tuple[Flag, ...]
    model: str = ""
    data: str = ""
    column: str = "text"
    project: str = ""


@dataclass
class _Read:
    """What has been understood so far."""

    settings: dict[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)

    def tell(self, name: str, value: str, state: str, sentence: str) -> None:
        self.flags.append(Flag(name, value, state, sentence))


def parse(text: str) -> Pasted:
    """The command as settings. A leading "!", line breaks with comments, `_` for `-` and typographic quotes are fine.

    Raises SettingsError for what is no such command, a flag without its value, or a value that cannot be.
    """
    words = _words(text)
    if not words or words[0].rsplit("/", 1)[-1] != "autotrain":
        begins = words[0] if words else "nothing"
        raise SettingsError(
            f"The command begins with '{begins[:40]}'; an AutoTrain command begins with autotrain llm.", title="Not AutoTrain"
        )
    if len(words) < 2 or words[1] != "llm":
        task = words[1] if len(words) > 1 else "nothing"
        raise SettingsError(f"After autotrain stands '{task[:40]}'; only llm is trained here.", title="Only language models")
    read = _Read(dict(DEFAULTS))
    rest = _split(words[2:])
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            raise SettingsError(f"'{word[:60]}' belongs to no flag. Quote values that hold blanks.", title="The command cannot be read")
        name = word.lstrip("-").replace("_", "-").casefold()
        value = rest.pop(0) if rest and not _is_flag(rest[0]) else ""
        _flag(read, _ALIASES.get(name, name), word, value)
    if not any(one.name.lstrip("-") == "train" for one in read.flags):
        read.tell("--train", "", CHANGED, "Not in the command, but meant: the run trains.")
    return Pasted(TrainSettings.from_dict(read.settings), tuple(read.flags), **read.words)


def _words(text: str) -> list[str]:
    """The words of a command over several lines."""
    plain = text.translate({0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'", 0x00A0: " "})
    lines = [re.sub(r"\\\s*(?:#.*)?$", " ", line) for line in plain.strip().lstrip("!%$ ").splitlines()]
    kept = [line for line in lines if not line.lstrip().startswith("#")]
    try:
        words = shlex.split(" ".join(kept), comments=True)
    except ValueError as error:
        raise SettingsError(f"The command cannot be read: {error}. A quote may be missing.", title="The command cannot be read") from error
    return [re.sub(r"^[\u2013\u2014](?=\w)", "--", word) for word in words]


def _split(words: list[str]) -> list[str]:
    """`--flag=value` as two words."""
    return [part for word in words for part in (word.split("=", 1) if word.startswith("--") and "=" in word else [word])]


def _is_flag(word: str) -> bool:
    return word.startswith("-") and not re.fullmatch(r"-\d*\.?\d+(?:e-?\d+)?", word)


def _flag(read: _Read, name: str, word: str, value: str) -> None:
    known = _FLAGS.get(name)
    if known:
        known(read, word, value)
    elif name in _NOTHING:
        shown = "" if name in _SECRET else value
        read.tell(word, shown, IGNORED, _NOTHING[name])
    else:
        read.tell(word, value, IGNORED, "Not known here.")


def _number(setting: str, kind: type, told: str) -> Callable[[_Read, str, str], None]:
    """A flag that is a number of one setting."""

    def take(read: _Read, word: str, value: str) -> None:
        try:
            number = kind(value)
        except ValueError:
            expected = "a whole number" if kind is int else "a number"
            raise SettingsError(f"{word} is '{value[:40]}'; it takes {expected}.", title="The command cannot be read") from None
        bounds = TrainSettings.__dataclass_fields__[setting].metadata
        low, high = bounds["low"], bounds["high"]
        held = min(max(number, low) if low is not None else number, high if high is not None else number)
        read.settings[setting] = held
        if held == number:
            read.tell(word, value, UNDERSTOOD, f"{told}: {held:g}.")
        else:
            read.tell(word, value, CHANGED, f"{told}: {held:g}, the nearest that is possible.")

    return take


def _word(key: str, told: str) -> Callable[[_Read, str, str], None]:
    def take(read: _Read, word: str, value: str) -> None:
        if not value:
            raise SettingsError(f"{word} has no value.", title="The command cannot be read")
        read.words[key] = value
        read.tell(word, value, UNDERSTOOD, told)

    return take


def _quantization(read: _Read, word: str, value: str) -> None:
    bits = {"int4": "4-bit", "int8": "8-bit", "none": "none", "": "none", "4bit": "4-bit", "8bit": "8-bit"}
    if value.casefold() not in bits:
        raise SettingsError(f"{word} is '{value[:40]}'; it may be int4, int8 or none.", title="The command cannot be read")
    read.settings["quantization"] = bits[value.casefold()]
    read.settings["double_quantization"] = False
    told = {"4-bit": "The base is loaded in 4 bits (nf4, without double quantization).", "8-bit": "The base is loaded in 8 bits.",
            "none": "The base keeps its precision."}  # fmt: skip
    read.tell(word, value, UNDERSTOOD, told[bits[value.casefold()]])


def _precision(read: _Read, word: str, value: str) -> None:
    taken = {"bf16": "bf16", "fp32": "fp32", "none": "fp32"}.get(value.casefold(), "auto")
    read.settings["precision"] = taken
    same = taken == value.casefold()
    told = f"Arithmetic in {taken}." if same or taken == "fp32" else "fp16 on CUDA; a processor takes bf16 or fp32."
    read.tell(word, value, UNDERSTOOD if same else CHANGED, told)


def _trainer(read: _Read, word: str, value: str) -> None:
    if value.casefold() in ("sft", "default", "generic", ""):
        read.tell(word, value, UNDERSTOOD, "Trains on the texts themselves.")
        return
    raise SettingsError(f"{word} is '{value[:40]}'; only sft is trained on this machine.", title="Another kind of training")


def _schedule(read: _Read, word: str, value: str) -> None:
    taken = value.casefold() if value.casefold() in ("cosine", "linear", "constant") else "linear"
    read.settings["schedule"] = taken
    read.tell(word, value, UNDERSTOOD if taken == value.casefold() else CHANGED, f"The learning rate's fall: {taken}.")


def _targets(read: _Read, word: str, value: str) -> None:
    names = [one.strip() for one in value.split(",") if one.strip()]
    try:
        settings = TrainSettings(targets=",".join(names))
    except SettingsError as problem:
        raise SettingsError(f"{word} is '{value[:60]}'; it takes all-linear or names of layers with commas between them.",
                            title="The command cannot be read") from problem  # fmt: skip
    read.settings["targets"] = "attention" if set(settings.modules) == set(ATTENTION) else settings.targets
    every = settings.targets == "all-linear"
    told = "All linear layers get an adapter." if every else f"{plural(len(settings.modules), 'kind')} of layers get an adapter."
    read.tell(word, value, UNDERSTOOD, told)


def _report(read: _Read, word: str, value: str) -> None:
    taken = value.casefold() if value.casefold() in ("wandb", "tensorboard") else "none"
    read.settings["report_to"] = taken
    told = {"wandb": "Reported to Weights & Biases.", "tensorboard": "Written for TensorBoard.", "none": "Every run is recorded here."}
    read.tell(word, value, UNDERSTOOD if taken != "none" or value.casefold() in ("", "none") else IGNORED, told[taken])


def _said(sentence: str, state: str = UNDERSTOOD) -> Callable[[_Read, str, str], None]:
    return lambda read, word, value: read.tell(word, value, state, sentence)


_ALIASES = {
    "num-train-epochs": "epochs", "learning-rate": "lr", "train-batch-size": "batch-size", "model-max-length": "max-length",
    "max-seq-length": "max-length", "block-size": "max-length", "use-peft": "peft", "use-int4": "int4", "use-int8": "int8",
    "gradient-accumulation-steps": "gradient-accumulation", "lr-scheduler": "scheduler", "project": "project-name", "base-model": "model",
    "fp16": "mixed-precision-fp16", "bf16": "mixed-precision-bf16",
}  # fmt: skip
_FLAGS: dict[str, Callable[[_Read, str, str], None]] = {
    "train": _said("The run trains."),
    "project-name": _word("project", "The name of the run."),
    "model": _word("model", "The base model."),
    "data-path": _word("data", "Where its data was: here, the version that is open."),
    "text-column": _word("column", "The column with the texts."),
    "peft": _said("An adapter (LoRA) is trained, and the base stays as it is."),
    "quantization": _quantization,
    "int4": lambda read, word, value: _quantization(read, word, "int4"),
    "int8": lambda read, word, value: _quantization(read, word, "int8"),
    "lr": _number("learning_rate", float, "Learning rate"),
    "batch-size": _number("batch", int, "Rows per step"),
    "epochs": _number("epochs", float, "Epochs"),
    "trainer": _trainer,
    "max-length": _number("max_tokens", int, "Longest row in tokens"),
    "lora-r": _number("rank", int, "LoRA rank"),
    "lora-alpha": _number("alpha", int, "LoRA alpha"),
    "lora-dropout": _number("dropout", float, "Dropout"),
    "target-modules": _targets,
    "log": _report,
    "disable-gradient-checkpointing": _said("Every layer's values are kept: the setting's default."),
    "gradient-accumulation": _number("accumulate", int, "Batches added up before an update"),
    "warmup-ratio": _number("warmup", float, "Share of the steps in which the learning rate rises"),
    "weight-decay": _number("weight_decay", float, "Weight decay"),
    "max-grad-norm": _number("clip", float, "Longest gradient"),
    "scheduler": _schedule,
    "seed": _number("seed", int, "Seed"),
    "mixed-precision": _precision,
    "mixed-precision-fp16": lambda read, word, value: _precision(read, word, "fp16"),
    "mixed-precision-bf16": lambda read, word, value: _precision(read, word, "bf16"),
}  # fmt: skip
_SECRET = ("token", "hf-token", "username")
_HUB = "Nothing is sent to the Hub by itself; push it after the run."
_KEPT = "Checkpoints are kept as the studio needs them."
_MEASURED = "Validation rows are measured while it trains."
_NOTHING = {
    "token": "A key is never read from a command.", "hf-token": "A key is never read from a command.", "username": _HUB,
    "push-to-hub": _HUB,
    "repo-id": _HUB, "merge-adapter": "Merging is a step after the run.", "optimizer": "AdamW is used.",
    "logging-steps": "Every step is logged.", "save-total-limit": _KEPT, "save-strategy": _KEPT, "evaluation-strategy": _MEASURED,
    "eval-strategy": _MEASURED, "train-split": "The version's train rows are used.",
    "valid-split": "The version's validation rows are used.",
    "padding": "Rows of a batch are padded to the longest of them.",
    "use-flash-attention-2": "The fastest attention there is gets used.", "add-eos-token": "Every answer ends with the end token.",
    "auto-find-batch-size": "A GPU whose memory is too small gets half the batch by itself.", "prompt-text-column": "Of another trainer.",
    "rejected-text-column": "Of another trainer.", "deploy": "Only training is run.",
    "inference": "Only training is run.", "backend": "It runs on this machine.",
}  # fmt: skip
