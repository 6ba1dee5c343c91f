"""`python -m core.io.work JOB_FOLDER` runs one job.

The process holds `<folder>/lock` for life, writes progress as it goes, and its result or error last. A small process waits for it
(core.io.endings), notes how it ended where it could not say so, and ends the children it left.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import Paused, Stopped, StudioError
from core.io import endings, files, spawning

KINDS = {
    "convert": "core.io.embedded:run_convert",
    "probe": "core.io.probing:run_probe",
    "fetch_base": "core.io.lora.bases:run_fetch",
    "baselines": "core.io.testing:run_baselines",
    "finetune": "core.io.lora:run_finetune",
    "hosted": "core.io.hosted:run_hosted",
    "augment": "core.io.augmenting:run_augment",
    "effect": "core.io.effect:run_effect",
    "curate": "core.io.curating:run_save",
    "recount": "core.io.previewing:run_recount",
    "export": "core.io.exporting:run_export",
    "push": "core.io.pushing:run_push",
    "export_model": "core.io.lora.exporting:run_export_model",
    "push_model": "core.io.lora.pushing:run_push_model",
    "map": "core.io.mapping:run_map",
    "fetch": "core.io.fetching:run_fetch",
    "import": "core.io.importing:run_import",
    "count": "core.io.work:run_count",
    "tokens": "core.io.numbers:run_tokens",
    "curve": "core.io.curves:run_curve",
    "report": "core.io.reporting:run_report",
}
"""Job kind -> module:function, each `run(request, desk) -> result`."""
SPREAD = ("curate", "recount")
"""Kinds that spread the rows of a large table over workers; their request tells how many `rows` there are."""


class Desk:
    """What a running job works with: its folder, a way to tell how far it is, and whether it should stop."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = {**os.environ, **(environment or {})}

    def say(self, done: int, total: int, message: str = "", **figures: Any) -> None:
        """Tell progress (`done` of `total`) and live figures. Raises Stopped once the person has stopped the job."""
        record = {"time": time.time(), "done": int(done), "total": int(total), "message": message}
        files.append_line(self.folder / "progress.jsonl", {**record, "figures": figures} if figures else record)
        if self.stopped():
            raise Stopped

    def stopped(self) -> bool:
        return (self.folder / "cancelled").exists()

    def journal(self, name: str) -> Path:
        """A file for files.append_line / files.read_lines that survives a restart of the job."""
        return self.folder / f"{name}.jsonl"

    @contextmanager
    def turn(self, name: str = "training") -> Iterator[None]:
        """Wait for the lock of that name in the workspace: the queue. The job reads "queued" meanwhile."""
        path = files.home() / f"{name}.lock"
        if files.is_locked(path):
            record = {"time": time.time(), "done": 0, "total": 0, "message": "Waiting for another run to finish", "queued": True}
            files.append_line(self.folder / "progress.jsonl", record)
        with files.lock(path):
            if self.stopped():
                raise Stopped
            files.append_line(
                self.folder / "progress.jsonl", {"time": time.time(), "done": 0, "total": 0, "message": "Starting", "begin": True}
            )
            yield


def main(folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run the job of this folder to its end; never raises for what a person can be told."""
    with files.lock(folder / "lock"):
        asked = files.read_json(folder / "request.json")
        files.append_line(folder / "progress.jsonl", {"time": time.time(), "done": 0, "total": 0, "message": "Starting", "begin": True})
        try:
            if asked["kind"] in SPREAD and asked["request"].get("rows", 0) >= 20_000:
                spawning.warm()  # the workers' imports run beside those of this process
            result = _run(asked, Desk(folder, environment))
            files.write_json(folder / "result.json", result)
        except Stopped:
            (folder / "cancelled").touch()
        except StudioError as error:
            reason = {"reason": error.reason} if isinstance(error, Paused) else {}
            files.write_json(folder / "error.json", {"title": error.title, "message": str(error), **reason})
        except MemoryError:
            advice = "The work needed more memory than this machine has. Choose a smaller model, a smaller batch or fewer rows."
            files.write_json(folder / "error.json", {"title": "Out of memory", "message": advice})
        except Exception as error:
            traceback.print_exc()
            told = f"{type(error).__name__}: {error}. The log is {folder / 'log.txt'}."
            files.write_json(folder / "error.json", {"title": "This is a mistake in the studio", "message": told})
        with suppress(OSError):
            files.append_line(folder / "progress.jsonl", _last(folder))


def _run(asked: dict[str, Any], desk: Desk) -> Any:
    """The job's result. A disk that is full, wherever it was noticed, is no mistake of the studio."""
    module, function = KINDS[asked["kind"]].split(":")
    try:
        return getattr(import_module(module), function)(asked["request"], desk)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            with files.disk_errors(desk.folder / "result.json"):
                raise
        raise


def _last(folder: Path) -> dict[str, Any]:
    lines = files.read_lines(folder / "progress.jsonl")
    last = {key: lines[-1][key] for key in ("done", "total", "message")} if lines else {}
    return {**last, "time": time.time()}


def run_count(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """Count slowly, journalling each number: the job that the tests of jobs kill, stop and resume."""
    if request.get("fail"):
        raise StudioError(str(request["fail"]), title="Cannot count")
    with desk.turn() if request.get("turn") else nullcontext():
        return _count(request, desk)


def _count(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    done = len(files.read_lines(desk.journal("counted")))
    for number in range(done, int(request["to"])):
        time.sleep(float(request.get("pause", 0)))
        files.append_line(desk.journal("counted"), {"number": number})
        desk.say(number + 1, int(request["to"]), "Counting", last=number)
    return {"counted": int(request["to"])}


def _stop(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # stopped twice, what is kept on the way out is not cut off
    raise Stopped


if __name__ == "__main__":
    place = Path(sys.argv[1])
    endings.supervise(place)
    signal.signal(signal.SIGTERM, _stop)
    main(place)
