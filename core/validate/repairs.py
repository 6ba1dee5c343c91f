"""Repairs of one row: a row in, the mended row out, None to leave it out; the same row when it cannot be mended.

Nothing of the file is known here. Rows keep their format: messages, conversations, and the messages inside a preference's
input are mended alike. What needs the whole file stands in `fixes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.validate.chat import out_of_turn
from core.validate.formats import kind_of
from core.validate.limits import EXAMPLE_KEYS, MESSAGE_KEYS, ROLES
from core.validate.preference import INPUT_KEYS
from core.validate.preference import KEYS as PREFERENCE_KEYS
from core.validate.talks import FROM
from core.validate.words import changed

Row = Any
_OWNED = {"assistant": {"weight", "refusal", "tool_calls", "function_call"}, "tool": {"tool_call_id"}}
_FOREIGN = {"weight", "refusal", "tool_calls", "function_call", "tool_call_id"}
_ROLE_NAMES = {**FROM, "ai": "assistant", "agent": "assistant", "customer": "user", "question": "user", "answer": "assistant",
               "prompt": "system"}  # fmt: skip
_SPEAKERS = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation", "function_call": "function_call"}
_FIRST = ("system", "developer")


def drop(row: Row) -> None:
    """The row is left out."""


def each_message(row: Row, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Row:
    """The row with `change` applied to every message it holds, wherever they stand."""
    if not isinstance(row, dict):
        return row
    new = dict(row)
    for key in ("messages", "conversations", "preferred_output", "non_preferred_output"):
        if isinstance(row.get(key), list):
            new[key] = [change(one) if isinstance(one, dict) else one for one in row[key]]
    asked = row.get("input")
    if isinstance(asked, dict) and isinstance(asked.get("messages"), list):
        new["input"] = {**asked, "messages": [change(one) if isinstance(one, dict) else one for one in asked["messages"]]}
    return new


def words(change: Callable[[str], str]) -> Callable[[Row], Row]:
    """A repair that changes every text of a row."""
    return lambda row: changed(row, change)


def drop_keys(row: Row) -> Row:
    """Without keys the platform does not know, in the example and in messages of a role that does not take them."""

    def known(one: dict[str, Any]) -> dict[str, Any]:
        role = one.get("role")
        foreign = _FOREIGN - _OWNED.get(str(role), set()) - {"weight"}
        return {key: value for key, value in one.items() if key in MESSAGE_KEYS and key not in foreign}

    if isinstance(row, dict) and "preferred_output" in row:
        asked = row.get("input")
        asked = {key: value for key, value in asked.items() if key in INPUT_KEYS} if isinstance(asked, dict) else asked
        row = {key: asked if key == "input" else value for key, value in row.items() if key in PREFERENCE_KEYS}
    elif kind_of(row) == "chat":
        row = {key: value for key, value in row.items() if key in EXAMPLE_KEYS}
    return each_message(row, known) if isinstance(row, dict) and "conversations" not in row else row


def rename_roles(row: Row) -> Row:
    """Usual other names of roles as today's; the system of a reinforcement row as the developer."""
    graded = kind_of(row) == "reinforcement"

    def known(one: dict[str, Any]) -> dict[str, Any]:
        key = "from" if "from" in one else "role"
        said = str(one.get(key, "")).strip().casefold()
        role = said if said in ROLES else _ROLE_NAMES.get(said)
        if key == "from":
            return {**one, "from": _SPEAKERS[role]} if role in _SPEAKERS else one
        role = "developer" if graded and role == "system" else role
        return {**one, "role": role} if role in ROLES else one

    return each_message(row, known)


def drop_weights(row: Row) -> Row:
    """Without weights that are not 0 or 1, or not on an answer."""
    graded = kind_of(row) == "reinforcement"

    def without(one: dict[str, Any]) -> dict[str, Any]:
        fine = one.get("role") == "assistant" and one.get("weight") in (0, 1) and not isinstance(one.get("weight"), bool)
        return one if fine and not graded else {key: value for key, value in one.items() if key != "weight"}

    return each_message(row, without)


def drop_names(row: Row) -> Row:
    """Without names that are no text."""
    return each_message(row, lambda one: {k: v for k, v in one.items() if k != "name" or isinstance(v, str)})


def end_with_answer(row: Row) -> Row:
    """The example up to its last answer; left out when that leaves no question."""
    return _up_to(row, {"role": ("assistant",), "from": ("gpt", "assistant", "chatgpt", "model", "bot")}, least=2)


def end_with_question(row: Row) -> Row:
    """The example up to its last question; left out when there is none."""
    return _up_to(row, {"role": ("user",), "from": ("human", "user")}, least=1)


def _up_to(row: Row, speakers: dict[str, tuple[str, ...]], least: int) -> Row:
    for key, who in (("messages", "role"), ("conversations", "from")):
        if isinstance(row, dict) and isinstance(row.get(key), list):
            said = row[key]
            ends = [i for i, one in enumerate(said) if isinstance(one, dict) and one.get(who, one.get("role")) in speakers[who]]
            return {**row, key: said[: ends[-1] + 1]} if ends and ends[-1] + 1 >= least else None
    return row


def one_answer(row: Row) -> Row:
    """Each side of a preference as its last answer, as a list of one assistant message."""
    if not isinstance(row, dict):
        return row
    return {key: _one(value) if key in ("preferred_output", "non_preferred_output") else value for key, value in row.items()}


def _one(value: Any) -> Any:
    if isinstance(value, str):
        return [{"role": "assistant", "content": value}]
    listed = value if isinstance(value, list) else [value]
    answers = [one for one in listed if isinstance(one, dict) and one.get("role", "assistant") == "assistant"]
    return [{**answers[-1], "role": "assistant"}] if answers else value


def order_roles(row: Row) -> Row:
    """Instructions first, answers before the first question left out, and what one role says twice in a row joined."""
    for key, who, said in (("messages", "role", "content"), ("conversations", "from", "value")):
        if isinstance(row, dict) and isinstance(row.get(key), list) and all(isinstance(one, dict) for one in row[key]):
            return {**row, key: _ordered(row[key], who, said)}
    return row


def _ordered(messages: list[dict[str, Any]], who: str, said: str) -> list[dict[str, Any]]:
    roles = [FROM.get(str(one.get(who)), one.get(who)) for one in messages]
    first = [one for one, role in zip(messages, roles, strict=True) if role in _FIRST]
    rest = [one for one, role in zip(messages, roles, strict=True) if role not in _FIRST]
    spoken = [role for role in roles if role not in _FIRST]
    start = spoken.index("user") if spoken and spoken[0] == "assistant" and "user" in spoken else 0
    made: list[dict[str, Any]] = []
    for one in rest[start:]:
        before = made[-1] if made else None
        if before is not None and before.keys() == one.keys() == {who, said} and before[who] == one[who] and _both_text(before, one, said):
            made[-1] = {**before, said: f"{before[said]}\n\n{one[said]}"}
        else:
            made.append(one)
    done = [*first, *made]
    still = out_of_turn(done, [FROM.get(str(one.get(who)), one.get(who)) for one in done])
    return done if still is None else messages


def _both_text(a: dict[str, Any], b: dict[str, Any], said: str) -> bool:
    return isinstance(a[said], str) and isinstance(b[said], str)
