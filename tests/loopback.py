"""A real HTTP server on loopback that speaks chat completions, embeddings and models, scripted per test, for the official client to talk to.

    with Loopback(script=[busy(3), "malformed"]) as server:  # then it answers properly
        server.url, server.asked

Fields follow OpenAI's published description: ids, usage, finish reasons, error envelope, x-request-id, rate-limit headers.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-canary-5f2c9d71e04b"
Answer = Callable[[list[dict[str, str]]], "str | Fault"]


@dataclass(frozen=True)
class Fault:
    """An error answer."""

    status: int
    message: str = "something went wrong"
    type: str = "server_error"
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def busy(seconds: float | None) -> Fault:
    headers = {} if seconds is None else {"retry-after": str(seconds)}
    return Fault(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", headers=headers)


def no_credit() -> Fault:
    return Fault(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota")


def unsupported(parameter: str) -> Fault:
    return Fault(400, f"Unsupported parameter: '{parameter}'", "invalid_request_error", "unsupported_parameter", parameter)


Act = str | Fault
"""What one request gets: "ok", "no usage", "cut", "refusal", "empty", "malformed", "wrong shape", "html", "redirect", "reset", "slow", "drip"."""


def three_variants(messages: list[dict[str, str]]) -> str:
    """The last line of the request three times, every fourth word another each time: enough to pass the gates."""
    words = messages[-1]["content"].strip().splitlines()[-1].split()
    said = [" ".join(f"so{w[:2]}" if w.isalpha() and i % 4 == k else w for i, w in enumerate(words)) for k in range(3)]
    return json.dumps(said, ensure_ascii=False)


class Loopback:
    """The server; use it in a `with` block."""

    def __init__(
        self, script: Sequence[Act] = (), *, answer: Answer = three_variants, key: str | None = KEY, models: Sequence[str] = ("small", "large"),
        pause: float = 0.0,
    ) -> None:  # fmt: skip
        self.script = list(script)
        self.answer, self.key, self.models, self.pause = answer, key, list(models), pause
        self.asked: list[dict[str, Any]] = []
        """Bodies of chat requests, in order of arrival."""
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.at_once = 0
        """The most requests that were under way together."""
        self.over = threading.Event()
        self._flying = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Loopback:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def begin(self, path: str, headers: dict[str, str], body: dict[str, Any] | None) -> tuple[int, Act]:
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            self._flying += 1
            self.at_once = max(self.at_once, self._flying)
            if body is None:
                return 0, "ok"
            self.asked.append(body)
            return len(self.asked), self.script.pop(0) if self.script else "ok"

    def end(self) -> None:
        with self._lock:
            self._flying -= 1


def _handler(server: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return

        def do_GET(self) -> None:
            self._serve(None)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            self._serve(json.loads(raw))

        def _serve(self, body: dict[str, Any] | None) -> None:
            number, act = server.begin(self.path, {k.casefold(): v for k, v in self.headers.items()}, body)
            try:
                if server.key and self.headers.get("authorization") != f"Bearer {server.key}":
                    act = Fault(401, f"Incorrect API key provided: {self.headers.get('authorization', '')[7:]}.", "invalid_request_error",
                                "invalid_api_key")  # fmt: skip
                asked = body["messages"] if body is not None and "messages" in body else None
                said = server.answer(asked) if asked is not None and act == "ok" else ""
                act = said if isinstance(said, Fault) else act
                if isinstance(act, Fault):
                    self._fault(act, number)
                elif self.path == "/v1/models":
                    data = [{"id": name, "object": "model", "created": 1, "owned_by": "loopback"} for name in server.models]
                    self._json(200, {"object": "list", "data": data})
                elif self.path == "/v1/embeddings" and body is not None and act == "ok":
                    made = [{"object": "embedding", "index": i, "embedding": [len(t), 1.0, 0.5]} for i, t in enumerate(body["input"])]
                    self._json(200, {"object": "list", "data": made[::-1], "model": body["model"], "usage": {"prompt_tokens": 1}})
                elif self.path in ("/v1/chat/completions", "/v1/embeddings") and body is not None:
                    time.sleep(server.pause)
                    self._act(act, body, number)
                else:
                    self._fault(Fault(404, f"Unknown request URL: {self.path}", "invalid_request_error", "unknown_url"), number)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                server.end()

        def _act(self, act: str, body: dict[str, Any], number: int) -> None:
            if act == "redirect":
                self._send(307, b"", {"location": "http://127.0.0.1:9/v1/chat/completions"})
            elif act == "reset":
                self.close_connection = True
                self.connection.close()
            elif act == "malformed":
                self._send(200, b'{"id": "chatcmpl-1", "choices": [{"mess', {"content-type": "application/json"})
            elif act == "wrong shape":
                self._json(200, {"result": "fine"})
            elif act == "html":
                self._send(200, b"<html>login</html>", {"content-type": "text/html"})
            elif act == "slow":
                server.over.wait(60)
                self._json(200, self._completion(body, number, act))
            elif act == "drip":
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "100000")
                self.end_headers()
                while not server.over.wait(0.1):
                    self.wfile.write(b" ")
                    self.wfile.flush()
            else:
                self._json(200, self._completion(body, number, act))

        def _completion(self, body: dict[str, Any], number: int, act: str) -> dict[str, Any]:
            said = "" if act == "empty" else str(server.answer(body["messages"]))
            if act == "cut":
                said = said[: len(said) // 2]
            message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": None}
            if act == "refusal":
                message = {"role": "assistant", "content": None, "refusal": "I can't help with that."}
            usage = {"prompt_tokens": sum(len(m["content"]) // 4 + 4 for m in body["messages"]), "completion_tokens": len(said) // 4 + 1}
            done = {
                "id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1_790_000_000, "model": body["model"],
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "length" if act == "cut" else "stop"}],
                "usage": {**usage, "total_tokens": sum(usage.values())},
            }  # fmt: skip
            if act == "no usage":
                del done["usage"]
            return done

        def _fault(self, fault: Fault, number: int) -> None:
            body = {"error": {"message": fault.message, "type": fault.type, "param": fault.param, "code": fault.code}}
            self._json(fault.status, body, fault.headers)

        def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            self._send(status, json.dumps(body).encode(), {"content-type": "application/json", **(headers or {})})

        def _send(self, status: int, raw: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "x-request-id": f"req_{len(server.asked)}", "x-ratelimit-limit-requests": "500"}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Handler
