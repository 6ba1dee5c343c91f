"""Counting for a model with a chat template of its own: the real text it reads, the start of its answer included.

The question is rendered as it is at training and at test time, the answer and the end of the turn follow. Learnt are the
answer and that end. A row over the limit loses the end of its question, never its answer, as `core.finetune.rows` cuts it.
A conversation its template refuses (a role it does not know) is counted as plain text with the cookbook's frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.validate.accounting import Count, Tokens, has_messages, measure, walk
from core.validate.talks import text_of

Render = Callable[[list[dict[str, str]], str], str]
"""(chat that ends with a question, prefix) -> the text the model is given."""
_CHUNK = 2_000


@dataclass(frozen=True)
class Rendered:
    """One conversation as a local model is trained on it."""

    question: str
    """The template's text up to where the answer begins."""
    tail: str
    """Its end, from after the last question on: it survives every cut."""
    answer: str
    """The last assistant message's text; empty where there is none."""


@dataclass(frozen=True)
class TemplateCount:
    """Counts texts like any `Count`, and whole conversations with their template."""

    count: Count
    render: Render

    def __call__(self, texts: list[str]) -> list[int]:
        return self.count(texts)

    def conversations(self, chats: Sequence[Any], limit: int) -> Tokens:
        """As `accounting.count_tokens`; the totals are those of the rendered text before any cut."""
        columns: list[tuple[int, ...]] = []
        estimated = False
        for start in range(0, len(chats), _CHUNK):
            part = [(place, row) for place, row in enumerate(chats[start : start + _CHUNK], start) if has_messages(row)]
            made = [rendered(row["messages"], self.render) for _, row in part]
            texts = dict.fromkeys(text for one in made if one for text in (one.question, one.tail, one.answer))
            texts.update(dict.fromkeys(said for _, row in part for said in _assistants(row["messages"])))
            names = list(texts)
            of = dict(zip(names, self.count(names), strict=True)) if names else {}
            for (place, row), one in zip(part, made, strict=True):
                estimated = estimated or one is None
                columns.append((place, len(row["messages"]), *self._row(row, one, of, limit)))
        table = np.array(columns, dtype=np.int64).reshape(-1, 6)
        return Tokens(*(table[:, i] for i in range(6)), limit=limit, estimated=estimated)

    def _row(self, row: Any, one: Rendered | None, of: dict[str, int], limit: int) -> tuple[int, int, int, int]:
        if one is None:
            measured, _ = measure([row], self.count, tools=False)
            return walk(row["messages"], measured[0], limit)[:4]
        assistant = sum(of[said] for said in _assistants(row["messages"]))
        if not one.answer.strip():
            return of[one.question], assistant, 0, 0
        answer = of[one.answer] + 1
        room = limit - of[one.tail]
        learnt = min(answer, room) if room > 1 else 0
        return of[one.question] + answer, assistant, max(0, learnt), answer


def rendered(messages: Sequence[Any], render: Render) -> Rendered | None:
    """The conversation as text; None where the template refuses it. Plain text (one assistant message alone) has no question."""
    said = [{"role": str(one.get("role")), "content": text_of(one.get("content"))} for one in messages if isinstance(one, dict)]
    answer = said.pop()["content"] if said and said[-1]["role"] == "assistant" else ""
    if not said:
        return Rendered("", "", answer)
    try:
        question = render(said, "")
    except Exception:  # templates are programs of their own: jinja's errors and whatever raise_exception says
        return None
    last = said[-1]["content"].rstrip()
    tail = question[question.rfind(last) + len(last) :] if last and last in question else ""
    return Rendered(question, tail, answer)


def _assistants(messages: Sequence[Any]) -> list[str]:
    return [text_of(one.get("content")) for one in messages if isinstance(one, dict) and one.get("role") == "assistant"]
