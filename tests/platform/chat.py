"""POST /v1/chat/completions: fields, ranges and the dependencies between them; answers whole and as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.platform.faults import Fault, RefusedError, refuse
from tests.platform.fields import (
    METADATA,
    anything,
    array,
    boolean,
    by_type,
    check_body,
    choice,
    either,
    integer,
    mapping,
    nullable,
    number,
    record,
    string,
)
from tests.platform.messages import MESSAGES

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform

_NAME = string(64, 1, "[a-zA-Z0-9_-]+")
_FUNCTION = {"name": _NAME, "description": string(), "parameters": mapping(anything), "strict": nullable(boolean)}
_TOOL = by_type({
    "function": record({"type": string(), "function": record(_FUNCTION, ["name"])}, ["type", "function"]),
    "custom": record({"type": string(), "custom": record({"name": _NAME, "description": string(), "format": mapping(anything)}, ["name"])},
                     ["type", "custom"]),
})  # fmt: skip
_NAMED = record({"name": _NAME}, ["name"])
_TOOL_CHOICE = either(
    (str, choice("none", "auto", "required")),
    (dict, by_type({
        "function": record({"type": string(), "function": _NAMED}, ["type", "function"]),
        "custom": record({"type": string(), "custom": _NAMED}, ["type", "custom"]),
        "allowed_tools": record({"type": string(), "allowed_tools": mapping(anything)}, ["type", "allowed_tools"]),
    })),
)  # fmt: skip
_SCHEMA = record({"name": _NAME, "description": string(), "schema": mapping(anything), "strict": nullable(boolean)}, ["name"])
_FORMAT = by_type({
    "text": record({"type": string()}), "json_object": record({"type": string()}),
    "json_schema": record({"type": string(), "json_schema": _SCHEMA}, ["type", "json_schema"]),
})  # fmt: skip
_STREAM = record({"include_usage": boolean, "include_obfuscation": boolean})
_MODERATION = record({"model": string(), "policy": nullable(mapping(anything))}, ["model"])
FIELDS = {
    "messages": MESSAGES, "model": string(),
    "audio": nullable(record({"format": choice("wav", "aac", "mp3", "flac", "opus", "pcm16"), "voice": anything}, ["format", "voice"])),
    "frequency_penalty": nullable(number(-2, 2)),
    "function_call": either((str, choice("none", "auto")), (dict, _NAMED)),
    "functions": array(record({k: _FUNCTION[k] for k in ("name", "description", "parameters")}, ["name"]), 1, 128),
    "logit_bias": nullable(mapping(integer(-100, 100))), "logprobs": nullable(boolean),
    "max_completion_tokens": nullable(integer(1)), "max_tokens": nullable(integer(1)), "metadata": METADATA,
    "modalities": nullable(array(choice("text", "audio"), 1)), "moderation": nullable(_MODERATION), "n": nullable(integer(1, 128)),
    "parallel_tool_calls": boolean, "prediction": nullable(record({"type": choice("content"), "content": anything}, ["type", "content"])),
    "presence_penalty": nullable(number(-2, 2)), "prompt_cache_key": nullable(string()),
    "prompt_cache_options": record({"mode": choice("implicit", "explicit"), "ttl": choice("30m")}),
    "prompt_cache_retention": nullable(choice("in_memory", "24h")),
    "reasoning_effort": nullable(choice("none", "minimal", "low", "medium", "high", "xhigh", "max")), "response_format": _FORMAT,
    "safety_identifier": nullable(string(64)), "seed": nullable(integer(-(2**63), 2**63 - 1)),
    "service_tier": nullable(choice("auto", "default", "flex", "scale", "priority", "fast")),
    "stop": nullable(either((str, string()), (list, array(string(), 1, 4)))), "store": nullable(boolean), "stream": nullable(boolean),
    "stream_options": nullable(_STREAM), "temperature": nullable(number(0, 2)), "tool_choice": _TOOL_CHOICE, "tools": array(_TOOL, 1, 128),
    "top_logprobs": nullable(integer(0, 20)), "top_p": nullable(number(0, 1)), "user": string(),
    "verbosity": nullable(choice("low", "medium", "high")),
    "web_search_options": record({"search_context_size": choice("low", "medium", "high"), "user_location": nullable(mapping(anything))}),
}  # fmt: skip
_REASONING_KEEPS = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""What a reasoning model takes these fields at, and at nothing else."""


