"""Any table in, nothing lost: bytes become a frame, and every line that did not is accounted for.

Formats: CSV, TSV and relatives, JSON, JSON lines, Parquet, Arrow, XLSX, XLS, ODS, XLSB, and gzip or zip of these, by name
and checked by content. Pickle is refused unread. Conversations and preference pairs get columns for question and answer
(see `shapes`). Everything here is pure; limits hold whatever a file claims.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from core.errors import DataError, SettingsError
from core.format import count, plural
from core.load import binary, columns, decoding, delimited, documents, shapes, spreadsheets, unpack
from core.load.delimited import Reject
from core.load.formats import BOOKS, ENDINGS, FORMATS, PICKLES, UPLOADS, ending, inside, kind_of, looks_pickled, mismatch, pickled

__all__ = ["FORMATS", "UPLOADS", "Loaded", "ReadOptions", "Reject", "pickled", "read"]


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read where its content leaves a choice."""

    encoding: str | None = None
    """Name of the text's encoding; None finds it."""
    separator: str | None = None
    """Between cells; None finds it, "" is one column."""
    quotes: str | None = None
    """double, backslash or none (see QUOTES); None takes what leaves fewest lines out."""
    header: bool = True
    """Whether the first line names the columns."""
    skip: int = 0
    """First lines to leave out."""
    sheet: str | None = None
    """Sheet of a workbook; None is the first."""
    member: str | None = None
    """File inside a zip; None is the first table in it."""
    rows: int | None = None
    """Read at most so many first rows; None reads all."""
    typed: bool = True
    """Whether columns of plain numbers become numbers; else every cell of a text file stays text."""
    shapes: bool = True
    """Whether conversations, preference pairs and questions on texts get columns for question and answer."""
    bytes: int = 2 << 30
    """Unpacked bytes that are accepted."""
    cells: int = 50_000_000
    """Rows times columns that are accepted."""

    def __post_init__(self) -> None:
        if self.skip < 0 or (self.rows is not None and self.rows < 1):
            raise SettingsError(f"skip is {self.skip} and rows {self.rows}; at least 0 and 1 are needed.", title="Not a number of rows")
        if self.quotes is not None and self.quotes not in delimited.QUOTES:
            raise SettingsError(f"quotes is '{self.quotes}'; choose one of {', '.join(delimited.QUOTES)}.", title="Unknown quotes")


