"""Augmentation at the edge: train rows out of a version, a writer's replies into a journal.

    <folder>/replies.jsonl     see `core/io/written.py`; the folder is a job's, or one per version and settings by hand

Only train rows can be asked for: validation and test rows are read for one purpose, to reject variants that come too close to
them, and go to no writer. A killed or paused run starts again where its journal ends; requests that follow from a reply (there and
back) are asked once all first ones are answered. What is asked is planned from the version each time, so nothing of it is stored.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.augment.asks import Ask, followed, reply_schema
from core.augment.asks import judged as to_judge
from core.augment.gates import Judge
from core.augment.presets import AugmentSettings
from core.augment.reading import Read
from core.augment.report import Report, candidates, report
from core.augment.requests import Estimate, estimate, reply_limit
from core.errors import Stopped
from core.io import files, meanings, store, written
from core.io.judging import asks, judge_for, judged, replies_in, review, train_rows
from core.io.providers.sending import OVER_BUDGET
from core.io.writers import Writer
from core.io.written import read_reply
from core.reply import Reply
from core.version import Version, digest

if TYPE_CHECKING:
    from core.io.work import Desk

__all__ = ["OVER_BUDGET", "Tried", "Writer", "again", "asks", "estimated", "judge_for", "judged", "read_reply", "replies_in", "review",
           "run_augment", "summary", "train_rows", "try_rows"]  # fmt: skip
HOSTED_SECONDS_PER_TOKEN = 0.015
"""What a hosted model takes per token of its reply, roughly; estimates say "about"."""
LOCAL_SECONDS_PER_TOKEN = 0.02
"""The same for the built-in model on two CPU cores, in batches of eight."""
RECENT = 30.0
"""Seconds the live rate is taken over."""


def estimated(planned: Sequence[Ask], writer: Writer) -> Estimate:
    """What these requests take: tokens, USD (None when no price is known), minutes."""
    local = writer.name == "embedded"
    pace = LOCAL_SECONDS_PER_TOKEN if local else HOSTED_SECONDS_PER_TOKEN
    rates = writer.batch_rates() if writer.batch else writer.known_rates()
    return estimate(planned, _counter(local), rates, seconds_per_token=pace, parallel=1 if local else writer.parallel)


def _counter(local: bool) -> Callable[[list[str]], list[int]]:
    from core.io.tokens import counter

    if local:
        from core.io.embedded import is_ready

        return counter("embedded") if is_ready() else counter()
    return counter()


@dataclass(frozen=True)
class Tried:
    """A few rows, really written and judged."""

    judged: pd.DataFrame
    report: Report
    usd: float | None
    seconds: float
    errors: tuple[str, ...] = ()


def try_rows(version: Version, settings: AugmentSettings, writer: Writer, *, rows: int = 3, **more: Any) -> Tried:
    """Write and judge the variants of a few rows, the same ones for the same seed. `more` goes to the provider (key, engine)."""
    planned = asks(version, settings)
    chosen = sorted({ask.row for ask in planned}, key=lambda row: digest([settings.seed, row]))[:rows]
    few = [ask for ask in planned if ask.row in chosen]
    start = time.perf_counter()
    provider = writer.connect(**more)
    read: dict[str, Read] = {}
    replies: list[Reply] = []
    wave = few
    while wave:
        said = provider.complete([ask.messages for ask in wave], **_asking(wave, settings))
        replies += said
        read |= {ask.key: read_reply(reply, ask) for ask, reply in zip(wave, said, strict=True)}
        wave = followed(wave, read)
    shown = to_judge(few, read)
    judged = candidates(shown, read, judge_for(version, settings))
    usd = None if provider.rates is None else sum(reply.usd or 0.0 for reply in replies)
    errors = tuple(dict.fromkeys(reply.error for reply in replies if reply.error))
    return Tried(judged, report(shown, judged), usd, time.perf_counter() - start, errors)


def _asking(few: Sequence[Ask], settings: AugmentSettings, again: int = 0) -> dict[str, Any]:
    schema = {} if settings.one_each or not few else {"schema": reply_schema(few[0])}
    return {
        "max_tokens": [reply_limit(ask, small=settings.one_each) for ask in few],
        "temperature": settings.temperature,
        "seed": settings.seed + 1_000 * again,
        **schema,
    }


def run_augment(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job. `request`: dataset, version, settings, writer, budget (USD or None), and `meaning` (False leaves the encoder out).

    Returns {requests, answered, accepted, rejected, usd, unsure, tokens_in, tokens_out, estimated, stopped, failed, errors}: `stopped`
    is "budget" or "", `failed` counts requests that got no reply; a resumed run asks for those again. Raises Paused when the endpoint
    cannot go on now.
    """
    version = store.version(request["dataset"], request["version"])
    settings, writer = AugmentSettings.from_dict(request["settings"]), Writer.from_dict(request["writer"])
    if writer.name == "embedded":
        from core.io import embedded

        embedded.ensure_converted(lambda done, total, message: desk.say(0, 0, message))
    desk.say(0, 0, "Choosing rows")
    planned = asks(version, settings)
    live = _Live(desk, len(planned) * (1 + any(ask.then is not None for ask in planned)), judge_for(version, settings))
    provider = _connected(writer, desk, request.get("budget"), live.standing)
    wave = planned
    try:
        while wave:
            _answer(provider, wave, settings, live)
            wave = followed(wave, written.came(desk.folder, wave).reads) if any(ask.then for ask in wave) else []
    except Stopped:
        if writer.batch and not (desk.folder / "paused").exists():
            provider.cancel()  # a cancelled batch goes on being paid for otherwise; a paused one is waited for later
        raise
    finally:
        if unsure := getattr(provider, "unsure", 0.0):
            files.append_line(desk.folder / written.NAME, {"unsure": unsure})
    if request.get("meaning", True) and settings.keeps == "answer":
        _compare(version, settings, desk)
    stopped = "budget" if provider.over_budget else ""
    return {**summary(version, settings, desk.folder), "requests": len(planned), "stopped": stopped, "failed": live.failures.total(),
            "errors": dict(live.failures.most_common(5))}  # fmt: skip


