"""A call to a platform, repeated while it is busy or fails in passing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.errors import Paused, ProviderError
from core.io.providers.client import LONGEST_WAIT, failure_of

TRIES = 8
"""Attempts of one call."""


def patiently(ask: Callable[[], Any], key: str | None, *, deadline: float, sleep: Callable[[float], None], goes_on: str) -> Any:
    """What `ask` gives. Raises ProviderError when there is no sense in going on, or Paused when it keeps failing.

    `goes_on` is said then: what the platform does meanwhile, and what to do later.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return ask()
        except Exception as error:
            failure = failure_of(error, key, deadline)
            if failure.kind in ("fatal", "request"):
                raise ProviderError(failure.message, title=failure.title) from None
            wait = failure.wait if failure.wait is not None else min(30.0, 0.5 * 2**attempt)
            if attempt == TRIES or wait > LONGEST_WAIT:
                raise Paused(f"{failure.message}. {goes_on}", title=failure.title,
                             reason="busy" if failure.kind == "busy" else "failing", wait=failure.wait) from None  # fmt: skip
            sleep(wait)
    raise AssertionError("every attempt returns, raises or waits")
