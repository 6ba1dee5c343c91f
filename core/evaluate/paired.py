"""Is one model better than another? Always asked of the same rows, answer by answer.

Rules: 0/1 scores by McNemar's exact test, item means by flipping signs (all of them up to 20 rows, 9,999 random ones above),
everything else by swapping the two models' answers row by row; whole groups move together. The difference carries a paired
bootstrap interval. p is never 0: the smallest Monte Carlo p is 1 in 10,000. Several comparisons are adjusted by Holm.
Sources: McNemar 1947; Dror et al. 2018; Holm 1979; Benjamini and Hochberg 1995.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.intervals import CHUNK, FULL, PREVIEW, Together, bca, jackknife, resamples
from core.evaluate.metrics import Metric, metric, value_of, weighted_median

EXACT_UP_TO = 20
MONTE_CARLO = 9_999


@dataclass(frozen=True)
class Difference:
    """a - b in the metric's own unit, on the same n rows."""

    metric: str
    value: float
    low: float
    high: float
    p: float
    test: str
    """mcnemar | sign-flip exact | sign-flip | swap"""
    n: int
    sd: float
    """Standard deviation of the per-row difference (of the metric's equivalent for metrics that are not means)."""
    won: int = 0
    """0/1 scores: rows only a has right."""
    lost: int = 0
    """0/1 scores: rows only b has right."""


def mcnemar(won: int, lost: int) -> float:
    """Two-sided exact p of the discordant pairs; 1 when there are none."""
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5))) if won + lost else 1.0


def sign_flip(differences: np.ndarray, *, seed: int = 0, groups: np.ndarray | None = None, count: int = MONTE_CARLO) -> tuple[float, str]:
    """p that the mean difference is 0, and the name of the test. Groups (codes 0..C-1) flip as a whole."""
    units = differences if groups is None else np.bincount(groups, weights=differences)
    units = units[units != 0]  # flipping a zero changes nothing
    if not len(units):
        return 1.0, "sign-flip exact"
    seen = abs(float(units.sum())) * (1 - 1e-12) - 1e-12 * float(np.abs(units).max())
    if len(units) <= EXACT_UP_TO:
        sums = np.array([units[0]])  # the other half of all flips mirrors this one
        for unit in units[1:]:
            sums = np.concatenate([sums + unit, sums - unit])
        return float(np.mean(np.abs(sums) >= seen)), "sign-flip exact"
    rng, hits, total = np.random.default_rng(seed), 0, float(units.sum())
    for size in _chunks(count, len(units)):
        kept = rng.integers(0, 2, size=(size, len(units)), dtype=np.int8).astype(float)
        hits += int(np.sum(np.abs(2 * (kept @ units) - total) >= seen))
    return (1 + hits) / (count + 1), "sign-flip"


def swap(one: Metric, a: np.ndarray, b: np.ndarray, *, seed: int = 0, groups: np.ndarray | None = None, count: int = MONTE_CARLO) -> float:
    """p of a metric that is not a mean: the answers of a and b (columns (n, k)) change places row by row."""
    rng, hits, n = np.random.default_rng(seed), 0, len(a)
    seen = abs(_gap(one, a, b, np.ones((1, n)))[0])
    for size in _chunks(count, n):
        units = n if groups is None else int(groups.max()) + 1
        kept = rng.integers(0, 2, size=(size, units), dtype=np.int8).astype(float)
        gaps = np.abs(_gap(one, a, b, kept if groups is None else kept[:, groups]))
        hits += int(np.sum(~(gaps < seen * (1 - 1e-12))))  # an undefined gap counts against a difference
    return (1 + hits) / (count + 1)


def _gap(one: Metric, a: np.ndarray, b: np.ndarray, kept: np.ndarray) -> np.ndarray:
    if one.median:
        both = np.concatenate([a[:, 0], b[:, 0]])
        swapped = 1 - kept
        return weighted_median(both, np.hstack([kept, swapped])) - weighted_median(both, np.hstack([swapped, kept]))
    mine, n = kept @ (a - b), float(len(a))
    return one.of_sums(b.sum(axis=0) + mine, n) - one.of_sums(a.sum(axis=0) - mine, n)


def _chunks(count: int, width: int) -> list[int]:
    step = max(1, CHUNK // max(width, 1))
    return [min(step, count - start) for start in range(0, count, step)]


def difference(name: str, a: Answers, b: Answers, **settings: Any) -> Difference:
    """a against b on the same rows in the same order. Settings as in `differences`."""
    return differences(name, [a], b, **settings)[0]


def differences(
    name: str, models: Sequence[Answers], reference: Answers, *, groups: np.ndarray | None = None, seed: int = 0, count: int = FULL
) -> list[Difference]:
    """Each model minus the reference. Raises ValueError when they did not answer the same rows in the same order."""
    one = metric(name)
    theirs = one.columns(reference)
    columns = [one.columns(model) for model in models]
    ours = [mine for mine in columns if mine is not None]
    same = all(model.n == reference.n and list(model.truth) == list(reference.truth) for model in models)
    if theirs is None or len(ours) < len(models) or not same or not reference.n:
        raise ValueError(f"{name} cannot be compared: the rows of the models are not the same, or there are none")
    drawn: list[list[np.ndarray]] = [[] for _ in models]
    together = Together([one] * (len(ours) + 1), [*ours, theirs])
    for weights in resamples(reference.n, min(count, PREVIEW) if one.median else count, seed, groups) if models else ():
        values = dict(together.of(weights, len(weights)))
        for place in range(len(ours)):
            drawn[place].append(values[place] - values[len(ours)])
    base_value = value_of(name, reference)
    return [_judged(one, mine, theirs, value_of(name, model) - base_value, np.concatenate(replicates), groups, seed)
            for model, mine, replicates in zip(models, ours, drawn, strict=True)]  # fmt: skip


def _judged(
    one: Metric, a: np.ndarray, b: np.ndarray, value: float, replicates: np.ndarray, groups: np.ndarray | None, seed: int
) -> Difference:
    n = len(a)
    left_out = None if one.median or n < 3 else jackknife(one, a, groups) - jackknife(one, b, groups)
    low, high, _ = bca(value, replicates, left_out)
    if not one.is_item_mean:
        defined = replicates[np.isfinite(replicates)]
        sd = float(np.std(defined)) * np.sqrt(n) if len(defined) else float("nan")
        return Difference(one.name, value, low, high, swap(one, a, b, seed=seed, groups=groups), "swap", n, sd)
    items = a[:, 0] - b[:, 0]
    sd = float(np.std(items, ddof=1)) if n > 1 else float("nan")
    won, lost = (int(np.sum(items > 0)), int(np.sum(items < 0))) if one.binary else (0, 0)
    if one.binary and groups is None:
        return Difference(one.name, value, low, high, mcnemar(won, lost), "mcnemar", n, sd, won, lost)
    p, test = sign_flip(items, seed=seed, groups=groups)
    return Difference(one.name, value, low, high, p, test, n, sd, won, lost)


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p values in the given order (Holm: the chance of any false claim stays under 5 %)."""
    order, adjusted, highest = np.argsort(ps, kind="stable"), [0.0] * len(ps), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = highest
    return adjusted


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Adjusted p values in the given order (the share of false claims stays under 5 %); for exploring many slices."""
    order, adjusted, lowest = np.argsort(ps, kind="stable")[::-1], [0.0] * len(ps), 1.0
    for rank, place in enumerate(order):
        lowest = min(lowest, ps[place] * len(ps) / (len(ps) - rank))
        adjusted[place] = lowest
    return adjusted
