"""JSON and JSON lines, read strictly: every line accounted for, nothing silently changed.

Numbers stay numbers and text stays text ("12.99" is not turned into 12.99). Refused with line and reason: NaN and
Infinity, a key twice in one object, half a character (lone surrogates), integers of thousands of digits, deep nesting.
Shapes: a list of objects, {"data": [...]}, columns, and the nesting of SQuAD and KorQuAD, which becomes one row a question.
"""

from __future__ import annotations

import json
import re
from typing import Any

from core.errors import DataError
from core.load import squad
from core.load.delimited import Reject
from core.validate.formats import kind_of

DEPTH = 100
_LINES = re.compile("\r\n|\n|\r")
_HALF = re.compile(r"[\ud800-\udfff]")
_LISTS = ("data", "rows", "records", "items", "examples", "instances", "results", "train", "test", "validation")
Record = dict[str, Any]


class _Refused(ValueError):
    """Why a JSON text is not accepted."""


def lines(name: str, text: str, limit: int | None = None) -> tuple[list[Record], list[int], list[Reject]]:
    """(records, their 1-based lines, rejects) of JSON lines. Raises DataError when no line holds an object."""
    records, numbers, rejects = [], [], []
    for number, line in enumerate(_LINES.split(text), start=1):
        _take(line, number, records, numbers, rejects)
        if limit and len(records) >= limit:
            break
    if not records:
        if rejects:
            raise DataError(
                f"No line of {name} holds a JSON object. Line {rejects[0].line}: {rejects[0].reason}.", title="No line can be read"
            )
        raise DataError(f"{name} holds no text. JSON lines need one object a line.", title="The file is empty")
    return records, numbers, rejects


def some_lines(text: str, before: int) -> tuple[list[Record], list[Reject], int]:
    """(records, rejects, lines read by now) of a stretch of JSON lines that ends with a line; `before` lines stand above it."""
    records: list[Record] = []
    rejects: list[Reject] = []
    lines = _LINES.split(text)
    for number, line in enumerate(lines, start=before + 1):
        _take(line, number, records, [], rejects)
    return records, rejects, before + len(lines) - (not lines[-1])


def _take(line: str, number: int, records: list[Record], numbers: list[int], rejects: list[Reject]) -> None:
    """One line as a record or a reject; nothing for an empty one."""
    if not line.strip():
        return
    try:
        value = strict(line)
        if not isinstance(value, dict):
            raise _Refused(f"an object {{...}} is expected, this is {_kind(value)}")
    except _Refused as error:
        rejects.append(Reject(number, str(error), line[:2000]))
        return
    records.append(value)
    numbers.append(number)


def document(name: str, text: str) -> tuple[list[Record], str]:
    """(records, what shape was found). Raises DataError with the line and what is wrong, or naming the shapes that are read."""
    try:
        return _records(name, strict(text))
    except _Refused as error:
        raise DataError(f"{name} is not valid JSON: {error}.", title="The JSON cannot be read") from error


def strict(text: str) -> Any:
    """The value of a JSON text. Raises a ValueError that says which line and why."""
    if _depth(text) > DEPTH:
        raise _Refused(f"it is nested deeper than {DEPTH} levels")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float)
    except _Refused:
        raise
    except json.JSONDecodeError as error:
        raise _Refused(f"line {error.lineno}, character {error.colno}: {error.msg[0].lower()}{error.msg[1:]}") from error
    except RecursionError as error:
        raise _Refused("it is nested too deeply") from error
    if "\\u" in text and _half(value):
        raise _Refused("it holds half a character (a lone surrogate such as \\ud800)")
    return value


def _object(pairs: list[tuple[str, Any]]) -> Record:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise _Refused(f"the key '{twice[:60]}' stands twice in one object")
    return found


def _constant(word: str) -> Any:
    raise _Refused(f"{word} is not a JSON value; write null")


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= 16 else digits


def _float(digits: str) -> float | str:
    value = float(digits)
    return value if value - value == 0 else digits  # an overflow stays the text it was


def _half(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_HALF.search(value))
    if isinstance(value, dict):
        return any(_half(key) or _half(one) for key, one in value.items())
    return isinstance(value, list) and any(map(_half, value))


def _depth(text: str) -> int:
    """How deep brackets nest outside of strings; at most one more than allowed is counted."""
    if text.count("[") + text.count("{") <= DEPTH:
        return 0
    deep = 0
    for mark in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text, re.S):
        first = mark.group()[0]
        deep += first in "[{"
        deep -= first in "]}"
        if deep > DEPTH:
            return deep
    return deep


def _records(name: str, value: Any) -> tuple[list[Record], str]:
    if isinstance(value, dict):
        return _of_object(name, value)
    if not isinstance(value, list):
        raise DataError(f"{name} holds {_kind(value)}; a list of objects is needed.", title="No table in the JSON")
    if not value:
        raise DataError(f"{name} holds an empty list. At least two rows are needed.", title="The file is empty")
    if squad.is_nested_squad(value):
        return squad.rows(value), "questions on texts (SQuAD)"
    if all(isinstance(one, dict) for one in value):
        return value, "a list of objects"
    if not any(isinstance(one, (list, dict)) for one in value):
        return [{"value": one} for one in value], "a list of values"
    odd = next(place for place, one in enumerate(value, start=1) if not isinstance(one, dict))
    raise DataError(f"{name}: entry {odd} of {len(value)} is {_kind(value[odd - 1])}, an object is needed.", title="No table in the JSON")


def _of_object(name: str, value: Record) -> tuple[list[Record], str]:
    if kind_of(value) in ("chat", "sharegpt"):
        return [value], "one conversation"
    wanted = [key for key in _LISTS if isinstance(value.get(key), list)]
    named = wanted or [key for key, one in value.items() if isinstance(one, list) and one and all(isinstance(x, dict) for x in one)]
    if len(named) == 1 or (wanted and isinstance(value[wanted[0]][:1], list) and all(isinstance(x, dict) for x in value[wanted[0]])):
        records, shape = _records(name, value[named[0]])
        return records, f'{shape} under "{named[0]}"'
    if value and all(isinstance(one, list) for one in value.values()):
        lengths = {key: len(one) for key, one in value.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{key}: {n}" for key, n in list(lengths.items())[:6])
            raise DataError(f"{name} holds columns of different lengths ({told}). Each needs as many values.", title="Columns do not match")
        if next(iter(lengths.values())):
            return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)], "columns"
    if value and all(isinstance(one, dict) for one in value.values()):
        keys = list(dict.fromkeys(key for one in value.values() for key in one))
        if all(not isinstance(cell, (dict, list)) for one in value.values() for cell in one.values()):
            return [{column: one.get(key) for column, one in value.items()} for key in keys], "columns by row number"
    if value:
        return [value], "one object"
    raise DataError(f"{name} holds an empty object. At least two rows are needed.", title="The file is empty")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
