"""`predict DATA --model M`: a language model's answers to every row, as a file."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError

if TYPE_CHECKING:
    from core.prompt import Prompt
    from core.version import Roles, Version

HELP = "let a language model, with or without an adapter, answer every row"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help="a file or a version id (its test rows, or all of them when it is not split)")
    parser.add_argument("--model", help="embedded, a model folder, owner/name of the Hub, or the provider's name for a model; an adapter "
                        "brings its own")  # fmt: skip
    parser.add_argument("--adapter", metavar="DIR", help="an adapter: folder, id, or ID:step-N; its prompt is used unless --prompt says "
                        "otherwise")  # fmt: skip
    parser.add_argument("--provider", default="embedded", help="embedded (default), openai or compatible")
    parser.add_argument("--base-url", help="address of a compatible provider")
    parser.add_argument("--budget", type=float, metavar="USD", help="stop before more than this is spent")
    parser.add_argument("--prompt", metavar="FILE", help="a prompt as JSON or YAML: system, user, prefix, max_tokens")
    parser.add_argument("--text", metavar="COL", action="append", help="a text column; may be given more than once")
    parser.add_argument("--target", metavar="COL", help="the column of right answers, when there is one")
    parser.add_argument("--task", choices=("regression", "classification", "qa", "chat"), help="how replies are read (default: chat)")
    parser.add_argument("--limit", type=int, help="only the first so many rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="CSV", default="predictions.csv", help="where the answers go (default predictions.csv)")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.io.commands import read_data
    from core.io.commands.generate import adapter_folder
    from core.io.files import atomic_write
    from core.io.store import find
    from core.predict.prompted import prediction

    version = None if Path(args.data).is_file() else find(args.data)
    split = "test" if version and version.splits.get("test") else None
    table = read_data(args.data, split)[0].reset_index(drop=True)
    table = table if args.limit is None else table.head(args.limit)
    if not args.model and not args.adapter:
        raise SettingsError("Name a model with --model, or an adapter with --adapter.", title="Which model?")
    args.adapter = adapter_folder(args.adapter)
    adapter = _adapter(args.adapter)
    task = args.task or (version.task if version else None) or adapter.get("task") or "chat"
    roles = _roles(args, version, list(map(str, table.columns)))
    labels, truths = _truths(table, roles, task)
    prompt = _prompt(args, version, adapter, roles, task, labels)
    complete, title = _model(args, task, say)
    asked = [prompt.question(row) for row in _rows(table, roles)]
    say(f"{title}: {len(asked):,} rows")
    start = time.perf_counter()
    how = {"max_tokens": prompt.max_tokens, "prefix": prompt.prefix, "seed": args.seed}
    replies = complete(asked, progress=lambda done, total, message: say(message), **how) if asked else []
    seconds = time.perf_counter() - start
    answers = [prediction(task, reply, prompt.prefix, labels) for reply in replies]
    atomic_write(Path(args.out), _long(title, answers, truths).to_csv(index=False))
    paid = [a.usd for a in answers if a.usd is not None]
    return {
        "model": title,
        "n": len(answers),
        "coverage": sum(a.status == "ok" for a in answers) / len(answers) if answers else 0.0,
        "seconds": round(seconds, 3),
        "tokens_in": sum(a.tokens_in or 0 for a in answers),
        "tokens_out": sum(a.tokens_out or 0 for a in answers),
        "usd": sum(paid) if paid else None,
        "file": str(args.out),
    }


def _adapter(folder: str | None) -> dict[str, Any]:
    """What an adapter says about itself; nothing for adapters from elsewhere."""
    from core.io.lora import runs

    return runs.about_of(Path(folder)) if folder else {}


def _roles(args: argparse.Namespace, version: Version | None, columns: list[str]) -> Roles:
    from dataclasses import replace

    from core.errors import DataError
    from core.version import Roles

    base = version.roles if version else Roles()
    usual = tuple(name for name in ("text", "question", "prompt", "input", "title", "body") if name in columns)[:1]
    roles = replace(base, text=tuple(args.text) if args.text else base.text or usual, target=args.target or base.target)
    absent = [name for name in [*roles.text, *([args.target] if args.target else [])] if name not in columns]
    if absent or not roles.text:
        told = f"no column {', '.join(absent)}" if absent else "no text column"
        raise DataError(f"There is {told} among {', '.join(columns[:12])}. Name the text with --text.", title="Which column?")
    return roles


def _rows(table: Any, roles: Roles) -> list[dict[str, Any]]:
    """Each row's columns, without the right answer, and its `text`: the text columns joined by a line break."""
    hidden = {roles.target, roles.split}
    records = table[[column for column in table.columns if column not in hidden]].to_dict("records")
    return [{**row, "text": "\n".join(str(row[c]) for c in roles.text if row[c] is not None and row[c] == row[c])} for row in records]


def _truths(table: Any, roles: Roles, task: str) -> tuple[tuple[str, ...], list[Any] | None]:
    from core.task import labels_of, targets_of

    if not roles.target or roles.target not in table:
        return (), None
    truths = targets_of(task, table[roles.target].tolist(), roles.target)
    return (labels_of(truths) if task == "classification" else ()), list(truths)


def _prompt(args: argparse.Namespace, version: Version | None, adapter: dict[str, Any], roles: Roles, task: str, labels: Any) -> Prompt:
    """From the file, else the adapter's own, else the version's, else the usual one for the task."""
    from core.format import unit_of
    from core.io.commands import read_prompt
    from core.prompt import Prompt, default_prompt

    if args.prompt:
        return read_prompt(args.prompt)
    if adapter.get("prompt"):
        return Prompt.from_dict(adapter["prompt"])
    if version and version.prompt:
        return version.prompt
    return default_prompt(task, roles, labels, unit_of(roles.target))


def _model(args: argparse.Namespace, task: str, say: Callable[[str], None]) -> tuple[Callable[..., Any], str]:
    """What answers, and what it is called."""
    import os

    if args.provider != "embedded":
        from core.io.providers import connect

        more = {"base_url": args.base_url} if args.base_url else {}
        remote = connect(args.provider, model=args.model, environment=os.environ, budget=args.budget, **more)
        return remote.complete, args.model
    from core.io import embedded
    from core.io.commands.generate import base_folder
    from core.io.lora.runs import base_title

    folder = base_folder(args.model, args.adapter, say)
    engine, title = embedded.engine(folder), base_title(folder)

    def complete(requests: Any, **how: Any) -> Any:
        return engine.complete(requests, adapter=args.adapter, stop_at_newline=task != "chat", **how)

    return complete, title + (" fine-tuned" if args.adapter else "")


def _long(title: str, answers: list[Any], truths: list[Any] | None) -> Any:
    """Long-form predictions, one row per answer."""
    import pandas as pd

    return pd.DataFrame({
        "model": title, "index": range(len(answers)), "guess": [a.value for a in answers],
        "truth": truths if truths is not None else [None] * len(answers), "raw": [a.raw for a in answers],
        "status": [a.status for a in answers], "tokens_in": [a.tokens_in for a in answers], "tokens_out": [a.tokens_out for a in answers],
        "seconds": [a.seconds for a in answers], "usd": [a.usd for a in answers],
    })  # fmt: skip


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    return (
        f"{result['model']}: {fmt.count(result['n'])} rows in {fmt.duration(result['seconds'])}, {fmt.share(result['coverage'])} read, "
        f"{fmt.tokens(result['tokens_in'])} tokens in, {fmt.tokens(result['tokens_out'])} out, {fmt.cost(result['usd'])}. "
        f"Answers are in {result['file']}."
    )
