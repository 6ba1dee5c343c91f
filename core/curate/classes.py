"""As many rows of each label: fewer of the frequent ones, copies of the rare ones, or both.

Once there is a split, train rows only. A copy is a child of the row it copies: it leaves with it, stays in its part, and
never reaches validation or test (before a split: where the row goes there, its copies leave).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.curate.balance import generator, over, ranks
from core.curate.fields import Settings, setting
from core.curate.strata import labels
from core.curate.table import Change, Table
from core.errors import DataError
from core.format import count
from core.version import Roles

MOST = 2_000_000
"""Copies one step makes at most."""


@dataclass(frozen=True)
class ClassBalanceSettings(Settings):
    column: str = setting("", "The column whose values are evened out; empty means the target.", "column", empty="the target")
    way: str = setting(
        "down",
        "down: values with more rows lose some. up: rows of values with fewer are copied. both: one and the other.",
        "choice",
        choices=("down", "up", "both"),
    )
    cap: int = setting(
        0, "How many rows of each value; 0 means as many as the rarest has (down), the most frequent (up) or the middle one (both).",
        "whole", low=0,
    )  # fmt: skip


def class_balance(table: Table, settings: ClassBalanceSettings, seed: int) -> Change:
    """At most, at least or exactly `cap` train rows of each value; rows without a value stay.

    Every row of a rare value is copied equally often, to within one. Raises DataError above 2,000,000 copies.
    """
    slots, names = labels(table.frame[settings.column or table.roles.target or ""])
    free = table.movable() & (slots >= 0)
    counts = np.bincount(slots[free], minlength=len(names))
    there = np.sort(counts[counts > 0])
    if not len(there):
        return Change()
    usual = {"down": there[0], "up": there[-1], "both": there[len(there) // 2]}[settings.way]
    wanted = settings.cap or int(usual)
    keys = generator(seed, "class_balance").random(len(slots))
    dropped = None
    if settings.way != "up":
        dropped = over(slots, keys, free, wanted, lambda slot: f"{names[int(slot)]} has more than {count(wanted)} rows")
    copied = None
    if settings.way != "down":
        copied = _copied(slots, keys, free, counts, wanted)
    return Change(dropped=dropped, copied=copied)


def _copied(slots: np.ndarray, keys: np.ndarray, free: np.ndarray, counts: np.ndarray, wanted: int) -> np.ndarray:
    """The places of rows to copy, ascending, each as often as it is copied."""
    lacking = (wanted - counts[counts > 0]).clip(min=0).sum()
    if lacking > MOST:
        raise DataError(f"{count(wanted)} rows of each of {count((counts > 0).sum())} values would be {count(lacking)} copies. "
                        "Choose fewer rows, or a column with fewer values.", title="Too many copies")  # fmt: skip
    places = np.flatnonzero(free & (counts[slots] < wanted))
    ordered = places[np.lexsort((keys[places], slots[places]))]
    have = counts[slots[ordered]]
    times = wanted // np.maximum(have, 1) - 1 + (ranks(slots[ordered]) < wanted % np.maximum(have, 1))
    return np.sort(np.repeat(ordered, times))


def class_balance_keys(settings: ClassBalanceSettings, roles: Roles) -> list[str]:
    if not (settings.column or roles.target):
        raise DataError(
            "Class balance needs a column: choose one in its settings, or choose what to predict.", title="No column to balance"
        )
    return [settings.column or roles.target or ""]


def class_balance_sentence(settings: ClassBalanceSettings) -> str:
    """ "at least 500 rows of each label, rare ones copied" """
    many = f"{count(settings.cap)} rows" if settings.cap else ""
    most = {
        "down": f"at most {many}" if many else "as many rows as the rarest has",
        "up": f"at least {many}" if many else "as many rows as the most frequent has",
        "both": many or "as many rows as the middle one has",
    }[settings.way]
    return f"{most} of each {settings.column or 'label'}{'' if settings.way == 'down' else ', rare ones copied'}"
