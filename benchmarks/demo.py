"""The whole job without a browser: seconds and peak memory of `python -m core demo`, its processes together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

from benchmarks._browser import ROOT


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "FINETUNE_STUDIO_HOME": home}
        begin, peak = time.perf_counter(), 0
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "demo", "--json", "--out", home],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
        )
        while process.poll() is None:
            peak = max(peak, tree_memory(process.pid))
            time.sleep(0.5)
        seconds = time.perf_counter() - begin
        result = json.loads(process.stdout.read())
    rows = max(row["n"] for row in result["table"])
    for row in result["table"]:
        value = row["metrics"]["mae"]
        slug = "".join(c if c.isalnum() else "_" for c in row["model"].lower())
        line = {"name": f"price_{slug}", "what": f"Price it, {row['model']}: average miss on the same test rows (95 % interval)"}
        print(json.dumps({**line, "n": f"{row['n']} test rows", "value": f"{value['value']:.1f}", "unit": "usd",
                          "spread": [value["low"], value["high"]]}))  # fmt: skip
    print(json.dumps({"name": "price_verdict", "what": result["verdict"], "n": f"{rows} shared test rows",
                      "value": result["verdict"].split(".")[0], "unit": ""}))  # fmt: skip
    print(
        json.dumps(
            {
                "name": "demo",
                "what": f"`python -m core demo`: {len(result['table'])} models, one training",
                "n": f"{rows} shared test rows",
                "value": f"{seconds / 60:.1f}",
                "unit": "min",
                "spread": [],
            }
        )
    )
    print(
        json.dumps(
            {
                "name": "demo_memory",
                "what": "peak resident memory of the demo's processes",
                "n": "1 run",
                "value": f"{peak / 2**30:.2f}",
                "unit": "GiB",
            }
        )
    )


def tree_memory(pid: int) -> int:
    """Resident bytes of a process and everything below it."""
    import psutil

    try:
        one = psutil.Process(pid)
        return sum(p.memory_info().rss for p in [one, *one.children(recursive=True)])
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
