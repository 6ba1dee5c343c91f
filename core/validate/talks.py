"""One neutral shape for a row of any training format: what is read, what is learnt, what is rejected.

Checks, token counts and conversions all work on it. Sources of the shapes: OpenAI's API description (chat, preference,
prompt and completion), LLaMA-Factory's data README (Alpaca with history, ShareGPT with tools), TRL's dataset formats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.validate.reinforcement import NOT_ITEMS, WRITTEN, reference_of
from core.validate.tool_turns import called, tools_of

Message = dict[str, Any]
FROM = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant", "model": "assistant",
        "bot": "assistant", "system": "system", "observation": "tool", "tool": "tool", "function_call": "function_call"}  # fmt: skip
"""Names of ShareGPT speakers -> roles of today."""
REFERENCES_AS_TEXT = "right answers that are no text, kept as JSON"


@dataclass(frozen=True)
class Talk:
    """One example. Messages are shared with the row they came from: do not change them."""

    messages: tuple[Any, ...]
    """As a chat line has them, the learnt answer last where there is one."""
    rejected: Message | None = None
    """The answer that shall not be given (preference files)."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """tools, parallel_tool_calls, functions."""
    unanswered: bool = False
    """True for a reinforcement row whose right answer is not known: it ends with the question."""

    @property
    def answer(self) -> Any | None:
        """The last message when the assistant speaks it."""
        last = self.messages[-1] if self.messages else None
        return last if isinstance(last, dict) and last.get("role") == "assistant" else None

    def as_chat(self) -> dict[str, Any]:
        return {"messages": list(self.messages), **self.extra}


def talk_of(row: Any, kind: str | None, lost: Counter[str] | None = None) -> Talk | None:
    """The row in the neutral shape; None where it holds no messages. What has no place in it is counted in `lost`."""
    lost = Counter() if lost is None else lost
    if kind is None or kind not in _READERS:
        return None
    return _READERS[kind](row, lost)


def text_of(content: Any) -> str:
    """The words of a message's content: text as it is, the text parts of a list joined."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict) and part.get("type") in (None, "text"))
    return ""


def _chat(row: dict[str, Any], lost: Counter[str]) -> Talk:
    extra = {key: row[key] for key in ("tools", "parallel_tool_calls", "functions") if key in row}
    _count_rest(row, {"messages", *extra}, lost)
    return Talk(tuple(row["messages"]), None, extra)


def _prompt_completion(row: dict[str, Any], lost: Counter[str]) -> Talk:
    low = {str(key).strip().casefold(): value for key, value in row.items()}
    _count_rest(low, {"prompt", "completion"}, lost)
    prompt, completion = low["prompt"], low["completion"]
    if isinstance(prompt, list):  # TRL's conversational prompt-completion rows
        return Talk((*prompt, *(completion if isinstance(completion, list) else [_says("assistant", completion)])))
    before = [_says("user", prompt)] if prompt not in (None, "") else []
    return Talk((*before, _says("assistant", completion)))


def _reinforcement(row: dict[str, Any], lost: Counter[str]) -> Talk:
    """The question with the right answer behind it, where a grader has one."""
    extra = {key: row[key] for key in ("tools", "parallel_tool_calls", "functions") if key in row}
    key, text = reference_of(row)
    _count_rest(row, {*NOT_ITEMS, *([key] if key else [])} - {"response_format"}, lost)
    if key is None:
        return Talk(tuple(_list(row["messages"])), None, extra, unanswered=True)
    lost[REFERENCES_AS_TEXT] += not isinstance(row[key], str)
    lost["names of the right answer's key"] += key != WRITTEN
    return Talk((*_list(row["messages"]), _says("assistant", text)), None, extra)


def _preference(row: dict[str, Any], lost: Counter[str]) -> Talk:
    if "preferred_output" in row:
        asked = row.get("input")
        before = _list(asked.get("messages")) if isinstance(asked, dict) else []
        extra = {key: asked[key] for key in ("tools", "parallel_tool_calls") if key in asked} if isinstance(asked, dict) else {}
        _count_rest(row, {"input", "preferred_output", "non_preferred_output"}, lost)
        return Talk((*before, *_listed(row["preferred_output"])), _last(row["non_preferred_output"]), extra)
    _count_rest(row, {"chosen", "rejected", "prompt", "conversations", "messages", "instruction", "input", "system"}, lost)
    chosen, rejected = row["chosen"], row["rejected"]
    before = _asked(row, lost)
    if not before and isinstance(chosen, list):  # the question stands in both answers
        before, chosen, rejected = chosen[:-1], chosen[-1:], rejected[-1:] if isinstance(rejected, list) else rejected
    return Talk((*before, *_listed(chosen)), _last(rejected))


