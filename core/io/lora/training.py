"""The training itself: a LoRA adapter on a frozen base model, with transformers' Trainer and peft, on CUDA or the processor.

What differs from a plain supervised run: rows are padded on the left, or not at all, so that the 50,000 scores per token are
computed for the answers only; the order of the rows is fixed before the first step; validation loss is measured before the
first step too; checkpoints hold no pickles; and a run that does not fit in memory goes on by itself in batches half as large.
Knows no workspace: folders and callbacks come in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.finetune.estimates import halved, memory_of, smaller
from core.finetune.rows import TrainingRow
from core.finetune.settings import TrainSettings, rate_at
from core.format import plural, size
from core.io import device
from core.io.embedded.loading import give_back, resolved, threads
from core.io.embedded.weights import facts, tokenizer
from core.io.lora import checkpoints, several
from core.io.lora.adapting import adapted
from core.io.lora.packing import can_pack
from core.io.lora.standing import Run, State, Told, Trained, peak_memory, tensors


def train(run: Run, tell: Callable[[Told], None]) -> Trained:
    """Train to the last step, from the last complete checkpoint if there is one. What `tell` raises ends the run.

    Where memory runs out, it goes on once from that checkpoint with the same updates in batches half as large, and tells so.
    The base model's weights are never changed. Raises ModelError when the model does not fit, cannot be loaded or diverges,
    SettingsError for settings this model or machine cannot do.
    """
    damaged = checkpoints.clear(run.folder)
    notes = (_damaged(damaged, run, tell),) if damaged else ()
    try:
        return _run(run, tell, notes)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    less = halved(run.settings)
    if less is None:
        raise _too_large(run)
    give_back()
    at = checkpoints.last(run.folder)
    step = checkpoints.steps(run.folder)[-1] if at else 0
    note = (f"Memory ran out with {plural(run.settings.batch, 'row')} per step. Goes on from step {step} with {less.batch}, and "
            f"{less.accumulate} batches per update.")  # fmt: skip
    tell(Told(step, run.steps, memory=peak_memory(), kept=step if at else None, note=note))
    run = replace(run, settings=less)
    try:
        return _run(run, tell, (*notes, note))
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    raise _too_large(run)


def _run(run: Run, tell: Callable[[Told], None], notes: tuple[str, ...]) -> Trained:
    """In this process, or in as many as are configured."""
    if several.processes() == 1:
        return train_here(run, tell, notes)
    made = several.train_together(run, tell)
    return replace(made, notes=(*notes, *made.notes))


def _damaged(steps: list[int], run: Run, tell: Callable[[Told], None]) -> str:
    """Say what became of checkpoints that were no longer what had been written."""
    at = checkpoints.last(run.folder)
    step = checkpoints.steps(run.folder)[-1] if at else 0
    note = (f"The checkpoint of step {' and '.join(map(str, steps))} is damaged: it is not what was once written. "
            + (f"Training goes on from step {step}." if at else "Training starts over."))  # fmt: skip
    tell(Told(step, run.steps, memory=peak_memory(), kept=step if at else None, note=note))
    return note


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device, or the processor's memory, had no room for a batch."""
    import torch

    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(one in str(error).casefold() for one in words)


def _too_large(run: Run) -> ModelError:
    known, settings = facts(run.base), run.settings
    longest = max(map(len, run.rows))
    wanted = size(memory_of(known.parameters, known.config, settings, longest, resolved(settings.precision)))
    less = smaller(settings)
    advice = f"Choose {less[1]}." if less else "Choose a smaller model."
    return ModelError(f"Memory ran out with {plural(settings.batch, 'row')} per step: about {wanted} are expected, and the device has "
                      f"{size(device.room())}. {advice} What was kept so far stays.", title="Out of memory")  # fmt: skip


def train_here(run: Run, tell: Callable[[Told], None], notes: tuple[str, ...] = ()) -> Trained:
    """`train` once, in this process, as one of several where it was launched so."""
    import torch
    from transformers import PrinterCallback, Trainer, TrainerCallback

    settings = run.settings
    torch.set_num_threads(threads())
    model = adapted(run.base, settings, run.continue_from)
    if settings.packing and not can_pack(model.get_base_model(), settings.max_tokens):
        settings = replace(settings, packing=False)
        run = replace(run, settings=settings)
    words = tokenizer(run.base)
    parameters = list(checkpoints.trainable(model).values())
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    found = checkpoints.last(run.folder)
    standing = State(run, model, words, optimizer, tell)
    standing.notes += notes
    if found:
        standing.go_on(checkpoints.restore(found, model, optimizer))
    done = standing.step
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step + done, run.steps, settings))

    class Watch(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            torch.manual_seed(settings.seed * 1_000_003 + standing.step)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if logs and "loss" in logs:
                standing.after_step(float(logs["loss"]), float(logs.get("learning_rate", 0.0)))
                control.should_training_stop |= standing.over

    with _no_needless_casts(model, settings):
        if done == 0:
            standing.measure()
        if not standing.over:
            rest = [run.rows[i] for i in standing.plan[done * settings.effective_batch :]]
            trainer = Trainer(model=model, args=_arguments(run, run.steps - done), train_dataset=rest,  # type: ignore[arg-type]
                              data_collator=lambda rows: tensors(rows, words, settings), optimizers=(optimizer, schedule),
                              callbacks=[Watch()])  # fmt: skip
            trainer.remove_callback(PrinterCallback)
            standing.resume_clock()
            trainer.train()
    return standing.ended()


def _arguments(run: Run, steps: int) -> Any:
    """Trainer keeps to itself: no checkpoints of its own, no printing, the rows in the order they come."""
    from transformers import TrainingArguments

    settings, precision = several.share(run.settings), resolved(run.settings.precision)
    made = TrainingArguments(
        output_dir=str(run.folder / "trainer"), use_cpu=not device.cuda(), bf16=precision == "bf16", fp16=precision == "fp16",
        max_steps=steps,
        per_device_train_batch_size=settings.batch, gradient_accumulation_steps=settings.accumulate, max_grad_norm=settings.clip,
        train_sampling_strategy="sequential", remove_unused_columns=False, logging_steps=1, logging_nan_inf_filter=False,
        save_strategy="no", report_to="none", disable_tqdm=True, seed=settings.seed, dataloader_pin_memory=False,
        ddp_backend="gloo" if several.launched() and not device.cuda() else None, ddp_find_unused_parameters=False,
    )  # fmt: skip
    made._n_gpu = min(1, made.n_gpu)  # one process trains on one device; several of them are started on purpose
    return made


def _no_needless_casts(model: Any, settings: TrainSettings) -> Any:
    """Under autocast peft would turn every activation into float32 and back; without that a step is a sixth faster."""
    if resolved(settings.precision) == "fp32" or settings.quantization != "none":
        return nullcontext()
    from peft.helpers import disable_input_dtype_casting

    return disable_input_dtype_casting(model)


def probe_rate(base: Path, rows: int = 8, length: int = 200) -> float:
    """Training tokens per second of this machine with this model: three steps on made-up rows, the first not counted."""
    import tempfile

    made = [TrainingRow(tuple(range(20, 20 + length - 4)), (5, 6, 7, 2), i) for i in range(rows)]
    with tempfile.TemporaryDirectory() as folder:
        marks: list[float] = []
        run = Run(base, made, (), TrainSettings(batch=rows, checkpoint_every=1_000_000), 3, Path(folder))
        train(run, lambda told: marks.append(time.perf_counter()) if told.loss is not None else None)
    return rows * length * 2 / (marks[2] - marks[0])
