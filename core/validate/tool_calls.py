"""The rules for tools in a chat line: definitions, calls, and the results that answer them.

Source: OpenAI's API description: a function's name is 1 to 64 letters, digits, _ or -; arguments are the text of a JSON
object; at most 128 tools; a call is answered by tool messages before anyone else speaks, unless it is the last message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

MAX_TOOLS = 128
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
Problem = tuple[str, int | None]
"""A type of finding, and the message it stands in, from 0; None for the example."""


def definitions(row: dict[str, Any]) -> Iterator[Problem]:
    """What is wrong with `tools`, `functions` and `parallel_tool_calls`."""
    tools, functions, parallel = row.get("tools"), row.get("functions"), row.get("parallel_tool_calls")
    fine = tools is None or (isinstance(tools, list) and len(tools) <= MAX_TOOLS and all(map(_defined, tools)))
    fine = fine and (functions is None or (isinstance(functions, list) and len(functions) <= MAX_TOOLS and all(map(_function, functions))))
    if not fine or not (parallel is None or isinstance(parallel, bool)):
        yield "bad_tools", None


def calls(row: dict[str, Any], messages: Sequence[Any]) -> Iterator[Problem]:
    """What is wrong with the calls of tools and their results, in order."""
    declared = _names(row)
    open_calls: set[str] = set()
    asked, undeclared = 0, False
    for place, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        role, made = message.get("role"), message.get("tool_calls")
        if role == "tool":
            one = message.get("tool_call_id")
            if not isinstance(one, str) or one not in open_calls:
                yield "tool_without_call", place
            else:
                open_calls.discard(one)
            continue
        if open_calls:
            yield "tool_call_unanswered", asked
            open_calls = set()
        if made is None:
            continue
        asked = place
        if role != "assistant" or not isinstance(made, list) or not made or not all(map(_well_called, made)):
            yield "bad_tool_call", place
        known = [one for one in made if isinstance(one, dict)] if isinstance(made, list) else []
        open_calls = {one["id"] for one in known if isinstance(one.get("id"), str)}
        undeclared = undeclared or any(_called(one) not in declared for one in known)
    if open_calls and asked != len(messages) - 1:
        yield "tool_call_unanswered", asked
    if undeclared:
        yield "tools_not_declared", None


def _names(row: dict[str, Any]) -> set[Any]:
    tools = row.get("tools")
    found = [one.get("function") for one in tools if isinstance(one, dict)] if isinstance(tools, list) else []
    return {one["name"] for one in found if isinstance(one, dict) and isinstance(one.get("name"), str)}


def _called(call: dict[str, Any]) -> Any:
    function = call.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _defined(tool: Any) -> bool:
    return isinstance(tool, dict) and tool.get("type") == "function" and _function(tool.get("function"))


def _function(function: Any) -> bool:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not _NAME.fullmatch(function["name"]):
        return False
    described, parameters = function.get("description"), function.get("parameters")
    return (described is None or isinstance(described, str)) and (parameters is None or isinstance(parameters, dict))


def _well_called(call: Any) -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str) or call.get("type") != "function":
        return False
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not isinstance(function.get("arguments"), str):
        return False
    return bool(_NAME.fullmatch(function["name"])) and arguments_of(function["arguments"]) is not None


def arguments_of(text: str) -> dict[str, Any] | None:
    """The arguments of a call as an object; None when the text is no JSON object. Nothing is an empty one."""
    try:
        read = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
