"""The HTTP side of the double: routes, keys, rate limits, planted troubles, and the headers of every answer."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.platform import batches, chat, completions, embeddings, files, fine_tuning, models, uploads
from tests.platform.faults import Act, Fault, RefusedError, refuse

KEY = "sk-canary-5f2c9d71e04b"
Answer = Callable[[list[dict[str, Any]]], "str | Fault"]
RESOURCES = (chat, completions, embeddings, models, files, uploads, batches, fine_tuning)
WRITING = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
"""Paths whose requests the script and the pause are for."""


@dataclass
class Call:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes = b""
    body: dict[str, Any] = field(default_factory=dict)
    form: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Field -> (file name or "", content) of a multipart upload."""


@dataclass
class Limits:
    """A rate limit of requests that refills evenly."""

    requests: int
    window: float = 60.0
    """Seconds in which all of it refills."""
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float) -> float | None:
        """Seconds to wait when there is no room; None when there was."""
        self.left = self.requests if self.left < 0 else min(self.requests, self.left + (now - self.at) * self.requests / self.window)
        self.at = now
        if self.left < 1:
            return (1 - self.left) * self.window / self.requests
        self.left -= 1
        return None

    def headers(self) -> dict[str, str]:
        reset = (self.requests - self.left) * self.window / self.requests
        return {"x-ratelimit-limit-requests": str(self.requests), "x-ratelimit-remaining-requests": str(int(max(0, self.left))),
                "x-ratelimit-reset-requests": f"{reset:.3f}s"}  # fmt: skip


def three_variants(messages: list[dict[str, Any]]) -> str:
    """The last line of the request three times, every fourth word another each time: enough to pass the gates."""
    words = messages[-1]["content"].strip().splitlines()[-1].split()
    said = [" ".join(f"so{w[:2]}" if w.isalpha() and i % 4 == k else w for i, w in enumerate(words)) for k in range(3)]
    return json.dumps(said, ensure_ascii=False)


class Platform:
    """The server; use it in a `with` block. `script` holds what the next writing requests get, then all is well."""

    def __init__(
        self, script: Sequence[Act] = (), *, answer: Answer = three_variants, key: str | None = KEY, pause: float = 0.0,
        limits: Limits | None = None, clock: Callable[[], float] = time.time, trouble: Callable[[Call], Act | None] | None = None,
    ) -> None:  # fmt: skip
        self.script, self.answer, self.key, self.pause = list(script), answer, key, pause
        self.limits, self.clock, self.trouble = limits, clock, trouble
        """`trouble` may plant something into any request, by looking at it."""
        self.dearer = 1
        """How many times more tokens are charged for an answer than it has."""
        self.models = models.Models()
        self.files = files.Files()
        self.batches = batches.Batches()
        self.jobs = fine_tuning.Jobs()
        self.asked: list[dict[str, Any]] = []
        """Bodies of writing requests, in order of arrival."""
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.seen: list[tuple[float, str, str]] = []
        """The clock, the method and the path of every request, in order of arrival."""
        self.at_once = 0
        """The most requests that were under way together."""
        self.over = threading.Event()
        self._flying = self._numbers = 0
        self.lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Any:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def now(self) -> int:
        """Seconds since 1970."""
        return int(self.clock())

    def new_id(self, prefix: str) -> str:
        with self.lock:
            self._numbers += 1
            return f"{prefix}{self._numbers:08x}"

    def begin(self, call: Call) -> Act:
        with self.lock:
            self.paths.append(call.path)
            self.headers.append(call.headers)
            self.seen.append((self.clock(), call.method, call.path))
            self._flying += 1
            self.at_once = max(self.at_once, self._flying)
            act = self.trouble(call) if self.trouble else None
            if call.path in WRITING and call.method == "POST":
                self.asked.append(call.body)
                act = act or (self.script.pop(0) if self.script else None)
            return act or "ok"

    def end(self) -> None:
        with self.lock:
            self._flying -= 1

    def allow(self, call: Call) -> None:
        """Refuse what the key, the headers or the rate limit forbid."""
        told = call.headers.get("authorization", "")
        if self.key and not told.startswith("Bearer "):
            raise RefusedError(Fault(401, "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
                                     "auth (i.e. Authorization: Bearer YOUR_KEY).", "invalid_request_error"))  # fmt: skip
        if self.key and told != f"Bearer {self.key}":
            raise RefusedError(Fault(401, f"Incorrect API key provided: {told[7:]}.", "invalid_request_error", "invalid_api_key"))
        if self.limits and call.path in WRITING:
            with self.lock:
                wait = self.limits.take(self.clock())
            if wait is not None:
                raise RefusedError(Fault(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded",
                                         headers={"retry-after": f"{wait:.3f}", "retry-after-ms": f"{wait * 1000:.0f}"}))  # fmt: skip

    def find(self, call: Call) -> tuple[Callable[..., Any], tuple[str, ...]]:
        """What answers this method and path, and the ids in the path."""
        other = False
        for resource in RESOURCES:
            for method, pattern, function in resource.ROUTES:
                if found := re.fullmatch(pattern, call.path):
                    if method == call.method:
                        return function, found.groups()
                    other = True
        if other:
            raise RefusedError(Fault(405, f"Not allowed to {call.method} on {call.path}. (HINT: Perhaps you meant to use a different HTTP "
                                     "method?)", "invalid_request_error", "method_not_supported"))  # fmt: skip
        raise RefusedError(Fault(404, f"Invalid URL ({call.method} {call.path})", "invalid_request_error", "unknown_url"))


