"""A version's rows as the tokens a run trains on, and the prompt they are asked with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DataError
from core.finetune.rows import TrainingRows, training_rows
from core.finetune.settings import TrainSettings
from core.format import unit_of
from core.io import store
from core.io.embedded import tokenizer
from core.io.embedded.generate import encode, render
from core.io.embedded.weights import model_dir
from core.prediction import Examples, examples
from core.prompt import Prompt, default_prompt
from core.version import Version, digest

SHOWN = 4


@dataclass(frozen=True)
class Prepared:
    """A version's rows as tokens."""

    train: TrainingRows
    validation: TrainingRows | None
    """None when the version has no validation rows."""
    shown: Examples
    """The rows whose answers are watched: validation rows, or train rows where there are none."""
    keys: tuple[str, ...] = ()
    """What each train row says, as a hash of its text and its right answer: the same in every version that has the row."""


def prepare(version: Version, prompt: Prompt, settings: TrainSettings, base: Path | None = None) -> Prepared:
    """The train and validation rows of a version as tokens. Raises DataError when something is missing."""
    if not version.roles.target or not version.task:
        raise DataError("Nothing is chosen to be predicted. Choose a target on Explore.", title="Choose what to predict")
    words = tokenizer(base or model_dir())
    parts = {name: rows_of(version, name) for name in ("train", "validation")}
    if parts["train"] is None:
        raise DataError(f"{version.label} has no train rows. Split it on Curate.", title="Needs train rows")
    made = {name: _tokens(rows, prompt, words, settings) for name, rows in parts.items() if rows is not None}
    shown = parts["validation"] or parts["train"]
    first = shown.take(list(range(min(SHOWN, len(shown)))))
    return Prepared(made["train"], made.get("validation"), first, keys(parts["train"]))


def keys(rows: Examples) -> tuple[str, ...]:
    """12 hex digits for each row."""
    return tuple(digest([text, str(target)])[:12] for text, target in zip(rows.text, rows.targets or (), strict=True))


def prompt_of(version: Version) -> Prompt:
    """The version's prompt, or the task's default where none was chosen. Raises DataError without a task."""
    if version.prompt is not None:
        return version.prompt
    if not version.task:
        raise DataError("Nothing is chosen to be predicted. Choose a target on Explore.", title="Choose what to predict")
    return default_prompt(version.task, version.roles, unit=unit_of(version.roles.target))


def rows_of(version: Version, split: str) -> Examples | None:
    """The rows of a split with their right answers; None when there are none."""
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
