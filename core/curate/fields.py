"""Settings of steps: frozen dataclasses whose fields carry a sentence, limits and what they name.

The page makes its form from these fields, YAML and the command line check against them. A field's `kind` says what it
holds: column, columns, words (several texts), choice, choices (some of them), flag, whole, number, text or weights
(value -> number).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Self

from core.errors import SettingsError


def setting(
    default: Any,
    meaning: str,
    kind: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    only: str | None = None,
    empty: str = "",
) -> Any:
    """A field with its sentence. `only` names the kind of column that fits; `empty` is what an empty value means, "" when it may not be."""
    more = {"meaning": meaning, "kind": kind, "low": low, "high": high, "choices": tuple(choices), "only": only, "empty": empty}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=more)
    return field(default=default, metadata=more)


@dataclass(frozen=True)
class Settings:
    """What every step's settings can do. Raises SettingsError naming the field, its value and what is possible."""

    def __post_init__(self) -> None:
        for one in fields(self):
            object.__setattr__(self, one.name, _value(one, getattr(self, one.name)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON and YAML hold."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        unknown = sorted(set(map(str, data)) - set(cls.__dataclass_fields__))
        if unknown:
            known = ", ".join(cls.__dataclass_fields__) or "none"
            raise SettingsError(f"There is no setting '{unknown[0]}' here; there are: {known}.", title="Unknown setting")
        return cls(**data)

    def columns_named(self) -> list[str]:
        """Every column these settings name, in order; empty names are left out."""
        found: list[str] = []
        for one in fields(self):
            kind, value = one.metadata["kind"], getattr(self, one.name)
            found += [value] if kind == "column" and value else list(value) if kind == "columns" else []
        return found

    def missing(self) -> str | None:
        """The first field that still needs a value, in words; None when all are set."""
        for one in fields(self):
            if one.metadata["kind"] in ("column", "columns") and not one.metadata["empty"] and not getattr(self, one.name):
                return label(one.name)
        return None


def label(name: str) -> str:
    """A field's name for people: "near_duplicates" is "Near duplicates"."""
    return name.replace("_", " ").capitalize()


def default_of(one: Field[Any]) -> Any:
    """The recommended value of a field."""
    return one.default if one.default is not MISSING else one.default_factory()  # type: ignore[misc]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


def _value(one: Field[Any], value: Any) -> Any:
    """The value as its kind, or a SettingsError."""
    kind, name = one.metadata["kind"], label(one.name)
    if kind in ("column", "text", "choice"):
        value = _text(name, value)
        if kind == "choice" and value not in one.metadata["choices"]:
            raise SettingsError(
                f"{name} is '{value}'; choose one of {', '.join(one.metadata['choices'])}.", title=f"Unknown {name.lower()}"
            )
        return value
    if kind == "choices":
        return _chosen(one, name, [value] if isinstance(value, str) else _listed(name, value))
    if kind in ("columns", "words"):
        return tuple(_text(name, part) for part in ([value] if isinstance(value, str) else _listed(name, value)))
    if kind == "flag":
        if not isinstance(value, bool):
            raise SettingsError(f"{name} is {value!r}; it can be true or false.", title=f"{name} is neither on nor off")
        return value
    if kind == "weights":
        if not isinstance(value, Mapping):
            raise SettingsError(f"{name} is {value!r}; values with a number each are expected.", title=f"{name} cannot be read")
        return {str(key): _number(one, f"{name} of {key}", part) for key, part in value.items()}
    if value is None and one.metadata["empty"]:
        return None
    return _number(one, name, value)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple, Mapping)):
        raise SettingsError(f"{name} is {value!r}; one text is expected.", title=f"{name} cannot be read")
    return str(value)


def _chosen(one: Field[Any], name: str, value: Sequence[Any]) -> tuple[str, ...]:
    """The chosen ones in the order of the choices, each once."""
    choices, wanted = one.metadata["choices"], [_text(name, part) for part in value]
    if unknown := [part for part in wanted if part not in choices]:
        raise SettingsError(f"{name} has '{unknown[0]}'; choose among {', '.join(choices)}.", title=f"Unknown {name.lower()}")
    return tuple(part for part in choices if part in wanted)


def _listed(name: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise SettingsError(f"{name} is {value!r}; a list is expected.", title=f"{name} cannot be read")
    return value


def _number(one: Field[Any], name: str, value: Any) -> float | int:
    low, high, whole = one.metadata["low"], one.metadata["high"], one.metadata["kind"] == "whole"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SettingsError(f"{name} is {value!r}; a number is expected.", title=f"{name} is not a number")
    if (low is not None and value < low) or (high is not None and value > high):
        span = (
            f"from {low:g} to {high:g}"
            if low is not None and high is not None
            else f"{low:g} or more"
            if low is not None
            else f"up to {high:g}"
        )
        raise SettingsError(f"{name} is {value:g}; it can be {span}.", title=f"{name} is out of range")
    if whole and value != int(value):
        raise SettingsError(f"{name} is {value:g}; a whole number is expected.", title=f"{name} is not whole")
    return int(value) if whole else float(value)
