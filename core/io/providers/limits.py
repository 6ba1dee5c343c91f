"""What the headers of an answer say about waiting: Retry-After, and how much room the rate limits leave."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST_REST = 60.0
"""Seconds that are waited for room at most before the endpoint itself is asked again."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `retry-after-ms` or `retry-after` (seconds or an HTTP date); None when neither says anything readable."""
    try:
        if headers.get("retry-after-ms"):
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = (headers.get("retry-after") or "").strip()
        if re.fullmatch(r"\d+(?:\.\d+)?", text):
            return float(text)
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time()) if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def seconds_of(text: str) -> float | None:
    """`6m0s`, `1s`, `20ms` or a plain number of seconds; None for anything else."""
    text = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    if not text or _PART.sub("", text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


@dataclass(frozen=True)
class Allowance:
    """One rate limit: of requests, or of tokens."""

    limit: float | None = None
    remaining: float | None = None
    reset: float | None = None
    """Seconds until all of `limit` is free again."""

    def wait(self, need: float) -> float:
        """Seconds until `need` is free: the limit refills evenly, or all at once where it is not told."""
        if self.remaining is None or self.reset is None:
            return 0.0
        need = need if self.limit is None else min(need, self.limit)
        if need <= self.remaining:
            return 0.0
        used = (self.limit or 0.0) - max(0.0, self.remaining)
        rest = self.reset if used <= 0 else self.reset * (need - self.remaining) / used
        return min(rest, LONGEST_REST)


@dataclass(frozen=True)
class Room:
    """What the x-ratelimit headers of the last answer leave."""

    requests: Allowance = Allowance()
    tokens: Allowance = Allowance()

    @property
    def known(self) -> bool:
        return self.requests.remaining is not None or self.tokens.remaining is not None

    def less(self, tokens: int, requests: int = 1) -> Room:
        """After that many more requests of so many tokens in all."""
        return Room(_less(self.requests, requests), _less(self.tokens, tokens))

    def wait(self, tokens: int) -> float:
        """Seconds until one more request of so many tokens fits."""
        return max(self.requests.wait(1), self.tokens.wait(tokens))


def _less(one: Allowance, by: float) -> Allowance:
    return one if one.remaining is None else replace(one, remaining=one.remaining - by)


def room_of(headers: Any) -> Room:
    """Of `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`; what is missing or unreadable says nothing."""
    return Room(*(_allowance(headers, kind) for kind in ("requests", "tokens")))


def _allowance(headers: Any, kind: str) -> Allowance:
    limit, remaining = (_number(headers.get(f"x-ratelimit-{name}-{kind}")) for name in ("limit", "remaining"))
    return Allowance(limit, remaining, seconds_of(headers.get(f"x-ratelimit-reset-{kind}") or ""))


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d+(?:\.\d+)?", text.strip()) else None
