"""The classic data assistant: the advices the old `prepare_data` tool gave for prompt and completion files.

Source: openai-python 0.28.1, openai/validators.py, whose rules and wording these follow; row numbers are 0-based as there.
Necessary remedies come at once; then every rule looks at the same rows, and the recommended remedies are offered and
applied in order. Its slip of warning about duplicate columns for every extra one is not copied. Not known here: today's models need
no separators, leading spaces or stop texts (see `convert`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core.errors import DataError
from core.validate import prepare_text as say

Pair = dict[str, str]
TASKS = ("classification", "conditional generation", "open-ended generation")
LONG = 10_000
"""Characters of prompt and completion together."""


@dataclass(frozen=True)
class Table:
    """Prompt and completion rows that keep their 0-based number in the file."""

    rows: tuple[Pair, ...]
    numbers: tuple[int, ...]

    def column(self, name: str) -> list[str]:
        return [row[name] for row in self.rows]

    def without(self, gone: set[int]) -> Table:
        kept = [place for place, number in enumerate(self.numbers) if number not in gone]
        return Table(tuple(self.rows[i] for i in kept), tuple(self.numbers[i] for i in kept))

    def changed(self, name: str, change: Callable[[str], str]) -> Table:
        return replace(self, rows=tuple({**row, name: change(row[name])} for row in self.rows))


@dataclass(frozen=True)
class Advice:
    """One remark or remedy of the assistant."""

    rule: str
    """Name of the rule, as the old tool's validators."""
    text: str
    """What was found and why it matters."""
    rows: tuple[int, ...] = ()
    """0-based numbers; empty when it is about all rows."""
    remedy: str = ""
    """What would be done; empty for a remark."""
    necessary: bool = False
    apply: Callable[[Table], Table] | None = None
    applied: bool = False


@dataclass(frozen=True)
class Prepared:
    """The walk through a file: all advices, and the rows the accepted ones left."""

    advices: tuple[Advice, ...]
    table: Table
    task: str
    """One of TASKS."""
    split: tuple[Table, Table] | None = None
    """Train and validation rows, when the split was accepted."""


def prepare(rows: Sequence[Any], accept: Callable[[Advice], bool], notes: Sequence[Advice] = ()) -> Prepared:
    """The assistant's walk through the file. `accept` answers every recommended remedy; necessary ones are not asked.

    Raises DataError where the old tool stops: a missing column, prompts or completions that are all the same.
    """
    advices = list(notes)
    table, first = _columns(rows)
    advices += first
    advices.append(_count(len(table.rows)))
    table = _take(advices, table, say.empty_completion(table), accept)
    if not table.rows:
        raise DataError("No row has a completion. Each needs a prompt and a completion.", title="Nothing to prepare")
    task = task_of(table)
    if task == "classification":
        advices.append(Advice("task", SMALL_MODEL))
    found = [advice for rule in say.RULES for advice in rule(table, task)]
    advices += [advice for advice in found if advice.apply is None]
    for advice in found:
        if advice.apply is not None:
            table = _take(advices, table, advice, accept)
    split = None
    if task == "classification":
        split = _split(table) if accept(SPLIT) else None
        advices.append(replace(SPLIT, applied=split is not None))
    return Prepared(tuple(advices), table, task, split)


def format_note(name: str) -> list[Advice]:
    """The necessary conversion of a file that is not JSON lines, by its name."""
    ending = name.casefold().removesuffix(".gz").rsplit(".", 1)[-1].upper()
    if ending == "JSONL":
        return []
    text = "Your file's lines are read as completions, with empty prompts" if ending == "TXT" else f"Your file is `{ending}`"
    return [Advice("read_any_format", text, (), f"Your format `{ending}` will be converted to `JSONL`", True, None, True)]


def _count(n: int) -> Advice:
    more = (
        ". In general, we recommend having at least a few hundred examples. We've found that performance tends to linearly increase "
        "for every doubling of the number of examples"
    )
    return Advice("num_examples", f"Your file contains {n} prompt-completion pairs" + (more if n < 100 else ""))


