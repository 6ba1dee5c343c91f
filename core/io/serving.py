"""The local model behind the chat completions protocol: what `serve` answers, whole or as a stream of events.

One base model and any adapters of it, each a model by name. As in the protocol: errors come in its envelope, a stream ends with
[DONE], usage comes in a chunk of its own when asked for. Beyond it: a last message of the assistant is continued, as answers with
a prefix are trained. What is not served here (tools, several answers, log probabilities) is refused and never ignored.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

from core.errors import StudioError
from core.format import short
from core.io.embedded import Engine
from core.reply import Reply

MOST_TOKENS, USUAL_TOKENS = 2048, 256
LARGEST = 10 << 20
"""Bytes of a request."""
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
HOSTS = ["127.0.0.1", "localhost", "testserver"]
"""Names this machine is called by; a page of another site that points its own name here gets nothing."""
_ONLY = {"n": (None, 1), "logprobs": (None, False), "top_logprobs": (None, 0), "tools": (None, []), "functions": (None, []),
         "top_p": (None, 1), "presence_penalty": (None, 0), "frequency_penalty": (None, 0), "logit_bias": (None, {}),
         "response_format": (None, {"type": "text"}), "modalities": (None, ["text"]), "audio": (None,)}  # fmt: skip
"""Parameters that can only have these values here."""


class Refused(Exception):
    """A request that is not answered: what stands in the protocol's envelope."""

    def __init__(self, message: str, status: int = 400, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = "invalid_request_error" if status < 500 else "server_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def application(base: Path, models: Mapping[str, str | None]) -> Any:
    """The routes as a Starlette app. `models` is name -> the adapter's folder, None for the base model; the last is the usual one."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse, StreamingResponse
    from starlette.routing import Route

    live, begun = Engine(base), int(time.time())

    def refused(error: Refused) -> Any:
        return JSONResponse(error.body, error.status)

    async def chat(request: Any) -> Any:
        try:
            asked = Asked(await _body(request), models)
            stop = Event()
            said = _said(live, asked, stop)
            first = await run_in_threadpool(next, said)
            if first.finish == "error":
                raise Refused(first.error, param="messages", code="context_length_exceeded")
            if asked.stream:
                return StreamingResponse(_events(asked, first, said, stop), media_type="text/event-stream",
                                         headers={"cache-control": "no-cache"})  # fmt: skip
            last = await run_in_threadpool(_last, first, said)
            return JSONResponse(asked.whole(last))
        except Refused as error:
            return refused(error)
        except StudioError as error:
            return refused(Refused(f"{error.title}. {error}", 500))

    async def listed(request: Any) -> Any:
        return JSONResponse({"object": "list", "data": [_model(name, begun) for name in models]})

    async def one(request: Any) -> Any:
        name = request.path_params["name"]
        return JSONResponse(_model(name, begun)) if name in models else refused(_unknown(name, models))

    async def elsewhere(request: Any, error: HTTPException) -> Any:
        told = f"Unknown request URL: {request.method} {short(request.url.path, 80)}."
        return refused(Refused(f"{told} Served are POST /v1/chat/completions and GET /v1/models.", error.status_code, code="unknown_url"))

    routes = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/v1/models", listed), Route("/v1/models/{name:path}", one)]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    return Starlette(routes=routes, middleware=[hosts], exception_handlers={404: elsewhere, 405: elsewhere})  # type: ignore[dict-item]


class Asked:
    """A request that can be answered. Raises Refused naming the parameter and its value."""

    def __init__(self, body: Any, models: Mapping[str, str | None]) -> None:
        if not isinstance(body, dict):
            raise Refused("The body is not a JSON object.")
        for name, fine in _ONLY.items():
            if body.get(name) not in fine:
                raise Refused(f"{name} is {short(repr(body[name]), 60)}, which is not served here. Leave it out.", param=name,
                              code="unsupported_parameter")  # fmt: skip
        self.name = _name(body.get("model"), models)
        self.adapter = models[self.name]
        self.messages, self.prefix = _messages(body.get("messages"))
        limit = _number(body, "max_completion_tokens", 1, 1 << 30) or _number(body, "max_tokens", 1, 1 << 30) or USUAL_TOKENS
        self.max_tokens = int(min(MOST_TOKENS, limit))
        self.temperature = float(_number(body, "temperature", 0, 2) or 0.0)
        self.seed = int(_number(body, "seed", -(1 << 63), 1 << 63) or 0) & 0x7FFFFFFF
        self.stops = _stops(body.get("stop"))
        self.stream = _flag(body, "stream")
        self.with_usage = _with_usage(body, self.stream)
        self.id, self.created = f"chatcmpl-{time.time_ns():x}", int(time.time())

    def whole(self, reply: Reply) -> dict[str, Any]:
        """The answer as one object."""
        choice = {"index": 0, "message": {"role": "assistant", "content": reply.text, "refusal": None}, "logprobs": None,
                  "finish_reason": _finish(reply)}  # fmt: skip
        return {**self._about("chat.completion"), "choices": [choice], "usage": _usage(reply)}

    def chunk(self, delta: Mapping[str, str], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
        return {**self._about("chat.completion.chunk"), "choices": [choice], **({"usage": None} if self.with_usage else {})}

    def spent(self, reply: Reply) -> dict[str, Any]:
        return {**self._about("chat.completion.chunk"), "choices": [], "usage": _usage(reply)}

    def _about(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.name, "system_fingerprint": None}


async def _body(request: Any) -> Any:
    """The request's JSON. Any other content type is refused: it is what a page of another site can send unasked."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refused("The content type must be application/json.", 415)
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > LARGEST:
            raise Refused(f"The body is larger than {LARGEST:,} bytes.", 413)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(f"The body is not JSON: {short(str(error), 100)}.") from error


def _name(asked: Any, models: Mapping[str, str | None]) -> str:
    """The model's full name; an adapter may be called by its id alone."""
    if asked is None:
        return list(models)[-1]
    found = [name for name in models if asked in (name, name.partition("+")[2] or name)]
    if not isinstance(asked, str) or not found:
        raise _unknown(asked, models)
    return found[0]


def _unknown(asked: Any, models: Mapping[str, str | None]) -> Refused:
    told = f"The model '{short(str(asked), 80)}' does not exist here. There are {', '.join(models)}."
    return Refused(told, 404, param="model", code="model_not_found")


def _messages(given: Any) -> tuple[list[dict[str, str]], str]:
    """The chat, and how the answer begins: the last message's text where that is the assistant's."""
    if not isinstance(given, list) or not given:
        raise Refused("messages is missing: a list of {role, content} is needed.", param="messages")
    chat = []
    for place, one in enumerate(given):
        role = ROLES.get(str(one.get("role"))) if isinstance(one, dict) else None
        content = _text(one.get("content")) if isinstance(one, dict) else None
        if role is None or content is None:
            raise Refused(f"messages[{place}] needs a role ({', '.join(ROLES)}) and a content of text.", param=f"messages[{place}]")
        chat.append({"role": role, "content": content})
    if chat[-1]["role"] != "assistant":
        return chat, ""
    if len(chat) == 1:
        raise Refused("messages holds only what the assistant says; a question is needed.", param="messages")
    return chat[:-1], chat[-1]["content"]


def _text(content: Any) -> str | None:
    """Text, or parts of text put together; None for anything else."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and content and all(isinstance(p, dict) and p.get("type") == "text" and isinstance(p.get("text"), str)
                                                     for p in content):  # fmt: skip
        return "".join(part["text"] for part in content)
    return None


def _number(body: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    whole = name != "temperature"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        span = f"from {low} to {high}" if high < 1 << 30 else f"from {low} on" if low >= 0 else "of 64 bits"
        raise Refused(f"{name} is {short(repr(value), 40)}; {kind} {span} is needed.", param=name, code="invalid_value")
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    if body.get(name) not in (None, True, False):
        raise Refused(f"{name} is {short(repr(body[name]), 40)}; true or false is needed.", param=name, code="invalid_type")
    return bool(body.get(name))


def _stops(given: Any) -> tuple[str, ...]:
    stops = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else () if given is None else (None,)
    if len(stops) > 4 or not all(isinstance(one, str) and one for one in stops):
        raise Refused("stop is a text or a list of up to four texts.", param="stop", code="invalid_value")
    return stops  # type: ignore[return-value]


def _with_usage(body: Mapping[str, Any], stream: bool) -> bool:
    options = body.get("stream_options")
    if options is not None and (not stream or not isinstance(options, dict)):
        raise Refused("stream_options goes with stream: true.", param="stream_options", code="invalid_value")
    return bool((options or {}).get("include_usage"))


def _said(live: Engine, asked: Asked, stop: Event) -> Iterator[Reply]:
    """The answer as it grows, cut before the first of the stop texts; the last one is final."""
    how = {"max_tokens": asked.max_tokens, "temperature": asked.temperature, "seed": asked.seed, "prefix": asked.prefix}
    for (reply,) in live.stream([asked.messages], adapter=asked.adapter, stop=stop, **how):  # type: ignore[arg-type]
        at = min((place for one in asked.stops if (place := reply.text.find(one)) >= 0), default=None)
        if at is not None:
            stop.set()
            yield Reply(reply.text[:at], reply.tokens_in, reply.tokens_out, reply.seconds, "stop")
            return
        yield reply


def _last(first: Reply, said: Iterator[Reply]) -> Reply:
    for reply in said:
        first = reply
    return first


async def _events(asked: Asked, first: Reply, said: Iterator[Reply], stop: Event) -> AsyncIterator[str]:
    """Server-sent events: the role, what is new in each step, why it ended, usage when asked for, [DONE]."""
    from starlette.concurrency import iterate_in_threadpool

    sent, last = "", first
    try:
        yield _event(asked.chunk({"role": "assistant", "content": ""}))
        async for last in _from(first, iterate_in_threadpool(said)):
            new = _safe(last, asked.stops)[len(sent) :]
            if new:
                sent += new
                yield _event(asked.chunk({"content": new}))
        yield _event(asked.chunk({}, _finish(last)))
        if asked.with_usage:
            yield _event(asked.spent(last))
    except StudioError as error:
        yield _event(Refused(f"{error.title}. {error}", 500).body)
    finally:
        stop.set()
    yield "data: [DONE]\n\n"


async def _from(first: Reply, rest: AsyncIterator[Reply]) -> AsyncIterator[Reply]:
    yield first
    async for one in rest:
        yield one


def _safe(reply: Reply, stops: tuple[str, ...]) -> str:
    """The text so far without an end that may still change: half a character, or the beginning of a stop text."""
    text = reply.text
    if reply.finish != "running":
        return text
    text = text.rstrip("\ufffd")
    held = max((n for one in stops for n in range(1, len(one)) if text.endswith(one[:n])), default=0)
    return text[: len(text) - held]


def _event(value: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _finish(reply: Reply) -> str:
    return "length" if reply.finish == "length" else "stop"


def _usage(reply: Reply) -> dict[str, int]:
    read, said = reply.tokens_in or 0, reply.tokens_out or 0
    return {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said}


def _model(name: str, created: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": "finetune-studio"}
