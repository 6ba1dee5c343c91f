"""Row-aligned numbers beside a version: characters, tokens, and the target as a number.

    <version>/numbers.parquet              n_chars, n_tokens (o200k_base), target
    <version>/numbers-<tokenizer>.parquet  the same for another tokenizer

Written once, whole or not at all, read beside the table with POSITIONAL JOIN; a file with another number of rows is
written again, because it would shift every row.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.explore.findings import text_of
from core.io import files, store, tokens
from core.task import target_of
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

COLUMNS = ("n_chars", "n_tokens", "target")
DEFAULT = "o200k_base"
_ROWS = 20_000


def path(version: Version, tokenizer: str = DEFAULT) -> Path:
    """Where the numbers of a version stand."""
    name = "numbers.parquet" if tokenizer == DEFAULT else f"numbers-{files.slug(tokenizer)}.parquet"
    return store.folder(version) / name


def ensure(version: Version, tokenizer: str = DEFAULT, progress: Callable[[int, int, str], None] | None = None) -> Path:
    """The file, written now when it is missing or does not fit. `progress(done, total, message)` counts rows."""
    import pyarrow.parquet as pq

    target = path(version, tokenizer)
    if target.exists() and _fits(target, version):
        return target
    source = pq.ParquetFile(store.data_path(version))
    count = tokens.counter(tokenizer)
    wanted = [name for name in dict.fromkeys([*version.roles.text, version.roles.target]) if name]
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    done = 0
    with files.disk_errors(target):
        try:
            with pq.ParquetWriter(temporary, _schema(), compression="zstd") as writer:
                for batch in source.iter_batches(batch_size=_ROWS, columns=wanted):
                    frame = batch.to_pandas()
                    writer.write_table(_measured(frame, version, count, batch.num_rows))
                    done += batch.num_rows
                    if progress:
                        progress(done, version.rows, "Counting tokens")
            temporary.chmod(0o444)
            os.replace(temporary, target)
            files.sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
    return target


def lengths(version: Version, tokenizer: str = DEFAULT) -> Any:
    """Tokens per row, in order, as an int64 array."""
    import pyarrow.parquet as pq

    return pq.read_table(ensure(version, tokenizer), columns=["n_tokens"]).column("n_tokens").to_numpy()


def _fits(target: Path, version: Version) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(target)
    except (pa.ArrowException, OSError):
        return False
    return found.num_rows == version.rows and [found.schema.column(i).name for i in range(found.num_columns)] == list(COLUMNS)


def _measured(frame: pd.DataFrame, version: Version, count: tokens.Counter, rows: int) -> pa.Table:
    import pyarrow as pa

    texts = text_of(frame, version.roles).tolist() if version.roles.text else [""] * rows
    cells = frame[version.roles.target].tolist() if version.roles.target and version.task == "regression" else [None] * rows
    targets = [target_of("regression", cell) for cell in cells]
    columns = [pa.array([len(text) for text in texts], pa.int64()), pa.array(count(texts), pa.int64()), pa.array(targets, pa.float64())]
    return pa.Table.from_arrays(columns, schema=_schema())


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([("n_chars", pa.int64()), ("n_tokens", pa.int64()), ("target", pa.float64())])
