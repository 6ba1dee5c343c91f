"""Answering test rows in batches against one at a time, as the sample *Know it* asks, and the best batch for a price prompt.

Both sides are the studio's own greedy answers of the built-in model, so the answers are the same and only the batch differs.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

ALONE = 32
TOGETHER = 256
TURNS = 3
SIZES = (1, 2, 4, 8, 16, 32, 64)
PRICES = 64


def facts() -> tuple[list[list[dict[str, str]]], Any]:
    """Questions of the sample, English and Korean, as its test rows are asked; and the prompt."""
    from core.load.samples.facts import make
    from core.prompt import default_prompt
    from core.version import Roles

    frame = make()
    prompt = default_prompt("qa", Roles(text=("question",), target="answer"))
    rows = frame.loc[frame["split"] == "test"].to_dict("records") + frame.loc[frame["split"] == "validation"].to_dict("records")
    return [prompt.question(row) for row in rows[:TOGETHER]], prompt


def together(questions: list[list[dict[str, str]]], prompt: Any) -> dict[str, Any]:
    """Questions per second of one call against those of a call each."""
    from core.io.embedded import engine
    from core.io.embedded.loading import threads

    how = {"max_tokens": prompt.max_tokens, "stop_at_newline": True, "prefix": prompt.prefix}
    engine().complete(questions[:2], **how)
    ratios, rates, same = [], [], 0
    for turn in range(TURNS):
        some = questions[turn * ALONE : (turn + 1) * ALONE]
        start = time.perf_counter()
        alone = [engine().complete([one], **how)[0].text for one in some]
        slow = ALONE / (time.perf_counter() - start)
        start = time.perf_counter()
        said = [reply.text for reply in engine().complete(questions, **how)]
        fast = len(questions) / (time.perf_counter() - start)
        same += sum(a == b for a, b in zip(alone, said[turn * ALONE :], strict=False))
        ratios.append(fast / slow)
        rates.append((fast, slow))
    told = (
        f"{statistics.median(a for a, _ in rates):.1f} against {statistics.median(b for _, b in rates):.1f} a second, {threads()} threads"
    )
    return {
        "name": "evaluation_batched",
        "what": f"answering the facts questions in batches against one at a time: {told}, {same} of {TURNS * ALONE} alike",
        "n": f"{TURNS} turns, {len(questions)} questions in batches, {ALONE} one at a time",
        "ratio": round(statistics.median(ratios), 2),
        "spread": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def best_batch() -> dict[str, Any]:
    """Rows per second by rows in a batch, for listings of 100 to 220 tokens that are asked a price."""
    from benchmarks.training import LONG, chats
    from core.io.embedded import engine
    from core.io.embedded.generate import Limits, answer_batch, encode, render
    from core.io.embedded.loading import load_base
    from core.io.embedded.weights import model_dir

    words = engine()._words()
    model = load_base(model_dir())
    prompts = sorted(encode(words, [render(words, chat[:-1], "Price is $") for chat in chats(PRICES, LONG)]), key=len)
    limits = Limits(8, stop_at_newline=True)
    answer_batch(model, words, prompts[:1], limits)
    rates = {size: _rate(lambda batch: answer_batch(model, words, batch, limits), prompts, size) for size in SIZES}
    best = max(rates, key=rates.__getitem__)
    told = ", ".join(f"{size}: {rate:.2f}" for size, rate in rates.items())
    return {
        "name": "evaluation_best_batch",
        "what": f"rows in a batch that are answered fastest, price prompt of 100 to 220 tokens (rows per second by batch: {told})",
        "n": f"{PRICES} rows, {min(SIZES)} to {max(SIZES)} at once, one turn",
        "value": best,
        "unit": f"rows, {rates[best] / rates[1]:.1f} x one at a time",
    }


def _rate(answer: Any, prompts: Sequence[Any], size: int) -> float:
    """Rows per second in batches of this size; of small ones every fourth row, of the same mix of lengths."""
    some = list(prompts)[:: 4 if size < 8 else 1]
    start = time.perf_counter()
    for place in range(0, len(some), size):
        answer(some[place : place + size])
    return len(some) / (time.perf_counter() - start)


def main() -> None:
    import torch

    from core.io.embedded import ensure_converted
    from core.io.embedded.loading import threads
    from core.io.embedded.weights import offline

    offline()
    ensure_converted()
    torch.set_num_threads(threads())
    print(json.dumps(together(*facts())), flush=True)
    print(json.dumps(best_batch()), flush=True)


if __name__ == "__main__":
    main()
