"""Event files as TensorBoard reads them, of tensorboardX's records: one file a run, the same bytes for the same history.

The usual writers put the machine's name into the file's name and the present time into each event; here the name is the run's
and the times are those of the history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from core.io import files
from core.io.reporting.telling import About, numbers


class EventFile:
    """A reporter of one run; `place` is the folder to open in TensorBoard. Replaces the file of an earlier start."""

    def __init__(self, folder: Path, about: About) -> None:
        self.folder, self.last = folder / "tensorboard", -1
        self.place = str(self.folder)
        self.folder.mkdir(exist_ok=True)
        began = _began(folder)
        self._path = self.folder / f"events.out.tfevents.{int(began)}.{about.id}"
        with files.disk_errors(self._path):
            self._file = open(self._path, "wb")  # noqa: SIM115
            self._write(began, file_version="brain.Event:2")
            self._text(began, "run", json.dumps(about.to_dict(), ensure_ascii=False, indent=1))

    def record(self, record: Mapping[str, Any]) -> None:
        """One record of the history. Raises StudioError when the disk is full."""
        step = int(record["step"])
        with files.disk_errors(self._path):
            for name, value in numbers(record).items():
                self._scalar(float(record.get("time") or 0.0), step, name, value)
            self._file.flush()
        self.last = max(self.last, step)

    def scores(self, scores: Mapping[str, float], time: float = 0.0) -> None:
        """What the test rows said, at the last step."""
        with files.disk_errors(self._path):
            for name, value in scores.items():
                self._scalar(time, max(0, self.last), f"test/{name}", value)

    def close(self, failed: bool = False) -> None:
        with files.disk_errors(self._path):
            self._file.close()

    def _scalar(self, time: float, step: int, name: str, value: float) -> None:
        from tensorboardX import summary

        self._write(time, step=step, summary=summary.scalar(name, value))

    def _text(self, time: float, name: str, text: str) -> None:
        from tensorboardX import summary

        indented = "\n".join(f"    {line}" for line in text.splitlines())  # TensorBoard draws text as Markdown: this is code
        self._write(time, step=0, summary=summary.text(name, indented))

    def _write(self, time: float, **event: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event  # type: ignore[attr-defined]

        self._file.write(framed(Event(wall_time=time, **event).SerializeToString()))


def framed(data: bytes) -> bytes:
    """A record of an event file: length, its checksum, the data, their checksum (TFRecord)."""
    import struct

    from tensorboardX.record_writer import masked_crc32c

    header = struct.pack("<Q", len(data))
    return header + struct.pack("<I", masked_crc32c(header)) + data + struct.pack("<I", masked_crc32c(data))


def _began(folder: Path) -> float:
    return datetime.fromisoformat(files.read_json(folder / "request.json")["created"]).timestamp()
