"""Every setting of a training run on this machine, with a sentence each and its recommended value as the default.

The presets were chosen by measurement on two CPU cores with the embedded 135 M model (see benchmarks/training.py): higher
learning rates than are usual on a GPU, because here the number of steps is what costs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from core.errors import SettingsError

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def _setting(default: Any, meaning: str, *, low: float | None = None, high: float | None = None, choices: Sequence[str] = (),
             offered: Sequence[str] = ()) -> Any:  # fmt: skip
    """`choices` are all there is; `offered` are the usual ones of a field that takes others too."""
    limits = {"low": low, "high": high, "choices": tuple(choices), "offered": tuple(offered)}
    return field(default=default, metadata={"meaning": meaning, **limits})


@dataclass(frozen=True)
class TrainSettings:
    """Raises SettingsError naming the field, its value and what is possible."""

    epochs: float = _setting(
        1.0, "How often every train row is seen. More learns facts by heart, and may forget how to generalise.", low=0.01, high=200
    )
    max_steps: int = _setting(
        0, "Stop after so many updates of the model, whatever the epochs say; 0 means as many as the epochs need.", low=0
    )
    train_rows: int = _setting(0, "Train on so many rows only, drawn with the seed; 0 means all.", low=0)
    max_tokens: int = _setting(
        256, "The longest row in tokens. Longer rows lose the end of their question, never the answer.", low=16, high=8192
    )
    batch: int = _setting(8, "Rows per step. Larger is steadier and needs more memory.", low=1, high=256)
    accumulate: int = _setting(1, "Batches added up before one update: a larger batch without its memory.", low=1, high=256)
    learning_rate: float = _setting(
        5e-4, "How far each update moves the adapter. Too high makes the loss jump, too low wastes steps.", low=1e-7, high=0.1
    )
    schedule: str = _setting("cosine", "How the learning rate falls over the run.", choices=("cosine", "linear", "constant"))
    warmup: float = _setting(0.05, "The share of the steps in which the learning rate rises from zero.", low=0, high=0.9)
    weight_decay: float = _setting(0.0, "Pulls the adapter towards zero at each step; small adapters rarely need it.", low=0, high=1)
    clip: float = _setting(1.0, "The longest gradient that is followed; longer ones are shortened to it.", low=0.01, high=100)
    rank: int = _setting(16, "LoRA rank: how much an adapter can hold. 8 for style, 16 for tasks, 32 for facts.", low=1, high=256)
    alpha: int = _setting(32, "LoRA alpha: the adapter's loudness is alpha / rank; twice the rank is usual.", low=1, high=1024)
    dropout: float = _setting(
        0.0, "The share of the adapter switched off at random in each step, against learning by heart.", low=0, high=0.9
    )
    targets: str = _setting("all-linear", "Which layers get an adapter: all linear ones, attention alone (faster, holds less), or names "
                            "with commas between them, such as q_proj,v_proj.", offered=("all-linear", "attention"))  # fmt: skip
    rslora: bool = _setting(False, "Scale by alpha / sqrt(rank) instead, which keeps high ranks loud (rank-stabilised LoRA).")
    dora: bool = _setting(
        False, "Learn each weight's length and direction apart (DoRA): holds more at a low rank, and a step takes longer."
    )
    precision: str = _setting("auto", "Number format of the arithmetic. auto is fp16 on CUDA, and on a processor bf16 where it has that, "
                              "else fp32.", choices=("auto", "bf16", "fp16", "fp32"))  # fmt: skip
    quantization: str = _setting("none", "Load the frozen base in fewer bits (QLoRA): less memory, slower on a CPU.",
                                 choices=("none", "8-bit", "4-bit"))  # fmt: skip
    double_quantization: bool = _setting(
        True, "With 4 bits, store the scales of the blocks in 8 bits too: saves another 0.4 bits per weight."
    )
    gradient_checkpointing: bool = _setting(
        False, "Compute each layer again on the way back instead of keeping it: far less memory for a third more time."
    )
    packing: bool = _setting(
        False, "Lay the rows of a batch end to end in one sequence: none sees the others, nothing is padded, the result is the same."
    )
    answers_only: bool = _setting(True, "Learn the answers and not the questions. Off, the question's words are learnt too.")
    group_by_length: bool = _setting(True, "Put rows of like length in one batch, so that less padding is computed.")
    evaluate_every: int = _setting(0, "Steps between two measurements on validation rows; 0 means six times a run.", low=0)
    validation_rows: int = _setting(48, "How many validation rows are measured each time; 0 means all.", low=0)
    checkpoint_every: int = _setting(0, "Steps between two checkpoints a stopped run can go on from; 0 means at each measurement.", low=0)
    keep_best: bool = _setting(True, "Keep the checkpoint with the lowest validation loss instead of the last one.")
    keep: str = _setting("best", "What stays after the run: the best checkpoint alone, or the adapter of each measurement, to compare.",
                         choices=("best", "each"))  # fmt: skip
    choose: str = _setting("loss", "By what the best checkpoint is chosen: validation loss, or the score of answers to validation rows.",
                           choices=("loss", "score"))  # fmt: skip
    patience: int = _setting(
        0, "Stop after so many measurements in a row without a lower validation loss; 0 trains to the end.", low=0, high=1000
    )
    report_to: str = _setting("none", "Where the curves are sent as well: TensorBoard files, Weights & Biases, or nowhere.",
                              choices=("none", "tensorboard", "wandb"))  # fmt: skip
    seed: int = _setting(0, "Decides the order of rows and the adapter's start. Same seed, same run.", low=0)

    def __post_init__(self) -> None:
        for one in fields(self):
            self._check(one.name, getattr(self, one.name), one.metadata)
        odd = [name for name in self.modules if not _MODULE.fullmatch(name)]
        if odd or not self.modules:
            raise SettingsError(f"targets is '{self.targets[:60]}'; it can be all-linear, attention, or names of layers with commas "
                                "between them, such as q_proj,v_proj.", title="Unknown targets")  # fmt: skip

    def _check(self, name: str, value: Any, limits: Mapping[str, Any]) -> None:
        title = name.replace("_", " ")
        if limits["choices"] and value not in limits["choices"]:
            raise SettingsError(f"{title} is '{value}'; choose one of {', '.join(limits['choices'])}.", title=f"Unknown {title}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return
        low, high = limits["low"], limits["high"]
        if value != value or (low is not None and value < low) or (high is not None and value > high):
            span = f"from {low:g} to {high:g}" if high is not None else f"{low:g} or more"
            raise SettingsError(f"{title} is {value:g}; it can be {span}.", title=f"{title.capitalize()} is out of range")

    @property
    def effective_batch(self) -> int:
        """Rows per update of the model."""
        return self.batch * self.accumulate

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the layers that get an adapter; ("all-linear",) for all of them."""
        named = (one.strip() for one in self.targets.split(","))
        return ATTENTION if self.targets == "attention" else tuple(one for one in named if one)

    @property
    def keeps_each(self) -> bool:
        """Whether the adapter of every measurement stays: wished, or needed to choose by score."""
        return self.keep == "each" or self.choose == "score"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainSettings:
        unknown = set(data) - set(cls.__dataclass_fields__)
        if unknown:
            raise SettingsError(f"There is no training setting {sorted(unknown)}; there are {', '.join(cls.__dataclass_fields__)}.",
                                title="Unknown setting")  # fmt: skip
        return cls(**data)


