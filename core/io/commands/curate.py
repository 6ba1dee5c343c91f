"""`curate DATA --recipe FILE.yaml|PRESET --out DIR`: raw rows to training data, saved as a version and as files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from core.curate.recipe import Recipe
    from core.version import Version

HELP = "run a recipe over a table: a new version, its splits and training files"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help="a file of any readable kind, or a version id")
    parser.add_argument("--recipe", required=True, metavar="FILE.yaml|PRESET", help="a recipe file, or pricing, sentiment, closed_book")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the splits are written, as Parquet and JSONL")
    told = "files to write, of dataset, parquet, jsonl, csv, xlsx, chat, pickle (default: parquet, jsonl, and chat with a prompt)"
    parser.add_argument("--formats", default="", metavar="A,B", help=told)
    parser.add_argument("--seed", type=int, help="decides every random choice (default: the recipe's, else 0)")
    parser.add_argument("--workers", type=int, help="processes for row steps (default: what pays); changes the time and nothing else")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from dataclasses import replace
    from pathlib import Path

    from core.errors import SettingsError
    from core.export_table import renders
    from core.io import curating, exporting

    formats = formats_of(args.formats)
    if args.workers is not None and args.workers < 1:
        raise SettingsError(f"--workers is {args.workers}; at least 1 is needed.", title="No worker")
    written = written_in(args.recipe)
    version = source(args.data, say)
    recipe, lines = written or (find(args.recipe, version), [])
    if args.seed is not None:
        if args.seed < 0:
            raise SettingsError(f"--seed is {args.seed}; 0 or more is expected.", title="That seed is not possible")
        recipe = replace(recipe, seed=args.seed)
    made = curating.save(version, recipe, workers=args.workers, lines=lines)
    for report in made.report:
        say(f"{report.name}: {report.sentence}: {report.rows_before:,} to {report.rows_after:,} rows")
    files = exporting.write(made, Path(args.out), formats or ["parquet", "jsonl", *(["chat"] if renders(made) else [])])
    if "pickle" in formats:
        say(exporting.PICKLE_WARNING)
    return {
        "version": made.id,
        "steps": [{"name": r.name, "rows_before": r.rows_before, "rows_after": r.rows_after, "seconds": r.seconds} for r in made.report],
        "files": [str(path) for path in files],
    }


def formats_of(named: str) -> list[str]:
    """The formats that are asked for. Raises SettingsError for one there is not."""
    from core.errors import SettingsError
    from core.io.exporting import FORMATS

    asked = [name.strip() for name in named.split(",") if name.strip()]
    if unknown := [name for name in asked if name not in FORMATS]:
        raise SettingsError(f"--formats names '{unknown[0]}'. There are {', '.join(FORMATS)}.", title="Unknown format")
    return asked


def source(name: str, say: Callable[[str], None]) -> Version:
    """The version of that id, or a file's rows saved as a first version with guessed roles."""
    from pathlib import Path

    from core.format import unit_of
    from core.io import store
    from core.io.commands import read_data
    from core.load.roles import guess
    from core.prompt import default_prompt
    from core.task import labels_of, target_of

    rows, version = read_data(name)
    if version is not None:
        return version
    found = guess(rows)
    roles, task, prompt = found.roles, found.task, None
    if roles.target and task:
        values = [value for cell in rows[roles.target].tolist() if (value := target_of(task, cell)) is not None]
        labels = labels_of(values) if task == "classification" else ()
        prompt = default_prompt(task, roles, labels, unit_of(roles.target, rows[roles.target].tolist()))
    say(f"{len(rows):,} rows; text: {', '.join(roles.text) or 'none'}; to predict: {roles.target or 'nothing'}")
    path = Path(name)
    return store.save(
        path.stem, rows, title="Import", roles=roles, task=task, prompt=prompt, source={"file": path.name}, source_hash=_sha256(path)
    )


def written_in(name: str) -> tuple[Recipe, list[int]] | None:
    """The recipe of a file and the line each of its steps begins on; None when there is no such file."""
    from pathlib import Path

    from core.curate.text import from_yaml, lines_of

    path = Path(name)
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    return from_yaml(text), lines_of(text)


def find(name: str, version: Version) -> Recipe:
    """A preset fitted to the version. Raises SettingsError when there is none of that name."""
    from core.curate.presets import PRESETS, preset
    from core.errors import SettingsError
    from core.io import store

    if name in PRESETS:
        return preset(name, version, store.frame(version))
    raise SettingsError(f"'{name}' is neither a file nor a preset; presets are {', '.join(PRESETS)}.", title="No such recipe")


def _sha256(path: Path) -> str:
    import hashlib

    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def show(result: dict[str, Any]) -> str:
    from core.format import count

    lines = [f"{step['name']:20}{count(step['rows_before']):>10} to {count(step['rows_after']):>9} rows" for step in result["steps"]]
    return "\n".join([*lines, "", f"version {result['version']}", *result["files"]])
