"""What is wrong with one row by its form, whatever its format. Pure functions of one row: nothing of the file is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from core.validate import chat, preference, reinforcement
from core.validate.chat import Findings
from core.validate.talks import Talk, talk_of
from core.validate.tool_calls import Problem


def as_chat(row: Any, kind: str | None, talk: Talk | None = None) -> Any:
    """A row of any format as a chat line; chat and reinforcement rows, and those of no known format, as they are."""
    if kind in ("chat", "reinforcement", None):
        return row
    talk = talk or talk_of(row, kind)
    return talk.as_chat() if talk else row


def row_problems(row: Any, kind: str | None, line: Any = None, talk: Talk | None = None) -> list[Problem]:
    """(type of finding, message from 0 or None) of one row of this format. `line` is `as_chat` of the row, `talk` its talk."""
    if kind in ("chat", None):
        return chat.problems(row)
    if kind == "reinforcement":
        return reinforcement.problems(row)
    talk = talk or talk_of(row, kind)
    line = as_chat(row, kind, talk) if line is None else line
    found = chat.problems(line)
    return found + preference.problems(row, talk) if kind == "preference" else found


def rows_problems(
    rows: Sequence[Any], kinds: Sequence[str | None], lines: Sequence[Any] | None = None, talks: Sequence[Talk | None] | None = None
) -> Findings:
    """`row_problems` of every row: type -> the position of the example of each occurrence, in order."""
    found: Findings = defaultdict(list)
    for place, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        for name, _ in row_problems(row, kind, lines[place] if lines else None, talks[place] if talks else None):
            found[name].append(place)
    return dict(found)
