"""A text that is one JSON list (or one object over several lines) taken apart into its values, while it is read piece by piece.

Where lines are expected, a list is a frequent mistake that can be read all the same: each value becomes a line of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from core.validate.lines import LONGEST

_decode = json.JSONDecoder().raw_decode
_NUMBER = re.compile(r"-?[0-9.eE+-]+")
_SOMETHING = re.compile(r"[^ \t\r\n]")


def listed(text: str) -> list[str] | None:
    """The values of a text, each as its own JSON; None for a text of lines.

    A single line that is a list without any object is one row of a file of lines, not the file.
    """
    try:
        return list(values(iter([text])))
    except (ValueError, RecursionError):
        return None


def one_line(value: str) -> str:
    """A value as a line of its own: line feeds can only stand between its parts."""
    return value.replace("\n", " ") + "\n"


def values(chunks: Iterator[str]) -> Iterator[str]:
    """The same one after the other. Raises ValueError or RecursionError, also after some values, for a text of lines."""
    text = ""
    while not text and (more := next(chunks, "")):
        text = more.lstrip()
    if text[:1] == "[":
        return _elements(text, chunks)
    if text[:1] == "{":
        return iter([_object(text, chunks)])
    raise ValueError("It begins with neither a list nor an object.")


def _object(text: str, chunks: Iterator[str]) -> str:
    """A text that is one object over several lines."""
    while "\n" not in text.rstrip() and len(text) < LONGEST and (more := next(chunks, "")):
        text += more
    line, feed, _ = text.rstrip().partition("\n")
    if not feed or _is_json(line.strip()):
        raise ValueError("It has an object a line.")
    while True:
        try:
            end = _decode(text)[1]
            break
        except ValueError:
            if len(text) > LONGEST or not (more := next(chunks, "")):
                raise
            text += more
    if text[end:].strip() or any(more.strip() for more in chunks):
        raise ValueError("More follows on the object.")
    return text[:end]


def _elements(text: str, chunks: Iterator[str]) -> Iterator[str]:
    """The elements of a list, its bracket first."""
    at, n, lines, objects, comma = 1, 0, False, False, False
    while True:
        at = _past_blank(text, at)
        if text[at : at + 1] == "]" and not comma:
            break
        end, follows = _element(text, at)
        if not follows:
            if len(text) - at > LONGEST or not (more := next(chunks, "")):
                raise ValueError("The list does not end.")
            lines = lines or "\n" in text[:at]
            text, at = text[at:] + more, 0
            continue
        yield text[at:end]
        n, objects = n + 1, objects or text[at] == "{"
        comma = text[follows] == ","
        at = follows + comma
    rest = text[at + 1 :]
    lines = lines or "\n" in text[:at] or "\n" in rest.strip()
    if rest.strip() or any(more.strip() for more in chunks):
        raise ValueError("More follows on the list.")
    if not lines and n != 1 and not objects:
        raise ValueError("It is a list on a line.")


def _element(text: str, at: int) -> tuple[int, int]:
    """(its end, where the comma or bracket behind it stands); (0, 0) where the text has to go on to tell."""
    try:
        end = _decode(text, at)[1]
    except ValueError:
        return 0, 0
    follows = _past_blank(text, end)
    if follows < len(text) and text[follows] not in ",]" and not _NUMBER.fullmatch(text, at):  # a number may be cut in its middle
        raise ValueError("Neither a comma nor the end of the list follows.")
    return (end, follows) if follows < len(text) and text[follows] in ",]" else (0, 0)


def _past_blank(text: str, at: int) -> int:
    found = _SOMETHING.search(text, at)
    return found.start() if found else len(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
