"""Repairs for findings that have one, each shown as before and after before it is applied.

A fix takes rows and the positions it is meant for, and gives every row back: unchanged, changed, or None (left out).
The file itself is never touched. Rows keep their format, save where the fix is to convert them. What a row needs nothing
else for stands in `repairs`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.format import count, plural
from core.validate import repairs
from core.validate.accounting import Count
from core.validate.answers import pair_of
from core.validate.checks import Check
from core.validate.convert import convert
from core.validate.reading import TrainingFile
from core.validate.repairs import drop
from core.validate.report import Report
from core.validate.shorten import over_of, shortened
from core.validate.words import mended, without_private, without_special


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
    lost: Mapping[str, int] = field(default_factory=dict)
    """What a conversion cannot carry over, and how many times."""


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
        return Mended(replace(made.file, unreadable=()), gone, 0)
    lost: Counter[str] = Counter()
    places, repair = fixer(made, found, count_of, by, lost)
    return replace(_replaced(made.file, places, {place: repair(place, made.file.rows[place]) for place in places}), lost=dict(lost))


def fixer(
    made: Report, found: Check, count_of: Count | None = None, by: str | None = None, lost: Counter[str] | None = None
) -> tuple[Sequence[int], Callable[[int, Any], Any]]:
    """(positions that are meant, what makes of a position and its row the new row, or None) of a finding's fix, or of another.

    What a conversion cannot carry over is counted in `lost`.
    """
    name, places = by or found.fix or "drop", found.places
    if name == "drop_conflicts":
        return _minority(made, places), _drop
    if name in ("to_format", "to_hosted"):
        to = "chat" if name == "to_hosted" and made.detection.format != "preference" else made.detection.format
        return places, _converter(made, to, Counter() if lost is None else lost)
    if name == "shorten" and count_of:
        over = over_of(made.tokens.places.tolist(), made.tokens.total.tolist(), made.tokens.limit)
        return places, lambda place, row: shortened(row, over.get(place, 0), count_of)
    repair = _adder(made, places) if name == "add_system" else FIXES[name].apply
    return places, lambda place, row: repair(row)


def _drop(place: int, row: Any) -> None:
    """The row is left out."""


def _converter(made: Report, to: str, lost: Counter[str]) -> Callable[[int, Any], Any]:
    def repair(place: int, row: Any) -> Any:
        done = convert([row], to, [made.detection.kinds[place]])
        lost.update(done.lost)
        return done.rows[-1] if done.rows else None

    return repair


def mend_rows(file: TrainingFile, places: Sequence[int], apply: Callable[[Any], Any]) -> Mended:
    """The file with `apply` at these positions."""
    return _replaced(file, places, {place: apply(file.rows[place]) for place in places})


def _replaced(file: TrainingFile, places: Sequence[int], new: Mapping[int, Any]) -> Mended:
    """The file with other rows at these positions; None leaves one out."""
    meant = set(places)
    twice = set(file.repeated)
    rows, lines, changes, repeated, kept = [], [], [], [], 0
    for place, (row, line) in enumerate(zip(file.rows, file.lines, strict=True)):
        made = new[place] if place in meant else row
        if place in meant:
            if made is not None and made == row:
                kept += 1
            else:
                changes.append(Change(line, shown(row), None if made is None else shown(made)))
        if made is not None or place not in meant:
            if place in twice:
                repeated.append(len(rows))
            rows.append(made)
            lines.append(line)
    return Mended(replace(file, rows=tuple(rows), lines=tuple(lines), repeated=tuple(repeated)), tuple(changes), kept)


def _adder(made: Report, places: Sequence[int]) -> Callable[[Any], Any]:
    """Puts the system message that most other examples have in front; rows of other shapes cannot be mended so."""
    without = set(places)
    said: Counter[str] = Counter()
    for place, line in enumerate(made.chats):
        messages = line.get("messages") if place not in without and isinstance(line, dict) else None
        first = messages[0] if isinstance(messages, list) and messages else None
        if isinstance(first, dict) and first.get("role") in ("system", "developer") and isinstance(first.get("content"), str):
            said[json.dumps({"role": first["role"], "content": first["content"]}, ensure_ascii=False)] += 1
    system = json.loads(said.most_common(1)[0][0]) if said else None

    def apply(row: Any) -> Any:
        if system is None or not isinstance(row, dict):
            return row
        if isinstance(row.get("messages"), list):
            return {**row, "messages": [system, *row["messages"]]}
        if isinstance(row.get("conversations"), list):
            return {**row, "conversations": [{"from": "system", "value": system["content"]}, *row["conversations"]]}
        return {**row, "system": system["content"]} if "instruction" in row else row

    return apply


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


def _minority(made: Report, places: Sequence[int]) -> list[int]:
    """Of the examples that disagree, those without the most frequent answer to their question; without a majority, all."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for place in places:
        pair = pair_of(place, made.chats[place], made.file.rows[place])
        if pair and pair.answer is not None:
            groups.setdefault(pair.question, []).append((place, pair.answer.strip()))
    out = []
    for group in groups.values():
        ranked = Counter(answer for _, answer in group).most_common(2)
        winner = ranked[0][0] if len(ranked) < 2 or ranked[0][1] > ranked[1][1] else None
        out += [place for place, answer in group if answer != winner]
    return sorted(out)


TEXT_FIXES: dict[str, Callable[[str], str]] = {"open_special": without_special, "mend": mended, "mask": without_private}
"""Fixes that change words, as functions of a text."""
FIXES: dict[str, Fix] = {
    "drop": Fix("Drop", "row", drop),
    "drop_conflicts": Fix("Settle", "row", drop),
    "drop_keys": Fix("Drop keys in", "row", repairs.drop_keys),
    "rename_roles": Fix("Rename roles in", "row", repairs.rename_roles),
    "drop_weights": Fix("Drop weights in", "row", repairs.drop_weights),
    "drop_names": Fix("Drop names in", "row", repairs.drop_names),
    "end_with_answer": Fix("Trim", "row", repairs.end_with_answer),
    "end_with_question": Fix("Trim", "row", repairs.end_with_question),
    "one_answer": Fix("Keep one answer in", "row", repairs.one_answer),
    "order_roles": Fix("Order", "row", repairs.order_roles),
    "open_special": Fix("Defuse", "row", repairs.words(without_special)),
    "mend": Fix("Mend", "row", repairs.words(mended)),
    "mask": Fix("Mask", "row", repairs.words(without_private)),
    "add_system": Fix("Add system to", "row", drop),
    "to_format": Fix("Convert", "row", drop),
    "to_hosted": Fix("Convert", "row", drop),
    "shorten": Fix("Cut", "row", drop),
}
"""The last four and `drop_conflicts` need the whole report; `mend` gives it to them."""


def in_words(made: Mended) -> str:
    """What a fix would do, in one sentence."""
    gone = sum(change.after is None for change in made.changes)
    parts = [f"{plural(gone, 'row')} left out"] if gone else []
    parts += [f"{plural(len(made.changes) - gone, 'row')} changed"] if len(made.changes) > gone else []
    parts += [f"{count(made.kept)} cannot be mended"] if made.kept else []
    return ", ".join(parts) or "Nothing changes"


def losses_in_words(made: Mended) -> str:
    """What a conversion cannot carry over; "" when nothing is lost."""
    told = ", ".join(f"{what} ({count(n)})" for what, n in made.lost.items())
    return f"Not carried over: {told}." if told else ""
