"""Options of `baselines` for language models: who is asked, with which prompt, what is looked up, how often."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.prediction import Examples
    from core.prompt import Prompt
    from core.version import Version


def arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "language models",
        "what is shown is set with --set, as in fewshot.shots=8, fewshot.choose=spread|lot|shortest, retrieval.search=text|meaning, "
        "passages.shots=2",
    )
    group.add_argument("--provider", default="embedded", help="embedded (default), openai or compatible")
    group.add_argument("--base-url", help="address of a compatible provider")
    group.add_argument("--model", help="the provider's name for a model")
    group.add_argument("--budget", type=float, metavar="USD", help="no request is sent that could pass this, per predictor")
    group.add_argument("--prompt", metavar="FILE", help="a prompt as JSON or YAML: system, user, prefix, max_tokens")
    group.add_argument("--system", help="what the model is told first")
    group.add_argument("--max-tokens", type=int, metavar="N", help="the longest reply")
    group.add_argument("--retries", type=int, default=0, metavar="N", help="how often an unreadable reply is asked for again (0 to 3)")
    group.add_argument("--passages", metavar="SOURCE", default="train", help="train (default), a .txt or .md file, or a version id")
    group.add_argument("--passages-column", metavar="COL", default="", help="the text column passages are cut from")
    group.add_argument("--passages-longest", type=int, metavar="N", default=600, help="characters of a passage (default 600)")


def given(
    name: str, args: argparse.Namespace, settings: Mapping[str, Any], rows: tuple[Examples, Examples], version: Version | None,
    say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """What a predictor that speaks takes from outside: prompt, model, encoder, passages."""
    from core.errors import SettingsError
    from core.io import asking

    if args.provider != "embedded" and not args.model:
        raise SettingsError("--model is missing: name the provider's model.", title="Which model?")
    prompt = _prompt(args, rows[0], version)
    provider = {"name": args.provider, **({"base_url": args.base_url} if args.base_url else {}), "model": args.model or ""}
    chosen = None if args.provider == "embedded" else provider
    complete, _ = asking.language_model(chosen, rows[0].task, lambda done, total, told: None, os.environ, args.budget)
    brought, notes = asking.given_for(name, settings, _source(args), version, rows, lambda done, total, told: say(told))
    if notes:
        left = f"{notes['passages_left_out']:,} stretches with a test text left out"
        say(f"{notes['passages_n']:,} passages from {notes['passages']}, {left}")
    how = {"max_tokens": prompt.max_tokens, "prefix": prompt.prefix, "seed": args.seed}
    return {"prompt": prompt, "complete": lambda requests: complete(requests, **how), **brought}


def _source(args: argparse.Namespace) -> dict[str, Any]:
    kind = "train" if args.passages == "train" else "file" if Path(args.passages).suffix in (".txt", ".md") else "version"
    name = "" if kind == "train" else args.passages
    return {"kind": kind, "name": name, "column": args.passages_column, "longest": args.passages_longest}


def _prompt(args: argparse.Namespace, train: Examples, version: Version | None) -> Prompt:
    """From the file, else the version's, else the usual one for the task; with what the options change."""
    from core.format import unit_of
    from core.io.asking import changed
    from core.io.commands import read_prompt
    from core.prompt import default_prompt

    if args.prompt:
        usual = read_prompt(args.prompt)
    elif version and version.prompt:
        usual = version.prompt
    else:
        usual = default_prompt(train.task, train.roles, train.labels, unit_of(train.roles.target))
    return changed(usual, {"system": args.system, "max_tokens": args.max_tokens})
