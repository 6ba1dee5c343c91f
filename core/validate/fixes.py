"""Repairs for findings that have one, each shown as before and after before it is applied.

A fix takes rows and the positions it is meant for, and gives every row back: unchanged, changed, or None (left out).
The file itself is never touched. A fix that changes words works on chat lines; rows of other formats are left out instead
only by `drop`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from core.format import count, plural
from core.validate.accounting import Count
from core.validate.limits import EXAMPLE_KEYS, MESSAGE_KEYS, ROLES
from core.validate.reading import TrainingFile
from core.validate.report import Report
from core.validate.talks import FROM, text_of
from core.validate.words import changed, mended, without_private, without_special

_ROLE_NAMES = {
    **FROM,
    "ai": "assistant",
    "agent": "assistant",
    "customer": "user",
    "question": "user",
    "answer": "assistant",
    "prompt": "system",
}


@dataclass(frozen=True)
class Fix:
    """One repair: what its button says and what it does to a row."""

    verb: str
    """What the button says, before the number: "Drop 12 rows"."""
    noun: str
    apply: Callable[[Any], Any]
    """One row -> the new row, or None to leave it out; the same object when it cannot be mended."""


@dataclass(frozen=True)
class Change:
    """One row before and after a fix."""

    line: int
    before: str
    after: str | None
    """None: the row is left out."""


@dataclass(frozen=True)
class Mended:
    """The file after a fix, with every change."""

    file: TrainingFile
    changes: tuple[Change, ...]
    kept: int
    """Rows that were meant and could not be mended."""


def label(name: str, n: int) -> str:
    """What the button of a fix says."""
    return f"{FIXES[name].verb} {plural(n, FIXES[name].noun)}"


def mend(made: Report, check: str, count_of: Count | None = None, by: str | None = None) -> Mended:
    """The file without the finding `check`, and what changed: by its own fix, or by another of FIXES.

    `count_of` is needed by `shorten`.
    """
    found = next(one for one in made.checks if one.name == check)
    if check == "unreadable_line":
        gone = tuple(Change(one.line, one.text, None) for one in made.file.unreadable)
        return Mended(TrainingFile(made.file.rows, made.file.lines, (), made.file.notes, made.file.size), gone, 0)
    name = by or found.fix or "drop"
    apply = _shortener(made, count_of) if name == "shorten" and count_of else FIXES[name].apply
    if name == "drop_conflicts":
        return mend_rows(made.file, _minority(made, found.places), FIXES["drop"].apply)
    return mend_rows(made.file, found.places, apply)


def mend_rows(file: TrainingFile, places: Collection[int], apply: Callable[[Any], Any]) -> Mended:
    """The file with `apply` at these positions."""
    meant = set(places)
    rows, lines, changes, kept = [], [], [], 0
    for place, (row, line) in enumerate(zip(file.rows, file.lines, strict=True)):
        new = apply(row) if place in meant else row
        if place in meant:
            if new is not None and new == row:
                kept += 1
            else:
                changes.append(Change(line, shown(row), None if new is None else shown(new)))
        if new is not None:
            rows.append(new)
            lines.append(line)
    return Mended(TrainingFile(tuple(rows), tuple(lines), file.unreadable, file.notes, file.size), tuple(changes), kept)


def shown(row: Any) -> str:
    """A row as people read it in a diff: a line a message, or its JSON."""
    if isinstance(row, dict) and isinstance(row.get("messages"), list):
        lines = [_line(one) for one in row["messages"]]
        rest = {key: value for key, value in row.items() if key != "messages"}
        return "\n".join([*lines, *([json.dumps(rest, ensure_ascii=False, default=str)] if rest else [])])
    return json.dumps(row, ensure_ascii=False, indent=1, default=str) if isinstance(row, (dict, list)) else str(row)


def _line(message: Any) -> str:
    if not isinstance(message, dict):
        return json.dumps(message, ensure_ascii=False, default=str)
    rest = {key: value for key, value in message.items() if key not in ("role", "content")}
    content = message.get("content")
    told = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)
    return f"{message.get('role')}: {told}" + (f"  {json.dumps(rest, ensure_ascii=False, default=str)}" if rest else "")


def _drop(row: Any) -> None:
    return None


def _each(row: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if not isinstance(row, dict) or not isinstance(row.get("messages"), list):
        return row
    return {**row, "messages": [change(one) if isinstance(one, dict) else one for one in row["messages"]]}


def _drop_keys(row: Any) -> Any:
    row = {key: value for key, value in row.items() if key in EXAMPLE_KEYS} if isinstance(row, dict) and "messages" in row else row
    return _each(row, lambda one: {key: value for key, value in one.items() if key in MESSAGE_KEYS})


def _rename_roles(row: Any) -> Any:
    def known(one: dict[str, Any]) -> dict[str, Any]:
        role = str(one.get("role", "")).strip().casefold()
        new = role if role in ROLES else _ROLE_NAMES.get(role)
        return {**one, "role": new} if new in ROLES else one

    return _each(row, known)


def _drop_weights(row: Any) -> Any:
    def without(one: dict[str, Any]) -> dict[str, Any]:
        fine = one.get("role") == "assistant" and one.get("weight") in (0, 1) and not isinstance(one.get("weight"), bool)
        return one if fine else {key: value for key, value in one.items() if key != "weight"}

    return _each(row, without)


def _end_with_answer(row: Any) -> Any:
    """The example up to its last answer; left out when that leaves no question."""
    if not isinstance(row, dict) or not isinstance(row.get("messages"), list):
        return row
    messages = row["messages"]
    last = max((i for i, one in enumerate(messages) if isinstance(one, dict) and one.get("role") == "assistant"), default=-1)
    return {**row, "messages": messages[: last + 1]} if last > 0 else None


def _words(change: Callable[[str], str]) -> Callable[[Any], Any]:
    def apply(row: Any) -> Any:
        if isinstance(row, dict) and isinstance(row.get("messages"), list):
            return changed(row, change)
        return {key: change(value) if isinstance(value, str) else value for key, value in row.items()} if isinstance(row, dict) else row

    return apply


def _minority(made: Report, places: Sequence[int]) -> list[int]:
    """Of the examples that disagree, those without the most frequent answer to their question; without a majority, all."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for place in places:
        messages = made.chats[place]["messages"]
        question = json.dumps(messages[:-1], ensure_ascii=False, sort_keys=True, default=str)
        groups.setdefault(question, []).append((place, text_of(messages[-1].get("content")).strip()))
    out = []
    for group in groups.values():
        ranked = Counter(answer for _, answer in group).most_common(2)
        winner = ranked[0][0] if len(ranked) < 2 or ranked[0][1] > ranked[1][1] else None
        out += [place for place, answer in group if answer != winner]
    return sorted(out)


