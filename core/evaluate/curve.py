"""Score against the number of training rows: would more rows help, and how many?

Sizes are nested and spread evenly on a logarithmic scale; every size is trained several times with other seeds and measured on
the same test rows. The curve is error = a + b * n^-c (c from 0 to 2), fitted to the means of the sizes, with a
band from resampled seeds. It refuses to speak of sizes beyond four times the largest, or when it fits badly: a curve that was
not seen is not a promise. Source of the form: Hestness et al. 2017. Not known here: what is trained, and by whom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SettingsError
from core.format import count, plural

SIZES, SEEDS, BEYOND, FITS = 4, 3, 4, 0.8
"""Fewest sizes and seeds for a fit, how many times beyond the largest size it speaks, and the R² it needs."""
SMALLEST, BANDS = 20, 500


@dataclass(frozen=True)
class Curve:
    """What was measured, and the curve through it where there is one."""

    sizes: tuple[int, ...]
    values: np.ndarray
    """(seeds, sizes) of the metric."""
    lower_is_better: bool
    best: float
    """The best value the metric can have: 0 for errors, 1 for shares."""
    fit: tuple[float, float, float] | None = None
    """a, b, c of error = a + b * n^-c; the error is the distance to `best`."""
    r2: float = math.nan
    why_not: str = ""
    """Why there is no curve, in a sentence; empty when there is one."""
    drawn: tuple[tuple[float, float, float], ...] = ()
    """The same from resampled seeds."""

    @property
    def farthest(self) -> int:
        """The largest size the curve speaks of."""
        return BEYOND * self.sizes[-1] if self.fit else self.sizes[-1]

    def at(self, size: float) -> tuple[float, float, float]:
        """(value, low, high) of the curve at a size, with its 95 % band. Raises SettingsError where it does not speak."""
        if self.fit is None:
            raise SettingsError(f"There is no curve: {self.why_not}", title="No learning curve")
        if not self.sizes[0] <= size <= self.farthest:
            raise SettingsError(
                f"{count(round(size))} rows are beyond what {count(self.sizes[-1])} can tell. The curve speaks of "
                f"{count(self.sizes[0])} to {count(self.farthest)} rows.",
                title="Too far",
            )
        band = np.quantile([self._value(fit, size) for fit in self.drawn], (0.025, 0.975))
        return self._value(self.fit, size), float(band[0]), float(band[1])

    def rows_for(self, gain: float) -> int | None:
        """Training rows at which the curve is better than at the largest size by so much; None where it does not get there.

        `gain` is in the metric's own unit and above 0.
        """
        if self.fit is None or not gain > 0:
            return None
        a, b, c = self.fit
        wanted = self._error(self._value(self.fit, self.sizes[-1])) - gain
        if b <= 0 or c <= 0 or wanted <= a:
            return None
        size = (b / (wanted - a)) ** (1 / c)
        return math.ceil(size) if size <= self.farthest else None

    def _value(self, fit: tuple[float, float, float], size: float) -> float:
        a, b, c = fit
        error = a + b * size**-c
        return self.best + error if self.lower_is_better else self.best - error

    def _error(self, value: float) -> float:
        return value - self.best if self.lower_is_better else self.best - value


def sizes_of(rows: int, points: int = 5) -> tuple[int, ...]:
    """Numbers of rows from a 32nd of all (at least 20) to all, evenly spread on a logarithmic scale, each once.

    Below that most models know nothing yet, and how they come to know something tells little of how they go on.
    Raises SettingsError with fewer than 40 rows: there is no curve to see.
    """
    if rows < 2 * SMALLEST:
        raise SettingsError(
            f"{plural(rows, 'training row')}; a learning curve needs at least {2 * SMALLEST}.", title="Too few rows for a learning curve"
        )
    return tuple(sorted({round(size) for size in np.geomspace(max(SMALLEST, rows // 32), rows, points)}))


def nested(rows: int, sizes: Sequence[int], seed: int, strata: Sequence[object] | None = None) -> tuple[np.ndarray, ...]:
    """Positions (ascending) of each size: every smaller set stands in the larger ones. With `strata` each takes its share in turn."""
    order = np.random.default_rng(np.random.SeedSequence([seed, rows])).permutation(rows)
    if strata is not None:
        names = np.unique([str(one) for one in strata], return_inverse=True)[1][order]
        rank = np.empty(rows)
        for name in range(names.max() + 1):
            mine = np.flatnonzero(names == name)
            rank[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        order = order[np.argsort(rank, kind="stable")]
    return tuple(np.sort(order[:size]) for size in sizes)


def curve(sizes: Sequence[int], values: np.ndarray, *, lower_is_better: bool, best: float = 0.0, seed: int = 0) -> Curve:
    """The curve of values (seeds, sizes); sizes ascending. Raises ValueError when the shapes do not fit."""
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] != len(sizes) or list(sizes) != sorted(set(sizes)):
        raise ValueError(f"{values.shape} values for sizes {list(sizes)}")
    bare = Curve(tuple(map(int, sizes)), values, lower_is_better, best)
    seeds = len(values)
    if len(sizes) < SIZES or seeds < SEEDS:
        return _without(bare, f"{plural(len(sizes), 'size')} and {plural(seeds, 'seed')}; {SIZES} sizes and {SEEDS} seeds are needed.")
    if not np.isfinite(values).all():
        return _without(bare, "a value is not defined at one of the sizes.")
    errors = values - best if lower_is_better else best - values
    mean = errors.mean(axis=0)
    found = _fitted(bare.sizes, mean)
    if found is None:
        return _without(bare, "no curve that falls with more rows goes through the points.")
    r2 = _r2(found, bare.sizes, mean)
    if r2 < FITS:
        return _without(bare, f"it fits badly (R² {r2:.2f}, at least {FITS} is needed): the differences are mostly noise.")
    rng = np.random.default_rng(seed)
    draws = [_fitted(bare.sizes, errors[rng.integers(0, seeds, seeds)].mean(axis=0)) for _ in range(BANDS)]
    return Curve(bare.sizes, values, lower_is_better, best, found, r2, "", tuple(one for one in draws if one) or (found,))


def _without(bare: Curve, why: str) -> Curve:
    return Curve(bare.sizes, bare.values, bare.lower_is_better, bare.best, why_not=why)


_EXPONENTS = np.linspace(0.02, 2.0, 100)


def _fitted(sizes: Sequence[int], errors: np.ndarray) -> tuple[float, float, float] | None:
    """Least squares, a size weighing as much as it has rows, over a grid of c: for each the best a >= 0 and b are found exactly.

    None when no b is above 0: more rows did not help.
    """
    weights = np.asarray(sizes, dtype=float) / np.sum(sizes)
    powers = np.asarray(sizes, dtype=float)[:, None] ** -_EXPONENTS
    middle, level = weights @ powers, float(weights @ errors)
    centred = powers - middle
    b = centred.T @ (weights * (errors - level)) / (weights @ centred**2)
    a = level - b * middle
    through = powers.T @ (weights * errors) / (weights @ powers**2)  # the best b where a would fall below 0
    b, a = np.where(a < 0, through, b), np.maximum(a, 0.0)
    miss = weights @ (a + b * powers - errors[:, None]) ** 2
    miss[b <= 0] = np.inf
    place = int(np.argmin(miss))
    return None if not np.isfinite(miss[place]) else (float(a[place]), float(b[place]), float(_EXPONENTS[place]))


def _r2(fit: tuple[float, float, float], sizes: Sequence[int], errors: np.ndarray) -> float:
    a, b, c = fit
    around = float(((errors - errors.mean()) ** 2).sum())
    return 1 - float(((a + b * np.asarray(sizes, dtype=float) ** -c - errors) ** 2).sum()) / around if around > 0 else 0.0
