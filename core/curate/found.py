"""What expressions find inside texts, column by column: the stretch a pattern matches, the first number, the parts of a date."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

DATE_PARTS = ("year", "month", "weekday")
"""Of a date: 1999, 1 to 12, 1 (Monday) to 7."""
_NUMBER = re.compile(r"[-−]?(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?")
_UNIX = (1e8, 1e11)
"""Bare numbers between these are seconds since 1970, a thousand times as much is milliseconds; 1000 to 9999 is a year."""


def stretches(texts: Any, pattern: str) -> Any:
    """The first stretch of each text (Arrow) that the pattern (RE2) matches; null where none does."""
    import pyarrow.compute as pc

    found = pc.extract_regex(texts, f"(?P<found>{_ungrouped(pattern)})")  # type: ignore[attr-defined]
    return pc.struct_field(found, "found").cast(texts.type)  # type: ignore[attr-defined]


def _ungrouped(pattern: str) -> str:
    """The pattern with groups that keep nothing: a stretch is found as a whole."""
    return re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?P<\w+>|(?!\?))", lambda m: "(?:" if m[0][0] == "(" else m[0], pattern, flags=re.S)


def first_numbers(texts: Any) -> np.ndarray:
    """(n,) the first number in each text, with thousands separators and decimals; NaN where there is none."""
    found = [_NUMBER.search(text) if text else None for text in texts.to_pylist()]
    values = np.array([float(one[0].replace(",", "").replace("−", "-")) if one else np.nan for one in found], dtype="float64")
    return np.where(np.isfinite(values), values, np.nan)


def date_part(cells: list[Any], part: str) -> np.ndarray:
    """(n,) the year, month or day of the week of dates in any usual writing; NaN where there is no date."""
    read = pd.to_datetime(pd.Series([_moment(cell) for cell in cells], dtype="object"), errors="coerce", utc=True, format="mixed")
    values = read.dt.dayofweek + 1 if part == "weekday" else getattr(read.dt, part)
    return values.to_numpy(dtype="float64", na_value=np.nan)


def _moment(cell: Any) -> Any:
    """A cell as something pandas reads as a moment."""
    text = str(cell).strip() if cell is not None else ""
    try:
        number = float(text)
    except ValueError:
        return text or None
    if number != number:
        return None
    if 1000 <= number <= 9999 and number == int(number):
        return f"{int(number)}-01-01"
    for scale, unit in ((1.0, "s"), (1e3, "ms")):
        if _UNIX[0] * scale <= number < _UNIX[1] * scale:
            return pd.Timestamp(number, unit=unit)  # type: ignore[arg-type]
    return None
