"""Recorded answers of a version's test rows: which row each line answers, and what it says, told by line where it does not fit.

Rows are known by their place (`index`, from 0), by their id where the version has one, or by position when every test row is there.
Two readers: strict, which never guesses, and first-number, the pricing course's (the first number after $ and commas are taken out, 0
where there is none), whose answers are labelled and never the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.errors import DataError, SettingsError
from core.evaluate.recorded import from_long, read_guess
from core.evaluation import Evaluation
from core.format import plural
from core.prediction import Examples
from core.reading import read_amount, read_first_number, read_reply

SAID = ("guess", "prediction", "predicted", "answer", "output", "response", "reply", "completion")
IDS = ("id", "item_id", "row_id", "key")
READERS = ("strict", "first-number")
LABELS = {"strict": "", "first-number": " (first number)"}
"""What a reader adds to a model's title."""


def recorded(
    table: pd.DataFrame,
    name: str,
    test: Examples,
    *,
    ids: Sequence[Any] | None = None,
    id_column: str | None = None,
    labels: Sequence[str] = (),
    reader: str = "strict",
) -> list[Evaluation]:
    """One evaluation per model of a table of text cells, in the order of first appearance; `test` has targets.

    Raises DataError naming the lines of the file: rows that are no test rows, rows answered twice, wrong lengths, other right answers.
    """
    if reader not in READERS:
        raise SettingsError(f"There is no reader '{reader[:40]}'; choose {' or '.join(READERS)}.", title="Unknown reader")
    if reader != "strict" and test.task != "regression":
        raise SettingsError("The first number is read where numbers are predicted.", title="No numbers here")
    table = table.rename(columns=lambda column: str(column).strip().casefold()).reset_index(drop=True)
    said = next((column for column in (*SAID, "raw") if column in table), None)
    if said is None or not len(table):
        have = ", ".join(map(str, table.columns)) or "nothing"
        raise DataError(f"{name} has {have}; a column named guess (or raw, for whole replies) and at least one row are needed.",
                        title="No answers found")  # fmt: skip
    lines = lines_of(table)
    models = table["model"].astype("str").tolist() if "model" in table else [name.rsplit(".", 1)[0]] * len(table)
    places = _places(table, name, len(test), ids, (id_column or "").strip().casefold(), lines, models)
    _once(places, models, lines, name)
    truths = [(test.targets or ())[place] for place in places]
    if "truth" in table:
        _same(table["truth"].tolist(), truths, lines, test.task, name)
    raw = [_text(cell) for cell in table["raw" if "raw" in table else said]]
    guesses = [_read(test.task, cell, text, labels, reader) for cell, text in zip(table[said], raw, strict=True)]
    made = table.assign(index=places, truth=truths, guess=guesses, raw=raw, model=[model + LABELS[reader] for model in models])
    if reader != "strict" and "status" in made:
        made = made.drop(columns="status")
    return from_long(made, test.task, name=name, labels=labels)


def read_again(replies: Sequence[str], reader: str, task: str, labels: Sequence[str] = ()) -> list[Any]:
    """Whole replies through a reader: values, None where unread."""
    return [_read(task, None, text, labels, reader) for text in replies]


def lines_of(table: pd.DataFrame) -> list[int]:
    """The line of the file on which each row begins: cells may hold line breaks, the header is line 1."""
    line, found = 2, []
    for row in table.itertuples(index=False):
        found.append(line)
        line += 1 + sum(cell.count("\n") for cell in row if isinstance(cell, str))
    return found


def _read(task: str, cell: Any, text: str, labels: Sequence[str], reader: str) -> Any:
    if reader == "first-number":
        return read_first_number(text).value or 0.0
    value = read_guess(task, cell, labels) if cell is not None else None
    if value is None or (task == "classification" and value not in labels):
        return read_reply(task, text, labels).value if text else None
    return value


def _places(
    table: pd.DataFrame, name: str, n: int, ids: Sequence[Any] | None, id_column: str, lines: Sequence[int], models: Sequence[str]
) -> list[int]:
    """The place in the test split that each line answers."""
    by_number = "index" in table and all(_whole(cell) is not None for cell in table["index"])
    key = next((column for column in (id_column, *IDS, "index") if column and column in table), None) if ids is not None else None
    if by_number:
        wrong = [(line, cell) for line, cell in zip(lines, table["index"], strict=True) if not 0 <= (_whole(cell) or 0) < n]
        _refuse(wrong, name, f"the test split has the places 0 to {n - 1}")
        return [_whole(cell) or 0 for cell in table["index"]]
    if key is not None and ids is not None:
        known = {_id(value): place for place, value in enumerate(ids)}
        wrong = [(line, cell) for line, cell in zip(lines, table[key], strict=True) if _id(cell) not in known]
        _refuse(wrong, name, f"the test rows have ids such as {', '.join(_id(value) for value in list(ids)[:2])}")
        return [known[_id(cell)] for cell in table[key]]
    if "index" in table:
        wrong = [(line, cell) for line, cell in zip(lines, table["index"], strict=True) if _whole(cell) is None]
        _refuse(wrong, name, f"the test split has the places 0 to {n - 1}")
    counts = {model: models.count(model) for model in dict.fromkeys(models)}
    short = next(((model, count) for model, count in counts.items() if count != n), None)
    if short:
        raise DataError(f"{name} says for no line which test row it answers, and holds {plural(short[1], 'answer')} of {short[0]} for "
                        f"{plural(n, 'test row')}. Add a column index (the row's place from 0) or the id, or answer every row in order.",
                        title="Which rows are these?")  # fmt: skip
    seen: dict[str, int] = {}
    found = []
    for model in models:
        found.append(seen.get(model, 0))
        seen[model] = found[-1] + 1
    return found


def _refuse(wrong: Sequence[tuple[int, Any]], name: str, known: str) -> None:
    if wrong:
        shown = ", ".join(f"line {line} ('{_text(cell)[:40]}')" for line, cell in wrong[:3])
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        many = f"{plural(len(wrong), 'line')} {'is' if len(wrong) == 1 else 'are'}"
        raise DataError(f"{name}: {many} of no test row: {shown}{more}; {known}.", title="Not a test row")


def _once(places: Sequence[int], models: Sequence[str], lines: Sequence[int], name: str) -> None:
    first: dict[tuple[str, int], int] = {}
    for place, model, line in zip(places, models, lines, strict=True):
        if (model, place) in first:
            raise DataError(f"{name}: line {line} answers the test row {place} again, after line {first[model, place]}. Keep one of them.",
                            title="A row answered twice")  # fmt: skip
        first[model, place] = line


def _same(told: Sequence[Any], truths: Sequence[Any], lines: Sequence[int], task: str, name: str) -> None:
    from core.task import target_of

    for cell, truth, line in zip(told, truths, lines, strict=True):
        value = target_of(task, cell)
        if value is not None and value != truth:
            raise DataError(
                f"{name}: the truth on line {line} is '{_text(cell)[:40]}', in this version it is '{str(truth)[:40]}'. "
                "These answers belong to other test rows.",
                title="The right answers differ",
            )


def _whole(cell: Any) -> int | None:
    number = read_amount(cell)
    return int(number) if number is not None and number.is_integer() else None


def _id(cell: Any) -> str:
    """Ids as they are written, a whole number without its point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return _text(cell).strip()


def _text(cell: Any) -> str:
    return "" if cell is None or cell != cell else str(cell)
