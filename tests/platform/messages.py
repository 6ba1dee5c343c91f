"""The messages of a chat: which fields each role has, what may stand in its content, which must follow which."""

from __future__ import annotations

from typing import Any

from tests.platform.faults import refuse
from tests.platform.fields import anything, array, by_type, choice, either, nullable, record, string, wrong_type

_TEXT = record({"type": string(), "text": string(), "prompt_cache_breakpoint": anything}, ["type", "text"])
_PARTS = {
    "text": _TEXT,
    "image_url": record({"type": string(), "image_url": record({"url": string(), "detail": choice("auto", "low", "high")}, ["url"]),
                         "prompt_cache_breakpoint": anything}, ["type", "image_url"]),
    "input_audio": record({"type": string(), "input_audio": record({"data": string(), "format": choice("wav", "mp3")}, ["data", "format"]),
                           "prompt_cache_breakpoint": anything}, ["type", "input_audio"]),
    "file": record({"type": string(), "file": record({"file_data": string(), "file_id": string(), "filename": string()}),
                    "prompt_cache_breakpoint": anything}, ["type", "file"]),
}  # fmt: skip
_REFUSAL = record({"type": string(), "refusal": string()}, ["type", "refusal"])
_CALL = by_type({
    "function": record({"id": string(), "type": string(), "function": record({"name": string(), "arguments": string()}, ["name", "arguments"])},
                       ["id", "type", "function"]),
    "custom": record({"id": string(), "type": string(), "custom": record({"name": string(), "input": string()}, ["name", "input"])},
                     ["id", "type", "custom"]),
})  # fmt: skip


def _content(**kinds: Any) -> Any:
    """Text, or a list of parts of these kinds."""
    return either((str, string()), (list, array(by_type(kinds), 1)))


_PLAIN = record({"role": string(), "content": _content(text=_TEXT), "name": string()}, ["role", "content"])
_ROLES = by_type(
    {
        "developer": _PLAIN,
        "system": _PLAIN,
        "user": record({"role": string(), "content": _content(**_PARTS), "name": string()}, ["role", "content"]),
        "assistant": record({
            "role": string(), "content": nullable(_content(text=_TEXT, refusal=_REFUSAL)), "name": string(), "refusal": nullable(string()),
            "audio": nullable(record({"id": string()}, ["id"])), "tool_calls": array(_CALL, 1, 128),
            "function_call": nullable(record({"name": string(), "arguments": string()}, ["name", "arguments"])),
        }, ["role"]),
        "tool": record({"role": string(), "content": _content(text=_TEXT), "tool_call_id": string()}, ["role", "content", "tool_call_id"]),
        "function": record({"role": string(), "content": nullable(string()), "name": string()}, ["role", "content", "name"]),
    },
    "role",
)  # fmt: skip
_LIST = array(_ROLES, 1)


def MESSAGES(value: Any, path: str) -> None:
    """Every message by itself, then the order of calls of tools and their answers."""
    if not isinstance(value, list):
        raise wrong_type(path, "an array of objects", value)
    _LIST(value, path)
    open_calls: set[str] = set()
    for i, message in enumerate(value):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                raise refuse("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                             None, f"{path}.[{i}].role")  # fmt: skip
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            raise refuse("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The "
                         f"following tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}", None,
                         f"{path}.[{i}].role")  # fmt: skip
        if message["role"] == "assistant":
            open_calls = {call["id"] for call in message.get("tool_calls", [])}
            if message.get("content") is None and not open_calls and not message.get("function_call") and not message.get("refusal"):
                raise refuse(
                    f"Invalid value for 'content': expected a string, got null. ({path}[{i}].content)", None, f"{path}.[{i}].content"
                )
