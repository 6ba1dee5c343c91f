"""`compare PREDICTIONS.csv ...`: models that answered the same items, side by side, with paired verdicts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

HELP = "compare models on the same items: leaderboard, paired verdicts, frontier"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("predictions", metavar="PREDICTIONS.csv", nargs="+", help="long form: model,index,guess,truth,...")
    parser.add_argument("--task", choices=("regression", "classification", "qa", "chat"), help="default: what the right answers look like")
    parser.add_argument(
        "--reference", metavar="NAME", help="the model all others are compared with (default: the best constant, else the first)"
    )
    parser.add_argument("--group", metavar="COL", help="column that says which items belong together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="DIR", help="write report.html, table.csv and pairs.csv there")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.compare.frontier import frontier
    from core.compare.leaderboard import leaderboard
    from core.compare.verdict import verdict
    from core.io.recorded import read_predictions

    evaluations, rows = read_predictions(args.predictions, args.task)
    board = leaderboard(evaluations, reference=args.reference, groups=_groups(rows, args.group), seed=args.seed)
    if board.n < board.test_rows:
        say(f"Compared on the {board.n} of {board.test_rows} items that every model answered.")
    titles = {row.id: row.title for row in board.rows}
    told = verdict(board)
    result = {
        "table": table(board),
        "pairs": [{"a": titles[p.a], "b": titles[p.b], "metric": p.metric, "difference": p.difference, "low": _number(p.low),
                   "high": _number(p.high), "p": p.p, "p_adjusted": p.p_adjusted, "verdict": p.verdict,
                   "needed_items": p.needed_items} for p in board.pairs],
        "frontier": [titles[id] for id in frontier(board)],
        "verdict": told.text,
    }  # fmt: skip
    if args.out:
        _write(args.out, result, board, told, say)
    return result


def table(board: Any) -> list[dict[str, Any]]:
    """One object per model, the best first: metrics with intervals, rows, coverage."""
    return [
        {
            "model": row.title,
            "metrics": {name: one.to_dict() for name, one in row.values.items()},
            "n": row.n,
            "coverage": row.coverage.value,
        }
        for row in board.rows
    ]


def _number(value: float) -> float | None:
    return value if value == value else None


def _groups(rows: Any, column: str | None) -> dict[int, object] | None:
    if column is None:
        return None
    from core.errors import DataError
    from core.evaluate.recorded import places

    name = column.strip().casefold()
    if name not in rows:
        raise DataError(f"There is no column '{column}'; there are {', '.join(rows.columns)}.", title="No such column")
    return dict(zip(places(rows["index"].tolist(), "predictions"), rows[name].tolist(), strict=True))


def _write(folder: str, result: dict[str, Any], board: Any, told: Any, say: Callable[[str], None]) -> None:
    from pathlib import Path

    import pandas as pd

    from core.compare.report import report
    from core.export import csv_bytes
    from core.io.files import atomic_write

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    wide = [{"model": one["model"], "n": one["n"], "coverage": one["coverage"],
              **{f"{name}{end}": value[key] for name, value in one["metrics"].items()
                 for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))}} for one in result["table"]]  # fmt: skip
    atomic_write(place / "table.csv", csv_bytes(pd.DataFrame(wide)))
    atomic_write(place / "pairs.csv", csv_bytes(pd.DataFrame(result["pairs"])))
    atomic_write(place / "report.html", report(board, told))
    say(f"Wrote report.html, table.csv and pairs.csv to {place}")


def show(result: dict[str, Any]) -> str:
    from core import format as fmt
    from core.evaluate.metrics import METRICS

    head = next(iter(result["table"][0]["metrics"]))
    lines = [result["verdict"], "", METRICS[head].title]
    for one in result["table"]:
        value = {key: float("nan") if x is None else x for key, x in one["metrics"][head].items()}
        lines.append(f"  {fmt.short(one['model'], 32):34}{fmt.number(value['value']):>10}   {fmt.interval(value['low'], value['high'])}")
    for pair in result["pairs"]:
        lines.append(
            f"  {fmt.short(pair['a'], 32)} is {pair['verdict']} against {fmt.short(pair['b'], 32)} ({fmt.p_value(pair['p_adjusted'])})"
        )
    return "\n".join(lines)
