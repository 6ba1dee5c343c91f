"""`profile`: what is in a table, and what is odd about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

HELP = "what is in a table, and what is odd about it"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help="a file of any readable kind, or a version's id")
    parser.add_argument(
        "--tokenizer", metavar="NAME", default="o200k_base", help="whose tokens are counted: an encoding, a model, embedded"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from pathlib import Path

    from core.explore.findings import text_of
    from core.explore.profile import profile
    from core.io import tokens
    from core.io.commands import read_data
    from core.io.languages import identify
    from core.load.read import read
    from core.load.roles import guess

    path = Path(args.data)
    lines: tuple[int, ...] = ()
    rejected = 0
    if path.is_file():
        loaded = read(path.name, path.read_bytes())
        frame, lines, rejected = loaded.frame, loaded.lines, len(loaded.rejects)
        for one in loaded.rejects[:10]:
            say(f"line {one.line} is left out: {one.reason}")
        found = guess(frame)
        roles, task = found.roles, found.task
    else:
        frame, version = read_data(args.data)
        roles, task = (version.roles, version.task) if version else (guess(frame).roles, None)
    say(f"text: {', '.join(roles.text) or 'none'}; target: {roles.target or 'none'} ({task or 'no task'})")
    lengths = tokens.counter(args.tokenizer)(text_of(frame, roles).tolist()) if roles.text else None
    report = profile(frame, roles, task, lengths, identify=identify)
    return {
        "rows": report.rows,
        "rejected": rejected,
        "columns": [{"name": c.name, "kind": c.kind, "nulls": c.nulls, "unique": c.unique, "longest": c.longest} for c in report.columns],
        "findings": [
            {
                "severity": f.severity,
                "topic": f.topic,
                "group": f.group,
                "text": f.text,
                "rows": [lines[r] if lines else r + 1 for r in f.rows],
            }
            for f in report.findings
        ],
    }


def show(result: dict[str, Any]) -> str:
    width = max((len(c["name"]) for c in result["columns"]), default=6)
    head = f"{result['rows']:,} rows" + (f", {result['rejected']:,} lines left out" if result["rejected"] else "")
    columns = [
        f"  {c['name']:{width}s}  {c['kind']:6s}  {c['nulls']:,} missing, {c['unique']:,} different, longest {c['longest']:,}"
        for c in result["columns"]
    ]
    findings = [f"  {f['severity'].upper():4s}  {f['text']}" + _where(f["rows"]) for f in result["findings"]] or ["  nothing odd"]
    return "\n".join([head, *columns, "Findings", *findings])


def _where(rows: list[int]) -> str:
    shown = ", ".join(map(str, rows[:5])) + (f" and {len(rows) - 5:,} more" if len(rows) > 5 else "")
    return f"  (lines {shown})" if rows else ""
