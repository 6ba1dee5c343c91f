"""The rows of one part, piece by piece, in the order of the file: text cells, JSON values or Arrow columns, and the rejects.

Every format that can be read piece by piece has a generator here; the others are read whole by the reader of small files.
How CSV is read (encoding, separator, quotes, where the header is) is decided once, from the first megabyte.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from core.errors import DataError
from core.io import parts
from core.io.parts import Part, Place
from core.load import binary, decoding, delimited, documents
from core.load.blocks import Blocks
from core.load.delimited import Reject
from core.load.read import ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 4 << 20
"""Bytes read at once; eight are slower, because they no longer fit the processor's cache."""
HEAD = 1 << 20
"""Bytes that decide how a file is read."""
_ROWS = 1024
"""Parquet rows decoded at once: one row may unpack to megabytes."""
_TEXT_BATCH = 4 << 20


class WrongByteError(DataError):
    """A byte that does not fit the encoding the first megabyte has."""

    part = ""
    sample = b""
    """The bytes around it, by which another encoding can be guessed."""


@dataclass
class Piece:
    """Some rows. `cells` is None when there are none."""

    cells: pa.Table | dict[str, list[Any]] | None
    """Text columns of a CSV or typed Arrow columns; or values of JSON."""
    rejects: list[Reject] = field(default_factory=list)
    at: int = 0
    """How many bytes of the file on disk were read by then."""


@dataclass(frozen=True)
class Head:
    """How a text file is read, found in its first megabyte."""

    encoding: str
    cells: delimited.Cells | None
    """The first rows of a CSV."""
    text: str


def head(part: Part, options: ReadOptions, encoding: str | None = None) -> Head:
    """Encoding, separator, quotes and header of a text file. Raises DataError as the reader of small files does."""
    with parts.unpacked(part) as (stream, _):
        data = stream.read(HEAD)
        whole = len(data) < HEAD
    wanted = encoding or options.encoding
    if not whole:
        data = _to_line(data, wanted)
    text, found = decoding.decode(part.name, data, wanted)
    if part.kind != "csv":
        return Head(found, None, text)
    if not whole and (end := _to_record(text)):
        text = text[:end]
    cells = delimited.parse(part.name, text, options.separator, options.quotes, options.header, options.skip)
    return Head(found, cells, text)


def _to_line(data: bytes, encoding: str | None) -> bytes:
    """Up to the last line end, so that no character is cut."""
    wide = (encoding or "").startswith("utf-16") or data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or data[:4000].count(0) > 400
    mark = b"\n\0" if wide and (data[:2] == codecs.BOM_UTF16_LE or data[1:2] == b"\0") else b"\0\n" if wide else b"\n"
    end = data.rfind(mark)
    while wide and end >= 0 and end % 2:
        end = data.rfind(mark, 0, end)
    return data[: end + len(mark)] if end >= 0 else data


def _to_record(text: str) -> int:
    """Where the last line ends that has an even number of quotes before it; 0 when none does."""
    cells = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    feeds = np.flatnonzero(cells == 10)
    even = np.flatnonzero(np.searchsorted(np.flatnonzero(cells == 34), feeds) % 2 == 0)
    return int(feeds[even[-1]]) + 1 if len(even) else 0


def of(part: Part, options: ReadOptions, encoding: str | None = None) -> Iterator[Piece]:
    """All pieces of a part. Raises DataError for damage, and UnicodeDecodeError where the guessed encoding turns out wrong."""
    if part.kind == "csv":
        yield from _csv(part, head(part, options, encoding))
    elif part.kind == "jsonl":
        yield from _jsonl(part, head(part, options, encoding))
    elif part.kind in ("parquet", "arrow"):
        yield from _columnar(part)
    else:
        yield _whole(part, options)


