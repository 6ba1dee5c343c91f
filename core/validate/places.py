"""Positions of rows, a million of them in four megabytes: a sequence of numbers that is an int32 array inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np


class Places(Sequence[int]):
    """Whole numbers in order. It compares like a tuple, and slices are Places again."""

    __slots__ = ("array",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: Any = ()) -> None:
        self.array = np.asarray(values, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Places: ...
    def __getitem__(self, at: int | slice) -> int | Places:
        return Places(self.array[at]) if isinstance(at, slice) else int(self.array[at])

    def __iter__(self) -> Iterator[int]:
        for start in range(0, len(self.array), 10_000):
            yield from self.array[start : start + 10_000].tolist()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Places):
            return bool(np.array_equal(self.array, other.array))
        return isinstance(other, Sequence) and len(other) == len(self) and all(a == b for a, b in zip(self, other, strict=True))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)

    def __repr__(self) -> str:
        return f"Places({len(self)})"


def distinct(places: Sequence[int]) -> Sequence[int]:
    """The positions, each once, at the place where it first stands."""
    if isinstance(places, Places):
        first = np.unique(places.array, return_index=True)[1]
        return Places(places.array[np.sort(first)])
    return tuple(dict.fromkeys(places))


def taken(values: Sequence[int], places: Sequence[int]) -> Sequence[int]:
    """The values at these positions; Places when the positions are."""
    if isinstance(places, Places):
        array = np.asarray(values, dtype=np.int32) if not isinstance(values, Places) else values.array
        return Places(array[places.array])
    return tuple(values[place] for place in places)


def without(places: Sequence[int], gone: Sequence[int]) -> Sequence[int]:
    """The positions that are not among `gone`."""
    if isinstance(places, Places):
        return Places(places.array[~np.isin(places.array, np.asarray(gone, dtype=np.int32))])
    told = set(gone)
    return [place for place in places if place not in told]


def ascending(values: Sequence[int]) -> list[int]:
    """The numbers, each once, from the smallest."""
    return np.unique(values.array).tolist() if isinstance(values, Places) else sorted(set(values))
