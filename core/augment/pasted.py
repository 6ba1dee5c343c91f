"""Writing by hand: several rows in one request to copy into any chat, and reading the reply that is pasted back.

The request numbers the rows and asks for a JSON object from number to list; replies keyed by the original text, lists of
lists, and numbered texts with sub-lists are read as well. A row without a readable part is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.augment.presets import AugmentSettings
from core.augment.reading import Read, normal, parsed, read_variants, texts_of
from core.augment.requests import Ask
from core.prompt import fill

ROWS_PER_REQUEST = 10
_ROW_KEYS = ("number", "id", "original", "text", "no", "원문", "번호")
_HEAD = re.compile(
    r"^(?:#+\s*|\*\*\s*)?(?:text|row|sentence|original|문장|원문)?\s*[\[(#]?(\d{1,3})[\])]?\s*(?:번)?\s*[.:)\-]?\s*(.*?)\**$", re.I
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
    """The requests to copy, in order. With one row each is the preset's own request, word for word."""
    groups = [tuple(asks[i : i + per_request]) for i in range(0, len(asks), per_request)]
    return [HandRequest(_joined(group, settings), group) for group in groups]


def _joined(asks: tuple[Ask, ...], settings: AugmentSettings) -> str:
    if len(asks) == 1:
        return "\n\n".join(message["content"] for message in asks[0].messages)
    _, user = settings.asked
    most = max(ask.variants for ask in asks)
    korean = sum("가" <= letter <= "힣" for letter in user) > 5
    one = fill(
        user,
        {
            "text": "(each of the numbered texts below)" if not korean else "(아래 번호가 붙은 글 각각)",
            "n": most,
            "target": "(its answer)" if not korean else "(그 답)",
        },
    )
    shown = "\n".join(f"{i}. {' '.join(ask.original.split())}" + (f"   [{ask.target}]" if "$target" in user and ask.target else "")
                      for i, ask in enumerate(asks, start=1))  # fmt: skip
    if korean:
        form = f'아래 번호가 붙은 글 {len(asks)}개 각각에 대해 그렇게 하고, {{"1": ["...", "..."], "2": [...]}} 꼴의 JSON 하나로만 답해줘.'
    else:
        form = f'Do this for each of the {len(asks)} numbered texts. Answer with one JSON object: {{"1": ["...", "..."], "2": [...]}}.'
    return f"{one}\n\n{form}\n\n{shown}"


def read_pasted(reply: str, asks: Sequence[Ask]) -> Pasted:
    """The variants of each request in a reply to all of them, by the requests' keys."""
    if len(asks) == 1:
        read = read_variants(reply, asks[0].variants, asks[0].original)
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
        texts = texts_of(content) if not isinstance(content, str) else [content]
        if ask is None or not texts:
            left.append(str(name)[:80])
            continue
        read = tuple(" ".join(text.split()) if "\n" not in ask.original else text for text in texts)
        found[ask.key] = Read((*(found[ask.key].variants if ask.key in found else ()), *read), (), "json")
    return found, tuple(left)


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
        read = read_variants("\n".join(groups.get(ask.key, [])), ask.variants, ask.original)
        left += read.left
        if read.variants:
            found[ask.key] = Read(read.variants, (), "list")
    return found, tuple(left)


def _head(line: str, asks: Sequence[Ask]) -> Ask | None:
    if not line.strip() or (line[:1] in " \t-*•·" and not line.startswith("**")):
        return None
    whole = _ask(line.strip().strip("*#: "), asks)
    if whole is not None:
        return whole
    match = _HEAD.match(line.strip())
    if not match or not 1 <= int(match.group(1)) <= len(asks):
        return None
    ask = asks[int(match.group(1)) - 1]
    rest = normal(match.group(2).strip("*: \"'“”"))
    return ask if not rest or rest == normal(ask.original) else None
