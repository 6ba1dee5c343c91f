"""Hosted providers: requests per second against an endpoint with 300 ms of latency, and memory over 10,000 rows.

The endpoint is the double of the tests in a process of its own. Every reply is kept in the workspace and written to a job's journal,
synced to disk, before the next request goes.
Memory is the growth of the peak from after the first 1,000 rows to after 10,000, the list of replies included.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.io import files
from core.io.providers import connect
from core.io.providers.replies import to_record
from core.reply import Reply

LATENCY, PARALLEL = 0.3, 16
KEY = "sk-canary-5f2c9d71e04b"


@contextmanager
def double(latency: float) -> Iterator[str]:
    """The address of the double, in a process of its own."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.platform", str(latency)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout
        yield child.stdout.readline().strip()
    finally:
        assert child.stdin
        child.stdin.close()
        child.wait(20)


class Rows:
    """Requests made when they are asked for, as long as a usual row."""

    def __init__(self, count: int, first: int = 0) -> None:
        self.count, self.first = count, first

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> list[dict[str, str]]:
        if place >= self.count:
            raise IndexError(place)
        return [
            {
                "role": "user",
                "content": f"Write three variants of the sentence. {'the kettle is red ' * 12}\nthe red kettle {self.first + place}",
            }
        ]


def journal(place: int, reply: Reply) -> None:
    """What a job does with every reply as it arrives."""
    files.append_line(files.home() / "journal.jsonl", {"key": place, "reply": to_record(reply)})


def ask(url: str, rows: Rows, **settings: Any) -> float:
    """Seconds for all of them."""
    one: Any = connect("compatible", base_url=url, model="small", key=KEY, parallel=PARALLEL, **settings)
    start = time.perf_counter()
    replies = one.complete(rows, max_tokens=60, temperature=0.7, arrived=journal)
    seconds = time.perf_counter() - start
    assert all(reply.finish in ("stop", "length") for reply in replies)
    return seconds


def bare(url: str, rows: Rows) -> float:
    """Seconds of the official client alone in so many threads, nothing kept: what this machine can do just now."""
    from concurrent.futures import ThreadPoolExecutor

    from openai import OpenAI

    with OpenAI(api_key=KEY, base_url=url, max_retries=0) as client, ThreadPoolExecutor(PARALLEL) as pool:
        start = time.perf_counter()
        list(pool.map(lambda i: client.chat.completions.create(model="small", messages=rows[i], max_tokens=60), range(len(rows))))  # type: ignore
        return time.perf_counter() - start


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tell(name: str, what: str, count: int, found: list[float]) -> None:
    """The median as a line."""
    ends = [round(min(found), 3), round(max(found), 3)]
    print(json.dumps({"name": name, "what": what, "n": count, "ratio": round(sorted(found)[1], 3), "spread": ends}), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["FINETUNE_STUDIO_HOME"] = home
        with double(LATENCY) as url:
            ask(url, Rows(PARALLEL, first=10**6))
            most, count = PARALLEL / LATENCY, 640
            shares, against = [], []
            for run in range(3):
                usual = bare(url, Rows(count))
                taken = ask(url, Rows(count, first=(run + 1) * 10**5))
                shares.append(count / taken / most)
                against.append(usual / taken)
        what = "requests per second at 300 ms of latency and 16 at once, as a part of 16 / 0.3; every reply journalled"
        tell("provider_throughput", what, count, shares)
        tell("provider_overhead", "the same against the official client alone in 16 threads, which keeps nothing", count, against)
        with double(0.0) as url:
            ask(url, Rows(1_000))
            before = peak()
            ask(url, Rows(10_000, first=10_000))
            grown = peak() - before
        what = "growth of peak memory from 1,000 to 10,000 hosted requests, all replies in the result"
        print(json.dumps({"name": "provider_memory", "what": what, "n": 10_000, "value": round(grown, 1), "unit": "MiB"}), flush=True)


if __name__ == "__main__":
    main()
