"""How the classic assistant reads a file: every column as text, missing cells as "", by the ending of its name.

pandas reads, as it did for the old tool, so that the same cells come out: in CSV, TSV and XLSX the words NA, null, None and their
like are missing cells; a column of whole numbers with gaps reads as 1.0, 2.0. Both are said in a remark. What the old tool refused
and is harmless is accepted: gzip and zip, a byte order mark, UTF-16, a single JSON line, an indented list named .jsonl.
Not known here: what prompts and completions should look like (see `prepare`).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from core.errors import DataError
from core.format import count, plural
from core.load import unpack
from core.validate.prepare import Advice

ENDINGS = ("csv", "tsv", "xlsx", "txt", "json", "jsonl")
"""Endings that are read; .ndjson is .jsonl."""
BUDGET = 1 << 30
"""Unpacked bytes that are accepted."""
CELLS = 20_000_000
"""Cells of the rectangle a sheet spans, which pandas fills."""
_RULE = "read_any_format"
_NOT_READ = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, pd.errors.ParserError)


@dataclass(frozen=True)
class Source:
    """All columns of a file as text, and what was said while reading it."""

    frame: pd.DataFrame
    stem: str
    """The file's name without its last ending (and without .gz)."""
    notes: tuple[Advice, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)


def read_pairs(name: str, data: bytes) -> Source:
    """The columns of a CSV, TSV, XLSX (first sheet), TXT (each line a completion), JSON or JSONL file, packed or not.

    Raises DataError for another ending, an empty file, and one that cannot be read, with the line where there is one.
    """
    if data.startswith(b"\x1f\x8b"):
        return read_pairs(name[:-3] if name.casefold().endswith(".gz") else name, unpack.gunzip(name, data, BUDGET))
    if name.casefold().endswith(".zip"):
        inner, content, _ = unpack.unzip(name, data, BUDGET)
        return read_pairs(inner.rsplit("/", 1)[-1], content)
    stem, dot, ending = name.rpartition(".")
    kind = {"ndjson": "jsonl"}.get(ending.casefold(), ending.casefold())
    if not dot or kind not in ENDINGS:
        has = f"ends with .{ending}" if dot else "has no ending"
        raise DataError(
            f"{name} {has}. The assistant reads files that end with .{', .'.join(ENDINGS)}, packed or not. Save it as one of them.",
            title="Not a kind of file the assistant reads",
        )
    if not data.strip(b"\xef\xbb\xbf\r\n\t "):
        raise DataError(f"{name} is empty: {count(len(data))} bytes. Choose another file.", title="The file is empty")
    frame, notes = _READERS[kind](name, data)
    frame.columns = [str(column) for column in frame.columns]
    return Source(frame.reset_index(drop=True), stem, tuple(notes))


def converted(kind: str, text: str, rows: tuple[int, ...] = ()) -> Advice:
    """The necessary step from another kind of file to JSON lines."""
    return Advice(_RULE, text, rows, f"Your format `{kind}` will be converted to `JSONL`", True, None, True)


def _csv(name: str, data: bytes, separator: str = ",", kind: str = "CSV") -> tuple[pd.DataFrame, list[Advice]]:
    text = _decoded(name, data)
    read: Callable[..., pd.DataFrame] = lambda **more: pd.read_csv(io.StringIO(text), sep=separator, dtype=str, **more)  # noqa: E731
    try:
        frame = read()
    except _NOT_READ as error:
        raise _unreadable(name, kind, _sentence(error)) from error
    if not isinstance(frame.index, pd.RangeIndex):
        wide = frame.shape[1] + frame.index.nlevels
        raise _unreadable(name, kind, f"its header names {plural(frame.shape[1], 'column')} and its rows hold {wide} values")
    note = converted(kind, f"By its ending, your file is a {kind} file")
    return frame.fillna(""), [note, *_words(frame, read(keep_default_na=False, na_filter=False))]


def _tsv(name: str, data: bytes) -> tuple[pd.DataFrame, list[Advice]]:
    return _csv(name, data, "\t", "TSV")


def _xlsx(name: str, data: bytes) -> tuple[pd.DataFrame, list[Advice]]:
    unpack.check_workbook(name, data, BUDGET)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = [one.title for one in book.worksheets]
        if sheets:
            _bounded(name, book.worksheets[0])
        frame = pd.read_excel(io.BytesIO(data), dtype=str)
        raw = pd.read_excel(io.BytesIO(data), dtype=str, keep_default_na=False, na_filter=False)
    except (*_NOT_READ, InvalidFileException, OSError, SyntaxError, IndexError) as error:
        raise _unreadable(name, "XLSX", str(error)[:120]) from error
    text = "By its ending, your file is an Excel workbook"
    if len(sheets) > 1:
        text += (
            f". WARNING: it has {count(len(sheets))} sheets and only the first, '{sheets[0]}', is read. Save the data on the first sheet, "
            f"or as CSV"
        )
    return frame.fillna(""), [converted("XLSX", text), *_words(frame, raw)]


def _bounded(name: str, sheet: object) -> None:
    """Refuses a sheet whose filled rectangle is too large to be laid out."""
    sheet.reset_dimensions()  # type: ignore[attr-defined]
    high = wide = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):  # type: ignore[attr-defined]
        filled = max((place for place, cell in enumerate(row, start=1) if cell is not None), default=0)
        high, wide = (number, max(wide, filled)) if filled else (high, wide)
        if high * wide > CELLS:
            raise DataError(
                f"{name}: the filled part of the first sheet spans {count(high)} rows and {count(wide)} columns; {count(CELLS)} cells are "
                f"read. Save the two columns alone, or as CSV.",
                title="The sheet is too large",
            )


