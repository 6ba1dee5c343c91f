"""`cost FILE`: what training on a file and 1,000 answers cost, model by model, by a dated price table."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

HELP = "what training and 1,000 answers cost on each model"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a training file, or the id of a version")
    parser.add_argument(
        "--model", action="append", metavar="M", nargs="+", help="a hosted model, or embedded; repeat for more (default: all)"
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="default: the rule of thumb for so many examples")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.errors import DataError, SettingsError
    from core.format import duration, plural
    from core.io.validating import check, costs, read
    from core.validate.cost import LOCAL
    from core.validate.prices import AS_OF, PRICES, SOURCE

    if args.epochs is not None and not 1 <= args.epochs <= 50:
        raise SettingsError(f"--epochs is {args.epochs}; 1 to 50 are allowed.", title="Not a number of epochs")
    file, others = read(args.file)
    made = check(file, others)
    if not len(made.tokens):
        raise DataError(f"None of the {made.examples} rows holds messages or another known format. See `validate {args.file}`.",
                        title="Nothing to count")  # fmt: skip
    asked = [name for group in args.model or () for name in group]
    epochs = args.epochs or made.epochs
    rows = costs(made, [name for name in asked if name != LOCAL] if asked else list(PRICES), epochs)
    if asked:
        rows = [row for row in rows if row.provider != LOCAL or LOCAL in asked]
    say(f"{made.tokens.billable()} tokens, {epochs} epochs. Source: {SOURCE}; training prices are the last published.")
    for row in rows:
        if row.seconds is not None:
            say(f"{row.model}: {duration(row.seconds, about=True)} to train.")
        if row.cut:
            say(f"{row.model}: {plural(row.cut, 'example')} over its limit would be cut.")
    return {
        "as_of": AS_OF,
        "rows": [{"model": LOCAL if row.provider == LOCAL else row.model, "provider": row.provider, "training_usd": row.training_usd,
                  "usd_per_1000": row.usd_per_1000, "batch_usd_per_1000": row.batch_usd_per_1000, "retired": row.retired} for row in rows],
    }  # fmt: skip


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    def usd(value: float | None, local: bool) -> str:
        return "n/a" if value is None else fmt.cost(value, local="local" if local else "$0")

    lines = [f"Prices as of {fmt.date(result['as_of'])}", "", f"{'model':28}{'training':>12}{'1,000 answers':>16}{'in a batch':>12}"]
    for row in result["rows"]:
        local = row["provider"] != "openai"
        figures = [usd(row[key], local) for key in ("training_usd", "usd_per_1000", "batch_usd_per_1000")]
        lines.append(f"{row['model']:28}{figures[0]:>12}{figures[1]:>16}{figures[2]:>12}" + ("   no new jobs" if row["retired"] else ""))
    return "\n".join(lines)
