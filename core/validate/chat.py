"""The rules of a chat training file: today's, and the seven of the classic notebook.

`classic` counts exactly what OpenAI's cookbook counts (Chat_finetuning_data_prep, commit b774cbf): `data_type`,
`missing_messages_list`, `message_missing_key`, `message_unrecognized_key`, `unrecognized_role`, `missing_content`,
`example_missing_assistant_message`; one per message or example, the first two end their example. `current` keeps these
names and judges them by today's API: developer and tool roles, tool calls, lists of parts and null content beside a tool
call are legal (see `limits`). Not looked at here: what the words say.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from core.validate.limits import CLASSIC_KEYS, CLASSIC_ROLES, EXAMPLE_KEYS, MAX_IMAGES, MESSAGE_KEYS, PART_TYPES, ROLES

CLASSIC = (
    "data_type", "missing_messages_list", "message_missing_key", "message_unrecognized_key", "unrecognized_role", "missing_content",
    "example_missing_assistant_message",
)  # fmt: skip
Findings = dict[str, list[int]]
"""Type -> the position of the example of each occurrence, in order; an example may stand there more than once."""
_CLASSIC_KEYS, _CLASSIC_ROLES = set(CLASSIC_KEYS), set(CLASSIC_ROLES)
_KEYS, _ROLES, _EXAMPLE_KEYS = set(MESSAGE_KEYS), set(ROLES), set(EXAMPLE_KEYS)
_PLAIN = {"role", "content"}


def classic(rows: Sequence[Any]) -> Findings:
    """The seven types as the notebook counts them, and `missing_system` and `missing_user`."""
    found: Findings = defaultdict(list)
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            found["data_type"].append(place)
            continue
        messages = row.get("messages")
        if not messages or not isinstance(messages, list):
            found["missing_messages_list"].append(place)
            continue
        _classic_messages(messages, place, found)
        roles = {_role(one) for one in messages}
        if "assistant" not in roles:
            found["example_missing_assistant_message"].append(place)
        for role in ("system", "user"):
            if role not in roles:
                found[f"missing_{role}"].append(place)
    return dict(found)


def _classic_messages(messages: list[Any], place: int, found: Findings) -> None:
    for message in messages:
        if not isinstance(message, dict):
            found["message_missing_key"].append(place)
            continue
        if "role" not in message or "content" not in message:
            found["message_missing_key"].append(place)
        if not message.keys() <= _CLASSIC_KEYS:
            found["message_unrecognized_key"].append(place)
        if _role(message) not in _CLASSIC_ROLES:
            found["unrecognized_role"].append(place)
        content = message.get("content")
        if (not content and not message.get("function_call")) or not isinstance(content, str):
            found["missing_content"].append(place)


def current(rows: Iterable[Any]) -> Findings:
    """What today's platform refuses or warns about, by type (see `checks.RULES` for what each means)."""
    found: Findings = defaultdict(list)
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            found["data_type"].append(place)
            continue
        messages = row.get("messages")
        if not messages or not isinstance(messages, list):
            found["missing_messages_list"].append(place)
            continue
        if not row.keys() <= _EXAMPLE_KEYS:
            found["example_unrecognized_key"].append(place)
        _example(row, messages, place, found)
    return dict(found)


def _example(row: dict[str, Any], messages: list[Any], place: int, found: Findings) -> None:
    roles, learnt, called, images = set(), False, False, 0
    calls: set[str] = set()
    for message in messages:
        if not isinstance(message, dict):
            found["message_missing_key"].append(place)
            continue
        role, content = _role(message), message.get("content")
        roles.add(role)
        if message.keys() == _PLAIN and role in _ROLES and isinstance(content, str) and content:
            learnt = learnt or role == "assistant"
            if role == "tool":
                found["tool_without_call"].append(place)
            continue
        images += _message(message, role, content, place, found)
        learnt = learnt or (role == "assistant" and message.get("weight", 1) != 0)
        called = called or bool(message.get("tool_calls"))
        calls |= _tools(message, role, calls, place, found)
    if "assistant" not in roles:
        found["example_missing_assistant_message"].append(place)
    elif not learnt:
        found["nothing_learnt"].append(place)
    if _role(messages[-1]) != "assistant" and "assistant" in roles:
        found["last_message_not_assistant"].append(place)
    if called and not row.get("tools"):
        found["tools_not_declared"].append(place)
    if images > MAX_IMAGES:
        found["too_many_images"].append(place)
    if not roles & {"system", "developer"}:
        found["missing_system"].append(place)
    if "user" not in roles:
        found["missing_user"].append(place)


def _message(message: dict[str, Any], role: Any, content: Any, place: int, found: Findings) -> int:
    """Checks one message that is not plain text; returns its images."""
    spoken = any(message.get(key) for key in ("tool_calls", "function_call", "refusal"))
    if "role" not in message or ("content" not in message and not (role == "assistant" and spoken)):
        found["message_missing_key"].append(place)
    if not message.keys() <= _KEYS:
        found["message_unrecognized_key"].append(place)
    if role not in _ROLES:
        found["unrecognized_role"].append(place)
    if "weight" in message and (role != "assistant" or message["weight"] not in (0, 1) or isinstance(message["weight"], bool)):
        found["bad_weight"].append(place)
    images = 0
    if isinstance(content, list):
        images = sum(isinstance(part, dict) and part.get("type") == "image_url" for part in content)
        if not content or any(not isinstance(part, dict) or part.get("type") not in PART_TYPES for part in content):
            found["missing_content"].append(place)
        if images and role != "user":
            found["image_not_from_user"].append(place)
    elif not (isinstance(content, str) and content) and not (role == "assistant" and spoken and content in (None, "")):
        found["missing_content"].append(place)
    return images


def _tools(message: dict[str, Any], role: Any, calls: set[str], place: int, found: Findings) -> set[str]:
    """The ids of this message's tool calls, after checking their shape and that a tool's message answers one before it."""
    if role == "tool" and message.get("tool_call_id") not in calls:
        found["tool_without_call"].append(place)
    made = message.get("tool_calls")
    if made is None:
        return set()
    if role != "assistant" or not isinstance(made, list) or not all(map(_well_called, made)):
        found["bad_tool_call"].append(place)
        return {str(one.get("id")) for one in made if isinstance(one, dict)} if isinstance(made, list) else set()
    return {one["id"] for one in made}


def _well_called(call: Any) -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str) or call.get("type") != "function":
        return False
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not isinstance(function.get("arguments"), str):
        return False
    try:
        return isinstance(json.loads(function["arguments"] or "{}"), dict)
    except (ValueError, RecursionError):
        return False


def _role(message: Any) -> Any:
    """The role, or None for one that is no text (which cannot stand in a set)."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else None