def _txt(name: str, data: bytes) -> tuple[pd.DataFrame, list[Advice]]:
    lines = _decoded(name, data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    note = converted("TXT", "By its ending, your file is text: each line is a completion, prompts are empty")
    return pd.DataFrame({"prompt": [""] * len(lines), "completion": lines}, dtype=str), [note]


def _jsonl(name: str, data: bytes) -> tuple[pd.DataFrame, list[Advice]]:
    text = _decoded(name, data)
    found = _parsed(text, True)
    if found is not None and len(found) != 1:
        return _as_text(found)
    whole = _parsed(text, False)
    if whole is not None:
        return _as_text(whole, converted("JSON", "Your JSONL file appears to be in JSON format"))
    if found is None:
        raise _unreadable(name, "JSONL", _bad_line(text))
    return _as_text(found)


def _json(name: str, data: bytes) -> tuple[pd.DataFrame, list[Advice]]:
    text = _decoded(name, data)
    found = _parsed(text, True)
    if found is not None and len(found) != 1:
        return _as_text(found, converted("JSON", "Your JSON file appears to be in JSONL format"))
    whole = _parsed(text, False)
    if whole is None and found is None:
        raise _unreadable(name, "JSON", _bad_json(text))
    return _as_text(whole if whole is not None else found, converted("JSON", "By its ending, your file is a JSON file"))  # type: ignore[arg-type]


def _parsed(text: str, lines: bool) -> pd.DataFrame | None:
    try:
        found = pd.read_json(io.StringIO(text), lines=lines, dtype=False)  # type: ignore[arg-type]
    except _NOT_READ:
        return None
    return found if isinstance(found, pd.DataFrame) else None


def _as_text(frame: pd.DataFrame, *notes: Advice) -> tuple[pd.DataFrame, list[Advice]]:
    """Every cell as text; says which numbers gained a decimal point and which cells were lists or objects."""
    told = list(notes)
    for column in frame.columns:
        if str(column).casefold() not in ("prompt", "completion"):
            continue
        cells = frame[column]
        if pd.api.types.is_float_dtype(cells) and bool((cells.dropna() % 1 == 0).to_numpy().any()):
            told.append(Advice(_RULE, f"The numbers of `{column}` are written with a decimal point, such as 1.0, as the old tool did: "
                               f"some are fractions or missing. Write them as text in the file to keep 1 as 1"))  # fmt: skip
        if cells.dtype == object:
            nested = tuple(place for place, cell in enumerate(cells.tolist()) if isinstance(cell, (list, dict)))
            if nested:
                told.append(Advice(_RULE, f"`{column}` holds lists or objects instead of text; they are written as they print. These are "
                                   f"rows: {shown(nested)}", nested))  # fmt: skip
    return frame.astype(str).fillna("") if len(frame.columns) else frame, told


def _words(frame: pd.DataFrame, raw: pd.DataFrame) -> list[Advice]:
    """Says which cells with a word in them were read as missing."""
    told = []
    for place, column in enumerate(frame.columns):
        if str(column).casefold() in ("prompt", "completion"):
            missing = frame.iloc[:, place].isna().to_numpy()
            words = raw.iloc[:, place].tolist()
            lost = tuple(row for row in missing.nonzero()[0].tolist() if str(words[row]) not in ("", "nan"))
            if lost:
                some = ", ".join(sorted({str(words[row]) for row in lost})[:5])
                told.append(Advice(_RULE, f"{plural(len(lost), 'cell')} of `{column}` read as missing because of what they say: {some}. "
                                   f"Write the data as JSONL to keep such words. These are rows: {shown(lost)}", lost))  # fmt: skip
    return told


def shown(rows: tuple[int, ...], most: int = 50) -> str:
    """Row numbers as the old tool listed them, the first `most`."""
    return str(list(rows[:most]))[:-1] + (f", and {count(len(rows) - most)} more]" if len(rows) > most else "]")


def _decoded(name: str, data: bytes) -> str:
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}, line {count(line)}: byte {error.object[error.start]:#04x} is not UTF-8. Save the file as UTF-8.",
            title="Not UTF-8 text",
        ) from error


def _sentence(error: BaseException) -> str:
    return str(error).split("C error: ")[-1].strip().rstrip(".")[:160] or type(error).__name__


def _bad_line(text: str) -> str:
    """The first line that is not JSON, and why."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                json.loads(line)
            except ValueError as error:
                return f"line {count(number)} is not JSON: {getattr(error, 'msg', str(error))}"
            except RecursionError:
                return f"line {count(number)} is nested too deep"
    return "a line holds a value that is too large or nested too deep, or the lines are not objects"


def _bad_json(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {count(error.lineno)}, character {count(error.colno)}: {error.msg}"
    except (ValueError, RecursionError):
        return "it is nested too deep or holds a number that is too long"
    return "it is neither a list of objects nor an object of columns"


def _unreadable(name: str, kind: str, why: str) -> DataError:
    return DataError(f"{name} cannot be read as {kind}: {why}. Mend it, or save it again as {kind}.", title="The file cannot be read")


_READERS = {"csv": _csv, "tsv": _tsv, "xlsx": _xlsx, "txt": _txt, "json": _json, "jsonl": _jsonl}
