"""Click to paint on every page, with the price sample open, curated and answered.

Painted: the first frame with the page's title, no stale element and no running mark. Whole: the frame after the last change of the page,
figures and tables included (what a table puts inside its canvas for screen readers, later and never painted, is not counted).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
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
            times: dict[str, list[list[float]]] = {name: [] for name in PAGES}
            for _ in range(ROUNDS + 1):
                for name in PAGES:
                    times[name].append(visit(page, name))
    every: list[list[float]] = []
    for name, found in times.items():
        every += found[1:]
        report(f"click_{name.split()[0].lower().replace('-', '_')}", f"click on {name} to painted; to whole", found[1:])
    report("click_all", "click on any page to painted; to whole", every)


VISIT = """
([name, title, idle]) => new Promise((done) => {
  const links = [...document.querySelectorAll('[data-testid=stSidebarNav] a')];
  const link = links.find((one) => one.innerText.trim().endsWith(name));
  const there = () => document.querySelector('h1')?.innerText.startsWith(title) && eval(idle)();
  let first = 0, last = 0;
  const seen = (changes) => changes.some((change) => change.target.nodeName !== 'CANVAS');
  const observer = new MutationObserver((changes) => seen(changes) && requestAnimationFrame(() => { last = performance.now(); }));
  observer.observe(document.querySelector('[data-testid=stMain]'), {childList: true, subtree: true, characterData: true});
  const begin = performance.now();
  const look = () => requestAnimationFrame(() => {
    if (!first && there()) first = performance.now();
    const quiet = last && performance.now() - last > 500;
    if (quiet && there()) { observer.disconnect(); done([first - begin, last - begin]); } else look();
  });
  link.click();
  look();
})
"""


def visit(page, name: str) -> list[float]:
    """Milliseconds from the click event to painted and to whole; half a second of quiet ends the wait."""
    return page.evaluate(VISIT, [name, "Is a fine-tuned" if name == "Home" else name, IDLE])


def report(name: str, what: str, times: list[list[float]]) -> None:
    painted, whole = (sorted(column) for column in zip(*times, strict=True))
    high = min(len(times) - 1, round(0.95 * len(times)))
    said = [f"{column[len(column) // 2]:.0f} (p95 {column[high]:.0f})" for column in (painted, whole)]
    line = {
        "name": name,
        "what": what,
        "n": f"{len(times)} clicks",
        "value": "; ".join(said),
        "unit": "ms",
        "spread": [painted[0], whole[-1]],
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
