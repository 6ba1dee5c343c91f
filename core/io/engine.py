"""Row functions over tables of any size: in this process, or spread over several.

Every way goes through one adapter, Arrow in and Arrow out with a declared schema, over chunks of 10,000 rows in order. So
the result is the same, byte for byte, whatever the number of workers. A third engine (Ray's map_batches with
batch_format="pyarrow" and order kept) would run the same `apply`. Workers are spawned and end when their parent is gone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.errors import DataError
from core.io.spawning import Spawned

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 10_000
"""Rows per call: fixed, so that output does not depend on the number of workers."""
POOL_FROM = 20_000
"""Rows from which on starting processes pays."""
RowFunction = Callable[[pd.DataFrame], pd.DataFrame]
"""Some rows in; the same rows in the same order out. Picklable: a function of a module, or a dataclass with __call__."""


@dataclass(frozen=True)
class Done:
    """What came back."""

    frame: pd.DataFrame
    """The rows in their order, with the index they came with."""
    notes: tuple[dict[str, Any], ...] = ()
    """`attrs` of each chunk's frame, in order."""


def workers_for(rows: int) -> int:
    """Processes that pay for so many rows: one below 20,000, else as many as there are cores (eight at most) and chunks."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if rows < POOL_FROM else max(1, min(cores, 8, -(-rows // CHUNK)))


def run(
    function: RowFunction,
    frame: pd.DataFrame,
    writes: dict[str, pa.DataType],
    *,
    workers: int = 1,
    chunk: int = CHUNK,
    progress: Callable[[int, int, str], None] | None = None,
) -> Done:
    """The function over all rows. `writes` declares the columns it adds or replaces; the others keep their type.

    `progress(done, total, message)` may raise to stop. Raises DataError when a chunk comes back with other rows.
    """
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    schema = declared(table.schema, writes)
    chunks = [table.slice(start, chunk) for start in range(0, max(1, len(table)), chunk)]
    parts, notes, total = [], [], len(table)
    for part, note in _results(function, chunks, schema, workers):
        parts.append(part)
        notes.append(note)
        if progress:
            progress(min(len(parts) * chunk, total), total, "rows")
    made = pa.concat_tables(parts).to_pandas()
    made.index = frame.index
    return Done(made, tuple(notes))


def declared(schema: pa.Schema, writes: dict[str, pa.DataType]) -> pa.Schema:
    """The schema of the output: written columns have their declared type, at the end where they are new."""
    import pyarrow as pa

    fields = [pa.field(field.name, writes.get(field.name, field.type)) for field in schema]
    return pa.schema([*fields, *(pa.field(name, kind) for name, kind in writes.items() if name not in schema.names)])


def apply(function: RowFunction, chunk: pa.Table, schema: pa.Schema) -> tuple[pa.Table, dict[str, Any]]:
    """The one adapter: Arrow to pandas, the function, and back to the declared schema."""
    import pyarrow as pa

    made = function(chunk.to_pandas())
    if len(made) != len(chunk):
        raise DataError(f"A row function gave back {len(made)} of {len(chunk)} rows. It has to mark rows as dropped, not leave them out.",
                        title="Rows went missing")  # fmt: skip
    note = {str(name): value for name, value in made.attrs.items()}
    made.attrs = {}
    return pa.Table.from_pandas(made, schema=schema, preserve_index=False).replace_schema_metadata(None), note


def _results(function: RowFunction, chunks: list[pa.Table], schema: pa.Schema, workers: int) -> Iterator[tuple[pa.Table, dict[str, Any]]]:
    if workers <= 1 or len(chunks) == 1:
        yield from (apply(function, part, schema) for part in chunks)
        return
    pool = ProcessPoolExecutor(min(workers, len(chunks)), Spawned(), _watch_parent, (os.getpid(),))
    try:
        futures = [pool.submit(apply, function, part, schema) for part in chunks]
        yield from (future.result() for future in futures)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _watch_parent(parent: int) -> None:
    """Runs in each worker: a killed parent leaves none behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
