"""Reading whole rows in a writer's reply: JSON objects in any wrapping, JSON lines, cut lists, tables, "question: / answer:" lines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.augment.fields import Field, cleaned
from core.augment.reading import LONGEST, Read, clean, parsed
from core.augment.wording import refuses

_MEANT = {"question": ("question", "q", "query", "질문", "문제"), "answer": ("answer", "a", "response", "답", "정답", "답변")}
"""Names chats give to the two cells of a question from a context, whatever the columns are called."""
_OBJECT = re.compile(r"\{[^{}]*\}")


def read_rows(reply: str, fields: Sequence[Field]) -> Read:
    """The rows of a reply; `variants` are the first column's texts, `cells` the whole rows in the same order. Nothing is guessed:
    an object without the first column's cell is left out and told."""
    text = clean(reply)
    cut = () if len(reply) <= LONGEST else (f"{len(reply) - LONGEST:,} characters beyond the first {LONGEST:,}",)
    if not text:
        return Read((), cut, "nothing")
    for reader in (_json, _table, _lines):
        objects, shape = reader(text, fields)
        read = rows_of(objects, fields, shape)
        if read.variants:
            return Read(read.variants, (*cut, *read.left), read.shape, read.cells)
    return Read((), (*cut, text[:200]), "refusal" if refuses(text) else "nothing")


def rows_of(value: Any, fields: Sequence[Field], shape: str = "json") -> Read:
    """The rows in a JSON value: a list of objects, or an object that holds one."""
    objects = _objects(value, fields)
    found = [cleaned(_renamed(one, fields), fields) for one in objects]
    first = fields[0].name
    kept = [row for row in found if row[first] is not None and str(row[first]).strip()]
    left = tuple(str(one)[:200] for one, row in zip(objects, found, strict=True) if row[first] is None or not str(row[first]).strip())
    return Read(tuple(" ".join(str(row[first]).split()) for row in kept), left, shape if kept else "nothing", tuple(kept))


def _objects(value: Any, fields: Sequence[Field], depth: int = 0) -> list[dict[str, Any]]:
    """The innermost objects that name a column."""
    if depth > 4:
        return []
    if isinstance(value, list):
        return [one for item in value for one in _objects(item, fields, depth + 1)]
    if not isinstance(value, dict):
        return []
    if fields[0].name in _renamed(value, fields) or not any(isinstance(item, (dict, list)) for item in value.values()):
        return [value]
    return [one for item in value.values() for one in _objects(item, fields, depth + 1)]


def _renamed(cells: Mapping[Any, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """Cells under the columns' own names, where a chat called them question and answer."""
    wanted = {_plain(one.name): one.name for one in fields}
    pair = [*_MEANT.values()] if len(fields) == 2 else []
    meant = {word: one.name for one, words in zip(fields, pair, strict=False) for word in words}
    return {wanted.get(_plain(name)) or meant.get(_plain(name)) or str(name): cell for name, cell in cells.items()}


def _plain(name: Any) -> str:
    return " ".join(str(name).casefold().replace("_", " ").split())


def _json(text: str, fields: Sequence[Field]) -> tuple[Any, str]:
    value = parsed(text)
    if value is not None and rows_of(value, fields).variants:
        return value, "json"
    found, whole = [], re.sub(r"```[\w-]*", " ", text)
    for match in _OBJECT.finditer(whole):
        one = parsed(match[0])
        if isinstance(one, dict):
            found.append(one)
    tail = whole[whole.rfind("}") + 1 :]
    return found, "cut json" if '"' in tail and "{" in tail else "json"


def _table(text: str, fields: Sequence[Field]) -> tuple[Any, str]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line.strip().startswith("|")]
    rows = [row for row in rows if not all(re.fullmatch(r":?-*:?", cell) for cell in row)]
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]] if rows else [], "table"


def _lines(text: str, fields: Sequence[Field]) -> tuple[Any, str]:
    """Lines "name: value", a new row wherever the first column comes again."""
    names = {_plain(one.name): one.name for one in fields}
    if len(fields) == 2:
        names |= {word: one.name for one, words in zip(fields, _MEANT.values(), strict=True) for word in words}
    label = re.compile(
        rf"^\s*(?:[-*•]\s*)?(?:\(?\d{{1,3}}[.)]\s*)?\**\s*({'|'.join(re.escape(n) for n in sorted(names, key=len, reverse=True))})"
        r"\s*\d{0,3}\s*\**\s*[:：]\s*\**\s*(.*)$",
        re.I,
    )
    found: list[dict[str, str]] = []
    last = ""
    for line in text.splitlines():
        match = label.match(line.replace("_", " "))
        if match is None:
            if found and last and line.strip() and not re.match(r"\s*(?:\d{1,3}[.)]\s*)?$", line):
                found[-1][last] += f"\n{line.strip()}"
            elif not line.strip():
                last = ""
            continue
        name = names[_plain(match[1])]
        if not found or name in found[-1]:
            found.append({})
        found[-1][name] = match[2].strip().strip('"“”')
        last = name
    return found, "list"


def as_json(row: Mapping[str, Any]) -> str:
    """A row as it is kept beside its variant and shown to the writer as an example."""
    return json.dumps(dict(row), ensure_ascii=False)
