"""`python -m benchmarks [NAME ...]`: run the scripts of this folder and write RESULTS.md.

Each script prints JSON lines with `name`, `what` (one sentence), `n` (rows, requests ...), `ratio` or `value` with `unit`,
and `spread` (lowest and highest of the runs). Results of scripts that were not run now stay as they were.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
RAW = HERE / "results.jsonl"
HEAD = """# Measured

Date: {date}. Machine: {machine}. Run again with `make bench`, one alone with `python -m benchmarks NAME`.
A ratio compares with a reference in the same run; spread is the lowest and highest of the runs.

| name | what | n | figure | spread | date |
|---|---|---|---|---|---|
"""


def main(names: list[str]) -> None:
    scripts = [path for path in sorted(HERE.glob("*.py")) if not path.name.startswith("_") and (not names or path.stem in names)]
    kept = {one["name"]: one for one in map(json.loads, RAW.read_text().splitlines())} if RAW.exists() else {}
    for path in scripts:
        print(f"{path.stem} ...", file=sys.stderr, flush=True)
        out = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{path.stem}"], capture_output=True, text=True, check=False, cwd=HERE.parent
        )
        if out.returncode:
            print(f"{path.stem} failed:\n{out.stderr[-2000:]}", file=sys.stderr)
        for line in out.stdout.splitlines():
            if line.startswith("{") and "name" in (one := json.loads(line)):
                kept[one["name"]] = {**one, "date": date.today().isoformat()}
                print(line, file=sys.stderr)
        write(kept)


def write(kept: dict[str, dict]) -> None:
    """Both files, from every result there is."""
    RAW.write_text("".join(json.dumps(kept[name], ensure_ascii=False) + "\n" for name in sorted(kept)))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {memory()} GiB, Python {platform.python_version()}"
    rows = [row(kept[name]) for name in sorted(kept)]
    RESULTS.write_text(HEAD.format(date=date.today().isoformat(), machine=machine) + "\n".join(rows) + "\n")


def row(one: dict) -> str:
    figure = f"{one['ratio']:.2f} x" if "ratio" in one else f"{one['value']} {one.get('unit', '')}".strip()
    spread = " – ".join(f"{x:.2f}" for x in one["spread"]) if one.get("spread") else "one run"
    return f"| {one['name']} | {one['what']} | {one['n']} | {figure} | {spread} | {one['date']} |"


def memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


if __name__ == "__main__":
    main(sys.argv[1:])
