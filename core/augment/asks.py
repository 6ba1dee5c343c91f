"""One request for variants, what its reply looks like, and the second request that follows from the first one's reply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.augment.fields import Field
from core.augment.reading import Read
from core.prompt import Message, fill
from core.version import digest

ANSWER = 1
"""Place of the answer among the fields of a question from a context: question, answer."""


@dataclass(frozen=True)
class Then:
    """A second request, asked with the reply of the first: `$reply` is the numbered list of what came, `${n}` how many."""

    system: str
    user: str


@dataclass(frozen=True)
class Ask:
    """One request: some variants of one row."""

    row: int
    """0-based row of the version; of new rows the row of the first example, whose split they share."""
    original: str
    target: str
    """The answer or label the row keeps, as text; "" without a target."""
    variants: int
    messages: tuple[Message, ...]
    draw: int = 0
    """Which of several requests for the same row this is."""
    fields: tuple[Field, ...] = ()
    """Not empty: the reply holds whole rows with these cells; the first is the one that is compared."""
    then: Then | None = None
    """What is asked with the reply; None when the reply holds the variants."""
    like: str = ""
    """About as long as one variant; "" is the original."""
    stage: int = 0
    """1 for a second request."""
    by_hand: str = ""
    """What to copy into a chat where it is not the messages: chained requests in one."""

    @property
    def key(self) -> str:
        """Names the request in the journal: row, draw and a hash of what is asked."""
        return f"{self.row}-{self.draw}-{digest([list(self.messages), self.variants])[:12]}"

    def answer(self, cells: Mapping[str, Any]) -> str:
        """The answer among the cells of a question from a context."""
        return str(cells.get(self.fields[ANSWER].name) or "") if len(self.fields) > ANSWER else ""


def numbered(asks: Iterable[Ask]) -> dict[str, int]:
    """Key of each request -> which draw it is among those that ask for exactly the same: 0 for the first. It depends on the plan alone,
    not on what was answered before."""
    seen: Counter[str] = Counter()
    found = {}
    for ask in asks:
        same = digest([list(ask.messages), ask.variants])
        found[ask.key] = seen[same]
        seen[same] += 1
    return found


def reply_schema(ask: Ask) -> dict[str, Any]:
    """The JSON schema of the reply, the same for all requests of one augmentation: `variants`, texts or whole rows."""
    item: dict[str, Any] = {"type": "string"}
    if ask.fields:
        item = _object({one.name: one.schema for one in ask.fields})
    return _object({"variants": {"type": "array", "items": item}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def follow(ask: Ask, read: Read) -> Ask | None:
    """The second request a first reply leads to; None when none is needed, or the reply holds nothing to go on with."""
    if ask.then is None or not read.variants or read.shape == "hand":
        return None
    came = read.variants[: ask.variants]
    values = {"reply": "\n".join(f"{i}. {' '.join(text.split())}" for i, text in enumerate(came, start=1)), "n": len(came)}
    system = [{"role": "system", "content": fill(ask.then.system, values)}] if ask.then.system.strip() else []
    messages = (*system, {"role": "user", "content": fill(ask.then.user, values)})
    return replace(ask, variants=len(came), messages=messages, then=None, stage=1)


def followed(asks: Iterable[Ask], replies: Mapping[str, Read]) -> list[Ask]:
    """The second requests the replies so far lead to, in order; empty when the requests are not chained."""
    found = (follow(ask, replies[ask.key]) for ask in asks if ask.key in replies)
    return [ask for ask in found if ask is not None]


def judged(asks: Sequence[Ask], replies: Mapping[str, Read]) -> list[Ask]:
    """The requests whose replies hold the variants: second ones where they are chained, first ones where nothing came to go on with."""
    found = []
    for ask in asks:
        read = replies.get(ask.key)
        second = follow(ask, read) if read is not None else None
        if second is not None:
            found.append(second)
        elif ask.then is None or read is not None:
            found.append(ask)
    return found
