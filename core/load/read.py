"""Any table in, nothing lost: bytes become a frame, and every line that did not is accounted for.

Formats: CSV, TSV and relatives, JSON, JSON lines, Parquet, XLSX, and gzip or zip of these, by name and checked by
content. Pickle is refused unread: opening one runs code. Everything here is pure; limits hold whatever a file claims.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from core.errors import DataError, SettingsError
from core.format import count, plural
from core.load import binary, columns, decoding, delimited, documents, unpack
from core.load.delimited import Reject

FORMATS = {"csv": "CSV", "jsonl": "JSON lines", "json": "JSON", "parquet": "Parquet", "xlsx": "XLSX"}
UPLOADS = ("csv", "tsv", "txt", "xlsx", "xlsm", "json", "jsonl", "ndjson", "parquet", "gz", "zip")
"""Endings a file picker may offer."""
_ENDINGS = {
    "csv": "csv", "tsv": "csv", "tab": "csv", "txt": "csv", "psv": "csv", "ssv": "csv", "data": "csv",
    "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "parquet": "parquet", "pq": "parquet", "xlsx": "xlsx", "xlsm": "xlsx",
}  # fmt: skip
_MAGIC = (
    (b"PAR1", "a Parquet file", "parquet"),
    (b"\x1f\x8b", "a gzip file", "gz"),
    (b"PK\x03\x04", "a zip file or a workbook", "zip"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (XLS) or a workbook with a password", None),
    (b"%PDF", "a PDF", None),
    (b"\x89PNG", "a picture", None),
    (b"\xff\xd8\xff", "a picture", None),
    (b"GIF8", "a picture", None),
    (b"SQLite format 3", "a SQLite database", None),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", None),
    (b"BZh", "a bzip2 archive", None),
    (b"\xfd7zXZ", "an XZ archive", None),
    (b"7z\xbc\xaf", "a 7-Zip archive", None),
    (b"Rar!", "a RAR archive", None),
    (b"ARROW1", "an Arrow file", None),
)
_SHEET, _UNPACK, _EXPORT = "Copy the table into a sheet.", "Unpack it first.", "Export the table as CSV."
_REFUSED = {
    **dict.fromkeys(("xls", "xlsb", "ods", "numbers"), "Open it and save it as XLSX or CSV."),
    **dict.fromkeys(("html", "htm", "pdf", "doc", "docx", "md"), _SHEET),
    **dict.fromkeys(("rar", "7z", "tar", "bz2", "xz", "zst"), _UNPACK),
    **dict.fromkeys(("xml", "db", "sqlite", "sql", "dta", "sav"), _EXPORT),
    **dict.fromkeys(("arrow", "feather", "h5"), "Write it as Parquet."),
}
"""Endings that are known and not read -> what to do."""
_PICKLES = ("pkl", "pickle", "joblib", "pt", "pth", "npy", "npz")


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
    ending = _ending(name)
    if ending in _PICKLES or _looks_pickled(data):
        raise pickled(name)
    if not data:
        raise DataError(f"{name} is empty: 0 bytes. Choose another file.", title="The file is empty")
    if ending == "gz" or (data.startswith(b"\x1f\x8b") and ending not in _ENDINGS):
        inner = name[:-3] if ending == "gz" else name
        return read(inner, unpack.gunzip(name, data, options.bytes), options)
    if ending == "zip":
        if not data.startswith(b"PK"):
            raise _mismatch(name, "zip", data)
        inner, content, tables = unpack.unzip(name, data, options.bytes, options.member)
        found = read(inner.rsplit("/", 1)[-1], content, replace(options, member=None))
        notes = (unpack.tables_note(tables, inner), *found.notes) if len(tables) > 1 else found.notes
        return replace(found, notes=notes, choices={**found.choices, "member": tuple(tables)} if len(tables) > 1 else found.choices)
    kind = _kind(name, ending, data)
    loaded = {"csv": _csv, "jsonl": _jsonl, "json": _json, "parquet": _parquet, "xlsx": _xlsx}[kind](name, data, options)
    if loaded.frame.size > options.cells:
        raise binary.too_many(name, len(loaded.frame), len(loaded.frame.columns), options.cells)
    return loaded


def pickled(name: str) -> DataError:
    """The refusal of a pickle, with the three lines that turn one's own into Parquet."""
    stem = name.rsplit(".", 1)[0]
    return DataError(
        f"{name} is a Python pickle: opening one can run any code, so it is not read. If it is your own, turn it into Parquet with three "
        f'lines of Python: import pandas as pd ; frame = pd.DataFrame(pd.read_pickle("{name}")) ; frame.to_parquet("{stem}.parquet")',
        title="Pickle files are not opened",
    )


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


