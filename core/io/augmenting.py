"""Augmentation at the edge: train rows out of a version, a writer's replies into a journal, accepted variants into a new version.

    <folder>/replies.jsonl     one line per answered request: {key, row, reply} or, by hand, {key, row, variants}

Only train rows can be asked for: validation and test rows are read for one purpose, to reject variants that come too close to
them, and go to no writer. A killed run starts again where its journal ends. The folder is a job's, or one per version by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.augment.gates import SMALL_WRITER, HeldOut, Judge, Limits, bare
from core.augment.presets import AugmentSettings
from core.augment.reading import Read, read_variants
from core.augment.report import Report, candidates, report
from core.augment.requests import Ask, Estimate, estimate, plan, reply_limit
from core.errors import DataError
from core.io import files, providers, store
from core.io.languages import identify
from core.io.providers.replies import from_record, to_record
from core.reply import Reply
from core.version import Version, digest

if TYPE_CHECKING:
    from core.io.work import Desk

HOSTED_SECONDS_PER_TOKEN = 0.015
"""What a hosted model takes per token of its reply, roughly; estimates say "about"."""
LOCAL_SECONDS_PER_TOKEN = 0.02
"""The same for the built-in model on two CPU cores, in batches of eight."""


@dataclass(frozen=True)
class Writer:
    """Who writes, as it is saved: never with a key."""

    name: str = "embedded"
    """A name in PROVIDERS, or "hand"."""
    model: str = ""
    base_url: str = ""
    parallel: int = 8
    rates: tuple[float, float] | None = None
    """USD per million tokens in and out, where the price table does not know the model."""

    @property
    def label(self) -> str:
        """As the column `origin` and the version's history name it."""
        return "by hand" if self.name == "hand" else self.model or providers.entry(self.name).title

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Writer:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "rates": tuple(known["rates"]) if known.get("rates") else None})

    def connect(self, **more: Any) -> Any:
        """The provider; `more` are key, environment, budget or engine."""
        settings = {name: value for name, value in self.to_dict().items() if name != "name" and value}
        return providers.connect(self.name, **settings, **more)

    def known_rates(self) -> tuple[float, float] | None:
        """USD per million tokens in and out; None when nobody knows."""
        if self.name in ("embedded", "hand"):
            return (0.0, 0.0)
        if self.rates:
            return self.rates
        from core.io.providers.addresses import clean_url, is_loopback
        from core.io.providers.hosted import published_rates

        if self.name == "openai":
            return published_rates(self.model)
        return (0.0, 0.0) if self.base_url and is_loopback(clean_url(self.base_url)) else None


def train_rows(version: Version) -> pd.DataFrame:
    """The train rows with their row numbers in the version as index. Raises DataError when there are none."""
    if version.roles.split is None or not version.splits.get("train"):
        raise DataError("New rows are written from train rows only, so that nothing of the test can leak. Split this version on Curate.",
                        title=f"Version {version.number} has no train rows: split it first")  # fmt: skip
    return store.frame(version, split="train")


def asks(version: Version, settings: AugmentSettings) -> list[Ask]:
    """The requests of one augmentation, in row order."""
    return plan(train_rows(version), version.roles, settings)


def estimated(planned: Sequence[Ask], writer: Writer) -> Estimate:
    """What these requests take: tokens, USD (None when no price is known), minutes."""
    local = writer.name == "embedded"
    pace = LOCAL_SECONDS_PER_TOKEN if local else HOSTED_SECONDS_PER_TOKEN
    return estimate(planned, _counter(local), writer.known_rates(), seconds_per_token=pace, parallel=1 if local else writer.parallel)


def _counter(local: bool) -> Callable[[list[str]], list[int]]:
    from core.io.tokens import counter

    if local:
        from core.io.embedded import is_ready

        return counter("embedded") if is_ready() else counter()
    return counter()


def judge_for(version: Version, settings: AugmentSettings) -> Judge:
    """A judge that knows the train texts (nothing is written twice) and the rows kept aside."""
    rows = store.frame(version, [settings.column])[settings.column].tolist()
    parts = store.frame(version, [version.roles.split])[version.roles.split].astype("str").tolist() if version.roles.split else []
    texts = ["" if cell is None or cell != cell else str(cell) for cell in rows]
    held = HeldOut(text for text, part in zip(texts, parts, strict=True) if part != "train")
    seen = {bare(text) for text, part in zip(texts, parts, strict=True) if part == "train"}
    limits = SMALL_WRITER if settings.one_each else Limits()
    return Judge(held, settings.keeps, version.task or "chat", limits, seen, language)


def language(text: str) -> str:
    """The language's two letters when a text is long enough to be nearly sure, else ""."""
    if sum(letter.isalpha() for letter in text) < 40:
        return ""
    name, sureness = identify(text)
    return name if sureness > 0.98 else ""


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
    replies = provider.complete([ask.messages for ask in few], **_asking(few, settings))
    read = {ask.key: read_reply(reply, ask) for ask, reply in zip(few, replies, strict=True)}
    judged = candidates(few, read, judge_for(version, settings))
    usd = None if provider.rates is None else sum(reply.usd or 0.0 for reply in replies)
    errors = tuple(dict.fromkeys(reply.error for reply in replies if reply.error))
    return Tried(judged, report(few, judged), usd, time.perf_counter() - start, errors)


