"""Rows that are too short, too long, out of range, empty, or match a pattern.

Lengths are characters as Python counts them, or tokens of a named tokenizer. Patterns are RE2 (linear time, no
look-around), so no pattern can make a page hang.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.curate.characters import arrow_texts, check_pattern
from core.curate.fields import Settings, setting
from core.curate.parse import as_text, listed
from core.curate.table import Tokenizer, kept, texts, with_reasons, with_text
from core.errors import DataError, SettingsError
from core.format import count, unit_of

_BETWEEN = re.compile("(?<=[A-Za-z]) (?=[A-Za-z])")
_CHARACTERS = 5
"""Characters a token has at most, as a rule; where it does not hold, the whole text is encoded."""
TOKENIZERS = ("cl100k_base", "o200k_base", "embedded")


@dataclass(frozen=True)
class LengthSettings(Settings):
    column: str = setting("text", "The text column that is measured.", "column")
    minimum: int = setting(1, "Rows with fewer characters leave.", "whole", low=0)
    ceiling: int = setting(0, "Longer texts are cut here before tokens are counted, which saves time; 0 cuts nothing.", "whole", low=0)


def length_window(rows: pd.DataFrame, settings: LengthSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Rows shorter than the minimum leave; longer texts than the ceiling are cut."""
    cells = [as_text(cell) for cell in rows[settings.column].tolist()]
    reasons = [None if len(cell or "") >= settings.minimum else f"fewer than {count(settings.minimum)} characters" for cell in cells]
    if settings.ceiling:
        cells = [cell if cell is None else cell[: settings.ceiling] for cell in cells]
    return with_reasons(with_text(rows, {settings.column: cells}), reasons)


def length_sentence(settings: LengthSettings) -> str:
    cut = f", cut at {count(settings.ceiling)}" if settings.ceiling else ""
    return f"{settings.column} at least {count(settings.minimum)} characters{cut}"


def length_writes(settings: LengthSettings) -> dict[str, str]:
    return {settings.column: "text"}


@dataclass(frozen=True)
class TokenSettings(Settings):
    column: str = setting("text", "The text column that is measured.", "column")
    minimum: int = setting(20, "Rows with fewer tokens leave. A token is a word or a piece of one, as the model reads.", "whole", low=0)
    maximum: int = setting(200, "Longer texts are cut after so many tokens; 0 cuts nothing.", "whole", low=0)
    tokenizer: str = setting(
        "o200k_base", "Whose tokens are counted: of newer or older hosted models, or of the built-in model.", "choice", choices=TOKENIZERS
    )


