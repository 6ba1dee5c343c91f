"""Tables as bytes for download: formulas defused in CSV, exact in Parquet and JSONL.

Spreadsheets run a cell that begins like a formula; such cells get a leading apostrophe unless they are plain numbers.
"""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_STARTS = "=+-@＝＋－＠\t\r\n"
_BLANK = re.compile(r"^[\s\u200b\u200c\u200d\u2060\ufeff]*")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?([eE][-+]?\d+)?")


def defused(cell: Any) -> Any:
    """The cell, with an apostrophe before any text that a spreadsheet would run on any of its lines."""
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell.strip()):
        return cell
    lines = re.split(r"(\r\n|\n|\r)", cell)
    risky = [
        line != "" and (line[0] in "\t\r" or _BLANK.sub("", line)[:1] in tuple(_STARTS)) and _BLANK.sub("", line) != ""
        for line in lines[::2]
    ]
    lines[::2] = ["'" + line if bad else line for line, bad in zip(lines[::2], risky, strict=True)]
    return "".join(lines)


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a byte order mark, formulas defused, missing cells empty."""
    safe = frame.copy(deep=False)
    for name in safe.columns:
        if safe[name].dtype == object or str(safe[name].dtype) in ("str", "string"):
            safe[name] = [defused(_text(cell)) for cell in safe[name].tolist()]
    safe.columns = [defused(str(name)) for name in safe.columns]
    return safe.to_csv(index=False).encode("utf-8-sig")


def _text(cell: Any) -> Any:
    cell = cell.tolist() if type(cell).__name__ == "ndarray" else cell
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, (list, dict, tuple)) else cell


def plain_cell(cell: Any) -> Any:
    """A cell as None, a truth value, a number or text; nested values as JSON, times as ISO 8601."""
    cell = _text(cell)
    if cell is None or isinstance(cell, str):
        return cell
    if type(cell).__name__ in ("NAType", "NaTType") or cell != cell:
        return None
    cell = cell.isoformat() if hasattr(cell, "isoformat") else cell.item() if hasattr(cell, "item") else cell
    return cell if isinstance(cell, (bool, int, float)) else str(cell)


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def jsonl_bytes(records: list[dict[str, Any]]) -> bytes:
    """One JSON object a line, UTF-8, missing values as null."""
    return "".join(json.dumps(_clean(record), ensure_ascii=False, allow_nan=False) + "\n" for record in records).encode()


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        return [_clean(one) for one in value]
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return None
    value = value.isoformat() if hasattr(value, "isoformat") else value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (str, bool, int, float)) else str(value)
