"""Rows of preference fine-tuning (DPO): a question, the answer to prefer and the answer to reject.

Source: OpenAI's guide to direct preference optimization: input with messages, preferred_output and non_preferred_output with
exactly one assistant message each, text only. Rows of chosen and rejected say the same and are converted first.
"""

from __future__ import annotations

from typing import Any

from core.validate.talks import Talk, text_of
from core.validate.tool_calls import Problem

KEYS = {"input", "preferred_output", "non_preferred_output"}
INPUT_KEYS = {"messages", "tools", "parallel_tool_calls"}


def problems(row: Any, talk: Talk | None) -> list[Problem]:
    """What only a preference row can have wrong, beside what is wrong with its conversation (see `chat.problems`)."""
    found: list[Problem] = []
    if talk is None:
        return found
    if talk.rejected is None or not said(talk.rejected):
        found.append(("no_rejected_answer", None))
    elif talk.answer is not None and said(talk.rejected) == said(talk.answer):
        found.append(("same_answers", None))
    if isinstance(row, dict) and "preferred_output" in row:
        found += _hosted(row)
    if not _all_text(talk):
        found.append(("preference_not_text", None))
    return found


def _hosted(row: dict[str, Any]) -> list[Problem]:
    """The shape of OpenAI's rows."""
    found: list[Problem] = []
    asked = row.get("input")
    if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list) or not asked["messages"]:
        found.append(("preference_without_input", None))
    if not row.keys() <= KEYS or (isinstance(asked, dict) and not asked.keys() <= INPUT_KEYS):
        found.append(("example_unrecognized_key", None))
    if not all(_one_answer(row[key]) for key in ("preferred_output", "non_preferred_output") if row[key] != []):
        found.append(("preference_not_one_answer", None))
    return found


def _one_answer(output: Any) -> bool:
    return isinstance(output, list) and len(output) == 1 and isinstance(output[0], dict) and output[0].get("role") == "assistant"


def _all_text(talk: Talk) -> bool:
    both = [one for one in (*talk.messages, talk.rejected) if isinstance(one, dict)]
    answers = [one for one in (talk.answer, talk.rejected) if isinstance(one, dict)]
    pictures = any(
        isinstance(part, dict) and part.get("type") not in (None, "text")
        for one in both
        if isinstance(one.get("content"), list)
        for part in one["content"]
    )
    return not pictures and not any(one.get("tool_calls") or one.get("function_call") for one in answers)


def said(message: dict[str, Any]) -> str:
    """The words of an answer, whichever way it is written."""
    value = message.get("content", message.get("value"))
    return value if isinstance(value, str) else text_of(value)


def is_hosted_shape(row: Any) -> bool:
    """Whether a preference row has the shape hosted jobs take."""
    return isinstance(row, dict) and "preferred_output" in row
