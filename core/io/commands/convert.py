"""`convert FILE --to FORMAT --out FILE`: one training format into another, with a count of what has no place there."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

HELP = "turn a training file into another format"


def arguments(parser: argparse.ArgumentParser) -> None:
    from core.validate.formats import FORMATS

    parser.add_argument("file", metavar="FILE", help="a training file, or the id of a version")
    parser.add_argument("--to", required=True, choices=list(FORMATS))
    parser.add_argument("--out", required=True, metavar="FILE", help="a .json ending writes one JSON list, anything else JSON lines")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    import json
    from pathlib import Path

    from core.errors import DataError
    from core.io.files import atomic_write
    from core.io.validating import read
    from core.validate.convert import convert
    from core.validate.training_file import as_jsonl

    out = Path(args.out)
    if out.is_dir() or not out.parent.is_dir():
        raise DataError(f"'{args.out}' cannot be written: name a file in a folder that is there.", title="Not a place for a file")
    file, _ = read(args.file)
    made = convert(file.rows, args.to)
    lost = dict(made.lost)
    if file.unreadable:
        lost["lines that cannot be read"] = len(file.unreadable)
    listed = out.suffix.casefold() == ".json"
    atomic_write(out, json.dumps(list(made.rows), ensure_ascii=False, indent=1) if listed else as_jsonl(made.rows))
    say(f"Wrote {len(made.rows)} of {len(file)} rows to {out}")
    return {"rows": len(made.rows), "lost": lost}


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    lines = [f"{fmt.plural(result['rows'], 'row')} written", *(f"  lost: {what}: {fmt.count(n)}" for what, n in result["lost"].items())]
    return "\n".join(lines)
