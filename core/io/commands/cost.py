"""`cost FILE`: what training on a file and 1,000 answers cost, model by model, by a dated price table."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

HELP = "what training and 1,000 answers cost on each model"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a training file, or the id of a version")
    parser.add_argument(
        "--model", action="append", metavar="M", nargs="+",
        help="a hosted model, HOST/MODEL of your price table, or embedded; repeat for more (default: all)",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, metavar="N", help="default: the rule of thumb for so many examples")
    parser.add_argument("--variants", type=int, metavar="K", help="also: what K variants of every row cost to write")
    parser.add_argument("--test-rows", type=int, metavar="N", help="also: what the answers to N test rows cost")
    parser.add_argument("--devices", action="store_true", help="also: time and memory of a local training on other devices, by formula")
    parser.add_argument("--prices", metavar="CSV", help="a price table for this call, as exported on the page; it is not kept")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.errors import DataError, SettingsError
    from core.format import duration, plural
    from core.io import costing, pricing
    from core.io.validating import check, read
    from core.validate.cost import LOCAL
    from core.validate.offers import changed, from_csv, offers
    from core.validate.prices import AS_OF, SOURCE, shutdown

    if args.epochs is not None and not 1 <= args.epochs <= 50:
        raise SettingsError(f"--epochs is {args.epochs}; 1 to 50 are allowed.", title="Not a number of epochs")
    for value, name in ((args.variants, "--variants"), (args.test_rows, "--test-rows")):
        if value is not None and value < 0:
            raise SettingsError(f"{name} is {value}; it cannot be negative.", title="Not a number")
    table = offers(changed(from_csv(_file(args.prices)))) if args.prices else pricing.prices()
    asked = [name for group in args.model or () for name in group]
    prices = costing.chosen([name for name in asked if name != LOCAL], table) if asked else table
    file, others = read(args.file)
    made = check(file, others)
    if not len(made.tokens):
        raise DataError(f"None of the {made.examples} rows holds messages or another known format. See `validate {args.file}`.",
                        title="Nothing to count")  # fmt: skip
    epochs = args.epochs or made.epochs
    tokens_of = costing.usage(made)
    rows = costing.costs(made, prices, epochs, tokens_of)
    if asked:
        rows = [row for row in rows if row.provider != LOCAL or LOCAL in asked]
    say(f"{made.tokens.billable()} tokens, {epochs} epochs. Source: {SOURCE}; training prices are the last published.")
    if any(row.provider == "openai" for row in rows):
        say(shutdown(pricing.today()))
    for row in rows:
        if row.seconds is not None:
            say(f"{row.model}: {duration(row.seconds, about=True)} to train.")
        if row.cut:
            say(f"{row.model}: {plural(row.cut, 'example')} over its limit would be cut.")
    result: dict[str, Any] = {
        "as_of": AS_OF,
        "rows": [{"model": LOCAL if row.provider == LOCAL else row.model, "provider": row.provider, "training_usd": row.training_usd,
                  "usd_per_1000": row.usd_per_1000, "batch_usd_per_1000": row.batch_usd_per_1000, "retired": row.retired} for row in rows],
    }  # fmt: skip
    if args.variants is not None or args.test_rows is not None:
        more = costing.asked(
            made, prices, rows=made.examples, variants=args.variants or 0, test_rows=args.test_rows or 0, tokens_of=tokens_of
        )
        result["asking"] = [{"model": one.model, "variants_usd": one.augment_usd, "evaluation_usd": one.evaluate_untuned_usd,
                             "tuned_evaluation_usd": one.evaluate_tuned_usd} for one in more]  # fmt: skip
    if args.devices:
        here, others_by_formula, measured = costing.local(made, epochs)
        result["devices"] = [
            {"device": "this machine", "seconds": here.seconds, "memory": here.memory, "known": "measured" if measured else "guess"}
        ]
        result["devices"] += [{"device": one.device.name, "seconds": one.seconds, "memory": one.memory, "known": "estimate"}
                              for one in others_by_formula]  # fmt: skip
    return result


def _file(name: str) -> bytes:
    from core.errors import MissingError

    path = Path(name)
    if not path.is_file():
        raise MissingError(f"'{name}' is not a file. Export the prices on Validate & Cost, or leave --prices out.", title="No such file")
    return path.read_bytes()


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    def usd(value: float | None, local: bool) -> str:
        return "n/a" if value is None else fmt.cost(value, local="local" if local else "$0")

    lines = [f"Prices as of {fmt.date(result['as_of'])}", "", f"{'model':28}{'training':>12}{'1,000 answers':>16}{'in a batch':>12}"]
    for row in result["rows"]:
        local = row["provider"] == "embedded"
        figures = [usd(row[key], local) for key in ("training_usd", "usd_per_1000", "batch_usd_per_1000")]
        lines.append(f"{row['model']:28}{figures[0]:>12}{figures[1]:>16}{figures[2]:>12}" + ("   no new jobs" if row["retired"] else ""))
    if "asking" in result:
        lines += ["", f"{'model':28}{'variants':>12}{'evaluation':>16}{'fine-tuned':>12}"]
        for row in result["asking"]:
            figures = [usd(row[key], False) for key in ("variants_usd", "evaluation_usd", "tuned_evaluation_usd")]
            lines.append(f"{row['model']:28}{figures[0]:>12}{figures[1]:>16}{figures[2]:>12}")
    if "devices" in result:
        lines += ["", f"{'device':28}{'time':>16}{'memory':>12}"]
        for row in result["devices"]:
            lines.append(f"{row['device']:28}{fmt.duration(row['seconds'], about=True):>16}{fmt.size(row['memory']):>12}   {row['known']}")
    return "\n".join(lines)
