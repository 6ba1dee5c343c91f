"""A chat training file checked, against the usual one-pass loop over the same file, which runs in a process of its own.

The loop (parse, count seven error types, encode every value with tiktoken, add up) is the shared script where it is there,
else LOOP below, which does the same. Ours runs by the classic rules (its figures have to be equal) and by today's rules with
everything that is checked, on one core and on two; memory is that of all its processes together, shared pages counted once.

    python -m benchmarks.validate [--lines 1000000] [--repeats 3]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "reference" / "scripts" / "chat_file_loop.py"
LIMIT = 16_385
LOOP = """
import collections, json, sys, time
import bpe_openai, tiktoken
encoding = tiktoken.Encoding(**bpe_openai.registry.cl100k_base())
start = time.perf_counter()
with open(sys.argv[1], encoding="utf-8") as f:
    rows = [json.loads(line) for line in f]
errors, totals, assistant = collections.Counter(), [], []
for row in rows:
    for m in row["messages"]:
        errors["message_missing_key"] += "role" not in m or "content" not in m
        errors["message_unrecognized_key"] += any(k not in ("role", "content", "name", "function_call", "weight") for k in m)
        errors["unrecognized_role"] += m.get("role") not in ("system", "user", "assistant", "function")
        content = m.get("content")
        errors["missing_content"] += (not content and not m.get("function_call")) or not isinstance(content, str)
    errors["example_missing_assistant_message"] += not any(m.get("role") == "assistant" for m in row["messages"])
    totals.append(3 + sum(3 + sum(len(encoding.encode(v)) + (k == "name") for k, v in m.items()) for m in row["messages"]))
    assistant.append(sum(len(encoding.encode(m["content"])) for m in row["messages"] if m["role"] == "assistant"))
billable = sum(min(16385, t) for t in totals)
print(dict(+errors), f"n={len(rows)} total={sum(totals)} assistant={sum(assistant)} billable={billable}")
print(f"{time.perf_counter() - start:.2f} s")
"""
OURS = """
import json, sys, time
from pathlib import Path
from core.io.checking import check_lines
from core.io.counting import count_of
from core.io.plain_lines import plain_lines
from core.validate.piece import Rules
from core.validate.report import summary
def main():
    path, rules, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    count_of("gpt-3.5-turbo-0125")  # the loop loads its tokenizer before it looks at the clock, too
    began = time.perf_counter()
    made = check_lines(plain_lines(Path(path)), Rules("gpt-3.5-turbo-0125", 16385, rules), workers=workers)
    seconds = time.perf_counter() - began
    told = summary(made)
    print(json.dumps({"seconds": seconds, "n": made.examples, "total": int(made.tokens.total.sum(dtype="int64")),
                      "assistant": int(made.tokens.assistant.sum(dtype="int64")), "billable": told["billable_tokens"],
                      "errors": told["errors"], "places": sum(map(len, made.findings.values()))}))
if __name__ == "__main__":
    main()
"""


def make(path: Path, lines: int, seed: int = 0) -> None:
    """A pricing file: one system line, a listing of 60 to 180 words, a short answer; no two listings alike.

    Words are drawn as people use them: a few very often, 30,000 rarely.
    """
    rng = np.random.default_rng(seed)
    parts = [
        "pro",
        "max",
        "sound",
        "grip",
        "steel",
        "aqua",
        "lux",
        "term",
        "fold",
        "gauge",
        "mount",
        "valve",
        "cord",
        "lens",
        "pack",
        "rack",
        "ing",
        "er",
        "able",
        "un",
        "re",
        "pre",
        "mini",
        "ultra",
        "duo",
    ]
    made = ["".join(rng.choice(parts, rng.integers(1, 4)).tolist()) for _ in range(30_000)]
    words = np.array(["the", "a", "with", "for", "of", "and", "fits", "black", "set", "inch", *made], dtype=object)
    chances = 1 / np.arange(1, len(words) + 1)
    chances /= chances.sum()
    with path.open("w", encoding="utf-8") as out:
        for start in range(0, lines, 10_000):
            sizes = rng.integers(60, 180, min(10_000, lines - start))
            drawn = rng.choice(words, int(sizes.sum()), p=chances)
            grams, prices, at = rng.integers(10, 9999, len(sizes)), rng.lognormal(4, 1, len(sizes)), 0
            for size, gram, price in zip(sizes.tolist(), grams.tolist(), prices.tolist(), strict=True):
                listing = " ".join(drawn[at : at + size])
                at += size
                messages = [{"role": "system", "content": "You estimate prices of items. Reply only with the price, no explanation"},
                            {"role": "user", "content": f"How much does this cost to the nearest cent?\n\n{listing}, {gram} g"},
                            {"role": "assistant", "content": f"Price is ${price:.2f}"}]  # fmt: skip
                out.write(json.dumps({"messages": messages}) + "\n")


def run(command: list[str]) -> tuple[str, float]:
    """(what it printed, the highest memory of the process and its children together in MB, shared pages counted once)."""
    peak, done = [0.0], threading.Event()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as child:

        def watch() -> None:
            while not done.wait(0.3):
                peak[0] = max(peak[0], sum(map(_memory, _family(child.pid))))

        thread = threading.Thread(target=watch)
        thread.start()
        out = child.communicate()[0]
        done.set()
        thread.join()
    if child.returncode:
        raise SystemExit(f"{command[:3]} failed")
    return out, peak[0]


def _family(pid: int) -> list[int]:
    found = [pid]
    for name in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((name / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent in found:
            found.append(int(name.name))
    return found


def _memory(pid: int) -> float:
    """Proportional set size in MB."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in told.splitlines() if line.startswith("Pss:")), 0.0)


