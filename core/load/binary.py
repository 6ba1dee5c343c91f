"""Parquet and Arrow (Feather), read piece by piece under limits.

What a file says of its own size is never believed: decoded bytes are counted while reading. Nested columns become JSON text.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

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
        table = _bounded(name, len(data), file.iter_batches(batch_size=_ROWS), file.schema_arrow, budget, cells, limit)
    except (pa.ArrowException, OSError) as error:
        raise damaged(name, "Parquet", error) from error
    return flattened(table)


def arrow(name: str, data: bytes, budget: int, cells: int, limit: int | None = None) -> pa.Table:
    """The same for an Arrow file, an Arrow stream, or Feather of either version."""
    import pyarrow as pa
    import pyarrow.feather as feather

    try:
        if data.startswith(b"FEA1"):
            table = feather.read_table(io.BytesIO(data))
            table = _bounded(name, len(data), table.to_batches(max_chunksize=_ROWS), table.schema, budget, cells, limit)
        else:
            schema, batches = batches_of(pa.BufferReader(data))
            table = _bounded(name, len(data), batches, schema, budget, cells, limit)
    except (pa.ArrowException, OSError) as error:
        raise damaged(name, "Arrow", error) from error
    return flattened(table)


def batches_of(source: pa.NativeFile) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    """Schema and record batches of an Arrow file or stream, one at a time."""
    import pyarrow as pa

    head = source.read(6)
    source.seek(0)
    if head == b"ARROW1":
        file = pa.ipc.open_file(source)
        return file.schema, (file.get_batch(place) for place in range(file.num_record_batches))
    stream = pa.ipc.open_stream(source)
    return stream.schema, stream


def damaged(name: str, kind: str, error: Exception) -> DataError:
    first = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return DataError(f"{name} cannot be read as {kind}: {first}. Write it again.", title=f"The {kind} file is damaged")


def _bounded(
    name: str, packed: int, batches: Iterable[pa.RecordBatch], schema: pa.Schema, budget: int, cells: int, limit: int | None
) -> pa.Table:
    import pyarrow as pa

    kept, total, rows = [], 0, 0
    for batch in batches:
        kept.append(batch)
        total, rows = total + batch.nbytes, rows + batch.num_rows
        if total > budget:
            raise unpack.too_much(name, packed, budget)
        if rows * max(1, batch.num_columns) > cells:
            raise too_many(name, rows, batch.num_columns, cells)
        if limit and rows >= limit:
            break
    table = pa.Table.from_batches(kept, schema=schema)
    return table.slice(0, limit) if limit else table


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


def too_many(name: str, rows: int, columns: int, cells: int) -> DataError:
    return DataError(
        f"{name} has more than {count(cells)} cells ({count(rows)} rows of {columns} columns so far; {size(8 * cells)} at the least). "
        "Choose fewer rows with First rows in Reading options.",
        title="The table is too large",
    )
