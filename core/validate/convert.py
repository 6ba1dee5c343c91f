"""From one training format to another, with a count of everything that has no place in the new one.

Chat, preference (OpenAI's shape) and ShareGPT keep whole conversations; Alpaca keeps them where user and assistant take
turns; prompt and completion keep the last answer and its question; text keeps the words only. Separators and leading
spaces that old prompt/completion files needed are taken off when every row has the same one: chat models need none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import SettingsError
from core.validate.formats import FORMATS, detect
from core.validate.talks import Message, Talk, talk_of, text_of

SPEAKERS = {
    "user": "human",
    "assistant": "gpt",
    "system": "system",
    "developer": "system",
    "tool": "observation",
    "function": "observation",
}
ENDS = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n", "\n\n### =>\n\n")
"""Separators the old tool put at the end of prompts."""
STOPS = (" END", "\n", "***", "+++", "&&&", "$$$", "@@@", "%%%", " [END]")
"""Stop texts the old tool put at the end of completions; a full stop is left alone."""


@dataclass(frozen=True)
class Converted:
    """The rows in the new format, and what they lost."""

    rows: tuple[Any, ...]
    lost: dict[str, int]
    """What -> how many times it could not be carried over."""
    origins: tuple[int, ...]
    """The position of the row each new row was made of."""


def convert(rows: Sequence[Any], to: str, kinds: Sequence[str | None] | None = None) -> Converted:
    """Every row that has a place in the format `to`, in order. Raises SettingsError for an unknown format."""
    if to not in FORMATS:
        raise SettingsError(f"There is no format '{to}'. Choose one of {', '.join(FORMATS)}.", title="Unknown format")
    kinds = kinds if kinds is not None else detect(rows).kinds
    lost: Counter[str] = Counter()
    talks = _without_separators([talk_of(row, kind, lost) for row, kind in zip(rows, kinds, strict=True)], kinds, to, lost)
    made, origins = [], []
    for place, talk in enumerate(talks):
        if talk is None:
            lost["rows of no known format"] += 1
            continue
        new = _WRITERS[to](talk, lost)
        if new is not None:
            made.append(new)
            origins.append(place)
    return Converted(tuple(made), {what: n for what, n in sorted(lost.items()) if n}, tuple(origins))


def _chat(talk: Talk, lost: Counter[str]) -> dict[str, Any] | None:
    if not _complete(talk, lost):
        return None
    lost["rejected answers"] += talk.rejected is not None
    return talk.as_chat()


def _prompt_completion(talk: Talk, lost: Counter[str]) -> dict[str, str] | None:
    if not _complete(talk, lost, question=False):
        return None
    before = talk.messages[:-1]
    _count_marks(talk, lost)
    lost["speakers: several messages became one prompt"] += len(before) > 1
    lost["earlier answers, no longer learnt"] += sum(_role(one) == "assistant" for one in before)
    return {"prompt": "\n\n".join(_words(before)), "completion": text_of(talk.messages[-1].get("content"))}


def _preference(talk: Talk, lost: Counter[str]) -> dict[str, Any] | None:
    if not _complete(talk, lost):
        return None
    if talk.rejected is None:
        lost["rows without a rejected answer"] += 1
        return None
    lost["names and weights"] += sum(isinstance(one, dict) and "weight" in one for one in talk.messages)
    answer, rejected = talk.messages[-1], talk.rejected
    return {
        "input": {"messages": list(talk.messages[:-1]), **talk.extra},
        "preferred_output": [{"role": "assistant", "content": text_of(answer.get("content"))}],
        "non_preferred_output": [{"role": "assistant", "content": text_of(rejected.get("content", rejected.get("value")))}],
    }


def _alpaca(talk: Talk, lost: Counter[str]) -> dict[str, Any] | None:
    if not _complete(talk, lost):
        return None
    _count_marks(talk, lost)
    messages = list(talk.messages)
    system = [text_of(one.get("content")) for one in messages if _role(one) in ("system", "developer")]
    turns = [one for one in messages[:-1] if _role(one) not in ("system", "developer")]
    question = next((one for one in reversed(turns) if _role(one) == "user"), None)
    earlier = turns[: turns.index(question)] if question is not None else []
    pairs = [(earlier[i], earlier[i + 1]) for i in range(0, len(earlier) - 1, 2)]
    if len(earlier) % 2 or any((_role(a), _role(b)) != ("user", "assistant") for a, b in pairs):
        lost["earlier turns that do not alternate"] += len(earlier)
        pairs = []
    lost["messages between the last question and the answer"] += len(turns) - len(earlier) - 1
    made: dict[str, Any] = {"instruction": text_of(question["content"]) if question else "", "input": "",
                            "output": text_of(messages[-1].get("content"))}  # fmt: skip
    made |= {"system": "\n\n".join(system)} if system else {}
    return made | ({"history": [[text_of(a.get("content")), text_of(b.get("content"))] for a, b in pairs]} if pairs else {})


def _sharegpt(talk: Talk, lost: Counter[str]) -> dict[str, Any] | None:
    if not _complete(talk, lost):
        return None
    _count_marks(talk, lost, tools=False)
    turns = [{"from": SPEAKERS.get(_role(one), _role(one)), "value": text_of(one.get("content"))} for one in talk.messages]
    return {"conversations": turns, **({"tools": talk.extra["tools"]} if "tools" in talk.extra else {})}


def _text(talk: Talk, lost: Counter[str]) -> dict[str, str] | None:
    _count_marks(talk, lost)
    words = _words(talk.messages)
    lost["speakers: several messages became one text"] += len(words) > 1
    if not any(words):
        lost["rows without words"] += 1
        return None
    return {"text": "\n\n".join(words)}


def _complete(talk: Talk, lost: Counter[str], question: bool = True) -> bool:
    """Whether there is an answer (and a question); counts why not."""
    if talk.answer is None:
        lost["rows without an answer at the end"] += 1
        return False
    if question and len(talk.messages) < 2:
        lost["rows without a question"] += 1
        return False
    return True


def _count_marks(talk: Talk, lost: Counter[str], tools: bool = True) -> None:
    """Counts what plain words cannot carry."""
    for one in talk.messages:
        if isinstance(one, dict):
            lost["names and weights"] += ("name" in one) + ("weight" in one)
            lost["tool calls"] += bool(one.get("tool_calls")) + bool(one.get("function_call"))
            content = one.get("content")
            lost["images"] += (
                sum(isinstance(part, dict) and part.get("type") == "image_url" for part in content) if isinstance(content, list) else 0
            )
    lost["rejected answers"] += talk.rejected is not None
    lost["tool definitions"] += tools and bool(talk.extra.get("tools") or talk.extra.get("functions"))


def _without_separators(talks: list[Talk | None], kinds: Sequence[str | None], to: str, lost: Counter[str]) -> list[Talk | None]:
    """Old prompt/completion rows without the separator, leading space and stop text that all of them share."""
    old = [place for place, kind in enumerate(kinds) if kind == "prompt_completion" and talks[place] is not None]
    pairs = [(talks[place].messages[0].get("content"), talks[place].messages[-1].get("content")) for place in old]  # type: ignore[union-attr]
    if to in ("prompt_completion", "text") or len(old) < 2 or not all(isinstance(a, str) and isinstance(b, str) for a, b in pairs):
        return talks
    end = next((one for one in ENDS if all(a.endswith(one) for a, _ in pairs)), "")
    stop = next((one for one in STOPS if all(b.endswith(one) for _, b in pairs)), "")
    space = all(b.startswith(" ") for _, b in pairs)
    lost["separators at the end of prompts"] += len(old) if end else 0
    lost["stop texts at the end of completions"] += len(old) if stop else 0
    lost["leading spaces of completions"] += len(old) if space else 0
    for place, (asked, said) in zip(old, pairs, strict=True):
        messages: list[Message] = [dict(one) for one in talks[place].messages]  # type: ignore[union-attr]
        said = said.removesuffix(stop)
        messages[-1]["content"] = said[1:] if space else said
        if len(messages) > 1:
            messages[0]["content"] = asked.removesuffix(end)
        talks[place] = Talk(tuple(messages))
    return talks


def _role(one: Any) -> str:
    return str(one.get("role")) if isinstance(one, dict) else ""


def _words(messages: Sequence[Any]) -> list[str]:
    return [text_of(one.get("content")) for one in messages if isinstance(one, dict)]


_WRITERS = {
    "chat": _chat, "prompt_completion": _prompt_completion, "preference": _preference, "alpaca": _alpaca, "sharegpt": _sharegpt,
    "text": _text,
}  # fmt: skip
