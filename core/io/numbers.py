"""Row-aligned numbers beside a version: characters, words, tokens, the target as a number, and a hash of the text.

    <version>/numbers.parquet              n_chars, n_words, n_tokens (o200k_base), target, text_hash
    <version>/numbers-<tokenizer>.parquet  the same for another tokenizer

Written once, whole or not at all, read beside the table by position; a file with another number of rows is written
again, because it would shift every row. Up to 200,000 rows everything is counted at once. Above, words and tokens stay
empty until the job "tokens" has counted all rows; meanwhile they are told from a sample (see `profiling`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.explore.findings import text_of
from core.io import files, store, tokens
from core.io.database import asking, literal, quoted
from core.task import target_of
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from core.io.work import Desk

MEASURES = ("n_chars", "n_words", "n_tokens", "target")
COLUMNS = (*MEASURES, "text_hash")
DEFAULT = "o200k_base"
LARGE = 200_000
"""Rows up to which words and tokens are counted without being asked."""
_ROWS = 20_000


def path(version: Version, tokenizer: str = DEFAULT) -> Path:
    """Where the numbers of a version stand."""
    name = "numbers.parquet" if tokenizer == DEFAULT else f"numbers-{files.slug(tokenizer)}.parquet"
    return store.folder(version) / name


def ensure(version: Version, tokenizer: str = DEFAULT, progress: Callable[[int, int, str], None] | None = None) -> Path:
    """The file, written now when it is missing or does not fit. `progress(done, total, message)` counts rows.

    Above LARGE rows the file of the default tokenizer is written without words and tokens; another tokenizer's is
    counted in full, which takes its time.
    """
    target = path(version, tokenizer)
    if target.exists() and _fits(target, version):
        return target
    if version.rows > LARGE and tokenizer == DEFAULT:
        return _quick(version, target)
    return count(version, tokenizer, progress)


def is_counted(version: Version, tokenizer: str = DEFAULT) -> bool:
    """Whether words and tokens of all rows are at hand."""
    import pyarrow.parquet as pq

    target = path(version, tokenizer)
    if not target.exists() or not _fits(target, version):
        return False
    first = pq.read_metadata(target).row_group(0).column(COLUMNS.index("n_tokens")).statistics
    return first is not None and first.null_count == 0


def count(version: Version, tokenizer: str = DEFAULT, progress: Callable[[int, int, str], None] | None = None) -> Path:
    """Write the whole file, words and tokens of every row included. `progress` may raise to stop; then nothing is left behind."""
    import pyarrow.parquet as pq

    target = path(version, tokenizer)
    quick = ensure(version) if version.rows > LARGE else None
    counter = tokens.counter(tokenizer)
    wanted = [name for name in dict.fromkeys([*version.roles.text, *(() if quick else (version.roles.target,))]) if name]
    done = 0
    with _writing(target) as temporary, pq.ParquetWriter(temporary, _schema(), compression="zstd") as writer:
        beside = pq.ParquetFile(quick).iter_batches(batch_size=_ROWS) if quick else None
        for batch in pq.ParquetFile(store.data_path(version)).iter_batches(batch_size=_ROWS, columns=wanted):
            frame = batch.to_pandas()
            writer.write_table(_measured(frame, version, counter, batch.num_rows, next(beside) if beside else None))
            done += batch.num_rows
            if progress:
                progress(done, version.rows, "Counting tokens")
    return target


def run_tokens(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "tokens": words and tokens of every row of a version, written beside it. {dataset, version, tokenizer}"""
    version = store.version(request["dataset"], request["version"])
    if not is_counted(version, request["tokenizer"]):
        count(version, request["tokenizer"], lambda done, total, message: desk.say(done, total, message))
    return {"rows": version.rows, "tokenizer": request["tokenizer"]}


def lengths(version: Version, tokenizer: str = DEFAULT) -> Any:
    """Tokens per row, in order, as an int64 array. Above LARGE rows it counts them all first: ask `is_counted` before."""
    import pyarrow.parquet as pq

    found = path(version, tokenizer) if is_counted(version, tokenizer) else count(version, tokenizer)
    return pq.read_table(found, columns=["n_tokens"]).column("n_tokens").to_numpy()


def counted(frame: pd.DataFrame, version: Version, tokenizer: str = DEFAULT) -> list[int | None]:
    """Tokens of some rows that are at hand; None for a row too long to be counted in passing."""
    texts = text_of(frame, version.roles).tolist()
    found = iter(tokens.counter(tokenizer)([text for text in texts if len(text) <= 100_000]))
    return [next(found) if len(text) <= 100_000 else None for text in texts]


