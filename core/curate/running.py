"""A recipe on its way: one step after the other, every row that leaves accounted for.

Neighbouring row steps run as one pass (`RowSteps`), so that an engine may spread rows over processes; whole-table steps
get their key columns only. A row whose parent leaves (`roles.parent_row`) leaves with it. The clock, the tokenizer and
the engine come in as arguments.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from core.curate.families import orphans, parents, with_copies
from core.curate.prompts import moved
from core.curate.steps import describe, kind, settings_of
from core.curate.table import Change, Table, Tokenizer
from core.errors import DataError
from core.explore.language import Identify
from core.version import Step, StepReport

LEFT_WITH_PARENT = "the row it was made from left"
NAMED = "column", "columns"


def no_clock() -> float:
    return 0.0


@dataclass(frozen=True)
class RowSteps:
    """Neighbouring row steps as one function over some rows: picklable, the same object for every engine.

    Called with a frame it returns the same rows in the same order with what the steps wrote (missing in rows that left),
    `dropped` (the reason, null keeps) and `dropped_by` (place of the step, -1 keeps); `attrs["seconds"]`: each step's.
    """

    steps: tuple[Step, ...]
    tokenizer: Callable[[str], Tokenizer] | None = None
    clock: Callable[[], float] = no_clock
    identify: Identify | None = None
    """Tells the language of a text; given to the steps that ask for it."""

    def writes(self) -> dict[str, str]:
        """Every column that is written, each text or number."""
        return {name: what for step in self.steps for name, what in kind(step.name).writes(settings_of(step)).items()}

    def reads(self) -> set[str]:
        """Every column a step names: it is shown no other."""
        return {name for step in self.steps for name in settings_of(step).columns_named()}

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        reasons = np.full(len(rows), None, dtype=object)
        by = np.full(len(rows), -1, dtype=np.int32)
        alive, seconds = np.arange(len(rows)), []
        named = self.reads()
        work = pd.DataFrame({name: _bare(rows[name]) for name in rows.columns if name in named}, index=rows.index)
        for place, step in enumerate(self.steps):
            start, settings = self.clock(), settings_of(step)
            made = kind(step.name).function(work, settings, self.identify if kind(step.name).identifies else self._tokenizer(settings))
            told = made.pop("dropped").to_numpy()
            gone = np.array([isinstance(reason, str) for reason in told], dtype=bool)
            if gone.any():
                reasons[alive[gone]], by[alive[gone]] = told[gone], place
                made, alive = made[~gone], alive[~gone]
            work = made
            seconds.append(self.clock() - start)
        out = rows.copy(deep=False)
        for name, what in self.writes().items():
            out[name] = _placed(work[name], alive, rows.index, what)
        out["dropped"] = pd.Series(reasons, index=rows.index, dtype="str")
        out["dropped_by"] = by
        out.attrs["seconds"] = seconds
        return out

    def _tokenizer(self, settings: Any) -> Tokenizer | None:
        name = getattr(settings, "tokenizer", None)
        return self.tokenizer(name) if name and self.tokenizer else None


def _bare(column: Any) -> Any:
    """Text as Python objects: steps read and write cells, and a typed column would be converted at each of them."""
    return column if pd.api.types.is_numeric_dtype(column) or column.dtype == object else column.astype(object)


def _placed(cells: Any, alive: np.ndarray, index: pd.Index, what: str) -> pd.Series:
    """A written column over all rows; the rows that left have no cell in it."""
    if what == "number":
        numbers = np.full(len(index), np.nan)
        numbers[alive] = cells.to_numpy(dtype=float)
        return pd.Series(numbers, index=index)
    whole = np.full(len(index), None, dtype=object)
    whole[alive] = cells.to_numpy()
    return pd.Series(whole, index=index, dtype="str")


@dataclass(frozen=True)
class Passed:
    """What came of a pass over some rows."""

    frame: pd.DataFrame
    """The rows that stay, in their order and with their index."""
    dropped: pd.Series
    """Of every row why it left, missing where it stays."""
    dropped_by: pd.Series
    """Of every row the place of the step it left at, -1 where it stays."""
    seconds: Sequence[float]
    """Each step's."""


