"""A run as its replies arrive: each is journalled, judged as far as time allows, and told on the job's page."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from core.augment.asks import Ask
from core.augment.gates import Judge
from core.augment.reading import Read
from core.io import written
from core.io.providers.sending import OVER_BUDGET
from core.io.written import read_reply
from core.reply import Reply

if TYPE_CHECKING:
    from core.io.work import Desk

RECENT = 30.0
"""Seconds the live rate is taken over."""


class Live:
    """Journals replies and tells how the run stands, at most three times a second."""

    def __init__(self, desk: Desk, total: int, judge: Judge) -> None:
        self.desk, self.judge, self.total = desk, judge, total
        self.standing = written.standing(desk.folder)
        self.done = self.accepted = self.rejected = 0
        self.failures: Counter[str] = Counter()
        """What requests without a reply got told -> how many."""
        self.recent: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self.arrived = 0
        self.told = self.judging = 0.0
        self.began = time.monotonic()

    def taking(self, some: Sequence[Ask], wanted: Collection[str]) -> Callable[[int, Reply], None]:
        """What is told of each reply to these requests; those of other keys than `wanted` are known."""

        def arrived(place: int, reply: Reply) -> None:
            if some[place].key not in wanted:
                return
            self.arrived += 1
            if reply.finish in ("error", "timeout"):
                if reply.error != OVER_BUDGET:
                    self.failures[reply.error] += 1
                return
            ask = some[place]
            written.keep_reply(self.desk.folder, ask, reply)
            self.standing.add(reply)
            if ask.then is None:
                self._judge(ask, read_reply(reply, ask))

        return arrived

    def _judge(self, ask: Ask, read: Read) -> None:
        """Count what would pass, as long as that takes a fifth of the time at most: all are judged at the end anyway."""
        start = time.monotonic()
        if self.judging > 1 + 0.2 * (start - self.began):
            return
        cells = read.cells or [{}] * len(read.variants)
        passed = sum(not self.judge(variant, ask, one) for variant, one in zip(read.variants, cells, strict=True))
        self.accepted += passed
        self.rejected += max(1, len(read.variants)) - passed if passed < max(1, len(read.variants)) else 0
        self.judging += time.monotonic() - start

    def rate(self, moment: float) -> float:
        """Replies per second over the last RECENT seconds."""
        self.recent.append((moment, self.arrived))
        while moment - self.recent[0][0] > RECENT:
            self.recent.popleft()
        (began, before), (now, count) = self.recent[0], self.recent[-1]
        return (count - before) / (now - began) if now > began else 0.0

    def progress(self, done: int, total: int, message: str) -> None:
        """How many of the present requests have come, and where a batch stands; raises Stopped once the person has stopped the job."""
        moment = time.monotonic()
        if done < total and moment - self.told < 0.3 and not self.desk.stopped():
            return
        self.told, known = moment, self.standing
        figures = {
            "usd": known.usd or 0.0,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "failed": self.failures.total(),
            "rate": round(self.rate(moment), 2),
            "tokens_in": known.tokens_in,
            "tokens_out": known.tokens_out,
            "estimated": known.estimated,
        }
        self.desk.say(self.done + done, self.total, message if message.startswith("Batch") else "Writing variants", **figures)