def _utf8(name: str, stream: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The text as UTF-8 without a mark, block by block; an empty last block."""
    if encoding in ("utf-8", "utf-8-sig", "ascii"):
        first = stream.read(BLOCK)
        yield first.removeprefix(codecs.BOM_UTF8)
        while first:
            first = stream.read(BLOCK)
            yield first
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    begun, line = False, 0
    while True:
        data = stream.read(BLOCK)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise _wrong_byte(name, line, error, encoding) from error
        line += text.count("\n")
        yield (text if begun else text.removeprefix("\ufeff")).encode()
        begun = begun or bool(text)
        if not data:
            return


def _csv(part: Part, found: Head) -> Iterator[Piece]:
    cells = found.cells
    assert cells is not None
    blocks = Blocks(cells.header, cells.separator, cells.quotes, cells.body)
    above = len("".join(islice(io.StringIO(found.text, newline=""), cells.body)).encode())
    yield Piece(None, [one for one in cells.rejects if one.line <= cells.body])
    with parts.unpacked(part) as (stream, raw):
        for data in _utf8(part.name, stream, found.encoding):
            below, above = data[above:], max(0, above - len(data))
            try:
                for piece in blocks.feed(below, last=not data):
                    yield Piece(piece.table, piece.rejects, raw.tell())
            except UnicodeDecodeError as error:
                raise _wrong_byte(part.name, blocks.line, error, found.encoding) from error


def _wrong_byte(name: str, line: int, error: UnicodeDecodeError, encoding: str) -> WrongByteError:
    at = line + error.object.count(b"\n", 0, error.start) + 1
    told = WrongByteError(
        f"{name}, line {at}: the byte 0x{error.object[error.start]:02x} is not {decoding.shown(encoding)}. Choose another encoding in "
        "Reading options.",
        title=f"This is not {decoding.shown(encoding)}",
    )
    told.part, told.sample = name, error.object[max(0, error.object.rfind(b"\n", 0, error.start)) :][:100_000]
    return told


def _jsonl(part: Part, found: Head) -> Iterator[Piece]:
    line, rest = 0, b""
    with parts.unpacked(part) as (stream, raw):
        for data in _utf8(part.name, stream, found.encoding):
            whole = rest + data
            end = len(whole) if not data else whole.rfind(b"\n") + 1
            rest = whole[end:]
            if not end:
                continue
            try:
                text = whole[:end].decode("utf-8")
            except UnicodeDecodeError as error:
                raise _wrong_byte(part.name, line, error, found.encoding) from error
            records, rejects, line = documents.some_lines(text, line)
            names = dict.fromkeys(key for record in records for key in record)
            cells = {name: [record.get(name) for record in records] for name in names}
            if records and not names:
                rejects = [*rejects, Reject(line, f"{len(records)} objects up to here without any field", "{}")]
            yield Piece(cells if names else None, rejects, raw.tell())


def _columnar(part: Part) -> Iterator[Piece]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    size, given = part.path.stat().st_size, 0
    limit = max(parts.UNPACKED, 100 * size)
    try:
        if part.kind == "parquet" and part.member is None:
            file = pq.ParquetFile(part.path)
            total, batches = max(1, file.metadata.num_rows), file.iter_batches(batch_size=_ROWS)
        else:
            with parts.unpacked(part) as (stream, _):
                whole = pa.BufferReader(stream.read()) if part.member else pa.memory_map(str(part.path))
            total, batches = 0, iter(binary.batches_of(whole)[1])
        done, held, bytes_held = 0, [], 0
        for batch in batches:
            given += batch.nbytes
            if given > limit:
                raise DataError(f"{part.name} unpacks to more than {limit:,} bytes. Unpack it yourself first.",
                                title="The file unpacks to too much")  # fmt: skip
            held, bytes_held, done = [*held, batch], bytes_held + batch.nbytes, done + batch.num_rows
            if bytes_held > _TEXT_BATCH:
                yield Piece(_flat(held, part), [], int(size * done / total) if total else min(size, given))
                held, bytes_held = [], 0
        if held:
            yield Piece(_flat(held, part), [], size)
    except (pa.ArrowException, OSError) as error:
        raise binary.damaged(part.name, "Parquet" if part.kind == "parquet" else "Arrow", error) from error


def _flat(batches: list[pa.RecordBatch], part: Part, schema: pa.Schema | None = None) -> pa.Table:
    import pyarrow as pa

    table = pa.Table.from_batches(batches, schema=schema)
    for name, labels in part.labels.items():
        if name in table.column_names:
            values = [labels[v] if v is not None and 0 <= v < len(labels) else None for v in table.column(name).to_pylist()]
            table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.large_string()))
    return binary.flattened(table)


def schema_of(place: Place) -> dict[str, pa.DataType]:
    """Column -> type over all parts of Parquet or Arrow, text where parts disagree; empty for other formats."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[str, pa.DataType] = {}
    for part in place.parts:
        if part.kind not in ("parquet", "arrow"):
            return {}
        try:
            if part.kind == "parquet" and part.member is None:
                schema = pq.read_schema(part.path)
            else:
                with parts.unpacked(part) as (stream, _):
                    schema = binary.batches_of(pa.BufferReader(stream.read()) if part.member else pa.memory_map(str(part.path)))[0]
        except (pa.ArrowException, OSError) as error:
            raise binary.damaged(part.name, "Parquet" if part.kind == "parquet" else "Arrow", error) from error
        for field_ in _flat([], part, schema).schema:
            kind = pa.large_string() if pa.types.is_string(field_.type) or pa.types.is_null(field_.type) else field_.type
            if found.setdefault(field_.name, kind) != kind:
                both = {str(kind), str(found[field_.name])}
                found[field_.name] = pa.float64() if both <= {"int64", "int32", "double", "float"} else pa.large_string()
    return found


def _whole(part: Part, options: ReadOptions) -> Piece:
    """A format that is read whole, in the child with a memory limit."""
    from core.io import reading

    loaded = reading.load(part.name, part.path.read_bytes(), replace(options, shapes=False, member=part.member))
    cells = {str(name): [None if v is None or v != v else v for v in loaded.frame[name].tolist()] for name in loaded.frame.columns}
    return Piece(cells, list(loaded.rejects), part.path.stat().st_size)
