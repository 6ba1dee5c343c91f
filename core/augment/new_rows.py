"""Requests for whole new rows from a description, a list of columns and a few train rows as examples.

Every request shows other examples, drawn by the seed, so that the replies differ. A new row has no parent (`row` is -1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.augment.asks import Ask
from core.augment.fields import Field, fields_of
from core.augment.presets import AugmentSettings
from core.augment.rows import as_json
from core.errors import DataError, SettingsError
from core.prompt import fill
from core.task import target_of
from core.version import Roles

PER_REQUEST = 10
"""Rows per request: more of them repeat each other."""
LONGEST_EXAMPLE = 1_500
"""Letters of a cell that an example shows."""
NO_ROW = -1


def row_fields(train: pd.DataFrame, roles: Roles, settings: AugmentSettings) -> tuple[Field, ...]:
    """The columns of a new row, the column to write first; without a list of one's own the text and target columns.

    Raises DataError for a column the table does not have, SettingsError when the column to write is not among them.
    """
    if not settings.fields:
        names = [settings.column, *(name for name in roles.text if name != settings.column), *([roles.target] if roles.target else [])]
        return fields_of(train, list(dict.fromkeys(name for name in names if name in train)))
    unknown = [one.name for one in settings.fields if one.name not in train]
    if unknown:
        raise DataError(f"There is no column {', '.join(map(repr, unknown))}. The table has {', '.join(map(str, train.columns))}.",
                        title="That column is not there")  # fmt: skip
    first = [one for one in settings.fields if one.name == settings.column and one.kind == "text"]
    if not first:
        raise SettingsError(f"The list of columns lacks '{settings.column}' as any text, which is the column to write.",
                            title="The column to write is not listed")  # fmt: skip
    return (*first, *(one for one in settings.fields if one.name != settings.column))


def new_rows(rows: pd.DataFrame, roles: Roles, settings: AugmentSettings) -> list[Ask]:
    """The requests for `settings.total` rows."""
    fields = row_fields(rows, roles, settings)
    system, user = settings.asked
    parts = math.ceil(settings.total / PER_REQUEST)
    rng = np.random.default_rng(settings.seed)
    asks = []
    for part in range(parts):
        n = settings.total // parts + (part < settings.total % parts)
        drawn = rows.take(np.sort(rng.choice(len(rows), min(settings.examples, len(rows)), replace=False))).to_dict("records")
        examples = [as_json(_example(record, fields, roles)) for record in drawn]
        values = {"n": n, "description": settings.description.strip(), "columns": "\n".join(f"- {one.said}" for one in fields),
                  "examples": "\n".join(examples), "part": part + 1, "parts": parts}  # fmt: skip
        messages = [{"role": "system", "content": fill(system, values)}] if system.strip() else []
        original = str(drawn[0][settings.column]).strip()
        asks.append(Ask(NO_ROW, original, "", n, (*messages, {"role": "user", "content": fill(user, values)}), part, fields,
                        like=max(examples, key=len)))  # fmt: skip
    return asks


def _example(record: Mapping[Any, Any], fields: tuple[Field, ...], roles: Roles) -> dict[str, Any]:
    return {one.name: _cell(record.get(one.name), one, one.name == roles.target) for one in fields}


def _cell(cell: Any, one: Field, target: bool) -> Any:
    if cell is None or cell != cell:
        return None
    if target and one.kind in ("choice", "text"):
        return target_of("classification", cell)
    if one.kind in ("number", "integer", "yes/no"):
        return cell.item() if hasattr(cell, "item") else cell
    return " ".join(str(cell).split())[:LONGEST_EXAMPLE]
