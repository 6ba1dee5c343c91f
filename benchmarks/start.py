"""Cold start: from the command to the first painted page, and that torch was not loaded for it."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks._browser import browser, server

RUNS = 5


def main() -> None:
    seconds, torch = [], 0
    with browser() as chromium:
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as home:
                begin = time.perf_counter()
                with server(Path(home)) as (address, process):
                    page = chromium.new_page()
                    page.goto(address)
                    page.wait_for_selector("h1")
                    seconds.append(time.perf_counter() - begin)
                    torch += "libtorch" in Path(f"/proc/{process.pid}/maps").read_text()
                    page.close()
    middle = sorted(seconds)[RUNS // 2]
    print(
        json.dumps(
            {
                "name": "cold_start",
                "what": f"command to first painted page, empty workspace; torch loaded in {torch} of {RUNS} runs",
                "n": f"{RUNS} starts",
                "value": f"{middle:.2f}",
                "unit": "s",
                "spread": [min(seconds), max(seconds)],
            }
        )
    )


if __name__ == "__main__":
    main()
