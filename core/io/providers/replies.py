"""Replies that were paid for are remembered: the same question to the same model is not paid twice, in whatever job.

    workspace/replies/<first two hex digits>.jsonl     {"key": sha256 of what was asked, reply fields}

The hash covers address, model, messages and settings; the API key is in neither the hash nor the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
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
    return asdict(reply)


def from_record(record: Mapping[str, Any]) -> Reply:
    """The reply of a record; fields of later revisions are left out."""
    return Reply(**{name: record[name] for name in Reply.__dataclass_fields__ if name in record})


class Remembered:
    """The workspace's replies, read shard by shard when first asked for."""

    def __init__(self) -> None:
        self._shards: dict[str, dict[str, dict[str, Any]]] = {}

    def get(self, key: str) -> Reply | None:
        """The reply as it was, marked `cached`: it costs nothing now."""
        record = self._shard(key[:2]).get(key)
        return from_record({**record, "cached": True, "usd": 0.0 if record.get("usd") is not None else None}) if record else None

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply that says something; failures and empty ones are asked again."""
        if reply.finish not in ("stop", "length", "refusal") or not reply.text:
            return
        record = {"key": key, **{name: getattr(reply, name) for name in _FIELDS}}
        shard = self._shard(key[:2])
        files.append_line(files.folder("replies") / f"{key[:2]}.jsonl", record)
        shard[key] = record

    def _shard(self, name: str) -> dict[str, dict[str, Any]]:
        if name not in self._shards:
            lines = files.read_lines(files.folder("replies") / f"{name}.jsonl")
            self._shards[name] = {line["key"]: line for line in lines if "key" in line}
        return self._shards[name]
