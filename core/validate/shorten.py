"""Examples over the limit, made to fit: the end of the longest question is cut, the answer stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.validate.separators import ENDS

Count = Callable[[list[str]], list[int]]
Path = tuple[Any, ...]


def shortened(row: Any, over: int, count_of: Count) -> Any:
    """The row with at least `over` tokens less; None when its questions are not long enough, the row itself when it has none."""
    if over <= 0:
        return row
    paths = questions(row)
    if not paths:
        return None if isinstance(row, dict) and "messages" in row else row
    longest = max(paths, key=lambda path: len(_at(row, path)))
    text = _at(row, longest)
    end = next((one for one in ENDS if longest == ("prompt",) and text.endswith(one)), "")
    inner = text.removesuffix(end)
    size = count_of([inner])[0]
    return None if size <= over else _put(row, longest, _cut(inner, size - over, count_of) + end)


def questions(row: Any) -> list[Path]:
    """Where a row of any format holds what a person asked, as text."""
    if not isinstance(row, dict):
        return []
    asked = row.get("input")
    found = _spoken(row.get("messages"), ("messages",)) + _spoken(row.get("conversations"), ("conversations",))
    if isinstance(asked, dict):
        found += _spoken(asked.get("messages"), ("input", "messages"))
    keys = ("instruction", "input") if "output" in row else ("prompt",)
    return found or [(key,) for key in keys if isinstance(row.get(key), str) and row[key]]


def _spoken(said: Any, path: Path) -> list[Path]:
    found: list[Path] = []
    for place, one in enumerate(said if isinstance(said, list) else []):
        if isinstance(one, dict) and one.get("role", one.get("from")) in ("user", "human"):
            found += [(*path, place, key) for key in ("content", "value") if isinstance(one.get(key), str)]
    return found


def _at(row: Any, path: Path) -> str:
    for key in path:
        row = row[key]
    return row


def _put(row: Any, path: Path, value: str) -> Any:
    if not path:
        return value
    new = list(row) if isinstance(row, list) else dict(row)
    new[path[0]] = _put(row[path[0]], path[1:], value)
    return new


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


def over_of(places: Sequence[int], totals: Sequence[int], limit: int) -> dict[int, int]:
    """Position -> tokens over the limit."""
    return {int(place): int(total) - limit for place, total in zip(places, totals, strict=True) if total > limit}
