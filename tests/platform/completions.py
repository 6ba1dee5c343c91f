"""POST /v1/completions, for the older models that continue a text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.platform.chat import tokens_of
from tests.platform.faults import Fault, RefusedError, refuse
from tests.platform.fields import array, boolean, check_body, either, integer, mapping, nullable, number, record, string

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform

_IDS = array(integer(0), 1)
FIELDS = {
    "model": string(), "prompt": nullable(either((str, string()), (list, array(either((str, string()), (int, integer(0)), (list, _IDS)), 1)))),
    "best_of": nullable(integer(0, 20)), "echo": nullable(boolean), "frequency_penalty": nullable(number(-2, 2)),
    "logit_bias": nullable(mapping(integer(-100, 100))), "logprobs": nullable(integer(0, 5)), "max_tokens": nullable(integer(0)),
    "n": nullable(integer(1, 128)), "presence_penalty": nullable(number(-2, 2)), "seed": nullable(integer(-(2**63), 2**63 - 1)),
    "stop": nullable(either((str, string()), (list, array(string(), 1, 4)))), "stream": nullable(boolean),
    "stream_options": nullable(record({"include_usage": boolean, "include_obfuscation": boolean})), "suffix": nullable(string()),
    "temperature": nullable(number(0, 2)), "top_p": nullable(number(0, 1)), "user": string(),
}  # fmt: skip


def create(platform: Platform, call: Call, act: str = "ok") -> dict[str, Any] | Iterator[dict[str, Any] | str]:
    """A text that goes on from each prompt."""
    body = call.body
    check_body(body, FIELDS, ["model", "prompt"])
    if body.get("best_of") is not None and body["best_of"] < (body.get("n") or 1):
        raise refuse("Invalid 'best_of': 'best_of' must be greater than or equal to 'n'.", "invalid_value", "best_of")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", None, "stream_options")
    platform.models.find(body["model"], "completion")
    given = body["prompt"] or ""
    prompts = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    limit = 16 if body.get("max_tokens") is None else body["max_tokens"]
    choices, told_out = [], 0
    for prompt in prompts:
        said = (
            ""
            if act == "empty"
            else platform.answer([{"role": "user", "content": prompt if isinstance(prompt, str) else " ".join(map(str, prompt))}])
        )
        if isinstance(said, Fault):
            raise RefusedError(said)
        cut = tokens_of(said) > limit
        said = said[: max(0, limit * 4 - 1)] if cut else said
        told_out += tokens_of(said)
        for _ in range(body.get("n") or 1):
            text = (prompt if body.get("echo") else "") + said
            choices.append({"text": text, "index": len(choices), "logprobs": None, "finish_reason": "length" if cut else "stop"})
    told_in = sum(tokens_of(prompt) for prompt in prompts)
    done = {"id": platform.new_id("cmpl-"), "object": "text_completion", "created": platform.now(), "model": body["model"], "choices": choices,
            "usage": {"prompt_tokens": told_in, "completion_tokens": told_out, "total_tokens": told_in + told_out},
            "system_fingerprint": "fp_double0001"}  # fmt: skip
    return _stream(done) if body.get("stream") else done


def _stream(done: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    head = {name: value for name, value in done.items() if name not in ("choices", "usage")}
    for one in done["choices"]:
        for i in range(0, len(one["text"]), 4):
            yield {**head, "choices": [{**one, "text": one["text"][i : i + 4], "finish_reason": None}]}
        yield {**head, "choices": [{**one, "text": ""}]}
    yield "[DONE]"


ROUTES = [("POST", "/v1/completions", create)]
