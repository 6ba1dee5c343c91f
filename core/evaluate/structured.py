"""Replies that are data or must hold certain words: JSON that is valid, has the truth's fields, has them right; texts that hold all of
several answers, or match a pattern.

A truth that is a JSON object or list makes its task one of JSON: a set has these metrics when every truth is. A reply may stand in one
code fence. NaN and Infinity are no JSON. Fields are compared at their full path; 1 and 1.0 are equal, "1" is not; an object in a list is
compared at its place.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from core.errors import SettingsError
from core.evaluate.answers import Answers
from core.evaluate.labels import column
from core.evaluate.text import contains

_FENCE = re.compile(r"\A\s*```[a-z]*\s*\n(.*?)\n\s*```\s*\Z", re.S | re.I)
DEEPEST = 40


def read_json(reply: str | None) -> Any:
    """The object or list a reply is, or None when it is neither."""
    if reply is None:
        return None
    fenced = _FENCE.match(reply)
    try:
        found = json.loads(fenced.group(1) if fenced else reply, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, (dict, list)) else None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def kinds(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(path, kind) of every field; of a list the kinds of its items, however many there are."""
    if isinstance(value, dict) and depth < DEEPEST:
        yield path, "object"
        for name, part in value.items():
            yield from kinds(part, f"{path}/{name}", depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        yield path, "list"
        for part in value:
            yield from kinds(part, f"{path}/*", depth + 1)
    else:
        yield path, _kind(value)


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "bool"
    return "number" if isinstance(value, (int, float)) else "text"


def fields(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(path, value) of every leaf; an empty object or list is a leaf."""
    parts = [(json.dumps(name), part) for name, part in value.items()] if isinstance(value, dict) else \
            list(enumerate(value)) if isinstance(value, list) else []  # fmt: skip
    if not parts or depth >= DEEPEST:
        kind = "empty" if isinstance(value, (dict, list)) else _kind(value)
        yield path, f"{kind} {int(value) if isinstance(value, float) and value.is_integer() else value}"
        return
    for name, part in parts:
        yield from fields(part, f"{path}/{name}", depth + 1)


def field_f1(guess: Any, truth: Any) -> float:
    """F1 of the leaves of two JSON values: path and value have to be the same."""
    mine, theirs = Counter(fields(guess)), Counter(fields(truth))
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())


def _on_json(judge: Callable[[Any, Any], float]) -> Callable[[Answers], np.ndarray | None]:
    def columns(answers: Answers) -> np.ndarray | None:
        if not answers.n or not all(isinstance(truth, str) and truth.lstrip()[:1] in ("{", "[") for truth in answers.truth):
            return None
        truths = [read_json(truth) for truth in answers.truth]
        if any(truth is None for truth in truths):
            return None
        said = [read_json(guess) for guess in answers.guess]
        return column(np.array([0.0 if one is None else judge(one, truth) for one, truth in zip(said, truths, strict=True)]))

    return columns


json_valid = _on_json(lambda guess, truth: 1.0)
json_fits = _on_json(lambda guess, truth: float(set(kinds(guess)) == set(kinds(truth))))
json_fields = _on_json(field_f1)


def contains_all(answers: Answers) -> np.ndarray | None:
    """(n, 1): is every accepted answer in the reply? None unless some question has several."""
    if not any(isinstance(truth, tuple) and len(truth) > 1 for truth in answers.truth):
        return None
    golds = [truth if isinstance(truth, tuple) else (truth,) for truth in answers.truth]
    how = {"official": answers.official, "korean": answers.korean}
    return column(np.array([float(guess is not None and all(contains(guess, gold, **how) for gold in some))
                            for guess, some in zip(answers.guess, golds, strict=True)]))  # fmt: skip


def matching(answers: Answers, pattern: str) -> np.ndarray:
    """(n,) 1 where the pattern is found in the reply; an unread one has none. Raises SettingsError for a pattern that is none."""
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise SettingsError(f"'{pattern[:80]}' is no regular expression: {error}.", title="Not a pattern") from error
    pairs = zip(answers.guess, answers.read, strict=True)
    return np.array([float(bool(read) and wanted.search(str(guess)) is not None) for guess, read in pairs])
