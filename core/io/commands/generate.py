"""`generate`: one prompt, one answer of a local model, with or without an adapter."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

HELP = "ask a local model one question"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", help="the question")
    parser.add_argument("--model", default="embedded", help="embedded, or a model folder")
    parser.add_argument("--adapter", help="an adapter's folder, or its id in this workspace")
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prefix", default="", help="how the answer begins")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.io.embedded import Engine, ensure_converted, named_model
    from core.io.embedded.weights import model_dir, offline

    offline()
    base = named_model(args.model)
    if base == model_dir():
        ensure_converted(lambda done, total, message: say(message))
    adapter = adapter_folder(args.adapter)
    live = Engine(base)
    start = time.perf_counter()
    chat = [{"role": "user", "content": args.prompt}]
    how = {"max_tokens": args.max_tokens, "temperature": args.temperature, "seed": args.seed, "prefix": args.prefix}
    reply = live.complete([chat], adapter=adapter, **how)[0]
    seconds = time.perf_counter() - start
    live.close()
    return {"model": args.model, "adapter": args.adapter, "text": reply.text, "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out,
            "seconds": round(seconds, 3)}  # fmt: skip


def adapter_folder(name: str | None) -> str | None:
    """A folder as it is; else the workspace's adapter of that id. Raises MissingError."""
    from pathlib import Path

    from core.io import lora

    if name is None or (Path(name) / "adapter_config.json").is_file():
        return name
    return str(lora.adapter(name).folder)


def show(result: dict[str, Any]) -> str:
    return result["text"]
