"""Tables of one meaning from several files as one table: columns by name, types that differ made one.

Files of one dataset often disagree (a column of nothing in one, text in the other; whole numbers and numbers with a point).
Numbers stay numbers when all are; everything else that differs becomes text, and no cell is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.load.columns import as_text

if TYPE_CHECKING:
    import pyarrow as pa


def joined(parts: Sequence[pa.Table]) -> pa.Table:
    """The rows of all parts in their order; a column that a part lacks is missing there. At least one part is needed."""
    import pyarrow as pa

    schema = common([part.schema for part in parts])
    return pa.concat_tables([fitted(part, schema) for part in parts]) if parts else schema.empty_table()


def common(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Every column of any of them, in the order they come, each with a type that holds all its cells."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for schema in schemas for name in schema.names))
    return pa.schema([pa.field(name, _common([schema.field(name).type for schema in schemas if name in schema.names])) for name in names])


def _common(types: Sequence[pa.DataType]) -> pa.DataType:
    import pyarrow as pa

    kinds = list(dict.fromkeys(pa.large_string() if pa.types.is_string(one) else one for one in types if not pa.types.is_null(one)))
    if not kinds:
        return pa.large_string()
    if len(kinds) == 1:
        return kinds[0]
    if all(pa.types.is_integer(one) for one in kinds):
        return pa.int64()
    if all(pa.types.is_integer(one) or pa.types.is_floating(one) for one in kinds):
        return pa.float64()
    return pa.large_string()


def fitted(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with these columns and types: a column it lacks is missing, numbers may become text."""
    import pyarrow as pa

    columns: list[Any] = []
    for field in schema:
        if field.name not in part.column_names:
            columns.append(pa.nulls(len(part), field.type))
            continue
        column = part.column(field.name)
        if column.type == field.type:
            columns.append(column)
        elif pa.types.is_large_string(field.type) and not (pa.types.is_string(column.type) or pa.types.is_null(column.type)):
            columns.append(pa.array([None if cell is None else as_text(cell) for cell in column.to_pylist()], field.type))
        else:
            columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)
