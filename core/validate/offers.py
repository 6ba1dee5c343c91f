"""The price table people may change: shipped rows, their corrections, and rows of other hosts, as records, CSV text and a table.

A row is known by its host and model. No price is invented: a row of another host holds what its owner typed, and an empty cell
is a price nobody stated.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.validate.encodings import encoding_of, is_local
from core.validate.prices import ALIASES, OPENAI, PRICES, Price

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "host": "Host", "model": "Model", "training": "Training", "input": "Input", "cached": "Cached input", "output": "Output",
    "batch_input": "Batch input", "batch_cached": "Batch cached", "batch_output": "Batch output", "base_input": "Untuned input",
    "base_output": "Untuned output", "training_context": "Longest example", "jobs_until": "Jobs until", "answers_until": "Answers until",
    "tokenizer": "Tokenizer", "source": "Source", "as_of": "As of", "note": "Note",
}  # fmt: skip
"""Field -> heading, in the order of the table."""
MONEY = ("training", "input", "cached", "output", "batch_input", "batch_cached", "batch_output", "base_input", "base_output")
DATES = ("jobs_until", "answers_until", "as_of")
ENCODINGS = ("o200k_base", "cl100k_base")
MOST_USD, MOST_TOKENS, LONGEST, MOST_ROWS = 100_000.0, 10_000_000, 200, 500
_MEANS = {**{heading.casefold(): field for field, heading in COLUMNS.items()}, **{field: field for field in COLUMNS}}


def offers(yours: Sequence[Price] = ()) -> list[Price]:
    """The whole table: shipped rows, each replaced by its correction where there is one, then the rows of other hosts."""
    mine = {price.key: price for price in yours}
    return [mine.pop(price.key, price) for price in PRICES.values()] + list(mine.values())


def changed(rows: Sequence[Price]) -> list[Price]:
    """The rows that are not as shipped, marked as typed by a person."""
    shipped = {price.key: price for price in PRICES.values()}
    return [replace(row, yours=True) for row in rows if _plain(row) != (_plain(shipped[row.key]) if row.key in shipped else None)]


def find(rows: Sequence[Price], name: str) -> Price | None:
    """A row by "model" (an alias or a fine-tuned name too), "host/model" or its title."""
    from core.validate.encodings import base_of

    base = base_of(name)
    wanted = ALIASES.get(base.casefold(), base).casefold()
    for row in rows:
        if row.host == OPENAI and row.model.casefold() == wanted:
            return row
    names = {name.casefold(), base.casefold()}
    return next((row for row in rows if names & {row.model.casefold(), f"{row.host}/{row.model}".casefold(), row.title.casefold()}), None)


def parse(records: Sequence[Mapping[str, Any]], first: int = 1) -> list[Price]:
    """Rows from records by field or heading; rows without host, model and prices are passed over.

    Raises DataError naming the row (counted from `first`), the column, the value and what it may be.
    """
    if len(records) > MOST_ROWS:
        raise DataError(f"{len(records):,} rows of prices; at most {MOST_ROWS} are kept.", title="Too many prices")
    rows: dict[tuple[str, str], tuple[int, Price]] = {}
    for number, record in enumerate(records, first):
        given = {_MEANS[name]: value for key, value in record.items() if (name := str(key).strip().casefold()) in _MEANS}
        if all(_blank(given.get(name)) for name in ("host", "model", *MONEY)):
            continue
        row = _row(given, number)
        if row.key in rows:
            raise DataError(f"Rows {rows[row.key][0]} and {number} both are {row.title}. Keep one of them.", title="The same model twice")
        rows[row.key] = (number, row)
    return [row for _, row in rows.values()]


def _row(given: Mapping[str, Any], number: int) -> Price:
    host = _text(given.get("host"), "host", number)
    host = OPENAI if host.casefold() in ("", OPENAI) else host
    model = _text(given.get("model"), "model", number)
    if not model:
        raise DataError(f"Row {number} names no model. Type its name, or remove the row.", title="A price without a model")
    money = {name: _money(given.get(name), name, number) for name in MONEY}
    if all(value is None for value in money.values()) and not (host == OPENAI and model in PRICES):
        raise DataError(f"Row {number}, {model[:60]}: no price is given. Type at least one, in USD per million tokens.", title="No price")
    pairs = (("input", "output"), ("batch_input", "batch_output"), ("base_input", "base_output"))
    for one, other in pairs:
        if (money[one] is None) != (money[other] is None):
            there, missing = (one, other) if money[other] is None else (other, one)
            raise DataError(f"Row {number}, {model[:60]}: {COLUMNS[there]} is given and {COLUMNS[missing]} is not. Answers are priced by "
                            "both: type it, or leave both empty.", title="Half a price")  # fmt: skip
    days: dict[str, Any] = {name: _date(given.get(name), name, number) for name in DATES}
    _tokenizer(given.get("tokenizer"), number)
    texts: dict[str, Any] = {name: _text(given.get(name), name, number) for name in ("tokenizer", "source", "note")}
    usd: dict[str, Any] = dict(money)
    shipped = PRICES.get(model) if host == OPENAI else None
    context: dict[str, Any] = {"context": shipped.context} if shipped else {}
    longest = _tokens(given.get("training_context"), number)
    return Price(model, host=host, training_context=longest, **usd, **days, **texts, **context)


def _blank(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _wrong(number: int, field: str, value: Any, expected: str) -> DataError:
    return DataError(f"Row {number}, {COLUMNS[field]}: '{str(value)[:60]}' is not {expected}.", title="A price table cannot hold that")


def _text(value: Any, field: str, number: int) -> str:
    if _blank(value):
        return ""
    text = str(value).strip()
    if len(text) > LONGEST or not text.isprintable():
        raise _wrong(number, field, text, f"plain text of at most {LONGEST} characters on one line")
    return text


def _money(value: Any, field: str, number: int) -> float | None:
    if _blank(value):
        return None
    expected = f"a price in USD per million tokens, 0 to {MOST_USD:,.0f}"
    if isinstance(value, bool):
        raise _wrong(number, field, value, expected)
    try:
        usd = float(str(value).strip().removeprefix("$").replace(",", ""))
    except ValueError as error:
        raise _wrong(number, field, value, expected) from error
    if not math.isfinite(usd) or not 0 <= usd <= MOST_USD:
        raise _wrong(number, field, value, expected)
    return usd


def _tokens(value: Any, number: int) -> int:
    if _blank(value):
        return 65_536
    try:
        tokens = float(str(value).strip().replace(",", ""))
    except ValueError as error:
        raise _wrong(number, "training_context", value, "a number of tokens") from error
    if not tokens.is_integer() or not 1 <= tokens <= MOST_TOKENS:
        raise _wrong(number, "training_context", value, f"a whole number of tokens, 1 to {MOST_TOKENS:,}")
    return int(tokens)


def _tokenizer(value: Any, number: int) -> None:
    """A name that counts offline, or a local model's."""
    name = "" if _blank(value) else str(value).strip()
    known = name in ("", *ENCODINGS) or is_local(name) or (encoding_of(name)[0] in ENCODINGS and not encoding_of(name)[1])
    if not known:
        raise _wrong(number, "tokenizer", name, f"{', '.join(ENCODINGS)}, embedded, file:FOLDER, hub:OWNER/NAME or a model of OpenAI's")


