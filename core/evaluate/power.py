"""How many test rows would tell? Sample sizes for paired comparisons.

Sources: the normal approximation for a paired mean; Connor 1987 for paired 0/1 scores; Miller 2024 for repeated answers.
The power of the test at the difference that was seen is never computed: it says nothing that p does not.
"""

from __future__ import annotations

import math

from core.evaluate.metrics import metric
from core.evaluate.paired import Difference

TIED_ABOVE = 100_000
"""More rows than this: the two are treated as tied."""


def _z(p: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(p))


def needed_for_mean(sd: float, difference: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Rows needed to see a mean difference when per-row differences spread by `sd`."""
    return math.ceil((_z(1 - alpha / 2) + _z(power)) ** 2 * sd**2 / difference**2 - 1e-9)


def needed_for_share(won: float, lost: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Rows needed when a alone is right in the share `won` of rows and b alone in `lost` (Connor)."""
    both, gap = won + lost, won - lost
    return math.ceil((_z(1 - alpha / 2) * math.sqrt(both) + _z(power) * math.sqrt(both - gap**2)) ** 2 / gap**2 - 1e-9)


def needed_for_repeats(between: float, within_a: float, within_b: float, difference: float, *, repeats_a: int = 1, repeats_b: int = 1,
                       alpha: float = 0.05, power: float = 0.8) -> int:  # fmt: skip
    """Rows needed when each is answered several times: variances between rows and of each model within a row (Miller)."""
    variance = between + within_a / repeats_a + within_b / repeats_b
    return math.ceil((_z(1 - alpha / 2) + _z(power)) ** 2 * variance / difference**2 - 1e-9)


def detectable(sd: float, n: int, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest mean difference that n rows can show."""
    return (_z(1 - alpha / 2) + _z(power)) * sd / math.sqrt(n)


def more_rows(seen: Difference, *, comparisons: int = 1) -> int | None:
    """About how many more rows would tell at the difference seen; None when none was, or when it would take too many.

    With several comparisons the level is divided by their number, so that the answer holds for adjusted p values too.
    """
    if not seen.value or not math.isfinite(seen.value) or not math.isfinite(seen.sd):
        return None
    alpha = 0.05 / max(1, comparisons)
    if metric(seen.metric).binary and seen.won + seen.lost:
        needed = needed_for_share(seen.won / seen.n, seen.lost / seen.n, alpha=alpha)
    else:
        needed = needed_for_mean(seen.sd, seen.value, alpha=alpha)
    more = max(1, needed - seen.n)
    return more if more <= TIED_ABOVE else None
