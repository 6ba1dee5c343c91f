"""A job in a child process that kills itself (SIGKILL) at a named moment, so that a kill lands where it hurts and not where it is easy."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRELOADED = ["core.io.augmenting", "core.io.effect", "openai", "httpx2", "pandas", "pyarrow.parquet", "py3langid.langid", "bpe_openai.compat",
             "core.io.providers.hosted", "core.io.hosted", "core.io.validating", "core.io.work", "tests.warmed"]  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """The n-th time a file of that name is written, or a request is answered: before, in the middle, after."""

    what: str
    """A file name, "cache" for the remembered replies, or "request"."""
    nth: int
    when: str = "after"

    def __str__(self) -> str:
        return f"{self.when}-{self.what}-{self.nth}"


def run(folder: Path, environment: dict[str, str], moment: Moment | None = None) -> int:
    """Run the job of this folder in a child; returns its exit code (-9 when it was killed)."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    child = context.Process(target=_run, args=(str(folder), os.environ["FINETUNE_STUDIO_HOME"], environment, moment))
    child.start()
    child.join(60)
    return child.exitcode if child.exitcode is not None else 1


def _run(folder: str, home: str, environment: dict[str, str], moment: Moment | None) -> None:
    os.environ["FINETUNE_STUDIO_HOME"] = home
    from core.io import work

    if moment is not None:
        _plant(moment)
    work.main(Path(folder), environment)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _plant(moment: Moment) -> None:
    from core.io import files
    from core.io.providers.hosted import Hosted

    count = [0]

    def due(happens: bool) -> bool:
        count[0] += happens
        return happens and count[0] == moment.nth

    def appended(real: Callable[..., Any]) -> Callable[..., Any]:
        def append(path: Path, record: dict[str, Any], **how: Any) -> None:
            named = "cache" if path.parent.name == "replies" else path.name
            if not due(named == moment.what):
                return real(path, record, **how)
            if moment.when == "middle":
                with open(path, "ab") as handle:
                    handle.write(b'{"key": "0-0-cut", "row": 0, "reply": {"te')
                    handle.flush()
            elif moment.when == "after":
                real(path, record, **how)
            return _die()

        return append

    def written(real: Callable[..., Any]) -> Callable[..., Any]:
        def write(path: Path, data: bytes | str) -> None:
            if due(path.name == moment.what):
                _die()
            real(path, data)

        return write

    def answered(real: Callable[..., Any]) -> Callable[..., Any]:
        def ask(self: Any, *given: Any) -> Any:
            last = due(moment.what == "request")
            found = real(self, *given)
            if last:
                _die()
            return found

        return ask

    files.append_line = appended(files.append_line)
    files.atomic_write = written(files.atomic_write)
    Hosted.ask = answered(Hosted.ask)  # type: ignore[method-assign]
