"""How far a job told it is: its progress.jsonl, of which only what is new is read each time (it only ever grows)."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST = 4_096
"""Files whose standing is held in memory, about 1 KiB each."""


@dataclass
class Told:
    """What all lines of one file say together."""

    last: Mapping[str, Any] = field(default_factory=dict)
    begun: float | None = None
    """When the job last began."""
    figures: dict[str, Any] = field(default_factory=dict)
    """The last value of each figure."""
    phases: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Total -> done and time of the first line with that total: phases of one job have other totals."""
    latest: tuple[int, int, float] | None = None
    """Total, done and time of the last line with a total."""

    def add(self, line: Mapping[str, Any]) -> None:
        """One more line."""
        self.last = line
        if line.get("begin"):
            self.begun = line["time"]
        self.figures.update(line.get("figures", {}))
        if total := line.get("total"):
            self.latest = (total, line["done"], line["time"])
            self.phases.setdefault(total, (line["done"], line["time"]))

    def copy(self) -> Told:
        """The same, apart from what is added later."""
        return Told(self.last, self.begun, dict(self.figures), dict(self.phases), self.latest)

    def left(self, seconds: float) -> float | None:
        """Seconds to go from the pace since the present phase began; None when unknown. `seconds` is how long the job runs."""
        if self.latest is None or not seconds:
            return None
        total, done, now = self.latest
        first, began = self.phases[total]
        if done <= first or now <= began:
            return None
        return max(0.0, (total - done) * (now - began) / (done - first))


@dataclass
class _Read:
    """How far a file was read, by which it is known again, and what it said up to there."""

    mark: int
    offset: int
    told: Told


_known: OrderedDict[Path, _Read] = OrderedDict()
_turn = threading.Lock()


def told(path: Path) -> Told:
    """What the file says by now; nothing when it is not there. A cut line (its writer was killed) is left out."""
    try:
        with _turn, open(path, "rb") as handle:
            return _further(path, handle)
    except FileNotFoundError:
        _known.pop(path, None)
        return Told()


def _further(path: Path, handle: Any) -> Told:
    state = os.fstat(handle.fileno())
    known = _known.get(path)
    if known is None or known.mark != state.st_ino or known.offset > state.st_size:
        known = _known[path] = _Read(state.st_ino, 0, Told())
    _known.move_to_end(path)
    while len(_known) > MOST:
        _known.popitem(last=False)
    handle.seek(known.offset)
    rest = b""
    for raw in handle:
        if not raw.endswith(b"\n"):
            rest = raw
            break
        known.offset += len(raw)
        _take(known.told, raw)
    found = known.told.copy()
    _take(found, rest)
    return found


def _take(into: Told, raw: bytes) -> None:
    try:
        line = json.loads(raw) if raw.strip() else None
    except ValueError:
        return
    if isinstance(line, dict):
        into.add(line)