def read_reply(reply: Reply, ask: Ask) -> Read:
    """What a reply holds; the last piece of one that was cut off at its length limit is left out."""
    read = read_variants(reply.text, ask.variants, ask.original)
    if reply.finish == "length" and read.variants and read.shape != "cut json":
        return Read(read.variants[:-1], (*read.left, read.variants[-1]), read.shape)
    return Read((), (reply.text,), "refusal") if reply.finish == "refusal" else read


def _asking(few: Sequence[Ask], settings: AugmentSettings) -> dict[str, Any]:
    return {
        "max_tokens": [reply_limit(ask, small=settings.one_each) for ask in few],
        "temperature": settings.temperature,
        "seed": settings.seed,
    }


def run_augment(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job. `request`: dataset, version, settings, writer, budget (USD or None). Journals each reply as it arrives.

    Returns {requests, answered, accepted, rejected, usd, tokens_in, tokens_out, estimated, stopped} ("budget" or "").
    """
    version = store.version(request["dataset"], request["version"])
    settings, writer = AugmentSettings.from_dict(request["settings"]), Writer.from_dict(request["writer"])
    if writer.name == "embedded":
        from core.io import embedded

        embedded.ensure_converted(lambda done, total, message: desk.say(0, 0, message))
    desk.say(0, 0, "Choosing rows")
    planned = asks(version, settings)
    journal = desk.journal("replies")
    known = {line["key"] for line in files.read_lines(journal)}
    missing = [ask for ask in planned if ask.key not in known]
    live = _Live(desk, journal, planned, missing, judge_for(version, settings))
    spent = sum(line["reply"].get("usd") or 0.0 for line in files.read_lines(journal))
    budget = request.get("budget")
    provider = writer.connect(environment=desk.environment, budget=None if budget is None else max(0.0, budget - spent))
    provider.complete([ask.messages for ask in missing], **_asking(missing, settings), arrived=live.arrived, progress=live.progress)
    return {**summary(version, settings, desk.folder), "requests": len(planned), "stopped": "budget" if provider.over_budget else ""}


class _Live:
    """Journals replies and tells how the run stands, at most three times a second."""

    def __init__(self, desk: Desk, journal: Path, planned: Sequence[Ask], missing: Sequence[Ask], judge: Judge) -> None:
        self.desk, self.journal, self.missing, self.judge = desk, journal, missing, judge
        self.total, self.before = len(planned), len(planned) - len(missing)
        self.usd = self.accepted = self.rejected = 0.0
        self.told = 0.0
        for line in files.read_lines(journal):
            self.usd += line["reply"].get("usd") or 0.0

    def arrived(self, place: int, reply: Reply) -> None:
        if reply.finish in ("error", "timeout"):
            return
        ask = self.missing[place]
        files.append_line(self.journal, {"key": ask.key, "row": ask.row, "reply": to_record(reply)})
        self.usd += reply.usd or 0.0
        read = read_reply(reply, ask)
        passed = sum(not self.judge(variant, ask) for variant in read.variants)
        self.accepted += passed
        self.rejected += max(1, len(read.variants)) - passed if passed < max(1, len(read.variants)) else 0

    def progress(self, done: int, total: int, message: str) -> None:
        if done < total and time.monotonic() - self.told < 0.3 and not self.desk.stopped():
            return
        self.told = time.monotonic()
        self.desk.say(
            self.before + done, self.total, "Writing variants", usd=self.usd, accepted=int(self.accepted), rejected=int(self.rejected)
        )


def replies_in(folder: Path, planned: Sequence[Ask]) -> dict[str, Read]:
    """Key of the request -> what was read, from a journal. Later lines about the same request replace earlier ones."""
    by_key = {ask.key: ask for ask in planned}
    found: dict[str, Read] = {}
    for line in files.read_lines(folder / "replies.jsonl"):
        ask = by_key.get(line.get("key", ""))
        if ask is None:
            continue
        if "variants" in line:
            found[ask.key] = Read(tuple(line["variants"]), (), "hand")
        else:
            found[ask.key] = read_reply(from_record(line["reply"]), ask)
    return found


def review(version: Version, settings: AugmentSettings, folder: Path) -> tuple[pd.DataFrame, Report]:
    """Every variant so far with its gate, in row order, and the report card."""
    planned = asks(version, settings)
    judged = candidates(planned, replies_in(folder, planned), judge_for(version, settings))
    return judged, report(planned, judged)


def summary(version: Version, settings: AugmentSettings, folder: Path) -> dict[str, Any]:
    """The journal in numbers."""
    _, card = review(version, settings, folder)
    replies = [line["reply"] for line in files.read_lines(folder / "replies.jsonl") if "reply" in line]
    charged = [reply["usd"] for reply in replies if reply.get("usd") is not None]
    return {
        "answered": len(replies),
        "accepted": card.accepted,
        "rejected": dict(card.rejected),
        "usd": sum(charged) if charged else None,
        "tokens_in": sum(reply.get("tokens_in") or 0 for reply in replies),
        "tokens_out": sum(reply.get("tokens_out") or 0 for reply in replies),
        "estimated": any(reply.get("estimated") for reply in replies),
    }