@dataclass(frozen=True)
class Loaded:
    """A table as it was read."""

    frame: pd.DataFrame
    """Text columns are `str` with missing cells; numbers int64 or float64; nested values JSON text."""
    rejects: tuple[Reject, ...] = ()
    encoding: str = ""
    separator: str = ""
    format: str = "csv"
    notes: tuple[str, ...] = ()
    """What was found or done on the way, one sentence each."""
    lines: tuple[int, ...] = ()
    """The 1-based line of the file (row of the sheet) each row starts on; empty when rows are not lines."""
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Further tables in the file: "sheet" or "member" -> names."""


def read(name: str, data: bytes, options: ReadOptions | None = None) -> Loaded:
    """The table in a file of that name. Raises DataError saying what is wrong, where, and what to do."""
    options = options or ReadOptions()
    last = ending(name)
    if last in PICKLES or looks_pickled(data):
        raise pickled(name)
    if not data:
        raise DataError(f"{name} is empty: 0 bytes. Choose another file.", title="The file is empty")
    if last == "gz" or (data.startswith(b"\x1f\x8b") and last not in ENDINGS):
        return read(inside(name), unpack.gunzip(name, data, options.bytes), options)
    if last == "zip":
        if not data.startswith(b"PK"):
            raise mismatch(name, data)
        member, content, tables = unpack.unzip(name, data, options.bytes, options.member)
        found = read(member.rsplit("/", 1)[-1], content, replace(options, member=None))
        notes = (unpack.tables_note(tables, member), *found.notes) if len(tables) > 1 else found.notes
        return replace(found, notes=notes, choices={**found.choices, "member": tuple(tables)} if len(tables) > 1 else found.choices)
    kind = kind_of(name, data)
    loaded = _READERS[kind](name, data, options)
    if loaded.frame.size > options.cells:
        raise binary.too_many(name, len(loaded.frame), len(loaded.frame.columns), options.cells)
    if not options.shapes:
        return loaded
    frame, notes = shapes.recognised(loaded.frame)
    return replace(loaded, frame=frame, notes=(*loaded.notes, *notes))


def _csv(name: str, data: bytes, options: ReadOptions) -> Loaded:
    text, encoding = decoding.decode(name, data, options.encoding)
    cells = delimited.parse(name, text, options.separator, options.quotes, options.header, options.skip, options.rows)
    if len(cells.rows) * len(cells.header) > options.cells:
        raise binary.too_many(name, len(cells.rows), len(cells.header), options.cells)
    notes = []
    if cells.quotes == "none" and not options.quotes and '"' in text:
        notes.append("Quotation marks are read as plain characters: with the usual rules some lines would not fit.")
    if cells.quotes == "backslash" and not options.quotes:
        notes.append('Quotation marks inside cells are written \\".')
    if cells.trailing:
        notes.append(f"{plural(cells.trailing, 'line')} ended in empty values beyond the header; they were left off.")
    frame = pd.DataFrame(
        {title: columns.from_text(cells_, options.typed) for title, cells_ in zip(cells.header, _turned(cells), strict=True)}
    )
    return Loaded(frame, tuple(cells.rejects), encoding, cells.separator, "csv", tuple(notes), tuple(cells.lines))


def _turned(cells: delimited.Cells) -> list[list[str]]:
    return [list(column) for column in zip(*cells.rows, strict=True)]


def _jsonl(name: str, data: bytes, options: ReadOptions) -> Loaded:
    text, encoding = decoding.decode(name, data, options.encoding)
    records, numbers, rejects = documents.lines(name, text, options.rows)
    return Loaded(_frame(name, records, options), tuple(rejects), encoding, "", "jsonl", (), tuple(numbers))


def _json(name: str, data: bytes, options: ReadOptions) -> Loaded:
    text, encoding = decoding.decode(name, data, options.encoding)
    if not text.strip():
        raise DataError(f"{name} holds no text. A list of objects is needed.", title="The file is empty")
    try:
        records, shape = documents.document(name, text)
    except DataError as problem:
        first = text.lstrip().split("\n", 1)[0].strip()
        if first.startswith("{") and first.endswith("}") and first != text.strip():
            loaded = _jsonl(name, data, options)
            return replace(loaded, notes=("The file holds one JSON object a line, and was read so.",))
        raise problem
    notes = () if shape == "a list of objects" else (f"Read as {shape}.",)
    return Loaded(_frame(name, records[: options.rows], options), (), encoding, "", "json", notes)


def _frame(name: str, records: list[documents.Record], options: ReadOptions) -> pd.DataFrame:
    titles = list(dict.fromkeys(key for record in records for key in record))
    if len(titles) * len(records) > options.cells:
        raise binary.too_many(name, len(records), len(titles), options.cells)
    if not titles:
        raise DataError(f"{name} holds {plural(len(records), 'object')} without any field.", title="No columns")
    shown = delimited.names(titles)
    return pd.DataFrame({new: columns.from_values([record.get(old) for record in records]) for old, new in zip(titles, shown, strict=True)})


def _columnar(name: str, data: bytes, options: ReadOptions) -> Loaded:
    kind = kind_of(name, data)
    reader = binary.parquet if kind == "parquet" else binary.arrow
    table = reader(name, data, options.bytes, options.cells, options.rows)
    if not table.num_rows or not table.num_columns:
        raise DataError(f"{name} has {plural(table.num_columns, 'column')} and {count(table.num_rows)} rows.", title="The file is empty")
    return Loaded(table.to_pandas(), format=kind)


def _book(name: str, data: bytes, options: ReadOptions) -> Loaded:
    kind = kind_of(name, data)
    reader = spreadsheets.workbook if kind == "xlsx" else spreadsheets.old_workbook
    values, numbers, sheets, chosen = reader(
        name, data, options.bytes, options.cells, options.sheet, options.header, options.skip, options.rows
    )
    notes = (f"Sheet '{chosen}' of {len(sheets)}: {', '.join(sheets)[:200]}.",) if len(sheets) > 1 else ()
    frame = pd.DataFrame({title: columns.from_values(cells) for title, cells in values.items()})
    return Loaded(frame, (), "", "", kind, notes, tuple(numbers), {"sheet": tuple(sheets)} if len(sheets) > 1 else {})


_READERS = {"csv": _csv, "jsonl": _jsonl, "json": _json, "parquet": _columnar, "arrow": _columnar, **dict.fromkeys(BOOKS, _book)}
