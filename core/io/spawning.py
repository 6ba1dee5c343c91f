"""Child processes that do not run the parent's main script again: spawned fresh, or forked off a server that has imported already.

A child normally imports the parent's `__main__`. In a Streamlit server that is whichever page is being drawn: every worker
would draw it once more before it starts to work. What workers run here stands in importable modules, so it is left out.
Children work side by side, one to a core, so the numeric libraries in them get one thread each.

`Spawned` starts a new interpreter for each child. `Forked` starts one, which imports the modules named in PRELOAD and then
forks: as safe (it has one thread and holds nothing of the parent), and several children cost the imports once.
"""

from __future__ import annotations

import multiprocessing.context as context
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, spawn
from multiprocessing.popen_forkserver import Popen as Server
from multiprocessing.popen_spawn_posix import Popen
from threading import Lock
from typing import Any

_ONE_AT_A_TIME = Lock()
THREADS = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")}
"""Read by numeric libraries when they are loaded, so they have to stand in a child's environment before it starts."""
PRELOAD = ("pandas", "core.curate.running", "core.io.engine", "core.io.curating")
"""What row work needs, imported once by the server that workers are forked off."""


@contextmanager
def _childlike() -> Iterator[None]:
    """While a child is started: one thread to a numeric library, and no main script among what it is told."""
    with _ONE_AT_A_TIME:
        whole, before = spawn.get_preparation_data, {name: os.environ.get(name) for name in THREADS}
        spawn.get_preparation_data = lambda name: {k: v for k, v in whole(name).items() if not k.startswith("init_main")}
        os.environ.update(THREADS)
        try:
            yield
        finally:
            spawn.get_preparation_data = whole
            _restore(before)


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class _Launched(Popen):
    def _launch(self, process_obj: Any) -> None:
        with _childlike():
            super()._launch(process_obj)  # type: ignore[misc]


class _Process(context.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Launched:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Launched(process_obj)


class Spawned(context.SpawnContext):
    """For ProcessPoolExecutor(mp_context=Spawned()): a spawn context without the main script."""

    Process = _Process  # type: ignore[assignment]


class _Branched(Server):
    def _launch(self, process_obj: Any) -> None:
        with _childlike():
            super()._launch(process_obj)  # type: ignore[misc]


class _Fork(context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Branched:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Branched(process_obj)


class Forked(context.ForkServerContext):
    """For ProcessPoolExecutor(mp_context=Forked()): children forked off the server that has imported PRELOAD."""

    Process = _Fork  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        forkserver.set_forkserver_preload(list(PRELOAD))


def warm() -> None:
    """Start the server that workers are forked off, so that its imports run while this process reads its data."""
    Forked()
    with _childlike():
        forkserver.ensure_running()
