"""Tool calls as ShareGPT files write them (LLaMA-Factory's data README): turns of function_call and observation.

A function_call turn holds the JSON of {"name", "arguments"} or of a list of these; the observation after it is the result.
These files have no ids: calls are numbered call_1, call_2 ... within their row, and results answer them in order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.validate.tool_calls import arguments_of

Message = dict[str, Any]


def called(value: Any, before: int) -> list[dict[str, Any]] | None:
    """The tool calls of a function_call turn, numbered after `before` others; None when it is no JSON of calls."""
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None
    calls = read if isinstance(read, list) else [read]
    if not calls or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in calls):
        return None
    made = []
    for number, one in enumerate(calls, start=before + 1):
        given = one.get("arguments", {})
        text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        made.append({"id": f"call_{number}", "type": "function", "function": {"name": one["name"], "arguments": text}})
    return made


def written(calls: Sequence[Any], before: int, lost: Counter[str]) -> str | None:
    """The function_call turn of these calls; None when they are malformed. Ids that are not call_1, call_2 ... are lost."""
    out = []
    for number, one in enumerate(calls, start=before + 1):
        function = one.get("function") if isinstance(one, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not isinstance(function.get("arguments"), str):
            return None
        given = arguments_of(function["arguments"])
        lost["ids of tool calls"] += one.get("id") != f"call_{number}"
        plain = given is not None and json.dumps(given, ensure_ascii=False) == function["arguments"]
        out.append({"name": function["name"], "arguments": given if plain else function["arguments"]})
    return json.dumps(out[0] if len(out) == 1 else out, ensure_ascii=False)


def tools_of(value: Any) -> list[Any] | None:
    """Tool definitions of a ShareGPT row (a list, or its JSON) as a chat line has them; None for anything else."""
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, list):
        return None
    return [one if not isinstance(one, dict) or "function" in one else {"type": "function", "function": one} for one in read]


def tools_text(tools: Any) -> str:
    """Tool definitions as a ShareGPT row has them: the JSON of a list of functions."""
    listed = tools if isinstance(tools, list) else []
    plain = all(isinstance(one, dict) and one.keys() == {"type", "function"} and one["type"] == "function" for one in listed)
    return json.dumps([one["function"] for one in listed] if plain else tools, ensure_ascii=False, default=str)


def answers_in_order(messages: Sequence[Any]) -> bool:
    """Whether every tool result stands behind its call, in the order of the calls: then ids can be told again."""
    waiting: list[Any] = []
    for one in messages:
        if isinstance(one, Mapping) and one.get("role") == "tool":
            if not waiting or one.get("tool_call_id") != waiting.pop(0):
                return False
        elif isinstance(one, Mapping) and isinstance(one.get("tool_calls"), list):
            waiting = [call.get("id") for call in one["tool_calls"] if isinstance(call, Mapping)]
    return True
