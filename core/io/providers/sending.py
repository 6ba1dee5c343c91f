"""Sending many requests through one client: what is under way, what waits, what the budget still allows.

A fixed pool of `parallel` workers asks; accounting, the journal and the budget live in the calling thread. A reply is journalled
before the next request takes its worker's place, so a kill loses at most `parallel` paid replies.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from core.io.providers.client import Failure, make_client
from core.io.providers.limits import Room
from core.io.providers.pacing import FIRST_ATTEMPTS, Pace, Sent
from core.prompt import Message
from core.reply import Reply

if TYPE_CHECKING:
    from core.io.providers.hosted import Hosted

OVER_BUDGET = "not asked: it could pass the budget"
DRAIN = 6.0
"""Seconds that requests in flight are waited for after a stop: they are paid already."""


@dataclass
class Open:
    """One request on its way."""

    place: int
    messages: list[Message]
    max_tokens: int
    key: str
    worst: float
    """USD it can cost at most."""
    tokens: int
    """Tokens that rate limits may count for it, roughly."""
    seed: int
    attempt: int = 0
    sent: Sent = field(default_factory=lambda: Sent(0, 0))


Outcome = tuple[Reply | Failure, Room]


class Run:
    """All requests of one `complete`, from the calling thread."""

    def __init__(self, host: Hosted, todo: Iterable[Open], count: int, settings: dict[str, Any], take: Callable[..., None]) -> None:
        self.host, self.settings, self.take = host, settings, take
        self.todo = iter(todo)
        self.first: deque[Open] = deque()
        """Requests that go before new ones."""
        self.later: list[tuple[float, int, Open]] = []
        """A heap of requests that are asked again, by the moment from which they may go."""
        self.flying: dict[Future[Outcome], Open] = {}
        self.pace = Pace(host.parallel, count)
        self.reserved = 0.0

    def go(self) -> None:
        host = self.host
        client = make_client(host.base_url, host.secret, deadline=host.deadline)
        pool = ThreadPoolExecutor(host.parallel, thread_name_prefix="provider")
        try:
            while self._send(pool, client) or self.flying or self.later or self.first:
                full = len(self.flying) >= self.pace.at_once()
                rest = 0.25 if full else max(0.001, self._opens() - host.clock())
                if self.flying:
                    done, _ = wait(self.flying, timeout=min(0.25, rest), return_when=FIRST_COMPLETED)
                    for future in sorted(done, key=lambda f: self.flying[f].place):
                        self._collect(future)
                        self._send(pool, client)
                else:
                    host.sleep(rest)
        except BaseException:
            self._drain()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            client.close()

    def _next(self) -> Open | None:
        """The request that goes next; None when there is none that may go by now."""
        if self.later and self.later[0][0] <= self.host.clock():
            self.first.append(heappop(self.later)[2])
        if not self.first and (one := next(self.todo, None)) is not None:
            self.first.append(one)
        return self.first[0] if self.first else None

    def _opens(self) -> float:
        """The moment at which something can be sent at the earliest."""
        if self.first:
            return self.pace.opens(self.first[0].tokens)
        return max(self.later[0][0], self.pace.paused_until) if self.later else self.host.clock() + 0.25

    def _send(self, pool: ThreadPoolExecutor, client: Any) -> bool:
        """Send what may go now; whether anything went."""
        host, went = self.host, False
        while len(self.flying) < self.pace.at_once() and (one := self._next()) is not None:
            if host.clock() < self.pace.opens(one.tokens):
                break
            if host.budget is not None and host.rates and host.spent + host.unsure + self.reserved + one.worst > host.budget:
                if not self.flying:
                    self._over_budget()
                break  # what is under way may cost less than its worst case
            self.first.popleft()
            one.attempt += 1
            one.sent = self.pace.sent(one.tokens)
            self.reserved += one.worst
            self.flying[pool.submit(host.ask, client, one, self.settings)] = one
            went = True
        return went

    def _over_budget(self) -> None:
        for one in (*self.first, *(one for _, _, one in self.later), *self.todo):
            self.host.over_budget += 1
            self.take(one, Reply("", finish="error", error=OVER_BUDGET))
        self.first.clear()
        self.later.clear()

    def _collect(self, future: Future[Outcome]) -> None:
        one = self.flying.pop(future)
        self.reserved -= one.worst
        outcome, room = future.result()
        self.pace.hears(room, len(self.flying), sum(other.tokens for other in self.flying.values()), self.host.clock())
        if isinstance(outcome, Reply):
            self.pace.answered(one.sent)
            self.host.proves()
            self._keep(one, outcome)
        else:
            self._again(one, outcome)

    def _keep(self, one: Open, reply: Reply, **how: Any) -> None:
        """Whoever asked journals it with its price first; remembered it costs nothing, which would be no account of this run."""
        self.host.spent += reply.usd or 0.0
        try:
            self.take(one, reply, **how)
        finally:
            if self.host.keep:
                self.host.remembered.put(one.key, reply)

    def _again(self, one: Open, failure: Failure) -> None:
        if self.host.adapts(failure, self.settings, proven=self.pace.proven):
            self.first.appendleft(one)
            return
        self.host.unsure += one.worst if failure.paid else 0.0
        moment = self.pace.failed(failure, one.attempt, one.sent, self.host.clock())
        if moment is None:
            self.take(one, Reply("", finish="timeout" if failure.timeout else "error", error=failure.message))
        elif not self.pace.proven and one.attempt >= FIRST_ATTEMPTS:
            one.attempt = 0
            self.first.extend([other] if (other := next(self.todo, None)) else [])
            heappush(self.later, (moment, one.sent.order, one))
        else:
            heappush(self.later, (moment, one.sent.order, one))

    def _drain(self) -> None:
        """After a stop: what is under way has been paid for, so it is still kept; what does not come in time may be charged."""
        done, late = wait(self.flying, timeout=DRAIN)
        self.host.unsure += sum(self.flying[future].worst for future in late)
        for future in done:
            one, (outcome, _) = self.flying[future], future.result()
            if isinstance(outcome, Reply):
                self._keep(one, outcome, stopping=True)
