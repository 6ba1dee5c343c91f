"""One part of a dataset (a split of a configuration) from its files to Parquet files of the kept rows.

Parts are independent: each is read by a process of its own where there are several. Parquet is read in pieces when only some
columns or rows are wanted, whole and checked otherwise; other formats go through `core.load`. Decoded bytes are counted.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.format import size
from core.io.sources.remote import RemoteFile, fetch
from core.io.sources.whole import Sink
from core.load import binary, unpack
from core.load.condition import Condition, kept
from core.load.read import ReadOptions, read
from core.load.repository import PARQUET, Entry, listed

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY = 8 << 30
"""Address space of a process that reads, in bytes."""
BUDGET = 32 << 30
"""Decoded bytes of the kept rows of a part."""
BATCH_BYTES = 2 << 30
"""Decoded bytes of some rows of a file: more are made to fill the memory."""
FIRST = 1 << 18
"""Bytes of a text file that are fetched first when only some rows are wanted."""
_BATCH = 1024


@dataclass(frozen=True)
class Part:
    """What is read, and what of it is kept."""

    id: str
    commit: str
    config: str
    split: str
    files: tuple[Entry, ...]
    rows: int | None = None
    """Kept rows at most; None is all."""
    columns: tuple[str, ...] | None = None
    """None is all."""
    condition: Condition | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    """Columns with one value that are added: the configuration's name, the split's."""

    @property
    def name(self) -> str:
        return f"{self.config}, {self.split}"


@dataclass
class Progress:
    """How far a part is."""

    files: int = 0
    rows: int = 0
    seen: int = 0
    bytes: int = 0
    rejected: int = 0
    rejects: list[dict[str, Any]] = field(default_factory=list)


Told = Callable[[Progress], None]
"""Called with the state now and then; raises Stopped to stop."""


def read_part(part: Part, target: Path, token: str | None, tell: Told) -> Progress:
    """The kept rows into the files of `whole.files_of(target)`. Raises StudioError with the cause, Stopped when `tell` does."""
    state, sink = Progress(), Sink(target)
    for entry in part.files:
        for table in _tables(part, entry, target, token, state, tell):
            state.seen += len(table)
            rows = _kept(part, table, state.rows)
            if len(rows):
                sink.write(rows)
                state.rows += len(rows)
            if sink.bytes > BUDGET:
                raise DataError(f"{part.name}: the rows take more than {size(BUDGET)}. Read the first rows, fewer columns or fewer "
                                "configurations.", title="The table is too large")  # fmt: skip
            tell(state)
            if part.rows is not None and state.rows >= part.rows:
                break
        state.files += 1
        tell(state)
        if part.rows is not None and state.rows >= part.rows:
            break
    sink.close()
    return state


def _kept(part: Part, table: pa.Table, before: int) -> pa.Table:
    """The rows and columns that are wanted, with the columns that are added."""
    import pyarrow as pa

    rows = kept(table, part.condition)
    if part.columns is not None:
        rows = rows.select([name for name in rows.column_names if name in part.columns])
    if part.rows is not None:
        rows = rows.slice(0, part.rows - before)
    for name, value in part.marks.items():
        rows = rows.append_column(name, pa.array([value] * len(rows), pa.large_string()))
    return rows


def worker(part: Part, target: Path, token: str | None) -> Progress:
    """`read_part` in a process of its own: the state stands in a file beside the target, a file `halt` there stops it."""
    from core.errors import Stopped
    from core.io import files

    told = [0.0]

    def tell(state: Progress) -> None:
        if time.monotonic() - told[0] < 0.2:
            return
        told[0] = time.monotonic()
        line = f"{state.files} {state.rows} {state.bytes}"
        temporary = target.with_suffix(".told-new")
        temporary.write_text(line)
        temporary.replace(target.with_suffix(".told"))
        if (target.parent / "halt").exists():
            raise Stopped

    with files.disk_errors(target):
        return read_part(part, target, token, tell)


def ready(parent: int) -> None:
    """Runs first in each worker: a memory limit, and an end when its parent is gone."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _tables(part: Part, entry: Entry, target: Path, token: str | None, state: Progress, tell: Told) -> Iterator[pa.Table]:
    """The file's rows, some at a time."""

    def came(new: int) -> None:
        state.bytes += new
        tell(state)

    wanted: list[str] | None = None
    if part.columns is not None:
        wanted = list(dict.fromkeys([*part.columns, *([part.condition.column] if part.condition else [])]))
    remote = RemoteFile(part.id, part.commit, entry, token, came)
    if entry.path.endswith(PARQUET):
        if wanted is not None or part.rows is not None:
            yield from _parquet(entry, remote, wanted)
            return
        path = fetch(part.id, part.commit, entry, token, target.with_suffix(".download"), came)
        try:
            yield from _parquet(entry, path, None)
        finally:
            path.unlink(missing_ok=True)
        return
    if part.rows is None or entry.path.removesuffix(".gz").endswith(".json"):
        path = fetch(part.id, part.commit, entry, token, target.with_suffix(".download"), came)
        try:
            yield _text(entry, path.read_bytes(), None, state)
        finally:
            path.unlink(missing_ok=True)
        return
    yield _beginning(part, entry, remote, part.rows - state.rows, state)


