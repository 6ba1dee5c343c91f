"""`finetune report JOB`: the curves of a run, running or ended, to Weights & Biases or as TensorBoard files."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.errors import SettingsError


def arguments(parser: argparse.ArgumentParser) -> None:
    from core.io.reporting import KINDS

    parser.add_argument("job", metavar="JOB", help="the id of a local or hosted training (`jobs list` shows them)")
    parser.add_argument(
        "--to", required=True, choices=KINDS, help="wandb sends with WANDB_API_KEY, and writes a folder for later without it"
    )
    parser.add_argument("--out", metavar="DIR", help="copy the folder there (default: it stays with the job)")
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object and nothing else on standard output"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.io import jobs, reporting

    out = Path(args.out) if args.out else None
    if out is not None and out.exists():
        raise SettingsError(f"{out} is there already. Name a folder that is not.", title="The folder is taken")
    made = reporting.sync(jobs.read(args.job), args.to)
    if out is not None and not made.online:
        shutil.copytree(made.place, out)
        made = replace(made, place=str(out))
    return {"report": {**asdict(made), "says": made.says, "command": made.command}}


def show(result: dict[str, Any]) -> str:
    return str(result["report"]["says"])