RowEngine = Callable[[RowSteps, pd.DataFrame], Passed]


def direct(steps: RowSteps, rows: pd.DataFrame) -> Passed:
    """The simplest engine: all rows at once, in this process."""
    made = steps(rows)
    stays = made["dropped"].isna().to_numpy()
    frame = made.drop(columns=["dropped", "dropped_by"])
    dropped, dropped_by = pd.Series(made["dropped"]), pd.Series(made["dropped_by"])
    return Passed(frame if stays.all() else pd.DataFrame(frame[stays]), dropped, dropped_by, made.attrs["seconds"])


@dataclass(frozen=True)
class State:
    """Where a recipe stands after some steps."""

    table: Table
    reports: tuple[StepReport, ...] = ()
    gone: tuple[pd.DataFrame, ...] = field(default_factory=tuple)
    """Per step run: the rows that left (row of the version it came from, reason)."""


def advance(
    state: State,
    steps: Sequence[Step],
    seed: int,
    *,
    tokenizer: Callable[[str], Tokenizer] | None = None,
    rows: RowEngine = direct,
    clock: Callable[[], float] = no_clock,
    identify: Identify | None = None,
    begins: Callable[[str], None] | None = None,
) -> State:
    """The state after these steps (all taken as on); `begins` hears the name of each whole-table step, and may raise to stop.

    Raises StudioError as the step's function does.
    """
    at = 0
    while at < len(steps):
        if kind(steps[at].name).whole_table:
            if begins:
                begins(steps[at].name)
            state, at = _whole(state, steps[at], seed, clock), at + 1
            continue
        end = at
        while end < len(steps) and not kind(steps[end].name).whole_table:
            end += 1
        state, at = _rows(state, RowSteps(tuple(steps[at:end]), tokenizer, clock, identify), rows), end
    return state


def _rows(state: State, steps: RowSteps, engine: RowEngine) -> State:
    table, known = state.table, set(map(str, state.table.frame.columns))
    for step in steps.steps:
        check_columns(step, known)
        known |= set(kind(step.name).writes(settings_of(step)))
    done = engine(steps, table.frame)
    reasons, by = done.dropped.to_numpy(dtype=object, na_value=None), done.dropped_by.to_numpy().astype(np.int64)
    stayed = by < 0
    _orphaned(table.frame, table.roles.parent_row, reasons, by)
    seconds = list(done.seconds) or [0.0] * len(steps.steps)
    frame, roles, numbers = done.frame, table.roles, table.frame.index
    frame.attrs = {}
    reports, gone, left = list(state.reports), list(state.gone), len(numbers)
    for place, step in enumerate(steps.steps):
        hit = np.flatnonzero(by == place)
        reports.append(_report(step, left, reasons[hit].tolist(), seconds[place]))
        gone.append(_gone(numbers[hit].tolist(), reasons[hit].tolist()))
        left -= len(hit)
        change = kind(step.name).roles
        roles = change(roles, settings_of(step)) if change else roles
    prompt = moved(table.prompt, table.roles, roles)
    if (orphans := by[stayed] >= 0).any():
        frame = pd.DataFrame(frame[~orphans])
    return State(Table(frame, roles, prompt, table.task), tuple(reports), tuple(gone))


def _orphaned(rows: pd.DataFrame, column: str | None, reasons: np.ndarray, by: np.ndarray) -> None:
    """Mark children whose parent was dropped, at the step that dropped it."""
    if not column or column not in rows or (by < 0).all():
        return
    places = {int(number): place for place, number in enumerate(rows.index.tolist())}
    family = [places.get(number) if number is not None else None for number in parents(rows, column)]
    changed = True
    while changed:
        changed = False
        for place, parent in enumerate(family):
            if parent is not None and by[place] < 0 <= by[parent]:
                by[place], reasons[place], changed = by[parent], LEFT_WITH_PARENT, True


