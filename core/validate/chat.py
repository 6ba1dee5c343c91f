"""The rules of a chat training file: today's, and the seven of the classic notebook.

`classic` counts exactly what OpenAI's cookbook counts (Chat_finetuning_data_prep, commit b774cbf): `data_type`,
`missing_messages_list`, `message_missing_key`, `message_unrecognized_key`, `unrecognized_role`, `missing_content`,
`example_missing_assistant_message`; one per message or example, the first two end their example. `current` keeps these
names and judges them by today's API: developer and tool roles, tool calls, lists of parts and null content beside a tool
call are legal (see `limits`, `tool_calls`, `pictures`). `problems` looks at one row and knows nothing of the others. Not
looked at here: what the words say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from core.validate import tool_calls
from core.validate.limits import CLASSIC_KEYS, CLASSIC_ROLES, EXAMPLE_KEYS, MAX_IMAGES, MESSAGE_KEYS, PART_TYPES, ROLES
from core.validate.pictures import images_in, wrong_with
from core.validate.tool_calls import Problem

CLASSIC = (
    "data_type", "missing_messages_list", "message_missing_key", "message_unrecognized_key", "unrecognized_role", "missing_content",
    "example_missing_assistant_message",
)  # fmt: skip
Findings = dict[str, list[int]]
"""Type -> the position of the example of each occurrence, in order; an example may stand there more than once."""
_CLASSIC_KEYS, _CLASSIC_ROLES = set(CLASSIC_KEYS), set(CLASSIC_ROLES)
_KEYS, _ROLES, _EXAMPLE_KEYS = set(MESSAGE_KEYS), set(ROLES), set(EXAMPLE_KEYS)
_PLAIN = {"role", "content"}
_FIRST = {"system", "developer"}
_OWNER = {"refusal": "assistant", "tool_calls": "assistant", "function_call": "assistant", "tool_call_id": "tool"}
"""Keys that only messages of one role take."""


def classic(rows: Sequence[Any]) -> Findings:
    """The seven types as the notebook counts them, and `missing_system` and `missing_user`."""
    return _gathered(map(classic_problems, rows))


def current(rows: Iterable[Any]) -> Findings:
    """What today's platform refuses or warns about in chat lines, by type (see `rules.RULES` for what each means)."""
    return _gathered(map(problems, rows))


def _gathered(found: Iterable[list[Problem]]) -> Findings:
    out: Findings = defaultdict(list)
    for place, one in enumerate(found):
        for name, _ in one:
            out[name].append(place)
    return dict(out)


def classic_problems(row: Any) -> list[Problem]:
    """What the notebook counts in one row, with the message each stands in."""
    if not isinstance(row, dict):
        return [("data_type", None)]
    messages = row.get("messages")
    if not messages or not isinstance(messages, list):
        return [("missing_messages_list", None)]
    found: list[Problem] = []
    for place, message in enumerate(messages):
        if not isinstance(message, dict):
            found.append(("message_missing_key", place))
            continue
        if "role" not in message or "content" not in message:
            found.append(("message_missing_key", place))
        if not message.keys() <= _CLASSIC_KEYS:
            found.append(("message_unrecognized_key", place))
        if role_of(message) not in _CLASSIC_ROLES:
            found.append(("unrecognized_role", place))
        content = message.get("content")
        if (not content and not message.get("function_call")) or not isinstance(content, str):
            found.append(("missing_content", place))
    roles = {role_of(one) for one in messages}
    if "assistant" not in roles:
        found.append(("example_missing_assistant_message", None))
    return found + [(f"missing_{role}", None) for role in ("system", "user") if role not in roles]


def problems(row: Any) -> list[Problem]:
    """What today's platform refuses or warns about in one chat line, with the message each stands in, from 0."""
    found, messages = opened(row)
    if messages is None:
        return found
    if not row.keys() <= _EXAMPLE_KEYS:
        found.append(("example_unrecognized_key", None))
    roles, learnt = spoken(row, messages, found)
    said = set(roles)
    if "assistant" not in said:
        found.append(("example_missing_assistant_message", None))
    elif not learnt:
        found.append(("nothing_learnt", None))
    if roles[-1] != "assistant" and "assistant" in said:
        found.append(("last_message_not_assistant", len(messages) - 1))
    if "user" not in said:
        found.append(("missing_user", None))
    if said.isdisjoint(_FIRST):
        found.append(("missing_system", None))
    return found


