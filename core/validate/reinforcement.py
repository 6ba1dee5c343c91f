"""Rows of reinforcement fine-tuning: a question, and keys that a grader compares the model's answer with.

Source: OpenAI's guide to reinforcement fine-tuning: messages end with the user's and are of the developer, the user, the
assistant or a tool (no system); every other key is reached by graders as {{item.key}}. Not known here: the grader itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.validate.chat import opened, role_of, spoken
from core.validate.tool_calls import Problem

ROLES = ("developer", "user", "assistant", "tool")
NOT_ITEMS = ("messages", "tools", "parallel_tool_calls", "functions", "response_format")
REFERENCES = ("reference_answer", "answer", "correct_answer", "expected_answer", "reference", "target", "solution", "label", "ideal",
              "ground_truth", "completion", "output")  # fmt: skip
"""Names under which the right answer usually stands, the likeliest first."""
WRITTEN = REFERENCES[0]


def problems(row: Any) -> list[Problem]:
    """What is wrong with one reinforcement row, with the message each stands in, from 0."""
    found, messages = opened(row)
    if messages is None:
        return found
    roles, _ = spoken(row, messages, found)
    found += [("unrecognized_role", place) for place, role in enumerate(roles) if role in ("system", "function")]
    found += [("bad_weight", place) for place, one in enumerate(messages)
              if isinstance(one, dict) and "weight" in one and ("bad_weight", place) not in found]  # fmt: skip
    if role_of(messages[-1]) != "user":
        found.append(("last_message_not_user", len(messages) - 1))
    if all(value is None for value in items(row).values()):
        found.append(("no_reference", None))
    return found


def items(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a grader can reach of a row."""
    return {key: value for key, value in row.items() if key not in NOT_ITEMS}


def reference_of(row: Mapping[str, Any]) -> tuple[str | None, str]:
    """(key, text) of the right answer: under one of REFERENCES, else the row's only other key; (None, "") without one.

    What is no text is given as JSON.
    """
    found = items(row)
    key = next((name for name in REFERENCES if name in found), next(iter(found)) if len(found) == 1 else None)
    if key is None or found[key] is None:
        return None, ""
    value = found[key]
    return key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
