"""Training speed and loss against a plain trl SFTTrainer: same model, same rows, the two taking turns in one process.

Both train LoRA rank 16 on all linear layers, batch 8, rows up to 256 tokens, answers only. The yardstick's settings are those of
its documentation with bf16; where the processor has no bf16 of its own it is measured in fp32 too, so that the arithmetic is
not what is compared. A turn is one trainer's STEPS steps; tokens are counted without padding, and the steps alone are timed.
Loss: the same rows in one epoch with three seeds each, then the surprise at rows neither has seen.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TURNS = 3
STEPS = 3
BATCH = 8
LONG, SHORT = (80, 190), (10, 30)
"""Words of a row, where speed is measured and where the loss is."""
LOSS_STEPS = 20
SEEDS = (0, 1, 2)
UNSEEN = 64
SEVEN_B = {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
           "vocab_size": 32000, "tie_word_embeddings": False}  # fmt: skip


def chats(n: int, words: tuple[int, int] = LONG, seed: int = 0) -> list[list[dict[str, str]]]:
    """Made-up listings whose price follows from three of their words, the same on every machine."""
    import numpy as np

    rng = np.random.default_rng(seed)
    known = ["solid", "steel", "kettle", "with", "a", "lid", "handle", "filter", "quiet", "motor", "spare", "parts", "warranty", "litre"]
    worth = {"kettle": 40, "motor": 90, "warranty": 200}
    rows = []
    for _ in range(n):
        text = rng.choice(known, int(rng.integers(*words))).tolist()
        price = 5 + sum(value for word, value in worth.items() if word in text[: len(text) // 4])
        asked = {"role": "user", "content": f"How much does this cost to the nearest dollar?\n\n{' '.join(text)}"}
        rows.append([asked, {"role": "assistant", "content": f"Price is ${price}.00"}])
    return rows


def ours(base: Path, rows: Any, folder: Path, steps: int, seed: int = 0, unseen: Any = ()) -> tuple[float, float | None]:
    """Tokens per second of our steps, and the loss at the unseen rows afterwards."""
    from core.finetune.settings import TrainSettings
    from core.io.lora.standing import Run
    from core.io.lora.training import train

    settings = TrainSettings(batch=BATCH, learning_rate=2e-4, schedule="linear", warmup=0, packing=True, seed=seed, evaluate_every=10_000,
                             validation_rows=0, keep_best=False)  # fmt: skip
    found = train(Run(base, rows, unseen, settings, steps, folder), lambda told: None)
    return found.tokens_per_second or 0.0, found.validation_loss


def plain(base: Path, data: list[list[dict[str, str]]], bf16: bool, steps: int, seed: int = 0) -> tuple[float, Any]:
    """Tokens per second of trl's own steps, its settings as its documentation has them; and its model."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Clock(TrainerCallback):
        begun = 0.0
        seconds = 0.0

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.begun = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.seconds += time.perf_counter() - self.begun

    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(output_dir=folder, use_cpu=True, bf16=bf16, gradient_checkpointing=False, per_device_train_batch_size=BATCH,
                             learning_rate=2e-4, max_steps=steps, max_length=256, logging_steps=1, save_strategy="no", report_to="none",
                             disable_tqdm=True, seed=seed)  # fmt: skip
        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        clock = Clock()
        rows = Dataset.from_list([{"prompt": chat[:-1], "completion": chat[-1:]} for chat in data])
        trainer = SFTTrainer(model=str(base), args=settings, peft_config=lora, callbacks=[clock], train_dataset=rows)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        tokens = max(log.get("num_tokens", 0) for log in trainer.state.log_history)
    return tokens / clock.seconds, trainer.model


def rows_of(base: Path, data: list[list[dict[str, str]]]) -> Any:
    from core.finetune.rows import chats_of, supervised
    from core.io.embedded import tokenizer
    from core.io.embedded.generate import encode, render

    words = tokenizer(base)
    return supervised(*chats_of(data), "", lambda c, p: render(words, c, p), lambda t: encode(words, t), words.eos_token_id, 256).rows