def _asked(row: dict[str, Any], lost: Counter[str]) -> list[Message]:
    """The question of a chosen/rejected row, wherever it stands."""
    if isinstance(row.get("conversations"), list):
        return list(_sharegpt({"conversations": row["conversations"], "system": row.get("system")}, lost).messages)
    if isinstance(row.get("messages"), list):
        return row["messages"]
    if isinstance(row.get("prompt"), list):
        return row["prompt"]
    asked = row.get("prompt", row.get("instruction"))
    more = row.get("input") if "instruction" in row else None
    system = [_says("system", row["system"])] if row.get("system") else []
    return [*system, _says("user", f"{asked}\n{more}" if more else asked)] if asked is not None else system


def _alpaca(row: dict[str, Any], lost: Counter[str]) -> Talk:
    _count_rest(row, {"instruction", "input", "output", "system", "history"}, lost)
    messages = [_says("system", row["system"])] if row.get("system") else []
    for turn in _list(row.get("history")):
        if isinstance(turn, (list, tuple)) and len(turn) == 2:
            messages += [_says("user", turn[0]), _says("assistant", turn[1])]
        else:
            lost["turns of the history that are not a pair"] += 1
    lost["borders between instruction and input"] += bool(row.get("input"))
    asked = f"{row['instruction']}\n{row['input']}" if row.get("input") else row["instruction"]
    return Talk((*messages, _says("user", asked), _says("assistant", row["output"])))


def _sharegpt(row: dict[str, Any], lost: Counter[str]) -> Talk:
    _count_rest(row, {"conversations", "system", "tools"}, lost)
    messages = [_says("system", row["system"])] if row.get("system") else []
    waiting: list[str] = []
    made = 0
    for turn in row["conversations"]:
        if not isinstance(turn, dict):
            lost["turns that are not an object"] += 1
            continue
        speaker, said = turn.get("from", turn.get("role")), turn.get("value", turn.get("content"))
        role = FROM.get(str(speaker).casefold(), speaker)
        if role == "function_call":
            calls = called(said, made)
            lost["function calls that are no JSON, kept as the assistant's text"] += calls is None
            if calls:
                made += len(calls)
                waiting = [one["id"] for one in calls]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls} if calls else _says("assistant", said))
        elif role == "tool" and waiting:
            messages.append({"role": "tool", "tool_call_id": waiting.pop(0), "content": said})
        else:
            lost["tool results without a call, kept as the user's text"] += role == "tool"
            messages.append(_says("user" if role == "tool" else role, said))
    tools = tools_of(row["tools"]) if row.get("tools") else None
    lost["tool definitions that are no list"] += bool(row.get("tools")) and tools is None
    return Talk(tuple(messages), None, {"tools": tools} if tools is not None else {})


def _text(row: Any, lost: Counter[str]) -> Talk:
    if isinstance(row, dict):
        _count_rest(row, {"text"}, lost)
    return Talk((_says("assistant", row if isinstance(row, str) else row["text"]),))


def _says(role: Any, content: Any) -> Message:
    return {"role": role, "content": content}


def _listed(answer: Any) -> list[Any]:
    """An answer as messages, whichever way it is written."""
    if isinstance(answer, list):
        return answer
    if isinstance(answer, dict):
        return [_says("assistant", answer.get("value", answer.get("content")))]
    return [_says("assistant", answer)]


def _list(value: Any) -> list[Any]:
    """A list as it is; nothing of anything else."""
    return value if isinstance(value, list) else []


def _last(answer: Any) -> Message | None:
    messages = [one for one in _listed(answer) if isinstance(one, dict)]
    return messages[-1] if messages else None


def _count_rest(row: Mapping[str, Any], known: set[str], lost: Counter[str]) -> None:
    for key in row.keys() - known:
        lost[f"values of '{str(key)[:40]}'"] += 1


_READERS = {
    "chat": _chat, "prompt_completion": _prompt_completion, "preference": _preference, "reinforcement": _reinforcement, "alpaca": _alpaca,
    "sharegpt": _sharegpt, "text": _text,
}  # fmt: skip
