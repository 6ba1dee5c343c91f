"""The training itself: a LoRA adapter on a frozen base model, with transformers' Trainer and peft, on the processor.

What differs from a plain supervised run: rows are padded on the left so that the 50,000 scores per token are computed for
the answers only; the order of the rows is fixed before the first step; validation loss is measured before the first step
too; and checkpoints hold no pickles. Knows no workspace: folders and callbacks come in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.finetune.rows import TrainingRow, order
from core.finetune.settings import TrainSettings, rate_at
from core.io.embedded.loading import load_base, resolved, threads
from core.io.embedded.weights import clean_config, tokenizer
from core.io.lora import checkpoints
from core.io.lora.standing import Run, State, Told, Trained, tensors


def train(run: Run, tell: Callable[[Told], None]) -> Trained:
    """Train to the last step, from the last complete checkpoint if there is one. What `tell` raises ends the run.

    The base model's weights are never changed. Raises ModelError when the model does not fit or cannot be loaded.
    """
    import torch
    from transformers import PrinterCallback, Trainer, TrainerCallback

    settings = run.settings
    torch.set_num_threads(threads())
    model = adapted(run.base, settings, run.continue_from)
    words = tokenizer(run.base)
    parameters = list(checkpoints.trainable(model).values())
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    found = checkpoints.last(run.folder)
    standing = State(run, model, words, optimizer, tell)
    if found:
        standing.go_on(checkpoints.restore(found, model, optimizer))
    done = standing.step
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step + done, run.steps, settings))
    plan = order([len(row) for row in run.rows], run.steps, settings.effective_batch, settings.seed, settings.group_by_length)

    class Watch(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            torch.manual_seed(settings.seed * 1_000_003 + standing.step)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if logs and "loss" in logs:
                standing.after_step(float(logs["loss"]), float(logs.get("learning_rate", 0.0)))

    with _no_needless_casts(model, settings):
        if done == 0:
            standing.measure()
        if done < run.steps:
            rest = [run.rows[i] for i in plan[done * settings.effective_batch :]]
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

    settings = run.settings
    return TrainingArguments(
        output_dir=str(run.folder / "trainer"), use_cpu=True, bf16=resolved(settings.precision) == "bf16", max_steps=steps,
        per_device_train_batch_size=settings.batch, gradient_accumulation_steps=settings.accumulate, max_grad_norm=settings.clip,
        train_sampling_strategy="sequential", remove_unused_columns=False, logging_steps=1, logging_nan_inf_filter=False,
        save_strategy="no", report_to="none", disable_tqdm=True, seed=settings.seed, dataloader_pin_memory=False,
    )  # fmt: skip


def _no_needless_casts(model: Any, settings: TrainSettings) -> Any:
    """Under autocast peft would turn every activation to float32 and back; without that a step is a sixth faster."""
    if resolved(settings.precision) != "bf16" or settings.quantization != "none":
        return nullcontext()
    from peft.helpers import disable_input_dtype_casting

    return disable_input_dtype_casting(model)


def adapted(base: Path, settings: TrainSettings, continue_from: Path | None = None) -> Any:
    """The frozen base model with a fresh adapter (or the weights of `continue_from`) that can be trained."""
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    torch.manual_seed(settings.seed)
    model = load_base(base, settings.precision, **_quantized(base, settings))
    if settings.quantization != "none":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        for layer in model.modules():  # bitsandbytes would repack a layer once it answers, and gradients no longer pass a repacked one
            if hasattr(layer, "support_avx512bf16_for_cpu"):
                layer.support_avx512bf16_for_cpu = False
    model.config.use_cache = False
    modules = settings.targets if settings.targets == "all-linear" else list(settings.modules)
    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=modules,
                      use_rslora=settings.rslora, use_dora=settings.dora, task_type="CAUSAL_LM")  # fmt: skip
    wrapped = get_peft_model(model, lora)
    if continue_from:
        checkpoints.load_adapter_weights(continue_from, wrapped)
    return wrapped.train()


def _quantized(base: Path, settings: TrainSettings) -> dict[str, Any]:
    if settings.quantization == "none":
        return {}
    try:
        import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise ModelError("Training in 4 or 8 bits needs the package bitsandbytes. Install it, or set quantization to none.",
                         title="bitsandbytes is missing") from error  # fmt: skip
    import torch
    from transformers import BitsAndBytesConfig

    if settings.quantization == "8-bit":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    width = int(clean_config(base).hidden_size)
    if width % 64:
        raise ModelError(
            f"4-bit weights come in blocks of 64, and this model's layers are {width} wide. Choose 8-bit or none.", title="No 4 bits"
        )
    compute = torch.bfloat16 if resolved(settings.precision) == "bf16" else torch.float32
    return {"quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute,
                                                      bnb_4bit_use_double_quant=settings.double_quantization)}  # fmt: skip


def probe_rate(base: Path, rows: int = 8, length: int = 200) -> float:
    """Training tokens per second of this machine with this model: three steps on made-up rows, the first not counted."""
    import tempfile

    made = [TrainingRow(tuple(range(20, 20 + length - 4)), (5, 6, 7, 2), i) for i in range(rows)]
    with tempfile.TemporaryDirectory() as folder:
        marks: list[float] = []
        run = Run(base, made, (), TrainSettings(batch=rows, checkpoint_every=1_000_000), 3, Path(folder))
        train(run, lambda told: marks.append(time.perf_counter()) if told.loss is not None else None)
    return rows * length * 2 / (marks[2] - marks[0])
