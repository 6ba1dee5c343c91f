"""Lines of JSON to rows, a block of whole lines at a time; every line becomes a row or is told with its number and why not.

| line | becomes |
|---|---|
| not JSON, cut short, two values, a byte order mark inside the file | unreadable, with the character |
| NaN, Infinity, a number beyond 1.8e308 or of more than 4,300 digits | unreadable: JSON has no such numbers |
| more than DEPTH levels, more than LONGEST bytes | unreadable |
| not UTF-8 | unreadable |
| half a character (a lone surrogate) | a row with U+FFFD in its place, which the checks find as damage |
| a key twice in one object | a row with the last of them, its position in `repeated` |
| blank, or ended by CRLF | skipped, or read; counted for the notes |
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.format import count, plural

DEPTH = 100
"""Levels of lists and objects inside each other."""
LONGEST = 1 << 26
"""Bytes of one line."""
TOO_LONG = f"it is longer than {count(LONGEST)} bytes"
SHOWN = 200
"""Characters of an unreadable line that are shown."""
_NAMED = 3
_LONE = re.compile("[\ud800-\udfff]")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Unreadable:
    """One line that is not JSON."""

    line: int
    """From 1."""
    why: str
    text: str
    """Its first characters."""


@dataclass
class Block:
    """What whole lines hold. Numbers of lines are those of the block, from 1; `starts` are bytes from its beginning."""

    rows: list[Any] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    bad_starts: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    """Positions of rows with a key twice."""
    lone: list[int] = field(default_factory=list)
    """Lines with half a character."""
    blank: list[int] = field(default_factory=list)
    returns: int = 0
    """Lines that end with CRLF."""
    all_lines: int = 0


def parse(data: bytes, *, txt: bool = False, first: int = 1) -> Block:
    """Whole lines of UTF-8 to rows; a line is numbered from `first`. `txt`: each line is text, not JSON."""
    made, reader = Block(), Reader(txt)
    cells = np.frombuffer(data, dtype=np.uint8)
    feeds = np.flatnonzero(cells == 10)
    starts = [0, *(feeds + 1).tolist()]
    made.returns = data.count(b"\r\n")
    ended = data.endswith(b"\n")
    try:
        lines: list[Any] = data.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        lines = [_decoded(line) for line in data.split(b"\n")]
    if ended or not lines[-1]:
        lines.pop()
    made.all_lines = len(lines)
    for number, (line, start) in enumerate(zip(lines, starts, strict=False), start=first):
        stripped = line.strip()
        if not stripped:
            made.blank.append(number)
            continue
        end = starts[number - first + 1] - 1 if number - first + 1 < len(starts) else len(data)
        why = TOO_LONG if end - start > LONGEST else "it is not UTF-8 text" if isinstance(line, _Damaged) else ""
        row = None if why else reader.row(stripped)
        if why or reader.why:
            last = "; the file ends here, without a line end: it may be cut short" if number == first + len(lines) - 1 and not ended else ""
            made.unreadable.append(Unreadable(number, (why or reader.why) + last, stripped[:SHOWN]))
            made.bad_starts.append(start)
            continue
        if reader.repeated:
            made.repeated.append(len(made.rows))
        if reader.lone:
            made.lone.append(number)
        made.rows.append(row)
        made.lines.append(number)
        made.starts.append(start)
    return made


class _Damaged(str):
    """A line that is not UTF-8, with U+FFFD for what is damaged."""


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return _Damaged(line.decode("utf-8", errors="replace"))


class _Refused(ValueError):
    """Valid for Python's reader, but not JSON."""


class Reader:
    """One line after the other to its row; `why`, `repeated` and `lone` tell of the last one."""

    def __init__(self, txt: bool = False) -> None:
        self.txt, self.why, self.repeated, self.lone = txt, "", False, False
        self._decode = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=_constant, parse_float=_number).decode

    def row(self, text: str) -> Any:
        """The row of a stripped line; None with `why` where it cannot be read."""
        self.why, self.repeated, self.lone = "", False, False
        if self.txt:
            return text
        try:
            row = self._decode(text)
        except (ValueError, RecursionError) as error:
            self.why = _why(error)
            return None
        if text.count("{") + text.count("[") > DEPTH and too_deep(row):
            self.why = f"it is nested more than {DEPTH} levels deep"
            return None
        if "\\u" in text and _HALF.search(text):
            row, self.lone = _without_lone(row)
        return row

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self.repeated = True
        return made


def _constant(name: str) -> Any:
    raise _Refused(f"it is not JSON: {name} stands where a number should")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Refused(f"it holds a number that is too large: {text[:20]}")
    return value


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:].removesuffix(' at')} at character {error.pos + 1}"
    if isinstance(error, _Refused):
        return str(error)
    return f"it is nested more than {DEPTH} levels deep" if isinstance(error, RecursionError) else "it holds a number that is too long"


def too_deep(value: Any) -> bool:
    """Whether lists and objects stand inside each other more than DEPTH levels."""
    level = [value]
    for _ in range(DEPTH):
        inside = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for values in inside for one in values if isinstance(one, (dict, list))]
        if not level:
            return False
    return True


def _without_lone(value: Any) -> tuple[Any, bool]:
    """The value with half characters replaced, and whether there were any."""
    if isinstance(value, str):
        new = _LONE.sub("\ufffd", value)
        return new, new != value
    if isinstance(value, list):
        pairs = [_without_lone(one) for one in value]
        return [new for new, _ in pairs], any(changed for _, changed in pairs)
    if isinstance(value, dict):
        pairs = [(_without_lone(key), _without_lone(one)) for key, one in value.items()]
        return {key[0]: one[0] for key, one in pairs}, any(key[1] or one[1] for key, one in pairs)
    return value, False


@dataclass(frozen=True)
class Notes:
    """What is told of a file besides its findings; line numbers count from 1."""

    lone: int = 0
    first_lone: int = 0
    blank: int = 0
    first_blank: tuple[int, ...] = ()
    returns: int = 0

    @classmethod
    def of(cls, block: Block) -> Notes:
        return cls(len(block.lone), block.lone[0] if block.lone else 0, len(block.blank), tuple(block.blank[:_NAMED]), block.returns)

    def then(self, other: Notes, before: int) -> Notes:
        """With those of a block that has `before` lines of the file above it."""
        return Notes(
            self.lone + other.lone,
            self.first_lone or (before + other.first_lone if other.lone else 0),
            self.blank + other.blank,
            (*self.first_blank, *(before + line for line in other.first_blank))[:_NAMED],
            self.returns + other.returns,
        )

    def sentences(self) -> list[str]:
        """One sentence each."""
        told = []
        if self.lone:
            told.append(f"{plural(self.lone, 'row')} held half a character (a lone surrogate), the first in line {count(self.first_lone)}; "
                        "it reads as \ufffd.")  # fmt: skip
        if self.blank:
            more = f" and {count(self.blank - _NAMED)} more" if self.blank > _NAMED else ""
            where = ", ".join(map(count, self.first_blank))
            told.append(f"{plural(self.blank, 'blank line')} left out: {'line' if self.blank == 1 else 'lines'} {where}{more}.")
        if self.returns:
            told.append(
                f"{plural(self.returns, 'line')} {'ends' if self.returns == 1 else 'end'} with CRLF; the download has plain line ends."
            )
        return told
