"""One example in each training format: a talk in, a row out, and everything that has no place in the format counted.

`lost` counts what is gone, in words; None says that the example has no place at all (also counted).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from core.validate.pictures import images_in
from core.validate.reinforcement import WRITTEN
from core.validate.talks import Talk, text_of
from core.validate.tool_turns import answers_in_order, tools_text, written

Lost = Counter[str]
SPEAKERS = {
    "user": "human",
    "assistant": "gpt",
    "system": "system",
    "developer": "system",
    "tool": "observation",
    "function": "observation",
}
NO_REJECTED = "rows without a rejected answer"
_SYSTEM = ("system", "developer")


def chat(talk: Talk, lost: Lost) -> dict[str, Any] | None:
    """The whole conversation with what it declares."""
    if not _complete(talk, lost):
        return None
    lost["rejected answers"] += talk.rejected is not None
    return talk.as_chat()


def prompt_completion(talk: Talk, lost: Lost) -> dict[str, str] | None:
    """The last answer, and everything before it as one prompt."""
    if not _complete(talk, lost, question=False) or not _worded(talk.messages[-1], lost):
        return None
    before = talk.messages[:-1]
    _count_marks(talk, lost)
    lost["speakers: several messages became one prompt"] += len(before) > 1
    lost["system messages, now part of the prompt"] += len(before) == 1 and _role(before[0]) != "user"
    lost["earlier answers, no longer learnt"] += sum(_role(one) == "assistant" for one in before)
    return {"prompt": "\n\n".join(_words(before)), "completion": text_of(talk.messages[-1].get("content"))}


def preference(talk: Talk, lost: Lost) -> dict[str, Any] | None:
    """OpenAI's shape: input, preferred_output, non_preferred_output, text only."""
    if not _complete(talk, lost):
        return None
    if talk.rejected is None:
        lost[NO_REJECTED] += 1
        return None
    answer, rejected = talk.messages[-1], talk.rejected
    lost["names and weights"] += sum(isinstance(one, dict) and "weight" in one for one in talk.messages) + ("name" in answer)
    lost["tool calls"] += sum(bool(one.get("tool_calls") or one.get("function_call")) for one in (answer, rejected))
    lost["images"] += sum(images_in(one.get("content")) for one in talk.messages if isinstance(one, dict))
    lost["tool definitions"] += "functions" in talk.extra
    return {
        "input": {"messages": [_as_text(one) for one in talk.messages[:-1]], **{k: v for k, v in talk.extra.items() if k != "functions"}},
        "preferred_output": [{"role": "assistant", "content": text_of(answer.get("content"))}],
        "non_preferred_output": [{"role": "assistant", "content": text_of(rejected.get("content", rejected.get("value")))}],
    }


def reinforcement(talk: Talk, lost: Lost) -> dict[str, Any] | None:
    """The question, and the answer under "reference_answer" for a grader."""
    if not _complete(talk, lost) or not _worded(talk.messages[-1], lost):
        return None
    answer, before = talk.messages[-1], list(talk.messages[:-1])
    if _role(before[-1]) != "user":
        lost["rows whose answer follows no question"] += 1
        return None
    lost["rejected answers"] += talk.rejected is not None
    lost["names and weights"] += sum(isinstance(one, dict) and "weight" in one for one in talk.messages) + ("name" in answer)
    lost["refusals"] += bool(answer.get("refusal"))
    lost["system messages, now the developer's"] += sum(_role(one) == "system" for one in before)
    lost["tool definitions"] += "functions" in talk.extra
    messages = [_graded(one) for one in before]
    return {"messages": messages, **{k: v for k, v in talk.extra.items() if k != "functions"}, WRITTEN: text_of(answer.get("content"))}


def alpaca(talk: Talk, lost: Lost) -> dict[str, Any] | None:
    """The last question and answer; earlier pairs as history, instructions as system."""
    if not _complete(talk, lost) or not _worded(talk.messages[-1], lost):
        return None
    _count_marks(talk, lost)
    messages = list(talk.messages)
    system = [text_of(one.get("content")) for one in messages if _role(one) in _SYSTEM]
    lost["developer messages, now the system's"] += sum(_role(one) == "developer" for one in messages)
    lost["borders between system messages"] += max(0, len(system) - 1)
    lost["empty system messages"] += bool(system) and not "".join(system)
    started = next((i for i, one in enumerate(messages) if _role(one) not in _SYSTEM), 0)
    lost["system messages, now at the beginning"] += sum(_role(one) in _SYSTEM for one in messages[started:])
    turns = [one for one in messages[:-1] if _role(one) not in _SYSTEM]
    asked = max((i for i, one in enumerate(turns) if _role(one) == "user"), default=None)
    earlier = turns[:asked] if asked is not None else []
    question = text_of(turns[asked].get("content")) if asked is not None else ""
    pairs = [(earlier[i], earlier[i + 1]) for i in range(0, len(earlier) - 1, 2)]
    if len(earlier) % 2 or any((_role(a), _role(b)) != ("user", "assistant") for a, b in pairs):
        lost["earlier turns that do not alternate"] += len(earlier)
        pairs = []
    lost["missing questions, now an empty instruction"] += asked is None
    lost["messages between the last question and the answer"] += len(turns) - len(earlier) - (asked is not None)
    made: dict[str, Any] = {"instruction": question, "input": "", "output": text_of(messages[-1].get("content"))}
    made |= {"system": "\n\n".join(system)} if system else {}
    return made | ({"history": [[text_of(a.get("content")), text_of(b.get("content"))] for a, b in pairs]} if pairs else {})


