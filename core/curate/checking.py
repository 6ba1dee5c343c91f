"""What is wrong with a recipe, told before a single row is touched: which step, where in the file, and what to do.

Every step runs on an empty table with the version's columns (row steps on one blank row too), so whatever a step refuses
(a column that is not there at that point, text where a number is needed, a pattern that cannot be read) is refused here in
the step's own words. Sizes are held against the number of rows there are, of which later steps have at most as many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core.curate.running import State, advance, check_columns
from core.curate.steps import kind, settings_of
from core.curate.table import Table, Tokenizer
from core.errors import DataError, SettingsError, StudioError
from core.format import count
from core.version import Roles, Step

_TYPES = {"number": "float64", "flag": "bool", "time": "datetime64[ns]", "list": "object"}
_NO_TOKENS = Tokenizer(lambda text: [], lambda tokens: "")


@dataclass(frozen=True)
class Problem:
    place: int
    """Of the step, from 0."""
    step: str
    error: StudioError
    line: int | None = None
    """Of the recipe's file, from 1."""

    @property
    def where(self) -> str:
        """ "Line 4, step 2 (range)" """
        step = f"tep {self.place + 1} ({self.step})"
        return f"Line {self.line}, s{step}" if self.line else f"S{step}"


def problems(
    steps: Sequence[Step],
    columns: Mapping[str, str],
    roles: Roles,
    *,
    rows: int | None = None,
    task: str | None = None,
    lines: Sequence[int] = (),
) -> list[Problem]:
    """Every step that cannot run, in order; the steps behind one are looked at as if it were off.

    `columns` are names with their kind (`core.kinds`), `rows` how many there are, `lines` where each step begins in its file.
    """
    state, found, spans = _begin(columns, roles, task), [], {}
    for place, step in enumerate(steps):
        if not step.on:
            continue
        try:
            state, spans = _step(state, step, spans, rows)
        except StudioError as error:
            found.append(Problem(place, step.name, error, lines[place] if place < len(lines) else None))
    return found


def check(
    steps: Sequence[Step],
    columns: Mapping[str, str],
    roles: Roles,
    *,
    rows: int | None = None,
    task: str | None = None,
    lines: Sequence[int] = (),
) -> None:
    """Raises DataError or SettingsError for the first step that cannot run, naming place, step, line and how many more there are."""
    found = problems(steps, columns, roles, rows=rows, task=task, lines=lines)
    if found:
        first, more = found[0], len(found) - 1
        also = ", ".join(one.where for one in found[1:])
        rest = f" {count(more)} more {'step has' if more == 1 else 'steps have'} a fault: {also}." if more else ""
        fault = DataError if isinstance(first.error, DataError) else SettingsError
        raise fault(f"{first.where}: {first.error}{rest}", title=first.error.title) from first.error


def _begin(columns: Mapping[str, str], roles: Roles, task: str | None) -> State:
    frame = pd.DataFrame({name: pd.Series([], dtype=_TYPES.get(what, "str")) for name, what in columns.items()})
    return State(Table(frame, roles, None, task))


def _step(state: State, step: Step, spans: dict[str, Any], rows: int | None) -> tuple[State, dict[str, Any]]:
    """The state behind a step, on no rows. Raises StudioError when it cannot run."""
    settings = settings_of(step)
    _window(settings)
    spans = _range(step, settings, spans)
    if step.name == "split" and rows is not None:
        _sides(settings, rows, state.table.roles.split in state.table.frame)
    if step.name == "move_leaks":
        if not state.table.roles.split:
            raise DataError("Move leaks needs train and test rows. Add a Split step before it.", title="Needs a split")
        return state, spans
    written = kind(step.name).writes(settings)
    if not kind(step.name).whole_table:
        check_columns(step, set(map(str, state.table.frame.columns)))
        aid = None if kind(step.name).identifies else _NO_TOKENS
        kind(step.name).function(_blank(state.table.frame), settings, aid)  # patterns are read when there is a row
    return advance(state, [step], 0, tokenizer=lambda name: _NO_TOKENS), {name: one for name, one in spans.items() if name not in written}


def _blank(frame: pd.DataFrame) -> pd.DataFrame:
    """One row of blank texts and missing numbers, with the types the columns have."""
    cells = {name: pd.Series([None if what == "object" else ""], dtype=what) if what in ("object", "str") else
             pd.Series([False if what == "bool" else None], dtype=what) for name, what in frame.dtypes.astype("str").items()}  # fmt: skip
    return pd.DataFrame(cells)


def _window(settings: Any) -> None:
    """A window whose lower end lies above its upper end."""
    low = getattr(settings, "minimum", None)
    for name in ("ceiling", "maximum"):
        high = getattr(settings, name, None)
        if isinstance(low, int) and isinstance(high, int) and 0 < high < low:
            raise SettingsError(f"The minimum is {count(low)} and the {name} {count(high)}: texts long enough to stay would be cut below "
                                "what is asked of them. Swap the two, or change one.", title="The window is impossible")  # fmt: skip


def _range(step: Step, settings: Any, spans: dict[str, Any]) -> dict[str, Any]:
    """Where ranges one behind the other leave a column; raises SettingsError when nothing lies in all of them."""
    if step.name != "range" or not settings.column:
        return spans
    low, high = spans.get(settings.column, (None, None))
    low = max((end for end in (low, settings.low) if end is not None), default=None)
    high = min((end for end in (high, settings.high) if end is not None), default=None)
    if low is not None and high is not None and low > high:
        raise SettingsError(f"Together with the ranges before it {settings.column} would go from {low:g} to {high:g}: nothing lies in it. "
                            "Change one of them.", title="The range is empty")  # fmt: skip
    return {**spans, settings.column: (low, high)}


def _sides(settings: Any, rows: int, came: bool) -> None:
    """A split that leaves a side without rows, even if every row came this far."""
    if settings.method == "keep" and came:
        return
    fewer = settings.otherwise is not None and rows < settings.test + settings.validation + (settings.train or 1)
    if fewer:
        settings = replace(settings, unit="percent", test=settings.otherwise, train=None, otherwise=None,
                           validation=settings.otherwise if settings.validation else 0.0)  # fmt: skip
    share = rows / 100 if settings.unit == "percent" else 1.0
    sizes = {name: round(getattr(settings, name) * share) for name in ("test", "validation")}
    sizes["train"] = rows - sum(sizes.values())
    empty = [name for name in ("test", "validation", "train") if sizes[name] <= 0 and (name == "train" or getattr(settings, name))]
    if empty:
        told = ", ".join(f"{count(max(0, n))} {name}" for name, n in sizes.items())
        raise DataError(f"Of {count(rows)} rows at most, {told} rows would come of it: {empty[0]} stays empty. Change the sizes, or "
                        "bring more rows.", title=f"No {empty[0]} rows")  # fmt: skip
