"""How surprised a language model is by the right answers: perplexity and bits per byte, over answer tokens only.

Every token counts the same, so long answers weigh more: it is not the mean of each answer's perplexity. Prompt tokens do not
count. Perplexities compare models with the same tokenizer; others are compared by bits per byte of the answer's text.
Not known here: how many tokens of context the model was shown; whoever measures says it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluate.intervals import PREVIEW, Measured, bca, resamples


@dataclass(frozen=True)
class Surprise:
    """One answer: the sum of minus the log probability (nats) of its tokens, how many they are, and its bytes of UTF-8."""

    nats: float
    tokens: int
    bytes: int = 0


def perplexity_of(loss: float) -> float:
    """Of a mean loss in nats per answer token, which is what training reports; infinity where it is too large for a number."""
    return math.exp(loss) if loss < 700 else math.inf


def perplexity(answers: Sequence[Surprise], *, groups: np.ndarray | None = None, seed: int = 0) -> Measured:
    """exp(all nats / all tokens): 1 is no surprise at all, 10 as if it had to choose among 10 equally likely tokens each time."""
    return _measured([one.nats for one in answers], [one.tokens for one in answers], np.exp, groups, seed)


def bits_per_byte(answers: Sequence[Surprise], *, groups: np.ndarray | None = None, seed: int = 0) -> Measured:
    """All nats / (ln 2 * all bytes): comparable between tokenizers."""
    return _measured([one.nats for one in answers], [one.bytes for one in answers], lambda rate: rate / math.log(2), groups, seed)


def _measured(
    nats: Sequence[float], sizes: Sequence[int], turn: Callable[[np.ndarray], np.ndarray], groups: np.ndarray | None, seed: int
) -> Measured:
    """A ratio of sums, turned, with its interval over answers."""
    columns = np.column_stack([np.asarray(nats, dtype=float), np.asarray(sizes, dtype=float)]) if len(nats) else np.zeros((0, 2))
    n, total = len(columns), columns.sum(axis=0)

    def value(sums: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return turn(np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan))

    seen = float(value(total)) if n else math.nan
    if not math.isfinite(seen):
        return Measured(math.nan, math.nan, math.nan, n, "none", "no answer has a token" if not total[1] else "too large for a number")
    if n == 1:
        return Measured(seen, math.nan, math.nan, 1, "none", "one row has no interval")
    drawn = np.concatenate([value(weights @ columns) for weights in resamples(n, PREVIEW, seed, groups)])
    low, high, method = bca(seen, drawn, value(total - columns) if groups is None else None)
    return Measured(seen, low, high, n, method, "no variation" if method == "none" else "")
