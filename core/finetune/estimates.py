"""Steps, tokens, memory and time of a run, before it runs.

Memory is a sum of what must be held (weights, adapter with its optimizer, activations, scores), fitted to measured peaks;
time is tokens over a rate measured on this machine. Both are estimates and are shown with what really came out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.finetune.settings import TrainSettings

PROCESS = 650 << 20
"""Bytes that Python, torch and transformers take before any model (measured)."""
RATES = {"bf16": 700.0, "fp32": 300.0}
"""Training tokens per second of two desktop cores with the 135 M model, until this machine has been measured."""
SLOWER = {"none": 1.0, "8-bit": 3.0, "4-bit": 2.0}
"""How many times slower a step is with a quantized base on a CPU (measured)."""
BITS = {"none": {"bf16": 2.0, "fp32": 4.0}, "8-bit": {"bf16": 1.1, "fp32": 1.1}, "4-bit": {"bf16": 0.6, "fp32": 0.6}}


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


def memory_of(parameters: int, config: Mapping[str, Any], settings: TrainSettings, longest: int, precision: str) -> int:
    """Bytes at the peak of a run: process, weights, adapter (weights, gradients, two moments in fp32), activations, scores."""
    wide, inner, layers = int(config["hidden_size"]), int(config.get("intermediate_size", 0)), int(config["num_hidden_layers"])
    weights = parameters * BITS[settings.quantization][precision]
    adapter = adapter_parameters(config, settings) * 16
    places = settings.batch * min(longest, settings.max_tokens)
    size = 2 if precision == "bf16" else 4
    activations = places * layers * (14 * wide + 6 * inner) * size
    scores = settings.batch * (32 if settings.answers_only else longest) * int(config["vocab_size"]) * 12
    return int(PROCESS + weights + adapter + activations + scores)


def estimate(rows: int, tokens: int, longest: int, parameters: int, config: Mapping[str, Any], settings: TrainSettings, *,
             precision: str = "bf16", rate: float | None = None, validation_tokens: int = 0) -> Estimate:  # fmt: skip
    """`rows` and `tokens` are one epoch's; `rate` is this machine's measured training tokens per second, if known.

    A validation pass reads without learning and costs about a third as much per token.
    """
    steps = steps_of(rows, settings)
    seen = round(tokens / max(1, rows) * steps * settings.effective_batch)
    measured = 1 + math.ceil(steps / every(steps, settings)) if steps else 0
    speed = (rate or RATES[precision] * 135e6 / max(1, parameters)) / SLOWER[settings.quantization]
    seconds = (seen + measured * validation_tokens / 3) / speed
    return Estimate(steps, seen, seconds, memory_of(parameters, config, settings, longest, precision), adapter_parameters(config, settings))
