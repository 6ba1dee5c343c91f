"""The classic data assistant: the advices the old `prepare_data` tool gave for prompt and completion files.

Source: openai-python 0.28.1, openai/validators.py; its decisions, its files byte for byte (see `prepare_write`), texts in our words.
Necessary remedies come at once; then every rule looks at the same rows, and the recommended remedies are offered and applied in
order; the task is judged again at the end, and classification is offered a split. Row numbers are 0-based and count the rows that
the necessary remedies left, as there; `Table.numbers` keeps each row's place in the file.

Not copied, because the tool failed or did harm: it warned of duplicate names for every extra column; it dropped long rows by their
old labels after rows had been removed, which took other rows or stopped; it stopped where a removed prefix left a completion empty;
it did not convert a JSON list that needed nothing else; it wrote files without rows; pandas before 3 turned JSON nulls into "None".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core.errors import DataError
from core.validate import prepare_text as say

TASKS = ("classification", "conditional generation", "open-ended generation")
RECOMMENDATIONS = (
    "duplicated_rows", "long_examples", "lower_case_prompt", "lower_case_completion", "common_prompt_suffix", "common_prompt_prefix",
    "common_completion_prefix", "common_completion_suffix", "completions_space_start", "split",
)  # fmt: skip
"""Rules whose remedy may be declined, in the order they are asked."""
MOST_HELD = 1000
"""Rows at most that are kept for validation."""


@dataclass(frozen=True)
class Table:
    """Prompts and completions, and the 0-based row of the file each pair was read from."""

    prompts: tuple[str, ...]
    completions: tuple[str, ...]
    numbers: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def rows(self) -> list[dict[str, str]]:
        return [{"prompt": a, "completion": b} for a, b in zip(self.prompts, self.completions, strict=True)]

    def column(self, name: str) -> tuple[str, ...]:
        return self.prompts if name == "prompt" else self.completions

    def at(self, places: Sequence[int]) -> Table:
        """The rows at these positions, in that order."""
        return Table(*(tuple(cells[i] for i in places) for cells in (self.prompts, self.completions, self.numbers)))  # type: ignore[arg-type]

    def without(self, numbers: set[int]) -> Table:
        """The rows that do not have these numbers."""
        return self.at([place for place, number in enumerate(self.numbers) if number not in numbers])

    def changed(self, name: str, change: Callable[[str], str]) -> Table:
        cells = tuple(map(change, self.column(name)))
        return replace(self, prompts=cells) if name == "prompt" else replace(self, completions=cells)


@dataclass(frozen=True)
class Advice:
    """One remark or remedy of the assistant."""

    rule: str
    """Name of the rule; at most one remedy has it."""
    text: str
    """What was found and why it matters."""
    rows: tuple[int, ...] = ()
    """0-based positions; empty when it is about all rows."""
    remedy: str = ""
    """What would be done; empty for a remark."""
    necessary: bool = False
    apply: Callable[[Table], Table] | None = None
    applied: bool = False
    numbers: tuple[int, ...] = ()
    """The file's rows that `rows` are."""


@dataclass(frozen=True)
class Prepared:
    """The walk through a file: all advices, and the rows the accepted ones left."""

    advices: tuple[Advice, ...]
    table: Table
    task: str
    """One of TASKS, judged on `table`."""
    split: tuple[Table, Table] | None = None
    """Train and validation rows, when the split was accepted."""
    total: int = 0
    """Rows of the file."""
    steps: tuple[tuple[Advice, Table, Table], ...] = ()
    """Every applied remedy that touches rows, with the rows before and after it."""

    @property
    def remedies(self) -> tuple[Advice, ...]:
        return tuple(one for one in self.advices if one.remedy)

    @property
    def changed(self) -> bool:
        """Whether anything was applied: else no file is written."""
        return any(one.applied for one in self.remedies)

    @property
    def parts(self) -> dict[str, Table]:
        """What would be written: ending of the file's stem -> rows."""
        return {"_train": self.split[0], "_valid": self.split[1]} if self.split else {"": self.table}


def prepare(data: pd.DataFrame | Sequence[Any], accept: Callable[[Advice], bool], notes: Sequence[Advice] = ()) -> Prepared:
    """The assistant's walk through a file's columns (see `prepare_read`) or rows. `accept` answers every recommended remedy in turn.

    Raises DataError where the old tool stopped (a missing column, prompts or completions that are all the same) and where no row is left.
    """
    table, first = _columns(data if isinstance(data, pd.DataFrame) else _frame(data))
    walk = _Walk(table, [*notes, *first, _count(len(table))], accept)
    walk.take(say.empty_completion(table))
    if not len(walk.table):
        raise DataError("No row has a completion. Each needs a prompt and a completion.", title="Nothing to prepare")
    task = task_of(walk.table)
    if task == TASKS[0]:
        walk.advices.append(Advice("task", CLASSIFIES + SMALL_MODEL))
    seen = walk.table
    found = [_numbered(one, seen) for rule in say.RULES for one in rule(seen, task)]
    walk.advices += [advice for advice in found if advice.apply is None]
    for advice in found:
        if advice.apply is not None:
            walk.take(say.recount(advice, walk.table))
    if not len(walk.table):
        raise DataError("The accepted remedies remove every row. Decline one of them.", title="Nothing is left")
    last = task_of(walk.table)
    if last != task:
        walk.advices.append(Advice("task", f"After these remedies the data looks like {last}, not {task}"))
    split = None
    if last == TASKS[0]:
        split = _split(walk.table) if accept(SPLIT) else None
        walk.advices.append(replace(SPLIT, applied=split is not None))
    return Prepared(tuple(walk.advices), walk.table, last, split, len(table), tuple(walk.steps))


