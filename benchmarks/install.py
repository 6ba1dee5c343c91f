"""Installing from nothing: seconds and size of `make .venv/.app` in a copy of the tree."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks._browser import ROOT


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["git", "clone", "-q", str(ROOT), place], check=True)
        begin = time.perf_counter()
        subprocess.run(["make", ".venv/.app"], cwd=place, check=True, capture_output=True)
        seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        subprocess.run(["make", ".venv/.app"], cwd=place, check=True, capture_output=True)
        again = time.perf_counter() - begin
        size = sum(p.lstat().st_size for p in Path(place, ".venv").rglob("*") if p.is_file())
    print(
        json.dumps(
            {"name": "install", "what": "`make app` before it starts, empty .venv", "n": "1 run", "value": f"{seconds:.0f}", "unit": "s"}
        )
    )
    print(json.dumps({"name": "install_again", "what": "the same the second time", "n": "1 run", "value": f"{again:.2f}", "unit": "s"}))
    print(json.dumps({"name": "install_size", "what": "files in .venv", "n": "1 run", "value": f"{size / 2**30:.2f}", "unit": "GiB"}))


if __name__ == "__main__":
    main()
