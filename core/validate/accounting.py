"""Tokens, epochs and what is billed: the accounting of OpenAI's cookbook, and what is really learnt.

Per message 3 tokens and the tokens of every key's value, 1 more for a name, 3 per conversation (cookbook
How_to_count_tokens, the same for 3.5, 4, 4o and 4o-mini). Billed is the sum of min(limit, tokens) times epochs. Weight 0
only stops the learning: such messages still count. Tool definitions follow the cookbook's formula for prompts; what they
cost in training is not published, nor is the exact count of pictures: both are estimates.
`count` comes in as an argument: texts in, numbers of tokens out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.validate.encodings import base_of

Count = Callable[[list[str]], list[int]]
PER_MESSAGE, PER_NAME, PER_CONVERSATION = 3, 1, 3
IMAGE = 85
"""Tokens of a picture at low detail (gpt-4o, gpt-4.1)."""
TARGET_EPOCHS, MIN_TARGET_EXAMPLES, MAX_TARGET_EXAMPLES, MIN_EPOCHS, MAX_EPOCHS = 3, 100, 25_000, 1, 25
_CHUNK = 2_000
_MEASURED = ("weight", "tool_calls", "function_call", "content")


@dataclass(frozen=True)
class Tokens:
    """One number per counted example, in order: int64 arrays of one length."""

    places: np.ndarray
    """Positions of the counted examples: those with a list of messages."""
    messages: np.ndarray
    total: np.ndarray
    assistant: np.ndarray
    """Tokens of all assistant contents, whatever their weight, before any cut."""
    supervised: np.ndarray
    """Tokens learnt from: assistant contents and calls with weight 1, that survive the cut at the limit."""
    answer: np.ndarray
    """Tokens of the last assistant message."""
    limit: int
    estimated: bool = False
    """True when pictures or tool definitions were counted by rule of thumb."""

    def __len__(self) -> int:
        return len(self.total)

    @property
    def too_long(self) -> np.ndarray:
        """Positions of examples over the limit."""
        return self.places[self.total > self.limit]

    def billable(self, limit: int | None = None) -> int:
        """Tokens billed per epoch."""
        return int(np.minimum(self.total, limit or self.limit).sum())


def count_tokens(chats: Sequence[Any], count: Count, limit: int, model: str = "", *, tools: bool = True) -> Tokens:
    """Tokens of every chat row that has a list of messages; other rows are left out. `tools=False` counts as the notebook does."""
    columns: list[tuple[int, int, int, int, int, int]] = []
    estimated = False
    for start in range(0, len(chats), _CHUNK):
        part = [(place, row) for place, row in enumerate(chats[start : start + _CHUNK], start) if has_messages(row)]
        lengths = _lengths([row["messages"] for _, row in part], count)
        for place, row in part:
            defined = (row.get("tools") or row.get("functions")) if tools else None
            more = tool_tokens(defined, count, model) if isinstance(defined, list) and defined else 0
            estimated = estimated or bool(more)
            columns.append((place, len(row["messages"]), *_walk(row["messages"], lengths, limit, more)))
            estimated = estimated or any(isinstance(one, dict) and isinstance(one.get("content"), list) for one in row["messages"])
    table = np.array(columns, dtype=np.int64).reshape(-1, 6)
    return Tokens(*(table[:, i] for i in range(6)), limit=limit, estimated=estimated)


def has_messages(row: Any) -> bool:
    """Whether a row has messages that can be counted."""
    return isinstance(row, dict) and isinstance(row.get("messages"), list) and bool(row["messages"])


def _lengths(conversations: list[list[Any]], count: Count) -> Mapping[str, int]:
    """Tokens of every distinct text in these conversations: each is counted once."""
    texts: dict[str, None] = {}
    for messages in conversations:
        for message in messages:
            if isinstance(message, dict):
                for key, value in message.items():
                    for text in (value,) if isinstance(value, str) else _texts(key, value):
                        texts[text] = None
    names = list(texts)
    return dict(zip(names, count(names), strict=True))


def _walk(messages: list[Any], lengths: Mapping[str, int], limit: int, more: int) -> tuple[int, int, int, int]:
    """(total, assistant, supervised, last answer) of one conversation; `more` tokens of tools come first."""
    at, assistant, supervised, answer = more, 0, 0, 0
    for message in messages:
        at += PER_MESSAGE
        if not isinstance(message, dict):
            continue
        said = called = 0
        for key, value in message.items():
            size = lengths[value] if isinstance(value, str) else _size(key, value, lengths)
            if key == "content":
                said = size
            elif key in ("tool_calls", "function_call"):
                called += size
            else:
                at += size + (key == "name")
        at += said + called
        if message.get("role") == "assistant":
            assistant += said
            answer = said + called
            if message.get("weight", 1) != 0:
                supervised += max(0, min(answer, limit - (at - answer)))
    return at + PER_CONVERSATION, assistant, supervised, answer


def _texts(key: str, value: Any) -> list[str]:
    """The texts inside a value that is no text."""
    if key == "content" and isinstance(value, list):
        return [part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str)]
    if key == "tool_calls" and isinstance(value, list):
        return [text for one in value if isinstance(one, dict) for text in _texts("function_call", one.get("function"))]
    if key == "function_call" and isinstance(value, dict):
        return [one if isinstance(one, str) else json.dumps(one, default=str) for one in (value.get("name"), value.get("arguments")) if one]
    return []


def _size(key: str, value: Any, lengths: Mapping[str, int]) -> int:
    images = 0
    if key == "content" and isinstance(value, list):
        images = sum(isinstance(part, dict) and part.get("type") == "image_url" for part in value)
    return sum(lengths[text] for text in _texts(key, value)) + IMAGE * images


def tool_tokens(tools: Sequence[Any], count: Count, model: str = "") -> int:
    """Tokens of tool definitions in a prompt, as the cookbook estimates them (7 a function for gpt-4o, 10 for 3.5 and 4)."""
    base = base_of(model)
    per_function = 10 if base.startswith(("gpt-3.5", "gpt-4")) and not base.startswith(("gpt-4o", "gpt-4.1")) else 7
    texts, fixed = [], 12
    for tool in tools:
        function = tool.get("function", tool) if isinstance(tool, dict) else {}
        fixed += per_function
        texts.append(f"{function.get('name', '')}:{str(function.get('description') or '').removesuffix('.')}")
        parameters = function.get("parameters")
        properties = parameters.get("properties") if isinstance(parameters, dict) else None
        if not isinstance(properties, dict) or not properties:
            continue
        fixed += 3
        for name, field in properties.items():
            field = field if isinstance(field, dict) else {}
            fixed += 3
            options = field.get("enum")
            if isinstance(options, list):
                fixed += 3 * len(options) - 3
                texts += [str(option) for option in options]
            texts.append(f"{name}:{field.get('type', '')}:{str(field.get('description') or '').removesuffix('.')}")
    return fixed + sum(count(texts))


def epochs_for(examples: int) -> int:
    """The cookbook's rule of thumb: 3, more for few examples (at most 25), fewer for very many (at least 1)."""
    if 0 < examples * TARGET_EPOCHS < MIN_TARGET_EXAMPLES:
        return min(MAX_EPOCHS, MIN_TARGET_EXAMPLES // examples)
    if examples * TARGET_EPOCHS > MAX_TARGET_EXAMPLES:
        return max(MIN_EPOCHS, MAX_TARGET_EXAMPLES // examples)
    return TARGET_EPOCHS


def distribution(values: Sequence[int] | np.ndarray) -> dict[str, float]:
    """min, max, mean, median, p5, p10, p90, p95 (linear quantiles); all 0 of nothing. (The notebook's "p5" is its p10.)"""
    if not len(values):
        return dict.fromkeys(("min", "max", "mean", "median", "p5", "p10", "p90", "p95"), 0.0)
    numbers = np.asarray(values, dtype=float)
    p5, p10, median, p90, p95 = np.quantile(numbers, (0.05, 0.1, 0.5, 0.9, 0.95)).tolist()
    return {"min": float(numbers.min()), "max": float(numbers.max()), "mean": float(numbers.mean()), "median": median,
            "p5": p5, "p10": p10, "p90": p90, "p95": p95}  # fmt: skip
