"""Kept rows on their way through the disk: each part into files of one schema, all parts into one table.

Nothing is held but the rows of one row group. What differs between files (a column of nothing here, text there; whole numbers and
numbers with a point) is made one when the parts come together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.io import store
from core.io.parquet import Rows
from core.load.joining import common, fitted, joined
from core.load.roles import canonical_splits
from core.version import SPLITS

if TYPE_CHECKING:
    import pyarrow as pa


class Sink:
    """The kept rows of one part: <stem>-000.parquet, and a further file each time the columns or types change."""

    def __init__(self, target: Path) -> None:
        self.target, self.rows, self.bytes = target, 0, 0
        self._held: list[pa.Table] = []
        self._open: Rows | None = None
        self._schema: pa.Schema | None = None
        self._files = 0

    def write(self, table: pa.Table) -> None:
        """Rows in their order."""
        self._held.append(table)
        self.rows, self.bytes = self.rows + len(table), self.bytes + table.nbytes
        if sum(map(len, self._held)) >= store.ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        if self._open is not None:
            self._open.close()

    def _flush(self) -> None:
        if not self._held:
            return
        table = joined(self._held)
        self._held = []
        if self._open is None or table.schema != self._schema:
            if self._open is not None:
                self._open.close()
            self._open = Rows(self.target.with_name(f"{self.target.stem}-{self._files:03}.parquet"))
            self._schema, self._files = table.schema, self._files + 1
        self._open.write(table)


def files_of(target: Path) -> list[Path]:
    """What a `Sink` left, in the order of the rows."""
    return sorted(target.parent.glob(f"{target.stem}-*.parquet"))


def together(paths: Sequence[Path], target: Path) -> pa.Schema:
    """All rows of these files in one file of row groups of the store's size; returns its columns and types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = common([pq.read_schema(path) for path in paths])
    output = Rows(target)
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=store.ROW_GROUP):
                output.write(fitted(pa.Table.from_batches([batch]), schema))
    output.close()
    return schema


def splits_of(paths: Sequence[Path], column: str) -> Counter[str] | None:
    """Rows of each split, when that column holds names of splits only; else None."""
    import pyarrow.parquet as pq

    found: Counter[str] = Counter()
    for path in paths:
        if column in pq.read_schema(path).names:
            cells = pq.read_table(path, columns=[column]).column(column).to_pandas()
            found.update(canonical_splits(cells).dropna().astype("str").tolist())
    return found if found and set(found) <= set(SPLITS) else None


def with_splits(path: Path, target: Path, column: str) -> None:
    """The same rows with train, validation and test in that column, whatever they were called."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    output = Rows(target)
    with pq.ParquetFile(path) as file:
        place = file.schema_arrow.names.index(column)
        for batch in file.iter_batches(batch_size=store.ROW_GROUP):
            table = pa.Table.from_batches([batch])
            named = canonical_splits(table.column(place).to_pandas()).astype("str")
            output.write(table.set_column(place, column, pa.array(named, pa.large_string(), from_pandas=True)))
    output.close()
