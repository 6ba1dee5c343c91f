"""The columns of a described table: what kinds there are, what each needs, and the words that templates may name.

How a column is drawn is told by `synthetic_drawing`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.errors import SettingsError
from core.format import plural

KINDS = {
    "text": "Text from templates",
    "number": "Number",
    "category": "One of some values",
    "flag": "Yes or no",
    "date": "Date",
    "target": "Target that follows from other columns",
}
SHAPES = {"even": "Even", "normal": "Most in the middle", "skewed": "Many small, few large"}
WORDS: dict[str, tuple[str, ...]] = {
    "quality": ("shabby", "worn", "plain", "simple", "decent", "good", "fine", "superb", "precious"),
    "material": ("paper", "plastic", "tin", "glass", "cotton", "oak", "steel", "leather", "silver"),
    "feeling": ("awful", "terrible", "bad", "poor", "okay", "decent", "good", "lovely", "wonderful"),
    "size": ("tiny", "small", "medium", "large", "huge"),
    "thing": ("lamp", "kettle", "chair", "drill", "clock", "basket", "mixer", "radio", "blanket", "ladder", "scale", "fan"),
    "maker": ("Nordlund", "Pemberly", "Okada", "Ruiz", "Castel", "Haneul", "Brightwater", "Tamsin"),
    "color": ("red", "blue", "green", "black", "white", "grey", "yellow"),
    "place": ("Lisbon", "Busan", "Oslo", "Lima", "Leeds", "Turin"),
    "person": ("Ada", "Minho", "Lena", "Tomas", "Yuna", "Ravi"),
}
"""Word lists a template may name. Those of RANKED run from low to high, and a target can follow them."""
RANKED = ("quality", "material", "feeling", "size")
SLOT = re.compile(r"\{([^{}]+)\}")
"""A slot of a template."""


@dataclass(frozen=True)
class Column:
    """One column; only the settings of its kind are used."""

    name: str
    kind: str = "text"
    templates: tuple[str, ...] = ()
    """Text: sentences with {slots}: word lists, own words, {number}, or names of other columns."""
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Text: own word lists, (slot, words from low to high); they count for a target."""
    low: float = 0.0
    high: float = 100.0
    shape: str = "even"
    """Number, target: one of SHAPES."""
    decimals: int = 0
    values: tuple[tuple[str, float], ...] = ()
    """Category: (value, weight); for a target the first is lowest."""
    share: float = 0.5
    """Flag: share of yes."""
    first: str = "2024-01-01"
    last: str = "2025-12-31"
    """Date: ISO, both included."""
    task: str = "regression"
    """Target: regression or classification."""
    classes: tuple[str, ...] = ()
    """Target: labels from low to high, about equally often."""
    weights: tuple[tuple[str, float], ...] = ()
    """Target: (column, how much it counts); a negative weight turns it round."""
    noise: float = 0.2
    """Target: spread of what nothing explains, for a spread of 1 that the columns explain."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Column:
        """Lists of JSON become tuples. Raises SettingsError for an unknown field."""
        unknown = set(data) - set(cls.__dataclass_fields__)
        if unknown:
            raise SettingsError(f"A column has no field {sorted(unknown)}.", title="Unknown field")
        pairs = {name: tuple((str(one), float(weight)) for one, weight in data.get(name, ())) for name in ("values", "weights")}
        lists = {name: tuple(data.get(name, ())) for name in ("templates", "classes")}
        own = tuple((str(slot), tuple(words)) for slot, words in data.get("words", ()))
        return cls(**{**data, **pairs, **lists, "words": own})


def check(column: Column, others: Sequence[str]) -> None:
    """Raises SettingsError when the column cannot be drawn."""
    problem = _problem(column, others)
    if problem:
        raise SettingsError(f"{column.name or 'A column'}: {problem}", title="That column cannot be made")


def slots(column: Column, others: Sequence[str]) -> list[str]:
    """Every slot its templates may name."""
    return [*WORDS, "number", *(slot for slot, _ in column.words), *(name for name in others if name != column.name)]


def in_order(columns: Sequence[Column]) -> list[Column]:
    """Texts after what they may name, the target last."""
    named = {column.name: set(SLOT.findall(" ".join(column.templates))) for column in columns if column.kind == "text"}
    plain = [column for column in columns if column.kind not in ("text", "target")]
    left, done = [column for column in columns if column.kind == "text"], []
    while left:
        free = next((one for one in left if not named[one.name] & {other.name for other in left if other is not one}), None)
        if free is None:
            raise SettingsError(
                f"{' and '.join(one.name for one in left)} name each other in their templates.", title="A circle of columns"
            )
        done.append(free)
        left.remove(free)
    return [*plain, *done, *(column for column in columns if column.kind == "target")]


def _problem(column: Column, others: Sequence[str]) -> str | None:
    if not column.name.strip():
        return "it has no name."
    if column.kind not in KINDS:
        return f"'{column.kind}' is no kind; choose one of {', '.join(KINDS)}."
    if column.kind == "text":
        if not any(line.strip() for line in column.templates):
            return "it has no template. One looks like: {quality} {thing} from {maker}."
        known = slots(column, others)
        lost = next((slot for line in column.templates for slot in SLOT.findall(line) if slot not in known), None)
        empty = next((slot for slot, words in column.words if not words), None)
        if empty:
            return f"the word list '{empty}' is empty."
        return f"'{{{lost}}}' is no word list. There are {', '.join(known)}." if lost else None
    if column.kind == "category":
        if len(column.values) < 2 or len({value for value, _ in column.values}) < len(column.values):
            return "it needs at least two different values."
        return "every weight has to be above 0." if any(weight <= 0 for _, weight in column.values) else None
    if column.kind == "flag":
        return None if 0 <= column.share <= 1 else f"a share of {column.share} is not between 0 and 1."
    if column.kind == "date":
        try:
            first, last = date.fromisoformat(column.first), date.fromisoformat(column.last)
        except ValueError:
            return f"'{column.first}' to '{column.last}' are no dates like 2025-01-31."
        return None if first <= last else f"{column.first} is after {column.last}."
    return _number_problem(column)


def _number_problem(column: Column) -> str | None:
    if column.shape not in SHAPES:
        return f"'{column.shape}' is no shape; choose one of {', '.join(SHAPES)}."
    labels = column.kind == "target" and column.task == "classification"
    if not labels and not (math.isfinite(column.low) and math.isfinite(column.high) and column.low < column.high):
        return f"{column.low:g} to {column.high:g} is no range: the first number has to be smaller."
    if not 0 <= column.decimals <= 6:
        return f"{column.decimals} decimals; 0 to 6 are possible."
    if column.kind == "number":
        return None
    if column.task not in ("regression", "classification"):
        return f"'{column.task}' is no task; choose regression or classification."
    if labels and (len(column.classes) < 2 or len(set(column.classes)) < len(column.classes)):
        return "it needs at least two different labels."
    if not any(weight for _, weight in column.weights):
        return "it depends on nothing. Give at least one column a weight."
    return None if column.noise >= 0 else "noise cannot be negative."


def described(column: Column) -> str:
    """The column in a few words, for a list: "number, 0.2 to 12, many small, few large"."""
    if column.kind == "text":
        return f"text, {plural(len([line for line in column.templates if line.strip()]), 'template')}"
    if column.kind == "category":
        return f"one of {len(column.values)}: {', '.join(value for value, _ in column.values)}"
    if column.kind == "flag":
        return f"yes in {100 * column.share:.0f} %"
    if column.kind == "date":
        return f"{column.first} to {column.last}"
    span = f"{column.low:g} to {column.high:g}, {SHAPES.get(column.shape, '').casefold()}"
    if column.kind == "number":
        return f"number, {span}"
    what = f"one of {', '.join(column.classes)}" if column.task == "classification" else span
    return f"{what}; follows {', '.join(name for name, weight in column.weights if weight)}"
