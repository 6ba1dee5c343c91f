"""A large CSV to a dataset: ours against pandas with Arrow, in the same run.

Two files of `--megabytes` each: id, category, about 80 characters of text, price; in the second one row in ten has a line
break inside its text. pandas reads the first with `read_csv(engine="pyarrow")` and writes Parquet; the second it refuses, so
our own time of the first is the measure there. Ours is the whole job (hash, types, rejects, version in the store), in a
process of its own whose peak memory is taken. The files are deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = [
    "kettle",
    "pump",
    "drill",
    "lamp",
    "chair",
    "brass",
    "steel",
    "wooden",
    "small",
    "large",
    "quiet",
    "for",
    "with",
    "of",
    "의자",
    "고급",
]
OURS = """
import json, resource, sys, time
from pathlib import Path
from core.io import importing, parts
from core.io.work import Desk
from core.load.read import ReadOptions
path, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir()
place = parts.locate(path)
look = importing.look(place)
from core.load.roles import guess
found = guess(look.loaded.frame)
began = time.perf_counter()
request = importing.request_for(path, place, "big", ReadOptions(), found.roles, found.task)
made = importing.run_import(request, Desk(folder))
seconds = time.perf_counter() - began
print(json.dumps({**made, "seconds": seconds, "cpu": time.process_time(), "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))
"""
PANDAS = """
import json, resource, sys, time
import pandas as pd
began = time.perf_counter()
try:
    pd.read_csv(sys.argv[1], engine="pyarrow").to_parquet(sys.argv[2])
    told = "read"
except Exception as error:
    told = type(error).__name__
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(json.dumps({"seconds": time.perf_counter() - began, "told": told, "cpu": time.process_time(), "mb": peak}))
"""


def write(path: Path, megabytes: int, breaks: bool, seed: int = 0) -> int:
    """A CSV of about that size; returns its rows."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(WORDS, k=14)) for _ in range(20_000)]
    rows = 0
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write("id,category,text,price\n")
        while out.tell() < megabytes * 1_000_000:
            lines = []
            for _ in range(20_000):
                text = f"{rng.choice(texts)} {rows}"
                if breaks and rows % 10 == 0:
                    text = f'"{text[:40]}\n{text[40:]}, ""new"""'
                lines.append(f"{rows},{WORDS[rows % 6]},{text},{rng.randrange(100, 99999) / 100:.2f}\n")
                rows += 1
            out.write("".join(lines))
    return rows


def child(code: str, *arguments: object) -> dict:
    """What a fresh process printed, with the seconds it measured."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1],
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def run(megabytes: int = 1000, repeats: int = 1) -> list[dict]:
    """JSON-ready results, one a file."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FINETUNE_STUDIO_HOME"] = f"{folder}/studio"
        ours: dict[str, list[dict]] = {"plain": [], "breaks": []}
        theirs: dict[str, list[dict]] = {"plain": [], "breaks": []}
        counts = {}
        for name in ours:
            path = Path(folder) / f"{name}.csv"
            counts[name] = write(path, megabytes, breaks=name == "breaks")
            for number in range(repeats):
                theirs[name].append(child(PANDAS, path, f"{folder}/pandas.parquet"))
                ours[name].append(child(OURS, path, f"{folder}/job-{name}-{number}"))
                subprocess.run(["rm", "-rf", f"{folder}/studio", f"{folder}/pandas.parquet"], check=True)
            path.unlink()
    best = {name: min(one["seconds"] for one in found) for name, found in ours.items()}
    spent = {name: min(one["cpu"] for one in found) for name, found in ours.items()}
    pandas, pandas_spent = min(one["seconds"] for one in theirs["plain"]), min(one["cpu"] for one in theirs["plain"])
    for name, found in ours.items():
        assert all(one["rows"] == counts[name] and not one["rejected"] for one in found), "a row was lost"
        against, other = (pandas, pandas_spent) if name == "plain" else (best["plain"], spent["plain"])
        beside = theirs["plain"] if name == "plain" else ours["plain"]
        ratios = sorted(one["seconds"] / two["seconds"] for one, two in zip(found, beside, strict=True))
        words = "pandas read_csv(pyarrow) + to_parquet" if name == "plain" else "our own time without them (pandas refuses)"
        kind = "" if name == "plain" else " with line breaks in cells"
        peak = round(max(one["mb"] for one in found))
        results.append(
            {
                "name": f"import_csv_{name}", "spread": [ratios[0], ratios[-1]], "ratio": ratios[len(ratios) // 2],
                "what": f"importing {megabytes:,} MB of CSV{kind} against {words}; our peak {peak} MB",
                "n": f"{counts[name]:,} rows, {repeats} turns", "file": name, "megabytes": megabytes,
                "seconds": round(best[name], 2), "against": "pandas pyarrow" if name == "plain" else "ours without line breaks",
                "against_seconds": round(against, 2),
                "cpu_seconds": round(spent[name], 2), "against_cpu_seconds": round(other, 2), "cpu_ratio": round(spent[name] / other, 2),
                "pandas": theirs[name][0]["told"], "peak_mb": round(max(one["mb"] for one in found)),
                "pandas_peak_mb": round(max(one["mb"] for one in theirs[name])),
            }
        )  # fmt: skip
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    settings = parser.parse_args()
    began = time.perf_counter()
    for result in run(settings.megabytes, settings.repeats):
        print(json.dumps(result))
    print(
        f"{time.perf_counter() - began:.0f} s in all, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000} MB here", file=sys.stderr
    )


if __name__ == "__main__":
    main()
