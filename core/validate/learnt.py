"""One example token by token: what a model reads, what it learns to say, and what is cut at the limit.

Hosted chat learns the contents, calls and refusals of assistant messages whose weight is not 0; positions follow the
accounting (frames, roles and names are read), so what lies past the limit here is what the platform cuts. A local model reads
its own template's text and learns the last answer and the end of the turn; it loses the end of a long question instead.
Prompt and completion learn the completion, plain text all of it: both are seen here as the chat they are turned into.
`pieces` comes in as an argument: a text in, its tokens as texts out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from core.validate.accounting import PER_CONVERSATION, PER_MESSAGE, SAID, has_messages
from core.validate.images import image_tokens, is_image
from core.validate.templates import Render, rendered
from core.validate.tools import tool_parts

Pieces = Callable[[str], list[str]]
MARKS = {("read", False): "", ("read", True): "even", ("learnt", True): "learnt-even"}
"""(what becomes of a token, every other one) -> its mark, where it is not simply the former."""
SHOWN = 700
"""Tokens of one stretch that are shown; the middle of longer ones is left out."""


@dataclass(frozen=True)
class Learnt:
    """One example as marked text, and how many of its tokens are learnt, read and cut; together they are its total."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    """(start, end, mark) in characters: learnt and learnt-even by turns, even (every other token that is only read), removed (cut)."""
    learnt: int
    """Tokens learnt from."""
    read: int
    """Tokens only read, frames included."""
    cut: int
    """Tokens past the limit."""


@dataclass(frozen=True)
class Stretch:
    """A piece of an example whose tokens are treated alike."""

    text: str
    taught: bool = False
    heading: str = ""
    """Shown before it, as it stands; its tokens are part of `frame`."""
    frame: int = 0
    """Tokens read before the text that are not shown one by one."""
    after: str = ""
    """Shown behind it: a line's end."""


def learnt(chat: Any, pieces: Pieces, limit: int, *, model: str = "", render: Render | None = None, end: str = "") -> Learnt | None:
    """The example with its tokens marked; None where it has no messages. With `render` as a local model is trained on it."""
    if not has_messages(chat):
        return None
    if render is not None:
        found = rendered(chat["messages"], render)
        if found is not None:
            question, gone = _shortened(found.question, found.tail, found.answer, end, pieces, limit)
            answer = [*pieces(found.answer), *([end] if end else [])] if found.answer.strip() else []
            return _local(question, gone, answer, limit)
    page = _Page(pieces, limit)
    for one in stretches(chat, pieces, model):
        page.add(one)
    page.skip(PER_CONVERSATION)
    return page.made()


def stretches(chat: Any, pieces: Pieces, model: str = "") -> Iterator[Stretch]:
    """A chat line as the platform counts it, in order."""
    defined = chat.get("tools") or chat.get("functions")
    if isinstance(defined, list) and defined:
        texts, fixed = tool_parts(defined, model)
        yield Stretch("", heading="tool definitions", frame=fixed + sum(len(pieces(text)) for text in texts), after="\n\n")
    for message in chat["messages"]:
        if not isinstance(message, dict):
            yield Stretch("", frame=PER_MESSAGE)
            continue
        others = [(key, value) for key, value in message.items() if isinstance(value, str) and key not in ("content", *SAID)]
        frame = PER_MESSAGE + sum(len(pieces(value)) + (key == "name") for key, value in others)
        named = "".join(f" {value}" for key, value in others if key in ("name", "tool_call_id"))
        taught = message.get("role") == "assistant" and message.get("weight", 1) != 0
        unlearnt = ", weight 0" if message.get("role") == "assistant" and not taught else ""
        yield Stretch("", heading=f"{message.get('role')}{named}{unlearnt}", frame=frame, after="\n")
        yield from _content(message.get("content"), taught, model)
        for key in SAID:
            yield from _said(key, message.get(key), taught)
        yield Stretch("", after="\n")


