"""The leakage gate on planted leaks: what share it finds at each level, what it finds where nothing was planted, how long it takes.

1,000 train rows; test rows of which 50 are equal, 50 mangled (capitals, composition, blanks, marks), 50 have one word changed,
20 share a group with a train row and 500 are unrelated.
"""

from __future__ import annotations

import json
import time
import unicodedata

import numpy as np
import pandas as pd

from core.curate.leakage import LEVELS, LeakageReport, leakage

RUNS = 5
PLANTED = {"exact": (0, 50), "normalized": (50, 100), "near": (100, 150), "group": (150, 170)}


def planted(train_rows: int, test_rows: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzé"))
    words = np.array(["".join(rng.choice(letters, int(rng.integers(2, 9)))) for _ in range(3_000)])
    train, test = ([" ".join(rng.choice(words, int(rng.integers(30, 90)))) + "." for _ in range(n)] for n in (train_rows, test_rows))
    for row in range(50):
        test[row] = train[row]
        test[50 + row] = unicodedata.normalize("NFD", train[50 + row].upper()).replace(" ", "  ").replace(".", " !")
        edited = train[100 + row].split(" ")
        edited[int(rng.integers(len(edited)))] = "edit"
        test[100 + row] = " ".join(edited)
    groups = [f"g{row}" for row in range(train_rows)], [f"h{row}" for row in range(test_rows)]
    groups[1][150:170] = groups[0][150:170]
    return pd.DataFrame({"text": train, "family": groups[0]}), pd.DataFrame({"text": test, "family": groups[1]})


def found(report: LeakageReport, level: str) -> set[int]:
    return {test for _, test in report.levels[level].pairs}


def main() -> None:
    shares: dict[str, list[float]] = {level: [] for level in PLANTED}
    false: list[float] = []
    for seed in range(RUNS):
        report = leakage(*planted(1_000, 670, seed), ["text"], group="family")
        for level, (first, end) in PLANTED.items():
            shares[level].append(len(found(report, level) & set(range(first, end))) / (end - first))
        false.append(len({row for level in LEVELS for row in found(report, level) if row >= 170}) / 500)
    for level, (first, end) in PLANTED.items():
        print(json.dumps({"name": f"leaks_{level}", "what": f"planted leaks found at the level {level}",
                          "n": f"{RUNS} x {end - first} planted",
                          "value": min(shares[level]), "unit": "recall", "spread": [min(shares[level]), max(shares[level])]}))  # fmt: skip
    print(json.dumps({"name": "leaks_false", "what": "unrelated test rows called leaks", "n": f"{RUNS} x 500 unrelated",
                      "value": max(false), "unit": "of them", "spread": [min(false), max(false)]}))  # fmt: skip
    wall, cpu = [], []
    for seed in range(3):
        train, test = planted(10_000, 2_000, seed)
        begin, used = time.perf_counter(), time.process_time()
        leakage(train, test, ["text"], group="family")
        wall.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - used)
    what = f"the gate at all eight levels, one process ({sorted(cpu)[1]:.1f} s of CPU time)"
    print(json.dumps({"name": "leaks_seconds", "what": what, "n": "10,000 train x 2,000 test rows, 3 runs",
                      "value": f"{sorted(wall)[1]:.1f}", "unit": "s", "spread": [min(wall), max(wall)]}))  # fmt: skip


if __name__ == "__main__":
    main()
