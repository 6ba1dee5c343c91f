"""How fast to ask, when to ask again, and when to give up: plain bookkeeping, the clock comes in.

The first request goes alone (a wrong key costs one). Then up to `parallel` at once; a 429 halves that and makes everybody wait as
long as the endpoint says; 20 replies in a row let one more through. Retries have a budget of their own, and 20 failures in a row
end the run.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from core.errors import ProviderError
from core.io.providers.client import LONGEST_WAIT, Failure

ATTEMPTS = 5
"""Attempts per request."""
BREAK_AFTER = 20
"""Failures in a row that end the run."""


@dataclass
class Pace:
    """The state of one run."""

    parallel: int
    requests: int
    seed: int = 0
    limit: int = 1
    paused_until: float = 0.0
    in_a_row: int = 0
    good_in_a_row: int = 0
    proven: bool = False
    """Whether any request was answered."""
    retries_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.retries_left = max(20, self.requests // 2)
        self._random = random.Random(self.seed)

    def answered(self) -> None:
        if not self.proven:
            self.proven, self.limit = True, self.parallel
        self.in_a_row = 0
        self.good_in_a_row += 1
        if self.good_in_a_row % 20 == 0:
            self.limit = min(self.parallel, self.limit + 1)

    def failed(self, failure: Failure, attempt: int, now: float) -> float | None:
        """The moment to ask again, or None to give this request up. Raises ProviderError when the run should end."""
        self.good_in_a_row = 0
        self.in_a_row += 1
        if failure.kind == "fatal" or (failure.kind == "request" and not self.proven):
            raise ProviderError(f"{failure.message}", title=failure.title)
        if self.in_a_row >= BREAK_AFTER:
            raise ProviderError(f"{BREAK_AFTER} requests in a row failed, the last with {failure.message}. What arrived before is kept; "
                                "resume later.", title=failure.title)  # fmt: skip
        if failure.wait is not None and failure.wait > LONGEST_WAIT:
            raise ProviderError(f"The endpoint asks to wait {failure.wait:,.0f} s ({failure.message}). What arrived before is kept; "
                                "resume after that.", title=failure.title)  # fmt: skip
        last = attempt >= (2 if failure.timeout else ATTEMPTS)
        if failure.kind == "request" or last or self.retries_left <= 0:
            if not self.proven:
                raise ProviderError(f"{failure.message}. Nothing was answered yet.", title=failure.title)
            return None
        self.retries_left -= 1
        wait = failure.wait if failure.wait is not None else min(8.0, 0.5 * 2 ** (attempt - 1)) * (0.75 + 0.5 * self._random.random())
        if failure.kind == "busy":
            self.limit = max(1, self.limit // 2)
            self.paused_until = max(self.paused_until, now + wait)
        return now + wait