def _content(content: Any, taught: bool, model: str) -> Iterator[Stretch]:
    if isinstance(content, str):
        yield Stretch(content, taught, after="\n")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield Stretch(part["text"], taught, after="\n")
        elif is_image(part):
            size, known = image_tokens(part, model)
            about = "" if known else "about "
            yield Stretch("", heading=f"[picture, {about}{size:,} tokens]", frame=size, after="\n")


def _said(key: str, value: Any, taught: bool) -> Iterator[Stretch]:
    if isinstance(value, str) and value:
        yield Stretch(value, taught, heading=f"{key} ", after="\n")
        return
    calls = [one.get("function") for one in value if isinstance(one, dict)] if isinstance(value, list) else [value]
    for call in calls:
        if isinstance(call, dict):
            texts = [
                one if isinstance(one, str) else json.dumps(one, default=str) for one in (call.get("name"), call.get("arguments")) if one
            ]
            for place, text in enumerate(texts):
                yield Stretch(text, taught, heading="calls " if place == 0 else " with ", after="\n" if place == len(texts) - 1 else "")


class _Page:
    """The text being written, token by token, with the position the platform would be at."""

    def __init__(self, pieces: Pieces, limit: int) -> None:
        self.pieces, self.limit, self.at = pieces, limit, 0
        self.text: list[str] = []
        self.length = 0
        self.spans: list[tuple[int, int, str]] = []
        self.counts = {"learnt": 0, "removed": 0, "read": 0}

    def write(self, text: str) -> None:
        self.text.append(text)
        self.length += len(text)

    def skip(self, tokens: int) -> None:
        """Tokens that are not shown."""
        inside = max(0, min(tokens, self.limit - self.at))
        self.counts["read"] += inside
        self.counts["removed"] += tokens - inside
        self.at += tokens

    def add(self, one: Stretch) -> None:
        self.write(one.heading)
        self.skip(one.frame)
        self.tokens(self.pieces(one.text) if one.text else [], one.taught)
        self.write(one.after)

    def tokens(self, tokens: list[str], taught: bool, *, gone: bool = False) -> None:
        """Tokens one by one; `gone` are cut wherever they stand, and take no room."""
        n = len(tokens)
        for place, token in enumerate(tokens):
            kind = "removed" if gone or self.at >= self.limit else "learnt" if taught else "read"
            self.counts[kind] += 1
            self.at += not gone
            if n > SHOWN and SHOWN // 2 <= place < n - SHOWN // 2:
                self.write(f"\n… {n - SHOWN:,} tokens are not shown …\n" if place == SHOWN // 2 else "")
                continue
            mark = MARKS.get((kind, place % 2 == 1), kind)
            if mark and token:
                self.spans.append((self.length, self.length + len(token), mark))
            self.write(token)

    def made(self) -> Learnt:
        return Learnt("".join(self.text).rstrip(), tuple(self.spans), self.counts["learnt"], self.counts["read"], self.counts["removed"])


def _shortened(question: str, tail: str, answer: str, end: str, pieces: Pieces, limit: int) -> tuple[list[str], tuple[int, int]]:
    """(tokens of the question, the stretch of them that is cut to make room for the answer)."""
    tokens, behind = pieces(question), len(pieces(tail)) if tail else 0
    told = len(pieces(answer)) + bool(end) if answer.strip() else 0
    over = max(0, len(tokens) + min(told, max(0, limit - behind)) - limit)
    stop = max(0, len(tokens) - behind)
    return tokens, (max(0, stop - over), stop if over else max(0, stop - over))


def _local(question: list[str], gone: tuple[int, int], answer: list[str], limit: int) -> Learnt:
    page = _Page(lambda text: [text], limit)
    first, last = gone
    page.tokens(question[:first], False)
    page.tokens(question[first:last], False, gone=True)
    page.tokens(question[last:], False)
    page.tokens(answer, True)
    return page.made()
