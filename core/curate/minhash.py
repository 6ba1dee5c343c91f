"""Which texts share at least a given part of their character 5-grams, without comparing every pair.

Method: MinHash with 128 permutations, 32 bands of 4 rows: a pair at Jaccard 0.8 becomes a candidate with probability
1 - 5e-8, one at 0.5 with 0.87. Candidates far below the threshold by size or by digest are dropped; the rest is decided
by the Jaccard of their full sets of 5-grams, compared by 64-bit fingerprints. A text shorter than 5 is one gram, itself.
Where more than 250 texts agree in a band (they share a long formula), each is compared with those nearest to it by the next
band instead of with all of them: a pair nearer than the formula makes it still agrees in bands of its own.
Not known here: tables, empty texts, what a near-duplicate means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

SIZE = 5
"""Characters in a gram."""
PERMUTATIONS, BANDS = 128, 32
_ROWS = PERMUTATIONS // BANDS
_CROWD, _BESIDE = 250, 3
_TEXTS, _PAIRS = 2_000, 400_000
"""How many texts are cut into grams, and how many pairs are looked at, at a time."""
_VERIFIED = 100_000
"""Pairs whose sets of grams are held at a time."""
_SLACK = 0.15
"""Digests estimate the Jaccard with a standard error of 0.035 at 0.8; pairs this far below the threshold are dropped."""
_ODD = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)


def grams(texts: Sequence[str]) -> list[np.ndarray]:
    """The set of 5-grams of each text as sorted 64-bit fingerprints."""
    found: list[np.ndarray] = []
    for start in range(0, len(texts), _TEXTS):
        some = texts[start : start + _TEXTS]
        filled = [text + "\0" * (SIZE - len(text)) if len(text) < SIZE else text for text in some]
        codes = np.frombuffer("".join(filled).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
        windows = len(codes) - SIZE + 1
        marks = np.zeros(windows, dtype=np.uint64)
        for k in range(SIZE):
            marks += codes[k : k + windows] * _ODD[k]
        marks = _mixed(marks)
        ends = np.cumsum([len(text) for text in filled])
        found += [_distinct(marks[end - len(text) : end - SIZE + 1]) for end, text in zip(ends.tolist(), filled, strict=True)]
    return found


def similar(texts: Sequence[str], threshold: float, first: int | None = None) -> np.ndarray:
    """Pairs (i, j), i < j, of texts with Jaccard >= threshold as an (m, 2) array in order.

    With `first`, only pairs across the border are returned: i < first <= j. Of a crowd of more than 250 alike texts not every
    pair is listed, but with `first` every text before the border that has one.
    """
    if len(texts) < 2:
        return np.empty((0, 2), dtype=np.int64)
    digests, sizes = _digests(texts)
    found, rows = [np.empty((0, 2), dtype=np.int64)], np.arange(len(texts))
    while True:
        crowd = np.zeros(len(rows), dtype=bool)
        border = None if first is None else int((rows < first).sum())
        some = digests[rows]
        close = [pairs[_likely(pairs, some, sizes[rows], threshold)] for pairs in _candidates(some, border, crowd)]
        codes = np.unique(np.concatenate([p[:, 0] * len(rows) + p[:, 1] for p in close])) if close else np.empty(0, dtype=np.int64)
        pairs = rows[np.column_stack([codes // len(rows), codes % len(rows)])]
        pairs = pairs[_verified(texts, pairs, threshold)]
        found.append(pairs)
        if first is None or not len(pairs) or not crowd.any():
            break
        rows = rows[crowd & ~np.isin(rows, pairs[:, 0])]  # in a crowd, whoever has met nothing is compared once more
    every = np.concatenate(found)
    return every[np.lexsort((every[:, 1], every[:, 0]))]


def connected(texts: Sequence[str], threshold: float) -> np.ndarray:
    """Groups of texts joined by pairs with Jaccard >= threshold: the smallest position of each connected part.

    Pairs that are connected already are not compared any more, so that many alike texts cost little.
    """
    root = np.arange(len(texts))
    if len(texts) < 2:
        return root
    digests, sizes = _digests(texts)
    apart = np.empty(0, dtype=np.int64)
    for some in _candidates(digests, None, np.zeros(len(texts), dtype=bool)):
        for start in range(0, len(some), _VERIFIED):
            pairs = some[start : start + _VERIFIED]
            pairs = pairs[root[pairs[:, 0]] != root[pairs[:, 1]]]
            pairs = pairs[_likely(pairs, digests, sizes, threshold)]
            codes = pairs[:, 0] * len(texts) + pairs[:, 1]
            new = ~np.isin(codes, apart)
            pairs, codes = pairs[new], codes[new]
            near = _verified(texts, pairs, threshold)
            root = joined(root, pairs[near])
            apart = np.concatenate([apart, codes[~near]])
    return root


def joined(root: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Groups, each named by its smallest position, after these pairs are joined too."""
    if not len(pairs):
        return root
    to = root.tolist()

    def top(one: int) -> int:
        while to[one] != one:
            to[one] = to[to[one]]
            one = to[one]
        return one

    for i, j in pairs.tolist():
        a, b = top(i), top(j)
        if a != b:
            to[max(a, b)] = min(a, b)
    found = np.array(to, dtype=np.int64)
    while (found != found[found]).any():
        found = found[found]
    return found


