"""Do the statistics keep their word? Many made-up data sets of which the truth is known, and how often the truth is found.

A 95 % interval has to hold the truth in 93.5 to 96.5 % of data sets; a test at 5 % has to see a difference where there is none in
3.5 to 6.5 % (exact tests of few pairs in fewer); with the rows that were asked for a difference has to be seen in 77 to 83 %.
Every figure comes from the functions the pages use. Data sets of one figure are drawn in five blocks, each with its own seed;
the spread is the lowest and highest block. Ends with 1 when a figure is outside of what is wanted.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.evaluate.answers import make_answers
from core.evaluate.intervals import measure, t_interval, wilson
from core.evaluate.metrics import METRICS
from core.evaluate.paired import holm, mcnemar, sign_flip, swap
from core.evaluate.power import needed_for_mean, needed_for_share

BLOCKS = 5
ROWS = 200
COVERS, ERRS, SEES = (93.5, 96.5), (3.5, 6.5), (77.0, 83.0)
LABELS = ("a", "b", "c")
Rng = np.random.Generator


@dataclass(frozen=True)
class Simulation:
    name: str
    what: str
    rows: str
    sets: int
    """Data sets in all."""
    wanted: tuple[float, float]
    """Percent."""
    holds: Callable[[Rng, int], bool]
    """One data set (seed for what resamples): whether the truth was held, or a difference seen."""


def mean_interval(rng: Rng, seed: int) -> bool:
    low, high = t_interval(rng.gamma(2.0, 20.0, ROWS))
    return low <= 40.0 <= high


def share_interval(rng: Rng, seed: int) -> bool:
    p = rng.uniform(0.05, 0.95)
    low, high = wilson(int(rng.binomial(ROWS, p)), ROWS)
    return low <= p <= high


def clustered_interval(rng: Rng, seed: int) -> bool:
    """40 groups of 5 rows, half of the variance between groups."""
    groups = np.repeat(np.arange(40), 5)
    low, high = t_interval(rng.normal(0, 1, 40)[groups] + rng.normal(0, 1, ROWS), groups)
    return low <= 0.0 <= high


def bca_rmse(rng: Rng, seed: int) -> bool:
    answers = make_answers("regression", [0.0] * ROWS, rng.normal(0, 10.0, ROWS).tolist())
    found = measure(answers, ["rmse"], seed=seed, count=1_000)["rmse"]
    return found.low <= 10.0 <= found.high


def bca_macro_f1(rng: Rng, seed: int) -> bool:
    """Three labels, each right in 70 % of rows and else one of the others: macro F1 is 0.7."""
    truth = rng.integers(0, 3, ROWS)
    guess = np.where(rng.random(ROWS) < 0.7, truth, (truth + rng.integers(1, 3, ROWS)) % 3)
    said = make_answers("classification", [LABELS[t] for t in truth], [LABELS[g] for g in guess], labels=LABELS)
    found = measure(said, ["macro_f1"], seed=seed, count=1_000)["macro_f1"]
    return found.low <= 0.7 <= found.high


def flip_of_nothing(rng: Rng, seed: int) -> bool:
    """Differences of two equally good models with skewed misses."""
    return sign_flip(rng.gamma(2.0, 20.0, ROWS) - rng.gamma(2.0, 20.0, ROWS), seed=seed, count=999)[0] <= 0.05


def flip_of_groups(rng: Rng, seed: int) -> bool:
    groups = np.repeat(np.arange(40), 5)
    gap = rng.standard_t(4, 40)[groups] + rng.normal(0, 1, ROWS)
    return sign_flip(gap, groups=groups, seed=seed, count=999)[0] <= 0.05


def mcnemar_of_nothing(rng: Rng, seed: int) -> bool:
    different = int(rng.binomial(1_000, 0.2))
    won = int(rng.binomial(different, 0.5))
    return mcnemar(won, different - won) <= 0.05


def swap_of_nothing(rng: Rng, seed: int) -> bool:
    """Macro F1 of two models that are right as often, on the same truths."""
    truth = rng.integers(0, 3, 100)
    said = [np.where(rng.random(100) < 0.7, truth, rng.integers(0, 3, 100)) for _ in range(2)]
    one = np.eye(3)
    a, b = (np.column_stack([one[truth], one[guess], one[truth] * one[guess]]) for guess in said)
    return swap(METRICS["macro_f1"], a, b, seed=seed, count=999) <= 0.05


def any_of_seven(rng: Rng, seed: int) -> bool:
    """Seven comparisons of equals with one reference: is any claimed after Holm?"""
    misses = rng.gamma(2.0, 20.0, (8, 100))
    return min(holm([sign_flip(row - misses[0], seed=seed, count=999)[0] for row in misses[1:]])) <= 0.05


MEAN_ROWS, SHARE_ROWS = needed_for_mean(60.0, 10.0), needed_for_share(0.125, 0.075)


def flip_of_something(rng: Rng, seed: int) -> bool:
    return sign_flip(rng.normal(10.0, 60.0, MEAN_ROWS), seed=seed, count=999)[0] <= 0.05


def mcnemar_of_something(rng: Rng, seed: int) -> bool:
    won, lost, _ = rng.multinomial(SHARE_ROWS, [0.125, 0.075, 0.8])
    return mcnemar(int(won), int(lost)) <= 0.05


SIMULATIONS = (
    Simulation("mean", "95 % t interval of a mean of skewed misses holds it", f"{ROWS} rows", 10_000, COVERS, mean_interval),
    Simulation("accuracy", "95 % Wilson interval of a share from 5 to 95 % holds it", f"{ROWS} rows", 10_000, COVERS, share_interval),
    Simulation("clustered", "95 % clustered interval of a mean holds it", "40 groups of 5 rows", 10_000, COVERS, clustered_interval),
    Simulation("bca rmse", "95 % BCa interval of the root mean square miss holds it", f"{ROWS} rows", 4_000, COVERS, bca_rmse),
    Simulation("bca macro F1", "95 % BCa interval of macro F1 holds it", f"{ROWS} rows", 2_000, COVERS, bca_macro_f1),
    Simulation("sign-flip", "sign-flip test claims a difference of equals", f"{ROWS} rows", 4_000, ERRS, flip_of_nothing),
    Simulation("sign-flip groups", "sign-flip test of whole groups claims one", "40 groups of 5 rows", 4_000, ERRS, flip_of_groups),
    Simulation("mcnemar", "exact McNemar test claims one", "1,000 rows", 10_000, (0.0, ERRS[1]), mcnemar_of_nothing),
    Simulation("swap", "swap test of macro F1 claims one", "100 rows", 4_000, ERRS, swap_of_nothing),
    Simulation("holm", "any of seven Holm-adjusted comparisons of equals is claimed", "100 rows", 1_000, (0.0, ERRS[1]), any_of_seven),
    Simulation("power mean", "a gap of 10 at a spread of 60 is seen with the rows asked for", f"{MEAN_ROWS} rows", 2_000, SEES,
               flip_of_something),
    Simulation("power share", "12.5 % against 7.5 % alone right is seen with the rows asked for", f"{SHARE_ROWS} rows", 10_000, SEES,
               mcnemar_of_something),
)  # fmt: skip


def shares(one: Simulation, blocks: int = BLOCKS) -> list[float]:
    """Percent of data sets in each block."""
    found = []
    for block in range(blocks):
        rng = np.random.default_rng(np.random.SeedSequence([block, zlib.crc32(one.name.encode())]))
        each = one.sets // BLOCKS
        found.append(100 * sum(one.holds(rng, block * each + place) for place in range(each)) / each)
    return found


def main() -> int:
    outside = []
    for one in SIMULATIONS:
        found = shares(one)
        percent = float(np.mean(found))
        low, high = one.wanted
        told = f"{one.what}; wanted {low:g} to {high:g} %" if low else f"{one.what}; wanted at most {high:g} %"
        print(json.dumps({"name": f"simulation: {one.name}", "what": told, "n": f"{one.sets:,} data sets of {one.rows}",
                          "value": round(percent, 2), "unit": "%", "spread": [min(found), max(found)]}), flush=True)  # fmt: skip
        if not low <= percent <= high:
            outside.append(f"{one.name}: {percent:.2f} %")
    if outside:
        print(f"Outside of what is wanted: {'; '.join(outside)}", file=sys.stderr)
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