def _shortener(made: Report, count_of: Count) -> Callable[[Any], Any]:
    """Cuts the end of the longest message that is not an answer until the example fits; left out when it cannot."""
    limit = made.tokens.limit
    sizes = dict(zip(made.tokens.places.tolist(), made.tokens.total.tolist(), strict=True))
    total_of = {id(made.file.rows[place]): size for place, size in sizes.items()}

    def apply(row: Any) -> Any:
        over = total_of.get(id(row), 0) - limit
        if over <= 0 or not isinstance(row, dict) or not isinstance(row.get("messages"), list):
            return row
        messages = row["messages"]
        asked = [
            i
            for i, one in enumerate(messages)
            if isinstance(one, dict) and one.get("role") == "user" and isinstance(one.get("content"), str)
        ]
        if not asked:
            return None
        longest = max(asked, key=lambda i: len(messages[i]["content"]))
        text = messages[longest]["content"]
        size = count_of([text])[0]
        if size <= over:
            return None
        cut = _cut(text, size - over, count_of)
        return {**row, "messages": [{**one, "content": cut} if i == longest else one for i, one in enumerate(messages)]}

    return apply


def _cut(text: str, tokens: int, count_of: Count) -> str:
    """The longest beginning of a text with at most so many tokens, ending at a word where there is one."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count_of([text[:middle]])[0] <= tokens:
            low = middle
        else:
            high = middle - 1
    space = text.rfind(" ", 0, low)
    return text[: space if space > low * 0.8 else low].rstrip()


TEXT_FIXES: dict[str, Callable[[str], str]] = {"open_special": without_special, "mend": mended, "mask": without_private}
"""Fixes that change words, as functions of a text."""
FIXES: dict[str, Fix] = {
    "drop": Fix("Drop", "row", _drop),
    "drop_conflicts": Fix("Settle", "row", _drop),
    "drop_keys": Fix("Drop keys in", "row", _drop_keys),
    "rename_roles": Fix("Rename roles in", "row", _rename_roles),
    "drop_weights": Fix("Drop weights in", "row", _drop_weights),
    "end_with_answer": Fix("Trim", "row", _end_with_answer),
    "open_special": Fix("Defuse", "row", _words(without_special)),
    "mend": Fix("Mend", "row", _words(mended)),
    "mask": Fix("Mask", "row", _words(without_private)),
    "shorten": Fix("Cut", "row", _drop),
}
"""`shorten` and `drop_conflicts` need the whole report; `mend` gives it to them."""


def in_words(made: Mended) -> str:
    """What a fix would do, in one sentence."""
    gone = sum(change.after is None for change in made.changes)
    parts = [f"{plural(gone, 'row')} left out"] if gone else []
    parts += [f"{plural(len(made.changes) - gone, 'row')} changed"] if len(made.changes) > gone else []
    parts += [f"{count(made.kept)} cannot be mended"] if made.kept else []
    return ", ".join(parts) or "Nothing changes"
