"""Workbooks: XLSX and XLSM through openpyxl, XLS, XLSB and ODS through calamine, all under limits.

openpyxl reads row by row and ignores a sheet's stated extent, so one cell at its far end costs nothing; calamine holds the
whole rectangle up to the last cell, so it is used only where openpyxl cannot read, and in the child with a memory limit.
Empty rows and columns are left out. Formulas give their last computed value, dates are ISO text, text stays text.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterable
from typing import Any

from core.errors import DataError
from core.load import unpack
from core.load.binary import too_many
from core.load.delimited import names

Book = tuple[dict[str, list[Any]], list[int], list[str], str]
"""(columns of values, 1-based sheet rows, names of all sheets, the one read)"""


def workbook(
    name: str, data: bytes, budget: int, cells: int, sheet: str | None = None, header: bool = True, skip: int = 0, limit: int | None = None
) -> Book:
    """An XLSX or XLSM file. The first row with two values is the header. Raises DataError for damage and too much."""
    unpack.check_workbook(name, data, budget)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, KeyError, ValueError, OSError, SyntaxError, TypeError) as error:
        raise DataError(
            f"{name} cannot be opened as a workbook ({str(error)[:120]}). Save it again as XLSX.", title="The workbook is damaged"
        ) from error
    sheets = [one.title for one in book.worksheets]
    chosen = _chosen(name, sheets, sheet)
    opened = book[chosen]
    opened.reset_dimensions()
    found = _filled(name, opened.iter_rows(min_row=1, values_only=True), 1, cells, skip, limit)
    return _book(name, found, header, sheets, chosen)


def old_workbook(
    name: str, data: bytes, budget: int, cells: int, sheet: str | None = None, header: bool = True, skip: int = 0, limit: int | None = None
) -> Book:
    """The same for XLS, XLSB and ODS. Raises DataError for a password and for damage."""
    if data.startswith(b"PK"):
        unpack.check_workbook(name, data, budget, unpack.OLD_BOOK)
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheets = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
            chosen = _chosen(name, sheets, sheet)
            opened = book.get_sheet_by_name(chosen)
            if opened.height * opened.width > cells:
                raise too_many(name, opened.height, opened.width, cells)
            first = opened.start[0] + 1 if opened.start else 1
            found = _filled(name, opened.iter_rows(), first, cells, skip, limit)
    except PasswordError as error:
        raise DataError(f"{name} has a password. Save it again without one.", title="The workbook is locked") from error
    except (CalamineError, ValueError, OSError) as error:
        raise DataError(
            f"{name} cannot be opened as a workbook ({str(error)[:120]}); it may be damaged or locked. Open it and save it as XLSX.",
            title="The workbook is damaged",
        ) from error
    return _book(name, found, header, sheets, chosen)


def _chosen(name: str, sheets: list[str], sheet: str | None) -> str:
    if sheet is not None and sheet not in sheets:
        raise DataError(f"{name} has no sheet '{sheet}'. It has {', '.join(sheets[:20])}.", title="No such sheet")
    if not sheets:
        raise DataError(f"{name} has no sheet with cells.", title="The file is empty")
    return sheet or sheets[0]


def _book(name: str, found: list[tuple[int, dict[int, Any]]], header: bool, sheets: list[str], chosen: str) -> Book:
    if not found:
        raise DataError(f"The sheet '{chosen}' of {name} has no filled cell. Choose another sheet.", title="The file is empty")
    columns, numbers = _columns(found, header)
    if not numbers:
        raise DataError(f"The sheet '{chosen}' of {name} has a header and no rows below it.", title="A header without rows")
    return columns, numbers, sheets, chosen


def _filled(
    name: str, lines: Iterable[Iterable[Any]], first: int, cells: int, skip: int, limit: int | None
) -> list[tuple[int, dict[int, Any]]]:
    """(row number, column -> value) of the rows that hold something; `first` is the number of the first line."""
    rows: list[tuple[int, dict[int, Any]]] = []
    held = 0
    for number, row in enumerate(lines, start=first):
        if number <= skip:
            continue
        filled = {place: value for place, value in enumerate(row) if value is not None and value != ""}
        if filled:
            rows.append((number, filled))
            held += len(filled)
            if held > cells:
                raise too_many(name, len(rows), len(filled), cells)
        if limit and len(rows) > limit:
            break
    return rows


def _columns(rows: list[tuple[int, dict[int, Any]]], header: bool) -> tuple[dict[str, list[Any]], list[int]]:
    used = sorted({place for _, row in rows for place in row})
    first = next((i for i, (_, row) in enumerate(rows) if len(row) >= min(2, len(used))), 0) if header else -1
    titles = names([str(rows[first][1].get(place, "")) if header else "" for place in used])
    body = rows[first + 1 :]
    columns = {title: [_value(row.get(place)) for _, row in body] for title, place in zip(titles, used, strict=True)}
    return columns, [number for number, _ in body]


def _value(value: Any) -> Any:
    """Dates as ISO text; a whole float as the integer it shows."""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time(0) else value.isoformat(" ")
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value
