"""Raw cells into plain ones: lists and nested details into text, amounts into numbers, several columns into one text.

A cell that holds nothing ([], "", null) becomes missing. JSON objects stay JSON text or become lines "name: value".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.curate.fields import Settings, setting
from core.curate.parts import columns_of, named_parts
from core.curate.table import Tokenizer, kept, with_reasons, with_text
from core.format import plural
from core.reading import read_amount
from core.version import Roles

_SCAN = json.JSONDecoder().raw_decode  # json.loads without looking for blanks around the value
_HALF = re.compile("[\\ud800-\\udfff]")
_DOLLARS = re.compile(r"\$?(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class ParseSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that become plain text: a list becomes one line per entry.", "columns", empty="none")
    nested: str = setting(
        "json", "How an object with named parts is written: as JSON, or one line per part.", "choice", choices=("json", "lines")
    )
    parts: tuple[str, ...] = setting(
        (), "Parts of objects that become columns, one a line: details.Brand, or details.Item Weight = weight.", "words", empty="none"
    )
    number: str = setting("", "A column of amounts such as $12.50 that becomes numbers; rows without one leave.", "column", empty="none")
    amounts: str = setting(
        "any", "Which amounts are read: any currency and way of writing, or plain dollars only.", "choice", choices=("any", "dollars")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        named_parts(self.parts)

    def columns_named(self) -> list[str]:
        found = named_parts(self.parts)
        made = {name for _, _, name in found}
        return list(dict.fromkeys([*(column for column, _, _ in found), *(name for name in super().columns_named() if name not in made)]))


def parse(rows: pd.DataFrame, settings: ParseSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Parts as columns, text columns as text, the amount column as float64; a row without a readable amount is dropped."""
    rows = _with_parts(rows, settings)
    if not settings.number:
        return kept(_as_texts(rows, settings, [True] * len(rows)))
    read = read_dollars if settings.amounts == "dollars" else read_amount
    values = [read(_bare(cell)) for cell in rows[settings.number].tolist()]
    out = _as_texts(rows, settings, [value is not None for value in values])
    out[settings.number] = np.array([np.nan if value is None else value for value in values], dtype="float64")
    return with_reasons(out, [None if value is not None else f"no readable {settings.number}" for value in values])


def _with_parts(rows: pd.DataFrame, settings: ParseSettings) -> pd.DataFrame:
    """The rows with the chosen parts as text columns; each cell is read once."""
    found = named_parts(settings.parts)
    cells: dict[str, list[str | None]] = {}
    for column in dict.fromkeys(column for column, _, _ in found):
        mine = [(part, name) for of, part, name in found if of == column]
        texts = columns_of(rows[column].tolist(), [part for part, _ in mine], lambda value: as_text(value, settings.nested))
        cells |= {name: made for (_, name), made in zip(mine, texts, strict=True)}
    return with_text(rows, cells) if cells else rows


def _as_texts(rows: pd.DataFrame, settings: ParseSettings, stays: list[bool]) -> pd.DataFrame:
    """The chosen columns as text, for the rows that stay."""
    nested = settings.nested
    cells = {
        name: [as_text(cell, nested) if stay else None for cell, stay in zip(rows[name].tolist(), stays, strict=True)]
        for name in settings.columns
    }
    return with_text(rows, cells)


def read_dollars(cell: object) -> float | None:
    """12.5, "$12.50" and "1,299" as numbers; None for anything else ("from 12.99", "€5", "None")."""
    if isinstance(cell, bool):
        return None
    found = _DOLLARS.fullmatch(str(cell).strip().replace(",", ""))
    return float(found.group(1)) if found else None


def as_text(cell: Any, nested: str = "json") -> str | None:
    """A cell as text; a list (or the JSON text of one) as its entries, one a line; None when it holds nothing."""
    if isinstance(cell, str):
        begin = cell[:1]
        if (begin != "[" and (begin != "{" or nested != "lines")) or not isinstance(value := _json(cell), (list, dict)):
            return cell or None
        cell = value
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, (list, tuple)):
        try:
            return _whole("\n".join(cell)) if cell else None
        except TypeError:  # not texts only
            pass
        parts = [_entry(part, nested) for part in cell if part is not None]
        return _whole("\n".join(parts)) if parts else None
    if isinstance(cell, Mapping):
        return _whole(_entry(cell, nested)) if cell else None
    return _whole(cell) if isinstance(cell, str) else str(cell)


def _whole(text: str) -> str:
    """The text with replacement signs for halves of surrogate pairs, which JSON can write and no file can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not text.isascii() and _HALF.search(text) else text


def _cells(column: Any) -> list[Any]:
    """The cells as Python values (arrays as lists, which compare as one)."""
    return [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in column.tolist()]


def _entry(value: Any, nested: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and nested == "lines":
        return "\n".join(f"{name}: {_entry(part, 'json')}" for name, part in value.items() if part is not None)
    return json.dumps(value, ensure_ascii=False, default=str)


def _json(text: str) -> Any:
    try:
        value, end = _SCAN(text)
        return value if end == len(text) else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _bare(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell


def parse_sentence(settings: ParseSettings) -> str:
    """ "description and features as text, price as a number" """
    parts = [f"{listed(settings.columns)} as text"] if settings.columns else []
    if settings.parts:
        parts.append(f"{listed(tuple(name for _, _, name in named_parts(settings.parts)))} as {plural(len(settings.parts), 'column')}")
    return ", ".join([*parts, *([f"{settings.number} as a number"] if settings.number else [])]) or "nothing chosen"


def parse_writes(settings: ParseSettings) -> dict[str, str]:
    texts = [*(name for _, _, name in named_parts(settings.parts)), *settings.columns]
    return {**dict.fromkeys(texts, "text"), **({settings.number: "number"} if settings.number else {})}


@dataclass(frozen=True)
class JoinSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that are put together, in this order; missing cells are left out.", "columns")
    into: str = setting("text", "The column that holds the result.", "text")
    separator: str = setting("\n", "What stands between two parts.", "text")
    closing: bool = setting(False, "Put the separator behind the last part too.", "flag")
    use_as_text: bool = setting(True, "Models see this column from now on, and no other.", "flag")


def join(rows: pd.DataFrame, settings: JoinSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """One text column of several; missing where all parts are."""
    parts = [[cell if _plain(cell) else as_text(cell) for cell in _cells(rows[name])] for name in settings.columns]
    end = settings.separator if settings.closing else ""
    cells = []
    for row in zip(*parts, strict=True):
        filled = [part for part in row if part is not None]
        cells.append(settings.separator.join(filled) + end if filled else None)
    return kept(with_text(rows, {settings.into: cells}))


def _plain(cell: Any) -> bool:
    """Whether a cell is its own text, an empty one too."""
    return isinstance(cell, str) and cell[:1] != "["


def join_sentence(settings: JoinSettings) -> str:
    return f"{listed(settings.columns)} into {settings.into}" if settings.columns else "nothing chosen"


def join_writes(settings: JoinSettings) -> dict[str, str]:
    return {settings.into: "text"}


def join_roles(roles: Roles, settings: JoinSettings) -> Roles:
    """The joined column is the text; what was text before is carried along."""
    return replace(roles, text=(settings.into,)) if settings.use_as_text else roles


def listed(names: tuple[str, ...]) -> str:
    """ "title", "title and description", "title, description and 2 more" """
    if len(names) <= 1:
        return names[0] if names else "nothing"
    if len(names) <= 3:
        return ", ".join(names[:-1]) + f" and {names[-1]}"
    return ", ".join(names[:2]) + f" and {len(names) - 2} more"
