"""Parts of nested details as columns of their own: details.Brand, details.Rank.Music, authors.name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import SettingsError

RENAMED = " = "
"""Stands between a part and the name of its column."""


def named_parts(lines: Sequence[str]) -> list[tuple[str, str, str]]:
    """Lines "column.part" or "column.part = name" as (column, part, name of the new column). Raises SettingsError."""
    found: dict[str, tuple[str, str, str]] = {}
    for line in lines:
        path, _, name = line.partition(RENAMED)
        column, _, part = path.strip().partition(".")
        name = name.strip() or path.strip()
        if not column or not part:
            raise SettingsError(f"'{line}' names no part. Write the column, a dot and the part: details.Brand.", title="Not a part")
        if name in found:
            raise SettingsError(f"Two parts become the column '{name}'. Give one of them another name: {path.strip()} = name.",
                                title="Two columns of one name")  # fmt: skip
        found[name] = (column, part, name)
    return list(found.values())


def columns_of(cells: Sequence[Any], parts: Sequence[str], as_text: Callable[[Any], str | None]) -> list[list[str | None]]:
    """For each part one text per cell; missing where the cell is no object (or JSON text of one), or has no such part."""
    found: list[list[str | None]] = [[None] * len(cells) for _ in parts]
    for row, cell in enumerate(cells):
        value = _opened(cell)
        if value is not None:
            for place, part in enumerate(parts):
                found[place][row] = _shown(_at(value, part), as_text)
    return found


def _opened(cell: Any) -> Any:
    """The object or list a cell holds, None when it holds neither."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("{", "["):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return None
    cell = cell.tolist() if isinstance(cell, np.ndarray) else cell
    return cell if isinstance(cell, (Mapping, list, tuple)) else None


def _at(value: Any, part: str) -> Any:
    """The value under a name, or under names with dots between; of a list what its entries hold there."""
    if isinstance(value, (list, tuple)):
        return [inner for entry in value if (inner := _at(entry, part)) is not None] or None
    if not isinstance(value, Mapping):
        return None
    if part in value:
        return value[part]
    first, dot, rest = part.partition(".")
    while dot and first not in value:
        more, dot, rest = rest.partition(".")
        first = f"{first}.{more}"
    return _at(value[first], rest) if dot else None


def _shown(value: Any, as_text: Callable[[Any], str | None]) -> str | None:
    if isinstance(value, (bool, int, float)):
        return json.dumps(value) if value == value else None
    return as_text(value)