def _connected(writer: Writer, desk: Desk, budget: float | None, before: written.Standing) -> Any:
    """The provider, with what is left of the budget after what was spent, or may have been; a batch keeps its place in the job's folder."""
    left = None if budget is None else max(0.0, budget - (before.usd or 0.0) - before.unsure)
    host = writer.connect(environment=desk.environment, budget=left)
    if not writer.batch:
        return host
    from core.io.providers import batch

    return batch.Batched(host, desk.folder / "batch", poll=batch.POLL)


def _answer(provider: Any, wave: Sequence[Ask], settings: AugmentSettings, live: _Live) -> None:
    """Ask for what has no answer yet; requests that were put aside draw anew."""
    before = live.standing
    missing = [ask for ask in wave if ask.key not in before.answered]
    live.done += len(wave) - len(missing)
    for again in sorted({before.rounds.get(ask.key, 0) for ask in missing}):
        some = [ask for ask in missing if before.rounds.get(ask.key, 0) == again]
        how = _asking(some, settings, again)
        provider.complete([ask.messages for ask in some], **how, arrived=live.taking(some), progress=live.progress)
        live.done += len(some)


def _compare(version: Version, settings: AugmentSettings, desk: Desk) -> None:
    """Have the meanings known before anybody looks."""
    total = len(asks(version, settings))

    def progress(done: int, of: int) -> None:
        desk.say(total, total, f"Comparing meanings, {done:,} of {of:,}")

    judged(version, settings, desk.folder, meaning=meanings.remembered(desk.folder, meanings.MOST, progress))


class _Live:
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

    def taking(self, some: Sequence[Ask]) -> Callable[[int, Reply], None]:
        """What is told of each reply to these requests."""

        def arrived(place: int, reply: Reply) -> None:
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
        """How many of the present requests have come; raises Stopped once the person has stopped the job."""
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
        self.desk.say(self.done + done, self.total, "Writing variants", **figures)


def again(version: Version, settings: AugmentSettings, folder: Path) -> int:
    """Put the replies aside that held no variant; returns how many. The job, resumed, asks for these once more and draws anew."""
    planned = asks(version, settings)
    reads = replies_in(folder, planned)
    empty = [ask.key for ask in to_judge(planned, reads) if ask.key in reads and not reads[ask.key].variants]
    written.put_aside(folder, empty)
    return len(empty)


def summary(version: Version, settings: AugmentSettings, folder: Path) -> dict[str, Any]:
    """The journal in numbers."""
    _, card = review(version, settings, folder)
    found = written.standing(folder)
    return {
        "answered": found.replies,
        "accepted": card.accepted,
        "rejected": dict(card.rejected),
        "usd": None if found.usd is None else round(found.usd, 10),
        "unsure": round(found.unsure, 10),
        "tokens_in": found.tokens_in,
        "tokens_out": found.tokens_out,
        "estimated": found.estimated,
    }
