"""Fewer of what there is too much of: caps per slot of a number, caps per class, samples, a new order.

After a split these steps take train rows only: validation and test rows stay as they are. Which rows stay is drawn with
the seed: each row gets a random key divided by its weight, and the smallest keys stay (sampling without replacement).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.curate.fields import Settings, setting
from core.curate.table import Change, Table, texts
from core.errors import DataError
from core.format import count, unit_of
from core.reading import read_amount
from core.version import Roles


def generator(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one step: two steps of a recipe never draw the same ones."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class BalanceSettings(Settings):
    column: str = setting("", "The number whose slots are evened out; empty means the target.", "column", only="number", empty="the target")
    cap: int = setting(1200, "The most rows that stay in one slot.", "whole", low=1)
    width: float = setting(1.0, "How wide a slot is: with 1, each whole number is one.", "number", low=1e-9)
    keep_all_from: float | None = setting(
        240.0, "From this value on every row stays: large values are rare.", "number", empty="no such value"
    )
    category: str = setting("", "The column whose values are weighted; empty means the category.", "column", empty="the category")
    weights: Mapping[str, float] = setting(
        {}, "How much more likely rows of a category are to stay; 1 where none is named.", "weights", low=1e-9, empty="all alike"
    )


def balance(table: Table, settings: BalanceSettings, seed: int) -> Change:
    """At most `cap` rows per slot of the rounded number; slots from `keep_all_from` on stay whole."""
    column = settings.column or table.roles.target or ""
    values = np.array([value if (value := read_amount(_bare(cell))) is not None else np.nan for cell in table.frame[column].tolist()])
    if not len(values):
        return Change()
    slots = np.round(values / settings.width)
    keys = generator(seed, "balance").exponential(size=len(values)) / _weights(table, settings)
    free = table.movable() & ~np.isnan(values)
    if settings.keep_all_from is not None:
        free &= ~(slots * settings.width >= settings.keep_all_from)
    return Change(
        dropped=_over(
            slots, keys, free, settings.cap, lambda slot: f"{_slot(column, slot * settings.width)} has more than {count(settings.cap)} rows"
        )
    )


def _weights(table: Table, settings: BalanceSettings) -> np.ndarray:
    category = settings.category or table.roles.category or ""
    if not settings.weights or category not in table.frame:
        return np.ones(len(table.frame))
    return np.array([settings.weights.get(cell or "", 1.0) for cell in texts(table.frame[category])])


def _slot(column: str, value: float) -> str:
    return f"{column} {'$' if unit_of(column) == 'usd' else ''}{value:,.0f}"


def _bare(cell: object) -> object:
    return cell.item() if isinstance(cell, np.generic) else cell


def _over(slots: np.ndarray, keys: np.ndarray, free: np.ndarray, cap: int, reason) -> list[str | None]:
    """A reason for each free row that is not among the `cap` smallest keys of its slot."""
    reasons: list[str | None] = [None] * len(slots)
    places = np.flatnonzero(free)
    ordered = places[np.lexsort((keys[places], slots[places]))]
    starts = np.flatnonzero(np.r_[True, slots[ordered][1:] != slots[ordered][:-1]]) if len(ordered) else np.array([], dtype=int)
    rank = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    for place in ordered[rank >= cap].tolist():
        reasons[place] = reason(slots[place])
    return reasons


def balance_keys(settings: BalanceSettings, roles: Roles) -> list[str]:
    if not (settings.column or roles.target):
        raise DataError(
            "Balance needs a number column: choose one in its settings, or choose what to predict.", title="No column to balance"
        )
    return [settings.column or roles.target or "", settings.category or (roles.category or "" if settings.weights else "")]


def balance_sentence(settings: BalanceSettings) -> str:
    """ "at most 1,200 rows per slot of price below $240" """
    below = f" below {count(settings.keep_all_from)}" if settings.keep_all_from is not None else ""
    return f"at most {count(settings.cap)} rows per slot of {settings.column or 'the target'}{below}"


@dataclass(frozen=True)
class ClassBalanceSettings(Settings):
    column: str = setting("", "The column whose values are evened out; empty means the target.", "column", empty="the target")
    cap: int = setting(0, "The most rows that stay of one value; 0 means as many as the rarest has.", "whole", low=0)


def class_balance(table: Table, settings: ClassBalanceSettings, seed: int) -> Change:
    """At most `cap` train rows of each value; rows without a value stay."""
    cells = texts(table.frame[settings.column or table.roles.target or ""])
    names, slots = np.unique([cell or "" for cell in cells], return_inverse=True)
    free = table.movable() & np.array([bool(cell) for cell in cells], dtype=bool)
    counts = np.bincount(slots[free], minlength=len(names))
    cap = settings.cap or int(counts[counts > 0].min(initial=len(cells) or 1))
    keys = generator(seed, "class_balance").random(len(cells))
    return Change(dropped=_over(slots, keys, free, cap, lambda slot: f"{names[slot]} has more than {count(cap)} rows"))


def class_balance_keys(settings: ClassBalanceSettings, roles: Roles) -> list[str]:
    if not (settings.column or roles.target):
        raise DataError(
            "Class balance needs a column: choose one in its settings, or choose what to predict.", title="No column to balance"
        )
    return [settings.column or roles.target or ""]


def class_balance_sentence(settings: ClassBalanceSettings) -> str:
    most = f"at most {count(settings.cap)} rows" if settings.cap else "as many rows as the rarest has"
    return f"{most} of each {settings.column or 'label'}"


@dataclass(frozen=True)
class SampleSettings(Settings):
    rows: int = setting(1000, "How many rows stay (train rows, once there is a split).", "whole", low=1)
    which: str = setting("random", "The first rows, or rows drawn at random with the seed.", "choice", choices=("random", "first"))


def sample(table: Table, settings: SampleSettings, seed: int) -> Change:
    """N rows, in their old order; after a split N train rows beside all the others."""
    places = np.flatnonzero(table.movable())
    keys = generator(seed, "sample").random(len(places)) if settings.which == "random" else np.arange(len(places))
    reasons: list[str | None] = [None] * len(table.frame)
    for place in places[np.argsort(keys, kind="stable")[settings.rows :]].tolist():
        reasons[place] = "not in the sample"
    return Change(dropped=reasons)


def sample_sentence(settings: SampleSettings) -> str:
    return f"{'the first' if settings.which == 'first' else 'any'} {count(settings.rows)} rows"


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
