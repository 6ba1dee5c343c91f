"""A real file to a verdict: 8,915 marketplace listings, the pricing recipe, every cheap predictor, the built-in
model prompted and fine-tuned. `PRODUCTS` names the CSV (columns title, category, description, price); without it there is nothing to run.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "pricer" / "products.csv.gz"


def main() -> None:
    path = Path(os.environ.get("PRODUCTS", SHARED))
    if not path.exists():
        print(f"skipped: {path} is not here", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("FINETUNE_STUDIO_HOME", home)
        for line in walk(path):
            print(json.dumps(line))


def walk(path: Path) -> list[dict[str, object]]:
    """What the leaderboard said, a line for each model, and the verdict."""
    from core.compare.leaderboard import leaderboard
    from core.compare.verdict import verdict
    from core.curate.presets import preset
    from core.io import curating, demo, evaluations, reading, store
    from core.load.read import ReadOptions
    from core.load.roles import guess

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    data = path.read_bytes()
    loaded = reading.load(path.name, data)
    found = guess(loaded.frame)
    raw = reading.add("Products", path.name, loaded, reading.sha256(data), ReadOptions(), found.roles, found.task)
    version = curating.save(raw, preset("pricing", raw, store.frame(raw)))
    say(f"{raw.rows:,} rows read, {version.rows:,} kept: {dict(version.splits)}")
    demo.baselines(version, demo.names(version), say)
    demo.tune(version, say)
    board = leaderboard(evaluations.of(version.dataset, version.id), unit="usd")
    said = verdict(board, leak=version.leak)
    say(said.text)
    name = board.metrics[0]
    lines = [line("products", row.title, row.values[name], board.n) for row in board.rows]
    kept = ", ".join(f"{count:,} {split}" for split, count in version.splits.items())
    return [*lines, {"name": "products_verdict", "what": said.text, "n": kept, "value": said.headline, "unit": ""}]


def line(kind: str, title: str, value, n: int) -> dict[str, object]:
    """One model's average miss with its 95 % interval."""
    slug = "".join(c if c.isalnum() else "_" for c in title.lower())
    what = f"A real file of listings, {title}: average miss on the same test rows (95 % interval)"
    return {"name": f"{kind}_{slug}", "what": what, "n": f"{n} test rows", "value": f"{value.value:.1f}", "unit": "usd",
            "spread": [value.low, value.high]}  # fmt: skip


if __name__ == "__main__":
    main()
