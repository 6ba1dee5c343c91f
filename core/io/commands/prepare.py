"""`prepare FILE`: the classic assistant for prompt and completion files. Without --yes, --accept or --decline it writes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

HELP = "the classic prepare_data assistant for prompt and completion files"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="CSV, TSV, XLSX, TXT, JSON or JSONL with prompt and completion")
    parser.add_argument("--yes", action="store_true", help="take every recommendation and write the prepared files")
    parser.add_argument(
        "--accept", metavar="RULES", help="take only the recommendations of these rules, with commas between them, and write"
    )
    parser.add_argument("--decline", metavar="RULES", help="take every recommendation but those of these rules, and write")
    parser.add_argument("--out", metavar="DIR", help="where files are written (default: beside FILE)")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.errors import MissingError
    from core.io.preparing import write
    from core.validate.prepare import prepare
    from core.validate.prepare_read import read_pairs
    from core.validate.prepare_write import last_words

    path = Path(args.file)
    if not path.is_file():
        raise MissingError(f"'{args.file}' is not a file. Name a CSV, TSV, XLSX, TXT, JSON or JSONL file.", title="No such file")
    chosen = _answers(args)
    say("Analyzing...\n")
    source = read_pairs(path.name, path.read_bytes())
    writes = args.yes or args.accept is not None or args.decline is not None
    made = prepare(source.frame, lambda advice: writes and chosen(advice.rule), source.notes)
    for one in made.advices:
        if one.text and one.rule != "split":
            say(f"- {one.text}")
    if made.remedies:
        say("\nBased on the analysis " + ("these actions were taken:" if writes else "these actions are advised:"))
    for one in made.remedies:
        declined = " (declined)" if writes and not one.applied else ""
        say(f"- [{'Necessary' if one.necessary else f'Recommended, {one.rule}'}] {one.remedy}{declined}")
    written: list[str] = []
    if writes and made.changed:
        written = list(map(str, write(made, Path(args.out) if args.out else path.parent, source.stem)))
        say(f"\nWrote {len(written)} file{'s' if len(written) > 1 else ''}. What to do next:")
    elif writes:
        say("\nNothing is changed: use the file as it is.")
    if writes:
        say(last_words(made, written or [args.file]))
    elif made.remedies:
        say("\nWrite with --yes, or answer with --accept or --decline and the names of recommendations.")
    return {
        "rows": made.total, "task": made.task,
        "remedies": [{"rule": one.rule, "text": one.remedy, "rows": list(one.rows), "applied": one.applied} for one in made.remedies],
        "files": written,
    }  # fmt: skip


def _answers(args: argparse.Namespace) -> Callable[[str], bool]:
    """Whether the recommendation of a rule is taken. Raises SettingsError for names that no recommendation has."""
    from core.errors import SettingsError
    from core.validate.prepare import RECOMMENDATIONS

    named = {option: [one.strip() for one in (getattr(args, option) or "").split(",") if one.strip()] for option in ("accept", "decline")}
    for option, rules in named.items():
        unknown = [rule for rule in rules if rule not in RECOMMENDATIONS]
        if unknown:
            raise SettingsError(
                f"--{option} {unknown[0]}: there is no such recommendation. There are {', '.join(RECOMMENDATIONS)}.",
                title="No such recommendation",
            )
    if args.accept is not None and (args.yes or args.decline is not None):
        raise SettingsError("--accept names all that is taken: leave out --yes and --decline.", title="Two answers")
    return lambda rule: rule in named["accept"] if args.accept is not None else rule not in named["decline"]


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    remedies = fmt.plural(len(result["remedies"]), "remedy", "remedies") if result["remedies"] else "no remedy"
    applied = sum(one["applied"] for one in result["remedies"])
    told = f"{applied} of {remedies} applied" if result["files"] else f"{remedies}, nothing written"
    return "\n".join([f"{fmt.plural(result['rows'], 'row')}, {result['task']}, {told}", *(f"Wrote {name}" for name in result["files"])])
