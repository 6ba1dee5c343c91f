"""Vectors of a version's texts as they are kept beside it.

    <version>/vectors-<name>.parquet   row-aligned: a list of numbers where the row was encoded, else null
    <version>/vectors-<name>.npz       character n-grams only: terms, their weights and axes, to place a question among them

Written once, whole or not at all. Of a table with more texts than asked for, the texts to encode are drawn by lot.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DataError, SettingsError
from core.explore.findings import text_of
from core.io import encoder, files, store
from core.version import Version, digest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST = 20_000
"""Texts that are encoded."""
KINDS: Mapping[str, tuple[str, str]] = {
    "minilm": (
        encoder.TITLE,
        "Knows English words and what they mean; the first 256 tokens of a text. Other languages all look alike to it.",
    ),
    "ngrams": (
        "Character n-grams",
        "Compares spelling: runs of 2 to 4 characters, weighted by how rare they are. Works in every language. Texts are near when they "
        "share words and word parts: a synonym is far, and a negation is near.",
    ),
    "model": ("Another encoder", "A sentence-transformers model by its name on the Hugging Face Hub, or a folder of this machine."),
    "endpoint": ("An embeddings address", "Any server that speaks OpenAI's embeddings protocol. The texts are sent there."),
}
"""Kind of vectors -> (title, what they compare)."""
_ROWS = 20_000


@dataclass(frozen=True)
class Vectors:
    """Which vectors, as they are saved: never with a key."""

    kind: str = "ngrams"
    model: str = ""
    """model: a repository or a folder. endpoint: the model's name there."""
    base_url: str = ""
    most: int = MOST
    """Texts that are encoded at most."""
    seed: int = 0
    """Decides which texts are drawn."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"There are no vectors '{self.kind[:40]}'. Choose one of {', '.join(KINDS)}.", title="Unknown vectors")
        if self.most < 10:
            raise SettingsError(f"{self.most} texts; at least 10 are needed to compare.", title="Too few texts")

    @property
    def name(self) -> str:
        """Names the files."""
        rest = [self.model, self.base_url, self.most, self.seed]
        return self.kind if rest == ["", "", MOST, 0] else f"{self.kind}-{digest(rest)[:8]}"

    @property
    def title(self) -> str:
        return self.model if self.kind in ("model", "endpoint") and self.model else KINDS[self.kind][0]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Vectors:
        return cls(**{key: value for key, value in data.items() if key in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Encoded:
    rows: np.ndarray
    """(m,) 0-based row numbers, rising."""
    vectors: np.ndarray
    """(m, d) rows of unit length (float32)."""


def path(version: Version, vectors: Vectors) -> Path:
    """Where the vectors of a version stand."""
    return store.folder(version) / f"vectors-{vectors.name}.parquet"


def made(version: Version) -> list[Vectors]:
    """The vectors a version has, the newest first."""
    import pyarrow.parquet as pq

    found = sorted(store.folder(version).glob("vectors-*.parquet"), key=lambda one: -one.stat().st_mtime)
    return [Vectors.from_dict(_meta(pq.read_schema(one))) for one in found if _fits(one, version)]


def load(version: Version, vectors: Vectors) -> Encoded | None:
    """The vectors, or None when they were not made or do not fit the table."""
    import pyarrow.parquet as pq

    target = path(version, vectors)
    if not target.exists() or not _fits(target, version):
        return None
    if vectors.kind == "ngrams" and not target.with_suffix(".npz").exists():
        return None
    rows, parts, start = [], [], 0
    for batch in pq.ParquetFile(target).iter_batches(batch_size=_ROWS):
        cells = batch.column(0)
        there = np.flatnonzero(cells.is_valid().to_numpy(zero_copy_only=False))
        if len(there):
            rows.append(there + start)
            parts.append(cells.drop_null().flatten().to_numpy().reshape(len(there), -1))
        start += batch.num_rows
    return Encoded(np.concatenate(rows), np.vstack(parts)) if rows else None


def drawn(version: Version, most: int = MOST, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Row numbers, rising, and texts of at most `most` rows with text, drawn by lot; read a part of the table at a time."""
    if not version.roles.text:
        raise DataError("No column is Text. Choose it under 'What should be predicted?' in Overview.", title="No text")
    names = list(version.roles.text)
    wanted = np.arange(version.rows)
    if version.rows > most:
        wanted = np.sort(np.random.default_rng(seed).choice(version.rows, most, replace=False))
    frame = take(version, names, wanted)
    texts = text_of(frame, version.roles).tolist()
    filled = [at for at, text in enumerate(texts) if text.strip()]
    return wanted[filled], [texts[at] for at in filled]


def take(version: Version, columns: Sequence[str], rows: np.ndarray, source: Path | None = None) -> pd.DataFrame:
    """These columns of these rows (rising numbers) as a frame; of another row-aligned file with `source`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts, start = [], 0
    table = pq.ParquetFile(source or store.data_path(version))
    for batch in table.iter_batches(batch_size=_ROWS, columns=list(columns)):
        low, high = np.searchsorted(rows, [start, start + batch.num_rows])
        parts.append(pa.Table.from_batches([batch]).take(pa.array(rows[low:high] - start)))
        start += batch.num_rows
    return pa.concat_tables(parts).to_pandas()


def save(version: Version, vectors: Vectors, encoded: Encoded) -> None:
    """Keep the vectors beside the version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = path(version, vectors)
    schema = pa.schema([("vector", pa.list_(pa.float32()))]).with_metadata({"vectors": json.dumps(vectors.to_dict())})
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    with files.disk_errors(target):
        try:
            with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
                for start in range(0, version.rows, _ROWS):
                    end = min(start + _ROWS, version.rows)
                    writer.write_batch(pa.record_batch([_cells(encoded, start, end)], schema=schema))
            temporary.chmod(0o444)
            os.replace(temporary, target)
            files.sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _cells(encoded: Encoded, start: int, end: int) -> pa.Array:
    """The vectors of rows start to end as lists, null where a row was not encoded."""
    import pyarrow as pa

    low, high = np.searchsorted(encoded.rows, [start, end])
    sizes = np.zeros(end - start, dtype=np.int32)
    sizes[encoded.rows[low:high] - start] = encoded.vectors.shape[1]
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(encoded.vectors[low:high].ravel(), pa.float32()), mask=pa.array(sizes == 0))


def _fits(target: Path, version: Version) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(target).num_rows == version.rows
    except (pa.ArrowException, OSError):
        return False


def _meta(schema: pa.Schema) -> dict[str, Any]:
    return json.loads((schema.metadata or {}).get(b"vectors", b"{}"))
