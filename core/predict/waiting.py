"""Calls of a person's function that may hang: one thread makes them all, and is left behind when one takes too long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any


class Waiting:
    """Calls one function, one call after another, always in the same thread (connections and models of the function stay valid)."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, given: Any, seconds: float | None) -> Any:
        """What the function gives, or what it raises. Raises TimeoutError after so many seconds; the next call gets a new thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=_serve, args=(self.function, self._asked, self._said), daemon=True)
            self._thread.start()
        self._asked.put((given,))
        try:
            value, error = self._said.get(timeout=seconds)
        except queue.Empty:
            self.__init__(self.function)
            raise TimeoutError(f"no answer within {seconds:g} s") from None
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """Ends the thread."""
        self._asked.put(None)


def _serve(function: Callable[..., Any], asked: queue.SimpleQueue[Any], said: queue.SimpleQueue[Any]) -> None:
    while (given := asked.get()) is not None:
        try:
            said.put((function(*given), None))
        except BaseException as error:  # sys.exit in a person's function is a failure of its row
            said.put((None, error))