def theirs(path: Path) -> dict[str, Any]:
    """The loop's seconds, figures and memory."""
    shared = SHARED.is_file()
    out, memory = run([sys.executable, *([str(SHARED)] if shared else ["-c", LOOP]), str(path)])
    figures = {name: int(value) for name, value in re.findall(r"(n|total|assistant|billable)=(\d+)", out)}
    seconds = float(re.findall(r"([\d.]+) s", out)[-1])
    return {**figures, "seconds": seconds, "errors": out[: out.index("}") + 1], "memory": memory}


def ours(path: Path, rules: str, workers: int) -> dict[str, Any]:
    out, memory = run([sys.executable, "-c", OURS, str(path), rules, str(workers)])
    return {**json.loads(out.splitlines()[-1]), "memory": memory}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--lines", type=int, default=1_000_000)
    asked.add_argument("--repeats", type=int, default=1)
    settings = asked.parse_args()
    kinds = {"classic": ("classic", 1), "current": ("current", 1), "two": ("current", 2)}
    ratios: dict[str, list[float]] = {name: [] for name in ("classic", "current", "scaling")}
    memory: dict[str, float] = dict.fromkeys(("loop", *kinds), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.jsonl"
        make(path, settings.lines)
        size = path.stat().st_size
        for _ in range(settings.repeats):
            loop = theirs(path)
            made = {name: ours(path, *how) for name, how in kinds.items()}
            for name, one in made.items():
                same = [one[key] == loop[key] for key in ("n", "total", "assistant", "billable")]
                assert all(same), f"{name}: the figures differ from the loop's"
                assert (one["errors"], loop["errors"]) == ({}, "{}"), f"{name}: errors in a good file"
                memory[name] = max(memory[name], one["memory"])
            assert made["two"]["places"] == made["current"]["places"], "two workers find what one does not"
            memory["loop"] = max(memory["loop"], loop["memory"])
            ratios["classic"].append(loop["seconds"] / made["classic"]["seconds"])
            ratios["current"].append(loop["seconds"] / made["current"]["seconds"])
            ratios["scaling"].append(made["current"]["seconds"] / made["two"]["seconds"])
    whose = "the shared chat_file_loop.py, unchanged" if SHARED.is_file() else "the usual loop (the shared one is not here)"
    n = f"{settings.lines:,} lines, {size / 1e6:,.0f} MB"
    told = {
        "classic": f"chat file checked on one core by the classic rules, equal figures, against {whose}; "
        f"{memory['classic']:.0f} MB (the loop {memory['loop']:.0f} MB)",
        "current": f"the same by today's rules with all checks of words, answers and repeats; {memory['current']:.0f} MB",
        "scaling": f"the same on two cores against one; {memory['two']:.0f} MB of all processes",
    }
    for name, found in ratios.items():
        print(json.dumps({"name": f"validate_{name}", "what": told[name], "n": n, "ratio": statistics.median(found),
                          "spread": [min(found), max(found)], "memory": memory}))  # fmt: skip


if __name__ == "__main__":
    main()
