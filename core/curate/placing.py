"""Families of rows into parts: exact sizes, shares kept, no family parted. Everything here is in arrays, for millions of rows.

A family that holds a synthetic row goes to train: what is tested is never made up. Of the others, families of several rows
are drawn first, in random order, where they fit into the share of their layer; single rows then fill each part to its
size. A family that fits nowhere goes to train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import numpy as np

from core.curate.balance import ranks
from core.curate.strata import spaced


def assign(
    family: np.ndarray, strata: np.ndarray, synthetic: np.ndarray, sizes: Mapping[str, int], random: np.random.Generator
) -> np.ndarray:
    """A part for each row (object array): `sizes` of test and validation, the rest train.

    `family` and `strata` number the rows; a family is of the layer of its first row. `synthetic` marks rows whose whole
    family goes to train. Sizes are exact as long as single rows are left to fill them; never exceeded.
    """
    unit, rows, first = _units(family)
    if not len(rows):
        return np.array([], dtype=object)
    layer = np.unique(strata, return_inverse=True)[1][first]
    key, free = random.random(len(rows)), ~_any(unit, synthetic, len(rows))
    parts = np.full(len(rows), "train", dtype=object)
    for name, size in sizes.items():
        taken = _drawn(rows, layer, key, free, min(size, int(rows[free].sum())), random)
        parts[taken] = name
        free &= ~taken
    return parts[unit]


def newest(moment: np.ndarray, family: np.ndarray, synthetic: np.ndarray, sizes: Mapping[str, int]) -> np.ndarray:
    """Whole families from the newest on into the first part, then the next; a family is as old as its newest row.

    `moment` ranks the rows by time. A family larger than what is left of a part is passed over.
    """
    unit, rows, _ = _units(family)
    if not len(rows):
        return np.array([], dtype=object)
    latest = np.full(len(rows), -np.inf)
    np.maximum.at(latest, unit, moment)
    free, layer = ~_any(unit, synthetic, len(rows)), np.zeros(len(rows), dtype=np.int64)
    parts = np.full(len(rows), "train", dtype=object)
    for name, size in sizes.items():
        taken = _fitting(free, rows, layer, -latest, np.array([size]))
        parts[taken] = name
        free &= ~taken
    return parts[unit]


def hashed(keys: Sequence[str | None], family: np.ndarray, synthetic: np.ndarray, percent: Mapping[str, float], seed: int) -> np.ndarray:
    """A part for each row that depends on its key and the seed alone, or on the keys of its family.

    Of a family one row speaks for all: the one with the smallest first hash; the part comes from that row's second hash,
    which is independent, so that large families are tested as often as single rows. A new row moves old ones only when it
    joins their family and speaks for it, which of m + 1 rows happens with probability 1 / (m + 1). Rows without a key are train.
    """
    if not len(keys):
        return np.array([], dtype=object)
    salt = blake2b(str(seed).encode(), digest_size=16).digest()
    told = b"".join(blake2b((key or "").encode("utf-8", "surrogatepass"), digest_size=16, key=salt).digest() for key in keys)
    marks = np.frombuffer(told, dtype="<u8").reshape(-1, 2)
    able = ~synthetic & np.array([bool(key) for key in keys], dtype=bool)
    unit, rows, _ = _units(family)
    order = np.lexsort((marks[:, 0], ~able, unit))
    speaker = order[np.r_[True, unit[order][1:] != unit[order][:-1]]]
    share = marks[speaker, 1] / 2.0**64 * 100
    closed = _any(unit, synthetic, len(rows)) | ~able[speaker]
    parts, low = np.full(len(rows), "train", dtype=object), 0.0
    for name, size in percent.items():
        parts[(share >= low) & (share < low + size) & ~closed] = name
        low += size
    return parts[unit]


def _units(family: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The family of each row counted from 0, the rows of each family, the first row of each."""
    _, first, unit, rows = np.unique(family, return_index=True, return_inverse=True, return_counts=True)
    return unit, rows, first


def _any(unit: np.ndarray, marked: np.ndarray, families: int) -> np.ndarray:
    """Which families hold a marked row."""
    return np.bincount(unit[marked], minlength=families) > 0


def _drawn(rows: np.ndarray, layer: np.ndarray, key: np.ndarray, free: np.ndarray, wanted: int, random: np.random.Generator) -> np.ndarray:
    """Which free families make up `wanted` rows with the shares of the layers, as exactly as whole families can."""
    layers = int(layer.max()) + 1
    there, alone = (np.bincount(layer[some], weights=rows[some], minlength=layers) for some in (free, free & (rows == 1)))
    share = np.bincount(np.repeat(np.arange(layers), there.astype(np.int64))[spaced(int(there.sum()), wanted, random)], minlength=layers)
    limit = np.maximum(np.ceil(share * (there - alone) / np.maximum(there, 1)), share - alone)
    taken = _fitting(free & (rows > 1), rows, layer, key, limit)
    rest = share - np.bincount(layer[taken], weights=rows[taken], minlength=layers)
    singles = np.flatnonzero(free & (rows == 1))
    singles = singles[np.lexsort((key[singles], layer[singles]))]
    hit = ranks(layer[singles]) < rest[layer[singles]]
    taken[singles[hit]] = True
    short = wanted - int(rows[taken].sum())
    if short > 0:
        left = singles[~hit]
        taken[left[spaced(len(left), min(short, len(left)), random)]] = True
        short = wanted - int(rows[taken].sum())
        taken |= _fitting(free & ~taken, rows, np.zeros_like(layer), key, np.array([short]))
    return taken


def _fitting(able: np.ndarray, rows: np.ndarray, layer: np.ndarray, key: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Of the able families of each layer, by ascending key, those that still fit into its limit of rows, as a mask."""
    taken, left = np.zeros(len(rows), dtype=bool), limit.astype(float)
    some = np.flatnonzero(able)
    some = some[np.lexsort((key[some], layer[some]))]
    while len(some := some[rows[some] <= left[layer[some]]]):
        whole = np.cumsum(rows[some])
        starts = np.flatnonzero(np.r_[True, layer[some][1:] != layer[some][:-1]])
        before = np.repeat(np.r_[0, whole[starts[1:] - 1]], np.diff(np.r_[starts, len(some)]))
        fits = whole - before <= left[layer[some]]
        taken[some[fits]] = True
        left -= np.bincount(layer[some[fits]], weights=rows[some[fits]], minlength=len(left))
        some = some[~fits]
    return taken
