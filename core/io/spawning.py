"""Spawned processes that do not run the parent's main script again.

A spawned child normally imports the parent's `__main__`. In a Streamlit server that is whichever page is being drawn: every
worker would draw it once more before it starts to work. What workers run here stands in importable modules, so it is left out.
Children work side by side, one to a core, so the numeric libraries in them get one thread each.
"""

from __future__ import annotations

import multiprocessing.context as context
import os
from multiprocessing import spawn
from multiprocessing.popen_spawn_posix import Popen
from threading import Lock
from typing import Any

_ONE_AT_A_TIME = Lock()
THREADS = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")}
"""Read by numeric libraries when they are loaded, so they have to stand in a child's environment before it starts."""


class _Launched(Popen):
    def _launch(self, process_obj: Any) -> None:
        with _ONE_AT_A_TIME:
            whole, before = spawn.get_preparation_data, {name: os.environ.get(name) for name in THREADS}
            spawn.get_preparation_data = lambda name: {k: v for k, v in whole(name).items() if not k.startswith("init_main")}
            os.environ.update(THREADS)
            try:
                super()._launch(process_obj)  # type: ignore[misc]
            finally:
                spawn.get_preparation_data = whole
                _restore(before)


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class _Process(context.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Launched:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Launched(process_obj)


class Spawned(context.SpawnContext):
    """For ProcessPoolExecutor(mp_context=Spawned()): a spawn context without the main script."""

    Process = _Process  # type: ignore[assignment]
