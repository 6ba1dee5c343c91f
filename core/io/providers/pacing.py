"""How fast to ask, when to ask again, and when to pause: plain bookkeeping, the clock comes in.

The first request goes alone (a wrong key costs one). Then up to `parallel` at once, fewer where the endpoint's own rate-limit headers
leave less room; a 429 halves that and everybody waits as long as the endpoint says; 20 replies in a row let one more through.
Retries have a budget of their own. From the third failure in a row on, one request at a time finds out whether the endpoint is back;
20 failures in a row, a stall or an empty budget of retries pause the run. A row is one of sending: a reply ends it for what was sent
before that reply. Failures of requests that were under way when a row began do not count, so one burst is one failure; a lasting
failure is noticed within 20 + `parallel` requests. A request is given up when so many failures cannot be chance.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from core.errors import Paused, ProviderError
from core.io.providers.client import LONGEST_WAIT, Failure
from core.io.providers.limits import Room

ATTEMPTS, FEWEST = 12, 4
"""Attempts per request, at most and at least, once any was answered."""
CHANCE = 1e-6
"""A request is given up when it would fail as often by chance with less than this probability, given how often others failed."""
FIRST_ATTEMPTS = 3
"""Attempts per request while none was answered; then another one is tried."""
FIRST_FAILURES = 6
"""Failures that end a run in which nothing was answered."""
BREAK_AFTER = 20
"""Failures in a row that pause the run."""
OVERTAKING = 5
"""How many of the requests under way may be overtaken by others and so fall out of a row that is really theirs too."""
CAREFUL_AFTER = 3
"""Failures in a row after which one request goes at a time."""
LONGEST_PROBE = 2.0
"""Seconds between two of those."""
STALLS = 2
"""Requests without a whole answer, while nothing else was answered either, that pause the run."""
_KEPT = "What arrived before is kept; resume later"


@dataclass(frozen=True)
class Sent:
    """One attempt on its way."""

    order: int
    """Its number in the order of sending."""
    answers: int
    """How many had been answered by then."""


@dataclass
class Pace:
    """The state of one run."""

    parallel: int
    requests: int
    seed: int = 0
    limit: int = 1
    paused_until: float = 0.0
    sends: int = 0
    answers: int = 0
    failures: int = 0
    row: list[tuple[int, int]] = field(default_factory=list)
    """Failures in a row, as they came: the number in the order of sending, and how many were sent by the time it failed."""
    calm_from: int = 0
    """Requests sent from here on may slow the run down when they meet a 429; those before already did."""
    stalls: int = 0
    good_in_a_row: int = 0
    room: Room = field(default_factory=Room)
    told: float = 0.0
    """The moment `room` was told."""
    retries_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.retries_left = self.retries = max(20, self.requests * 3 // 5)
        self._random = random.Random(self.seed)

    @property
    def in_a_row(self) -> int:
        return len(self.row)

    @property
    def counted(self) -> int:
        """Failures in a row of requests that were sent after the row began, and the one that began it."""
        return 1 + sum(order > self.row[0][1] for order, _ in self.row[1:]) if self.row else 0

    @property
    def proven(self) -> bool:
        """Whether any request was answered."""
        return self.answers > 0

    def at_once(self) -> int:
        """How many may be under way now."""
        return 1 if self.in_a_row >= CAREFUL_AFTER else self.limit

    def opens(self, tokens: int) -> float:
        """The moment a request of so many tokens may go."""
        return max(self.paused_until, self.told + self.room.wait(tokens))

    def sent(self, tokens: int) -> Sent:
        """A request of so many tokens goes now."""
        self.room = self.room.less(tokens)
        self.sends += 1
        return Sent(self.sends, self.answers)

    def hears(self, room: Room, flying: int, tokens: int, now: float) -> None:
        """The rate-limit headers of an answer. What is still under way, `tokens` in all, may not be counted in them yet."""
        if room.known:
            self.room, self.told = room.less(tokens, flying), now

    def answered(self, sent: Sent) -> None:
        if not self.proven:
            self.limit = self.parallel
        self.answers += 1
        self.row = [failure for failure in self.row if failure[0] > sent.order]
        self.stalls = 0
        self.good_in_a_row += 1
        if self.good_in_a_row % 20 == 0:
            self.limit = min(self.parallel, self.limit + 1)

    def failed(self, failure: Failure, attempt: int, sent: Sent, now: float) -> float | None:
        """The moment to ask again, or None to give this request up.

        Raises ProviderError when the run cannot go on as it is set, Paused when it could later.
        """
        if failure.kind == "fatal" or (failure.kind == "request" and not self.proven and not failure.own):
            raise _end(failure)
        if failure.own:
            return None
        self._count(sent, now)
        self._stop_when_lasting(failure, sent)
        if failure.kind == "request":
            return None
        if failure.timeout:
            return now if self.answers > sent.answers and attempt < 2 else None
        if self.proven and self._hopeless(attempt):
            return None
        if not self.proven and attempt >= FIRST_ATTEMPTS:
            return now
        self._spend_a_retry(failure)
        return self._next(failure, attempt, sent, now)

    def _hopeless(self, attempt: int) -> bool:
        """Whether so many failures of one request cannot be chance."""
        others = self.failures - attempt + 1
        share = others / (self.answers + others)
        return attempt >= ATTEMPTS or (attempt >= FEWEST and share**attempt < CHANCE)

    def _count(self, sent: Sent, now: float) -> None:
        self.good_in_a_row = 0
        self.failures += 1
        self.row.append((sent.order, self.sends))
        if self.in_a_row >= CAREFUL_AFTER and self.proven:
            wait = min(LONGEST_PROBE, 0.5 * 2 ** min(8, self.in_a_row - CAREFUL_AFTER))
            self.paused_until = max(self.paused_until, now + wait)

    def _stop_when_lasting(self, failure: Failure, sent: Sent) -> None:
        if failure.wait is not None and failure.wait > LONGEST_WAIT:
            raise Paused(f"The endpoint asks to wait {failure.wait:,.0f} s ({failure.message}). What arrived before is kept; resume after "
                         "that.", title=failure.title, reason="busy", wait=failure.wait)  # fmt: skip
        reason = "stalled" if failure.timeout else "busy" if failure.kind == "busy" else "failing"
        if not self.proven and (failure.timeout or self.in_a_row >= FIRST_FAILURES):
            raise Paused(f"{failure.message}. Nothing was answered yet.", title=failure.title, reason=reason)
        self.stalls += failure.timeout and self.answers == sent.answers
        if self.stalls >= STALLS:
            raise Paused(f"{failure.message}, {self.stalls} times while nothing else was answered. {_KEPT}.", title=failure.title,
                         reason=reason)  # fmt: skip
        enough = max(BREAK_AFTER, self.parallel + BREAK_AFTER - OVERTAKING)
        if self.counted >= BREAK_AFTER or (self.counted >= BREAK_AFTER // 2 and self.in_a_row >= enough):
            raise Paused(f"{self.in_a_row} requests in a row failed, the last with {failure.message}. {_KEPT}.", title=failure.title,
                         reason=reason)  # fmt: skip

    def _spend_a_retry(self, failure: Failure) -> None:
        if self.retries_left <= 0:
            raise Paused(f"Too many requests fail: {self.retries:,} were asked again, for {self.requests:,} requests, the last after "
                         f"{failure.message}. {_KEPT}.", title="The endpoint fails too often")  # fmt: skip
        self.retries_left -= 1

    def _next(self, failure: Failure, attempt: int, sent: Sent, now: float) -> float:
        backoff = min(8.0, 0.5 * 2 ** (attempt - 1)) * (0.75 + 0.5 * self._random.random())
        wait = backoff if failure.wait is None else failure.wait
        if failure.kind == "busy" or failure.wait is not None:
            self.paused_until = max(self.paused_until, now + wait)
        if failure.kind == "busy" and sent.order > self.calm_from:
            self.limit, self.calm_from = max(1, self.limit // 2), self.sends
        return now + wait


def _end(failure: Failure) -> ProviderError:
    if failure.pause:
        return Paused(f"{failure.message} What arrived before is kept.", title=failure.title, reason=failure.pause)
    return ProviderError(failure.message, title=failure.title)
