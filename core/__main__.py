"""`python -m core COMMAND`: the functions of the pages, without a browser.

`--json` prints one JSON object on standard output and nothing else there; progress goes to standard error. Exit code 0
is success, 1 a StudioError (its message on standard error), 2 a wrong call.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module, util

from core.errors import StudioError
from core.io.commands import COMMANDS


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def commands() -> list[str]:
    """The commands there are, in the order of the workflow."""
    return [name for name in COMMANDS if util.find_spec(f"core.io.commands.{name}")]


def parser(named: str | None) -> argparse.ArgumentParser:
    """The parser; only the named command's module is imported in full."""
    top = argparse.ArgumentParser(prog="python -m core", description="Finetune Studio without a browser.")
    below = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands():
        module = import_module(f"core.io.commands.{name}")
        one = below.add_parser(name, help=module.HELP, description=module.HELP)
        if name == named:
            module.arguments(one)
            one.add_argument("--json", action="store_true", help="print one JSON object and nothing else on standard output")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    args = parser(next((word for word in argv if not word.startswith("-")), None)).parse_args(argv)
    module = import_module(f"core.io.commands.{args.command}")
    try:
        result = module.run(args, say)
    except StudioError as error:
        say(f"{error.title}. {error}")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 1
    try:
        print(json.dumps(result, ensure_ascii=False, allow_nan=False) if args.json else module.show(result), flush=True)
    except BrokenPipeError:  # who read it (head, less) has gone: nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
