"""Near-duplicates against datasketch's batch interface on the same texts, each in a process of its own, in turns.

The reference is the script beside the checkout, run unchanged; none of its pairs may be missed. Then the signatures alone, and
200,000 texts: seconds, memory, and the share found of planted pairs, whose Jaccard is counted on their full sets of 5-grams.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

RUNS, ROWS, MANY = 3, 4_000, 200_000
ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "reference" / "scripts" / "near_duplicates.py"
BANDS = (0.8, 0.85, 0.9, 0.95, 1.0)


def texts(count: int, seed: int = 1) -> list[str]:
    """Random words, no two texts alike, but every 20th is the one before it with some words changed."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(rng.choice(letters, size)) for size in rng.integers(3, 11, 20_000)]
    made: list[str] = []
    for row in range(count):
        if row % 20 == 19:
            copy = made[-1].split(" ")
            for _ in range(int(rng.integers(1, max(2, len(copy) // 14)))):
                copy[int(rng.integers(len(copy)))] = words[int(rng.integers(20_000))]
            made.append(" ".join(copy))
        else:
            made.append(" ".join(words[place] for place in rng.integers(0, 20_000, int(rng.integers(60, 160)))))
    return made


def ours(path: str) -> None:
    """In a process of its own: the pairs of a file of texts, seconds, CPU seconds, peak memory in MiB."""
    from core.curate.duplicates import near_duplicates

    lines = Path(path).read_text(encoding="utf-8").split("\n")[:-1]
    near_duplicates(lines[:50])
    begin, used = time.perf_counter(), time.process_time()
    pairs = near_duplicates(lines)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(f"{path}.json").write_text(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "pairs": pairs.tolist()}))


def run_ours(path: Path) -> dict:
    subprocess.run([sys.executable, "-m", "benchmarks.near_duplicates", str(path)], check=True, cwd=ROOT)
    return json.loads(Path(f"{path}.json").read_text())


def run_reference(path: Path) -> tuple[int, float]:
    """(pairs, seconds) as the reference prints them."""
    told = subprocess.run([sys.executable, str(REFERENCE), str(path)], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+) pairs, ([\d.]+) s", told)
    assert found, told
    return int(found[1]), float(found[2])


def shingles(text: str) -> set[str]:
    return {text[place : place + 5] for place in range(max(1, len(text) - 4))}


def whole(folder: Path) -> None:
    path = folder / "some.txt"
    path.write_text("\n".join(texts(ROWS)) + "\n", encoding="utf-8")
    ratios = []
    for _ in range(RUNS):
        mine = run_ours(path)
        pairs, seconds = run_reference(path)
        assert len(mine["pairs"]) >= pairs, "pairs of the reference were missed"
        ratios.append(seconds / mine["seconds"])
    what = "speed against datasketch in batches, shingles and exact check included, wall time in turns"
    print(json.dumps({"name": "near_duplicates", "what": what, "n": f"{ROWS} texts", "ratio": sorted(ratios)[RUNS // 2],
                      "spread": [min(ratios), max(ratios)]}))  # fmt: skip


def signatures() -> None:
    from datasketch import MinHash
    from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]

    from core.curate.minhash import PERMUTATIONS, grams

    some = texts(1_000)
    cut, sets = [[gram.encode() for gram in shingles(text)] for text in some], grams(some)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).astype(np.uint64)
    flat, ratios = np.concatenate(sets), []
    for _ in range(RUNS):
        begin = time.process_time()
        MinHash.bulk(cut, num_perm=PERMUTATIONS)
        middle = time.process_time()
        RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, PERMUTATIONS, 42).to_rows()
        ratios.append((middle - begin) / (time.process_time() - middle))
    what = f"signatures alone ({PERMUTATIONS} permutations, ready shingles on both sides), CPU time against datasketch in batches"
    print(json.dumps({"name": "near_duplicates_signatures", "what": what, "n": "1000 texts", "ratio": sorted(ratios)[RUNS // 2],
                      "spread": [min(ratios), max(ratios)]}))  # fmt: skip


def many(folder: Path) -> None:
    path, made = folder / "many.txt", texts(MANY)
    path.write_text("\n".join(made) + "\n", encoding="utf-8")
    mine = run_ours(path)
    print(json.dumps({"name": "near_duplicates_many", "what": f"one process, peak {mine['peak']:.0f} MiB, {mine['cpu']:.0f} s of CPU time",
                      "n": f"{MANY:,} texts of 60 to 160 words", "value": f"{mine['seconds']:.0f}", "unit": "s"}))  # fmt: skip
    found, planted = {tuple(pair) for pair in mine["pairs"]}, {}
    for row in range(19, MANY, 20):
        a, b = shingles(made[row - 1]), shingles(made[row])
        alike = len(a & b) / len(a | b)
        if alike >= BANDS[0]:
            planted.setdefault(max(low for low in BANDS[:-1] if low <= alike), []).append((row - 1, row) in found)
    for low, high in pairwise(BANDS):
        hits = planted.get(low, [])
        print(json.dumps({"name": f"near_duplicates_recall_{100 * low:.0f}", "what": f"planted pairs found, Jaccard {low} to {high}",
                          "n": f"{len(hits):,} pairs among {MANY:,} texts", "value": round(sum(hits) / max(1, len(hits)), 4),
                          "unit": "recall"}))  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        if REFERENCE.exists():
            whole(Path(folder))
        else:
            print("the reference script is not on this machine: no ratio", file=sys.stderr)
        signatures()
        many(Path(folder))


if __name__ == "__main__":
    ours(sys.argv[1]) if len(sys.argv) > 1 else main()
