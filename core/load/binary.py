"""Parquet and workbooks (XLSX, XLSM), read piece by piece under limits.

What a file says of its own size is never believed: decoded bytes are counted while reading, a workbook's stated extent
is ignored, empty rows and columns are left out. Formulas give their last computed value.
"""

from __future__ import annotations

import datetime
import io
import json
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.format import count, size
from core.load import unpack
from core.load.delimited import names

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1024
"""Rows decoded at once: few, because one row may unpack to megabytes."""


def parquet(name: str, data: bytes, budget: int, cells: int, limit: int | None = None) -> pa.Table:
    """The table with nested columns as JSON text. Raises DataError for damage and for more than `budget` decoded bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        batches, total, rows = [], 0, 0
        for batch in file.iter_batches(batch_size=_ROWS):
            batches.append(batch)
            total, rows = total + batch.nbytes, rows + batch.num_rows
            if total > budget:
                raise unpack.too_much(name, len(data), budget)
            if rows * max(1, batch.num_columns) > cells:
                raise too_many(name, rows, batch.num_columns, cells)
            if limit and rows >= limit:
                break
        table = pa.Table.from_batches(batches, schema=file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0][:200]
        raise DataError(f"{name} cannot be read as Parquet: {first}. Write it again.", title="The Parquet file is damaged") from error
    return flattened(table.slice(0, limit) if limit else table)


def flattened(table: pa.Table) -> pa.Table:
    """Nested columns as JSON text, dictionaries as their values, exact decimals and bytes as text."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        kind = field.type
        if pa.types.is_dictionary(kind):
            column = table.column(place).cast(kind.value_type)
        elif pa.types.is_nested(kind):
            column = pa.array(
                [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in table.column(place).to_pylist()]
            )
        elif pa.types.is_decimal(kind):
            column = table.column(place).cast(pa.float64() if kind.precision <= 15 else pa.string())
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            column = pa.array([None if v is None else v.decode("utf-8", "backslashreplace") for v in table.column(place).to_pylist()])
        elif pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind):
            column = table.column(place).cast(pa.string())
        else:
            continue
        table = table.set_column(place, field.name, column)
    return table.rename_columns(list(names([str(name) for name in table.column_names])))


def workbook(
    name: str, data: bytes, budget: int, cells: int, sheet: str | None = None, header: bool = True, skip: int = 0, limit: int | None = None
) -> tuple[dict[str, list[Any]], list[int], list[str], str]:
    """(columns of values, 1-based sheet rows, names of all sheets, the one read). The first row with two values is the header."""
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
    if sheet is not None and sheet not in sheets:
        raise DataError(f"{name} has no sheet '{sheet}'. It has {', '.join(sheets[:20])}.", title="No such sheet")
    if not sheets:
        raise DataError(f"{name} has no sheet with cells.", title="The file is empty")
    chosen = sheet or sheets[0]
    found = _filled(name, book[chosen], cells, skip, limit)
    if not found:
        raise DataError(f"The sheet '{chosen}' of {name} has no filled cell. Choose another sheet.", title="The file is empty")
    columns, numbers = _columns(found, header)
    if not numbers:
        raise DataError(f"The sheet '{chosen}' of {name} has a header and no rows below it.", title="A header without rows")
    return columns, numbers, sheets, chosen


def _filled(name: str, sheet: Any, cells: int, skip: int, limit: int | None) -> list[tuple[int, dict[int, Any]]]:
    """(row number, column -> value) of the rows that hold something; far-away single cells cost nothing."""
    sheet.reset_dimensions()
    rows: list[tuple[int, dict[int, Any]]] = []
    held = 0
    for number, row in enumerate(sheet.iter_rows(min_row=1, values_only=True), start=1):
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


def too_many(name: str, rows: int, columns: int, cells: int) -> DataError:
    return DataError(
        f"{name} has more than {count(cells)} cells ({count(rows)} rows of {columns} columns so far; {size(8 * cells)} at the least). "
        "Choose fewer rows with First rows in Reading options.",
        title="The table is too large",
    )
