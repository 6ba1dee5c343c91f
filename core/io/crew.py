"""Worker processes that do the parts of one piece of work and hand them back in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.context import BaseContext
from os import _exit
from typing import Any

from core.errors import StudioError
from core.io.spawning import Forked

LISTEN = 0.5
"""Seconds between two looks at whether the work was stopped."""


class Crew:
    """Worker processes that stay for several runs: what they have loaded, a tokenizer say, is loaded once. A context manager.

    They start with the first call that needs them, and each runs `first(*given)` before its own first call. Work that is
    stopped, or in which one is killed, ends them all at once. Who is given a crew enters it too: the outermost `with` sends the
    workers home. A parent that is killed leaves none behind.
    """

    def __init__(self, workers: int, context: BaseContext | None = None, first: Callable[..., None] | None = None, *given: Any) -> None:
        self.workers = workers
        self._context = context or Forked()
        self._first = (first, given)
        self._pool: ProcessPoolExecutor | None = None
        self._inside = 0

    def __enter__(self) -> Crew:
        self._inside += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._inside -= 1
        if self._pool and not self._inside:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def in_order(
        self, call: Callable[..., Any], parts: Iterable[tuple[Any, ...]], total: int, told: Callable[[int], None] | None = None
    ) -> Iterator[Any]:
        """`call(*part)` of each part, made by the workers, in the order of the parts.

        A few more than there are workers are on their way, so that `parts` may be made as they are asked for. `told(done)` is
        called twice a second at least and may raise to stop. Raises StudioError when a worker is killed.
        """
        left, flying, done, given = iter(parts), {}, {}, 0
        sent = 0
        try:
            while True:
                for part in islice(left, max(0, given + self.workers + 2 - sent)):
                    flying[self._submit(call, *part)] = sent
                    sent += 1
                if not flying and not done:
                    return
                for future in wait(flying, timeout=LISTEN, return_when=FIRST_COMPLETED).done:
                    done[flying.pop(future)] = future.result()
                if told:
                    told(given + len(done))
                while given in done:
                    yield done.pop(given)
                    given += 1
        except BrokenProcessPool as error:
            self.kill()
            raise StudioError(
                f"One of {self.workers} worker processes was ended from outside, with {given + len(done)} of {total} parts done. Most "
                "often the memory ran out. Close other programs, or take fewer rows, and start again; nothing was saved.",
                title="A worker process was killed",
            ) from error
        except BaseException:
            self.kill()
            raise

    def _submit(self, *work: Any) -> Future[Any]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, self._context, _ready, self._first)
        return self._pool.submit(*work)

    def kill(self) -> None:
        """End them at once, in the middle of their work."""
        pool, self._pool = self._pool, None
        if pool:
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(wait=True, cancel_futures=True)


def _ready(first: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    """Runs in each worker before its first part."""
    parent = parent_process()  # who made the pool, not the server it was forked off

    def watch() -> None:
        if parent:
            parent.join()
            _exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if first:
        first(*given)
