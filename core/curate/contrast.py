"""Before and after on one axis, and what the prompt makes of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.prediction import examples
from core.prompt import Prompt
from core.version import Roles

BINS = 36


@dataclass(frozen=True)
class Outlines:
    """Two histograms over the same bins."""

    edges: tuple[float, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    log: bool = False
    """Whether the bins grow: the values are skewed."""


def outlines(before: Sequence[float], after: Sequence[float]) -> Outlines | None:
    """Bins from the smallest value to the end of 99.5 % of what was there before; None without numbers. The last bin holds all beyond."""
    old, new = (np.array([v for v in values if np.isfinite(v)], dtype=float) for values in (before, after))
    if not len(old):
        return None
    low, high = float(np.concatenate([old, new]).min()), float(np.quantile(old, 0.995))
    log = bool(low > 0 and high > 50 * low and np.mean(old) > 1.5 * np.median(old))
    high = high if high > low else low + 1
    edges = np.geomspace(low, high, BINS + 1) if log else np.linspace(low, high, BINS + 1)
    if not log and np.all(old == old.round()) and high - low <= BINS:
        edges = np.arange(low - 0.5, np.ceil(high) + 1)
    one, other = (tuple(np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0].tolist()) for values in (old, new))
    return Outlines(tuple(edges.tolist()), one, other, log)


@dataclass(frozen=True)
class Shown:
    """One row as the model meets it."""

    training: str
    """Question and answer."""
    test: str
    """Question and the beginning of the answer."""
    training_tokens: int
    test_tokens: int


def shown(
    frame: pd.DataFrame, roles: Roles, task: str, prompt: Prompt, count: Callable[[list[str]], list[int]], rows: int = 3
) -> list[Shown]:
    """The prompt on some rows, spread evenly over the table; tokens of the text alone, without a chat template."""
    some = frame.iloc[np.unique(np.linspace(0, len(frame) - 1, rows).round().astype(int))] if len(frame) else frame
    made = examples(some.reset_index(drop=True), roles, task)
    pairs = []
    for row, target in zip(made.rows(), made.targets or (), strict=True):
        pairs.append((prompt.text(row, target), prompt.text(row)))
    counts = count([text for pair in pairs for text in pair])
    return [Shown(one, other, counts[2 * place], counts[2 * place + 1]) for place, (one, other) in enumerate(pairs)]
