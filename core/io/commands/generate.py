"""`generate`: one prompt, one answer of a local model, with or without an adapter."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HELP = "ask a local model one question"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", help="the question")
    parser.add_argument("--model", help="embedded (default), a model folder or owner/name of the Hub; an adapter brings its own")
    parser.add_argument("--adapter", help="an adapter's folder, its id in this workspace, or ID:step-N of a kept checkpoint")
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--system", default="", help="who the model is: a message before the question")
    parser.add_argument("--prefix", default="", help="how the answer begins")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.io.embedded import Engine

    adapter = adapter_folder(args.adapter)
    base = base_folder(args.model, adapter, say)
    live = Engine(base)
    start = time.perf_counter()
    before = [{"role": "system", "content": args.system}] if args.system.strip() else []
    chat = [*before, {"role": "user", "content": args.prompt}]
    how = {"max_tokens": args.max_tokens, "temperature": args.temperature, "seed": args.seed, "prefix": args.prefix}
    reply = live.complete([chat], adapter=adapter, **how)[0]
    seconds = time.perf_counter() - start
    live.close()
    return {"model": args.model or base.name, "adapter": args.adapter, "text": reply.text, "tokens_in": reply.tokens_in,
            "tokens_out": reply.tokens_out, "seconds": round(seconds, 3)}  # fmt: skip


def adapter_folder(name: str | None) -> str | None:
    """A folder as it is; else the workspace's adapter of that id, or its checkpoint ("ID:step-N"). Raises MissingError."""
    from core.io import lora

    return None if name is None else str(lora.referred(name))


def base_folder(model: str | None, adapter: str | None, say: Callable[[str], None]) -> Path:
    """The model that answers: the one named, else the adapter's own, else the embedded one; unpacked or fetched when needed."""
    from core.io.embedded.weights import offline
    from core.io.lora import bases
    from core.io.sources.hub import token_for

    told: set[str] = set()

    def tell(done: int, total: int, message: str) -> None:
        if message not in told:
            told.add(message)
            say(message)

    own = bases.of_adapter(Path(adapter)) if adapter and not model else None
    folder = own or bases.resolve(model, tell, token_for(None))
    offline()
    return folder


def show(result: dict[str, Any]) -> str:
    return result["text"]