def read_body(call: Call, wants_form: bool) -> None:
    """Fill in `body` or `form`. Raises RefusedError for another content type or what cannot be parsed."""
    told = call.headers.get("content-type", "")
    wanted = "multipart/form-data" if wants_form else "application/json"
    if told.split(";")[0].strip() != wanted:
        raise refuse(f"Unsupported content type: '{told}'. This API method only accepts '{wanted}' requests, but you specified the header "
                     f"'Content-Type: {told}'. Please try again with a supported content type.", "unsupported_content_type")  # fmt: skip
    if wants_form:
        whole = message_from_bytes(b"content-type: " + told.encode() + b"\r\n\r\n" + call.raw)
        for part in whole.get_payload():
            name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
            call.form[name] = (part.get_filename() or "", part.get_payload(decode=True) or b"")  # type: ignore[union-attr,assignment]
        return
    try:
        call.body = json.loads(call.raw)
        if not isinstance(call.body, dict):
            raise ValueError
    except ValueError:
        call.body = {}
        raise refuse("We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
                     "correctly. The API expects a JSON payload, but what was sent was not valid JSON.)") from None  # fmt: skip


def _handler(server: Platform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            return

        def do_GET(self) -> None:
            self._serve()

        do_POST = do_DELETE = do_PUT = do_GET

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            call = Call(self.command, parts.path, query, {k.casefold(): v for k, v in self.headers.items()}, raw)
            unread: RefusedError | None = None
            if call.method == "POST" and raw:
                try:
                    read_body(call, call.path == "/v1/files" or call.path.endswith("/parts"))
                except RefusedError as refused:
                    unread = refused
            act = server.begin(call)
            try:
                server.allow(call)
                if unread:
                    raise unread
                if isinstance(act, Fault):
                    raise RefusedError(act)
                function, ids = server.find(call)
                if call.path in WRITING:
                    time.sleep(server.pause)
                if act in PLANTED:
                    PLANTED[act](self)
                else:
                    self._answer(function(server, call, *ids, **({"act": act} if call.path in WRITING else {})))
            except RefusedError as refused:
                self.json(refused.fault.status, refused.fault.body, refused.fault.headers)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                server.end()

        def _answer(self, made: Any) -> None:
            if isinstance(made, bytes):
                self.send(200, made, {"content-type": "application/octet-stream"})
            elif isinstance(made, Iterator):
                self.send_response(200)
                for name, value in self._usual().items() | {("content-type", "text/event-stream"), ("connection", "close")}:
                    self.send_header(name, value)
                self.end_headers()
                for event in made:
                    self.wfile.write(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode())
                    self.wfile.flush()
                self.close_connection = True
            else:
                self.json(200, made)

        def json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            self.send(status, json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json", **(headers or {})})

        def _usual(self) -> dict[str, str]:
            room = server.limits.headers() if server.limits else {"x-ratelimit-limit-requests": "10000",
                "x-ratelimit-remaining-requests": "9999", "x-ratelimit-reset-requests": "6ms"}  # fmt: skip
            tokens = {"x-ratelimit-limit-tokens": "10000000", "x-ratelimit-remaining-tokens": "9999000", "x-ratelimit-reset-tokens": "6ms"}
            return {"x-request-id": server.new_id("req_"), "openai-processing-ms": "1", "openai-version": "2020-10-01", **room, **tokens}

        def send(self, status: int, raw: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**self._usual(), **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def reset(self) -> None:
            self.close_connection = True
            self.connection.close()

        def wait(self) -> None:
            server.over.wait(60)
            self.json(503, {})

        def drip(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "100000")
            self.end_headers()
            while not server.over.wait(0.1):
                self.wfile.write(b" ")
                self.wfile.flush()

    return Handler


PLANTED: dict[str, Callable[[Any], None]] = {
    "redirect": lambda h: h.send(307, b"", {"location": "http://127.0.0.1:9/v1/chat/completions"}),
    "reset": lambda h: h.reset(),
    "malformed": lambda h: h.send(200, b'{"id": "chatcmpl-1", "choices": [{"mess', {"content-type": "application/json"}),
    "wrong shape": lambda h: h.json(200, {"result": "fine"}),
    "html": lambda h: h.send(200, b"<html>login</html>", {"content-type": "text/html"}),
    "text": lambda h: h.send(200, b"it works", {"content-type": "text/plain"}),
    "slow": lambda h: h.wait(),
    "drip": lambda h: h.drip(),
}
