"""From text to typed columns, without losing a cell.

A column of text becomes numbers only when every cell that is not empty is a plain number: no leading zeros, no more
digits than a float holds, nothing that overflows. "NA", "00123" and 20-digit ids stay what they are. Dates and flags
stay text and are only recognised. Empty cells are missing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

_PLAIN = re.compile(r"\s*[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?\s*", re.ASCII)
_TIME = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_WHOLE = re.compile(r"\s*[-+]?\d+\s*", re.ASCII)
_FLAGS = {"true", "false"}
_DIGITS = 15
"""Digits a 64-bit float keeps exactly whatever the number."""
_SAFE = 2**53


def from_text(cells: Sequence[str], typed: bool = True) -> pd.Series:
    """A column of text cells: numbers when all are plain, else text; empty is missing."""
    filled = [cell for cell in cells if cell.strip()] if typed else []
    if filled and all(map(is_plain, _probe(filled))) and all(map(is_plain, filled)):
        return _numbers([float(cell) if cell.strip() else None for cell in cells], all(_WHOLE.fullmatch(c) for c in filled))
    return pd.Series([cell if cell != "" else None for cell in cells], dtype="str")


def from_values(values: Sequence[Any]) -> pd.Series:
    """A column of JSON or workbook values: one kind keeps its type, lists and objects become JSON text, a mixture becomes text."""
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {bool} and len(present) == len(values):
        return pd.Series(list(values), dtype="bool")
    if kinds and kinds <= {int, float} and all(_fits(value) for value in present):
        return _numbers([None if value is None else float(value) for value in values], kinds == {int})
    return pd.Series([None if value is None else as_text(value) for value in values], dtype="str")


def as_text(value: Any) -> str:
    """A value as the text of a cell: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def is_plain(cell: str) -> bool:
    """Whether a cell is a number that a float holds: "-3", "0.5", "1e-05"; not "007", "1,299", "1e400", twenty digits."""
    if not _PLAIN.fullmatch(cell):
        return False
    digits = re.sub(r"[eE].*|\D", "", cell.strip()).lstrip("0")
    limit = _DIGITS if "." not in cell and "e" not in cell.casefold() else _DIGITS + 2
    return len(digits) <= limit and math.isfinite(float(cell)) and cell.strip() not in ("-0", "+0")


def is_whole(cell: str) -> bool:
    """Whether a plain number is written without a point or an exponent."""
    return bool(_WHOLE.fullmatch(cell))


def of(frame: pd.DataFrame, name: object) -> pd.Series:
    """One column. Names are unique here, which pandas' types cannot know."""
    return cast(pd.Series, frame[name])


def kinds(frame: pd.DataFrame) -> dict[str, str]:
    """Column -> kind."""
    return {str(name): kind(of(frame, name)) for name in frame.columns}


def kind(column: pd.Series) -> str:
    """text, number, label (few short values), time, list (JSON) or flag, from the type and the first cells."""
    if pd.api.types.is_bool_dtype(column):
        return "flag"
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "time"
    cells = [cell for cell in column.head(2000).tolist() if cell is not None and cell == cell]
    if not cells:
        return "text"
    if all(isinstance(cell, (list, dict)) or is_nested(cell) for cell in cells[:200]):
        return "list"
    texts = [str(cell) for cell in cells]
    if all(text.strip().casefold() in _FLAGS for text in texts):
        return "flag"
    if all(_TIME.fullmatch(text.strip()) for text in texts):
        return "time"
    return "label" if _few(texts) else "text"


def is_nested(cell: object) -> bool:
    """Whether a text cell holds a JSON list or object."""
    if not isinstance(cell, str) or cell[:1] not in ("[", "{"):
        return False
    try:
        return isinstance(json.loads(cell), (list, dict))
    except (ValueError, RecursionError):
        return False


def _few(texts: list[str]) -> bool:
    """Few short values that repeat: at most one in eight differs (at least two may)."""
    distinct = len(set(texts))
    return len(texts) >= 4 and distinct <= max(2, len(texts) // 8) and distinct < len(texts) and max(map(len, texts)) <= 60


def _fits(value: float) -> bool:
    return math.isfinite(value) if isinstance(value, float) else abs(value) < _SAFE


def _numbers(values: Iterable[float | None], whole: bool) -> pd.Series:
    numbers = np.array([math.nan if value is None else value for value in values], dtype="float64")
    return pd.Series(numbers.astype("int64") if whole and not np.isnan(numbers).any() else numbers)


def _probe(cells: list[str]) -> list[str]:
    return cells[:: max(1, len(cells) // 50)]
