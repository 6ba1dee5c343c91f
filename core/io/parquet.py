"""Tables on their way to disk, piece by piece: rows in row groups of the store's size, and rejects beside them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.io import store
from core.load.delimited import Reject

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FIRST = 1_000
"""Rejects that are also kept in memory, for version.json."""
CODEC = "snappy"
"""Large tables are packed for speed: half the time of zstd to write, faster to ask, two thirds larger on disk."""
PAGE = 4 << 20
"""Bytes of a data page: one for a column of a row group, which is written a fifth faster than in pages of 1 MiB."""
_ROW_GROUP_BYTES = 128 << 20


class Rows:
    """One Parquet file of rows, written as they come, in a thread of its own. All tables have the columns and types of the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: pq.ParquetWriter | None = None
        self.held: list[pa.Table] = []
        self.rows = self.bytes = 0
        self.pool = ThreadPoolExecutor(1)
        self.going: Future[None] | None = None

    def write(self, table: pa.Table) -> None:
        """Take the rows; the table before has been written when this returns. Raises what went wrong with that one."""
        self._settled()
        self.going = self.pool.submit(self._write, table)

    def _settled(self) -> None:
        if self.going is not None:
            self.going.result()
            self.going = None

    def _write(self, table: pa.Table) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.writer is None:
            self.schema = table.schema
            how: Any = {"compression": CODEC, "use_dictionary": _repeating(table), "data_page_size": PAGE}
            self.writer = pq.ParquetWriter(self.path, table.schema, **how)
        if table.schema != self.schema:
            table = table.select(self.schema.names).cast(self.schema)
        self.held.append(table)
        self.rows, self.bytes = self.rows + table.num_rows, self.bytes + table.nbytes
        if self.rows >= store.ROW_GROUP or self.bytes > _ROW_GROUP_BYTES:
            whole = pa.concat_tables(self.held)
            size = min(self.rows, store.ROW_GROUP)
            ready = self.rows // size * size
            self.writer.write_table(whole.slice(0, ready), row_group_size=size)
            rest = whole.slice(ready)
            self.held, self.rows, self.bytes = ([rest], rest.num_rows, rest.nbytes) if rest.num_rows else ([], 0, 0)

    def close(self) -> None:
        import pyarrow as pa

        try:
            self._settled()
            if self.writer is not None and self.held:
                self.writer.write_table(pa.concat_tables(self.held), row_group_size=store.ROW_GROUP)
        finally:
            self.pool.shutdown()
            if self.writer is not None:
                self.writer.close()


class Rejects:
    """What could not be read: line, reason, text, and the file where there are several. No file when there is none."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        self.writer: pq.ParquetWriter | None = None
        self.first: list[Reject] = []
        path.unlink(missing_ok=True)

    def add(self, found: Sequence[Reject], file: str | None) -> None:
        import pyarrow.parquet as pq

        if not found:
            return
        table = rejects_table(found, file)
        self.writer = self.writer or pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self.writer.write_table(table)
        self.rows += len(found)
        self.first += found[: max(0, FIRST - len(self.first))]

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def rejects_table(found: Sequence[Reject], file: str | None = None) -> pa.Table:
    """Columns line, reason, text, and file when one is named."""
    import pyarrow as pa

    columns = {"file": pa.array([file] * len(found), pa.large_string())} if file is not None else {}
    columns |= {"line": pa.array([one.line for one in found], pa.int64())}
    columns |= {name: pa.array([getattr(one, name) for one in found], pa.large_string()) for name in ("reason", "text")}
    return pa.table(columns)


def _repeating(table: pa.Table) -> list[str]:
    """Columns worth a dictionary: at most half of the first cells differ."""
    pc: Any = import_module("pyarrow.compute")
    head = table.slice(0, 5_000)
    return [name for name in table.column_names if pc.count_distinct(head.column(name)).as_py() <= 0.5 * head.num_rows]
