"""Writing by hand: several rows in one request to copy into any chat, and reading the reply that is pasted back.

The request numbers the rows and asks for a JSON object from number to list; replies keyed by the original text, lists of
lists, and numbered texts with sub-lists are read as well. A row without a readable part is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.augment.asks import Ask
from core.augment.placeholders import names_in
from core.augment.presets import PRESETS, AugmentSettings
from core.augment.reading import Read, normal, parsed, read_variants, texts_of
from core.augment.requests import languages
from core.augment.rows import read_rows, rows_of
from core.errors import SettingsError
from core.prompt import fill

ROWS_PER_REQUEST = 10
MOST_ROWS = 20
"""Chats forget rows in longer requests."""
_ROW_KEYS = ("number", "id", "original", "text", "no", "원문", "번호")
_HEAD = re.compile(
    r"^(?:#+\s*|\*\*\s*)?(?:text|row|sentence|original|문장|원문|글)?\s*[\[(#]?(\d{1,3})[\])]?\s*(?:번)?\s*[.:)\-]?\s*(.*)$", re.I
)


@dataclass(frozen=True)
class HandRequest:
    """One text to copy, and the requests it stands for."""

    text: str
    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Pasted:
    """What a pasted reply held."""

    found: dict[str, Read] = field(default_factory=dict)
    """Key of the request -> its variants."""
    missing: tuple[int, ...] = ()
    """Rows of the request the reply says nothing readable about."""
    left: tuple[str, ...] = ()


def requests_by_hand(asks: Sequence[Ask], settings: AugmentSettings, per_request: int = ROWS_PER_REQUEST) -> list[HandRequest]:
    """The requests to copy, in order. With one row each is the preset's own request, word for word; chained requests are one.

    Raises SettingsError for more than MOST_ROWS rows in one request. New rows are asked for one request at a time.
    """
    if not 1 <= per_request <= MOST_ROWS:
        raise SettingsError(f"{per_request} rows in one request; 1 to {MOST_ROWS} can be asked for.", title="Too many rows in a request")
    size = 1 if asks and asks[0].row < 0 else per_request
    groups = [tuple(asks[i : i + size]) for i in range(0, len(asks), size)]
    return [HandRequest(_joined(group, settings), group) for group in groups]


def _joined(asks: tuple[Ask, ...], settings: AugmentSettings) -> str:
    if len(asks) == 1:
        return asks[0].by_hand or "\n\n".join(message["content"] for message in asks[0].messages)
    user = PRESETS[settings.preset].by_hand if asks[0].by_hand else settings.asked[1]
    korean = sum("가" <= letter <= "힣" for letter in user) > 5
    own = {"text", "n", "target", *PRESETS[settings.preset].names}
    if set(names_in(user)) - own or len({_ways(ask, settings) for ask in asks}) > 1:  # the rows differ in more than their texts
        each = "\n\n".join(f"### {i}\n{ask.by_hand or ask.messages[-1]['content']}" for i, ask in enumerate(asks, start=1))
        return f"{each}\n\n{_form(asks, korean)}"
    each = "(아래 번호가 붙은 글 각각)" if korean else "(each of the numbered texts below)"
    values = {"text": each, "n": max(ask.variants for ask in asks),
              "target": "(그 답)" if korean else "(its answer)", **languages(asks[0].original, settings)}  # fmt: skip
    if asks[0].fields:
        values |= zip(("question", "answer"), (one.name for one in asks[0].fields), strict=False)
    shown = "\n".join(f"{i}. {' '.join(ask.original.split())}" + (f"   [{ask.target}]" if "$target" in user and ask.target else "")
                      for i, ask in enumerate(asks, start=1))  # fmt: skip
    return f"{fill(user, values)}\n\n{_form(asks, korean)}\n\n{shown}"


def _ways(ask: Ask, settings: AugmentSettings) -> str:
    """What a translation goes through; the same for all other requests."""
    return str(languages(ask.original, settings)) if ask.then else ""


def _form(asks: tuple[Ask, ...], korean: bool) -> str:
    """The last sentence: for each number a list."""
    cells = ", ".join(f'"{one.name}": "..."' for one in asks[0].fields)
    one = f"{{{cells}}}" if cells else '"..."'
    if korean:
        return f'아래 번호가 붙은 글 {len(asks)}개 각각에 대해 그렇게 하고, {{"1": [{one}, {one}], "2": [...]}} 꼴의 JSON 하나로만 답해줘.'
    return f'Do this for each of the {len(asks)} numbered texts. Answer with one JSON object: {{"1": [{one}, {one}], "2": [...]}}.'


def read_pasted(reply: str, asks: Sequence[Ask]) -> Pasted:
    """The variants of each request in a reply to all of them, by the requests' keys."""
    if len(asks) == 1:
        read = read_for(asks[0], reply)
        return Pasted({asks[0].key: read} if read.variants else {}, () if read.variants else (asks[0].row,), read.left)
    value = parsed(reply)
    found, left = _from_json(value, asks) if value is not None else ({}, ())
    if not found:
        found, left = _from_text(reply, asks)
    return Pasted(found, tuple(ask.row for ask in asks if ask.key not in found), left)