def _fits(target: Path, version: Version) -> bool:
    state = target.stat()
    return _shape(str(target), state.st_ino, state.st_mtime_ns, state.st_size) == (version.rows, COLUMNS)


@lru_cache(maxsize=64)
def _shape(target: str, *stamp: int) -> tuple[int, tuple[str, ...]] | None:
    """Rows and columns of a file, by its name and what changes when it is written again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(target)
    except (pa.ArrowException, OSError):
        return None
    return found.num_rows, tuple(found.schema.column(i).name for i in range(found.num_columns))


def _quick(version: Version, target: Path) -> Path:
    """Characters, target and hash by DuckDB, about two seconds for ten million short rows; words and tokens stay empty."""
    names = [f"nullif(CAST({quoted(name)} AS VARCHAR), '')" for name in version.roles.text if name in version.columns]
    text = f"concat_ws(chr(10), {', '.join(names)})" if names else "''"
    name = version.roles.target if version.task == "regression" else None
    number = "NULL::DOUBLE"
    if name and version.columns.get(name) == "number":
        number = f"CASE WHEN isfinite({quoted(name)}::DOUBLE) THEN {quoted(name)}::DOUBLE END"
    with _writing(target) as temporary, asking(None) as ask:
        read = f"amount_{secrets.token_hex(4)}" if name and version.columns.get(name) != "number" else None
        if read and name:  # a price as text is read by the task's own rules; prices repeat
            ask.create_function(read, lru_cache(50_000)(_amount), ["VARCHAR"], "DOUBLE", null_handling="special")  # type: ignore[arg-type]
            number = f"{read}(CAST({quoted(name)} AS VARCHAR))"
        rows = f"SELECT {text} AS t, {number} AS target FROM read_parquet({literal(store.data_path(version))})"
        try:
            columns = "length(t)::BIGINT AS n_chars, NULL::BIGINT AS n_words, NULL::BIGINT AS n_tokens, target, hash(t) AS text_hash"
            into = f"TO {literal(temporary)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
            ask.execute(f"COPY (SELECT {columns} FROM ({rows})) {into}")
        finally:
            if read:
                ask.remove_function(read)
    return target


def _amount(cell: str | None) -> float | None:
    value = target_of("regression", cell)
    return float(value) if isinstance(value, (int, float)) else None


@contextmanager
def _writing(target: Path) -> Iterator[Path]:
    """A temporary file that becomes the target when it is whole."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    with files.disk_errors(target):
        try:
            yield temporary
            temporary.chmod(0o444)
            os.replace(temporary, target)
            files.sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _measured(frame: pd.DataFrame, version: Version, count: tokens.Counter, rows: int, beside: pa.RecordBatch | None) -> pa.Table:
    import pyarrow as pa

    texts = text_of(frame, version.roles).tolist() if version.roles.text else [""] * rows
    columns = {"n_words": pa.array([len(text.split()) for text in texts], pa.int64()), "n_tokens": pa.array(count(texts), pa.int64())}
    if beside is not None:
        columns |= {name: beside.column(name) for name in ("n_chars", "target", "text_hash")}
    else:
        cells = frame[version.roles.target].tolist() if version.roles.target and version.task == "regression" else [None] * rows
        targets = [target_of("regression", cell) for cell in cells]
        columns |= {"n_chars": pa.array([len(text) for text in texts], pa.int64()), "target": pa.array(targets, pa.float64())}
        columns["text_hash"] = _hashes(texts)
    return pa.Table.from_arrays([columns[name] for name in COLUMNS], schema=_schema())


def _hashes(texts: list[str]) -> pa.Array:
    """DuckDB's 64-bit hash of each text, as the quick way writes it."""
    import pyarrow as pa

    table = pa.table({"t": pa.array(texts, pa.string())})
    with asking(None) as ask:
        ask.register("texts_to_hash", table)
        return ask.sql("SELECT hash(t) AS h FROM texts_to_hash").to_arrow_table().column("h").combine_chunks()


def _schema() -> pa.Schema:
    import pyarrow as pa

    kinds = {"target": pa.float64(), "text_hash": pa.uint64()}
    return pa.schema([(name, kinds.get(name, pa.int64())) for name in COLUMNS])