def _parquet(entry: Entry, source: RemoteFile | Path, columns: list[str] | None) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source, pre_buffer=False)
        there = file.schema_arrow.names
        lacking = [name for name in columns or [] if name not in there]
        if lacking:
            raise DataError(f"{entry.path} has no column '{lacking[0]}'. It has {listed(there, 20)}.", title="No such column")
        for batch in file.iter_batches(batch_size=_BATCH, columns=columns):
            if batch.nbytes > BATCH_BYTES:
                raise unpack.too_much(entry.path, entry.size, BATCH_BYTES)
            yield binary.flattened(pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(
            f"{entry.path} cannot be read as Parquet: {first}. It may be damaged where it is kept; choose another revision or file.",
            title="The Parquet file is damaged",
        ) from error


def _text(entry: Entry, data: bytes, rows: int | None, state: Progress) -> pa.Table:
    import pyarrow as pa

    loaded = read(entry.path.rsplit("/", 1)[-1], data, ReadOptions(rows=rows))
    state.rejected += len(loaded.rejects)
    state.rejects += [{"file": entry.path, "line": one.line, "reason": one.reason} for one in loaded.rejects[: 100 - len(state.rejects)]]
    return pa.Table.from_pandas(loaded.frame, preserve_index=False).replace_schema_metadata(None)


def _beginning(part: Part, entry: Entry, remote: RemoteFile, rows: int, state: Progress) -> pa.Table:
    """So much of a text file that `rows` rows of it are kept, or all of it."""
    data, before = b"", (state.rejected, list(state.rejects))
    while True:
        data += remote.read(max(FIRST, len(data)))
        whole = len(data) >= entry.size
        text = data if whole else _lines(entry, data)
        state.rejected, state.rejects = before[0], list(before[1])
        if text or whole:
            table = _text(entry if whole else _unpacked(entry), text, rows if part.condition is None else None, state)
            if whole or len(kept(table, part.condition)) >= rows:
                return table


def _unpacked(entry: Entry) -> Entry:
    return Entry(entry.path.removesuffix(".gz"), entry.size)


def _lines(entry: Entry, data: bytes) -> bytes:
    """The whole lines at the beginning of a text file of which only the beginning is there."""
    if entry.path.endswith(".gz"):
        limit = max(unpack.FREE, unpack.RATIO * len(data))
        try:
            inner = zlib.decompressobj(31)
            data = inner.decompress(data, limit)
        except zlib.error as error:
            raise DataError(f"{entry.path} is no gzip file ({error}).", title="The archive is damaged") from error
        if inner.unconsumed_tail:
            raise unpack.too_much(entry.path, entry.size, limit)
    return data[: data.rfind(b"\n") + 1]