def create(platform: Platform, call: Call, act: str = "ok") -> dict[str, Any] | Iterator[dict[str, Any] | str]:
    """A chat completion, or its chunks."""
    body = call.body
    check_body(body, FIELDS, ["model", "messages"])
    _check_together(body)
    _check_model(platform, body)
    taught = platform.models.taught.get(body["model"], {}).get(str(body["messages"][-1].get("content")))
    said = "" if act == "empty" else taught if taught is not None else platform.answer(body["messages"])
    if isinstance(said, Fault):
        raise RefusedError(said)
    done = completion(platform, body, said, act)
    return _stream(body, done) if body.get("stream") else done


ROUTES = [("POST", "/v1/chat/completions", create)]


def _check_together(body: dict[str, Any]) -> None:
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise refuse("Invalid 'top_logprobs': 'logprobs' must be set to true when 'top_logprobs' is used.", "invalid_value", "top_logprobs")
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in body and body[name] != "none" and "tools" not in body:
            raise refuse(f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.", None, name)
    if body.get("stream_options") is not None and not body.get("stream"):
        raise refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", None, "stream_options")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise refuse(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "invalid_parameter_combination",
            "max_tokens",
        )
    wanted = body.get("response_format", {})
    if wanted.get("type") == "json_object" and "json" not in json.dumps(body["messages"]).casefold():
        raise refuse(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", None, "messages"
        )
    schema = wanted.get("json_schema", {})
    if schema.get("strict"):
        _check_strict(schema.get("schema", {}), schema["name"], "()")


def _check_strict(schema: Any, name: str, where: str) -> None:
    """The rules of strict schemas: objects are closed and require everything they name."""
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        problem = ""
        if schema.get("additionalProperties") is not False:
            problem = "'additionalProperties' is required to be supplied and to be false."
        elif missing := sorted(set(schema.get("properties", {})) - set(schema.get("required", []))):
            problem = f"'required' is required to be supplied and to be an array including every key in properties. Missing '{missing[0]}'."
        if problem:
            raise refuse(f"Invalid schema for response_format '{name}': In context={where}, {problem}", None, "response_format")
    for key, inner in schema.get("properties", {}).items():
        _check_strict(inner, name, f"('properties', '{key}')")
    _check_strict(schema.get("items"), name, "('items',)")


def _check_model(platform: Platform, body: dict[str, Any]) -> None:
    model = platform.models.find(body["model"], "chat")
    if model.kind == "reasoning":
        if body.get("max_tokens") is not None:
            raise refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                         "unsupported_parameter", "max_tokens")  # fmt: skip
        for name, only in _REASONING_KEEPS.items():
            if body.get(name) is not None and body[name] != only:
                raise refuse(f"Unsupported value: '{name}' does not support {body[name]} with this model. Only the default ({only}) value is "
                             "supported.", "unsupported_value", name)  # fmt: skip
        for name in ("logprobs", "top_logprobs", "logit_bias"):
            if body.get(name):
                raise refuse(f"Unsupported parameter: '{name}' is not supported with this model.", "unsupported_parameter", name)
    elif model.kind == "chat" and body.get("reasoning_effort") is not None:
        raise refuse("Unrecognized request argument supplied: reasoning_effort")
    if not model.schemas and body.get("response_format", {}).get("type") == "json_schema":
        raise refuse(
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", None, "response_format"
        )


def tokens_of(value: Any) -> int:
    """Tokens as the double counts them: four characters are one."""
    return len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) // 4 + 1


