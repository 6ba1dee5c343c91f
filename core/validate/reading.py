"""A training file as rows: every line read, or listed with its number and why not.

Unlike a table (see `core.load`), lines keep their shape: one object each, nested as they came. Lines are split at line
feeds only, because JSON text may hold other line ends. Blank lines are skipped. Not known here: what the rows mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import DataError
from core.load import unpack
from core.validate.lines import Notes, Unreadable, parse
from core.validate.listing import listed, one_line

TABLES = (".csv", ".tsv", ".tab", ".psv", ".parquet", ".pq", ".xlsx", ".xlsm")
BUDGET = 1 << 30
"""Unpacked bytes that are accepted."""
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
LISTED = "Read as one JSON list."


@dataclass(frozen=True)
class TrainingFile:
    """Rows of any shape, in order. Of a large file they stand on disk, and `rows` reads one when it is asked for."""

    rows: Sequence[Any]
    lines: Sequence[int]
    """The line of the file (or row of the table) each row stands on, from 1."""
    unreadable: Sequence[Unreadable] = ()
    notes: tuple[str, ...] = field(default=())
    """What was done on the way, one sentence each."""
    size: int = 0
    """Bytes."""
    repeated: Sequence[int] = ()
    """Positions of rows in which an object has a key twice; the last one counts."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def bad_lines(self) -> Sequence[int]:
        """The numbers of the lines that cannot be read."""
        return getattr(self.unreadable, "lines", None) or [one.line for one in self.unreadable]


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
    if is_table(name, data):
        return _table(name, data)
    text, notes = plain(data)
    if not (txt := ending.endswith(".txt")) and (values := listed(text.decode("utf-8", errors="replace"))) is not None:
        text, notes = "".join(map(one_line, values)).encode("utf-8"), [*notes, LISTED]
    block = parse(text, txt=txt)
    notes += Notes.of(block).sentences()
    return TrainingFile(tuple(block.rows), tuple(block.lines), tuple(block.unreadable), tuple(notes), len(data), tuple(block.repeated))


def is_table(name: str, head: bytes) -> bool:
    """Whether a file is a table (see `core.load`), by its name or its first bytes."""
    return name.casefold().endswith(TABLES) or head.startswith((b"PAR1", b"PK\x03\x04"))


def plain(data: bytes) -> tuple[bytes, list[str]]:
    """The bytes as UTF-8 without a byte order mark, and what was done."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            if encoding == "utf-8-sig":
                return data[len(mark) :], [marked("UTF-8 with a byte order mark")]
            try:
                return data.decode(encoding).encode("utf-8"), [marked("UTF-16")]
            except UnicodeError:
                break
    return data, []


def marked(encoding: str) -> str:
    """What is said of a file that begins with a byte order mark."""
    return f"Line 1 begins with a byte order mark. The file is {encoding}; the platform wants plain UTF-8, as the download here is."


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
