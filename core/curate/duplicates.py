"""Rows that say the same: exactly, after normalisation, or nearly.

Every finder gives each row a group: the position of the group's first row. A row alone has its own position. Missing
and blank texts are never duplicates of anything. Near means a Jaccard of at least 0.8 of character 5-grams
(`core/curate/minhash.py`); groups of near-duplicates are closed: when a is near b and b near c, all three are one group.
Not known here: targets, splits.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.curate.minhash import connected, similar
from core.errors import DataError, SettingsError

NEAR = 0.8
"""Jaccard of character 5-grams from which on two texts are near-duplicates."""
_INVISIBLE = re.compile(r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_NOT_WORDS = re.compile(r"[^\w\s]|_")


def texts_of(frame: pd.DataFrame, columns: Sequence[str]) -> list[str | None]:
    """The chosen columns of each row as one text, joined by line breaks; None where all are missing or blank.

    Lists and objects count as their JSON text. Raises DataError naming a column that is not there.
    """
    missing = [name for name in columns if name not in frame]
    if missing or not columns:
        raise DataError(
            f"There is no column {', '.join(map(repr, missing)) or 'chosen'}. The table has {', '.join(map(str, frame.columns))}.",
            title="No such column",
        )
    parts = [[cell_text(cell) for cell in frame[name].tolist()] for name in columns]
    joined = ("\n".join(row) for row in zip(*parts, strict=True))
    return [text if text.strip() else None for text in joined]


def cell_text(cell: Any) -> str:
    """A cell as text: missing is "", 5.0 is "5", lists and objects are JSON."""
    if isinstance(cell, str):
        return cell
    if cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, (list, tuple, dict)):
        return json.dumps(cell, ensure_ascii=False, sort_keys=True, default=str)
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def normalized(text: str) -> str:
    """What stays of a text when case, width, composition (NFKC), punctuation, invisible signs and spacing do not count.

    Letters and digits stay; a text of signs alone keeps its signs.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold())
    bare = " ".join(_NOT_WORDS.sub(" ", folded).split())
    return bare or " ".join(folded.split())


def exact(texts: Sequence[str | None]) -> np.ndarray:
    """Groups of equal texts."""
    return groups_of([text if text is not None and text.strip() else None for text in texts])


def normal(texts: Sequence[str | None]) -> np.ndarray:
    """Groups of texts that are equal once normalised."""
    return groups_of([normalized(text) or None if text is not None else None for text in texts])


def groups_of(keys: Sequence[Hashable | None]) -> np.ndarray:
    """Groups of equal keys; None is alone."""
    first: dict[Hashable, int] = {}
    return np.array([row if key is None else first.setdefault(key, row) for row, key in enumerate(keys)], dtype=np.int64)


def near_duplicates(texts: Sequence[str | None], threshold: float = NEAR, first: int | None = None) -> np.ndarray:
    """Pairs (i, j), i < j, of texts with a Jaccard of at least `threshold`, equal texts included, as an (m, 2) array in order.

    Texts that stand many times give as many pairs: `clusters` and `core/curate/across.py` stay small there.
    With `first`, only pairs across that border are looked for: i < first <= j.
    """
    _check(threshold)
    border = len(texts) if first is None else first
    stand = groups_of([(row >= border, text) if text is not None and text.strip() else None for row, text in enumerate(texts)])
    equal: dict[int, list[int]] = {}
    for row, text in enumerate(texts):
        if text is not None and text.strip():
            equal.setdefault(int(stand[row]), []).append(row)
    keep = np.array(list(equal), dtype=np.int64)
    inner = None if first is None else int((keep < border).sum())
    pairs = similar([str(texts[row]) for row in keep.tolist()], threshold, inner)
    found = [(min(a, b), max(a, b)) for i, j in pairs.tolist() for a in equal[int(keep[i])] for b in equal[int(keep[j])]]
    if first is None:
        found += [(a, b) for rows in equal.values() for at, a in enumerate(rows) for b in rows[at + 1 :]]
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 2)


def clusters(texts: Sequence[str | None], threshold: float = NEAR) -> np.ndarray:
    """Groups of near-duplicates, closed under nearness; equal texts are in one group."""
    _check(threshold)
    same = exact(texts)
    firsts = np.flatnonzero(~repeated(same)).tolist()
    keep = np.array([row for row in firsts if (text := texts[row]) is not None and text.strip()], dtype=np.int64)
    roots = np.arange(len(texts))
    roots[keep] = keep[connected([str(texts[row]) for row in keep.tolist()], threshold)]
    return roots[same]


def repeated(groups: np.ndarray) -> np.ndarray:
    """True for every row but the first of its group: what "drop duplicates" drops."""
    return groups != np.arange(len(groups))


def members(groups: np.ndarray) -> dict[int, list[int]]:
    """Group -> its rows in order, for groups of two or more."""
    order = np.argsort(groups, kind="stable")
    cuts = np.flatnonzero(np.diff(groups[order])) + 1
    return {int(groups[part[0]]): part.tolist() for part in np.split(order, cuts) if len(part) > 1}


def _check(threshold: float) -> None:
    if not 0.5 <= threshold <= 1:
        raise SettingsError(f"The threshold is {threshold}; from 0.5 to 1 is possible, 0.8 is usual.", title="No such threshold")