def _date(value: Any, field: str, number: int) -> str:
    if _blank(value):
        return ""
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError as error:
        raise _wrong(number, field, value, "a day like 2027-01-06") from error


def _plain(row: Price) -> dict[str, Any]:
    return as_record(replace(row, yours=False))


def as_record(row: Price) -> dict[str, Any]:
    """One row by field, as it is kept and exported."""
    return {name: getattr(row, name) for name in COLUMNS}


def as_table(rows: Sequence[Price]) -> pd.DataFrame:
    """Rows as people read and edit them, headings as columns."""
    import pandas as pd

    made = pd.DataFrame(
        [{heading: getattr(row, field) for field, heading in COLUMNS.items()} for row in rows], columns=list(COLUMNS.values())
    )
    numbers = {COLUMNS[name]: "float64" for name in MONEY}
    return made.astype({**numbers, COLUMNS["training_context"]: "int64"})


def to_csv(rows: Sequence[Price]) -> str:
    """The table as CSV text with headings; what starts like a formula is kept from being one in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS.values())
    for row in rows:
        cells = ("" if value is None else value for value in as_record(row).values())
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell for cell in cells])
    return out.getvalue()


def from_csv(data: bytes) -> list[Price]:
    """Rows of an exported table. Raises DataError for what is none, naming the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"Byte {error.start:,} is no UTF-8 text. Save the table as CSV in UTF-8.", title="Not a price table") from error
    try:
        lines = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise DataError(f"The file is no CSV: {error}.", title="Not a price table") from error
    head = [cell.strip() for cell in lines[0]] if lines else []
    known = {_MEANS.get(cell.casefold()) for cell in head}
    if not {"host", "model"} <= known:
        raise DataError(f"The first line must name the columns, Host and Model among them; it reads '{', '.join(head)[:120]}'.",
                        title="Not a price table")  # fmt: skip
    cells = [[cell[1:] if cell[:2] in ("'=", "'+", "'-", "'@") else cell for cell in line] for line in lines[1:]]
    return parse([dict(zip(head, line, strict=False)) for line in cells], first=2)
