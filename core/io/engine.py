"""Row functions over tables of any size: in this process, or spread over several.

Every way goes through one adapter, Arrow in and Arrow out with a declared schema, over chunks of 10,000 rows in order. So
the result is the same, byte for byte, whatever the number of workers. Only the columns a function reads travel to it and
only those it writes come back. A third engine (Ray's map_batches with batch_format="pyarrow" and order kept) would run the
same `apply`. Workers have one thread each; they end at once when the work is stopped or their parent is gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.errors import DataError
from core.io.crew import Crew

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Made = tuple[pa.Table, pa.Table, dict[str, Any]]
    """Of a chunk: the written cells of the rows that stay, the told columns of all its rows, its notes."""

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
    """The rows in their order, with the index they came with; of a run that was `told` some columns, the rows that stay."""
    told: pd.DataFrame
    """The columns it was `told`, of all rows."""
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
    reads: Collection[str] | None = None,
    told: Sequence[str] = (),
    workers: int = 1,
    crew: Crew | None = None,
    chunk: int = CHUNK,
    progress: Callable[[int, int, str], None] | None = None,
) -> Done:
    """The function over all rows. `writes` declares the columns it adds or replaces; the others stay as they are.

    Work is spread over the `crew`, or over as many `workers` as are asked for, which end with the run.

    `reads` names the columns the function is shown (default: all). `told` names columns among `writes` that come back for every
    row, the first of which says why a row leaves (null: it stays): what else such rows hold does not travel. `progress(done,
    total, message)` counts rows; it is called twice a second at least while workers run and may raise to stop. Raises DataError
    when a chunk comes back with other rows, StudioError when a worker is killed.
    """
    import pyarrow as pa

    shown = frame if reads is None else frame[[name for name in frame.columns if name in set(reads)]]
    table = pa.Table.from_pandas(shown, preserve_index=False).replace_schema_metadata(None)
    schema, total = pa.schema(list(writes.items())), len(frame)
    chunks = [(start, min(chunk, total - start)) for start in range(0, max(1, total), chunk)]

    def tell(done: int) -> None:
        if progress:
            progress(min(done * chunk, total), total, "rows")

    workers = crew.workers if crew else workers
    if workers <= 1 or len(chunks) == 1 or not shown.columns.size:
        made = []
        for start, length in chunks:
            made.append(apart(*apply(function, table.slice(start, length), schema, length), told))
            tell(len(made))
    else:
        with crew or crew_of(min(workers, len(chunks))) as several:
            made = _spread(function, table, schema, chunks, several, tell, tuple(told))
    written, all_rows = (pa.concat_tables([parts[place] for parts in made]).to_pandas() for place in (0, 1))
    all_rows.index = frame.index
    out = frame.copy(deep=False) if not told else pd.DataFrame(_kept(frame, set(writes), all_rows[told[0]].isna().to_numpy()))
    written.index = out.index
    for name in written:
        out[name] = written[name]
    out.attrs = {}
    return Done(out, all_rows, tuple(parts[2] for parts in made))


def _kept(frame: pd.DataFrame, written: set[str], stays: np.ndarray) -> pd.DataFrame:
    """The rows that stay, in the columns' order; those that come back anyway hold nothing yet."""
    out = pd.DataFrame(frame[[name for name in frame.columns if name not in written]])
    out = out if stays.all() else pd.DataFrame(out[stays])
    return out.reindex(columns=frame.columns)


def apart(made: pa.Table, note: dict[str, Any], told: Sequence[str]) -> Made:
    """The cells of the rows that stay, and the told columns of all rows."""
    if not told:
        return made, made.select([]), note
    return made.drop_columns(list(told)).filter(made[told[0]].is_null()), made.select(list(told)), note


def apply(function: RowFunction, chunk: pa.Table, schema: pa.Schema, rows: int) -> tuple[pa.Table, dict[str, Any]]:
    """The one adapter: Arrow to pandas, the function, and the written columns back in their declared types."""
    import pyarrow as pa

    made = function(chunk.to_pandas() if chunk.num_columns else pd.DataFrame(index=pd.RangeIndex(rows)))
    if len(made) != rows:
        raise DataError(f"A row function gave back {len(made)} of {rows} rows. It has to mark rows as dropped, not leave them out.",
                        title="Rows went missing")  # fmt: skip
    note = {str(name): value for name, value in made.attrs.items()}
    made.attrs = {}
    return pa.Table.from_pandas(made, schema=schema, preserve_index=False).replace_schema_metadata(None), note


def _spread(
    function: RowFunction,
    table: pa.Table,
    schema: pa.Schema,
    chunks: list[tuple[int, int]],
    crew: Crew,
    tell: Callable[[int], None],
    told: tuple[str, ...],
) -> list[Made]:
    """The chunks over a crew, packed as workers ask for them, so that no second copy of the table is made."""
    parts = ((function, packed(table.slice(start, length)), schema, length, told) for start, length in chunks)
    return [(unpacked(stay), unpacked(every), note) for stay, every, note in crew.in_order(_away, parts, len(chunks), tell)]


def _away(function: RowFunction, chunk: bytes, schema: pa.Schema, rows: int, told: tuple[str, ...]) -> tuple[bytes, bytes, dict[str, Any]]:
    """`apply` in a worker: what travels is Arrow's own format, which holds the rows of the chunk and no others."""
    stay, every, note = apart(*apply(function, unpacked(chunk), schema, rows), told)
    return packed(stay), packed(every), note


def packed(table: pa.Table) -> bytes:
    """A table in Arrow's stream format. (Pickling a slice would send the whole table.)"""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def unpacked(data: bytes) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_stream(pa.py_buffer(data)).read_all()


def one_thread() -> None:
    """Runs first in each worker: they stand side by side, one to a core."""
    import pyarrow as pa

    pa.set_cpu_count(1)


def crew_of(workers: int) -> Crew:
    """Workers for row functions."""
    return Crew(workers, None, one_thread)
