"""Spawned processes that do not run the parent's main script again.

A spawned child normally imports the parent's `__main__`. In a Streamlit server that is whichever page is being drawn: every
worker would draw it once more before it starts to work. What workers run here stands in importable modules, so it is left out.
"""

from __future__ import annotations

import multiprocessing.context as context
from multiprocessing import spawn
from multiprocessing.popen_spawn_posix import Popen
from threading import Lock
from typing import Any

_ONE_AT_A_TIME = Lock()


class _Launched(Popen):
    def _launch(self, process_obj: Any) -> None:
        with _ONE_AT_A_TIME:
            whole = spawn.get_preparation_data
            spawn.get_preparation_data = lambda name: {k: v for k, v in whole(name).items() if not k.startswith("init_main")}
            try:
                super()._launch(process_obj)  # type: ignore[misc]
            finally:
                spawn.get_preparation_data = whole


class _Process(context.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Launched:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Launched(process_obj)


class Spawned(context.SpawnContext):
    """For ProcessPoolExecutor(mp_context=Spawned()): a spawn context without the main script."""

    Process = _Process  # type: ignore[assignment]
