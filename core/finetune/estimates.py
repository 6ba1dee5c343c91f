"""Steps, tokens, memory and time of a run, before it runs.

Memory is a sum of what must be held (weights, adapter with its optimizer, activations, scores), fitted to measured peaks;
time is tokens over a rate measured on this machine. Both are estimates and are shown with what really came out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.finetune.settings import TrainSettings
from core.format import plural

PROCESS = 650 << 20
"""Bytes that Python, torch and transformers take before any model (measured); on CUDA about what the device's context takes."""
RATES = {"bf16": 700.0, "fp16": 10_000.0, "fp32": 300.0}
"""Training tokens per second with the 135 M model until this machine has been measured: two desktop cores; fp16 a small GPU."""
SLOWER = {"none": 1.0, "8-bit": 3.0, "4-bit": 2.0}
"""How many times slower a step is with a quantized base on a CPU (measured)."""
AGAIN = 4 / 3
"""How many times longer a step takes when the way forward is computed twice: one more of three equal parts."""
BYTES = {"bf16": 2, "fp16": 2, "fp32": 4}
BLOCK, BLOCKS = 64, 256
"""nf4: a scale per 64 weights, in fp32; quantized themselves, a byte each and an fp32 scale per 256 of them (QLoRA)."""


@dataclass(frozen=True)
class Estimate:
    steps: int
    tokens: int
    """Trained over the whole run, padding not counted."""
    seconds: float
    """Training and validation; loading and the test afterwards come on top."""
    memory: int
    """Bytes at the peak."""
    adapter_parameters: int


def steps_of(rows: int, settings: TrainSettings) -> int:
    """Updates of the model in the whole run."""
    used = min(rows, settings.train_rows) if settings.train_rows else rows
    by_epochs = max(1, math.ceil(used * settings.epochs / settings.effective_batch)) if used else 0
    return min(by_epochs, settings.max_steps) if settings.max_steps else by_epochs


def every(steps: int, settings: TrainSettings) -> int:
    """Steps between two measurements on validation rows."""
    return settings.evaluate_every or max(1, math.ceil(steps / 6))


def adapter_parameters(config: Mapping[str, Any], settings: TrainSettings) -> int:
    """Trained weights of a LoRA on a Llama-like model: rank x (inputs + outputs) of every layer that gets one.

    DoRA learns a length for each output too. Layers of other names than Llama's are taken to be as wide as the model.
    """
    wide, inner, layers = int(config["hidden_size"]), int(config.get("intermediate_size", 0)), int(config["num_hidden_layers"])
    heads = int(config["num_attention_heads"])
    head = int(config.get("head_dim") or wide // heads)
    values, queries = head * int(config.get("num_key_value_heads") or heads), head * heads
    shapes = {"q_proj": (wide, queries), "k_proj": (wide, values), "v_proj": (wide, values), "o_proj": (queries, wide),
              "gate_proj": (wide, inner), "up_proj": (wide, inner), "down_proj": (inner, wide)}  # fmt: skip
    named = {name.rsplit(".", 1)[-1] for name in settings.modules}
    chosen = shapes.values() if settings.targets == "all-linear" else [shapes.get(name, (wide, wide)) for name in sorted(named)]
    return layers * sum(settings.rank * (inputs + outputs) + outputs * settings.dora for inputs, outputs in chosen)


def weights_of(parameters: int, config: Mapping[str, Any], settings: TrainSettings, precision: str) -> int:
    """Bytes of the frozen base. Of a quantized one the vocabulary's table stays whole, in fp32."""
    if settings.quantization == "none":
        return parameters * BYTES[precision]
    table = int(config["vocab_size"]) * int(config["hidden_size"]) * (1 if config.get("tie_word_embeddings", True) else 2)
    scales = 1 / BLOCK + 4 / BLOCK / BLOCKS if settings.double_quantization else 4 / BLOCK
    each = 0.5 + scales if settings.quantization == "4-bit" else 1.05
    return int(min(table, parameters) * 4 + max(0, parameters - table) * each)


def memory_of(parameters: int, config: Mapping[str, Any], settings: TrainSettings, longest: int, precision: str, mean: float = 0) -> int:
    """Bytes at the peak of a run: process, weights, adapter (weights, gradients, two moments in fp32), activations, scores.

    `mean` tokens of a row count where rows are packed as they come, `longest` in a padded batch. With gradient checkpointing
    only the inputs of the layers and what is inside one of them are held.
    """
    wide, inner, layers = int(config["hidden_size"]), int(config.get("intermediate_size", 0)), int(config["num_hidden_layers"])
    adapter = adapter_parameters(config, settings) * 16
    packed = settings.packing and not settings.group_by_length and mean
    places = settings.batch * (mean if packed else min(longest, settings.max_tokens))
    inside = 14 * wide + 6 * inner
    activations = places * (layers * wide + inside if settings.gradient_checkpointing else layers * inside) * BYTES[precision]
    scores = settings.batch * (32 if settings.answers_only else longest) * int(config["vocab_size"]) * 12
    return int(PROCESS + weights_of(parameters, config, settings, precision) + adapter + activations + scores)


def halved(settings: TrainSettings) -> TrainSettings | None:
    """The same update in batches half as large (an odd batch is parted otherwise); None where a batch is one row already."""
    part = next((n for n in range(2, settings.batch + 1) if settings.batch % n == 0), 0)
    if not part or settings.accumulate * part > TrainSettings.__dataclass_fields__["accumulate"].metadata["high"]:
        return None
    return replace(settings, batch=settings.batch // part, accumulate=settings.accumulate * part)


def smaller(settings: TrainSettings) -> tuple[TrainSettings, str] | None:
    """The next settings that need less memory, those that cost least first, and how they are said; None at the end."""
    if less := halved(settings):
        return less, f"{plural(less.batch, 'row')} per step and {less.accumulate} batches per update"
    if not settings.gradient_checkpointing:
        return replace(settings, gradient_checkpointing=True), "gradient checkpointing"
    if settings.quantization == "none":
        return replace(settings, quantization="4-bit"), "quantization in 4 bits"
    if settings.max_tokens > 32:
        return replace(settings, max_tokens=settings.max_tokens // 2), f"rows of at most {settings.max_tokens // 2} tokens"
    return None


def estimate(rows: int, tokens: int, longest: int, parameters: int, config: Mapping[str, Any], settings: TrainSettings, *,
             precision: str = "bf16", rate: float | None = None, validation_tokens: int = 0) -> Estimate:  # fmt: skip
    """`rows` and `tokens` are one epoch's; `rate` is this machine's measured training tokens per second, if known.

    A validation pass reads without learning and costs about a third as much per token.
    """
    steps, mean = steps_of(rows, settings), tokens / max(1, rows)
    seen = round(mean * steps * settings.effective_batch)
    measured = 1 + math.ceil(steps / every(steps, settings)) if steps else 0
    speed = (rate or RATES[precision] * 135e6 / max(1, parameters)) / SLOWER[settings.quantization]
    seconds = (seen * (AGAIN if settings.gradient_checkpointing else 1) + measured * validation_tokens / 3) / speed
    memory = memory_of(parameters, config, settings, longest, precision, mean)
    return Estimate(steps, seen, seconds, memory, adapter_parameters(config, settings))
