"""Long work as a child process and a folder: start, read, list, pause, cancel, resume.

    workspace/jobs/<id>/   request.json  lock  watched  pid  progress.jsonl  log.txt  paused  cancelled
                           result.json | error.json | ended.json

A job is alive while its process holds the lock; pids only carry signals. Progress and results are files, so a page
reload, a closed tab or a killed server lose nothing. With FINETUNE_STUDIO_JOBS=inline a job runs in the calling process.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import MissingError
from core.io import endings, files, progress

GRACE = 10.0
"""Seconds between the polite signal and the one that cannot be refused."""


@dataclass(frozen=True)
class Job:
    id: str
    kind: str
    title: str
    dataset: str | None
    state: str
    """queued | running | done | failed | paused (by a person, or because an endpoint cannot go on now) | cancelled |
    interrupted (its process died)"""
    step: int = 0
    total: int = 0
    message: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """The last live value of each figure the job told."""
    created: str = ""
    seconds: float = 0.0
    """Since it started (running) or in all (ended)."""
    left: float | None = None
    """Estimated seconds to go; None when unknown."""
    result: Mapping[str, Any] | None = None
    error: Mapping[str, str] | None = None
    """{title, message}, and why where it is paused: {reason: failing | busy | stalled | no credit}; of an interrupted job as
    far as its death is understood"""
    request: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def alive(self) -> bool:
        return self.state in ("queued", "running")


def start(
    kind: str, request: Mapping[str, Any], *, title: str, dataset: str | None = None, environment: Mapping[str, str] | None = None
) -> Job:
    """Start a job and return it at once (inline: when it has ended).

    `environment` reaches the child only (keys of providers): it is never written. Settings travel in request.json.
    """
    id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder = files.folder("jobs", id)
    files.write_json(
        folder / "request.json",
        {"kind": kind, "title": title, "dataset": dataset, "request": dict(request), "created": datetime.now(UTC).isoformat()},
    )
    _launch(folder, environment or {})
    return read(id)


def resume(id: str, *, environment: Mapping[str, str] | None = None) -> Job:
    """Start an ended job again in its folder: what its journal holds is not done twice."""
    job = read(id)
    if job.alive:
        return job
    for name in ("paused", "cancelled", "error.json", "result.json", endings.NOTE):
        (job.folder / name).unlink(missing_ok=True)
    _launch(job.folder, environment or {})
    return read(id)


def _launch(folder: Path, environment: Mapping[str, str]) -> None:
    if os.environ.get("FINETUNE_STUDIO_JOBS") == "inline":
        from core.io import work

        work.main(folder, environment)
        return
    with open(folder / "log.txt", "ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "core.io.work", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, "FINETUNE_STUDIO_HOME": str(files.home()), **environment},
        )
    (folder / "pid").write_text(str(child.pid))
    threading.Thread(target=child.wait, daemon=True).start()  # no zombie stays behind while this process lives
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and child.poll() is None and not _started(folder):
        time.sleep(0.01)


def _started(folder: Path) -> bool:
    return files.is_locked(folder / "lock")


def read(id: str) -> Job:
    """How a job stands. Raises MissingError."""
    folder = files.safe_join(files.folder("jobs"), id)
    if not (folder / "request.json").exists():
        raise MissingError(f"There is no job '{id[:40]}' in this workspace.", title="That job is gone")
    asked = files.read_json(folder / "request.json")
    told = progress.told(folder / "progress.jsonl")
    result = files.read_json(folder / "result.json") if (folder / "result.json").exists() else None
    error = files.read_json(folder / "error.json") if (folder / "error.json").exists() else None
    last, begun = told.last, told.begun
    state = _state(folder, result, error, bool(last.get("queued")))
    if state == "interrupted":
        error = endings.explained(folder, told.figures)
    ended = state not in ("running", "queued")
    now = last.get("time", begun) if ended else time.time()
    seconds = max(0.0, now - begun) if begun is not None and now is not None else 0.0
    return Job(
        id,
        asked["kind"],
        asked["title"],
        asked.get("dataset"),
        state,
        int(last.get("done", 0)),
        int(last.get("total", 0)),
        last.get("message", ""),
        told.figures,
        asked["created"],
        seconds,
        None if ended else told.left(seconds),
        result,
        error,
        asked["request"],
        folder,
    )


def _state(folder: Path, result: object, error: object, queued: bool) -> str:
    if _started(folder):
        return "queued" if queued else "running"
    if result is not None:
        return "done"
    if (folder / "paused").exists():
        return "paused"
    if (folder / "cancelled").exists():
        return "cancelled"
    if isinstance(error, dict):
        return "paused" if error.get("reason") else "failed"
    return "running" if files.is_locked(folder / endings.WATCHED) else "interrupted"


def all_jobs(dataset: str | None = None, kind: str | None = None) -> list[Job]:
    """Newest first."""
    ids = sorted((p.name for p in files.folder("jobs").iterdir() if (p / "request.json").exists()), reverse=True)
    found = [read(id) for id in ids]
    return [job for job in found if (dataset is None or job.dataset == dataset) and (kind is None or job.kind == kind)]


def pause(id: str) -> Job:
    """Stop a job so that it is offered to go on; what is finished is kept. The same as `cancel` but for the word."""
    job = read(id)
    if job.alive:
        (job.folder / "paused").touch()
    return cancel(id)


def cancel(id: str) -> Job:
    """Ask a job to stop, and end it and its children after a grace period. What is finished is kept."""
    job = read(id)
    if not job.alive:
        return job
    (job.folder / "cancelled").touch()
    pid = _pid(job.folder)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        threading.Thread(target=_insist, args=(job.folder, pid), daemon=False).start()
    return read(id)


def _insist(folder: Path, pid: int) -> None:
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        if not _started(folder):
            return
        time.sleep(0.05)
    _signal(pid, signal.SIGKILL)


def _pid(folder: Path) -> int | None:
    try:
        return int((folder / "pid").read_text())
    except (OSError, ValueError):
        return None


def _signal(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def delete(id: str) -> None:
    """Forget an ended job; a living one is left alone."""
    import shutil

    job = read(id)
    if not job.alive:
        shutil.rmtree(job.folder, ignore_errors=True)


@asynccontextmanager
async def farewell(app: object) -> AsyncIterator[None]:
    """Around the life of the server: when it ends, say which jobs go on and how to stop them."""
    yield
    living = [job for job in all_jobs() if job.alive]
    for job in living:
        print(f"{job.title} goes on without the studio. Stop it with: python -m core jobs cancel {job.id}", file=sys.stderr)
