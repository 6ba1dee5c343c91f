"""What one augmentation got back, on disk: a journal that is read line by line, so that its size does not matter.

<folder>/replies.jsonl     {key, row, reply, time}      a reply to the request of that key, of a job
                           {key, row, variants, time}   pasted by hand; with `cells` for whole rows
                           {key, again}                 what was answered before is put aside and asked once more
                           {further}                    [row, draw, variants] of the requests of one more round
                           {unsure}                     USD that may have been charged for requests without a reply
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.augment.asks import Ask
from core.augment.reading import Read, read_variants
from core.augment.rows import read_rows
from core.io import files
from core.io.providers.replies import from_record, to_record
from core.reply import Reply

NAME = "replies.jsonl"


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Every whole line, one after the other; a cut one (killed while writing) is left out."""
    path = folder / NAME
    if not path.exists():
        return
    with open(path, "rb") as handle:
        for raw in handle:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def now() -> str:
    """UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def keep_reply(folder: Path, ask: Ask, reply: Reply) -> None:
    """On disk before this returns."""
    files.append_line(folder / NAME, {"key": ask.key, "row": ask.row, "reply": to_record(reply), "time": now()})


def keep_pasted(folder: Path, ask: Ask, read: Read) -> None:
    """The same for what was pasted by hand."""
    cells = {"cells": [dict(one) for one in read.cells]} if read.cells else {}
    files.append_line(folder / NAME, {"key": ask.key, "row": ask.row, "variants": list(read.variants), **cells, "time": now()})


def keep_further(folder: Path, more: Sequence[tuple[int, int, int]]) -> None:
    """One more round of requests, each as (row, draw, variants): on disk before any of them is asked."""
    files.append_line(folder / NAME, {"further": [list(one) for one in more]})


def further(folder: Path) -> list[list[list[int]]]:
    """The further rounds of a run, first to last."""
    return [line["further"] for line in lines(folder) if "further" in line]


def put_aside(folder: Path, keys: Iterable[str]) -> None:
    """Have these requests asked once more; what they cost stays counted."""
    rounds = standing(folder).rounds
    for key in keys:
        files.append_line(folder / NAME, {"key": key, "again": rounds.get(key, 0) + 1})


@dataclass
class Standing:
    """The journal in numbers."""

    answered: set[str] = field(default_factory=set)
    """Keys of requests with an answer."""
    rounds: dict[str, int] = field(default_factory=dict)
    """Key -> how often it was put aside; each round draws anew."""
    replies: int = 0
    """Paid or not, put aside or not."""
    usd: float | None = None
    """What the replies cost; None while no price is known."""
    unsure: float = 0.0
    """USD that may have been charged on top."""
    tokens_in: int = 0
    tokens_out: int = 0
    estimated: bool = False
    """Whether the usage of any reply was counted here because its endpoint reported none."""

    def add(self, reply: Reply) -> None:
        """Count one more reply."""
        self.replies += 1
        self.usd = self.usd if reply.usd is None else (self.usd or 0.0) + reply.usd
        self.tokens_in += reply.tokens_in or 0
        self.tokens_out += reply.tokens_out or 0
        self.estimated |= reply.estimated


def standing(folder: Path) -> Standing:
    """How the journal stands."""
    found = Standing()
    for line in lines(folder):
        found.unsure += line.get("unsure", 0.0)
        if "again" in line:
            found.answered.discard(line["key"])
            found.rounds[line["key"]] = int(line["again"])
        elif "reply" in line:
            found.answered.add(line["key"])
            found.add(from_record(line["reply"]))
        elif "variants" in line:
            found.answered.add(line["key"])
    return found


@dataclass(frozen=True)
class Came:
    """What answered some requests."""

    reads: dict[str, Read]
    """Key of the request -> what was read. Later lines about the same request replace earlier ones."""
    times: dict[str, str]
    """Key -> when, UTC; "" in journals that do not say."""


def came(folder: Path, asks: Sequence[Ask], *, read: Callable[[Reply, Ask], Read] | None = None) -> Came:
    """The answers to these requests that the journal holds."""
    by_key = {ask.key: ask for ask in asks}
    found = Came({}, {})
    for line in lines(folder):
        ask = by_key.get(line.get("key", ""))
        if ask is None:
            continue
        if "again" in line:
            found.reads.pop(ask.key, None)
            continue
        if "reply" in line:
            found.reads[ask.key] = (read or read_reply)(from_record(line["reply"]), ask)
        elif "variants" in line:
            found.reads[ask.key] = Read(tuple(line["variants"]), (), "hand", tuple(line.get("cells", ())))
        found.times[ask.key] = line.get("time", "")
    return found


def read_reply(reply: Reply, ask: Ask) -> Read:
    """What a reply holds; the last piece of one that was cut off at its length limit is left out."""
    if reply.finish == "refusal":
        return Read((), (reply.text,), "refusal")
    if ask.fields:
        return read_rows(reply.text, ask.fields)
    read = read_variants(reply.text, ask.variants, ask.original)
    if reply.finish == "length" and read.variants and read.shape != "cut json":
        return Read(read.variants[:-1], (*read.left, read.variants[-1]), read.shape)
    return read
