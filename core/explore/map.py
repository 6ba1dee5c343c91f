"""Texts as points: two dimensions of their vectors, the groups among them, and which points a drawn line encloses.

PCA is exact and the same every time: signs are fixed, so a map never comes mirrored. UMAP keeps neighbours together and says
nothing by distance. Groups are k-means on the first components of the vectors, not on the map. Not known here: texts, files.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

COMPONENTS = 50
"""Principal components that groups and UMAP look at."""
CANDIDATES = (3, 4, 5, 6, 8, 10, 12, 15)
"""Numbers of groups that are tried."""
_JUDGED = 2_000
"""Rows the silhouette is taken of."""
_WEAK = 0.25
_EXACT = 5_000
"""More rows than this are grouped by mini-batches."""


@dataclass(frozen=True)
class Groups:
    labels: np.ndarray
    """(n,) 0 is the largest group."""
    silhouette: float
    """-1 to 1: how much nearer rows are to their own group than to the next; NaN with one group. Under 0.1 groups flow into another."""
    tried: tuple[tuple[int, float], ...] = ()
    """Numbers of groups and their silhouettes, when the number was chosen here."""

    @property
    def count(self) -> int:
        return int(self.labels.max()) + 1 if len(self.labels) else 0


def components(vectors: np.ndarray, count: int = 2) -> tuple[np.ndarray, float]:
    """((n, count) principal components, the share of the variance they hold). Missing dimensions are zeros."""
    centred = np.asarray(vectors, dtype="float64") - np.mean(vectors, axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(values)[::-1][:count]
    axes = axes[:, order]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    placed = np.zeros((len(centred), count))
    placed[:, : axes.shape[1]] = centred @ axes
    total = float(values.clip(0).sum())
    return placed, float(values[order].clip(0).sum() / total) if total > 0 else 0.0


def umap_installed() -> bool:
    """Whether UMAP can be had; nothing is imported."""
    return importlib.util.find_spec("umap") is not None


def umap(vectors: np.ndarray, seed: int = 0, told: Callable[[str], None] | None = None) -> np.ndarray:
    """(n, 2) by UMAP on cosine distances; the same every time for the same seed. The first import compiles for half a minute."""
    if told:
        told("Preparing UMAP, which takes half a minute the first time")
    from umap import UMAP

    if told:
        told("Placing texts with UMAP")
    reduced, _ = components(vectors, min(COMPONENTS, vectors.shape[1]))
    near = max(2, min(15, len(vectors) - 1))
    with np.errstate(all="ignore"):
        model = UMAP(n_neighbors=near, min_dist=0.1, metric="cosine", random_state=seed, n_jobs=1, init="pca")
        return np.asarray(model.fit_transform(reduced.astype("float32")), dtype="float64")


def groups(vectors: np.ndarray, count: int | None = None, seed: int = 0) -> Groups:
    """`count` groups, or as many as part the rows best by their silhouette. Fewer than 20 rows are one group.

    Where no number parts them well (a silhouette under 0.25: no substantial structure, Kaufman & Rousseeuw 1990) it is the
    largest number that comes within a fifth of the best: the borders are a matter of choice, and smaller groups have clearer titles.
    """
    n = len(vectors)
    if n < 20:
        return Groups(np.zeros(n, dtype=np.int64), float("nan"))
    reduced, _ = components(vectors, min(COMPONENTS, vectors.shape[1]))
    judged = np.sort(np.random.default_rng(seed).choice(n, min(n, _JUDGED), replace=False))
    if count:
        labels = _kmeans(reduced, min(count, n), seed)
        return Groups(_by_size(labels), _silhouette(reduced[judged], labels[judged]))
    tried = [(k, _kmeans(reduced, k, seed)) for k in CANDIDATES if n >= 10 * k]
    scores = tuple((k, _silhouette(reduced[judged], labels[judged])) for k, labels in tried)
    values = np.nan_to_num([score for _, score in scores], nan=-2.0)
    best = int(values.argmax())
    if 0 < values[best] < _WEAK:
        best = int(np.flatnonzero(values >= 0.8 * values[best]).max())
    return Groups(_by_size(tried[best][1]), scores[best][1], scores)


def _kmeans(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    same: dict[str, Any] = {"n_clusters": count, "random_state": seed, "n_init": 5}
    model = KMeans(**same) if len(points) <= _EXACT else MiniBatchKMeans(**same, batch_size=4096)
    return model.fit_predict(points).astype(np.int64)


def _by_size(labels: np.ndarray) -> np.ndarray:
    """The same groups numbered from the largest on; equal sizes by their first row."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda at: (-sizes[at], first[at]))
    new = {int(names[at]): place for place, at in enumerate(order)}
    return np.array([new[one] for one in labels.tolist()], dtype=np.int64)


def _silhouette(points: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import silhouette_score

    several = 1 < len(np.unique(labels)) < len(labels)
    return float(silhouette_score(points, labels)) if several else float("nan")


def inside(x: np.ndarray, y: np.ndarray, line_x: Sequence[float], line_y: Sequence[float]) -> np.ndarray:
    """Which points a closed line encloses (even-odd rule); fewer than three corners enclose nothing."""
    found = np.zeros(len(x), dtype=bool)
    corners = list(zip(line_x, line_y, strict=True))
    if len(corners) < 3:
        return found
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if ay == by:
            continue
        crosses = (y >= min(ay, by)) & (y < max(ay, by))
        found ^= crosses & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return found


def spread(labels: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """Where each group's title stands: the median of its points."""
    return [(float(np.median(x[labels == one])), float(np.median(y[labels == one]))) for one in range(int(labels.max()) + 1)]
