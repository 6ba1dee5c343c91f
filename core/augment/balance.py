"""Bringing each small class to one size: how many variants each of its rows gets, and what is asked once more for what was rejected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.augment.asks import Ask
from core.augment.presets import MOST_PER_REQUEST, AugmentSettings
from core.errors import SettingsError
from core.task import target_of
from core.version import Roles

ROUNDS = 5
"""Times that are asked again for what was rejected: with half of the variants accepted 2 % of the gap is left then."""
GIVEN_UP = 8
"""Variants of a class, all rejected, after which no more are asked for."""


def wanted(rows: pd.DataFrame, roles: Roles, settings: AugmentSettings) -> dict[int, int]:
    """Row -> variants to ask for. `rows` are the train rows that may be varied, with their row numbers as index.

    Raises SettingsError without a target column, or when no class lacks a row.
    """
    if not roles.target or roles.target not in rows:
        raise SettingsError("Bringing classes to one size needs a target column. Choose what to predict on Explore.", title="No target")
    classes = _classes(rows, roles)
    goal = goal_of(classes, settings)
    found: dict[int, int] = {}
    for members in _drawn(classes, settings).values():
        missing = min(max(0, goal - len(members)), settings.variants * len(members))
        for place, row in enumerate(members):
            found[row] = missing // len(members) + (place < missing % len(members))
    if not any(found.values()):
        raise SettingsError(f"Every class has {goal} train rows or more. Raise the number.", title="No class is small")
    return found


def portions(variants: int, one_each: bool) -> list[int]:
    """How many variants each request of a row asks for."""
    if one_each or not variants:
        return [1] * variants
    requests = math.ceil(variants / MOST_PER_REQUEST)
    return [variants // requests + (i < variants % requests) for i in range(requests)]


def goal_of(classes: Mapping[int, str], settings: AugmentSettings) -> int:
    """Rows each class should have; the largest class's where no number is set."""
    return settings.to or max(Counter(name for name in classes.values() if name).values(), default=0)


def lacking(rows: pd.DataFrame, roles: Roles, settings: AugmentSettings, accepted: Mapping[int, int]) -> dict[str, int]:
    """Class -> rows it still lacks with so many accepted variants of each row; without the classes that lack none."""
    classes = _classes(rows, roles)
    goal, made = goal_of(classes, settings), _made(classes, accepted)
    gaps = {name: goal - len(members) - made.get(name, 0) for name, members in _drawn(classes, settings).items()}
    return {name: gap for name, gap in gaps.items() if gap > 0}


def further(rows: pd.DataFrame, roles: Roles, settings: AugmentSettings, rounds: Sequence[Sequence[Ask]], accepted: Mapping[int, int],
            earlier: Mapping[int, int] | None = None) -> list[tuple[int, int, int]]:  # fmt: skip
    """(row, draw, variants) of one more round: as many variants as each class lacks, of the rows with the fewest.

    No row gets more than `settings.variants` accepted ones. A class is given up when the last of `rounds` asked for GIVEN_UP variants
    of it or more, and none was accepted beside the `earlier` ones (accepted of each row before that round).
    """
    classes = _classes(rows, roles)
    gaps = lacking(rows, roles, settings, accepted)
    draws: dict[int, int] = {}
    for ask in (ask for one in rounds for ask in one):
        draws[ask.row] = max(draws.get(ask.row, 0), ask.draw + 1)
    made, before = _made(classes, accepted), _made(classes, earlier or {})
    asked = _made(classes, _variants(rounds[-1])) if earlier is not None else {}
    found: list[tuple[int, int, int]] = []
    for name, members in _drawn(classes, settings).items():
        if asked.get(name, 0) >= GIVEN_UP and made.get(name, 0) <= before.get(name, 0):
            continue
        room = {row: settings.variants - accepted.get(row, 0) for row in members}
        shares = _shared(gaps.get(name, 0), [row for row in sorted(members, key=lambda row: -room[row]) if room[row] > 0], room)
        for row, n in sorted(shares.items()):
            found += [(row, draws.get(row, 0) + i, some) for i, some in enumerate(portions(n, settings.one_each))]
    return sorted(found)


def _variants(asks: Sequence[Ask]) -> Counter[int]:
    found: Counter[int] = Counter()
    for ask in asks:
        found[ask.row] += ask.variants
    return found


def _shared(count: int, members: Sequence[int], room: Mapping[int, int]) -> dict[int, int]:
    """So many over the members, one after the other, each within its room."""
    shares: dict[int, int] = {}
    while count > 0 and (open_ones := [row for row in members if shares.get(row, 0) < room[row]]):
        for row in open_ones[:count]:
            shares[row] = shares.get(row, 0) + 1
        count -= len(open_ones[:count])
    return shares


def _classes(rows: pd.DataFrame, roles: Roles) -> dict[int, str]:
    """Row -> its class; "" where the cell is empty."""
    found = [target_of("classification", cell) for cell in rows[roles.target].tolist()]
    return {int(row): "" if name is None else str(name) for row, name in zip(rows.index.tolist(), found, strict=True)}


def _drawn(classes: Mapping[int, str], settings: AugmentSettings) -> dict[str, list[int]]:
    """Class -> its rows, in an order drawn by the seed. Rows without a label are of no class."""
    rng = np.random.default_rng(settings.seed)
    names = sorted(set(classes.values()) - {""})
    return {name: rng.permutation([row for row, label in classes.items() if label == name]).tolist() for name in names}


def _made(classes: Mapping[int, str], accepted: Mapping[int, int]) -> dict[str, int]:
    """Class -> accepted variants of its rows."""
    made: dict[str, int] = {}
    for row, n in accepted.items():
        if row in classes:
            made[classes[row]] = made.get(classes[row], 0) + n
    return made