def speed(base: Path) -> list[dict[str, Any]]:
    """One line against the yardstick as it is and, without bf16 in the processor, one against it in our arithmetic."""
    from core.io.embedded.loading import resolved, threads

    data = chats(BATCH * STEPS, LONG)
    rows = rows_of(base, data)
    kinds = {"training_speed": True} | ({} if resolved("auto") == "bf16" else {"training_speed_fp32": False})
    mine: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as folder:
            mine.append(ours(base, rows, Path(folder), STEPS)[0])
        for name, bf16 in kinds.items():
            theirs[name].append(plain(base, data, bf16, STEPS)[0])
    return [_speed_line(name, "bf16" if kinds[name] else "fp32", mine, theirs[name], resolved("auto"), threads()) for name in kinds]


def _speed_line(name: str, arithmetic: str, mine: list[float], theirs: list[float], own: str, threads: int) -> dict[str, Any]:
    ratios = sorted(a / b for a, b in zip(mine, theirs, strict=True))
    told = f"{statistics.median(mine):.0f} ({own}) against {statistics.median(theirs):.0f} ({arithmetic})"
    return {
        "name": name,
        "what": f"our training steps against trl SFTTrainer's: tokens per second without padding, {told}, {threads} threads",
        "n": f"{TURNS} turns of {STEPS} steps of {BATCH} rows",
        "ratio": round(statistics.median(ratios), 2),
        "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
    }


def loss(base: Path) -> dict[str, Any]:
    """Mean loss at unseen rows after the same steps, ours over trl's, three seeds."""
    from core.finetune.settings import TrainSettings
    from core.io.embedded import tokenizer
    from core.io.embedded.loading import resolved
    from core.io.lora.standing import autocast, validation_loss

    data, unseen = chats(BATCH * LOSS_STEPS, SHORT), rows_of(base, chats(UNSEEN, SHORT, seed=1))
    rows = rows_of(base, data)
    bf16 = resolved("auto") == "bf16"
    mine, theirs = [], []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            mine.append(ours(base, rows, Path(folder), LOSS_STEPS, seed, unseen)[1] or 0.0)
        model = plain(base, data, bf16, LOSS_STEPS, seed)[1].eval()
        with autocast(TrainSettings()):
            theirs.append(validation_loss(model, unseen, tokenizer(base), TrainSettings()))
    ratio = statistics.mean(mine) / statistics.mean(theirs)
    each = sorted(a / b for a, b in zip(mine, theirs, strict=True))
    told = f"{statistics.mean(mine):.4f} against {statistics.mean(theirs):.4f} nats per token"
    return {
        "name": "training_loss",
        "what": f"our loss at unseen rows against trl's after the same steps, both {resolved('auto')}: {told}",
        "n": f"{len(SEEDS)} seeds, {LOSS_STEPS} steps of {BATCH} rows, {UNSEEN} unseen rows",
        "ratio": round(ratio, 4),
        "spread": [round(each[0], 4), round(each[-1], 4)],
    }


def main() -> None:
    import torch

    from core.io.embedded import ensure_converted
    from core.io.embedded.loading import threads
    from core.io.embedded.weights import offline

    wanted = sys.argv[1:] or ["speed", "loss", "qlora"]
    offline()
    base = ensure_converted()
    torch.set_num_threads(threads())
    if "speed" in wanted:
        for line in speed(base):
            print(json.dumps(line), flush=True)
    if "loss" in wanted:
        print(json.dumps(loss(base)), flush=True)
    if "qlora" in wanted:
        print(json.dumps(qlora()), flush=True)


def qlora() -> dict[str, Any]:
    """A 7 B-shaped random model in 4 bits on CUDA: our steps against trl's. Says so where there is no device."""
    from core.io.device import cuda

    line = {"name": "training_qlora_7b", "what": "QLoRA steps of a random model of 7 B shape on CUDA against trl SFTTrainer's"}
    if not cuda():
        return {**line, "n": "skipped: this machine has no CUDA device", "value": "not measured"}
    from benchmarks._qlora import measured

    return {**line, **measured(SEVEN_B)}


if __name__ == "__main__":
    main()