def opened(row: Any) -> tuple[list[Problem], list[Any] | None]:
    """The messages of a row, or None with what is wrong."""
    if not isinstance(row, dict):
        return [("data_type", None)], None
    messages = row.get("messages")
    return ([], messages) if messages and isinstance(messages, list) else ([("missing_messages_list", None)], None)


def spoken(row: dict[str, Any], messages: list[Any], found: list[Problem]) -> tuple[list[Any], bool]:
    """The roles in their order (None for none), and whether an answer is learnt; what is wrong goes into `found`."""
    roles: list[Any] = []
    learnt, plain, images = False, True, 0
    for place, message in enumerate(messages):
        if not isinstance(message, dict):
            found.append(("message_missing_key", place))
            roles.append(None)
            continue
        role, content = role_of(message), message.get("content")
        roles.append(role)
        if isinstance(content, str) and content and role in _ROLES and message.keys() == _PLAIN:
            learnt = learnt or role == "assistant"
            plain = plain and role != "tool"
            continue
        plain = False
        last = place == len(messages) - 1
        found += [(name, place) for name in _message(message, role, content, last)]
        images += images_in(content)
        learnt = learnt or (role == "assistant" and message.get("weight", 1) != 0)
    if not plain:
        found += tool_calls.calls(row, messages)
    if len(row) > 1:
        found += tool_calls.definitions(row)
    if images > MAX_IMAGES:
        found.append(("too_many_images", None))
    if (turn := out_of_turn(messages, roles)) is not None:
        found.append(("roles_out_of_order", turn))
    return roles, learnt


def _message(message: dict[str, Any], role: Any, content: Any, last: bool) -> Iterator[str]:
    """What is wrong with one message that is not plain text."""
    words = any(message.get(key) for key in ("tool_calls", "function_call", "refusal"))
    if "role" not in message or ("content" not in message and not (role == "assistant" and words)):
        yield "message_missing_key"
    if not message.keys() <= _KEYS or any(role != owner and message.get(key) is not None for key, owner in _OWNER.items()):
        yield "message_unrecognized_key"
    if "role" in message and role not in _ROLES:
        yield "unrecognized_role"
    if "weight" in message and (role != "assistant" or message["weight"] not in (0, 1) or isinstance(message["weight"], bool)):
        yield "bad_weight"
    if not isinstance(message.get("name", ""), str) and message["name"] is not None:
        yield "bad_name"
    if isinstance(content, list):
        yield from _parts(content, role)
        return
    answered = role == "assistant" and (words or (last and content == ""))  # an empty last answer is told as such
    if not (isinstance(content, str) and content) and not (answered and content in (None, "")):
        yield "missing_content"


def _parts(content: list[Any], role: Any) -> Iterator[str]:
    kinds = [part.get("type") if isinstance(part, dict) else None for part in content]
    texts = [part.get(kind) for part, kind in zip(content, kinds, strict=True) if kind in ("text", "refusal")]
    if not content or any(kind not in PART_TYPES for kind in kinds) or not all(isinstance(text, str) for text in texts):
        yield "missing_content"
    pictures = [part for part, kind in zip(content, kinds, strict=True) if kind == "image_url"]
    if pictures and role != "user":
        yield "image_not_from_user"
    if any(map(wrong_with, pictures)):
        yield "bad_image"


def out_of_turn(messages: Sequence[Any], roles: Sequence[Any]) -> int | None:
    """The first message out of its turn: instructions after the talk began, an answer before a question, one role twice.

    Speakers with different names may speak one after the other, and the assistant may call tools in several steps.
    """
    before = -1
    for place, role in enumerate(roles):
        if role in _FIRST:
            if before >= 0:
                return place
            continue
        if role not in ("user", "assistant"):
            before = place
            continue
        if before < 0:
            if role == "assistant" and "user" in roles:
                return place
        elif roles[before] == role and isinstance(one := messages[before], dict):
            called = one.get("tool_calls") or one.get("function_call")
            if not called and one.get("name") == messages[place].get("name"):
                return place
        before = place
    return None


def role_of(message: Any) -> Any:
    """The role, or None for one that is no text (which cannot stand in a set)."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else None
