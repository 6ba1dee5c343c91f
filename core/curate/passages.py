"""Long passages that two texts share although the texts as wholes differ.

Rules: runs of 13 words (the measure of the GPT-3 contamination study; runs that stand in more than 10 train texts are
formulas, not copies) that make up half of the shorter text and 25 words at least, or a whole text of at least 50
characters inside another one. Texts come normalised, words apart by single spaces. Not known here: which side is train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

WORDS, COMMON, SHARE, CHARACTERS, ALIKE = 13, 10, 0.5, 50, 50
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def shared_runs(train: Sequence[str], test: Sequence[str]) -> list[tuple[int, int]]:
    """(train, test) pairs where half of the shorter text's runs of 13 words (13 at least) are in both, counting those that at most 10 train
    texts have."""
    ids: dict[str, int] = {}
    marks_train, rows_train = _runs(train, ids)
    marks_test, rows_test = _runs(test, ids)
    wanted = np.isin(marks_train, marks_test)
    marks, rows = marks_train[wanted], rows_train[wanted]
    once = np.unique(np.column_stack([marks, rows.astype(np.uint64)]), axis=0) if len(marks) else np.empty((0, 2), dtype=np.uint64)
    found, starts, counts = np.unique(once[:, 0], return_index=True, return_counts=True)
    rare = {int(mark): once[at : at + n, 1] for mark, at, n in zip(found, starts, counts, strict=True) if n <= COMMON}
    hits = np.isin(marks_test, np.array(list(rare), dtype=np.uint64))
    pairs = zip(marks_test[hits].tolist(), rows_test[hits].tolist(), strict=True)
    shared = Counter((int(one), there) for mark, there in set(pairs) for one in rare[mark])
    lengths = [np.bincount(rows, minlength=len(texts)) for rows, texts in ((rows_train, train), (rows_test, test))]
    return sorted(pair for pair, count in shared.items() if count >= max(WORDS, SHARE * min(lengths[0][pair[0]], lengths[1][pair[1]])))


def contained(inner: Sequence[str], outer: Sequence[str]) -> list[tuple[int, int]]:
    """(inner, outer) pairs where a text of at least 50 characters stands whole inside another one.

    A text is looked for by the rarest of its first, middle and last 50 characters; more than 50 texts that share even that
    are a formula and are passed over.
    """
    by_mark = _anchors(inner)
    keys = np.array(sorted(by_mark), dtype=np.uint64)
    found: set[tuple[int, int]] = set()
    for start in range(0, len(outer) if by_mark else 0, 2_000):
        some = outer[start : start + 2_000]
        marks = _windows("\0".join(some))
        places = np.flatnonzero(np.isin(marks, keys))
        ends = np.cumsum([len(text) + 1 for text in some])
        for mark, at in zip(marks[places].tolist(), np.searchsorted(ends, places, side="right").tolist(), strict=True):
            found.update((row, start + at) for row in by_mark[mark] if inner[row] in some[at])
    return sorted(found)


def _anchors(texts: Sequence[str]) -> dict[int, list[int]]:
    """Fingerprint of a run of 50 characters -> the texts that are looked for by it."""
    rows = [row for row, text in enumerate(texts) if len(text) >= CHARACTERS]
    starts = [(0, (len(texts[row]) - CHARACTERS) // 2, len(texts[row]) - CHARACTERS) for row in rows]
    cut = [texts[row][at : at + CHARACTERS] for row, three in zip(rows, starts, strict=True) for at in three]
    marks = _windows("".join(cut))[::CHARACTERS].reshape(-1, 3) if cut else np.empty((0, 3), dtype=np.uint64)
    values, inverse, counts = np.unique(marks, return_inverse=True, return_counts=True)
    rarest = counts[inverse].reshape(marks.shape).argmin(axis=1)
    by_mark: dict[int, list[int]] = {}
    for row, mark in zip(rows, values[inverse].reshape(marks.shape)[np.arange(len(rows)), rarest].tolist(), strict=True):
        by_mark.setdefault(mark, []).append(row)
    return {mark: those for mark, those in by_mark.items() if len(those) <= ALIKE}


def _runs(texts: Sequence[str], ids: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Fingerprints of every run of 13 words, and the text each stands in. New words are added to `ids`."""
    marks, rows = [np.empty(0, dtype=np.uint64)], [np.empty(0, dtype=np.int64)]
    for row, text in enumerate(texts):
        words = text.split()
        if len(words) >= WORDS:
            codes = np.array([ids.setdefault(word, len(ids) + 1) for word in words], dtype=np.uint64)
            marks.append(_rolled(codes, WORDS))
            rows.append(np.full(len(words) - WORDS + 1, row))
    return np.concatenate(marks), np.concatenate(rows)


def _windows(text: str) -> np.ndarray:
    """Fingerprints of every run of 50 characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    return _rolled(codes, CHARACTERS) if len(codes) >= CHARACTERS else np.empty(0, dtype=np.uint64)


def _rolled(codes: np.ndarray, width: int) -> np.ndarray:
    """A polynomial fingerprint, modulo 2^64, of every `width` codes in a row; codes are spread over all bits first."""
    spread = (codes + np.uint64(1)) * _FACTOR
    spread ^= spread >> np.uint64(29)
    marks, size, part, length, count = np.zeros(len(codes) + 1, dtype=np.uint64), 0, spread, 1, len(codes) - width + 1
    while length <= width:  # doubling: a run of 13 is runs of 1, 4 and 8 side by side
        if width & length:
            marks = marks[: len(codes) - size - length + 1] * _power(length) + part[size : size + len(codes) - size - length + 1]
            size += length
        part = part[:-length] * _power(length) + part[length:] if len(part) > length else part[:0]
        length *= 2
    return marks[:count]


def _power(exponent: int) -> np.uint64:
    return np.uint64(pow(0xD6E8FEB86659FD93, exponent, 2**64))
