"""The pricing preset against the same recipe one row at a time: same rows kept, same texts, prompts and token counts, one core.

Both build the training prompt of every kept row and count its tokens. Rows differ in every run, so nothing can be remembered.
The split is left out: the per-row recipe has none.
"""

from __future__ import annotations

import json
import time
from statistics import median

import pandas as pd

from benchmarks import _pricing
from core.curate.presets import preset
from core.curate.recipe import Recipe, run
from core.io.curating import tokenizer
from core.io.tokens import counter, encoding
from core.load.columns import from_values
from core.version import Roles, Version

ROWS, RUNS = 6_000, 5
ROLES = Roles(text=("title", "description", "features", "details"), target="price", category="category")


def per_row(rows: list[dict]) -> list[tuple[str, str, int]]:
    words = encoding("cl100k_base")
    made = [one for row in rows if (one := _pricing.curate(row, words))]
    return [(one["text"], one["prompt"], one["token_count"]) for one in made]


def ours(frame: pd.DataFrame, recipe: Recipe) -> list[tuple[str, str, int]]:
    made = run(frame, ROLES, recipe, task="regression", tokenizer=tokenizer)
    assert made.prompt is not None
    texts = made.frame["text"].tolist()
    rows = zip(texts, made.frame["price"].tolist(), strict=True)
    prompts = ["\n\n".join(message["content"] for message in made.prompt.example({"text": text}, price)) for text, price in rows]
    return list(zip(texts, prompts, counter("cl100k_base")(prompts), strict=True))


def main() -> None:
    ratios, kept = [], 0
    for seed in range(RUNS):
        rows = _pricing.rows(ROWS, seed)
        frame = pd.DataFrame({name: from_values([row[name] for row in rows]) for name in rows[0]})
        whole = preset("pricing", Version("d", "i", 1, "Import", roles=ROLES, task="regression"), frame)
        recipe = Recipe(tuple(step for step in whole.steps if step.name != "split"))
        for warm in (per_row(rows[:50]), ours(frame.head(50), recipe)):
            assert warm is not None
        start = time.process_time()
        wanted = per_row(rows)
        middle = time.process_time()
        found = ours(frame, recipe)
        end = time.process_time()
        assert found == wanted, "not the same rows, texts, prompts and counts"
        ratios.append((middle - start) / (end - middle))
        kept += len(found)
    what = f"pricing preset against the per-row recipe, CPU time on one core, same output ({kept:,} of {ROWS * RUNS:,} rows kept)"
    print(
        json.dumps(
            {"name": "curate.pricing", "what": what, "n": ROWS * RUNS, "ratio": median(ratios), "spread": [min(ratios), max(ratios)]}
        )
    )


if __name__ == "__main__":
    main()
