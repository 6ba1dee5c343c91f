"""The one place where an HTTP client is made, and how its failures are told.

No redirect is followed, the client's own retries are off, a whole request ends within DEADLINE seconds however slowly it drips,
every host is checked each time it is asked, and only the bound key leaves. What is retried, and when, stands in `pacing.py`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from core.errors import ProviderError
from core.io.providers.addresses import OPENAI, check_host, is_near
from core.io.providers.limits import Room, retry_after, room_of

if TYPE_CHECKING:
    from openai import OpenAI

DEADLINE = 60.0
"""Seconds a request may take in all."""
LONGEST_WAIT = 120.0
"""A Retry-After above this many seconds ends the run instead of being waited for."""
LARGEST = 20 << 20
"""Bytes of a response that are read."""
_SENT = {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "user-agent"}


@dataclass(frozen=True)
class Failure:
    """Why one attempt gave no reply."""

    kind: str
    """fatal (no sense in going on) | retry | busy (429: wait and slow down) | request (this request is refused)"""
    message: str
    title: str = "The endpoint failed"
    wait: float | None = None
    """Seconds the endpoint asks to wait."""
    timeout: bool = False
    parameter: str = ""
    """The setting the endpoint does not know, when it says so."""
    own: bool = False
    """Whether it lies in this one request (too long, filtered) and the next may fare better."""
    pause: str = ""
    """Why a fatal failure may be over later: a reason of core.errors.Paused."""
    paid: bool = False
    """Whether the endpoint may charge for it although no reply came."""
    room: Room = field(default_factory=Room)
    """What the rate-limit headers left."""


def make_client(url: str, key: str | None, *, deadline: float = DEADLINE, largest: int = LARGEST) -> OpenAI:
    """The official client for this address; `largest` are the bytes of a response that are read. Close it after use."""
    import httpx2
    from openai import OpenAI

    transport = _transport(url, key, deadline, largest)
    http = httpx2.Client(transport=transport, follow_redirects=False, timeout=httpx2.Timeout(deadline, connect=min(10.0, deadline)))
    return OpenAI(api_key=key or "none", base_url=url, max_retries=0, timeout=deadline, http_client=http)


def _transport(url: str, key: str | None, deadline: float, largest: int) -> Any:
    import httpx2

    def proxy_of(scheme: str, host: str) -> str | None:
        return None if proxy_bypass(host) else getproxies().get(scheme)

    class Body(httpx2.SyncByteStream):
        def __init__(self, inner: Any, ends: float) -> None:
            self._inner, self._ends = inner, ends

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for part in self._inner:
                size += len(part)
                if time.monotonic() > self._ends:
                    raise httpx2.ReadTimeout(f"the answer took longer than {deadline:g} s")
                if size > largest:
                    raise httpx2.ReadError(f"the answer is larger than {largest >> 20} MiB")
                yield part

        def close(self) -> None:
            self._inner.close()

    class Guarded(httpx2.BaseTransport):
        def __init__(self) -> None:
            self._open: dict[str | None, Any] = {}
            self._proxies: dict[tuple[str, str], str | None] = {}

        def handle_request(self, request: Any) -> Any:
            host, scheme = request.url.host, request.url.scheme
            if (scheme, host) not in self._proxies:
                self._proxies[scheme, host] = proxy_of(scheme, host)
            proxy = self._proxies[scheme, host]
            found = check_host(host, proxied=bool(proxy))
            if key and scheme == "http" and not is_near(found):
                raise ProviderError(f"http://{host[:80]} is not encrypted and not on this network: the key could be read on the way. "
                                    "Use https, or leave the key empty.", title="The key would travel in the open")  # fmt: skip
            # The client reads its own request again afterwards, so what leaves is a copy.
            kept = {
                n: v for n, v in request.headers.items() if n.casefold() != "authorization" and (url == OPENAI or n.casefold() in _SENT)
            }
            if key:
                kept["authorization"] = f"Bearer {key}"
            leaving = httpx2.Request(request.method, request.url, headers=kept, stream=request.stream, extensions=request.extensions)
            if proxy not in self._open:
                self._open[proxy] = httpx2.HTTPTransport(proxy=proxy, limits=httpx2.Limits(max_connections=64))
            ends = time.monotonic() + deadline
            response = self._open[proxy].handle_request(leaving)
            request.extensions.get("timeout", {})["read"] = max(0.1, ends - time.monotonic())
            return httpx2.Response(response.status_code, headers=response.headers, stream=Body(response.stream, ends),
                                   extensions=response.extensions)  # fmt: skip

        def close(self) -> None:
            for one in self._open.values():
                one.close()

    return Guarded()


_NO_CREDIT = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "spend_limit_exceeded",
    "usage_limit_exceeded",
    "billing_hard_limit_reached",
)


def failure_of(error: Exception, key: str | None, deadline: float = DEADLINE) -> Failure:
    """What an exception of the client means. Bugs are raised again."""
    import httpx2
    import openai

    if isinstance(error, ProviderError):
        return Failure("fatal", str(error), error.title)
    cause = error.__cause__
    if isinstance(cause, ProviderError):
        return Failure("fatal", str(cause), cause.title)
    if isinstance(error, (openai.APITimeoutError, httpx2.TimeoutException)):
        return Failure("retry", f"no whole answer within {deadline:g} s", "The endpoint is too slow", timeout=True, paid=True)
    if isinstance(error, openai.APIStatusError):
        return replace(_status(error, key), room=room_of(error.response.headers))
    if isinstance(error, (openai.APIConnectionError, httpx2.HTTPError)):
        words = hide(str(cause or error), key)
        return Failure("retry", f"the connection failed ({words})", "The endpoint cannot be reached")
    if isinstance(error, (openai.APIResponseValidationError, ValueError, TypeError, AttributeError, KeyError, IndexError)):
        return Failure("retry", "the answer was not in the form of a chat completion", "The answer cannot be read", paid=True)
    raise error


_OWN = ("context_length_exceeded", "content_filter", "content_policy_violation", "string_above_max_length", "invalid_prompt")


def _status(error: Any, key: str | None) -> Failure:
    status = int(error.status_code)
    body = error.body if isinstance(error.body, dict) else {}
    said = hide(str(body.get("message") or ""), key) or "no reason was given"
    words = f"HTTP {status}: {said}" + (f" (request {hide(error.request_id, key)})" if error.request_id else "")
    code, kind = str(body.get("code") or ""), str(body.get("type") or "")
    if 300 <= status < 400:
        return Failure("fatal", f"HTTP {status}: it sends requests on to another address, which would get the key and the rows. Give "
                       "the final address.", "The address redirects")  # fmt: skip
    if status == 401:
        return Failure("fatal", f"{words}. Check that the key belongs to this address.", "The key was refused")
    if status == 403:
        return Failure("fatal", f"{words}. The key may not use this model or this place.", "Not allowed")
    if status == 404:
        return Failure("fatal", f"{words}. Check the model's name and the address.", "No such model or address")
    if any(mark in code or mark in kind for mark in _NO_CREDIT):
        advice = "Add credit or raise the limit at the provider, then resume."
        return Failure("fatal", f"{words}. {advice}", "No credit left", pause="no credit")
    if status == 429:
        return Failure("busy", words, "The endpoint is busy", _wait(error.response.headers))
    if status in (408, 409) or (status >= 500 and status != 501):
        return Failure("retry", words, "The endpoint failed", retry_after(error.response.headers))
    return Failure("request", words, "The request was refused", parameter=_parameter(body, code, said), own=code in _OWN)


def _wait(headers: Any) -> float | None:
    """Retry-After, or the reset of the limit that is used up."""
    told = retry_after(headers)
    if told is not None:
        return told
    room = room_of(headers)
    resets = [one.reset for one in (room.requests, room.tokens) if one.remaining == 0 and one.reset is not None]
    return max(resets) if resets else None


_SETTINGS = ("max_completion_tokens", "max_tokens", "temperature", "seed", "response_format")


def _parameter(body: dict[str, Any], code: str, said: str) -> str:
    """The setting that a 400 calls unknown or unsupported: named in `param`, or only in its words."""
    low = said.casefold()
    marks = ("unsupported", "unrecognized", "unknown", "not supported", "extra_forbidden", "extra inputs", "not permitted", "unexpected")
    if not any(mark in code or mark in low for mark in marks):
        return ""
    named = str(body.get("param") or "").split(".")[0]
    return named or next((name for name in _SETTINGS if name in low), "")


def hide(text: str, key: str | None) -> str:
    """An endpoint's words on one line, at most 300 characters, without the key or anything that looks like one."""
    flat = " ".join(text.split())
    if key:
        flat = flat.replace(key, "[key]")
    return re.sub(r"\b(?:sk|pk|rk|hf|gsk|key)[-_][\w*.\-]{6,}|Bearer\s+\S+", "[key]", flat)[:300]
