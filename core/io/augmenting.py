"""Augmentation at the edge: train rows out of a version, a writer's replies into a journal.

    <folder>/replies.jsonl     see `core/io/written.py`; the folder is a job's, or one per version and settings by hand

Only train rows can be asked for: validation and test rows are read for one purpose, to reject variants that come too close to
them, and go to no writer. A killed or paused run starts again where its journal ends; requests that follow from a reply (there and
back) are asked once all first ones are answered. What is asked is planned from the version each time, so nothing of it is stored.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.augment.asks import Ask, followed, numbered, reply_schema
from core.augment.asks import judged as to_judge
from core.augment.balance import ROUNDS, further, lacking
from core.augment.gates import Meaning
from core.augment.presets import PRESETS, AugmentSettings
from core.augment.reading import Read
from core.augment.report import Report, candidates, report
from core.augment.requests import Estimate, estimate, plan_further, reply_limit, varied
from core.errors import Stopped
from core.io import files, meanings, store, written
from core.io.answering import Live
from core.io.judging import all_asks, asks, judge_for, judged, limits_in, replies_in, review, rounds, train_rows
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
APART = 1_000_000
"""Between the seeds of a request and of the same one asked anew: more than there are equal requests."""


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
    drawn = numbered(planned)
    while wave:
        said = provider.complete([ask.messages for ask in wave], **_asking(wave, settings, drawn))
        replies += said
        read |= {ask.key: read_reply(reply, ask) for ask, reply in zip(wave, said, strict=True)}
        wave = followed(wave, read)
        drawn = numbered(wave)
    shown = to_judge(few, read)
    judged = candidates(shown, read, judge_for(version, settings, meaning=meanings.at_once()))
    usd = None if provider.rates is None else sum(reply.usd or 0.0 for reply in replies)
    errors = tuple(dict.fromkeys(reply.error for reply in replies if reply.error))
    return Tried(judged, report(shown, judged), usd, time.perf_counter() - start, errors)


def _asking(few: Sequence[Ask], settings: AugmentSettings, drawn: Mapping[str, int], again: int = 0) -> dict[str, Any]:
    """How these requests are asked. `drawn` tells for each which draw of its kind it is: equal requests get a seed of their own whenever
    they are asked, unless nothing is drawn."""
    schema = {} if settings.one_each or not few else {"schema": reply_schema(few[0])}
    seed = settings.seed + APART * again
    return {
        "max_tokens": [reply_limit(ask, small=settings.one_each) for ask in few],
        "temperature": settings.temperature,
        "seed": [seed + (drawn[ask.key] if settings.temperature else 0) for ask in few],
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
    waves = rounds(version, settings, desk.folder)
    live = Live(desk, sum(map(_requests, waves)), judge_for(version, settings))
    provider = _connected(writer, desk, request.get("budget"), live.standing)
    meaning = meanings.remembered(desk.folder, meanings.MOST, _comparing(desk, live)) if request.get("meaning", True) else None
    before: list[Ask] = []
    try:
        while waves:
            _write(provider, waves.pop(0), before, settings, live)
            if not waves and not provider.over_budget and (more := _more(version, settings, desk.folder, meaning)):
                waves.append(more)
                live.total += len(more)
    except Stopped:
        if writer.batch and not (desk.folder / "paused").exists():
            provider.cancel()  # a cancelled batch goes on being paid for otherwise; a paused one is waited for later
        raise
    finally:
        if unsure := getattr(provider, "unsure", 0.0):
            files.append_line(desk.folder / written.NAME, {"unsure": unsure})
    if meaning and settings.keeps == "answer":
        judged(version, settings, desk.folder, limits=limits_in(desk.folder), meaning=meaning)
    stopped = "budget" if provider.over_budget else ""
    short = {"short": still_short(version, settings, desk.folder)} if PRESETS[settings.preset].balance else {}
    return {**summary(version, settings, desk.folder), "requests": len(before), "stopped": stopped, "failed": live.failures.total(),
            "errors": dict(live.failures.most_common(5)), **short}  # fmt: skip


def _requests(wave: Sequence[Ask]) -> int:
    return len(wave) * (1 + any(ask.then is not None for ask in wave))


def _write(provider: Any, wave: list[Ask], before: list[Ask], settings: AugmentSettings, live: Live) -> None:
    """Ask for what has no answer yet, then for what follows from the replies. `before` are the requests of earlier rounds; it grows."""
    before += wave
    drawn = numbered(before)
    while wave:
        _answer(provider, wave, drawn, settings, live)
        wave = followed(wave, written.came(live.desk.folder, wave).reads) if any(ask.then for ask in wave) else []
        drawn = numbered(wave)


def _more(version: Version, settings: AugmentSettings, folder: Path, meaning: Meaning | None) -> list[Ask]:
    """One more round for what was rejected, where classes are brought to one size; empty when none lacks a row or it makes no sense."""
    if not PRESETS[settings.preset].balance or len(before := rounds(version, settings, folder)) > ROUNDS:
        return []
    rows = varied(train_rows(version), version.roles, settings)
    _, frame, _ = judged(version, settings, folder, limits=limits_in(folder), meaning=meaning)
    accepted = _accepted(frame)
    earlier = _accepted(frame, without={ask.key for ask in before[-1]}) if len(before) > 1 else None
    more = further(rows, version.roles, settings, before, accepted, earlier)
    if more:
        written.keep_further(folder, more)
    return plan_further(rows, version.roles, settings, more)


def still_short(version: Version, settings: AugmentSettings, folder: Path) -> dict[str, int]:
    """Class -> rows it lacks of the number it should be brought to."""
    frame, _ = review(version, settings, folder)
    return lacking(varied(train_rows(version), version.roles, settings), version.roles, settings, _accepted(frame))


def _accepted(frame: pd.DataFrame, without: Collection[str] = ()) -> dict[int, int]:
    """Row -> variants that passed, those of some requests left out."""
    places = zip(frame["row"].tolist(), frame["gate"].tolist(), frame["key"].tolist(), strict=True)
    return dict(Counter(row for row, gate, key in places if not gate and key not in without))


def _connected(writer: Writer, desk: Desk, budget: float | None, before: written.Standing) -> Any:
    """The provider, with what is left of the budget after what was spent, or may have been; a batch keeps its place in the job's folder."""
    left = None if budget is None else max(0.0, budget - (before.usd or 0.0) - before.unsure)
    host = writer.connect(environment=desk.environment, budget=left)
    if not writer.batch:
        return host
    from core.io.providers import batch

    return batch.Batched(host, desk.folder / "batch", poll=batch.POLL)