def completion(platform: Platform, body: dict[str, Any], said: str, act: str) -> dict[str, Any]:
    """A whole chat completion, every published field of it."""
    wanted = body.get("response_format", {})
    if wanted.get("type") == "json_schema" and act != "empty":
        said = json.dumps(fitted(said, wanted["json_schema"].get("schema", {})), ensure_ascii=False)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    finish, calls = "stop", None
    if act == "cut":
        said, finish = said[: len(said) // 2], "length"
    elif limit is not None and tokens_of(said) > limit:
        said, finish = said[: limit * 4 - 1], "length"
    choice_of_tool = body.get("tool_choice")
    if choice_of_tool == "required" or (isinstance(choice_of_tool, dict) and choice_of_tool["type"] == "function"):
        calls, finish = [_tool_call(platform, body, said)], "tool_calls"
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else said, "refusal": None, "annotations": []}
    if calls:
        message["tool_calls"] = calls
    if act == "refusal":
        message |= {"content": None, "refusal": "I can't help with that."}
    count = body.get("n") or 1
    told_in = 3 + sum(tokens_of(m.get("content") or "") + 3 for m in body["messages"])
    told_out = count * tokens_of(said) * platform.dearer
    done = {
        "id": platform.new_id("chatcmpl-"), "object": "chat.completion", "created": platform.now(), "model": body["model"],
        "choices": [{"index": i, "message": message, "logprobs": _logprobs(body, said), "finish_reason": finish} for i in range(count)],
        "usage": {
            "prompt_tokens": told_in, "completion_tokens": told_out, "total_tokens": told_in + told_out,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                                          "rejected_prediction_tokens": 0},
        },
        "service_tier": "default", "system_fingerprint": "fp_double0001",
    }  # fmt: skip
    if act == "no usage":
        del done["usage"]
    if act == "zero usage":
        done["usage"] |= {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return done


def _tool_call(platform: Platform, body: dict[str, Any], said: str) -> dict[str, Any]:
    wanted = body["tool_choice"]["function"]["name"] if isinstance(body["tool_choice"], dict) else body["tools"][0]["function"]["name"]
    tool = next((t["function"] for t in body["tools"] if t.get("function", {}).get("name") == wanted), None)
    if tool is None:
        raise refuse(f"Tool choice '{wanted}' not found in 'tools' parameter.", None, "tool_choice")
    arguments = json.dumps(fitted(said, tool.get("parameters", {"type": "object"})), ensure_ascii=False)
    return {"id": platform.new_id("call_"), "type": "function", "function": {"name": wanted, "arguments": arguments}}


def fitted(said: str, schema: dict[str, Any]) -> Any:
    """A value of this schema that says it."""
    kind = schema.get("type")
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        given = _object(said)
        if given is not None and set(given) == set(schema.get("properties", {})):
            return given
        return {name: fitted(said, inner) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        try:
            parts = json.loads(said)
        except ValueError:
            parts = [said]
        return [fitted(one if isinstance(one, str) else json.dumps(one), schema.get("items", {})) for one in parts]
    return {"integer": 1, "number": 1.5, "boolean": True, "null": None}.get(str(kind), said)


def _object(said: str) -> dict[str, Any] | None:
    try:
        found = json.loads(said)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _logprobs(body: dict[str, Any], said: str) -> dict[str, Any] | None:
    if not body.get("logprobs"):
        return None
    top = body.get("top_logprobs") or 0
    one = [{"token": t, "logprob": -0.1, "bytes": list(t.encode())} for t in (said[i : i + 4] for i in range(0, len(said), 4))]
    return {"content": [{**t, "top_logprobs": [{**t, "logprob": -0.1 - i} for i in range(top)]} for t in one], "refusal": None}


def _stream(body: dict[str, Any], done: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    """The chunks of a completion, then the end mark."""
    head = {**{k: done[k] for k in ("id", "created", "model", "service_tier", "system_fingerprint")}, "object": "chat.completion.chunk"}
    usage = (body.get("stream_options") or {}).get("include_usage")

    def chunk(index: int, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> dict[str, Any]:
        choices = [{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]
        return {**head, "choices": choices, **({"usage": None} if usage else {})}

    for one in done["choices"]:
        message, index = one["message"], one["index"]
        yield chunk(index, {"role": "assistant", "content": "" if message["content"] is not None else None, "refusal": None})
        for kind in ("content", "refusal"):
            text = message[kind] or ""
            for i in range(0, len(text), 4):
                yield chunk(index, {kind: text[i : i + 4]})
        for i, call in enumerate(message.get("tool_calls", [])):
            yield chunk(index, {"tool_calls": [{"index": i, **call, "function": {**call["function"], "arguments": ""}}]})
            yield chunk(index, {"tool_calls": [{"index": i, "function": {"arguments": call["function"]["arguments"]}}]})
        yield chunk(index, {}, one["finish_reason"])
    if usage:
        yield {**head, "choices": [], "usage": done["usage"]}
    yield "[DONE]"
