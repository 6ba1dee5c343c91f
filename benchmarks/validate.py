"""Checking a chat training file of 10,000 lines, against the usual one-pass loop run on the same file in the same process.

The loop below is the common recipe: parse, count seven error types, encode every value with tiktoken, add up. Ours does
the same by the classic rules (figures must be equal), and then everything of today's rules on top.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from core.io.tokens import counter, encoding
from core.validate.reading import read_training
from core.validate.report import report, summary

LINES, RUNS, LIMIT = 10_000, 5, 16_385
ROLES = ("system", "user", "assistant", "function")
KEYS = ("role", "content", "name", "function_call", "weight")


def make(path: Path, lines: int = LINES, seed: int = 0) -> None:
    """A pricing file: one system line, a listing of 60 to 180 words, a short answer; no two listings alike."""
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
    ]
    small = "the a with for of and fits set black white large small inch kit"
    words = [a + b for a in parts for b in parts] + small.split() * 12
    with path.open("w", encoding="utf-8") as out:
        for _ in range(lines):
            listing = " ".join(rng.choice(words, rng.integers(60, 180)).tolist())
            price = f"{rng.lognormal(4, 1):.2f}"
            messages = [{"role": "system", "content": "You estimate prices of items. Reply only with the price, no explanation"},
                        {"role": "user", "content": f"How much does this cost?\n\n{listing}, {rng.integers(10, 9999)} g"},
                        {"role": "assistant", "content": f"Price is ${price}"}]  # fmt: skip
            out.write(json.dumps({"messages": messages}) + "\n")


def loop(path: Path, encode: Any) -> dict[str, Any]:
    """The usual loop."""
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    errors, totals, assistant = Counter(), [], []
    for row in rows:
        if not isinstance(row, dict):
            errors["data_type"] += 1
            continue
        messages = row.get("messages")
        if not messages:
            errors["missing_messages_list"] += 1
            continue
        for m in messages:
            errors["message_missing_key"] += "role" not in m or "content" not in m
            errors["message_unrecognized_key"] += any(k not in KEYS for k in m)
            errors["unrecognized_role"] += m.get("role") not in ROLES
            content = m.get("content")
            errors["missing_content"] += (not content and not m.get("function_call")) or not isinstance(content, str)
        errors["example_missing_assistant_message"] += not any(m.get("role") == "assistant" for m in messages)
        totals.append(3 + sum(3 + sum(len(encode(v)) + (k == "name") for k, v in m.items()) for m in messages))
        assistant.append(sum(len(encode(m["content"])) for m in messages if m["role"] == "assistant"))
    return {"errors": dict(+errors), "total": sum(totals), "assistant": sum(assistant), "billable": sum(min(LIMIT, t) for t in totals)}


def ours(path: Path, rules: str) -> Any:
    return report(read_training(path.name, path.read_bytes()), counter("cl100k_base"), max_tokens=LIMIT, rules=rules)


def main() -> None:
    encode = encoding("cl100k_base").encode
    counter("cl100k_base")(["warm"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.jsonl"
        make(path)
        ratios: dict[str, list[float]] = {"classic": [], "current": []}
        for _ in range(RUNS):
            begin = time.perf_counter()
            theirs = loop(path, encode)
            reference = time.perf_counter() - begin
            for rules, found in ratios.items():
                begin = time.perf_counter()
                made = ours(path, rules)
                found.append(reference / (time.perf_counter() - begin))
                same = (int(made.tokens.total.sum()), int(made.tokens.assistant.sum()), summary(made)["billable_tokens"])
                assert same == (theirs["total"], theirs["assistant"], theirs["billable"]), "the figures differ from the loop's"
                assert not theirs["errors"]
    told = {
        "classic": "seven error types, tokens and epochs, equal figures",
        "current": "today's rules, words, answers, duplicates and tokens",
    }
    for rules, found in ratios.items():
        print(json.dumps({"name": f"validate_{rules}", "what": f"chat file checked ({told[rules]}), speed against the usual tiktoken loop",
                          "n": f"{LINES:,} lines", "ratio": statistics.median(found), "spread": [min(found), max(found)]}))  # fmt: skip


if __name__ == "__main__":
    main()
