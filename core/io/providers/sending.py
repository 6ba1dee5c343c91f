"""Sending many requests through one client: what is under way, what waits, what the budget still allows.

One thread per request in flight; accounting, the journal and the budget live in the calling thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.io.providers.client import Failure, make_client
from core.io.providers.pacing import Pace
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
    attempt: int = 0
    ready: float = 0.0


class Run:
    """All requests of one `complete`, from the calling thread."""

    def __init__(self, host: Hosted, todo: list[Open], settings: dict[str, Any], take: Callable[..., None]) -> None:
        self.host, self.settings, self.take = host, settings, take
        self.waiting = todo
        self.flying: dict[Future[Reply | Failure], Open] = {}
        self.pace = Pace(host.parallel, len(todo))
        self.reserved = 0.0

    def go(self) -> None:
        host = self.host
        client = make_client(host.base_url, host.secret, deadline=host.deadline)
        pool = ThreadPoolExecutor(host.parallel, thread_name_prefix="provider")
        try:
            while self.waiting or self.flying:
                self._send(pool, client)
                if self.flying:
                    done, _ = wait(self.flying, timeout=0.25, return_when=FIRST_COMPLETED)
                    self._collect(done)
                elif self.waiting:
                    moment = max(min(one.ready for one in self.waiting), self.pace.paused_until)
                    host.sleep(max(0.001, moment - host.clock()))
        except BaseException:
            self._drain()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            client.close()

    def _send(self, pool: ThreadPoolExecutor, client: Any) -> None:
        host, now = self.host, self.host.clock()
        while self.waiting and len(self.flying) < self.pace.limit and now >= self.pace.paused_until:
            one = next((o for o in self.waiting if o.ready <= now), None)
            if one is None:
                return
            if host.budget is not None and host.rates and host.spent + self.reserved + one.worst > host.budget:
                if self.flying:
                    return  # what is under way may cost less than its worst case
                self._over_budget()
                return
            self.waiting.remove(one)
            one.attempt += 1
            self.reserved += one.worst
            self.flying[pool.submit(host.ask, client, one, self.settings)] = one

    def _over_budget(self) -> None:
        rest, self.waiting = self.waiting, []
        self.host.over_budget += len(rest)
        for one in rest:
            self.take(one, Reply("", finish="error", error=OVER_BUDGET))

    def _collect(self, done: set[Future[Reply | Failure]]) -> None:
        for future in sorted(done, key=lambda f: self.flying[f].place):
            one = self.flying.pop(future)
            self.reserved -= one.worst
            self._settle(one, future.result())

    def _settle(self, one: Open, outcome: Reply | Failure) -> None:
        if isinstance(outcome, Reply):
            self.pace.answered()
            self.host.spent += outcome.usd or 0.0
            if self.host.keep:
                self.host.remembered.put(one.key, outcome)
            self.take(one, outcome)
            return
        if outcome.parameter and self.host.forget(outcome.parameter):
            self.waiting.insert(0, one)
            return
        moment = self.pace.failed(outcome, one.attempt, self.host.clock())
        if moment is None:
            self.take(one, Reply("", finish="timeout" if outcome.timeout else "error", error=outcome.message))
        else:
            self.waiting.insert(0, replace(one, ready=moment))

    def _drain(self) -> None:
        """After a stop: what is under way has been paid for, so it is still kept."""
        done, _ = wait(self.flying, timeout=DRAIN)
        for future in done:
            one, outcome = self.flying[future], future.result()
            if isinstance(outcome, Reply):
                self.host.spent += outcome.usd or 0.0
                if self.host.keep:
                    self.host.remembered.put(one.key, outcome)
                self.take(one, outcome, stopping=True)
