"""A described table, made up: columns of several kinds, a target that follows from them, and faults planted in exact numbers.

The same description and seed give the same table. A row depends on its place and not on how many follow, so the first rows of a
short table are those of a long one (before faults). Columns are described by `synthetic_columns`, drawn by
`synthetic_drawing`, and spoilt by `synthetic_faults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.load.synthetic_columns import Column, check, in_order
from core.load.synthetic_drawing import Drawn, draw
from core.load.synthetic_faults import Faults, plant
from core.version import Roles

SPLIT = "split"
MOST_ROWS, MOST_COLUMNS = 1_000_000, 40


@dataclass(frozen=True)
class Description:
    """Everything the table follows from."""

    rows: int = 3_000
    seed: int = 0
    columns: tuple[Column, ...] = ()
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        if not 2 <= self.rows <= MOST_ROWS:
            raise SettingsError(f"{self.rows:,} rows; 2 to {MOST_ROWS:,} can be made.", title="Not a number of rows")
        if not 1 <= len(self.columns) <= MOST_COLUMNS:
            raise SettingsError(f"{len(self.columns)} columns; 1 to {MOST_COLUMNS} can be made.", title="Not a number of columns")
        names = [column.name for column in self.columns]
        twice = next((name for name in names if names.count(name) > 1 or name == SPLIT), None)
        if twice is not None:
            why = "is the name of the column that is added" if twice == SPLIT else "is the name of two columns"
            raise SettingsError(f"'{twice}' {why}. Give each column a name of its own.", title="A name is taken")
        targets = [column.name for column in self.columns if column.kind == "target"]
        if len(targets) > 1:
            raise SettingsError(f"{' and '.join(targets)} are targets; one is possible.", title="Two targets")
        others = [column.name for column in self.columns if column.kind != "target"]
        for column in self.columns:
            for name, _ in column.weights:
                if name not in others:
                    raise SettingsError(f"{column.name} depends on '{name}', which is no other column. There are {', '.join(others)}.",
                                        title="No such column")  # fmt: skip
            check(column, others)

    @property
    def target(self) -> Column | None:
        return next((column for column in self.columns if column.kind == "target"), None)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Description:
        """Of `to_dict`, also after a journey through JSON. Raises SettingsError for what it does not know."""
        unknown = set(data) - set(cls.__dataclass_fields__)
        if unknown:
            raise SettingsError(f"A description has no field {sorted(unknown)}.", title="Unknown field")
        columns = tuple(Column.from_dict(one) for one in data.get("columns", ()))
        return cls(**{**data, "columns": columns, "faults": Faults(**data.get("faults", {}))})


@dataclass(frozen=True)
class Made:
    """A table and what was planted in it."""

    frame: pd.DataFrame
    planted: Mapping[str, tuple[Any, ...]]
    """Fault -> its cells (row, column), rows, or pairs (row, its copy)."""


def make(description: Description) -> Made:
    """The whole table, faults included: every described column in order, then the split (80 / 10 / 10)."""
    clean = table(description)
    frame, planted = plant(clean, description.faults, description.columns, description.seed)
    return Made(frame, planted)


def table(description: Description, rows: int | None = None) -> pd.DataFrame:
    """The first `rows` rows (all by default) before faults are planted."""
    n = min(rows or description.rows, description.rows)
    drawn: dict[str, Drawn] = {}
    for column in in_order(description.columns):
        drawn[column.name] = draw(column, n, description.seed, drawn)
    frame = pd.DataFrame({column.name: drawn[column.name].cells for column in description.columns})
    frame[SPLIT] = splits(n, description.seed)
    return frame


def splits(rows: int, seed: int) -> pd.Series:
    """train, validation or test for every row, 80 / 10 / 10 as nearly as the number of rows allows, evenly strewn."""
    start = float(np.random.default_rng([seed, 11]).random())
    place = (start + np.arange(rows) * 0.6180339887498949) % 1.0
    return pd.Series(np.select([place < 0.8, place < 0.9], ["train", "validation"], "test"), dtype="str")


def roles(description: Description) -> tuple[Roles, str | None]:
    """(roles, task) that fit the description, so that every page works on the table at once."""
    kinds: dict[str, list[str]] = {}
    for column in description.columns:
        kinds.setdefault(column.kind, []).append(column.name)
    category, *more = [*kinds.get("category", []), None]
    found = Roles(
        text=tuple(kinds.get("text", ())),
        target=next(iter(kinds.get("target", ())), None),
        category=category,
        time=next(iter(kinds.get("date", ())), None),
        split=SPLIT,
        features=tuple(name for name in [*kinds.get("number", []), *kinds.get("flag", []), *more] if name),
    )
    return found, description.target.task if description.target else None


def planted_counts(description: Description) -> dict[str, int]:
    """Fault in words -> how many are planted; empty without faults."""
    words = {
        "missing": "missing cells",
        "duplicates": "exact duplicates",
        "outliers": "outliers",
        "label_noise": "wrong targets",
        "html": "cells with HTML",
    }
    return {words[name]: count for name, count in asdict(description.faults).items() if count}


PRESETS: dict[str, Description] = {
    "Listings with a price": Description(
        columns=(
            Column(
                "title",
                "text",
                templates=(
                    "{quality} {material} {thing} from {maker}, model {number}",
                    "{maker} {thing} {number}, {quality}, {material}",
                    "{thing} in {color}, {material}, {quality} make, item {number}",
                ),
            ),
            Column("category", "category", values=(("kitchen", 3.0), ("garden", 2.0), ("office", 1.0))),
            Column("weight", "number", low=0.2, high=12.0, shape="skewed", decimals=1),
            Column("in stock", "flag", share=0.8),
            Column("listed", "date"),
            Column(
                "price",
                "target",
                task="regression",
                low=4.0,
                high=900.0,
                shape="skewed",
                decimals=2,
                noise=0.3,
                weights=(("title", 3.0), ("category", 1.0), ("weight", 1.0)),
            ),
        ),
        faults=Faults(missing=60, duplicates=40, outliers=10, label_noise=30, html=50),
    ),
    "Messages with a label": Description(
        columns=(
            Column(
                "message",
                "text",
                templates=(
                    "Order {number}: the {thing} I bought in {place} is {feeling}.",
                    "My {thing}: {feeling}, and I paid {number}.",
                    "{feeling} service, {quality} {thing}. Order {number}.",
                ),
            ),
            Column("channel", "category", values=(("mail", 2.0), ("chat", 2.0), ("phone", 1.0))),
            Column("sent", "date"),
            Column(
                "mood", "target", task="classification", classes=("unhappy", "neutral", "happy"), noise=0.3, weights=(("message", 1.0),)
            ),
        ),
        faults=Faults(duplicates=30, label_noise=60),
    ),
}
"""Descriptions to begin with."""
