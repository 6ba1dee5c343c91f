"""95 % intervals: Wilson for shares, t for means, BCa bootstrap for the rest; by whole groups when rows come in groups.

Sources: Wilson 1927; Efron 1987 (BCa); Miller 2024, "Adding error bars to evals" (clustered errors). All resampling happens
over items (or groups) with one matrix of counts, so every metric and model of a leaderboard is judged on the same resamples.
Not in any interval here: the luck of the training seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.evaluate.answers import Answers
from core.evaluate.metrics import METRICS, Metric, applicable, metric, value_of, weighted_median

PREVIEW, FULL = 2_000, 10_000
"""Resamples for a preview and for a stored figure."""
CHUNK = 4_000_000
"""Numbers of a resampling matrix held at once."""


@dataclass(frozen=True)
class Measured:
    """A value with its 95 % interval over n items; NaN ends when there is no interval."""

    value: float
    low: float
    high: float
    n: int
    method: str = ""
    """wilson | t | bca | percentile | clustered | none"""
    note: str = ""

    def to_dict(self) -> dict[str, float | None]:
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {key: value if math.isfinite(value) else None for key, value in ends.items()}


def z_of(level: float = 0.95) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def wilson(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a share, exactly 0 or 1 at the ends; (0, 1) when n is 0."""
    if n == 0:
        return 0.0, 1.0
    z, p = z_of(level), right / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return (0.0 if right == 0 else max(0.0, low)), (1.0 if right == n else min(1.0, high))


