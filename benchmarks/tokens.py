"""Tokens counted by the studio against the bare counter of bpe-openai, on the same texts and core, in turns in one process."""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
from pathlib import Path

RUNS = 5
CHUNK = 500
"""Texts counted by one and then by the other, so that both meet the same machine."""
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
WORDS = "the kettle boils fast and switches off by itself 전기 주전자는 빨리 끓고 1.7 L stainless steel, 230 V; easy to clean"


def imdb() -> list[str]:
    """The reviews of IMDb's training part; none where the file is not on this machine."""
    import pandas as pd

    path = SHARED / "imdb" / "imdb_train.csv.gz"
    if not path.exists():
        return []
    frame = pd.read_csv(io.BytesIO(gzip.decompress(path.read_bytes())), dtype=str, keep_default_na=False)
    longest = max(frame.columns, key=lambda name: frame[name].str.len().mean())
    return frame[longest].tolist()


def short(rows: int = 60_000) -> list[str]:
    """Texts of about 300 bytes, all different."""
    import numpy as np

    rng = np.random.default_rng(0)
    return [f"{i} " + " ".join(rng.choice(WORDS.split(), 42)) for i in range(rows)]


def ratio(name: str, texts: list[str]) -> None:
    """The bare loop and the studio's counter in turns of 500 texts: the ratio of their speeds, five times."""
    import bpe_openai

    from core.io import tokens

    bare = bpe_openai.get_encoding("o200k_base")._backend.count
    ours = tokens.counter("o200k_base")
    size = sum(len(text.encode()) for text in texts)
    ours(texts[:1000])
    found, speeds = [], []
    for run in range(RUNS):
        pair, total = {"bare": 0.0, "ours": 0.0}, 0
        for place, start in enumerate(range(0, len(texts), CHUNK)):
            some = texts[start : start + CHUNK]
            for which in ("bare", "ours") if (run + place) % 2 else ("ours", "bare"):
                began = time.process_time()  # CPU seconds, so that other work on the machine counts less
                counts = [bare(text) for text in some] if which == "bare" else ours(some)
                pair[which] += time.process_time() - began
            total += sum(counts)
        found.append(pair["bare"] / pair["ours"])
        speeds.append(size / pair["ours"] / 1e6)
    found.sort()
    what = f"speed of counting {name} against bpe-openai's own count ({sorted(speeds)[RUNS // 2]:.1f} MB/s, {total:,} tokens)"
    n = f"{len(texts):,} texts, {size / 1e6:.0f} MB, {RUNS} runs each"
    print(json.dumps({"name": f"tokens_{name.split()[0].lower()}", "what": what, "n": n, "ratio": found[RUNS // 2],
                      "spread": [found[0], found[-1]]}))  # fmt: skip


def main() -> None:
    reviews = imdb()
    if reviews:
        ratio("IMDb reviews", reviews)
    else:
        print("the reviews of IMDb are not on this machine", file=sys.stderr)
    ratio("short rows of 300 bytes", short())


if __name__ == "__main__":
    main()
