"""`prepare FILE`: the classic assistant for prompt and completion files. Without --yes it lists and writes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

HELP = "the classic prepare_data assistant for prompt and completion files"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="CSV, TSV, XLSX, TXT, JSON or JSONL with prompt and completion")
    parser.add_argument("--yes", action="store_true", help="take every recommendation and write the prepared files")
    parser.add_argument("--out", metavar="DIR", help="where files are written (default: beside FILE)")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from pathlib import Path

    from core.errors import DataError, MissingError
    from core.io.files import atomic_write
    from core.validate.prepare import format_note, next_command, prepare
    from core.validate.reading import read_training
    from core.validate.training_file import as_jsonl

    path = Path(args.file)
    if not path.is_file():
        raise MissingError(f"'{args.file}' is not a file. Name a CSV, TSV, XLSX, TXT, JSON or JSONL file.", title="No such file")
    file = read_training(path.name, path.read_bytes())
    if file.unreadable:
        one = file.unreadable[0]
        raise DataError(f"Line {one.line} of {path.name} cannot be read: {one.why}. Mend or remove {len(file.unreadable)} such lines "
                        f"first.",
                        title="The file cannot be read")  # fmt: skip
    say("Analyzing...\n")
    made = prepare(file.rows, lambda advice: args.yes, format_note(path.name))
    for one in made.advices:
        if one.text:
            say(f"- {one.text}")
    say(
        "\nBased on the analysis we will perform the following actions:"
        if args.yes
        else "\nBased on the analysis these actions are advised:"
    )
    for one in made.advices:
        if one.remedy:
            say(f"- [{'Necessary' if one.necessary else 'Recommended'}] {one.remedy}")
    remedies = [one for one in made.advices if one.remedy]
    written: list[str] = []
    if args.yes and remedies:
        folder = Path(args.out) if args.out else path.parent
        folder.mkdir(parents=True, exist_ok=True)
        parts = {"_train": made.split[0], "_valid": made.split[1]} if made.split else {"": made.table}
        places = _places(folder, path.name.split(".")[0], list(parts))
        for place, table in zip(places, parts.values(), strict=True):
            atomic_write(place, as_jsonl(table.rows))
            written.append(str(place))
        say("\nWrote " + " and ".join(f"`{name}`" for name in written))
        say(next_command(made, *written))
    elif args.yes:
        say("\nNo remedies needed: the file is ready as it is.")
        say(next_command(made, args.file))
    return {
        "rows": len(file), "task": made.task,
        "remedies": [{"rule": one.rule, "text": one.remedy, "rows": list(one.rows), "applied": one.applied} for one in remedies],
        "files": written,
    }  # fmt: skip


def _places(folder: Any, stem: str, ends: list[str]) -> list[Any]:
    """Free names for all parts: `STEM_prepared_train.jsonl`, then ` (1)`, ` (2)` before the ending."""
    number = 0
    while True:
        suffix = f" ({number})" if number else ""
        places = [folder / f"{stem}_prepared{end}{suffix}.jsonl" for end in ends]
        if not any(place.exists() for place in places):
            return places
        number += 1


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    lines = [f"{fmt.plural(result['rows'], 'row')}, {result['task']}"]
    for one in result["remedies"]:
        shown = f" (rows {', '.join(map(str, one['rows'][:8]))}{', ...' if len(one['rows']) > 8 else ''})" if one["rows"] else ""
        lines.append(f"  {'done' if one['applied'] else 'advised':8} {one['text']}{shown}")
    return "\n".join([*lines, *(f"Wrote {name}" for name in result["files"])])