def standard_error(values: np.ndarray, groups: np.ndarray | None = None, *, corrected: bool = True) -> float:
    """Of the mean; with groups clustered, times C/(C-1) when corrected. NaN with fewer than two items or groups."""
    n = len(values)
    if groups is None:
        return float(np.std(values, ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    sums = np.bincount(groups, weights=values - values.mean())
    c = len(sums)
    return math.sqrt(float(np.sum(sums**2)) / n**2 * (c / (c - 1) if corrected else 1.0)) if c > 1 else math.nan


def t_interval(values: np.ndarray, groups: np.ndarray | None = None, level: float = 0.95) -> tuple[float, float]:
    """Of the mean: t with n-1 (or groups-1) degrees of freedom."""
    from scipy.special import stdtrit

    error, degrees = standard_error(values, groups), (len(values) if groups is None else int(groups.max()) + 1) - 1
    if not math.isfinite(error) or degrees < 1:
        return math.nan, math.nan
    half = float(stdtrit(degrees, 0.5 + level / 2)) * error
    return float(values.mean()) - half, float(values.mean()) + half


def group_codes(groups: Sequence[object] | None) -> np.ndarray | None:
    """Group names as 0..C-1; a row without a group (None, NaN, "") is a group of its own."""
    if groups is None:
        return None
    names = [f"row {i}" if g is None or g != g or g == "" else f"group {g}" for i, g in enumerate(groups)]
    return np.unique(names, return_inverse=True)[1]


def resamples(n: int, count: int, seed: int, groups: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Chunks (b, n) of how often each item is drawn, `count` resamples in all; whole groups when given."""
    rng = np.random.default_rng(seed)
    units = n if groups is None else int(groups.max()) + 1
    step = max(1, CHUNK // max(n, 1))
    for start in range(0, count, step):
        b = min(step, count - start)
        drawn = rng.integers(0, units, size=(b, units)) + (np.arange(b) * units)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=b * units).reshape(b, units).astype(float)
        yield counts if groups is None else counts[:, groups]


class Together:
    """Several metrics, each with its columns of the same rows, on the same resamples: their sums are one matrix product."""

    def __init__(self, metrics: Sequence[Metric], columns: Sequence[np.ndarray]) -> None:
        self.metrics, self.columns = metrics, columns
        self.summed = [place for place, one in enumerate(metrics) if not one.median]
        self.stacked = np.hstack([columns[place] for place in self.summed]) if self.summed else np.zeros((0, 0))

    def of(self, weights: np.ndarray, medians: int) -> Iterator[tuple[int, np.ndarray]]:
        """(place, values) of each metric on these resamples; metrics that need sorting on the first `medians` of them only."""
        if self.summed:
            sums, n, at = weights @ self.stacked, weights.sum(axis=1), 0
            for place in self.summed:
                wide = self.columns[place].shape[1]
                yield place, self.metrics[place].of_sums(sums[:, at : at + wide], n)
                at += wide
        for place, one in enumerate(self.metrics):
            if one.median and medians > 0:
                yield place, weighted_median(self.columns[place][:, 0], weights[:medians])


def jackknife(one: Metric, columns: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """The metric with one item (or group) left out, for the acceleration of BCa."""
    total, n = columns.sum(axis=0), len(columns)
    if groups is None:
        return one.of_sums(total - columns, np.full(n, n - 1.0))
    sizes = np.bincount(groups).astype(float)
    sums = np.column_stack([np.bincount(groups, weights=column) for column in columns.T])
    with np.errstate(divide="ignore", invalid="ignore"):  # of a single group nothing is left: NaN, and no acceleration
        return one.of_sums(total - sums, n - sizes)


def bca(estimate: float, replicates: np.ndarray, left_out: np.ndarray | None, level: float = 0.95) -> tuple[float, float, str]:
    """Low, high and "bca", or "percentile" when the correction is not defined, or "none" without variation."""
    from scipy.special import ndtr, ndtri

    values = replicates[np.isfinite(replicates)]
    if len(values) < 100 or not math.isfinite(estimate):
        return math.nan, math.nan, "none"
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0]), "none"
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    below = (np.sum(values < estimate) + 0.5 * np.sum(values == estimate)) / len(values)
    method = "percentile"
    if left_out is not None and 0 < below < 1 and np.all(np.isfinite(left_out)):
        gap = left_out.mean() - left_out
        spread = float(np.sum(gap**2))
        if spread > 0:
            bias, speed = ndtri(below), float(np.sum(gap**3)) / (6 * spread**1.5)
            shifted = bias + ndtri(tails)
            moved = ndtr(bias + shifted / (1 - speed * shifted))
            if np.all(np.isfinite(moved)) and moved[0] < moved[1]:
                tails, method = moved, "bca"
    low, high = np.quantile(values, tails)
    return float(low), float(high), method


def measure(answers: Answers, names: Sequence[str] | None = None, **settings: Any) -> dict[str, Measured]:
    """Every named metric (default: all of the task that apply) with its interval. Settings as in `measure_all`."""
    return measure_all([answers], names, **settings)[0]


def measure_all(
    models: Sequence[Answers],
    names: Sequence[str] | None = None,
    *,
    groups: np.ndarray | None = None,
    seed: int = 0,
    count: int = FULL,
) -> list[dict[str, Measured]]:
    """`measure` for several models that answered the same rows: one set of resamples serves them all.

    `groups` are codes (n,) of rows that belong together; `count` resamples, of which medians use the first 2,000.
    """
    found: list[dict[str, Measured]] = []
    later: list[tuple[int, str, np.ndarray]] = []
    for place, answers in enumerate(models):
        found.append({})
        for name in applicable(answers) if names is None else names:
            columns = metric(name).columns(answers)
            quick = None if columns is None else _direct(METRICS[name], columns, groups)
            if quick is not None:
                found[place][name] = quick
            elif columns is not None:
                later.append((place, name, columns))
    for (place, name, _), measured in zip(later, _bootstrapped(models, later, groups, seed, count), strict=True):
        found[place][name] = measured
    return [_in_order(each, names) for each in found]


def _in_order(found: dict[str, Measured], names: Sequence[str] | None) -> dict[str, Measured]:
    return {name: found[name] for name in (METRICS if names is None else names) if name in found}


def _direct(one: Metric, columns: np.ndarray, groups: np.ndarray | None) -> Measured | None:
    """Wilson or t where they apply, None where only resampling does."""
    n = len(columns)
    if n == 0:
        return Measured(math.nan, math.nan, math.nan, 0, "none", "no rows")
    if n == 1 and not (one.binary and groups is None):
        value = float(columns[0, 0]) if one.is_item_mean or one.median else float(one.of_sums(columns.sum(axis=0), 1))
        return Measured(value, math.nan, math.nan, 1, "none", "one row has no interval")
    if not one.is_item_mean or (groups is None and n < 30 and not one.binary):
        return None
    items = columns[:, 0]
    value = float(items.mean())
    if groups is None and one.binary:
        return Measured(value, *wilson(round(items.sum()), n), n, "wilson")
    low, high = t_interval(items, groups)
    if one.binary or one.name in ("f1", "rouge_l"):
        low, high = max(0.0, low), min(1.0, high)
    few = groups is not None and int(groups.max()) + 1 < 10
    return Measured(value, low, high, n, "t" if groups is None else "clustered", "fewer than 10 groups" if few else "")


def _bootstrapped(
    models: Sequence[Answers], wanted: Sequence[tuple[int, str, np.ndarray]], groups: np.ndarray | None, seed: int, count: int
) -> Iterator[Measured]:
    drawn: list[list[np.ndarray]] = [[] for _ in wanted]
    together = Together([METRICS[name] for _, name, _ in wanted], [columns for *_, columns in wanted])
    done = 0
    for weights in resamples(models[0].n, count, seed, groups) if wanted else ():
        for place, values in together.of(weights, PREVIEW - done):
            drawn[place].append(values)
        done += len(weights)
    for (place, name, columns), replicates in zip(wanted, drawn, strict=True):
        one, value = METRICS[name], value_of(name, models[place])
        left_out = None if one.median else jackknife(one, columns, groups)
        low, high, method = bca(value, np.concatenate(replicates), left_out)
        note = "not defined for these rows" if not math.isfinite(value) else "no variation" if method == "none" else ""
        yield Measured(value, low, high, models[place].n, method, note)
