"""Checks of the fields of a request, in the platform's words: what is unknown, of another type or out of range is refused.

A check takes a value and the path of its field and raises RefusedError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.platform.faults import refuse

Check = Callable[[Any, str], None]


def kind(value: Any) -> str:
    """The type as an error names it."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array", dict: "an object"}
    return names[type(value)]


def wrong_type(path: str, expected: str, value: Any) -> Exception:
    return refuse(f"Invalid type for '{path}': expected {expected}, but got {kind(value)} instead.", "invalid_type", path)


def number(low: float | None = None, high: float | None = None, *, whole: bool = False) -> Check:
    name = "integer" if whole else "decimal"

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise wrong_type(path, f"a{'n' * whole} {name}", value)
        for beyond, words, bound, sign in ((low is not None and value < low, "below minimum", low, ">="),
                                           (high is not None and value > high, "above maximum", high, "<=")):  # fmt: skip
            if beyond:
                end = words.split()[1][:3]
                raise refuse(f"Invalid '{path}': {name} {words} value. Expected a value {sign} {bound}, but got {value} instead.",
                             f"{name}_{words.split()[0]}_{end}_value", path)  # fmt: skip

    return check


def integer(low: int | None = None, high: int | None = None) -> Check:
    return number(low, high, whole=True)


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise wrong_type(path, "a boolean", value)


def string(longest: int | None = None, shortest: int = 0, pattern: str = "") -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if longest is not None and len(value) > longest:
            raise refuse(f"Invalid '{path}': string too long. Expected a string with maximum length {longest}, but got a string with "
                         f"length {len(value)} instead.", "string_above_max_length", path)  # fmt: skip
        if len(value) < shortest:
            raise refuse(f"Invalid '{path}': empty string. Expected a string with minimum length {shortest}, but got an empty string "
                         "instead.", "empty_string", path)  # fmt: skip
        if pattern and not re.fullmatch(pattern, value):
            raise refuse(f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '^{pattern}$'.",
                         "invalid_value", path)  # fmt: skip

    return check


def choice(*values: Any) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, type(values[0])) or isinstance(value, bool) != isinstance(values[0], bool):
            raise wrong_type(path, f"one of {', '.join(map(repr, values))}", value)
        if value not in values:
            named = ", ".join(map(repr, values[:-1])) + (f", and {values[-1]!r}" if len(values) > 1 else repr(values[-1]))
            raise refuse(f"Invalid value: {value!r}. Supported values are: {named}.", "invalid_value", path)

    return check


def array(item: Check, shortest: int = 0, longest: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        if len(value) < shortest:
            raise refuse(f"Invalid '{path}': empty array. Expected an array with minimum length {shortest}, but got an empty array instead.",
                         "empty_array", path)  # fmt: skip
        if longest is not None and len(value) > longest:
            raise refuse(f"Invalid '{path}': array too long. Expected an array with maximum length {longest}, but got an array with length "
                         f"{len(value)} instead.", "array_above_max_length", path)  # fmt: skip
        for i, one in enumerate(value):
            item(one, f"{path}[{i}]")

    return check


def mapping(item: Check, longest: int | None = None, key: Check | None = None) -> Check:
    """An object of free names."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        if longest is not None and len(value) > longest:
            raise refuse(f"Invalid '{path}': too many properties. Expected an object with at most {longest} properties, but got an object "
                         f"with {len(value)} properties instead.", "object_above_max_properties", path)  # fmt: skip
        for name, one in value.items():
            if key:
                key(name, path)
            item(one, f"{path}.{name}")

    return check


def record(fields: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """An object of these names and no others."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        for name in required:
            if name not in value:
                raise refuse(f"Missing required parameter: '{path}.{name}'.", "missing_required_parameter", f"{path}.{name}")
        for name, one in value.items():
            if name not in fields:
                raise refuse(f"Unknown parameter: '{path}.{name}'.", "unknown_parameter", f"{path}.{name}")
            fields[name](one, f"{path}.{name}")

    return check


def by_type(kinds: Mapping[str, Check], name: str = "type") -> Check:
    """One of several records, told apart by a field."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        if name not in value:
            raise refuse(f"Missing required parameter: '{path}.{name}'.", "missing_required_parameter", f"{path}.{name}")
        choice(*kinds)(value[name], f"{path}.{name}")
        kinds[value[name]](value, path)

    return check


def either(*pairs: tuple[type, Check]) -> Check:
    """Another check for each JSON type."""

    def check(value: Any, path: str) -> None:
        for one, inner in pairs:
            if isinstance(value, one) and not (isinstance(value, bool) and one is not bool):
                return inner(value, path)
        names = [{str: "a string", list: "an array", dict: "an object", int: "an integer"}[one] for one, _ in pairs]
        raise wrong_type(path, "one of " + " or ".join(names), value)

    return check


def nullable(inner: Check) -> Check:
    def check(value: Any, path: str) -> None:
        if value is not None:
            inner(value, path)

    return check


def anything(value: Any, path: str) -> None:
    """No check."""


METADATA = nullable(mapping(string(512), 16, string(64)))


def check_body(body: dict[str, Any], fields: Mapping[str, Check], required: Sequence[str]) -> None:
    """A whole request body. Names in `required` must be there; the platform asks for the model in words of its own."""
    for name in body:
        if name not in fields:
            raise refuse(f"Unrecognized request argument supplied: {name}")
    for name in required:
        if name not in body:
            if name == "model":
                raise refuse("you must provide a model parameter")
            raise refuse(f"Missing required parameter: '{name}'.", "missing_required_parameter", name)
    for name, value in body.items():
        fields[name](value, name)
