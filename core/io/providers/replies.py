"""Replies that were paid for are remembered: the same question to the same model is not paid twice, in whatever job.

    workspace/replies/<first two hex digits>.jsonl     {"key": sha256 of what was asked, reply fields}

The hash covers address, model, messages and settings; the API key is in neither the hash nor the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.io import files
from core.prompt import Message
from core.reply import Reply
from core.version import digest

_FIELDS = ("text", "tokens_in", "tokens_out", "seconds", "finish", "usd", "estimated")


def content_key(url: str, model: str, messages: Sequence[Message], **settings: Any) -> str:
    """sha256 of what is asked of whom."""
    return digest({"url": url, "model": model, "messages": [dict(m) for m in messages], **settings})


def to_record(reply: Reply) -> dict[str, Any]:
    """A reply as JSON values."""
    return {name: getattr(reply, name) for name in Reply.__dataclass_fields__}


def from_record(record: Mapping[str, Any]) -> Reply:
    """The reply of a record; fields of later revisions are left out."""
    return Reply(**{name: record[name] for name in Reply.__dataclass_fields__ if name in record})


class Remembered:
    """The workspace's replies. Only where each stands is held in memory, about 200 bytes a reply, shard by shard as asked for."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, tuple[int, int]]] = {}
        """Shard -> key -> where its line begins and ends."""
        self._scanned: dict[str, int] = {}
        self._folder = files.folder("replies")

    def get(self, key: str) -> Reply | None:
        """The reply as it was, marked `cached`: it costs nothing now."""
        place = self._shard(key[:2]).get(key)
        if place is None:
            return None
        with open(self._path(key[:2]), "rb") as handle:
            handle.seek(place[0])
            record = json.loads(handle.read(place[1] - place[0]))
        return from_record({**record, "cached": True, "usd": 0.0 if record.get("usd") is not None else None})

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply that says something; failures and empty ones are asked again."""
        if reply.finish not in ("stop", "length", "refusal") or not reply.text:
            return
        record = {"key": key, **{name: getattr(reply, name) for name in _FIELDS}}
        files.append_line(self._path(key[:2]), record, sync=False)  # a job's own journal is synced; this one only saves asking again

    def _path(self, shard: str) -> Path:
        return self._folder / f"{shard}.jsonl"

    def _shard(self, name: str) -> dict[str, tuple[int, int]]:
        """Where the replies of a shard stand; what was appended since, by whatever process, is read now."""
        places, start = self._places.setdefault(name, {}), self._scanned.get(name, 0)
        path = self._path(name)
        if not path.exists() or path.stat().st_size <= start:
            return places
        with open(path, "rb") as handle:
            handle.seek(start)
            for line in handle:
                if not line.endswith(b"\n"):
                    break
                with suppress(ValueError, KeyError, TypeError):
                    places[json.loads(line)["key"]] = (start, start + len(line))
                start += len(line)
        self._scanned[name] = start
        return places