def _from_json(value: Any, asks: Sequence[Ask]) -> tuple[dict[str, Read], tuple[str, ...]]:
    left: list[str] = []
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = [v for v in value.values() if isinstance(v, (dict, list))]
        nested = len(value) == 1 and len(inner) == 1 and _ask(next(iter(value)), asks) is None
        if nested:
            return _from_json(inner[0], asks)
        pairs = list(value.items())
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for item in value:
            name = next((item[key] for key in item if str(key).casefold() in _ROW_KEYS), None)
            rest = {key: v for key, v in item.items() if str(key).casefold() not in _ROW_KEYS}
            pairs += [(name, rest)] if name is not None else list(item.items())
    elif isinstance(value, list) and len(value) == len(asks) and all(isinstance(item, list) for item in value):
        pairs = list(enumerate(value, start=1))
    found: dict[str, Read] = {}
    for name, content in pairs:
        ask = _ask(name, asks)
        read = Read() if ask is None else _read_value(ask, content)
        if ask is None or not read.variants:
            left.append(str(name)[:80])
            continue
        before = found.get(ask.key, Read())
        found[ask.key] = Read((*before.variants, *read.variants), (), "json", (*before.cells, *read.cells))
    return found, tuple(left)


def read_for(ask: Ask, reply: str) -> Read:
    """The variants, or whole rows, of a reply to this one request."""
    return read_rows(reply, ask.fields) if ask.fields else read_variants(reply, ask.variants, ask.original)


def _read_value(ask: Ask, content: Any) -> Read:
    if ask.fields:
        return read_for(ask, content) if isinstance(content, str) else rows_of(content, ask.fields)
    texts = (texts_of(content) if not isinstance(content, str) else [content]) or []
    return Read(tuple(" ".join(text.split()) if "\n" not in ask.original else text.strip() for text in texts), (), "json")


def _ask(name: Any, asks: Sequence[Ask]) -> Ask | None:
    """The request a number or an original names."""
    text = normal(str(name))
    number = re.fullmatch(r"(?:text|row|sentence|문장|원문)?\s*#?(\d{1,3})[.)]?", text)
    if number and 1 <= int(number.group(1)) <= len(asks):
        return asks[int(number.group(1)) - 1]
    bare = re.sub(r"^\d{1,3}[.)]\s*", "", text)
    return next((ask for ask in asks if normal(ask.original) in (text, bare)), None)


def _from_text(reply: str, asks: Sequence[Ask]) -> tuple[dict[str, Read], tuple[str, ...]]:
    """Heads (a number with or without the original, or the original itself) followed by a sub-list."""
    groups: dict[str, list[str]] = {}
    left: list[str] = []
    current: Ask | None = None
    for line in reply.splitlines():
        ask = _head(line, asks)
        if ask is not None:
            current = ask
            groups.setdefault(ask.key, [])
        elif current is not None:
            groups[current.key].append(line)
        elif line.strip():
            left.append(line.strip())
    found = {}
    for ask in asks:
        read = read_for(ask, "\n".join(groups.get(ask.key, [])))
        left += read.left
        if read.variants:
            found[ask.key] = Read(read.variants, (), "list", read.cells)
    return found, tuple(left)


def _head(line: str, asks: Sequence[Ask]) -> Ask | None:
    if not line.strip() or (line[:1] in " \t-*•·" and not line.startswith("**")):
        return None
    whole = _ask(line.strip().strip("*#: "), asks)
    if whole is not None:
        return whole
    match = _HEAD.match(line.strip().rstrip("*"))
    if not match or not 1 <= int(match.group(1)) <= len(asks):
        return None
    ask = asks[int(match.group(1)) - 1]
    rest = normal(match.group(2).strip("*: \"'“”"))
    return ask if not rest or rest == normal(ask.original) else None
