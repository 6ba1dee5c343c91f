"""Ten thousand rows through the whole job against the loopback double: memory, pace, and what a second run costs.

The job runs in a process of its own; the double answers at once in another. Memory is the growth of the process's peak from the
moment its rows are chosen: linear in the rows or not is seen by a run with a tenth of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS = 10_000
PARALLEL = 16
KEY = "sk-canary-5f2c9d71e04b"
ROOT = Path(__file__).resolve().parents[1]


def prepared(rows: int) -> Any:
    """A version of made-up reviews, one in ten kept aside."""
    import numpy as np
    import pandas as pd

    from core.io import store
    from core.version import Roles

    rng = np.random.default_rng(0)
    ends = ("lin", "dor", "mek", "sta", "ver", "zal")
    words = np.array([f"{a}{b}" for a in ("ka", "mo", "ri", "te", "lu", "so", "pe", "na") for b in ends])
    texts = [" ".join(rng.choice(words, 30)) for _ in range(rows)]
    frame = pd.DataFrame({"text": texts, "answer": rng.choice(["good", "bad"], rows),
                          "split": ["test" if i % 10 == 9 else "train" for i in range(rows)]})  # fmt: skip
    roles = Roles(text=("text",), target="answer", split="split")
    return store.save("Reviews", frame, title="Split", roles=roles, task="classification", source_hash=f"augment{rows}")


def ours(url: str, rows: int) -> None:
    """In a process of its own: the run, and what it took, as a JSON line."""
    import resource

    from core.augment.presets import AugmentSettings
    from core.io import jobs
    from core.io.augmenting import Writer, summary
    from core.io.providers.addresses import for_child

    version = prepared(rows)
    settings = AugmentSettings("text", variants=3)
    writer = Writer("compatible", "small", url, PARALLEL, (0.0, 0.0))
    asked = {"settings": settings.to_dict(), "writer": writer.to_dict(), "budget": None, "meaning": False}
    request = {"dataset": version.dataset, "version": version.id, **asked}
    told = []
    for _ in range(2):
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.perf_counter()
        job = jobs.start("augment", request, title="Write", dataset=version.dataset, environment=for_child(url, KEY))
        assert job.state == "done", job.error
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        summary(version, settings, job.folder)
        result = dict(job.result or {})
        told.append({"seconds": seconds, "review": time.perf_counter() - start, "before": before,
                     "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **result})  # fmt: skip
    print(json.dumps(told))


def run(rows: int) -> tuple[list[dict[str, Any]], int]:
    """What two runs of the same request took, and how many requests the double got."""
    from tests.loopback import Loopback

    with tempfile.TemporaryDirectory() as folder, Loopback(key=KEY) as server:
        environment = {**os.environ, "FINETUNE_STUDIO_HOME": folder, "FINETUNE_STUDIO_JOBS": "inline", "OMP_NUM_THREADS": "1"}
        out = subprocess.run([sys.executable, "-m", "benchmarks.augment", server.url, str(rows)], capture_output=True, text=True,
                             check=True, cwd=ROOT, env=environment)  # fmt: skip
        return json.loads(out.stdout.splitlines()[-1]), len(server.asked)


def main() -> None:
    rows = int(os.environ.get("ROWS", ROWS))
    small, _ = run(rows // 10)
    large, asked = run(rows)
    first, second = large
    growth = [one[0]["peak"] - one[0]["before"] for one in (small, large)]
    requests = first["requests"]
    n = f"{requests:,} requests"
    tenth = f"growth of a run's peak resident memory; with a tenth of the rows: {growth[0]:.0f} MiB"
    say("augment.memory", tenth, n, round(growth[1]), "MiB")
    pace = round(requests / first["seconds"], 1)
    say("augment.pace", f"requests of a run in a second, journal and gates on, {PARALLEL} at once, no waiting", n, pace, "per second")
    review = round(first["review"], 1)
    say("augment.review", "judging every variant of the finished run once more for its report", f"{3 * requests:,} variants", review, "s")
    again = f"requests sent by a second run of the same request ({second['seconds']:.0f} s)"
    say("augment.again", again, n, asked - requests, "requests")


def say(name: str, what: str, n: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "what": what, "n": n, "value": value, "unit": unit}), flush=True)


if __name__ == "__main__":
    ours(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else main()
