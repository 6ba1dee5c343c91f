"""QLoRA on CUDA: a random model of a given shape, nf4 without double quantization, trained by the studio and by trl in turns."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

BATCH, STEPS, TURNS = 8, 6, 3


def measured(shape: dict[str, Any]) -> dict[str, Any]:
    """The benchmark's line but its name: tokens per second without padding, the first step of a turn not counted."""
    import torch

    from benchmarks.training import chats, rows_of
    from core.io.embedded import ensure_converted

    words = ensure_converted()
    with tempfile.TemporaryDirectory() as folder:
        base = random_model(Path(folder) / "random", shape, words)
        data = chats(BATCH * STEPS)
        rows = rows_of(base, data)
        mine, theirs = [], []
        for turn in range(TURNS):
            mine.append(ours(base, rows, Path(folder) / f"turn{turn}"))
            torch.cuda.empty_cache()
            theirs.append(plain(base, data))
            torch.cuda.empty_cache()
    ratios = sorted(a / b for a, b in zip(mine, theirs, strict=True))
    told = f"{statistics.median(mine):.0f} against {statistics.median(theirs):.0f} tokens/s on {torch.cuda.get_device_name(0)}"
    return {"n": f"{TURNS} turns of {STEPS} steps of {BATCH} rows, {told}", "ratio": round(statistics.median(ratios), 2),
            "spread": [round(ratios[0], 2), round(ratios[-1], 2)]}  # fmt: skip


def random_model(folder: Path, shape: dict[str, Any], words: Path) -> Path:
    """A folder with random bf16 weights of this shape and the tokenizer of another model, whose vocabulary it takes over."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(str(words), local_files_only=True)
    config = LlamaConfig(**{**shape, "vocab_size": max(shape["vocab_size"], len(tokenizer)), "max_position_embeddings": 4096,
                            "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id})  # fmt: skip
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda"):
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    del model
    torch.cuda.empty_cache()
    return folder


def ours(base: Path, rows: Any, folder: Path) -> float:
    from core.finetune.settings import TrainSettings
    from core.io.lora.standing import Run, Told
    from core.io.lora.training import train

    marks: list[float] = []
    settings = TrainSettings(batch=BATCH, learning_rate=2e-4, quantization="4-bit", double_quantization=False, precision="bf16",
                             group_by_length=False, evaluate_every=10_000, keep_best=False)  # fmt: skip

    def tell(told: Told) -> None:
        if told.loss is not None:
            marks.append(time.perf_counter())

    train(Run(base, rows, (), settings, STEPS, folder), tell)
    return sum(map(len, rows)) * (STEPS - 1) / STEPS / (marks[-1] - marks[0])


def plain(base: Path, data: Any) -> float:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig, PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    marks: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            torch.cuda.synchronize()
            marks.append(time.perf_counter())

    bits = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(output_dir=folder, bf16=True, gradient_checkpointing=False, per_device_train_batch_size=BATCH,
                             learning_rate=2e-4, max_steps=STEPS, max_length=256, logging_steps=1, save_strategy="no", report_to="none",
                             disable_tqdm=True, model_init_kwargs={"quantization_config": bits, "device_map": {"": 0}})  # fmt: skip
        rows = Dataset.from_list([{"prompt": chat[:-1], "completion": chat[-1:]} for chat in data])
        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        trainer = SFTTrainer(model=str(base), args=settings, peft_config=lora, callbacks=[Clock()], train_dataset=rows)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        tokens = max(log.get("num_tokens", 0) for log in trainer.state.log_history)
    return tokens * (STEPS - 1) / STEPS / (marks[-1] - marks[0])
