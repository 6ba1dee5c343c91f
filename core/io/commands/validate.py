"""`validate FILE`: what kind of training file it is, what is wrong in which row, its tokens, and what training on it takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

HELP = "check a training file: format, errors by row, tokens, epochs"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a training file, or the id of a version")
    parser.add_argument("--against", action="append", default=[], metavar="FILE",
                        help="a validation or test file; its questions must not be in the training file (may be given again)")  # fmt: skip
    parser.add_argument("--model", default="gpt-4o-mini-2024-07-18", help="whose tokens and limit count (default: %(default)s; embedded)")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="longest example (default: the model's limit)")
    parser.add_argument("--rules", choices=("current", "classic"), default="current",
                        help="classic: the seven types of the old notebook, cl100k, 16,385 tokens")  # fmt: skip
    parser.add_argument("--fix", action="append", default=[], metavar="FINDING",
                        help="write the file without this finding (may be given again), or without all that have a fix: all")  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="where the mended file goes (default: FILE.mended.jsonl beside it)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that read a large file (default: one a core)")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.io.validating import checked, read
    from core.validate.report import summary
    from core.validate.wording import platform_words, told

    others = [read(name)[0].rows for name in args.against]
    made = checked(args.file, others, model=args.model, max_tokens=args.max_tokens, rules=args.rules, workers=args.workers,
                   say=_progress(say))  # fmt: skip
    for note in made.file.notes:
        say(note)
    for one in made.file.unreadable[:20]:
        say(f"Line {one.line}: {one.why}.")
    if made.rules == "current":
        for one in made.checks:
            say(f"{one.word}  {one.sentence} ({one.detail})")
            if one.word != "PASS" and (where := told(made, one)):
                say(f"      {where}")
            if one.word != "PASS" and (words := platform_words(made, one)):
                say(f"      The platform says: {words}")
    if len(made.tokens) < made.examples:
        say(f"Tokens are those of the {len(made.tokens)} of {made.examples} examples that have messages.")
    return {**summary(made), **(_mended(args, made, say) if args.fix else {})}


def _mended(args: argparse.Namespace, made: Any, say: Callable[[str], None]) -> dict[str, Any]:
    """Writes the file without the findings that were named."""
    from pathlib import Path

    from core.errors import SettingsError
    from core.io import large_mending
    from core.io.validating import count_for

    if args.rules == "classic":
        raise SettingsError("The classic rules count and mend nothing. Leave out --rules classic, or --fix.", title="Nothing to mend")
    source = Path(args.file)
    if not source.is_file() and not args.output:
        raise SettingsError(
            f"{args.file} is a version: say where its mended training file goes, with -o FILE.", title="No place for the file"
        )
    target = Path(args.output) if args.output else large_mending.beside(source)
    done = large_mending.write(made, large_mending.chosen(made, args.fix), target, count_for(made.model))
    say(f"{done.sentence()}. {target}")
    return {"mended": {"file": str(target), "rows": done.rows, "changed": done.changed, "left_out": done.left_out, "kept": done.kept,
                       "unreadable": done.unreadable}}  # fmt: skip


def _progress(say: Callable[[str], None]) -> Callable[[int, int, dict[str, int]], None]:
    """Tells of a large file every tenth part of it."""
    told = [0]

    def tell(done: int, total: int, found: dict[str, int]) -> None:
        if done * 10 // max(1, total) > told[0]:
            told[0] = done * 10 // max(1, total)
            say(f"{told[0] * 10} % read, {sum(found.values()):,} findings so far")

    return tell


def show(result: dict[str, Any]) -> str:
    from core import format as fmt

    total, assistant = result["tokens"]["total"], result["tokens"]["assistant"]
    lines = [f"{result['format']}, {fmt.plural(result['examples'], 'example')}", ""]
    for word, found in (("Errors", result["errors"]), ("Warnings", result["warnings"])):
        lines.append(f"{word}: none" if not found else f"{word}:")
        for name, one in found.items():
            rows = ", ".join(map(str, one["rows"][:8])) + (f" and {len(one['rows']) - 8} more" if len(one["rows"]) > 8 else "")
            lines.append(f"  {name:36}{fmt.count(one['count']):>8}   {'rows ' + rows if rows else ''}")
    lines += ["", f"{'':20}{'median':>10}{'p5':>10}{'p95':>10}{'longest':>10}"]
    for name, values in (("Messages", result["messages"]), ("Tokens", total), ("Assistant tokens", assistant)):
        lines.append(f"{name:20}" + "".join(f"{fmt.count(values[key]):>10}" for key in ("median", "p5", "p95", "max")))
    lines += [
        "",
        f"Over the limit: {fmt.count(result['too_long'])}; learnt from: {fmt.count(result['supervised_tokens'])} tokens an epoch",
        f"{fmt.count(result['billable_tokens'])} tokens x {result['epochs']} epochs = {fmt.count(result['training_tokens'])} tokens",
    ]
    return "\n".join(lines)
