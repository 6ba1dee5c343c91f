"""Which rows belong together: near-duplicates, rows of one group, a row and those that were made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.curate.duplicates import cell_text, clusters, groups_of, normalized, texts_of
from core.errors import DataError
from core.version import Roles


def families(frame: pd.DataFrame, roles: Roles, group: str | None, near: bool) -> np.ndarray:
    """A number per row, equal for rows that must not part; rows alone have a number of their own.

    `group` names a column whose equal values belong together (missing cells do not). The frame's index is what
    `roles.parent_row` refers to.
    """
    known: list[np.ndarray] = []
    if near and roles.text:
        texts = texts_of(frame, list(roles.text))
        flat = [normalized(text) or None if text is not None else None for text in texts]
        known += [clusters(texts), clusters(flat)]
    if group and group in frame:
        known.append(_grouped(frame[group]))
    if roles.parent_row and roles.parent_row in frame:
        pairs = np.array(lineage(frame, roles.parent_row), dtype=np.int64).reshape(-1, 2)
        if len(pairs):
            known.append(_connected(len(frame), pairs))
    if not known:
        return np.arange(len(frame))
    return known[0] if len(known) == 1 else _connected(len(frame), np.concatenate([_linked(groups) for groups in known]))


def _grouped(column: Any) -> np.ndarray:
    """The first row of each cell's value; a missing or empty cell is alone."""
    try:
        places, cells = pd.factorize(column)
    except TypeError:
        return groups_of([cell_text(cell) or None for cell in column.tolist()])
    if pd.api.types.is_numeric_dtype(column):
        same, known = np.arange(len(cells)), places >= 0
    else:
        told = [cell_text(cell) or None for cell in cells.tolist()]
        same, known = groups_of(told), np.array([*(text is not None for text in told), False], dtype=bool)[places]
    _, first, group = np.unique(same[places[known]], return_index=True, return_inverse=True)
    found = np.arange(len(places))
    found[known] = np.flatnonzero(known)[first][group]
    return found


def _connected(rows: int, pairs: np.ndarray) -> np.ndarray:
    """The first row of each connected part of a graph of rows."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links = coo_matrix((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(rows, rows))
    part = connected_components(links, directed=False)[1]
    _, first, part = np.unique(part, return_index=True, return_inverse=True)
    return first[part]


def with_copies(kept: pd.DataFrame, whole: pd.DataFrame, places: np.ndarray, roles: Roles) -> tuple[pd.DataFrame, Roles]:
    """The kept rows, and behind them the rows of `whole` at these places once more, as children of what they copy.

    Copies have negative numbers. A copy of a synthetic row is a child of that row's parent: families have one generation.
    """
    column = roles.parent_row if roles.parent_row in whole else None
    name = column or next(name for name in ("parent_row", *(f"parent_row_{n}" for n in range(2, 99))) if name not in whole)
    old = parents(whole, column) if column else [None] * len(whole)
    numbers = whole.index.to_numpy()
    copies, kept = whole.iloc[places].copy(), kept.copy(deep=False)
    if not column:
        kept[name] = pd.array([None] * len(kept), dtype="Int64")
    of = [int(numbers[place]) if (parent := old[place]) is None else parent for place in places.tolist()]
    copies[name] = pd.array(of, dtype="Int64")
    copies.index = pd.Index(min(0, int(numbers.min())) - 1 - np.arange(len(places)))
    if column and kept[name].dtype != "Int64":
        kept[name] = pd.array(parents(kept, name), dtype="Int64")
    return pd.DataFrame(pd.concat([kept, copies])), replace(roles, parent_row=name)


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


def ancestors(numbers: Sequence[int], made_from: Sequence[int | None]) -> list[int]:
    """For each row the number of the row its chain of parents begins with; its own where it has no parent."""
    of = {own: parent for own, parent in zip(numbers, made_from, strict=True) if parent is not None and parent != own}
    found = []
    for number in numbers:
        seen = {number}
        while number in of and of[number] not in seen:
            number = of[number]
            seen.add(number)
        found.append(number)
    return found


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