def _answer(provider: Any, wave: Sequence[Ask], drawn: Mapping[str, int], settings: AugmentSettings, live: Live) -> None:
    """Ask for what has no answer yet; requests that were put aside draw anew."""
    before = live.standing
    missing = {ask.key for ask in wave if ask.key not in before.answered}
    live.done += len(wave) - len(missing)
    for again in sorted({before.rounds.get(key, 0) for key in missing}):
        for company in _companies(provider, wave, settings):
            wanted = [ask for ask in company if ask.key in missing and before.rounds.get(ask.key, 0) == again]
            if not wanted:
                continue
            some = wanted if len(company) == len(wave) else company
            how = _asking(some, settings, drawn, again)
            arrived = live.taking(some, {ask.key for ask in wanted})
            provider.complete([ask.messages for ask in some], **how, arrived=arrived, progress=live.progress)
            live.done += len(wanted)


def _companies(provider: Any, wave: Sequence[Ask], settings: AugmentSettings) -> list[Sequence[Ask]]:
    """Requests that are asked together, whichever of them are missing: where what is drawn for one depends on the others."""
    if not hasattr(provider, "together"):
        return [wave]
    return [[wave[i] for i in places] for places in provider.together([reply_limit(ask, small=settings.one_each) for ask in wave])]


def _comparing(desk: Desk, live: Live) -> Callable[[int, int], None]:
    """Tells how far the comparison of meanings is."""

    def progress(done: int, of: int) -> None:
        desk.say(live.total, live.total, f"Comparing meanings, {done:,} of {of:,}")

    return progress


def again(version: Version, settings: AugmentSettings, folder: Path) -> int:
    """Put the replies aside that held no variant; returns how many. The job, resumed, asks for these once more and draws anew."""
    planned = all_asks(version, settings, folder)
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
