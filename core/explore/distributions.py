"""Shapes of columns: histograms (linear or log), counts by category, and what a cut would keep."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Histogram:
    edges: tuple[float, ...]
    """One more than counts, rising."""
    counts: tuple[int, ...]
    log: bool = False
    """Whether the edges are evenly spaced in the logarithm."""


@dataclass(frozen=True)
class Kept:
    """What rows between two lengths leave, both ends included."""

    rows: int
    of_rows: int
    tokens: int
    of_tokens: int


def histogram(values: np.ndarray | pd.Series, bins: int = 40, *, log: bool = False) -> Histogram:
    """Counts of finite values (log: of positive ones). No value gives no bin; one value gives one bin around it."""
    found = np.asarray(values, dtype="float64")
    found = found[np.isfinite(found)]
    found = found[found > 0] if log else found
    if not len(found):
        return Histogram((), (), log)
    edges = spaced(float(found.min()), float(found.max()), bins, log=log)
    counts, _ = np.histogram(found, bins=np.asarray(edges))
    return Histogram(tuple(edges), tuple(int(n) for n in counts), log)


def spaced(low: float, high: float, bins: int, *, log: bool = False) -> list[float]:
    """Edges of `bins` bins from low to high, rounded outwards to readable steps where the scale is linear."""
    if log:
        edges = [float(edge) for edge in np.geomspace(low, max(high, low * 1.0001), bins + 1)]
        edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
        return edges if all(a < b for a, b in itertools.pairwise(edges)) else [low, max(high, low * 1.0001)]
    if high <= low:
        return [low - 0.5, low + 0.5]
    step = nice((high - low) / bins)
    first = math.floor(low / step) * step
    edges = [float(f"{first + i * step:.12g}") for i in range(max(1, math.floor((high - first) / step) + 1) + 1)]
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges if all(a < b for a, b in itertools.pairwise(edges)) else [low, high]


def nice(step: float) -> float:
    """The next larger of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999999), step)


def skewed(values: np.ndarray | pd.Series) -> bool:
    """Whether a log scale shows more: all values positive and a skewness above 2."""
    found = np.asarray(values, dtype="float64")
    found = found[np.isfinite(found)]
    if len(found) < 3 or found.min() <= 0 or found.std() == 0:
        return False
    return float((((found - found.mean()) / found.std()) ** 3).mean()) > 2


def kept(lengths: np.ndarray | pd.Series, low: float, high: float) -> Kept:
    """Rows and tokens whose length lies in low to high, both ends included."""
    found = np.asarray(lengths, dtype="int64")
    inside = found[(found >= low) & (found <= high)]
    return Kept(len(inside), len(found), int(inside.sum()), int(found.sum()))


def by_category(categories: pd.Series, values: pd.Series | None = None, most: int = 12) -> pd.DataFrame:
    """One row a category, the largest first: category, rows, share, and the median of `values`. Missing is "n/a"; the rest is one row."""
    names = categories.astype("object").where(categories.notna(), "n/a").map(str)
    table = pd.DataFrame({"category": names.to_numpy(), "value": np.nan if values is None else values.to_numpy(dtype="float64")})
    counts = table["category"].value_counts(sort=True)
    keep = list(counts.index[: most if len(counts) <= most else most - 1])
    table["category"] = table["category"].where(table["category"].isin(keep), f"{len(counts) - len(keep)} others")
    grouped = table.groupby("category", sort=False)["value"]
    out = pd.DataFrame({"rows": grouped.size(), "median": grouped.median()}).reset_index()
    out["share"] = out["rows"] / max(1, len(table))
    out["rest"] = ~out["category"].isin(keep)
    return out.sort_values(["rest", "rows"], ascending=[True, False], kind="stable").drop(columns="rest").reset_index(drop=True)
