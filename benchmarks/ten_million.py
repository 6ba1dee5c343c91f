"""A version of ten million rows in Explore: first paint, filters, search, pages, and the memory of the server.

The rows are synthetic (id, category, a text of about 80 characters, price), written in row groups as an import writes
them. Questions are timed in a process of their own, each with a condition that was not asked before; the page by a fresh
visitor of a running server. Deep links: the time until title, rows and a figure stand on the page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks._browser import ROOT, browser, server

ROWS = 10_000_000
N = 24
GROUPS = ("Appliances", "Tools", "Garden", "Office", "Toys", "Music", "Books", "Kitchen")
COMMON = ("kettle", "lamp", "drill", "pump", "chair", "문의", "Travel", "STEEL")
RARE = tuple(f"quokka{i}" for i in range(N))


def make(home: Path, rows: int) -> str:
    """The version, its rows written 20,000 at a time; returns its dataset's id. Every common word stands in one row of forty."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from core.io import store
    from core.version import Roles, Version

    rng = np.random.default_rng(7)
    filler = [f"{a}{b}" for a in ("sol", "mar", "ven", "tor", "lin", "gra", "pel", "dus") for b in ("id", "ex", "ora", "een", "ump", "alt")]
    words = [*COMMON, *filler]
    weights = np.array([0.0025] * len(COMMON) + [(1 - 0.0025 * len(COMMON)) / len(filler)] * len(filler))
    phrases = pa.array([" ".join(rng.choice(words, 6, p=weights)) for _ in range(20_000)])
    path = home / "made.parquet"
    home.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([("id", pa.int64()), ("category", pa.string()), ("text", pa.string()), ("price", pa.float64())])
    rare = dict(zip(rng.choice(rows, len(RARE), replace=False).tolist(), RARE, strict=True))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, rows, store.ROW_GROUP):
            n = min(store.ROW_GROUP, rows - start)
            halves = [phrases.take(pa.array(rng.integers(0, len(phrases), n))) for _ in range(2)]
            ids = pa.array(np.arange(start, start + n))
            text = pc.binary_join_element_wise(*halves, ids.cast(pa.string()), " ")
            if found := [row for row in rare if start <= row < start + n]:
                cells = text.to_pylist()
                for row in found:
                    cells[row - start] += f" {rare[row]}"
                text = pa.array(cells)
            kinds = pa.array(GROUPS).take(pa.array(rng.choice(len(GROUPS), n, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05, 0.02])))
            price = pa.array(np.round(rng.lognormal(3.2, 0.9, n), 2))
            writer.write_table(pa.Table.from_arrays([ids, kinds, text, price], schema=schema), row_group_size=store.ROW_GROUP)
    columns = {"id": "number", "category": "label", "text": "text", "price": "number"}
    roles = Roles(text=("text",), target="price", category="category", id="id")
    made = Version("", "", 0, "Import", rows=rows, columns=columns, roles=roles, task="regression")
    version = store.adopt("Ten million", made, {"data.parquet": path}, source_hash=f"ten million {rows}")
    path.unlink()
    return version.dataset


