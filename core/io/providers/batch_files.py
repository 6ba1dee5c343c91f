"""The files of a batch on this machine: its requests, what came back, and how far each part is.

<folder>/batch.json                    {"parts": [Part ...]}
<folder>/batch-<name>.jsonl            the requests of a part, until its results are here
<folder>/batch-<name>.output.jsonl     its replies          <folder>/batch-<name>.error.jsonl     its failures
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.io import files

ENDPOINT = "/v1/chat/completions"
OVER = ("completed", "failed", "expired", "cancelled")
"""States of a batch that no longer change."""


@dataclass
class Part:
    """One file of requests and its batch."""

    name: str
    """Unique: it is the uploaded file's name and stands in the batch's metadata, by which both are found again."""
    requests: int
    size: int
    worst: float
    """USD it can cost at most; 0 without a price."""
    state: str = "written"
    """written | uploaded | a state of the batch | limited (too much is queued there: to be sent again)"""
    file: str = ""
    batch: str = ""
    results: dict[str, str] = field(default_factory=dict)
    """output and error -> the platform's file ids."""
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    """Why the platform refused the whole part, in its words."""
    fetched: bool = False
    deleted: bool = False
    """Whether its files were deleted at the platform."""


class Folder:
    """The parts of one job."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        state = path / "batch.json"
        known = files.read_json(state)["parts"] if state.exists() else []
        self.parts = [Part(**{name: value for name, value in one.items() if name in Part.__dataclass_fields__}) for one in known]

    def save(self) -> None:
        files.write_json(self.path / "batch.json", {"parts": [asdict(part) for part in self.parts]})

    def file(self, part: Part, kind: str = "") -> Path:
        return self.path / f"batch-{part.name}{'.' + kind if kind else ''}.jsonl"

    def write(self, requests: Iterable[tuple[str, Mapping[str, Any], float]], most: int, largest: int) -> None:
        """Add parts of at most `most` requests and `largest` bytes for (key, body, worst USD)."""
        lines: list[bytes] = []
        size, worst = 0, 0.0
        for key, body, usd in requests:
            line = json.dumps({"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}, ensure_ascii=False).encode() + b"\n"
            if lines and (len(lines) >= most or size + len(line) > largest):
                self._add(lines, size, worst)
                lines, size, worst = [], 0, 0.0
            lines.append(line)
            size, worst = size + len(line), worst + usd
        if lines:
            self._add(lines, size, worst)

    def _add(self, lines: list[bytes], size: int, worst: float) -> None:
        part = Part(f"finetune-studio-{secrets.token_hex(8)}", len(lines), size, worst)
        with files.disk_errors(self.path), open(self.file(part), "wb") as handle:
            handle.writelines(lines)
            handle.flush()
            os.fsync(handle.fileno())
        self.parts.append(part)
        self.save()

    def keys(self, part: Part) -> list[str]:
        """What was asked in a part that is not over."""
        return [row["custom_id"] for row in rows(self.file(part))]

    def results(self, part: Part) -> Iterator[tuple[str, dict[str, Any] | None, str]]:
        """(key, the body of a chat completion or None, what went wrong) of a part whose results are here."""
        for kind in ("output", "error"):
            for row in rows(self.file(part, kind)):
                key, response = str(row.get("custom_id") or ""), row.get("response") or {}
                body = response.get("body") if isinstance(response, dict) else None
                if response.get("status_code") == 200 and isinstance(body, dict):
                    yield key, body, ""
                else:
                    yield key, None, _words(row, response, body)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines of a file; a missing one has none, and what cannot be read is left out."""
    if not path.exists():
        return
    with open(path, encoding="utf-8", errors="replace") as handle:
        for line in handle:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def _words(row: Mapping[str, Any], response: Mapping[str, Any], body: Any) -> str:
    told = row.get("error") or (body.get("error") if isinstance(body, dict) else None) or {}
    message = str(told.get("message") or told.get("code") or "no reason was given") if isinstance(told, dict) else str(told)
    return f"HTTP {response['status_code']}: {message}" if response.get("status_code") else message
