"""`convert FILE --to FORMAT --out FILE`: one training format into another, with a count of what has no place there."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter

HELP = "turn a training file into another format"
PIECE = 5_000
"""Rows that are converted together."""
ROWS = "rows made"


def arguments(parser: argparse.ArgumentParser) -> None:
    from core.validate.formats import FORMATS

    parser.add_argument("file", metavar="FILE", help="a training file, or the id of a version")
    parser.add_argument("--to", required=True, choices=list(FORMATS))
    parser.add_argument("--out", required=True, metavar="FILE", help="a .json ending writes one JSON list, anything else JSON lines")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from collections import Counter
    from pathlib import Path

    from core.errors import DataError
    from core.io.files import atomic_write_parts
    from core.io.validating import read

    out = Path(args.out)
    if out.is_dir() or not out.parent.is_dir():
        raise DataError(f"'{args.out}' cannot be written: name a file in a folder that is there.", title="Not a place for a file")
    file, _ = read(args.file)
    lost: Counter[str] = Counter()
    atomic_write_parts(out, pieces(file.rows, args.to, lost, listed=out.suffix.casefold() == ".json"))
    rows = lost.pop(ROWS, 0)
    if file.unreadable:
        lost["lines that cannot be read"] = len(file.unreadable)
    say(f"Wrote {rows} of {len(file)} rows to {out}")
    return {"rows": rows, "lost": {what: n for what, n in sorted(lost.items()) if n}}


def pieces(rows: Sequence[Any], to: str, lost: Counter[str], *, listed: bool = False) -> Iterator[bytes]:
    """The file in the other format, some thousand rows at a time; what is lost, and the rows made (ROWS), are counted in `lost`."""
    import json

    from core.validate.convert import convert
    from core.validate.formats import detect
    from core.validate.separators import separators_of
    from core.validate.training_file import as_jsonl

    kinds = detect(rows).kinds
    shared = separators_of(rows, kinds)
    if listed:
        yield b"["
    for start in range(0, len(rows), PIECE):
        part = slice(start, start + PIECE)
        made = convert(rows[part], to, kinds[part], shared)
        if listed and made.rows:
            text = json.dumps(list(made.rows), ensure_ascii=False, indent=1)[1:-2]
            yield ("," if lost[ROWS] else "").encode() + text.encode()
        else:
            yield as_jsonl(made.rows)
        lost.update({ROWS: len(made.rows), **made.lost})
    if listed:
        yield b"\n]"


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    lines = [f"{fmt.plural(result['rows'], 'row')} written", *(f"  lost: {what}: {fmt.count(n)}" for what, n in result["lost"].items())]
    return "\n".join(lines)
