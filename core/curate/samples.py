"""Some of the rows: a sample, the first rows of each value, and a new order. After a split train rows only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.curate.balance import generator, ranks
from core.curate.fields import Settings, setting
from core.curate.strata import labels, spaced, strata
from core.curate.table import Change, Table
from core.errors import DataError
from core.format import count, plural
from core.version import Roles


@dataclass(frozen=True)
class SampleSettings(Settings):
    rows: int = setting(1000, "How many rows stay (train rows, once there is a split).", "whole", low=1)
    which: str = setting(
        "random",
        "The first rows; rows drawn at random with the seed; or drawn so that each label, or each tenth of the numbers, keeps its share.",
        "choice",
        choices=("random", "first", "stratified"),
    )
    by: str = setting("", "Whose shares are kept, when stratified; empty means the target.", "column", empty="the target")


def sample(table: Table, settings: SampleSettings, seed: int) -> Change:
    """N rows, in their old order; after a split N train rows beside all the others. Shares are kept to within a row."""
    places = np.flatnonzero(table.movable())
    random = generator(seed, "sample")
    keys = np.arange(len(places)) if settings.which == "first" else random.random(len(places))
    if settings.which == "stratified":
        layers = strata(table, settings.by or table.roles.target)[places]
        ordered = places[np.lexsort((keys, layers))]
        lost = ordered[~spaced(len(ordered), min(settings.rows, len(ordered)), random)]
    else:
        lost = places[np.argsort(keys, kind="stable")[settings.rows :]]
    reasons = np.full(len(table.frame), None, dtype=object)
    reasons[lost] = "not in the sample"
    return Change(dropped=reasons)


def sample_keys(settings: SampleSettings, roles: Roles) -> list[str]:
    if settings.which == "stratified" and not (settings.by or roles.target):
        raise DataError("A stratified sample needs a column whose shares are kept: choose one in its settings.", title="No column")
    return [settings.by or roles.target or ""] if settings.which == "stratified" else []


def sample_sentence(settings: SampleSettings) -> str:
    shares = f", shares of {settings.by or 'the target'} kept" if settings.which == "stratified" else ""
    return f"{'the first' if settings.which == 'first' else 'any'} {count(settings.rows)} rows{shares}"


@dataclass(frozen=True)
class DistinctSettings(Settings):
    column: str = setting("", "The column whose values are looked at; empty means the text.", "column", empty="the text")
    keep: str = setting(
        "rows", "rows: the first N rows of each value. values: all rows of the first N values.", "choice", choices=("rows", "values")
    )
    first: int = setting(1, "How many rows of each value stay, or how many values.", "whole", low=1)


def distinct(table: Table, settings: DistinctSettings, seed: int) -> Change:
    """The first N rows of each value, or the rows of the first N values, in the order of the table.

    Rows without a value stay when rows are counted and leave when values are.
    """
    cells = labels(table.frame[settings.column or table.roles.text[0]])[0]
    places = np.flatnonzero(table.movable())
    reasons = np.full(len(cells), None, dtype=object)
    name = settings.column or "text"
    if settings.keep == "rows":
        places = places[cells[places] >= 0]
        ordered = places[np.argsort(cells[places], kind="stable")]
        reasons[ordered[ranks(cells[ordered]) >= settings.first]] = f"more than {plural(settings.first, 'row')} with the same {name}"
        return Change(dropped=reasons)
    values, first = np.unique(cells[places], return_index=True)
    kept = values[values >= 0][np.argsort(first[values >= 0])[: settings.first]]
    reasons[places[~np.isin(cells[places], kept)]] = f"{name} is not among the first {plural(settings.first, 'value')}"
    return Change(dropped=reasons)


def distinct_keys(settings: DistinctSettings, roles: Roles) -> list[str]:
    if not (settings.column or roles.text):
        raise DataError("Distinct needs a column: choose one in its settings.", title="No column")
    return [settings.column or roles.text[0]]


def distinct_sentence(settings: DistinctSettings) -> str:
    """ "the first 2 rows of each category" """
    name = settings.column or "text"
    return f"the first {plural(settings.first, 'row')} of each {name}" if settings.keep == "rows" else (
        f"rows of the first {plural(settings.first, 'value')} of {name}"
    )  # fmt: skip


@dataclass(frozen=True)
class ShuffleSettings(Settings):
    pass


def shuffle(table: Table, settings: ShuffleSettings, seed: int) -> Change:
    """The rows in a random order."""
    return Change(order=generator(seed, "shuffle").permutation(len(table.frame)))


def shuffle_sentence(settings: ShuffleSettings) -> str:
    return "a new random order"


def no_keys(settings: Settings, roles: Roles) -> list[str]:
    """For steps that look at no column but the split."""
    return []
