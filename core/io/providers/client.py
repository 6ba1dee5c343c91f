"""The one place where an HTTP client is made, and how its failures are told.

No redirect is followed, the client's own retries are off, a whole request ends within DEADLINE seconds however slowly it drips,
every host is checked each time it is asked, and only the bound key leaves. What is retried, and when, stands in `pacing.py`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from core.errors import ProviderError
from core.io.providers.addresses import OPENAI, check_host, is_near

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


def make_client(url: str, key: str | None, *, deadline: float = DEADLINE) -> OpenAI:
    """The official client for this address. Close it after use."""
    import httpx2
    from openai import OpenAI

    transport = _transport(url, key, deadline)
    http = httpx2.Client(transport=transport, follow_redirects=False, timeout=httpx2.Timeout(deadline, connect=min(10.0, deadline)))
    return OpenAI(api_key=key or "none", base_url=url, max_retries=0, timeout=deadline, http_client=http)


def _transport(url: str, key: str | None, deadline: float) -> Any:
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
                    raise httpx2.ReadTimeout(f"the answer took longer than {deadline:.0f} s")
                if size > LARGEST:
                    raise httpx2.ReadError(f"the answer is larger than {LARGEST >> 20} MiB")
                yield part

        def close(self) -> None:
            self._inner.close()

    class Guarded(httpx2.BaseTransport):
        def __init__(self) -> None:
            self._open: dict[str | None, Any] = {}

        def handle_request(self, request: Any) -> Any:
            host, scheme = request.url.host, request.url.scheme
            proxy = proxy_of(scheme, host)
            found = check_host(host, proxied=bool(proxy))
            if key and scheme == "http" and not is_near(found):
                raise ProviderError(f"http://{host[:80]} is not encrypted and not on this network: the key could be read on the way. "
                                    "Use https, or leave the key empty.", title="The key would travel in the open")  # fmt: skip
            for name in [n for n in request.headers if url != OPENAI and n.casefold() not in _SENT]:
                del request.headers[name]
            if key:
                request.headers["authorization"] = f"Bearer {key}"
            elif "authorization" in request.headers:
                del request.headers["authorization"]
            if proxy not in self._open:
                self._open[proxy] = httpx2.HTTPTransport(proxy=proxy, limits=httpx2.Limits(max_connections=64))
            ends = time.monotonic() + deadline
            response = self._open[proxy].handle_request(request)
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


def failure_of(error: Exception, key: str | None) -> Failure:
    """What an exception of the client means. Bugs are raised again."""
    import httpx2
    import openai

    if isinstance(error, ProviderError):
        return Failure("fatal", str(error), error.title)
    cause = error.__cause__
    if isinstance(cause, ProviderError):
        return Failure("fatal", str(cause), cause.title)
    if isinstance(error, (openai.APITimeoutError, httpx2.TimeoutException)):
        return Failure("retry", f"no whole answer within {DEADLINE:.0f} s", "The endpoint is too slow", timeout=True)
    if isinstance(error, openai.APIStatusError):
        return _status(error, key)
    if isinstance(error, (openai.APIConnectionError, httpx2.HTTPError)):
        words = hide(str(cause or error), key)
        return Failure("retry", f"the connection failed ({words})", "The endpoint cannot be reached")
    if isinstance(error, (openai.APIResponseValidationError, ValueError, TypeError, AttributeError, KeyError, IndexError)):
        return Failure("retry", "the answer was not in the form of a chat completion", "The answer cannot be read")
    raise error


def _status(error: Any, key: str | None) -> Failure:
    status = int(error.status_code)
    body = error.body if isinstance(error.body, dict) else {}
    said = hide(str(body.get("message") or ""), key) or "no reason was given"
    words = f"HTTP {status}: {said}" + (f" (request {error.request_id})" if error.request_id else "")
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
        return Failure("fatal", f"{words}. Add credit or raise the limit at the provider, then resume.", "No credit left")
    if status == 429:
        return Failure("busy", words, "The endpoint is busy", _retry_after(error.response.headers))
    if status in (408, 409) or status >= 500:
        return Failure("retry", words, "The endpoint failed", _retry_after(error.response.headers))
    unknown = "unsupported" in code or "unrecognized" in said.casefold() or "unsupported" in said.casefold()
    return Failure("request", words, "The request was refused", parameter=str(body.get("param") or "") if unknown else "")


def _retry_after(headers: Any) -> float | None:
    """Seconds of `retry-after-ms` or `retry-after` (seconds or a date)."""
    try:
        if headers.get("retry-after-ms"):
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after")
        if text is None:
            return None
        if re.fullmatch(r"\d+(?:\.\d+)?", text.strip()):
            return float(text)
        from email.utils import parsedate_to_datetime

        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def hide(text: str, key: str | None) -> str:
    """An endpoint's words on one line, at most 300 characters, without the key or anything that looks like one."""
    flat = " ".join(text.split())
    if key:
        flat = flat.replace(key, "[key]")
    return re.sub(r"\b(?:sk|pk|rk|hf|gsk|key)[-_][\w*.\-]{6,}|Bearer\s+\S+", "[key]", flat)[:300]
