"""Tokens, epochs and what is billed: the accounting of OpenAI's cookbook, and what is really learnt.

| of a message | counts |
|---|---|
| every message | 3 tokens of frame |
| role | the tokens of its text |
| content | the tokens of its text |
| content, a list | the tokens of its text parts; pictures by model, detail and size (see `images`) |
| name | the tokens of its text, and 1 more |
| weight | nothing; 0 only stops the learning |
| tool_calls, function_call | the tokens of each function's name and of its arguments |
| tool_call_id, refusal, any other text | the tokens of its text |
| numbers, lists and objects in other keys | nothing |
| every conversation | 3 tokens at its end |
| tools, functions of the example | the cookbook's formula for prompts; what they cost in training is not published |

Sources: the cookbook's notebooks on data preparation and on counting tokens (the same for 3.5, 4, 4o and 4o-mini). Billed is
the sum of min(limit, tokens) times epochs. `count` comes in as an argument: texts in, numbers of tokens out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.validate.images import image_tokens, is_image
from core.validate.tools import tool_parts

Count = Callable[[list[str]], list[int]]
PER_MESSAGE, PER_NAME, PER_CONVERSATION = 3, 1, 3
TARGET_EPOCHS, MIN_TARGET_EXAMPLES, MAX_TARGET_EXAMPLES, MIN_EPOCHS, MAX_EPOCHS = 3, 100, 25_000, 1, 25
_CHUNK = 2_000
SAID = ("tool_calls", "function_call", "refusal")
"""Keys of an assistant message that are learnt like its content."""
COUNTED = tuple((cells[0].strip(), cells[1].strip()) for line in (__doc__ or "").splitlines() if line.startswith("| ")
                for cells in [line.strip("| ").split(" | ")] if cells[0] != "of a message")  # fmt: skip
"""(what, what it counts): the table above."""


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
    """True when pictures of unknown size or tool definitions were counted by rule of thumb."""

    def __len__(self) -> int:
        return len(self.total)

    @property
    def too_long(self) -> np.ndarray:
        """Positions of examples over the limit."""
        return self.places[self.total > self.limit]

    @property
    def unlearnt(self) -> np.ndarray:
        """Positions of examples from which nothing is learnt: no answer, weight 0, or cut away."""
        return self.places[self.supervised == 0]

    def billable(self, limit: int | None = None) -> int:
        """Tokens billed per epoch."""
        return int(np.minimum(self.total, limit or self.limit).sum())


@dataclass(frozen=True)
class Cut:
    """One example that is longer than the limit."""

    place: int
    total: int
    over: int
    """Tokens that are cut."""
    answer: int
    """Tokens of its last answer."""
    left: int
    """How many of them are left."""

    @property
    def says(self) -> str:
        """What becomes of the answer."""
        if not self.answer:
            return "no answer"
        return "answer kept" if self.left >= self.answer else "answer gone" if self.left <= 0 else "answer cut"


def count_tokens(chats: Sequence[Any], count: Count, limit: int, model: str = "", *, tools: bool = True) -> Tokens:
    """Tokens of every chat row that has a list of messages; other rows are left out. `tools=False` counts as the notebook does.

    A `count` that knows its model's chat template (`core.validate.templates.TemplateCount`) counts whole conversations itself.
    Texts of 2,000 rows at a time are counted in one call, each distinct text once.
    """
    whole = getattr(count, "conversations", None)
    if whole is not None:
        return whole(chats, limit)
    columns: list[tuple[int, ...]] = []
    estimated = False
    for start in range(0, len(chats), _CHUNK):
        part = [(place, row) for place, row in enumerate(chats[start : start + _CHUNK], start) if has_messages(row)]
        measured, guessed = measure([row for _, row in part], count, model, tools=tools)
        estimated = estimated or guessed
        for (place, row), lengths in zip(part, measured, strict=True):
            columns.append((place, len(row["messages"]), *walk(row["messages"], lengths, limit)[:4]))
    table = np.array(columns, dtype=np.int64).reshape(-1, 6)
    return Tokens(*(table[:, i] for i in range(6)), limit=limit, estimated=estimated)


def has_messages(row: Any) -> bool:
    """Whether a row has messages that can be counted."""
    return isinstance(row, dict) and isinstance(row.get("messages"), list) and bool(row["messages"])


@dataclass(frozen=True)
class Lengths:
    """What one conversation is measured with."""

    of: Mapping[str, int]
    """Text -> its tokens."""
    before: int
    """Tokens of its tool definitions."""
    model: str


def measure(rows: Sequence[Any], count: Count, model: str = "", *, tools: bool = True) -> tuple[list[Lengths], bool]:
    """Lengths for every row, from one call of `count`, and whether any rests on a rule of thumb."""
    defined = [_defined(row) if tools else () for row in rows]
    parts = [tool_parts(one, model) if one else ((), 0) for one in defined]
    texts: dict[str, None] = dict.fromkeys(text for said, _ in parts for text in said)
    for row in rows:
        for message in row["messages"]:
            if isinstance(message, dict):
                for key, value in message.items():
                    if isinstance(value, str):
                        texts[value] = None
                    else:
                        texts.update(dict.fromkeys(_texts(key, value)))
    names = list(texts)
    of = dict(zip(names, count(names), strict=True)) if names else {}
    guessed = any(defined) or not all(known for row in rows for known in _pictures(row, model))
    return [Lengths(of, fixed + sum(of[text] for text in said), model) for said, fixed in parts], guessed


def walk(messages: list[Any], lengths: Lengths, limit: int) -> tuple[int, int, int, int, int]:
    """(total, assistant, supervised, last answer, how much of it is left) of one conversation."""
    at, assistant, supervised, answer, left = lengths.before, 0, 0, 0, 0
    for message in messages:
        at += PER_MESSAGE
        if not isinstance(message, dict):
            continue
        said = called = 0
        for key, value in message.items():
            size = lengths.of[value] if isinstance(value, str) else _size(key, value, lengths)
            if key == "content":
                said = size
            elif key in SAID:
                called += size
            else:
                at += size + (key == "name")
        at += said + called
        if message.get("role") == "assistant":
            assistant += said
            answer = said + called
            left = max(0, min(answer, limit - (at - answer)))
            if message.get("weight", 1) != 0:
                supervised += left
    return at + PER_CONVERSATION, assistant, supervised, answer, left


def cuts(
    chats: Sequence[Any], tokens: Tokens, count: Count, model: str = "", most: int = 500, *, places: Sequence[int] | None = None
) -> list[Cut]:
    """Of examples over the limit how much is cut, and what is left of the last answer: the longest first, at most that many.

    With `places` only those positions, in their order.

    A hosted platform cuts the end. A local training cuts the question and keeps the answer.
    """
    over = np.flatnonzero(tokens.total > tokens.limit)
    if places is None:
        over = over[np.argsort(-tokens.total[over], kind="stable")][:most]
    else:
        at = {int(tokens.places[i]): int(i) for i in over}
        over = np.array([at[place] for place in places if place in at], dtype=np.int64)
    rows = [chats[int(tokens.places[i])] for i in over]
    if hasattr(count, "conversations"):
        kept = [int(tokens.supervised[i]) for i in over]
    else:
        measured, _ = measure(rows, count, model)
        kept = [walk(row["messages"], lengths, tokens.limit)[4] for row, lengths in zip(rows, measured, strict=True)]
    return [Cut(int(tokens.places[i]), int(tokens.total[i]), int(tokens.total[i]) - tokens.limit, int(tokens.answer[i]), left)
            for i, left in zip(over, kept, strict=True)]  # fmt: skip


def _defined(row: Any) -> Sequence[Any]:
    found = row.get("tools") or row.get("functions")
    return found if isinstance(found, list) else ()


def _texts(key: str, value: Any) -> list[str]:
    """The texts inside a value that is no text."""
    if key == "content" and isinstance(value, list):
        return [part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str)]
    if key == "tool_calls" and isinstance(value, list):
        return [text for one in value if isinstance(one, dict) for text in _texts("function_call", one.get("function"))]
    if key == "function_call" and isinstance(value, dict):
        return [one if isinstance(one, str) else json.dumps(one, default=str) for one in (value.get("name"), value.get("arguments")) if one]
    return []


def _size(key: str, value: Any, lengths: Lengths) -> int:
    pictures = sum(image_tokens(part, lengths.model)[0] for part in value if is_image(part)) if _listed(key, value) else 0
    return sum(lengths.of[text] for text in _texts(key, value)) + pictures


def _listed(key: str, value: Any) -> bool:
    return key == "content" and isinstance(value, list)


def _pictures(row: Any, model: str) -> list[bool]:
    """Of every picture of a row whether its size is known."""
    listed = [one["content"] for one in row["messages"] if isinstance(one, dict) and isinstance(one.get("content"), list)]
    return [image_tokens(part, model)[1] for content in listed for part in content if is_image(part)]


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