def _parquet(name: str, data: bytes, options: ReadOptions) -> Loaded:
    table = binary.parquet(name, data, options.bytes, options.cells, options.rows)
    if not table.num_rows or not table.num_columns:
        raise DataError(f"{name} has {plural(table.num_columns, 'column')} and {count(table.num_rows)} rows.", title="The file is empty")
    return Loaded(table.to_pandas(), format="parquet")


def _xlsx(name: str, data: bytes, options: ReadOptions) -> Loaded:
    values, numbers, sheets, chosen = binary.workbook(
        name, data, options.bytes, options.cells, options.sheet, options.header, options.skip, options.rows
    )
    notes = (f"Sheet '{chosen}' of {len(sheets)}: {', '.join(sheets)[:200]}.",) if len(sheets) > 1 else ()
    frame = pd.DataFrame({title: columns.from_values(cells) for title, cells in values.items()})
    return Loaded(frame, (), "", "", "xlsx", notes, tuple(numbers), {"sheet": tuple(sheets)} if len(sheets) > 1 else {})


def _ending(name: str) -> str:
    return name.rsplit(".", 1)[-1].casefold() if "." in name else ""


def _looks_pickled(data: bytes) -> bool:
    return len(data) > 2 and data[0] == 0x80 and data[1] in (2, 3, 4, 5) and data.rstrip()[-1:] == b"."


def _kind(name: str, ending: str, data: bytes) -> str:
    """Format by name, checked by content; an unknown ending is judged by content alone."""
    found = next(((what, kind) for magic, what, kind in _MAGIC if data.startswith(magic)), None)
    kind = _ENDINGS.get(ending)
    if kind is None and ending in _REFUSED:
        raise DataError(
            f"{name} ends in .{ending}. {_REFUSED[ending]} What is read: CSV, TSV, JSON, JSONL, Parquet, XLSX, and gz or zip of these.",
            title="This kind of file is not read",
        )
    if found and kind not in (found[1], "xlsx" if found[1] == "zip" else None):
        raise _mismatch(name, ending, data)
    if (kind == "parquet" and not found) or (kind == "xlsx" and not found):
        raise _mismatch(name, ending, data)
    head = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:200].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise _mismatch(name, ending, data)
    if kind in (None, "csv") and (ending not in ("csv", "tsv", "psv", "ssv")) and head[:1] in (b"{", b"["):
        return "jsonl" if head[:1] == b"{" and b"\n{" in data else "json"
    return kind or "csv"


def _mismatch(name: str, ending: str, data: bytes) -> DataError:
    what = next((text for magic, text, _ in _MAGIC if data.startswith(magic)), None)
    head = data[:300].lstrip().lower()
    if what is None and head.startswith((b"<!doctype", b"<html")):
        what = "a web page; the download may have failed or asked for a login"
    if what is None and head.startswith(b"<?xml"):
        what = "an XML file"
    advice = "Save it in the format its name says, or rename it to what it is."
    return DataError(
        f"{name} ends in .{ending[:12] or 'nothing'} and its content is {what or 'something else: plain text or unknown bytes'}. {advice}",
        title="The file is not what its name says",
    )
