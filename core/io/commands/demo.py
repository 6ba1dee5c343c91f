"""`demo`: the whole job on a sample, ending in the table, the verdict and the report."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

HELP = "the whole job on a sample: curate, baselines, prompt, fine-tune, verdict, report"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", choices=("price", "stars", "facts"), default="price", help="which sample (default: price)")
    parser.add_argument("--rows", type=int, metavar="N", help="rows the sample is made of (default: the whole sample)")
    parser.add_argument("--steps", type=int, metavar="N", help="stop the training after N steps (default: the quick preset)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="DIR", default=".", help="where the report is written (default: here)")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.io import demo

    settings = {"max_steps": args.steps} if args.steps else None
    result = demo.run(args.project, say, out=Path(args.out), rows=args.rows, seed=args.seed, settings=settings)
    training = result.pop("training")
    say(f"Training: {training}")
    return result


def show(result: dict[str, Any]) -> str:
    """The headline metric of every model with its interval, the verdict, where the report is."""
    lines = []
    for row in result["table"]:
        name, value = next(iter(row["metrics"].items()))
        low, high = (f"{x:.3f}" if x is not None else "n/a" for x in (value["low"], value["high"]))
        lines.append(
            f"{row['model']:28s} {name} {value['value']:10.3f}  [{low}, {high}]  n = {row['n']}, {100 * row['coverage']:.0f} % read"
        )
    return "\n".join([*lines, "", result["verdict"], "", f"Report: {result['report']}"])
