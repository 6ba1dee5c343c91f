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


@dataclass(frozen=True)
class Lengths:
    """How many rows have each length: all that a histogram, a curve or a cut needs, whatever the number of rows."""

    values: np.ndarray
    """Different lengths, rising; shape (k,)."""
    rows: np.ndarray
    """Rows of each; shape (k,)."""
    total: int
    """Rows of the table; more than are counted here when they are a sample drawn by lot."""

    @property
    def counted(self) -> int:
        return int(self.rows.sum())

    @property
    def whole(self) -> bool:
        return self.counted >= self.total

    @property
    def longest(self) -> int:
        return int(self.values[-1]) if len(self.values) else 0

    def quantile(self, p: float) -> int:
        """The shortest length that at least a share p of the rows do not exceed."""
        if not len(self.values):
            return 0
        return int(self.values[np.searchsorted(np.cumsum(self.rows), p * self.counted, side="left").clip(0, len(self.values) - 1)])

    def mean(self) -> float:
        return float((self.values * self.rows).sum() / max(1, self.counted))

    def kept(self, low: float, high: float) -> Kept:
        """What rows between two lengths leave, both ends included; of a sample, scaled to the table."""
        inside = (self.values >= low) & (self.values <= high)
        scale = self.total / max(1, self.counted)
        sums = (self.rows[inside].sum(), self.rows.sum(), (self.values * self.rows)[inside].sum(), (self.values * self.rows).sum())
        return Kept(*(round(float(one) * scale) if scale != 1 else int(one) for one in sums))

    def margin(self, low: float, high: float) -> float:
        """Half the 95 % interval of the share of rows between two lengths; 0 when every row is counted."""
        if self.whole or not self.counted:
            return 0.0
        share = float(self.rows[(self.values >= low) & (self.values <= high)].sum()) / self.counted
        return half_width(share, self.counted)

    def histogram(self, bins: int = 60) -> Histogram:
        """Counts by length in bins of whole lengths."""
        if not len(self.values):
            return Histogram((), ())
        bins = max(1, min(bins, int(self.values[-1] - self.values[0])))
        edges = spaced(float(self.values[0]), float(self.values[-1]), bins)
        counts, _ = np.histogram(self.values, bins=np.asarray(edges), weights=self.rows)
        return Histogram(tuple(edges), tuple(int(n) for n in counts))

    def curve(self, points: int = 200) -> tuple[list[float], list[float]]:
        """(lengths, share of rows at most that long), thinned to so many points, the first and the last kept."""
        if not len(self.values):
            return [], []
        shares = np.cumsum(self.rows) / self.counted
        at = np.unique(np.linspace(0, len(shares) - 1, min(points, len(shares))).round().astype(int))
        return [float(v) for v in self.values[at]], [float(v) for v in shares[at]]


def lengths(values: np.ndarray | list[int], total: int | None = None) -> Lengths:
    """The lengths of some rows as `Lengths`; `total` rows has the table they were drawn from."""
    found, rows = np.unique(np.asarray(values, dtype="int64"), return_counts=True)
    return Lengths(found, rows.astype("int64"), len(values) if total is None else total)


def half_width(share: float, n: int) -> float:
    """Half the 95 % interval of a share seen in n rows drawn by lot (Wilson, Journal of the ASA 22, 1927)."""
    z = 1.959964
    return z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))


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
