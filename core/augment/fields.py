"""The cells of a whole new row: which columns, of which kind, and which cells do not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from core.errors import SettingsError
from core.reading import read_amount

KINDS = {"text": "any text", "number": "a number", "integer": "a whole number", "choice": "one of a few words", "yes/no": "true or false"}
MOST_CHOICES = 20
_YES = {"true": True, "yes": True, "y": True, "예": True, "네": True, "참": True, "false": False, "no": False, "n": False, "아니오": False,
        "아니요": False, "거짓": False}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One column of a new row."""

    name: str
    kind: str = "text"
    """text | number | integer | choice | yes/no"""
    choices: tuple[str, ...] = ()
    """choice: the values a cell may have."""
    low: float | None = None
    """number and integer: the least value."""
    high: float | None = None
    optional: bool = False
    """Whether a cell may be empty."""
    meaning: str = ""
    """What the column holds, in a few words for the writer."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise SettingsError("A column needs a name.", title="A column without a name")
        if self.kind not in KINDS:
            raise SettingsError(
                f"'{self.name}' is of kind '{self.kind}'. Choose one of {', '.join(KINDS)}.", title="Unknown kind of column"
            )
        if self.kind == "choice" and len(self.choices) < 2:
            raise SettingsError(f"'{self.name}' needs at least two choices; it has {len(self.choices)}.", title="Too few choices")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SettingsError(f"'{self.name}' goes from {self.low} to {self.high}; the first may not be larger.", title="An empty range")

    @property
    def said(self) -> str:
        """As the request says it: '"stars": a whole number from 1 to 5'."""
        words = f"one of {', '.join(map(repr, self.choices))}" if self.kind == "choice" else KINDS[self.kind]
        if self.low is not None:
            words += f" from {self.low:g}" if self.high is not None else f", at least {self.low:g}"
        if self.high is not None:
            words += f" to {self.high:g}" if self.low is not None else f", at most {self.high:g}"
        return f'"{self.name}": {words}{"; may be null" if self.optional else ""}{f" ({self.meaning})" if self.meaning else ""}'

    @property
    def schema(self) -> dict[str, Any]:
        """The cell as JSON schema."""
        kind = {"text": "string", "choice": "string", "yes/no": "boolean"}.get(self.kind, self.kind)
        found: dict[str, Any] = {"type": [kind, "null"] if self.optional else kind}
        if self.choices:
            found["enum"] = [*self.choices, None] if self.optional else list(self.choices)
        if self.kind in ("number", "integer"):
            found |= {name: value for name, value in (("minimum", self.low), ("maximum", self.high)) if value is not None}
        return found

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "choices": list(self.choices)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Field:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "choices": tuple(known.get("choices", ()))})


def fields_of(train: pd.DataFrame, columns: Sequence[str]) -> tuple[Field, ...]:
    """The columns as the train rows hold them: numbers with their range, few different words as choices."""
    return tuple(_field(name, pd.Series(train[name])) for name in columns)


def _field(name: str, cells: pd.Series) -> Field:
    known = [cell for cell in cells.tolist() if cell is not None and cell == cell and str(cell).strip()]
    optional = len(known) < len(cells)
    if known and all(isinstance(cell, bool) for cell in known):
        return Field(name, "yes/no", optional=optional)
    if known and pd.api.types.is_numeric_dtype(cells):
        whole = all(float(cell).is_integer() for cell in known)
        return Field(name, "integer" if whole else "number", low=float(min(known)), high=float(max(known)), optional=optional)
    words = sorted({str(cell).strip() for cell in known})
    if 2 <= len(words) <= MOST_CHOICES and len(words) <= len(known) / 5:
        return Field(name, "choice", tuple(words), optional=optional)
    return Field(name, optional=optional)


def cleaned(cells: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """The cells under their columns' names, "3" as 3 where a number belongs; what does not fit stays as it is. Others are left out."""
    given = {_plain(name): cell for name, cell in cells.items()}
    found = {}
    for one in fields:
        cell = given.get(_plain(one.name))
        read = _read(cell, one)
        found[one.name] = cell if read is None else read
    return found


def misfits(cells: Mapping[str, Any], fields: Sequence[Field]) -> list[str]:
    """What does not fit, as words: 'stars is 9; it must be a whole number from 1 to 5'."""
    wrong = []
    for one in fields:
        cell = cells.get(one.name)
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            if not one.optional:
                wrong.append(f"{one.name} is missing")
        elif _read(cell, one) is None:
            wrong.append(f"{one.name} is {str(cell)[:60]!r}; it must be {one.said.split(': ', 1)[1]}")
    return wrong


def _read(cell: Any, one: Field) -> Any:
    """The cell as a value of its column, or None."""
    if cell is None or isinstance(cell, (dict, list)) or (isinstance(cell, float) and not math.isfinite(cell)):
        return None
    if one.kind == "text":
        return str(cell).strip() or None
    if one.kind == "choice":
        return next((choice for choice in one.choices if _plain(choice) == _plain(cell)), None)
    if one.kind == "yes/no":
        return cell if isinstance(cell, bool) else _YES.get(_plain(cell))
    number = None if isinstance(cell, bool) else read_amount(cell)
    if number is None or (one.low is not None and number < one.low) or (one.high is not None and number > one.high):
        return None
    if one.kind == "integer":
        return int(number) if number.is_integer() else None
    return number


def _plain(name: Any) -> str:
    if isinstance(name, float) and name.is_integer():
        name = int(name)
    return " ".join(str(name).casefold().replace("_", " ").split())