def _mixed(values: np.ndarray) -> np.ndarray:
    """splitmix64: every bit of the sum reaches every bit of the fingerprint."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _distinct(values: np.ndarray) -> np.ndarray:
    values = np.sort(values)
    return values[np.concatenate([[True], values[1:] != values[:-1]])]


def _digests(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 128) digests and the number of distinct grams of each text; grams themselves are not kept."""
    from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]

    parts, sizes = [], []
    for start in range(0, len(texts), _TEXTS):
        sets = grams(texts[start : start + _TEXTS])
        counts = [len(one) for one in sets]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(sets), offsets, PERMUTATIONS, 42)
        parts.append(np.array(matrix.to_rows(), dtype=np.uint32))
        sizes += counts
    return np.concatenate(parts), np.array(sizes, dtype=np.int64)


def _candidates(digests: np.ndarray, first: int | None, crowded: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs (i, j), i < j, that agree in a band, some at a time; a pair may come more than once. Members of crowds are marked."""
    keys = _band(digests, 0)
    for band in range(BANDS):
        then = _band(digests, (band + 1) % BANDS)
        order = np.lexsort((then, keys))
        starts = np.flatnonzero(np.concatenate([[True], np.diff(keys[order]) != 0]))
        counts = np.diff(np.concatenate([starts, [len(order)]]))
        rest = np.repeat(starts + counts, counts) - np.arange(len(order)) - 1  # members of the bucket after each one
        crowd = np.repeat(counts > _CROWD, counts)
        crowded[order[crowd]] = True
        yield from _paired(order, np.where(crowd, 0, rest), first)
        for beside in range(1, _BESIDE + 1):
            places = np.flatnonzero(crowd & (rest >= beside))
            if len(places):
                yield _across(np.column_stack([order[places], order[places + beside]]), first)
        keys = then


def _band(digests: np.ndarray, band: int) -> np.ndarray:
    return _mixed((digests[:, band * _ROWS : (band + 1) * _ROWS].astype(np.uint64) * _ODD[:_ROWS]).sum(axis=1, dtype=np.uint64))


def _paired(order: np.ndarray, rest: np.ndarray, first: int | None) -> Iterator[np.ndarray]:
    """Every member with those after it in its bucket."""
    places = np.flatnonzero(rest)
    done = np.cumsum(rest[places])
    at = 0
    while at < len(places):
        until = max(at + 1, int(np.searchsorted(done, (done[at - 1] if at else 0) + _PAIRS, side="right")))
        some, repeats = places[at:until], rest[places[at:until]]
        ahead = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats) + 1
        yield _across(np.column_stack([np.repeat(order[some], repeats), order[np.repeat(some, repeats) + ahead]]), first)
        at = until


def _across(pairs: np.ndarray, first: int | None) -> np.ndarray:
    """The pairs with the smaller position first; those that cross the border, where there is one."""
    pairs = np.sort(pairs, axis=1)
    return pairs if first is None else pairs[(pairs[:, 0] < first) & (pairs[:, 1] >= first)]


def _likely(pairs: np.ndarray, digests: np.ndarray, sizes: np.ndarray, threshold: float) -> np.ndarray:
    """False where the sizes rule the threshold out, or the digests do with a margin of four standard errors."""
    a, b = sizes[pairs[:, 0]], sizes[pairs[:, 1]]
    keep = np.minimum(a, b) >= threshold * np.maximum(a, b) - 1e-9
    for start in range(0, len(pairs), 20_000):
        part = np.flatnonzero(keep[start : start + 20_000]) + start
        same = (digests[pairs[part, 0]] == digests[pairs[part, 1]]).mean(axis=1)
        keep[part] = same >= threshold - _SLACK
    return keep


def _verified(texts: Sequence[str], pairs: np.ndarray, threshold: float) -> np.ndarray:
    """Whether each pair's exact Jaccard reaches the threshold."""
    result = np.zeros(len(pairs), dtype=bool)
    for start in range(0, len(pairs), _VERIFIED):
        some = pairs[start : start + _VERIFIED]
        rows: list[int] = np.unique(some).tolist()
        sets = dict(zip(rows, grams([texts[row] for row in rows]), strict=True))
        result[start : start + len(some)] = [jaccard(sets[i], sets[j]) >= threshold - 1e-12 for i, j in some.tolist()]
    return result


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """Shared part of two sets of fingerprints, 0 to 1."""
    both = np.sort(np.concatenate([one, other]))
    shared = int((both[1:] == both[:-1]).sum())
    return shared / (len(both) - shared)
