"""Click to paint: from the click on a page's link to its painted, idle content, with the price sample open and curated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._browser import IDLE, ROOT, browser, server

PAGES = ("Explore", "Curate", "Augment with GPT", "Validate & Cost", "Baselines", "Fine-tune", "Compare", "Home")
ROUNDS = 12
PREPARE = """
from core.io import demo
version = demo.prepare("price", print)
demo.baselines(version, ["constant_mean", "constant_median", "bow_linear", "tfidf_linear", "forest"], print)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(
            [sys.executable, "-c", PREPARE], cwd=ROOT, env={**os.environ, "FINETUNE_STUDIO_HOME": home}, check=True, stdout=sys.stderr
        )
        with server(Path(home)) as (address, _), browser() as chromium:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.goto(address)
            page.wait_for_selector("h1")
            times: dict[str, list[float]] = {name: [] for name in PAGES}
            for _ in range(ROUNDS + 1):
                for name in PAGES:
                    times[name].append(visit(page, name))
    every = []
    for name, found in times.items():
        warm = sorted(found[1:])
        every += warm
        report(f"click_{name.split()[0].lower().replace('-', '_')}", f"click on {name} to painted and idle, cached", warm)
    report("click_all", "click to painted and idle, all pages, cached", sorted(every))


def visit(page, name: str) -> float:
    begin = time.perf_counter()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    title = "Is a fine-tuned" if name == "Home" else name
    page.wait_for_function("(title) => document.querySelector('h1')?.innerText.startsWith(title)", arg=title)
    page.wait_for_function(IDLE)
    return 1000 * (time.perf_counter() - begin)


def report(name: str, what: str, warm: list[float]) -> None:
    middle, high = warm[len(warm) // 2], warm[min(len(warm) - 1, round(0.95 * len(warm)))]
    print(
        json.dumps(
            {
                "name": name,
                "what": what,
                "n": f"{len(warm)} clicks",
                "value": f"{middle:.0f} (p95 {high:.0f})",
                "unit": "ms",
                "spread": [warm[0], warm[-1]],
            }
        )
    )


if __name__ == "__main__":
    main()