def rate_at(step: int, steps: int, settings: TrainSettings) -> float:
    """The learning rate before update `step` (from 0) of `steps`, as a share of `learning_rate`."""
    rising = round(settings.warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    if settings.schedule == "constant":
        return 1.0
    gone = (step - rising) / max(1, steps - rising)
    return max(0.0, 1 - gone) if settings.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * min(1.0, gone)))


def meaning(name: str) -> str:
    """The sentence under a field."""
    return TrainSettings.__dataclass_fields__[name].metadata["meaning"]


def changed(settings: TrainSettings, recommended: TrainSettings) -> list[str]:
    """Names of the fields that differ from the preset, in order."""
    return [one.name for one in fields(settings) if getattr(settings, one.name) != getattr(recommended, one.name)]


BASE = TrainSettings()
_PACKED = replace(BASE, packing=True)
PRESETS: dict[str, TrainSettings] = {
    "quick": replace(_PACKED, batch=4, accumulate=2, max_steps=80, learning_rate=1e-3),
    "balanced": replace(_PACKED, batch=4, accumulate=2, epochs=1.0, learning_rate=7e-4),
    "thorough": replace(_PACKED, batch=4, accumulate=2, epochs=3.0, learning_rate=5e-4, rank=32, alpha=64),
}
"""Reading tasks: the answer can be found in, or guessed from, the text of the question. Their rows are long: two batches of four
need a third less memory than one of eight, for a tenth more time."""
CLOSED_BOOK: dict[str, TrainSettings] = {
    "quick": replace(_PACKED, epochs=1.5, learning_rate=2e-3, rank=32, alpha=64, batch=16, max_tokens=128, keep_best=False),
    "balanced": replace(_PACKED, epochs=4.0, learning_rate=2e-3, rank=32, alpha=64, batch=16, max_tokens=128, keep_best=False),
    "thorough": replace(_PACKED, epochs=10.0, learning_rate=1e-3, rank=64, alpha=128, batch=16, max_tokens=128, keep_best=False),
}
"""Facts learnt by heart: short rows, seen several times. The last step is kept: validation rows ask for the same facts."""

KOREAN_QA = replace(
    BASE, quantization="4-bit", double_quantization=False, learning_rate=2e-4, batch=8, epochs=40.0, max_tokens=256, schedule="linear",
    warmup=0.1, dropout=0.05, answers_only=False, group_by_length=False, keep_best=False, seed=42,
)  # fmt: skip
"""The settings of a Korean question answering project: its AutoTrain command, with that tool's own defaults for the rest.
Precision auto is its float16 on CUDA and bfloat16 on a processor."""
NAMED: dict[str, TrainSettings] = {"korean_qa": KOREAN_QA}
"""Presets of one project each, the same for every task."""
ANSWER_TOKENS: dict[str, int] = {"korean_qa": 128}
"""The longest answer at test time where a preset names one: what the prompt's max_tokens becomes. Answers are greedy."""
TITLES = {"quick": "Quick", "balanced": "Balanced", "thorough": "Thorough", "korean_qa": "Korean QA project"}
"""Every preset's title, in the order they are offered."""


def preset(name: str, kind: str) -> TrainSettings:
    """The preset for a task kind: questions without a text to read (qa) are learnt by heart."""
    table = {**(CLOSED_BOOK if kind == "qa" else PRESETS), **NAMED}
    if name not in table:
        raise SettingsError(f"There is no preset '{name}'; choose one of {', '.join(table)}.", title="Unknown preset")
    return table[name]
