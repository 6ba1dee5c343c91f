"""What kind of thing each column holds, from its type and its first cells."""

from __future__ import annotations

import json

import pandas as pd


def kinds(rows: pd.DataFrame) -> dict[str, str]:
    """Column -> text, number, label, time, list or flag, from its type and its first cells."""
    found = {}
    for name in rows.columns:
        column = rows[name]
        if pd.api.types.is_bool_dtype(column):
            kind = "flag"
        elif pd.api.types.is_numeric_dtype(column):
            kind = "number"
        elif pd.api.types.is_datetime64_any_dtype(column):
            kind = "time"
        else:
            cells = [cell for cell in column.head(200).tolist() if cell is not None and cell == cell]
            listed = sum(isinstance(cell, (list, dict)) or _is_json(cell) for cell in cells)
            kind = "list" if cells and listed > len(cells) / 2 else "label" if _few(cells) else "text"
        found[str(name)] = kind
    return found


def _is_json(cell: object) -> bool:
    if not isinstance(cell, str) or cell[:1] not in "[{" or not cell:
        return False
    try:
        return isinstance(json.loads(cell), (list, dict))
    except ValueError:
        return False


def _few(cells: list[object]) -> bool:
    return len(cells) >= 20 and len(set(map(str, cells))) <= max(2, len(cells) // 8) and all(len(str(cell)) <= 60 for cell in cells)
