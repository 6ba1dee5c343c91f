"""How strongly two columns go together: correlations of numbers, the correlation ratio of a number and labels, Cramér's V.

Values of either are left out where the other is missing. Intervals are 95 %: Fisher's z for Pearson, the same with
Bonett and Wright's variance (Psychometrika 65, 2000) for Spearman. The ratio and V are corrected for chance (epsilon of
Kelley, 1935; Bergsma, J. Korean Stat. Soc. 42, 2013), so that a column of many values does not look strong by that alone.
None of them says that one column causes the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

MANY = 200
"""Different values beyond which a column is no label here."""


@dataclass(frozen=True)
class Association:
    measure: str
    """Pearson, Spearman, correlation ratio or Cramér's V."""
    value: float
    """-1 to 1 for the correlations, 0 to 1 for the others; nan where nothing varies."""
    n: int
    """Rows that have both."""
    low: float | None = None
    high: float | None = None


def pearson(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> Association:
    """Linear correlation."""
    a, b = _both(x, y)
    value = _correlation(a, b)
    return Association("Pearson", value, len(a), *_fisher(value, 1 / (len(a) - 3) if len(a) > 3 else math.nan))


def spearman(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> Association:
    """Correlation of ranks, ties at their mean rank: whether one rises with the other, straight or not."""
    a, b = _both(x, y)
    value = _correlation(_ranks(a), _ranks(b))
    variance = (1 + value**2 / 2) / (len(a) - 3) if len(a) > 3 else math.nan
    return Association("Spearman", value, len(a), *_fisher(value, variance))


def correlation_ratio(labels: pd.Series, values: Sequence[float] | np.ndarray, *, corrected: bool = True) -> Association:
    """How much of a number's variance its labels explain, as a root: 0 none, 1 all."""
    numbers = np.asarray(values, dtype="float64")
    kept = np.isfinite(numbers) & labels.notna().to_numpy()
    codes, names = pd.factorize(labels[kept].astype("str"))
    numbers = numbers[kept]
    n, k = len(numbers), len(names)
    if n < 2 or k < 2 or numbers.std() == 0:
        return Association("correlation ratio", math.nan, n)
    sizes = np.bincount(codes, minlength=k)
    means = np.bincount(codes, weights=numbers, minlength=k) / sizes
    part = float((sizes * (means - numbers.mean()) ** 2).sum() / ((numbers - numbers.mean()) ** 2).sum())
    if corrected:
        part = 1 - (1 - part) * (n - 1) / (n - k) if n > k else 0.0
    return Association("correlation ratio", math.sqrt(min(1.0, max(0.0, part))), n)


def cramers_v(a: pd.Series, b: pd.Series, *, corrected: bool = True) -> Association:
    """How far two labels are from independent: 0 independent, 1 one tells the other."""
    table = contingency(a, b)
    n, (rows, columns) = int(table.sum()), table.shape
    if n < 2 or rows < 2 or columns < 2:
        return Association("Cramér's V", math.nan, n)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    if not corrected:
        return Association("Cramér's V", math.sqrt(phi / (min(rows, columns) - 1)), n)
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    smaller = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1))
    return Association("Cramér's V", min(1.0, math.sqrt(phi / (smaller - 1))) if smaller > 1 else 0.0, n)


def mutual_information(a: pd.Series, b: pd.Series) -> float:
    """What one label tells of the other, in nats; 0 when independent."""
    table = contingency(a, b)
    n = table.sum()
    if not n:
        return 0.0
    p = table / n
    apart = np.outer(p.sum(axis=1), p.sum(axis=0))
    filled = p > 0
    return max(0.0, float((p[filled] * np.log(p[filled] / apart[filled])).sum()))


def contingency(a: pd.Series, b: pd.Series) -> np.ndarray:
    """Rows of each pair of values: shape (values of a, values of b)."""
    kept = a.notna().to_numpy() & b.notna().to_numpy()
    x, first = pd.factorize(a[kept].astype("str"))
    y, second = pd.factorize(b[kept].astype("str"))
    size = max(1, len(second))
    return np.bincount(x * size + y, minlength=len(first) * size).reshape(len(first), size)


def matrix(frame: pd.DataFrame, measure: str = "Spearman") -> pd.DataFrame:
    """The correlation of every pair of the frame's numeric columns (pairs of rows that have both); 1 on the diagonal."""
    names = [str(name) for name in frame.columns]
    values = [np.asarray(frame[name], dtype="float64") for name in frame.columns]
    found = np.eye(len(names))
    for i in range(len(names)):
        for j in range(i):
            one = (spearman if measure == "Spearman" else pearson)(values[i], values[j]).value
            found[i, j] = found[j, i] = one
    return pd.DataFrame(found, index=pd.Index(names), columns=pd.Index(names))


def with_target(columns: dict[str, pd.Series], kinds: dict[str, str], target: pd.Series, numeric: bool) -> dict[str, Association]:
    """Column -> how it goes with the target, the strongest first. `kinds` says number or label; other kinds are left out.

    A numeric target goes with numbers by Spearman and with labels by the correlation ratio; a label with numbers by the
    ratio and with labels by Cramér's V. Columns of one value or of more than MANY labels are left out.
    """
    found: dict[str, Association] = {}
    for name, cells in columns.items():
        if kinds.get(name) == "number":
            values = np.asarray(cells, dtype="float64")
            found[name] = spearman(values, np.asarray(target, dtype="float64")) if numeric else correlation_ratio(target, values)
        elif kinds.get(name) == "label" and 2 <= cells.nunique() <= min(MANY, max(2, len(cells) // 5)):
            found[name] = correlation_ratio(cells, np.asarray(target, dtype="float64")) if numeric else cramers_v(cells, target)
    kept = {name: one for name, one in found.items() if math.isfinite(one.value)}
    return dict(sorted(kept.items(), key=lambda item: -abs(item[1].value)))


def _both(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(x, dtype="float64"), np.asarray(y, dtype="float64")
    kept = np.isfinite(a) & np.isfinite(b)
    return a[kept], b[kept]


def _ranks(values: np.ndarray) -> np.ndarray:
    return pd.Series(values).rank().to_numpy()


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3:
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float((a**2).sum())) * math.sqrt(float((b**2).sum()))
    return float(np.clip((a * b).sum() / size, -1, 1)) if size > 0 else math.nan


def _fisher(value: float, variance: float) -> tuple[float | None, float | None]:
    """The 95 % interval of a correlation through Fisher's z."""
    if not (math.isfinite(value) and math.isfinite(variance)):
        return None, None
    if abs(value) >= 1:
        return value, value
    half = 1.959964 * math.sqrt(variance)
    return math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