def ask() -> None:
    """In a process of its own: what the questions of the page take. Prints JSON lines."""
    from core.io import numbers, profiling, query, store
    from core.io.query import Filter

    version = store.datasets()[0].versions[0]
    began = time.perf_counter()
    numbers.ensure(version)
    tell("numbers", "characters, target and hash of every row written beside the table", [time.perf_counter() - began], "s", version.rows)
    times: dict[str, list[float]] = {}
    if not numbers.is_counted(version):
        sampled = profiling.counted(version)
        began = time.perf_counter()
        numbers.count(version)
        told = f"words and tokens of every row counted and written; told beforehand: {sampled.seconds:.0f} s"
        tell("count", told, [time.perf_counter() - began], "s", version.rows)
    rng = np.random.default_rng(1)
    ends = {name: (found["lowest"], found["highest"]) for name in ("price", "n_tokens") if (found := query.summary(version, name))}
    for column, low, high in (("price", 2, 150), ("n_chars", 60, 100), ("n_tokens", 15, 45)):
        for _ in range(N):
            a, b = sorted(rng.uniform(low, high, 2))
            chosen = [Filter(column, a, b)]
            for shown in ("price", "n_tokens"):
                timed(times, f"histogram_{shown}_by_{column}", lambda c=chosen, s=shown: query.histogram(version, s, c, ends=ends[s]))
            timed(times, f"count_by_{column}", lambda c=chosen: query.count(version, c))
            timed(times, f"summary_by_{column}", lambda c=chosen: query.summary(version, "price", c))
    for i in range(N):
        common = COMMON[i % len(COMMON)]
        shifted = [Filter(search=common), Filter("price", 0, 50 + i)] if i >= len(COMMON) else [Filter(search=common)]
        timed(times, "search_common", lambda f=shifted: query.page(version, f, limit=51))
        timed(times, "search_rare", lambda word=RARE[i]: query.page(version, [Filter(search=word.upper())], limit=51))
        timed(times, "page_anywhere", lambda: query.page(version, (), offset=int(rng.integers(0, version.rows - 50))))
        timed(times, "sorted_first_page", lambda i=i: query.page(version, [Filter("price", low=float(i))], sort="price", descending=True))
        timed(times, "categories", lambda i=i: query.categories(version, "category", [Filter("price", low=float(i))], median=False))
        timed(times, "same_text", lambda: profiling.same_text(version, int(rng.integers(0, version.rows))))
    for name, found in times.items():
        tell(name, name.replace("_", " "), found, "ms", version.rows)
    tell(
        "asking_memory", "peak memory of the process that asked, counting of all tokens included", [peak(os.getpid())], "MiB", version.rows
    )


def timed(times: dict[str, list[float]], name: str, question) -> None:
    began = time.perf_counter()
    question()
    times.setdefault(name, []).append(1000 * (time.perf_counter() - began))


def look(home: Path, dataset: str, rows: int) -> None:
    """A fresh visitor of every view; the server's memory at its highest."""
    from core.io import projects

    small = projects.open_sample("price").dataset
    figure = "[data-testid=stPlotlyChart] .main-svg"
    table = "[data-testid=stDataFrame] canvas"
    with server(home) as (address, process), browser() as chromium:
        warm = chromium.new_page()
        warm.goto(f"{address}/settings")
        warm.wait_for_selector("h1")
        warm.close()
        times: dict[str, dict[str, list[float]]] = {name: {"title": [], "whole": []} for name in (dataset, small)}
        for _ in range(N):
            for name, found in times.items():
                page = chromium.new_page(viewport={"width": 1280, "height": 900})
                began = time.perf_counter()
                page.goto(f"{address}/explore?dataset={name}")
                page.wait_for_selector("h1")
                found["title"].append(1000 * (time.perf_counter() - began))
                page.wait_for_selector(figure)
                page.wait_for_selector(table)
                found["whole"].append(1000 * (time.perf_counter() - began))
                page.close()
        tell("first_paint", "deep link to the title on the screen, a fresh browser", times[dataset]["title"], "ms", rows)
        tell("first_figure", "deep link to title, figure and rows, a fresh browser", times[dataset]["whole"], "ms", rows)
        tell("first_figure_small", "the same with the sample Price it, in turns with the large one", times[small]["whole"], "ms", 6000)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        for view in ("Columns", "Tokens", "Rows", "SQL", "Overview"):
            page.goto(f"{address}/explore?dataset={dataset}&explore_view={view}")
            page.wait_for_selector("h1")
            page.wait_for_timeout(15_000)
        tell("server_memory", "peak memory of the server after every view was open", [peak(process.pid)], "MiB", rows)


def peak(pid: int) -> float:
    """The highest resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def tell(name: str, what: str, found: list[float], unit: str, rows: int) -> None:
    ordered = sorted(found)
    high = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    middle = ordered[len(ordered) // 2]
    value = f"{middle:.0f}" if len(found) == 1 else f"{middle:.0f} (p95 {high:.0f})"
    n = f"{rows:,} rows" + (f", {len(found)} times" if len(found) > 1 else "")
    line = {"name": f"ten_million_{name}", "what": what, "n": n, "value": value, "unit": unit, "spread": [ordered[0], ordered[-1]]}
    print(json.dumps(line), flush=True)


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "studio"
        os.environ["FINETUNE_STUDIO_HOME"] = str(home)
        began = time.perf_counter()
        dataset = make(home, rows)
        print(f"made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        subprocess.run([sys.executable, "-c", "from benchmarks.ten_million import ask; ask()"], cwd=ROOT, check=True)
        look(home, dataset, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
