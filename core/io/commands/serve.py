"""`serve`: the local model behind the address other programs expect, on loopback only."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

HELP = "answer /v1/chat/completions and /v1/models on this machine"
MOST_TOKENS = 2048


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="embedded (default), a model folder or owner/name of the Hub; an adapter brings its own")
    parser.add_argument("--adapter", help="an adapter's folder, its id in this workspace, or ID:step-N of a kept checkpoint")
    parser.add_argument("--port", type=int, default=8700)


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    import uvicorn

    from core.io.commands.generate import adapter_folder, base_folder

    adapter = adapter_folder(args.adapter)
    base = base_folder(args.model, adapter, say)
    say(f"Answers on http://127.0.0.1:{args.port}/v1 until Ctrl+C.")
    uvicorn.run(application(args.model or "embedded", base, adapter), host="127.0.0.1", port=args.port, log_level="warning")
    return {"stopped": True}


def application(name: str, base: Any, adapter: str | None) -> Any:
    """The routes as a Starlette app. Requests for another model, for n > 1 or for a stream are refused in words."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from core.errors import StudioError
    from core.io.embedded import Engine

    live = Engine(base)

    def refused(message: str, status: int = 400) -> Any:
        return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, status)

    async def chat(request: Any) -> Any:
        try:
            body = await request.json()
        except ValueError:
            return refused("The body is not JSON.")
        wrong = wrong_request(body, name)
        if wrong:
            return refused(wrong)
        limit = min(MOST_TOKENS, int(body.get("max_completion_tokens") or body.get("max_tokens") or 256))
        how = {"max_tokens": limit, "temperature": float(body.get("temperature") or 0.0), "seed": int(body.get("seed") or 0)}
        messages = [{"role": m["role"], "content": m["content"]} for m in body["messages"]]
        try:
            reply = (await run_in_threadpool(lambda: live.complete([messages], adapter=adapter, **how)))[0]
        except StudioError as error:
            return refused(str(error), 500)
        if reply.finish == "error":
            return refused(reply.error)
        choice = {"index": 0, "message": {"role": "assistant", "content": reply.text}, "finish_reason": reply.finish, "logprobs": None}
        read, said = reply.tokens_in or 0, reply.tokens_out or 0
        usage = {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said}
        about = {"id": f"chatcmpl-{time.time_ns()}", "object": "chat.completion", "created": int(time.time()), "model": name}
        return JSONResponse({**about, "choices": [choice], "usage": usage})

    async def models(request: Any) -> Any:
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "finetune-studio"}]})

    routes = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/v1/models", models)]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "testserver"])  # no page of another site gets in
    return Starlette(routes=routes, middleware=[hosts])


def wrong_request(body: Any, name: str) -> str:
    """Why a request cannot be answered, or ""."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or not body["messages"]:
        return "messages is missing: a list of {role, content} is needed."
    if not all(isinstance(m, dict) and isinstance(m.get("role"), str) and isinstance(m.get("content"), str) for m in body["messages"]):
        return "Each message needs a role and a content of text."
    if body.get("model") not in (None, name):
        return f"Only the model '{name}' is served here."
    if body.get("stream"):
        return "Streams are not served here; leave stream out."
    if body.get("n") not in (None, 1):
        return "One answer per request: leave n out."
    return ""


def show(result: dict[str, Any]) -> str:
    return "Stopped."