def sharegpt(talk: Talk, lost: Lost) -> dict[str, Any] | None:
    """Every message as a turn; calls of tools as function_call, their results as observation."""
    if not _complete(talk, lost):
        return None
    _count_marks(talk, lost, tools=False)
    lost["tool definitions"] += "functions" in talk.extra
    lost["ids of tool calls"] += not answers_in_order(talk.messages)
    turns: list[dict[str, str]] = []
    made = 0
    for one in talk.messages:
        calls = one.get("tool_calls") if isinstance(one, dict) else None
        told = written(calls, made, lost) if isinstance(calls, list) and calls else None
        if told is not None:
            made += len(calls or [])
            lost["words beside a tool call"] += one.get("content", "") is not None
            turns.append({"from": "function_call", "value": told})
            continue
        lost["tool calls"] += bool(calls) or bool(isinstance(one, dict) and one.get("function_call"))
        lost["developer messages, now the system's"] += _role(one) == "developer"
        turns.append({"from": SPEAKERS.get(_role(one), _role(one)), "value": text_of(one.get("content")) if isinstance(one, dict) else ""})
    return {"conversations": turns, **({"tools": tools_text(talk.extra["tools"])} if "tools" in talk.extra else {})}


def text(talk: Talk, lost: Lost) -> dict[str, str] | None:
    """The words of all messages, a blank line between them."""
    _count_marks(talk, lost)
    words = _words(talk.messages)
    lost["speakers: several messages became one text"] += len(words) > 1
    if not any(words):
        lost["rows without words"] += 1
        return None
    return {"text": "\n\n".join(words)}


def _complete(talk: Talk, lost: Lost, question: bool = True) -> bool:
    """Whether there is an answer (and a question); counts why not."""
    if talk.answer is None:
        lost["rows without a right answer" if talk.unanswered else "rows without an answer at the end"] += 1
        return False
    if question and len(talk.messages) < 2:
        lost["rows without a question"] += 1
        return False
    return True


def _worded(answer: dict[str, Any], lost: Lost) -> bool:
    """Whether the answer is words and not only a call of a tool."""
    called = bool(answer.get("tool_calls") or answer.get("function_call")) and not text_of(answer.get("content"))
    lost["rows whose answer is a tool call"] += called
    return not called


def _count_marks(talk: Talk, lost: Lost, tools: bool = True) -> None:
    """Counts what plain words cannot carry."""
    for one in talk.messages:
        if isinstance(one, dict):
            lost["names and weights"] += ("name" in one) + ("weight" in one)
            lost["refusals"] += bool(one.get("refusal"))
            lost["tool calls"] += tools and (bool(one.get("tool_calls")) + bool(one.get("function_call")))
            content = one.get("content")
            lost["images"] += images_in(content)
            lost["borders between parts of a message"] += isinstance(content, list)
    lost["rejected answers"] += talk.rejected is not None
    lost["tool definitions"] += tools and ("tools" in talk.extra or "functions" in talk.extra)
    lost["values of 'parallel_tool_calls'"] += "parallel_tool_calls" in talk.extra


def _graded(one: Any) -> Any:
    """A message as reinforcement rows take it."""
    if not isinstance(one, dict):
        return one
    kept = {key: value for key, value in one.items() if key != "weight"}
    return {**kept, "role": "developer"} if kept.get("role") == "system" else kept


def _as_text(one: Any) -> Any:
    """A message with its pictures taken out; other messages as they are, without a weight."""
    if not isinstance(one, dict):
        return one
    kept = {key: value for key, value in one.items() if key != "weight"}
    return {**kept, "content": text_of(kept["content"])} if images_in(kept.get("content")) else kept


def _role(one: Any) -> str:
    return str(one.get("role")) if isinstance(one, dict) else ""


def _words(messages: Sequence[Any]) -> list[str]:
    return [text_of(one.get("content")) for one in messages if isinstance(one, dict)]


WRITERS: dict[str, Callable[[Talk, Lost], Any]] = {
    "chat": chat, "prompt_completion": prompt_completion, "preference": preference, "reinforcement": reinforcement, "alpaca": alpaca,
    "sharegpt": sharegpt, "text": text,
}  # fmt: skip
