"""Where a run stands: what it needs, what it tells, its losses, its clock, and what it has kept so far."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.finetune.advice import patience_is_over
from core.finetune.estimates import every
from core.finetune.rows import TrainingRow, collate, end_to_end, order
from core.finetune.settings import TrainSettings
from core.io.device import cuda
from core.io.embedded.generate import Limits, answer_batch
from core.io.embedded.loading import number_type, resolved
from core.io.lora import checkpoints, several


@dataclass(frozen=True)
class Run:
    """Everything a training needs."""

    base: Path
    rows: Sequence[TrainingRow]
    validation: Sequence[TrainingRow]
    settings: TrainSettings
    steps: int
    folder: Path
    """Where checkpoints go; a run goes on from the last complete one it finds here."""
    shown: Sequence[Sequence[int]] = ()
    """Prompts (token ids) answered at each measurement, to see what the model says by then."""
    answer_tokens: int = 16
    continue_from: Path | None = None
    """An adapter to start from instead of zero."""


@dataclass
class Told:
    """What the callbacks of a run are told after a step or a measurement."""

    step: int
    steps: int
    loss: float | None = None
    val_loss: float | None = None
    says: list[str] = field(default_factory=list)
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    memory: int = 0
    """Most bytes held so far, on the CUDA device where there is one."""
    kept: int | None = None
    """The step of the last complete checkpoint."""
    note: str = ""
    """What the run changed by itself, as a sentence."""


@dataclass(frozen=True)
class Trained:
    """How a run ended; `checkpoint` is the folder to keep (the best or the last)."""

    checkpoint: Path
    step: int
    steps: int
    seconds: float
    train_loss: float | None
    """Mean of the last tenth of the steps."""
    validation_loss: float | None
    """Of the kept checkpoint."""
    first_validation_loss: float | None
    tokens_per_second: float | None
    memory: int = 0
    notes: tuple[str, ...] = ()
    """What the run changed by itself, or why it ended early, a sentence each."""
    checkpoints: tuple[int, ...] = ()
    """The steps of every checkpoint that is still there, in order."""


def tensors(rows: Sequence[TrainingRow], words: Any, settings: TrainSettings) -> dict[str, Any]:
    """A batch as the model takes it: padded on the left, or end to end."""
    import torch

    made = end_to_end(rows, settings.answers_only) if settings.packing else collate(rows, words.pad_token_id, settings.answers_only)
    return {key: torch.from_numpy(value) if hasattr(value, "shape") else value for key, value in made.items()}


def autocast(settings: TrainSettings) -> Any:
    import torch

    kind = number_type(settings.precision)
    return torch.autocast(
        "cuda" if cuda() else "cpu", kind if kind != torch.float32 else None, enabled=resolved(settings.precision) != "fp32"
    )


def validation_loss(model: Any, rows: Sequence[TrainingRow], words: Any, settings: TrainSettings) -> float:
    """Mean surprise (nats) per answer token over all these rows: every token counts the same."""
    import torch

    total, count = 0.0, 0
    ordered = sorted(rows, key=len)
    with torch.inference_mode():
        for start in range(0, len(ordered), 16):
            batch = ordered[start : start + 16]
            inputs = {key: one.to(model.device) if hasattr(one, "shape") else one for key, one in tensors(batch, words, settings).items()}
            labels, following = inputs.pop("labels"), inputs.pop("shift_labels", None)
            scores = model(**inputs, use_cache=False).logits.float()
            if following is None:
                scores, following = scores[:, :-1], labels[:, 1:]
            total += torch.nn.functional.cross_entropy(scores.flatten(0, 1), following.flatten(), reduction="sum").item()
            count += int((following != -100).sum())
    return total / max(1, count)


def peak_memory() -> int:
    """Most bytes this process has held so far, on the CUDA device where there is one."""
    if cuda():
        import torch

        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class State:
    """Where a run stands: steps, losses, the clock, what has been kept."""

    def __init__(self, run: Run, model: Any, words: Any, optimizer: Any, tell: Callable[[Told], None]) -> None:
        self.run, self.model, self.words, self.optimizer, self.tell = run, model, words, optimizer, tell
        self.step, self.kept, self.best = 0, None, None
        self.losses: list[float] = []
        self.validation: dict[int, float] = {}
        self.seconds, self.tokens = 0.0, 0
        self.began = self.clock = time.perf_counter()
        self.before = 0.0
        self.notes: list[str] = []
        self.plan = order(
            [len(row) for row in run.rows], run.steps, run.settings.effective_batch, run.settings.seed, run.settings.group_by_length
        )

    def go_on(self, facts: dict[str, Any]) -> None:
        self.step = self.kept = int(facts["step"])
        self.losses = list(facts["losses"])
        self.validation = {int(step): loss for step, loss in facts["validation"].items()}
        self.best = min(self.validation, key=self.validation.__getitem__, default=None)
        self.before, self.seconds, self.tokens = (facts[key] for key in ("seconds", "step_seconds", "tokens"))

    def resume_clock(self) -> None:
        self.clock = time.perf_counter()

    @property
    def over(self) -> bool:
        """Whether the run has nothing left to do: its last step is done, or its patience is at an end."""
        return self.step >= self.run.steps or patience_is_over(self.validation, self.run.settings.patience)

    def after_step(self, loss: float, learning_rate: float) -> None:
        """Note a step; measure and keep when it is time."""
        size = self.run.settings.effective_batch
        self.seconds += time.perf_counter() - self.clock
        self.tokens += sum(len(self.run.rows[i]) for i in self.plan[self.step * size : (self.step + 1) * size])
        self.step += 1
        self.losses.append(loss)
        if not math.isfinite(loss):
            raise self._diverged("loss")
        self.tell(self._told(loss=loss, learning_rate=learning_rate))
        pace = every(self.run.steps, self.run.settings)
        measured = self.step == self.run.steps or self.step % pace == 0
        if measured:
            self.measure()
        wanted = self.step % (self.run.settings.checkpoint_every or pace) == 0 or (measured and self.run.settings.keeps_each)
        if self.over or wanted:
            self.keep()
        if self.over and self.step < self.run.steps:
            self.note(f"Stopped after step {self.step}: {self.run.settings.patience} measurements without a lower validation loss.")
        self.resume_clock()

    def measure(self) -> None:
        if not self.run.validation and not self.run.shown:
            return
        loss, says = None, []
        self.model.eval()
        with autocast(self.run.settings):
            if self.run.validation:
                loss = validation_loss(self.model, self.run.validation, self.words, self.run.settings)
            if self.run.shown:
                limits = Limits(self.run.answer_tokens, stop_at_newline=True)
                says = [answer.text for answer in answer_batch(self.model, self.words, self.run.shown, limits)]
        self.model.train()
        loss = several.agreed(loss)
        if loss is not None and not math.isfinite(loss):
            raise self._diverged("validation loss")
        if loss is not None:
            self.validation[self.step] = loss
        self.tell(self._told(val_loss=loss, says=says))

    def _diverged(self, what: str) -> ModelError:
        if not self.step:
            return ModelError(f"The {what} is not a number before the first step: the base model's weights are damaged, or its numbers do "
                              f"not fit the precision {resolved(self.run.settings.precision)}. Choose fp32, or another base model.",
                              title="The base model cannot be trained")  # fmt: skip
        return ModelError(f"The {what} stopped being a number at step {self.step}. Lower the learning rate (now "
                          f"{self.run.settings.learning_rate:g}) and start again.", title="The training diverged")  # fmt: skip

    def keep(self) -> None:
        if self.step in self.validation:
            self.best = min(self.validation, key=self.validation.__getitem__)
        facts = {"losses": self.losses, "validation": self.validation, "seconds": self.before + time.perf_counter() - self.began,
                 "step_seconds": self.seconds, "tokens": self.tokens}  # fmt: skip
        each = self.run.settings.keeps_each
        wanted = set(self.validation) if each else {self.best} if self.best is not None else set()
        if several.leads():
            checkpoints.save(self.run.folder, self.step, self.model, self.optimizer, facts, wanted, slim=each)
        several.wait_for_all()
        self.kept = self.step
        self.tell(self._told())

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)
        self.tell(self._told(note=sentence))

    def _told(self, **more: Any) -> Told:
        rate = self.tokens / self.seconds if self.seconds else None
        return Told(self.step, self.run.steps, tokens_per_second=rate, memory=peak_memory(), kept=self.kept, **more)

    def ended(self) -> Trained:
        there = checkpoints.steps(self.run.folder)
        kept = {step: loss for step, loss in self.validation.items() if step in there}
        step = min(kept, key=kept.__getitem__) if self.run.settings.keep_best and kept else there[-1]
        tenth = self.losses[-max(1, len(self.losses) // 10) :]
        return Trained(self.run.folder / f"step-{step:06d}", step, self.run.steps, self.before + time.perf_counter() - self.began,
                       sum(tenth) / len(tenth) if tenth else None, self.validation.get(step), self.validation.get(0),
                       self.tokens / self.seconds if self.seconds else None, peak_memory(), tuple(self.notes), tuple(there))  # fmt: skip
