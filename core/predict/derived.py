"""Features a person derives: `name = expression`, in the language of Curate's expressions, over the columns predictors see.

A number is one column (and whether it was given, where train rows lack it), a truth is 0 or 1, a text is one column for each of its
most frequent values. `text` is the joined text unless a column has that name. Not known here: targets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

import numpy as np
import pandas as pd

from core.curate.formula import read_formula
from core.curate.truths import Evaluation
from core.errors import SettingsError
from core.predict.noticed import Feature
from core.prediction import Examples
from core.reading import read_amount

_NAMED = re.compile(r"\s*([^=<>!\"'`()]{1,80}?)\s*=(?!=)(.*)", re.S)


@dataclass(frozen=True)
class Made:
    """A feature as it was written."""

    name: str
    expression: str

    def __str__(self) -> str:
        return f"{self.name} = {self.expression}"


def read_made(text: str) -> Made:
    """`name = expression`; without a name the expression is its own. Raises SettingsError saying what cannot be read."""
    found = _NAMED.fullmatch(text)
    name, expression = (found[1], found[2].strip()) if found else (text.strip()[:80], text.strip())
    if not expression:
        raise SettingsError(
            f"'{text.strip()[:60]}' has no expression. Write name = expression, such as long = len(text) > 500.", title="An empty feature"
        )
    read_formula(expression)
    return Made(name, expression)


def read_all(texts: Sequence[str]) -> list[Made]:
    """All of them. Raises SettingsError where one cannot be read or two have the same name."""
    found = [read_made(text) for text in texts]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise SettingsError(f"Two derived features are called '{twice}'. Give one of them another name.", title="The same name twice")
    return found


def columns_of(rows: Examples) -> list[str]:
    """What expressions may name: the input columns, and `text`."""
    names = [str(name) for name in rows.frame.columns]
    return names if "text" in names else [*names, "text"]


def derived(made: Made, train: Examples) -> Feature:
    """The feature as these rows have it; other rows are read as the same kind.

    Raises SettingsError for a column predictors do not see, DataError where texts are counted with or compared to numbers.
    """
    kind, cells = _evaluated(made, train)
    if kind == "text":
        return Feature(made.name, made.expression, lambda rows: _texts(*_evaluated(made, rows)), fewest=2)
    gaps = 0.0 < float(np.isfinite(cells).mean()) < 1.0 if len(cells) else False

    def read(rows: Examples) -> np.ndarray:
        values = _numbers(*_evaluated(made, rows))
        return np.column_stack([values, np.isfinite(values)]) if gaps else values.reshape(-1, 1)

    return Feature(made.name, made.expression, read, (made.name, f"{made.name} given") if gaps else (made.name,))


def _evaluated(made: Made, rows: Examples) -> tuple[str, Any]:
    """The kind (number | text) and the cells of each row: floats with NaN for missing (truths are 0 and 1), or texts with "" for it."""
    formula = read_formula(made.expression)
    table = rows.frame if "text" in rows.frame else rows.frame.assign(text=pd.Series(rows.text, dtype="object"))
    unknown = [name for name in formula.columns() if name not in table]
    if unknown:
        raise SettingsError(
            f"'{made.name}' names {unknown[0]}, which is not among {', '.join(columns_of(rows))}. Give the column the role feature on "
            "Explore, or put names with spaces in backquotes.",
            title="A column features cannot see",
        )
    if not len(rows):
        return "number", np.zeros(0)
    found = Evaluation(formula, table).value(formula.tree)
    if found.kind == "nothing":
        return "number", np.full(len(table), np.nan)
    if found.kind == "truth":
        return "number", np.where(found.known, found.values.astype(float), np.nan)
    if found.kind == "number":
        return "number", np.asarray(found.values, dtype=float)
    texts = [found.values.as_py()] * len(table) if found.single else found.values.to_pylist()
    return "text", [text.strip() if text else "" for text in texts]


def _texts(kind: str, cells: Any) -> list[str]:
    return list(cells) if kind == "text" else ["" if cell != cell else f"{cell:g}" for cell in cells]


def _numbers(kind: str, cells: Any) -> np.ndarray:
    if kind == "number":
        return cells
    read = [read_amount(cell) for cell in cells]
    return np.array([np.nan if one is None else one for one in read], dtype=float)


@dataclass(frozen=True)
class Way:
    """A usual way to derive a feature of a column."""

    title: str
    template: str
    """`{column}`, and `{word}` or `{pattern}` where a word is asked for."""
    word: str = ""
    """What the word is, "" where none is needed."""


WAYS: Mapping[str, Way] = {
    "after": Way("Number after a word", 'first_number(find({column}, "(?i){pattern}\\D{{0,20}}[\\d.,]*\\d"))', "Word before the number"),
    "before": Way("Number before a word", 'first_number(find({column}, "(?i)\\d[\\d.,]*\\s*{pattern}"))', "Word behind the number"),
    "number": Way("First number of a column", "first_number({column})"),
    "log": Way("Logarithm of a column", "log(1 + number({column}))"),
    "contains": Way("Contains a word", 'contains(lower({column}), "{word}")', "Word"),
    "length": Way("Characters of a column", "len({column})"),
    "words": Way("Words of a column", "words({column})"),
    "category": Way("Frequent values of a column", "strip(lower({column}))"),
    "missing": Way("Is missing", "missing({column})"),
    "year": Way("Year of a date", "year({column})"),
    "month": Way("Month of a date", "month({column})"),
    "weekday": Way("Day of the week of a date", "weekday({column})"),
}
"""How features are derived without writing an expression."""


def expression(way: str, column: str, word: str = "") -> str:
    """The expression of a usual way. Raises SettingsError when a word is needed and none is given."""
    one = WAYS[way]
    if one.word and not word.strip():
        raise SettingsError(f"'{one.title}' needs a word.", title="No word")
    name = column if column.isidentifier() and not iskeyword(column) else f"`{column}`"
    plain = word.strip().lower().replace('"', "")
    return one.template.format(column=name, word=plain.replace("\\", ""), pattern=re.sub(r"([^\w\s])", r"\\\1", plain))