def token_window(rows: pd.DataFrame, settings: TokenSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Rows with fewer tokens than the minimum leave; longer texts are cut to the maximum and decoded. Needs a tokenizer."""
    if tokenizer is None:
        raise SettingsError(f"The tokenizer '{settings.tokenizer}' was not handed to this step.", title="No tokenizer")
    reason = f"fewer than {count(settings.minimum)} tokens"
    cells, reasons = [], []
    for text in texts(rows[settings.column]):
        cell, long_enough = _windowed(text or "", settings, tokenizer)
        cells.append(text if text is None else cell)
        reasons.append(None if long_enough else reason)
    return with_reasons(with_text(rows, {settings.column: cells}), reasons)


def _windowed(text: str, settings: TokenSettings, tokenizer: Tokenizer) -> tuple[str, bool]:
    """A text cut to the maximum, and whether it reaches the minimum. One that probably does not is counted first."""
    if tokenizer.count and len(text) < settings.minimum * _CHARACTERS:
        length = tokenizer.count(text)
        if length < settings.minimum or not settings.maximum or length <= settings.maximum:
            return text, length >= settings.minimum
    wanted = max(settings.minimum, settings.maximum)
    tokens = _enough(text, wanted, tokenizer) if settings.maximum else tokenizer.encode(text)
    if len(tokens) >= settings.minimum and settings.maximum and len(tokens) > settings.maximum:
        return tokenizer.decode(tokens[: settings.maximum]), True
    return text, len(tokens) >= settings.minimum


def _enough(text: str, wanted: int, tokenizer: Tokenizer) -> Sequence[int]:
    """The tokens of a text, or the first ones of a long text: always more than `wanted` where there are more.

    A long text is encoded up to a blank between two letters. Every tokenizer here begins a new piece at such a blank and
    looks at nothing behind it, so these are the tokens the whole text begins with.
    """
    found = _BETWEEN.search(text, wanted * _CHARACTERS) if len(text) > wanted * _CHARACTERS else None
    if found:
        tokens = tokenizer.encode(text[: found.start()])
        if len(tokens) > wanted:
            return tokens
    return tokenizer.encode(text)


def token_sentence(settings: TokenSettings) -> str:
    """ "at least 20, cut at 200" """
    cut = f", cut at {count(settings.maximum)}" if settings.maximum else ""
    return f"{settings.column} at least {count(settings.minimum)} tokens{cut}"


def token_writes(settings: TokenSettings) -> dict[str, str]:
    return {settings.column: "text"}


@dataclass(frozen=True)
class RangeSettings(Settings):
    column: str = setting("", "The number column that is looked at.", "column", only="number")
    low: float | None = setting(None, "Rows below this leave.", "number", empty="no lower end")
    high: float | None = setting(None, "Rows above this leave.", "number", empty="no upper end")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SettingsError(
                f"The range goes from {self.low:g} to {self.high:g}: nothing lies in it. Swap the two.", title="The range is empty"
            )


def in_range(rows: pd.DataFrame, settings: RangeSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Rows whose number lies outside low..high (both included), or is missing, leave."""
    column = rows[settings.column]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise DataError(
            f"{settings.column} holds text. Add a Parse step before this one that makes it a number.", title="Not a number column"
        )
    values = column.astype("float64").to_numpy(na_value=np.nan)
    reasons = np.full(len(rows), None, dtype=object)
    reasons[np.isnan(values)] = f"no {settings.column}"
    if settings.low is not None:
        reasons[values < settings.low] = f"{settings.column} below {_shown(settings.column, settings.low)}"
    if settings.high is not None:
        reasons[values > settings.high] = f"{settings.column} above {_shown(settings.column, settings.high)}"
    return with_reasons(rows, reasons.tolist())


def range_sentence(settings: RangeSettings) -> str:
    """ "price from $0.50 to $999.49" """
    low, high = ((_shown(settings.column, end) if end is not None else "") for end in (settings.low, settings.high))
    ends = f"from {low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else "of any size"
    return f"{settings.column} {ends}"


def _shown(column: str, value: float) -> str:
    text = f"{value:,.2f}"
    return "$" + text if unit_of(column) == "usd" else text.rstrip("0").rstrip(".")


@dataclass(frozen=True)
class MissingSettings(Settings):
    columns: tuple[str, ...] = setting((), "Columns that are looked at.", "columns")
    when: str = setting(
        "any", "Whether a row leaves when any of them is missing or blank, or only when all are.", "choice", choices=("any", "all")
    )


def missing(rows: pd.DataFrame, settings: MissingSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Rows without a value in one of the columns (or in all of them) leave; blanks alone are no value."""
    reasons: list[str | None] = [None] * len(rows)
    empty = {name: [cell is None or not cell.strip() for cell in map(as_text, rows[name].tolist())] for name in settings.columns}
    if settings.when == "all":
        none = f"no {listed(settings.columns)}"
        return with_reasons(rows, [none if all(found) else None for found in zip(*empty.values(), strict=True)] if empty else reasons)
    for name in reversed(settings.columns):
        for place in np.flatnonzero(empty[name]).tolist():
            reasons[place] = f"no {name}"
    return with_reasons(rows, reasons)


def missing_sentence(settings: MissingSettings) -> str:
    either = " (all of them)" if settings.when == "all" and len(settings.columns) > 1 else ""
    return f"rows without {listed(settings.columns)}{either}"


@dataclass(frozen=True)
class FilterSettings(Settings):
    column: str = setting("", "The text column that is searched.", "column")
    pattern: str = setting("", "A word, or a regular expression (RE2: no look-around).", "text")
    keep: str = setting("matches", "Which rows stay: those that match or those that do not.", "choice", choices=("matches", "others"))
    any_case: bool = setting(True, "Capital and small letters are the same.", "flag")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pattern(self.pattern)


def matching(rows: pd.DataFrame, settings: FilterSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Rows that match the pattern stay, or the others. An empty pattern keeps all."""
    import pyarrow.compute as pc

    if not settings.pattern:
        return kept(rows)
    cells = arrow_texts([as_text(cell) or "" for cell in rows[settings.column].tolist()])
    found = pc.match_substring_regex(cells, settings.pattern, ignore_case=settings.any_case)  # type: ignore[attr-defined]
    wanted = settings.keep == "matches"
    reason = f"{settings.column} does not match" if wanted else f"{settings.column} matches"
    return with_reasons(rows, [None if hit == wanted else reason for hit in found.to_pylist()])


def filter_sentence(settings: FilterSettings) -> str:
    if not settings.pattern:
        return "no pattern yet: all rows stay"
    return f"{settings.column} {'matches' if settings.keep == 'matches' else 'does not match'} '{settings.pattern}'"
