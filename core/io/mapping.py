"""The job "map": vectors, two dimensions, groups with titles; and reading what it left.

    <version>/map-<vectors>.parquet   one line per encoded row: row, x, y (PCA), u, v (UMAP), group, short

Its schema carries the titles and how it was made. Written whole; vectors that are there already are not made again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.explore import map as placing
from core.explore.findings import text_of
from core.explore.titles import titles
from core.format import short
from core.io import embedding, files, numbers, store, vectors
from core.io.embedding import Progress
from core.io.vectors import Vectors
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd

    from core.io.work import Desk

_SHORT = 110
"""Characters of a text that its point shows."""


@dataclass(frozen=True)
class TextMap:
    vectors: Vectors
    points: pd.DataFrame
    """row (0-based, rising), x, y, u, v (NaN without UMAP), group, short"""
    titles: tuple[str, ...]
    """Of group 0, 1, ...; the largest first."""
    silhouette: float | None = None
    explained: float = 0.0
    """The share of the vectors' variance that the two principal components hold."""
    chosen: bool = True
    """Whether the number of groups was chosen by the silhouette."""
    seed: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def has_umap(self) -> bool:
        return bool(self.points["u"].notna().any())


def path(version: Version, one: Vectors) -> Path:
    """Where the map of these vectors stands."""
    return store.folder(version) / f"map-{one.name}.parquet"


def load(version: Version, one: Vectors) -> TextMap | None:
    """The map, or None when it was not made or cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = path(version, one)
    try:
        table = pq.read_table(target)
        facts = json.loads((table.schema.metadata or {})[b"map"])
        points = table.to_pandas()
        return TextMap(one, points, tuple(facts["titles"]), facts["silhouette"], facts["explained"], facts["chosen"], one.seed, facts)
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None


def newest(version: Version) -> TextMap | None:
    """The map that was made last; None when there is none."""
    found = sorted(store.folder(version).glob("map-*.parquet"), key=lambda one: -one.stat().st_mtime)
    names = {one.name: one for one in vectors.made(version)}
    for target in found:
        one = names.get(target.stem.removeprefix("map-"))
        if one and (made := load(version, one)):
            return made
    return None


def stamp(version: Version) -> tuple[tuple[str, int], ...]:
    """Changes whenever vectors or maps of a version do: a key for caches."""
    found = [*store.folder(version).glob("map-*.parquet"), *store.folder(version).glob("vectors-*.parquet")]
    return tuple(sorted((one.name, one.stat().st_mtime_ns) for one in found))


def make(
    version: Version,
    one: Vectors,
    *,
    groups: int | None = None,
    umap: bool = True,
    progress: Progress | None = None,
    environment: Mapping[str, str] | None = None,
) -> TextMap:
    """The map of these vectors, written beside the version; with as many groups as part the texts best, unless told.

    UMAP is left out where it is not installed; coordinates that are there are kept. `progress` may raise to stop.
    """
    say = progress or (lambda done, total, message: None)
    encoded = embedding.ensure(version, one, say, environment)
    before = load(version, one)
    if before is not None and before.points["row"].tolist() != encoded.rows.tolist():
        before = None
    say(0, 0, "Looking for groups")
    placed, explained = placing.components(encoded.vectors)
    found = placing.groups(encoded.vectors, groups, one.seed)
    say(0, 0, "Naming the groups")
    texts = text_of(vectors.take(version, list(version.roles.text), encoded.rows), version.roles).tolist()
    named = titles(texts, found.labels)
    near = np.full((len(texts), 2), np.nan)
    if before is not None and before.has_umap:
        near = before.points[["u", "v"]].to_numpy()
    elif umap and placing.umap_installed():
        near = placing.umap(encoded.vectors, one.seed, lambda words: say(0, 0, words))
    points = {"row": encoded.rows, "x": placed[:, 0], "y": placed[:, 1], "u": near[:, 0], "v": near[:, 1], "group": found.labels}
    silhouette = found.silhouette if found.silhouette == found.silhouette else None
    tried = [list(pair) for pair in found.tried]
    facts = {"titles": named, "silhouette": silhouette, "explained": explained, "chosen": not groups, "tried": tried}
    shown = [short(" ".join(text.split()), _SHORT) for text in texts]
    _write(path(version, one), {**points, "short": shown}, facts)
    made = load(version, one)
    assert made is not None
    return made


def run_map(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "map": {dataset, version, vectors, groups (0: chosen), umap} -> {vectors, texts, groups}."""
    version, one = store.version(request["dataset"], request["version"]), Vectors.from_dict(request["vectors"])
    groups, umap = int(request.get("groups") or 0) or None, bool(request.get("umap", True))
    made = make(version, one, groups=groups, umap=umap, progress=desk.say, environment=desk.environment)
    return {"vectors": one.to_dict(), "texts": len(made.points), "groups": len(made.titles)}


def _write(target: Path, points: dict[str, Any], facts: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(points).replace_schema_metadata({"map": json.dumps(facts, ensure_ascii=False)})
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    with files.disk_errors(target):
        try:
            pq.write_table(table, temporary, compression="zstd")
            os.replace(temporary, target)
            files.sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def values(version: Version, column: str, rows: np.ndarray) -> pd.Series:
    """A column of the table, or a number beside it (n_chars, n_tokens, target), of these rows."""
    from core.load.columns import of

    own = column in version.columns
    return of(vectors.take(version, [column], rows, None if own else numbers.ensure(version)), column)
