"""Training on other devices by formula, and how far estimates of time were off here.

    seconds = max(tokens x 4 x parameters / (peak x 0.3), steps x 0.1 s)

4 operations per weight and token: 2 forward, 2 back through the activations; the frozen weights of a LoRA get no gradients.
0.3 of the peak is what training of this kind usually reaches, and 0.1 s is what a step takes however small the model is: both
are assumptions, nothing was measured on those devices. Peaks are the makers' figures for dense 16-bit arithmetic (Apple's:
32-bit, which is what it states). Memory is the sum of `core.finetune.estimates.memory_of`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

UTILISATION = 0.3
SECONDS_PER_STEP = 0.1
PER_WEIGHT = 4


@dataclass(frozen=True)
class Device:
    name: str
    peak: float
    """Operations per second."""
    memory: int
    """Bytes."""
    source: str


DEVICES = (
    Device("T4, 16 GB", 65e12, 16 * 10**9, "NVIDIA T4 datasheet: 65 TFLOPS mixed precision"),
    Device("A10, 24 GB", 125e12, 24 * 10**9, "NVIDIA A10 datasheet: 125 TFLOPS bfloat16"),
    Device("A100, 40 GB", 312e12, 40 * 10**9, "NVIDIA A100 datasheet: 312 TFLOPS bfloat16"),
    Device("H100 SXM, 80 GB", 989e12, 80 * 10**9, "NVIDIA H100 datasheet: 989 TFLOPS bfloat16, dense"),
    Device("Apple M1 Max, 64 GB", 10.4e12, 64 * 10**9, "Apple, October 2021: 10.4 TFLOPS"),
)


@dataclass(frozen=True)
class Offer:
    """One device and what a training takes on it, by formula."""

    device: Device
    seconds: float
    memory: int

    @property
    def fits(self) -> bool:
        return self.memory <= self.device.memory


def offers(tokens: int, steps: int, parameters: int, memory: int) -> list[Offer]:
    """Every device in order. `tokens` and `steps` are those of the whole run, `memory` the bytes it holds at its peak."""
    return [Offer(one, seconds_on(one, tokens, steps, parameters), memory) for one in DEVICES]


def seconds_on(device: Device, tokens: int, steps: int, parameters: int) -> float:
    """The formula above."""
    return max(tokens * PER_WEIGHT * parameters / (device.peak * UTILISATION), steps * SECONDS_PER_STEP)


@dataclass(frozen=True)
class Past:
    """One finished training of this workspace: what was estimated before it began, and what came out."""

    seconds: float
    estimated: float
    memory: int = 0
    estimated_memory: int = 0


@dataclass(frozen=True)
class Error:
    """How far past estimates of time were off: actual divided by estimated, over the finished runs."""

    n: int
    median: float
    low: float
    high: float
    memory: float | None
    """The median of actual divided by estimated memory, where both are known."""


def error_of(past: Sequence[Past]) -> Error | None:
    """None where no run is known. 1.0 is a perfect estimate, 1.2 means a fifth longer than estimated."""
    ratios = sorted(one.seconds / one.estimated for one in past if one.estimated > 0 and one.seconds > 0)
    if not ratios:
        return None
    sizes = [one.memory / one.estimated_memory for one in past if one.memory > 0 and one.estimated_memory > 0]
    return Error(len(ratios), statistics.median(ratios), ratios[0], ratios[-1], statistics.median(sizes) if sizes else None)
