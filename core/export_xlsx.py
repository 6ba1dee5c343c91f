"""Tables as an Excel workbook, one sheet a table: within Excel's limits or not at all, never cut in silence.

A sheet holds 1,048,576 rows and 16,384 columns, a cell 32,767 characters (counted as UTF-16 does). More rows go on in
further sheets; a cell that is too long is an error that says which. Characters XML cannot hold are written as Excel writes
them (`_x0007_`), formulas are defused as in CSV, and whole numbers of more than 15 digits are text, because Excel rounds
them. Source: Microsoft's "Excel specifications and limits", and ECMA-376 part 1, 22.9.2.19 for the escapes.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.export import defused, plain_cell
from core.format import count, short

if TYPE_CHECKING:
    import pandas as pd

ROWS, COLUMNS, CHARACTERS = 1_048_576, 16_384, 32_767
"""Limits of a sheet and of a cell; the header takes one row."""
_ESCAPED = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_DIGITS = 10**15


def xlsx_bytes(tables: Mapping[str, pd.DataFrame], rows: int = ROWS) -> bytes:
    """The workbook. `rows` is the most rows of a sheet, header included. Raises DataError naming what Excel cannot hold."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    try:
        for name, frame in tables.items():
            _fill(book, name, frame, rows)
    except DataError:
        for sheet in book.worksheets:
            sheet.close()  # else its open file complains when it is collected
        raise
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fill(book: Any, name: str, frame: pd.DataFrame, rows: int) -> None:
    """One table into as many sheets as it needs."""
    if len(frame.columns) > COLUMNS:
        raise DataError(f"{name} has {count(len(frame.columns))} columns; an Excel sheet holds {count(COLUMNS)}. Choose Parquet.",
                        title="Too wide for Excel")  # fmt: skip
    for number, start in enumerate(range(0, max(1, len(frame)), rows - 1), start=1):
        sheet = book.create_sheet(name if number == 1 else f"{name} {number}")
        sheet.append([_cell(sheet, str(column), name, 0, str(column)) for column in frame.columns])
        for line in _lines(sheet, frame.iloc[start : start + rows - 1], name, start):
            sheet.append(line)


def sheets(frame: pd.DataFrame, rows: int = ROWS) -> int:
    """Over how many sheets a table goes."""
    return max(1, math.ceil(len(frame) / (rows - 1)))


def _lines(sheet: Any, frame: pd.DataFrame, name: str, start: int) -> Iterator[list[Any]]:
    columns = [str(column) for column in frame.columns]
    for number, row in enumerate(frame.itertuples(index=False, name=None), start=start + 1):
        yield [_cell(sheet, cell, name, number, column) for column, cell in zip(columns, row, strict=True)]


def _cell(sheet: Any, value: Any, table: str, row: int, column: str) -> Any:
    """A value Excel shows as it is. `row` counts from 1; 0 is the header."""
    value = plain_cell(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and math.isfinite(value) and abs(value) < _DIGITS:
        return value
    text = _UNPRINTABLE.sub(lambda found: f"_x{ord(found.group()):04X}_", _ESCAPED.sub("_x005F_x", str(defused(str(value)))))
    length = len(text.encode("utf-16-le")) // 2
    if length > CHARACTERS:
        raise DataError(
            f"Row {count(row)} of {table} has {count(length)} characters in '{short(column, 60)}'; an Excel cell holds "
            f"{count(CHARACTERS)}, and nothing is cut. Choose CSV, JSONL or Parquet, or cut the text with a Length window.",
            title="Too long for Excel",
        )
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell
