"""`serve`: the local model and its adapters behind the address other programs expect, on loopback only."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

HELP = "answer /v1/chat/completions and /v1/models on this machine"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="embedded (default), a model folder or owner/name of the Hub; an adapter brings its own")
    parser.add_argument("--adapter", action="append", default=[], help="an adapter's folder, its id in this workspace, or ID:step-N of a "
                        "kept checkpoint; may be repeated, each is a model of its own")  # fmt: skip
    parser.add_argument("--port", type=int, default=8700)


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    import uvicorn

    from core.io.serving import application

    base, models = served(args.model, args.adapter, say)
    say(f"Answers on http://127.0.0.1:{args.port}/v1 until Ctrl+C, as {', '.join(models)}.")
    uvicorn.run(application(base, models), host="127.0.0.1", port=args.port, log_level="warning")
    return {"stopped": True}


def served(model: str | None, adapters: list[str], say: Callable[[str], None]) -> tuple[Path, dict[str, str | None]]:
    """The base model's folder, and name -> adapter's folder of everything that answers: "embedded" and "embedded+ID".

    Raises MissingError for what is not there and ModelError for adapters of different base models.
    """
    from core.errors import ModelError
    from core.io.commands.generate import adapter_folder, base_folder
    from core.io.embedded.weights import model_dir
    from core.io.lora import bases

    folders = {name: str(adapter_folder(name)) for name in adapters}
    base = base_folder(model, next(iter(folders.values()), None), say)
    for name, folder in folders.items():
        own = bases.of_adapter(Path(folder))
        if own is not None and own.resolve() != base.resolve():
            raise ModelError(
                f"The adapter '{name}' belongs to {own.name}, and {base.name} is served. Serve it by itself, on another --port.",
                title="Adapters of two base models",
            )
    called = "embedded" if base == model_dir() else _short(model or base.name)
    return base, {called: None, **{f"{called}+{_short(name)}": folder for name, folder in folders.items()}}


def _short(name: str) -> str:
    """An id as it is, a folder by its own name."""
    path = Path(name)
    return path.resolve().name if path.is_dir() else name


def show(result: dict[str, Any]) -> str:
    return "Stopped."
