"""A million rows balanced over slots of their price and split, clusters of duplicates kept whole: ours and pandas with scikit-learn.

Both cap 1,200 rows per dollar below $240, drawn with weight 1 for the dominant category and 5 for the others, then cut
80 / 10 / 10 without parting a cluster. The clusters are given as a column. Ours also gives every dropped row its reason. The
reference is groupby and numpy's weighted `choice`, then `GroupShuffleSplit` twice; its parts count clusters, not rows.
"""

from __future__ import annotations

import json
import resource
import time

import numpy as np
import pandas as pd

from core.curate.recipe import Outcome, Recipe, run
from core.curate.steps import make
from core.version import Roles

ROWS, RUNS, CAP, FREE = 1_000_000, 3, 1200, 240
ROLES = Roles(target="price", category="category", group="cluster")
RECIPE = (
    make("balance", cap=CAP, keep_all_from=FREE, lowest=1, highest=999, dominant=1, others=5),
    make("split", method="group", near_duplicates=False),
)


def table(seed: int) -> pd.DataFrame:
    """Skewed prices, eight categories, three rows of ten in a cluster of two to six."""
    rng = np.random.default_rng(seed)
    sizes = np.where(rng.random(ROWS) < 0.12, rng.integers(2, 7, ROWS), 1)
    cluster = np.repeat(np.arange(ROWS), sizes)[:ROWS]
    share = np.array([0.35, 0.2, 0.15, 0.1, 0.08, 0.06, 0.04, 0.02])
    return pd.DataFrame(
        {
            "price": np.clip(rng.lognormal(4.2, 1.2, ROWS), 0.5, 999.49).round(2),
            "category": rng.choice([f"category {i}" for i in range(8)], ROWS, p=share),
            "cluster": rng.permutation(cluster),
        }
    )


def ours(frame: pd.DataFrame, seed: int) -> Outcome:
    return run(frame, ROLES, Recipe(RECIPE, seed), task="regression")


def reference(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    from sklearn.model_selection import GroupShuffleSplit

    slots = frame["price"].round()
    weights = np.where(frame["category"] == frame["category"].mode()[0], 1.0, 5.0)
    kept, rng = [], np.random.default_rng(seed)
    for slot, rows in frame[slots >= 1].groupby(slots):
        full = slot >= FREE or len(rows) <= CAP
        share = weights[rows.index]
        kept.append(rows if full else rows.iloc[rng.choice(len(rows), CAP, replace=False, p=share / share.sum())])
    made = pd.concat(kept).sort_index()
    parts = np.full(len(made), "train", dtype=object)
    for name, size in (("test", 0.1), ("validation", 0.1 / 0.9)):
        rest = np.flatnonzero(parts == "train")
        cut = GroupShuffleSplit(n_splits=1, test_size=size, random_state=seed).split(rest, groups=made["cluster"].to_numpy()[rest])
        parts[rest[next(cut)[1]]] = name
    return made.assign(split=parts)


def check(made: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Same rows per slot, clusters whole, parts of 80 / 10 / 10."""
    one, other = (frame["price"].round().value_counts().sort_index() for frame in (made, wanted))
    assert one.equals(other), "not the same rows per slot"
    assert (made.groupby("cluster")["split"].nunique() == 1).all(), "a cluster was parted"
    assert abs((made["split"] == "test").mean() - 0.1) < 0.001, "not 10 % test"


def main() -> None:
    seconds, alone, ratios, peak = [], [], [], 0
    for warm in (ours, reference):
        warm(table(0).head(20_000), 0)
    for seed in range(RUNS):
        frame = table(seed)
        start, begin = time.perf_counter(), time.process_time()
        made = ours(frame, seed)
        end, middle = time.perf_counter(), time.process_time()
        seconds.append(end - start)
        run(frame, ROLES, Recipe(RECIPE[1:], seed), task="regression")
        alone.append(time.perf_counter() - end)
        peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        again = time.process_time()
        wanted = reference(frame, seed)
        ratios.append((time.process_time() - again) / (middle - begin))
        check(made.frame, wanted)
    n = f"{ROWS:,} rows, {RUNS} runs"
    what = f"a million rows balanced, the {len(made.frame):,} that stay split with given clusters, every dropped row with its reason"
    tell("curate.balance_split", what, n, seconds)
    tell("curate.split", "a million rows split with given clusters, none parted", n, alone)
    what = "balanced and split against groupby, numpy's weighted choice and GroupShuffleSplit, CPU time, same rows per slot"
    print(json.dumps({"name": "curate.balance_split_ratio", "what": what, "n": n, "ratio": sorted(ratios)[RUNS // 2],
                      "spread": [min(ratios), max(ratios)]}))  # fmt: skip
    what = "the most memory of the process while a million rows are balanced and split, table included"
    print(
        json.dumps(
            {"name": "curate.balance_split_memory", "what": what, "n": f"{ROWS:,} rows", "value": round(peak / 2**20), "unit": "MiB"}
        )
    )


def tell(name: str, what: str, n: str, seconds: list[float]) -> None:
    value = round(sorted(seconds)[RUNS // 2], 2)
    print(json.dumps({"name": name, "what": what, "n": n, "value": value, "unit": "s", "spread": [min(seconds), max(seconds)]}))


if __name__ == "__main__":
    main()
