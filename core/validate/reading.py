"""A training file as rows: every line read, or listed with its number and why not.

Unlike a table (see `core.load`), lines keep their shape: one object each, nested as they came. Lines are split at line
feeds only, because JSON text may hold other line ends. Blank lines are skipped. Not known here: what the rows mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import DataError
from core.load import unpack

TABLES = (".csv", ".tsv", ".tab", ".psv", ".parquet", ".pq", ".xlsx", ".xlsm")
BUDGET = 1 << 30
"""Unpacked bytes that are accepted."""
_LONE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Unreadable:
    """One line that is not JSON."""

    line: int
    """From 1."""
    why: str
    text: str
    """Its first characters."""


@dataclass(frozen=True)
class TrainingFile:
    """Rows of any shape, in order."""

    rows: tuple[Any, ...]
    lines: tuple[int, ...]
    """The line of the file (or row of the table) each row stands on, from 1."""
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What was done on the way, one sentence each."""
    size: int = 0
    """Bytes."""

    def __len__(self) -> int:
        return len(self.rows)


def of_rows(rows: Sequence[Any], lines: Sequence[int] | None = None) -> TrainingFile:
    """Rows that are in memory already."""
    return TrainingFile(tuple(rows), tuple(lines if lines is not None else range(1, len(rows) + 1)))


def read_training(name: str, data: bytes) -> TrainingFile:
    """The rows of JSON lines, a JSON list, plain text (.txt: a row a line), a table, or gzip or zip of these.

    Raises DataError for an empty file, a damaged archive or a table that cannot be read; never for a single bad line.
    """
    ending = name.casefold()
    if not data:
        raise DataError(f"{name} is empty: 0 bytes. Choose another file.", title="The file is empty")
    if data.startswith(b"\x1f\x8b"):
        return read_training(name[:-3] if ending.endswith(".gz") else name, unpack.gunzip(name, data, BUDGET))
    if ending.endswith(".zip"):
        inner, content, _ = unpack.unzip(name, data, BUDGET)
        return read_training(inner.rsplit("/", 1)[-1], content)
    if ending.endswith(TABLES) or data.startswith((b"PAR1", b"PK\x03\x04")):
        return _table(name, data)
    text, notes, bad = _decoded(data)
    if ending.endswith(".txt"):
        pairs = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        return TrainingFile(tuple(line for _, line in pairs), tuple(number for number, _ in pairs), (), tuple(notes), len(data))
    if (whole := _whole(text)) is not None:
        return TrainingFile(tuple(whole), tuple(range(1, len(whole) + 1)), (), (*notes, "Read as one JSON list."), len(data))
    return _lines(text, notes, bad, len(data))


def _lines(text: str, notes: list[str], undecoded: set[int], size: int) -> TrainingFile:
    rows, numbers, unreadable, mended = [], [], [], 0
    decode = json.JSONDecoder().decode
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped:
            continue
        if number in undecoded:
            unreadable.append(Unreadable(number, "it is not UTF-8 text", stripped[:200]))
            continue
        try:
            row = decode(stripped)
        except (ValueError, RecursionError) as error:
            unreadable.append(Unreadable(number, _why(error), stripped[:200]))
            continue
        if "\\ud" in stripped or "\\uD" in stripped:
            row, changed = _without_lone(row)
            mended += changed
        rows.append(row)
        numbers.append(number)
    if mended:
        notes = [*notes, f"{mended} rows held half a character (a lone surrogate); it reads as \ufffd."]
    return TrainingFile(tuple(rows), tuple(numbers), tuple(unreadable), tuple(notes), size)


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at character {error.pos + 1}"
    return "it is nested too deep" if isinstance(error, RecursionError) else "it holds a number that is too long"


def _decoded(data: bytes) -> tuple[str, list[str], set[int]]:
    """The text, notes, and the numbers of lines that are not UTF-8."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            name = "UTF-8 with a byte order mark" if encoding == "utf-8-sig" else "UTF-16"
            try:
                return data.decode(encoding), [f"The file is {name}; the platform wants plain UTF-8, as the download here is."], set()
            except UnicodeDecodeError:
                break
    try:
        return data.decode("utf-8"), [], set()
    except UnicodeDecodeError:
        bad = set()
        for number, line in enumerate(data.split(b"\n"), start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                bad.add(number)
        return data.decode("utf-8", errors="replace"), [], bad


def _whole(text: str) -> list[Any] | None:
    """The rows of a file that is one JSON value (a list, or one object over several lines); None for JSON lines."""
    start = text.lstrip()[:1]
    first = text.strip().split("\n", 1)
    if start not in ("[", "{") or (start == "{" and len(first) == 1):
        return None
    if start == "{":
        try:
            json.loads(first[0])
        except (ValueError, RecursionError):
            pass
        else:
            return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and len(first) == 1 and len(value) != 1 and not any(isinstance(one, dict) for one in value):
        return None  # a single JSON line that happens to be a list
    value = value if isinstance(value, list) else [value]
    return [_without_lone(row)[0] for row in value] if "\\ud" in text.casefold() else value


def _without_lone(value: Any) -> tuple[Any, bool]:
    """The value with half characters replaced, and whether there were any."""
    if isinstance(value, str):
        new = _LONE.sub("\ufffd", value)
        return new, new != value
    if isinstance(value, list):
        pairs = [_without_lone(one) for one in value]
        return [new for new, _ in pairs], any(changed for _, changed in pairs)
    if isinstance(value, dict):
        pairs = [(_without_lone(key), _without_lone(one)) for key, one in value.items()]
        return {key[0]: one[0] for key, one in pairs}, any(key[1] or one[1] for key, one in pairs)
    return value, False


def _table(name: str, data: bytes) -> TrainingFile:
    """The rows of a table; cells that hold JSON lists or objects are opened, missing cells are left out."""
    from core.load.read import ReadOptions, read

    loaded = read(name, data, ReadOptions(typed=False, shapes=False))
    records = [{str(k): _opened(v) for k, v in one.items() if not _missing(v)} for one in loaded.frame.to_dict("records")]
    lines = loaded.lines or tuple(range(1, len(records) + 1))
    unreadable = tuple(Unreadable(one.line, one.reason, one.text[:200]) for one in loaded.rejects)
    return TrainingFile(tuple(records), tuple(lines), unreadable, loaded.notes, len(data))


def _opened(cell: Any) -> Any:
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    if isinstance(cell, str) and cell[:1] in ("[", "{"):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def _missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell) or type(cell).__name__ in ("NAType", "NaTType")
