"""A large training file mended: one pass writes a new file, in which lines that no fix is meant for are the same byte for byte.

Several fixes come one after another on the row itself. What one of them brings about elsewhere is seen when the new file is
checked; the old one stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import DataError, SettingsError
from core.format import plural
from core.io import files
from core.io.line_rows import Rows, whole_line
from core.validate.accounting import Count
from core.validate.checks import Check
from core.validate.fixes import fixer
from core.validate.report import Report
from core.validate.training_file import as_jsonl

EVERY = 5_000
"""Rows between two words on how far it is."""


@dataclass(frozen=True)
class Written:
    """A file of mended rows."""

    path: Path
    rows: int
    changed: int
    left_out: int
    """Rows; lines that cannot be read are counted in `unreadable`."""
    kept: int
    """Rows that were meant and are as they were: they cannot be mended."""
    unreadable: int
    """Lines that could not be read and are left out."""

    def sentence(self) -> str:
        """What stands in the new file."""
        parts = [f"{plural(self.changed, 'row')} changed"] if self.changed else []
        parts += [f"{plural(self.left_out, 'row')} left out"] if self.left_out else []
        parts += [f"{plural(self.unreadable, 'unreadable line')} left out"] if self.unreadable else []
        parts += [f"{plural(self.kept, 'row')} cannot be mended"] if self.kept else []
        return f"{plural(self.rows, 'row')} written" + (f": {', '.join(parts)}" if parts else "")


def mendable(made: Report) -> list[Check]:
    """Findings that have a fix, the gravest first."""
    return [one for one in made.checks if one.word != "PASS" and one.fix]


def chosen(made: Report, names: Sequence[str]) -> list[Check]:
    """The findings of these names, or all that have a fix for "all". Raises SettingsError for a name that is none of them."""
    there = {one.name: one for one in mendable(made)}
    if list(names) == ["all"]:
        return list(there.values())
    for name in names:
        if name not in there:
            known = ", ".join(there) or "none"
            raise SettingsError(f"'{name[:60]}' is no finding of this file with a fix; there are: {known}.", title="Nothing to mend")
    return [there[name] for name in names]


def beside(path: Path) -> Path:
    """The name of a mended file beside its original: train.jsonl becomes train.mended.jsonl, and train.mended2.jsonl when that is taken."""
    stem = path.name.split(".")[0]
    names = (f"{stem}.mended{n or ''}.jsonl" for n in (0, *range(2, 1000)))
    return next(place for name in names if not (place := path.with_name(name)).exists())


def write(
    made: Report, findings: Sequence[Check], path: Path, count_of: Count | None = None, say: Callable[[int, int], None] | None = None
) -> Written:
    """The report's file without these findings, at `path`; lines that cannot be read are left out.

    `say(rows done, rows in all)` may raise to stop: then nothing is left at `path`. Raises DataError when a file stands there
    already or the checked file was changed meanwhile.
    """
    if path.exists():
        raise DataError(f"{path} exists already. Choose another name, or remove it first.", title="There is a file of this name")
    if not path.parent.is_dir():
        raise DataError(f"There is no folder {path.parent}. Make it, or choose another place.", title="No such folder")
    meant: dict[int, list[Callable[[int, Any], Any]]] = {}
    for one in findings:
        if one.name == "unreadable_line":
            continue
        places, repair = fixer(made, one, count_of)
        for place in places:
            meant.setdefault(place, []).append(repair)
    total, told, began = len(made.file.rows), Counter[str](), path.with_name(f"{path.name}.part")
    try:
        with open(began, "wb") as out, files.disk_errors(path):
            for place, (line, read) in enumerate(_lines(made)):
                if place not in meant:
                    out.write(line or as_jsonl([read()]))
                    told["rows"] += 1
                else:
                    row = read()
                    new = _through(meant[place], place, row)
                    told["left_out" if new is None else "kept" if new == row else "changed"] += 1
                    if new is not None:
                        out.write(line if new is row and line else as_jsonl([new]))
                        told["rows"] += 1
                if say and place % EVERY == 0:
                    say(place, total)
        began.replace(path)
    finally:
        began.unlink(missing_ok=True)
    return Written(path, told["rows"], told["changed"], told["left_out"], told["kept"], len(made.file.unreadable))


def _through(repairs: Sequence[Callable[[int, Any], Any]], place: int, row: Any) -> Any:
    for repair in repairs:
        if row is not None:
            row = repair(place, row)
    return row


def _lines(made: Report) -> Iterator[tuple[bytes, Callable[[], Any]]]:
    """(bytes of its line, what reads the row) of each row in order; without the bytes where it did not stand as a line of JSON."""
    rows = made.file.rows
    if not isinstance(rows, Rows):
        yield from ((b"", partial(rows.__getitem__, place)) for place in range(len(rows)))
        return
    rows.source.check()
    with open(rows.source.path, "rb") as file:
        for place in range(len(rows)):
            line = whole_line(file, int(rows.starts[place]))
            same = b"" if rows.source.txt else line if line.endswith(b"\n") else line + b"\n"
            yield same, partial(rows.made, place, line)
