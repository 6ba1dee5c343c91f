"""Which rows belong together: near-duplicates, rows of one group, a row and those that were made from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.curate.duplicates import cell_text, clusters, groups_of, normalized, texts_of, union
from core.errors import DataError
from core.version import Roles


def families(frame: pd.DataFrame, roles: Roles, group: str | None, near: bool) -> np.ndarray:
    """A number per row, equal for rows that must not part; rows alone have a number of their own.

    `group` names a column whose equal values belong together (missing cells do not). The frame's index is what
    `roles.parent_row` refers to.
    """
    links: list[np.ndarray] = []
    if near and roles.text:
        texts = texts_of(frame, list(roles.text))
        flat = [normalized(text) or None if text is not None else None for text in texts]
        links += [_linked(clusters(texts)), _linked(clusters(flat))]
    if group and group in frame:
        links.append(_linked(groups_of([cell_text(cell) or None for cell in frame[group].tolist()])))
    if roles.parent_row and roles.parent_row in frame:
        links.append(np.array(lineage(frame, roles.parent_row), dtype=np.int64).reshape(-1, 2))
    return union(len(frame), np.concatenate(links)) if links else np.arange(len(frame))


def lineage(frame: pd.DataFrame, column: str) -> list[tuple[int, int]]:
    """(place of the parent, place of the child) for every child whose parent is in the frame."""
    places = {int(number): place for place, number in enumerate(frame.index.tolist())}
    pairs = []
    for place, number in enumerate(parents(frame, column)):
        if number is not None and number in places and places[number] != place:
            pairs.append((places[number], place))
    return pairs


def parents(frame: pd.DataFrame, column: str) -> list[int | None]:
    """The row each row was made from, null for real rows. Raises DataError when the column holds anything but row numbers."""
    cells = frame[column]
    try:
        numbers = pd.Series(pd.to_numeric(cells)).astype("Float64").tolist()
    except (ValueError, TypeError) as error:
        raise DataError(f"{column} should hold the row each row was made from: {error}. Take this role away on Explore.",
                        title="No row numbers") from error  # fmt: skip
    return [None if number is pd.NA or number != number else int(number) for number in numbers]


def orphans(frame: pd.DataFrame, column: str) -> list[bool]:
    """Rows whose parent is not in the frame any more, or is an orphan itself."""
    numbers = parents(frame, column)
    gone: Sequence[bool] = [False] * len(frame)
    while True:
        there = {int(row) for row, lost in zip(frame.index.tolist(), gone, strict=True) if not lost}
        now = [number is not None and number not in there for number in numbers]
        if now == list(gone):
            return now
        gone = now


def _linked(groups: np.ndarray) -> np.ndarray:
    """Pairs (first of the group, row) for every row that is not the first."""
    rows = np.flatnonzero(groups != np.arange(len(groups)))
    return np.stack([groups[rows], rows], axis=1).astype(np.int64)
