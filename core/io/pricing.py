"""The person's price table: corrections of shipped rows and rows of other hosts, in the workspace as prices.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.errors import DataError
from core.io import files
from core.validate.encodings import is_tuned
from core.validate.offers import as_record, changed, find, offers, parse
from core.validate.prices import OPENAI, PRICES, SOURCE, Price, Rates, rates_of

NAME = "prices.json"


def today() -> str:
    """The day, as ISO."""
    return datetime.now(UTC).date().isoformat()


def prices() -> list[Price]:
    """The table as it counts now. Raises DataError when the file was damaged by hand."""
    return offers(yours())


def asking(model: str) -> Rates | None:
    """What asking a model of OpenAI's costs by the table as it counts now; None when nobody says. Raises DataError as `prices`."""
    found = find(prices(), model)
    return rates_of(found, tuned=is_tuned(model)) if found is not None and found.host == OPENAI else None


def yours() -> list[Price]:
    """The rows people typed."""
    place = _place()
    if not place.is_file():
        return []
    try:
        records = json.loads(place.read_text(encoding="utf-8"))["rows"]
        return changed(parse(records))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{place} cannot be read ({error}). Reset the prices in Settings, or mend the file.", title="Damaged prices"
        ) from error


def save(rows: Sequence[Price]) -> list[Price]:
    """Keep what differs from the shipped table; returns it. A corrected row without a source or day of its own is yours, of today."""
    kept = [_dated(row) for row in changed(rows)]
    if not kept:
        reset()
        return []
    files.write_json(_place(), {"rows": [as_record(row) for row in kept]})
    return kept


def _dated(row: Price) -> Price:
    shipped = PRICES.get(row.model) if (row.host, row.model) in {one.key for one in PRICES.values()} else None
    known = {row.source for row in yours()}
    source = "typed here" if not row.source or (shipped and row.source == SOURCE and row.source not in known) else row.source
    as_of = today() if not row.as_of or (shipped and row.as_of == shipped.as_of) else row.as_of
    return replace(row, source=source, as_of=as_of)


def reset() -> None:
    """Back to the shipped table."""
    _place().unlink(missing_ok=True)


def _place() -> Path:
    return files.home() / NAME