CLASSIFIES = "Based on your data it seems like you're trying to fine-tune a model for classification"
SMALL_MODEL = (
    f"{CLASSIFIES}. For classification, we recommend you try one of the faster and cheaper models, such as `ada`. You can estimate "
    "the expected model performance by keeping a held out dataset, which is not used for training"
)
SPLIT = Advice("split", f"{CLASSIFIES}.", (), "Would you like to split into training and validation set?")


def task_of(table: Table) -> str:
    """Classification when there are few different completions; open-ended when no row has a prompt."""
    if not any(table.column("prompt")):
        return TASKS[2]
    return TASKS[0] if len(set(table.column("completion"))) < len(table.rows) / 3 else TASKS[1]


def _take(advices: list[Advice], table: Table, advice: Advice | None, accept: Callable[[Advice], bool]) -> Table:
    """The table after the advice, if it is taken; the advice joins the list either way."""
    if advice is None:
        return table
    taken = advice.necessary or accept(advice)
    advices.append(replace(advice, applied=taken))
    return advice.apply(table) if taken and advice.apply else table


def _columns(rows: Sequence[Any]) -> tuple[Table, list[Advice]]:
    """The two columns of every row as text; missing values are "". Raises DataError without them."""
    records = [row if isinstance(row, dict) else {"prompt": "", "completion": row} for row in rows]
    names = list(dict.fromkeys(str(name) for record in records for name in record))
    notes, chosen = [], {}
    for wanted in ("prompt", "completion"):
        found = next((n for n in names if n == wanted), None) or next((n for n in names if n.casefold() == wanted), None)
        if found is None:
            raise DataError(
                f"`{wanted}` column/key is missing. Please make sure you name your columns/keys appropriately, then "
                f"retry. The file has {', '.join(names[:10]) or 'none'}.",
                title=f"No {wanted}",
            )
        if found != wanted:
            text, remedy = f"The column '{found}' is not written in lower case.", f"Lower case column name to `{wanted}`"
            notes.append(Advice(f"lower_case_column_{wanted}", text, (), remedy, True, None, True))
        chosen[wanted] = found
    extra = [name for name in names if name not in chosen.values()]
    if extra:
        text = f"The input file should contain exactly two columns/keys per row. Additional columns/keys present are: {extra}"
        notes.append(Advice("additional_column", text, (), f"Remove additional columns/keys: {extra}", True, None, True))
    made = tuple({wanted: _text(record.get(name)) for wanted, name in chosen.items()} for record in records)
    return Table(made, tuple(range(len(made)))), notes


def _text(cell: Any) -> str:
    return "" if cell is None or cell != cell else str(cell)


def _split(table: Table) -> tuple[Table, Table]:
    """Train and validation rows as pandas draws them with the seed 42: at most 1,000, about a fifth, are kept for validation."""
    n = len(table.rows)
    drawn = pd.Series(range(n)).sample(n=max(n - 1000, int(0.8 * n)), random_state=42).tolist()
    rest = sorted(set(range(n)) - set(drawn))
    train, held = (Table(tuple(table.rows[i] for i in part), tuple(table.numbers[i] for i in part)) for part in (drawn, rest))
    return train, held


def next_command(made: Prepared, train: str, held: str | None = None) -> str:
    """What the old tool said to run, with the ends it found."""
    prompt_end, completion_end = say.common_suffix(made.table.column("prompt")), say.common_suffix(made.table.column("completion"))
    parts = [f'openai api fine_tunes.create -t "{train}"' + (f' -v "{held}"' if held else "")]
    if held:
        labels = sorted(set(made.table.column("completion")))
        parts.append("--compute_classification_metrics")
        most = max(labels, key=made.table.column("completion").count) if len(labels) == 2 else ""
        parts.append(f'--classification_positive_class "{most}"' if len(labels) == 2 else f"--classification_n_classes {len(labels)}")
    text = "Now use that file when fine-tuning:\n> " + " ".join(parts)
    if made.task != TASKS[2] and prompt_end:
        shown = say.visible(prompt_end)
        text += f"\n\nYour prompt has to end with the indicator string `{shown}` for the model to start generating completions."
    if made.task == TASKS[1] and completion_end:
        text += f' Make sure to include `stop=["{say.visible(completion_end)}"]` so that the generated texts ends at the expected place.'
    return text + "\n(That service is gone: convert the file to chat for any host of today.)"