def _numbered(advice: Advice, table: Table) -> Advice:
    """The advice with the file's rows, said where they are others than its positions."""
    numbers = tuple(table.numbers[place] for place in advice.rows)
    moved = bool(numbers) and numbers != advice.rows and "These are rows" in advice.text
    return replace(advice, numbers=numbers, text=advice.text + (f" (in the file: {say.listed(numbers)})" if moved else ""))


class _Walk:
    """The table on its way through the remedies."""

    def __init__(self, table: Table, advices: list[Advice], accept: Callable[[Advice], bool]) -> None:
        self.table, self.advices, self.accept = table, advices, accept
        self.steps: list[tuple[Advice, Table, Table]] = []

    def take(self, advice: Advice | None) -> None:
        """Apply the advice if it is necessary or accepted; it joins the list either way."""
        if advice is None:
            return
        taken = advice.necessary or self.accept(advice)
        advice = replace(advice, applied=taken)
        self.advices.append(advice)
        if taken and advice.apply:
            before, self.table = self.table, advice.apply(self.table)
            self.steps.append((advice, before, self.table))


CLASSIFIES = "Based on your data it seems like you're trying to fine-tune a model for classification"
SMALL_MODEL = (
    ". A small, cheap model is often enough for that. Rows that are kept aside and not trained on tell how well it does on new ones"
)
SPLIT = Advice("split", f"{CLASSIFIES}.", (), "Would you like to split into training and validation set?")


def task_of(table: Table) -> str:
    """Classification when there are few different completions; open-ended when no row has a prompt."""
    if not any(table.prompts):
        return TASKS[2]
    return TASKS[0] if len(set(table.completions)) < len(table) / 3 else TASKS[1]


def _count(n: int) -> Advice:
    more = ". A few hundred are recommended at least: performance tends to rise evenly with every doubling of the number"
    return Advice("num_examples", f"Your file contains {n} prompt-completion pairs" + (more if n < 100 else ""))


def _frame(rows: Sequence[Any]) -> pd.DataFrame:
    """Rows in memory as columns of text: bare values are completions, missing values ""."""
    records = [row if isinstance(row, dict) else {"prompt": "", "completion": row} for row in rows]
    names = list(dict.fromkeys(str(name) for record in records for name in record))
    return pd.DataFrame({name: [_text(record.get(name)) for record in records] for name in names}, dtype=object)


def _columns(frame: pd.DataFrame) -> tuple[Table, list[Advice]]:
    """The two columns of every row, and the necessary steps that led to them. Raises DataError without them."""
    names = [str(name) for name in frame.columns]
    notes, chosen = [], {}
    for wanted in ("prompt", "completion"):
        found = next((n for n in names if n == wanted), None) or next((n for n in names if n.lower() == wanted), None)
        if found is None:
            listed = ", ".join(f"'{one}'" for one in names[:10]) or "none"
            raise DataError(
                f"`{wanted}` column/key is missing. Please make sure you name your columns/keys appropriately, then retry. The file has "
                f"{listed}.",
                title=f"No {wanted}",
            )
        if found != wanted:
            text, remedy = f"The `{wanted}` column/key should be lowercase; it is '{found}'", f"Lower case column name to `{wanted}`"
            notes.append(Advice(f"lower_case_column_{wanted}", text, (), remedy, True, None, True))
        chosen[wanted] = found
    extra = [name for name in names if name not in chosen.values()]
    if extra:
        text = f"The input file should contain exactly two columns/keys per row. Additional columns/keys present are: {extra}"
        notes.append(Advice("additional_column", text, (), f"Remove additional columns/keys: {extra}", True, None, True))
    prompts, completions = (tuple(frame.iloc[:, names.index(chosen[wanted])].tolist()) for wanted in ("prompt", "completion"))
    return Table(prompts, completions, tuple(range(len(frame)))), notes


def _text(cell: Any) -> str:
    return "" if cell is None or cell != cell else str(cell)


def _split(table: Table) -> tuple[Table, Table]:
    """Train and validation rows as pandas draws them with the seed 42: at most 1,000, about a fifth, are kept for validation."""
    n = len(table)
    drawn = pd.Series(range(n)).sample(n=max(n - MOST_HELD, int(0.8 * n)), random_state=42).tolist()
    return table.at(drawn), table.at(sorted(set(range(n)) - set(drawn)))
