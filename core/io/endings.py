"""How the process of a job ended, where it could not say so itself: found out by a small process that waits for it.

`python -m core.io.work` forks before it imports anything heavy: the child works, the parent waits, so a death is noted with its
signal and the memory held even when the studio that started the job is gone. Whoever is left of the job's processes is
ended then. Where both were killed nothing was noted, and what the job told last is all there is.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.errors import StudioError
from core.finetune.settings import TrainSettings
from core.finetune.smaller import Smaller, advised, ladder, sentence
from core.format import size
from core.io import files
from core.io.device import memory

NOTE = "ended.json"
WATCHED = "watched"
"""Locked until the note is written."""
WAYS = "smaller.json"
"""Written by a training before it starts: ways to need less, with what they take."""
MERCY = 1.0
"""Seconds between the polite signal to what a dead job left and the one that cannot be refused."""
NEAR = 0.85
"""Share of the memory from which on it counts as full."""
KEPT = "What was finished is kept, and the run can be resumed."
WORDS = {
    signal.SIGSEGV: "a library read memory that is not its own (signal 11, segmentation fault)",
    signal.SIGBUS: "a file it was reading became shorter, or the disk is full (signal 7, bus error)",
    signal.SIGILL: "a package was built for another processor (signal 4, illegal instruction)",
    signal.SIGFPE: "a library divided by zero (signal 8)",
    signal.SIGABRT: "a library gave up (signal 6, abort)",
    signal.SIGTERM: "it was told to end (signal 15), as when the machine shuts down",
    signal.SIGHUP: "its terminal was closed (signal 1)",
    signal.SIGINT: "it was interrupted from a keyboard (signal 2)",
    signal.SIGXFSZ: "a file grew beyond what this account may write (signal 25)",
    signal.SIGXCPU: "it used more processor time than this account may (signal 24)",
}


def supervise(folder: Path) -> None:
    """Returns in a child that works; the calling process waits for it, notes how it ended, ends what it left, and exits."""
    worker = os.fork()
    if not worker:
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with files.lock(folder / WATCHED):
        _, status, used = os.wait4(worker, 0)
        code = os.waitstatus_to_exitcode(status)
        with suppress(OSError, ValueError, StudioError):
            note(folder, code, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
    _end_the_rest(killed=code < 0)
    os._exit(code if code >= 0 else 128 - code)


def _end_the_rest(killed: bool) -> None:
    if os.getpgrp() != os.getpid():
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(0, signal.SIGTERM)
        if killed:
            time.sleep(MERCY)
            os.killpg(0, signal.SIGKILL)


def note(folder: Path, code: int, held: int) -> None:
    """Write how it ended into the folder, unless the job said so itself or was stopped. `held` is the most bytes it held."""
    if code == 0 or not folder.is_dir() or any((folder / name).exists() for name in ("result.json", "error.json", "cancelled", "paused")):
        return
    title, message = _words(folder, code, held)
    files.write_json(folder / NOTE, {"code": code, "held": held, "title": title, "message": message})


def explained(folder: Path, figures: Mapping[str, Any]) -> dict[str, str] | None:
    """{title, message} of a job whose process is gone without a result; None where nothing can be said but that."""
    if (folder / NOTE).is_file():
        noted = files.read_json(folder / NOTE)
        return {"title": noted["title"], "message": noted["message"]}
    held = int(figures.get("memory") or 0)
    if held < NEAR * room():
        return None
    told = f"Its process ended without a word. It had last held {_of(held)}, so the memory probably ran out. {_smaller(folder, held)}{KEPT}"
    return {"title": "Probably out of memory", "message": told}


def room() -> int:
    """Bytes of memory this process may use: the machine's, or those of its container."""
    with suppress(OSError, ValueError):
        return min(memory(), int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory()


def _words(folder: Path, code: int, held: int) -> tuple[str, str]:
    if code == -signal.SIGKILL:
        why = (
            f"The system ended its process with signal 9, as it does when the memory runs out. It had held {_of(held)}{_expected(folder)}."
        )
        if held < NEAR * room() / 2:
            why += " Other programs may have held the rest, or someone ended it by hand."
        return "Probably out of memory", f"{why} {_smaller(folder, held)}{KEPT}"
    if code < 0:
        reason = WORDS.get(signal.Signals(-code)) if -code in {*signal.Signals} else None
        return "Its process died", f"Its process died: {reason or f'signal {-code}'}. {_last_line(folder)}{KEPT}"
    return "Its process ended early", f"Its process ended with exit code {code} and no result. {_last_line(folder)}{KEPT}"


def _of(held: int) -> str:
    return f"{size(held)} of {size(room())}"


def _expected(folder: Path) -> str:
    about = folder / "about.json"
    told = files.read_json(about).get("estimate", {}).get("memory") if about.is_file() else None
    return f"; {size(told)} were expected" if told else ""


def _smaller(folder: Path, held: int) -> str:
    """What to set, for a training."""
    asked = files.read_json(folder / "request.json")
    if asked["kind"] != "finetune" or asked["request"].get("measure"):
        return ""
    settings = TrainSettings.from_dict(asked["request"].get("settings", {}))
    kept = files.read_json(folder / WAYS) if (folder / WAYS).is_file() else []
    ways = [Smaller(**one) for one in kept] or ladder(settings, lambda _: 0)
    expected = files.read_json(folder / "about.json").get("estimate", {}).get("memory", held) if (folder / "about.json").is_file() else held
    way = advised(ways, int(0.8 * min(held, expected)))
    return f"{sentence(way, settings.to_dict())} " if way else ""


def _last_line(folder: Path) -> str:
    log = folder / "log.txt"
    lines = [line.strip() for line in log.read_text(errors="replace")[-4000:].splitlines() if line.strip()] if log.is_file() else []
    return f"The last line of its log: {lines[-1][:200]} " if lines else ""
