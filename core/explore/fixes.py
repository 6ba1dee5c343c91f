"""From a finding to the steps that mend it, with their settings filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.version import Roles, Step

FIXES: Mapping[str, str] = {
    "parse": "Parse in Curate",
    "missing": "Drop in Curate",
    "duplicates": "Remove in Curate",
    "near": "Remove in Curate",
    "conflicts": "Settle in Curate",
    "windows": "Trim in Curate",
    "scrub": "Clean in Curate",
    "range": "Cut in Curate",
    "balance": "Balance in Curate",
    "split": "Split in Curate",
    "leaks": "Move them in Curate",
    "language": "Filter in Curate",
    "augment": "Even out in Augment",
    "more": "Write more in Augment",
}
"""What mends a finding -> the words of its button."""
_STEPS = {
    "duplicates": "exact_duplicates",
    "near": "near_duplicates",
    "conflicts": "conflicting",
    "split": "split",
    "leaks": "move_leaks",
}
"""Fixes that are one step with its recommended settings."""


def steps(
    fix: str, roles: Roles, columns: Mapping[str, str], column: str | None = None, settings: Mapping[str, Any] | None = None
) -> list[Step]:
    """The steps of a fix with checked settings, in order; empty when no step of Curate does it.

    `columns` are the version's columns and kinds; `settings` override the recommended values.
    """
    from core.curate.steps import make

    text, target, more = list(roles.text), roles.target or "", dict(settings or {})
    if fix == "parse":
        return [make("parse", number=column or target, **more)]
    if fix == "missing":
        return [make("missing", columns=tuple([column] if column else text), **more)]
    if fix == "scrub":
        return [make("scrub", columns=tuple(text), **more)] if text else []
    if fix == "windows":
        joined = [make("join", columns=tuple(text), into=_free(columns))] if len(text) > 1 else []
        return [*joined, make("token_window", column=_free(columns) if joined else text[0], **more)] if text else []
    if fix == "range":
        low = {"low": 0.01} if "low" not in more and "high" not in more else {}
        return [*_numeric(column or target, columns), make("range", column=column or target, **{**low, **more})]
    if fix == "language":
        return [make("filter", **{"column": text[0], "pattern": "[가-힣]", **more})] if text else []
    if fix in _STEPS:
        return [make(_STEPS[fix], **more)]
    return [make("class_balance", column=column or "", **more)] if fix == "balance" else []


def _numeric(column: str, columns: Mapping[str, str]) -> list[Step]:
    """The step that makes a column of prices a number, where it is text yet."""
    from core.curate.steps import make

    return [] if columns.get(column) == "number" else [make("parse", number=column)]


def _free(columns: Mapping[str, str]) -> str:
    name, number = "text", 2
    while name in columns:
        name, number = f"text {number}", number + 1
    return name
