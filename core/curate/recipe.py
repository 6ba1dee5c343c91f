"""A recipe: steps and a seed. The same recipe on the same rows gives the same table, byte for byte.

Steps that are off are carried along and do nothing; the id of the version does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core.curate.checking import check, problems
from core.curate.families import parents
from core.curate.running import RowEngine, State, advance, direct, no_clock
from core.curate.steps import describe, kind
from core.curate.table import Table, Tokenizer
from core.errors import DataError
from core.explore.language import Identify
from core.prompt import Prompt
from core.version import Roles, Step, StepReport

__all__ = ["Outcome", "Recipe", "check", "describe", "finish", "problems", "run"]


@dataclass(frozen=True)
class Recipe:
    steps: tuple[Step, ...] = ()
    seed: int = 0

    @property
    def on(self) -> tuple[Step, ...]:
        """The steps that are switched on, with the present revision of their code."""
        return tuple(replace(step, revision=kind(step.name).revision) for step in self.steps if step.on)

    def with_step(self, step: Step, place: int | None = None) -> Recipe:
        """The recipe with one step more, at the end or at a place (0 is the first)."""
        at = len(self.steps) if place is None else place
        return replace(self, steps=(*self.steps[:at], step, *self.steps[at:]))

    def without(self, place: int) -> Recipe:
        return replace(self, steps=(*self.steps[:place], *self.steps[place + 1 :]))

    def changed(self, place: int, step: Step) -> Recipe:
        return replace(self, steps=(*self.steps[:place], step, *self.steps[place + 1 :]))

    def moved(self, place: int, by: int) -> Recipe:
        """The step one or more places up (negative) or down; at an end it stays."""
        to = min(max(0, place + by), len(self.steps) - 1)
        rest = self.without(place)
        return rest.with_step(self.steps[place], to)


@dataclass(frozen=True)
class Outcome:
    """What a recipe made of a table."""

    frame: pd.DataFrame
    """The rows that stay, index 0..n-1; `roles.parent_row` refers to the new numbers."""
    roles: Roles
    prompt: Prompt | None
    reports: tuple[StepReport, ...]
    dropped: pd.DataFrame
    """row (0-based, of the version it came from), step, reason: one line per row that left, in row order."""


def run(
    frame: pd.DataFrame,
    roles: Roles,
    recipe: Recipe,
    *,
    prompt: Prompt | None = None,
    task: str | None = None,
    tokenizer: Callable[[str], Tokenizer] | None = None,
    rows: RowEngine = direct,
    clock: Callable[[], float] = no_clock,
    identify: Identify | None = None,
    begins: Callable[[str], None] | None = None,
) -> Outcome:
    """Every step that is on, in order. `frame` has the index 0..n-1.

    `tokenizer` gives a tokenizer by its name, `rows` runs row steps (in this process, or spread over several), `clock`
    measures seconds, `identify` tells the language of a text, `begins` hears of each whole-table step.
    Raises DataError or SettingsError as the steps do.
    """
    start = begin(frame, roles, prompt, task)
    state = advance(start, recipe.on, recipe.seed, tokenizer=tokenizer, rows=rows, clock=clock, identify=identify, begins=begins)
    return finish(state, recipe.on)


def begin(frame: pd.DataFrame, roles: Roles, prompt: Prompt | None = None, task: str | None = None, total: int | None = None) -> State:
    """The state before the first step; `total` when the frame is a sample of a larger table. Raises DataError for impossible parents."""
    total = len(frame) if total is None else total
    if roles.parent_row and roles.parent_row in frame:
        beyond = [number for number in parents(frame, roles.parent_row) if number is not None and not 0 <= number < total]
        if beyond:
            raise DataError(f"{roles.parent_row} names row {beyond[0]}, and there are {total} rows. Take this role away on Explore.",
                            title="No such parent row")  # fmt: skip
    return State(Table(frame, roles, prompt, task))


def finish(state: State, steps: Sequence[Step]) -> Outcome:
    """The table with new row numbers, and everything that left."""
    table, frame = state.table, state.table.frame
    old = frame.index.tolist()
    frame = frame.reset_index(drop=True)
    column = table.roles.parent_row
    if column and column in frame:
        new = {int(number): place for place, number in enumerate(old)}
        cells: list[Any] = [None if number is None else new.get(number) for number in parents(frame, column)]
        frame[column] = pd.array(cells, dtype="Int64")
    names = [step.name for step in steps]
    told = [name if names.count(name) == 1 else f"{name} {names[: place + 1].count(name)}" for place, name in enumerate(names)]
    parts = [part.assign(step=name) for part, name in zip(state.gone, told, strict=True) if len(part)]
    empty = pd.DataFrame({"row": pd.Series(dtype="int64"), "step": pd.Series(dtype="str"), "reason": pd.Series(dtype="str")})
    dropped = pd.DataFrame(pd.concat(parts)[["row", "step", "reason"]]) if parts else empty
    dropped = dropped.astype({"step": "str"}).sort_values("row", kind="stable", ignore_index=True)
    return Outcome(frame, table.roles, table.prompt, state.reports, dropped)
