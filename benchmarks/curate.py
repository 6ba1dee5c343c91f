"""The pricing preset against the same recipe one row at a time over a pool of two processes, in turns.

The reference is the script beside the checkout, run unchanged; it is timed from the start of its pool, with its rows in memory. Ours
is timed from its saved version on disk, while the server its workers are forked off still imports, as in the job, until every row
has its training prompt and its count of tokens. Both give the same rows, texts, prompts and counts. No two listings are equal and
nothing is remembered by text. Balance and split are left out: the reference has none.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pandas as pd
import pyarrow as pa

from benchmarks import _pricing
from core.curate.presets import preset
from core.curate.recipe import Recipe
from core.io import curating, engine, spawning, store
from core.io.tokens import counter
from core.load.columns import from_values
from core.prompt import Prompt
from core.version import Roles

ROWS, RUNS, WORKERS = 200_000, 3, 2
ROLES = Roles(text=("title", "description", "features", "details"), target="price", category="category")
ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "reference" / "scripts" / "pricing_recipe.py"


@dataclass(frozen=True)
class Asked:
    """Rows with their training prompt and its tokens."""

    prompt: Prompt

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        cells = zip(rows["text"].tolist(), rows["price"].tolist(), strict=True)
        prompts = ["\n\n".join(message["content"] for message in self.prompt.example({"text": text}, price)) for text, price in cells]
        return rows.assign(prompt=prompts, token_count=counter("cl100k_base")(prompts))


def ours(folder: str) -> None:
    """In a process of its own: the newest version of the workspace, curated; rows and seconds go to the folder."""
    spawning.warm()  # as the job does, first thing
    version = store.datasets()[0].versions[0]
    whole = preset("pricing", version, store.frame(version).head(1_000))
    recipe = Recipe(tuple(step for step in whole.steps if step.name not in ("balance", "split")))
    begin = time.perf_counter()
    with engine.crew_of(WORKERS) as crew:
        made = curating.make(version, recipe, crew=crew)
        assert made.prompt is not None
        types = {"prompt": pa.large_string(), "token_count": pa.int32()}
        asked = engine.run(Asked(made.prompt), made.frame[["text", "price"]], types, crew=crew, chunk=4_000).frame
    seconds = time.perf_counter() - begin
    asked[["text", "prompt", "token_count"]].to_parquet(Path(folder) / "ours.parquet", index=False)
    (Path(folder) / "ours.json").write_text(json.dumps({"seconds": seconds}))


def measured(command: list[str]) -> tuple[str, float, float]:
    """(what it printed, CPU seconds, peak MiB resident) of a command and all its children; pages they share count for each."""
    process, peak = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT), [0.0]
    spent: dict[int, float] = {}

    def watch() -> None:
        while process.poll() is None:
            family = _family(process.pid)
            peak[0] = max(peak[0], sum(map(_resident, family)))
            spent.update({pid: seconds for pid in family if (seconds := _spent(pid))})
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = process.communicate()[0]
    watcher.join()
    assert process.returncode == 0, told
    return told, sum(spent.values()), peak[0]


def _family(pid: int) -> list[int]:
    try:
        children = [int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(child))]


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def _spent(pid: int) -> float:
    """CPU seconds of one process so far, 0 when it has gone; looked at ten times a second, so its last tenth may be missing."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def main() -> None:
    if not REFERENCE.exists():
        sys.exit("the reference script is not on this machine")
    ratios, cpus, seconds, peaks, kept = [], [], [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FINETUNE_STUDIO_HOME"] = f"{folder}/home"
        rows = _pricing.rows(ROWS, seed=7)
        source, target = Path(folder) / "listings.jsonl", Path(folder) / "theirs.jsonl"
        source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        frame = pd.DataFrame({name: from_values([row[name] for row in rows]) for name in rows[0]})
        store.save("Listings", frame, title="Import", roles=ROLES, task="regression", source_hash="listings")
        del rows, frame
        for _ in range(RUNS):
            _, our_cpu, peak = measured([sys.executable, "-m", "benchmarks.curate", folder])
            mine = json.loads((Path(folder) / "ours.json").read_text())["seconds"]
            told, their_cpu, _ = measured([sys.executable, str(REFERENCE), str(source), str(target), str(WORKERS)])
            found = re.search(r"kept, ([\d.]+) s", told)
            assert found, told
            ratios.append(float(found[1]) / mine)
            cpus.append(their_cpu / our_cpu)
            seconds.append(mine)
            peaks.append(peak)
            theirs = pd.DataFrame([json.loads(line) for line in target.open(encoding="utf-8")])[["text", "prompt", "token_count"]]
            same = pd.read_parquet(Path(folder) / "ours.parquet")
            kept = len(same)
            assert all(same[name].tolist() == theirs[name].tolist() for name in theirs), "not the same rows, texts, prompts and counts"
    what = (f"pricing preset, {WORKERS} workers, against the per-row recipe over a pool of {WORKERS}, wall time in turns, same rows, "
            f"texts, prompts and counts ({kept:,} kept; CPU time of the whole processes {median(cpus):.2f} x)")  # fmt: skip
    print(json.dumps({"name": "curate.pricing", "what": what, "n": f"{ROWS:,} distinct listings", "ratio": median(ratios),
                      "spread": [min(ratios), max(ratios)]}))  # fmt: skip
    print(json.dumps({"name": "curate.pricing_memory", "what": f"peak resident memory of its processes ({median(seconds):.0f} s)",
                      "n": f"{ROWS:,} distinct listings", "value": round(max(peaks)), "unit": "MiB",
                      "spread": [min(peaks), max(peaks)]}))  # fmt: skip


if __name__ == "__main__":
    from benchmarks import curate

    curate.ours(sys.argv[1]) if len(sys.argv) > 1 else curate.main()  # workers know this module by its own name
