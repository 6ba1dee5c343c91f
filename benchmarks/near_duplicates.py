"""Near-duplicates against datasketch's batch interface on the same texts, in CPU seconds; none of its pairs may be missed.

The reference is written out here: character 5-grams, 128 permutations, 32 bands of 4, exact Jaccard of candidates.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from core.curate.duplicates import near_duplicates, texts_of
from core.load.samples.registry import SAMPLES

RUNS, ROWS = 5, 2_000


def shingles(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}


def reference(texts: list[str]) -> set[tuple[int, int]]:
    """Pairs with a Jaccard of at least 0.8, by datasketch."""
    from datasketch import MinHash, MinHashLSH

    sets = [shingles(text) for text in texts]
    digests = MinHash.bulk([[gram.encode() for gram in one] for one in sets], num_perm=128)
    index, pairs = MinHashLSH(num_perm=128, params=(32, 4)), set()
    for i, digest in enumerate(digests):
        for j in index.query(digest):
            if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.8:
                pairs.add((j, i))
        index.insert(i, digest)
    return pairs


def unlike() -> list[str]:
    """Texts of random words that share next to nothing, every tenth one once more with a word changed."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghilmnoprstuv"), rng.integers(3, 10))) for _ in range(3_000)]
    return with_edits([" ".join(rng.choice(words, rng.integers(40, 120))) for _ in range(ROWS)])


def alike() -> list[str]:
    """Generated reviews, whose sentences repeat, every tenth one once more with a word changed."""
    frame = SAMPLES["stars"].make(ROWS, 0)
    return with_edits([text or "" for text in texts_of(frame, ["title", "body"])])


def with_edits(texts: list[str]) -> list[str]:
    return [*texts, *(" ".join([*text.split(" ")[:-2], "surely", text.split(" ")[-1]]) for text in texts[::10])]


def measure(name: str, kind: str, texts: list[str]) -> None:
    ratios: list[float] = []
    for _ in range(RUNS):
        begin = time.process_time()
        theirs = reference(texts)
        middle = time.process_time()
        ours = {(int(i), int(j)) for i, j in near_duplicates(texts)}
        ratios.append((middle - begin) / (time.process_time() - middle))
        if theirs - ours:
            sys.exit(f"{len(theirs - ours)} pairs of the reference were missed")
    what = f"speed against datasketch in batches, {kind}, recall of its {len(theirs)} pairs 1.0"
    print(json.dumps({"name": name, "what": what, "n": f"{len(texts)} texts", "ratio": sorted(ratios)[RUNS // 2],
                      "spread": [min(ratios), max(ratios)]}))  # fmt: skip


if __name__ == "__main__":
    measure("near_duplicates", "texts that share little", unlike())
    measure("near_duplicates_alike", "reviews that share sentences", alike())
