"""Fewer of what there is too much of: a cap per slot of a number.

After a split train rows only are taken: validation and test rows stay as they are. Which rows stay is drawn with the
seed: each row gets a random key divided by its weight, and the smallest keys stay. That is drawing one row after the
other without replacement, each with its share of the weights that are left (Efraimidis and Spirakis 2006).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.curate.fields import Settings, setting
from core.curate.strata import amounts, labels
from core.curate.table import Change, Table
from core.errors import DataError, SettingsError
from core.format import count, unit_of
from core.version import Roles


def generator(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one step: two steps of a recipe never draw the same ones."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class BalanceSettings(Settings):
    column: str = setting("", "The number whose slots are evened out; empty means the target.", "column", only="number", empty="the target")
    cap: int = setting(1200, "The most rows that stay in one slot.", "whole", low=1)
    slots: str = setting(
        "round",
        "round: numbers that round to the same multiple of the width (half to even). width: from one multiple to the next. "
        "quantile: slots with equally many rows each.",
        "choice",
        choices=("round", "width", "quantile"),
    )
    width: float = setting(1.0, "How wide a slot is: with 1, each whole number is one.", "number", low=1e-9)
    quantiles: int = setting(10, "How many slots, when they have equally many rows each.", "whole", low=2, high=1000)
    keep_all_from: float | None = setting(
        240.0, "From this value on every row stays: large values are rare.", "number", empty="no such value"
    )
    lowest: float | None = setting(None, "Where slots begin; rows below leave. With 1, what rounds to 0 leaves.", "number", empty="no end")
    highest: float | None = setting(None, "Where slots end; rows above leave.", "number", empty="no end")
    category: str = setting("", "The column whose values are weighted; empty means the category.", "column", empty="the category")
    dominant: float = setting(1.0, "How likely rows of the most frequent category are to stay, beside the others.", "number", low=1e-9)
    others: float = setting(1.0, "How likely rows of every other category are to stay.", "number", low=1e-9)
    weights: Mapping[str, float] = setting(
        {}, "How likely rows of a named category are to stay, in place of the two above.", "weights", low=1e-9, empty="all alike"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise SettingsError(f"Slots go from {self.lowest:g} to {self.highest:g}: there is none. Swap the two.", title="No slot")

    @property
    def weighted(self) -> bool:
        return bool(self.weights) or self.dominant != self.others


def balance(table: Table, settings: BalanceSettings, seed: int) -> Change:
    """At most `cap` rows per slot; slots from `keep_all_from` on stay whole; rows outside `lowest`..`highest` leave.

    Rows without a number stay. Raises DataError when the column holds no number at all.
    """
    column = settings.column or table.roles.target or ""
    values = amounts(table.frame[column])
    if not len(values):
        return Change()
    if np.isnan(values).all():
        raise DataError(f"{column} holds no numbers, so there are no slots to even out. Choose another column.", title="No numbers")
    free, seen = table.movable() & ~np.isnan(values), values
    if settings.slots != "quantile":
        nearest = np.round if settings.slots == "round" else _floor
        seen = nearest(values / settings.width) * settings.width
    reasons = _outside(seen if settings.slots == "round" else values, free, settings, column)
    free &= pd.isna(reasons)
    if settings.slots == "quantile":
        ends = np.unique(np.quantile(values[free], np.linspace(0, 1, settings.quantiles + 1)[1:-1])) if free.any() else np.array([])
        slots = np.digitize(values, ends)
    else:
        slots = np.round(seen / settings.width)
    keys = generator(seed, "balance").exponential(size=len(values)) / _weights(table, settings)
    capped = free if settings.keep_all_from is None else free & ~(seen >= settings.keep_all_from)
    most = f"has more than {count(settings.cap)} rows"

    def told(slot: float) -> str:
        if settings.slots == "quantile":
            inside = values[free & (slots == slot)]
            return f"{_span(column, inside.min(), inside.max())} {most}"
        if settings.slots == "width":
            return f"{_span(column, slot * settings.width, (slot + 1) * settings.width)} {most}"
        return f"{_slot(column, slot * settings.width)} {most}"

    lost = over(slots, keys, capped, settings.cap, told)
    return Change(dropped=np.where(pd.isna(reasons), lost, reasons))


def _floor(steps: np.ndarray) -> np.ndarray:
    """Whole steps; what lies a rounding error below the next one has reached it."""
    return np.floor(steps + 1e-9)


def _outside(seen: np.ndarray, free: np.ndarray, settings: BalanceSettings, column: str) -> np.ndarray:
    """A reason for each free row below the first slot or above the last. `seen` is the rounded number, where slots round."""
    reasons = np.full(len(seen), None, dtype=object)
    ends = (("begin", settings.lowest, np.less), ("end", settings.highest, np.greater))
    for what, end, beyond in ends:
        if end is None:
            continue
        hit = free & beyond(seen, end)
        limit = f"slots {what} at {_amount(column, end)}"
        if settings.slots == "round":
            told, where = np.unique(seen[hit], return_inverse=True)
            shown = [f"{column} rounds to {_amount(column, value)}, {limit}" for value in told.tolist()]
            reasons[hit] = np.array(shown, dtype=object)[where]
        else:
            reasons[hit] = f"{column} {'below' if what == 'begin' else 'above'} {_amount(column, end)}, {limit}"
    return reasons


def _weights(table: Table, settings: BalanceSettings) -> np.ndarray:
    """How likely each row is to stay, beside the others; rows without a category count as one of the others.

    Without a category column all are alike. Raises DataError when categories are named and no column holds them.
    """
    category = settings.category or table.roles.category or ""
    if settings.weights and category not in table.frame:
        raise DataError("The weights name categories, and no column holds them. Choose the category column.", title="No category")
    if not settings.weighted or category not in table.frame:
        return np.ones(len(table.frame))
    places, names = labels(table.frame[category])
    each = np.full(len(names) + 1, settings.others)
    counts = np.bincount(places[table.movable() & (places >= 0)], minlength=len(names))
    if counts.any():
        each[int(counts.argmax())] = settings.dominant
    for place, name in enumerate(names):
        each[place] = settings.weights.get(name, each[place])
    each[-1] = settings.weights.get("", each[-1])
    return each[places]


def _slot(column: str, value: float) -> str:
    return f"{column} {_amount(column, value)}"


def _span(column: str, low: float, high: float) -> str:
    return f"{column} {_amount(column, low)} to {_amount(column, high)}"


def _amount(column: str, value: float) -> str:
    shown = f"{value:,.0f}" if value == round(value) else f"{value:,.2f}"
    return f"{'$' if unit_of(column) == 'usd' else ''}{shown}"


def over(slots: np.ndarray, keys: np.ndarray, free: np.ndarray, cap: int, reason: Callable[[float], str]) -> np.ndarray:
    """A reason for each free row that is not among the `cap` smallest keys of its slot, else None (object array)."""
    reasons = np.full(len(slots), None, dtype=object)
    places = np.flatnonzero(free)
    codes, names = pd.factorize(slots[places])
    codes = codes.astype(np.int16) if len(names) < 2**15 else codes  # short integers sort in linear time
    order = np.argsort(keys[places], kind="stable")
    order = order[np.argsort(codes[order], kind="stable")]
    lost = order[ranks(codes[order]) >= cap]
    told = np.full(len(names), None, dtype=object)
    for code in np.flatnonzero(np.bincount(codes[lost], minlength=len(names))).tolist():
        told[code] = reason(names[code])
    reasons[places[lost]] = told[codes[lost]]
    return reasons


def ranks(sorted_slots: np.ndarray) -> np.ndarray:
    """0, 1, 2 ... within each run of equal values."""
    if not len(sorted_slots):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, sorted_slots[1:] != sorted_slots[:-1]])
    return np.arange(len(sorted_slots)) - np.repeat(starts, np.diff(np.r_[starts, len(sorted_slots)]))


def balance_keys(settings: BalanceSettings, roles: Roles) -> list[str]:
    if not (settings.column or roles.target):
        raise DataError(
            "Balance needs a number column: choose one in its settings, or choose what to predict.", title="No column to balance"
        )
    return [settings.column or roles.target or "", settings.category or (roles.category or "" if settings.weighted else "")]


def balance_sentence(settings: BalanceSettings) -> str:
    """ "at most 1,200 rows per slot of price below $240" """
    below = f" below {count(settings.keep_all_from)}" if settings.keep_all_from is not None else ""
    ends = [f"from {settings.lowest:g}"] if settings.lowest is not None else []
    ends += [f"to {settings.highest:g}"] if settings.highest is not None else []
    kept = f", slots {' '.join(ends)}" if ends else ""
    drawn = f", weight {settings.dominant:g} for the most frequent category and {settings.others:g} for the others"
    most = f"at most {count(settings.cap)} rows per slot of {settings.column or 'the target'}{below}"
    return most + kept + (drawn if settings.dominant != settings.others else "")