def _whole(state: State, step: Step, seed: int, clock: Callable[[], float]) -> State:
    start, table, settings = clock(), state.table, settings_of(step)
    check_columns(step, set(map(str, table.frame.columns)))
    wanted = [*kind(step.name).keys(settings, table.roles), table.roles.split or ""]
    keys = [name for name in dict.fromkeys(wanted) if name and name in table.frame]
    change: Change = kind(step.name).function(replace(table, frame=table.frame[keys]), settings, seed)
    frame = table.frame
    if change.columns:
        frame = frame.copy(deep=False)
        for name, cells in change.columns.items():
            numbers = isinstance(cells, np.ndarray) and cells.dtype.kind == "f"
            frame[name] = pd.Series(cells if numbers else list(cells), index=frame.index, dtype="float64" if numbers else "str")
    reasons = np.full(len(frame), None, dtype=object)
    if change.dropped is not None:
        reasons[:] = change.dropped
    alive = pd.isna(reasons)
    if not alive.all() and table.roles.parent_row in frame:
        column, after = str(table.roles.parent_row), pd.DataFrame(frame[alive])
        lost = after.index[np.array(orphans(after, column)) & ~np.array(orphans(frame, column))[alive]]
        hit = frame.index.isin(lost)
        reasons[hit], alive = LEFT_WITH_PARENT, alive & ~hit
    numbers, told = frame.index[~alive].tolist(), reasons[~alive].tolist()
    roles, added = change.roles or table.roles, 0
    copied = change.copied[alive[change.copied]] if change.copied is not None else np.array([], dtype=np.int64)
    whole = frame
    frame = frame[alive] if not alive.all() else frame
    frame = frame.iloc[change.order] if change.order is not None else frame
    if len(copied):
        frame, roles = with_copies(pd.DataFrame(frame), whole, copied, roles)
        added = len(copied)
    report = _report(step, len(table.frame), told, clock() - start, added)
    made = Table(pd.DataFrame(frame), roles, change.prompt or table.prompt, table.task)
    return State(made, (*state.reports, report), (*state.gone, _gone(numbers, told)))


def check_columns(step: Step, known: set[str]) -> None:
    """Raises DataError when a step names no column, or one that is not there at this point of the recipe."""
    settings, title = settings_of(step), kind(step.name).title
    if unset := settings.missing():
        raise DataError(f"{title} needs a value for {unset}. Choose one with Change settings.", title=f"{title} is not set up")
    absent = [name for name in settings.columns_named() if name not in known]
    if absent:
        raise DataError(f"{title} looks for the column '{absent[0]}'. At this point there are: {', '.join(sorted(known))}. "
                        "Choose one of them, or move the step behind the one that makes it.", title="No such column")  # fmt: skip


def _report(step: Step, before: int, reasons: Sequence[str], seconds: float, added: int = 0) -> StepReport:
    return StepReport(step.name, describe(step), before, before - len(reasons) + added, round(seconds, 4), grouped(reasons))


def grouped(reasons: Sequence[str]) -> Mapping[str, int]:
    """Reasons without the other row's number or a value in brackets, with how many rows each dropped, the most frequent first."""
    found: Counter[str] = Counter()
    for reason, rows in Counter(reasons).items():
        bare = re.sub(r" \(\d[^()]*\)$", "", reason)
        found[re.sub(r" (test )?row \d+$", lambda hit: " a test row" if hit.group(1) else " another row", bare)] += rows
    return dict(found.most_common())


def _gone(rows: Sequence[int], reasons: Sequence[str]) -> pd.DataFrame:
    """Rows of the version that left. Copies (negative numbers) were never in it."""
    gone = pd.DataFrame({"row": pd.Series(rows, dtype="int64"), "reason": pd.Series(reasons, dtype="str")})
    return pd.DataFrame(gone[gone["row"] >= 0]).reset_index(drop=True)
