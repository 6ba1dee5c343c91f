"""Training speed against a plain trl SFTTrainer: same model, same rows, same batches, the two taking turns in one process.

Both train LoRA rank 16 on all linear layers, batch 8, rows up to 256 tokens, answers only, bf16, on the processor. A turn is one
trainer's STEPS steps; tokens are counted without padding. What is compared is tokens per second of the steps alone.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

TURNS = 3
STEPS = 5
BATCH = 8


def chats(n: int) -> list[list[dict[str, str]]]:
    """Made-up listings of 100 to 220 tokens with a price, the same on every machine."""
    import numpy as np

    rng = np.random.default_rng(0)
    words = ["solid", "steel", "kettle", "with", "a", "lid", "handle", "filter", "quiet", "motor", "spare", "parts", "warranty", "litre"]
    rows = []
    for _ in range(n):
        text = " ".join(rng.choice(words, int(rng.integers(80, 190))))
        asked = {"role": "user", "content": f"How much does this cost to the nearest dollar?\n\n{text}"}
        rows.append([asked, {"role": "assistant", "content": f"Price is ${int(rng.integers(5, 400))}.00"}])
    return rows


def ours(base: Path, rows: Any, folder: Path) -> float:
    """Tokens per second of our steps."""
    from core.finetune.settings import TrainSettings
    from core.io.lora.standing import Run
    from core.io.lora.training import train

    settings = TrainSettings(batch=BATCH, learning_rate=2e-4, group_by_length=False, checkpoint_every=10_000)
    found = train(Run(base, rows, (), settings, STEPS, folder), lambda told: None)
    return found.tokens_per_second or 0.0


def plain(base: Path, data: list[list[dict[str, str]]]) -> float:
    """Tokens per second of trl's own steps, its settings as its documentation has them."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Clock(TrainerCallback):
        begun = 0.0
        seconds = 0.0

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.begun = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.seconds += time.perf_counter() - self.begun

    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=True,
            gradient_checkpointing=False,
            per_device_train_batch_size=BATCH,
            learning_rate=2e-4,
            max_steps=STEPS,
            max_length=256,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        clock = Clock()
        rows = Dataset.from_list([{"prompt": chat[:-1], "completion": chat[-1:]} for chat in data])
        trainer = SFTTrainer(model=str(base), args=settings, peft_config=lora, callbacks=[clock], train_dataset=rows)
        trainer.train()
        tokens = max(log.get("num_tokens", 0) for log in trainer.state.log_history)
    return tokens / clock.seconds


def main() -> None:
    import torch

    from core.finetune.rows import chats_of, supervised
    from core.io.embedded import ensure_converted, tokenizer
    from core.io.embedded.generate import encode, render
    from core.io.embedded.loading import threads
    from core.io.embedded.weights import offline

    offline()
    base = ensure_converted()
    torch.set_num_threads(threads())
    words, data = tokenizer(base), chats(BATCH * STEPS)
    rows = supervised(*chats_of(data), "", lambda c, p: render(words, c, p), lambda t: encode(words, t), words.eos_token_id, 256).rows
    mine, theirs = [], []
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as folder:
            mine.append(ours(base, rows, Path(folder)))
        theirs.append(plain(base, data))
    ratios = sorted(a / b for a, b in zip(mine, theirs, strict=True))
    speeds = f"{statistics.median(mine):.0f} against {statistics.median(theirs):.0f}"
    result = {
        "name": "training_speed",
        "what": f"our training steps against trl SFTTrainer's: tokens per second, {speeds}, {threads()} threads",
        "n": f"{TURNS} turns of {STEPS} steps of {BATCH} rows",
        "ratio": round(statistics.median(ratios), 2),
        "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
