"""Training files recognised in a table: conversations, instructions and preference pairs get columns for question and answer.

| shape | columns | what comes out |
|---|---|---|
| chat (OpenAI) | messages | system, question, answer beside messages |
| ShareGPT | conversations of from and value | the same; messages with the roles of today |
| Alpaca | instruction, input, output, history | as they are; with a history like a chat |
| preference | chosen and rejected with prompt, instruction or conversations; preferred_output | question, chosen, rejected, messages |

A conversation of one question and one answer gives both as they are. In a longer one, question is everything before the
last answer, each turn under the name of its speaker; messages keeps it whole, as JSON text. Not known here: what trains best.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.format import count, plural
from core.load import squad
from core.load.columns import of
from core.validate.formats import detect
from core.validate.talks import Talk, talk_of, text_of

_PARTS = (
    "messages", "conversations", "chosen", "rejected", "prompt", "completion", "preferred_output", "non_preferred_output", "instruction",
    "input", "output", "system", "history",
)  # fmt: skip
"""Columns a training row may be made of."""
TITLES = {"chat": "conversations (OpenAI chat)", "sharegpt": "conversations (ShareGPT)", "alpaca": "instructions (Alpaca)",
          "preference": "preference pairs", "prompt_completion": "prompts and completions"}  # fmt: skip
_SAMPLE = 200


@dataclass(frozen=True)
class Shape:
    """What the first rows were recognised as."""

    kind: str
    """One of TITLES."""
    parts: tuple[str, ...]
    """The table's columns that make up a row."""
    nested: bool
    """Whether rows must be taken apart; else the columns can be used as they are."""


def recognised(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table with columns for question and answer where its shape is known, and a sentence on what was recognised."""
    if squad.is_flat(frame):
        frame = squad.flattened(frame)
        return frame, ("Recognised as questions on texts (SQuAD).", *squad.notes(frame))
    shape = find(frame)
    if shape is None:
        return frame, squad.notes(frame)
    told: Counter[str] = Counter()
    made = apart(frame, shape, told)
    return made if not shape.nested or len(of(made, "system").dropna()) else made.drop(columns="system"), notes(shape, told, len(frame))


def find(frame: pd.DataFrame) -> Shape | None:
    """The shape most of the first rows have; None for any other table."""
    parts = tuple(str(name) for name in frame.columns if name in _PARTS)
    if not parts:
        return None
    head = frame.head(_SAMPLE)
    rows = [_record(values) for values in head.loc[:, list(parts)].to_dict("records")]
    found = detect(rows)
    if found.format not in TITLES or found.confidence < 0.8:
        return None
    used = [name for name in parts if any(row.get(name) for row in rows)]
    nested = any(isinstance(row.get(name), (list, dict)) and row[name] for row in rows for name in used)
    if nested and {"question", "answer"} & set(frame.columns):
        return None  # these columns are there already: a table the studio wrote
    return Shape(found.format, parts, nested)


def apart(frame: pd.DataFrame, shape: Shape, told: Counter[str]) -> pd.DataFrame:
    """The rows with question and answer taken out of their parts; what was seen is counted in `told`."""
    if not shape.nested:
        return frame
    lost: Counter[str] = Counter()
    rows = [_record(values) for values in frame.loc[:, list(shape.parts)].to_dict("records")]
    talks = [_talk(row, shape.kind, lost) for row in rows]
    taken = [_taken(talk) for talk in talks]
    told["several"] += sum(several for _, _, _, several in taken)
    told["unanswered"] += sum(answer is None for _, _, answer, _ in taken)
    told.update({what: n for what, n in lost.items() if not what.startswith("values of ")})
    preference = shape.kind == "preference"
    answers = [answer for _, _, answer, _ in taken]
    new = {"system": [one for one, *_ in taken], "question": [one for _, one, *_ in taken]}
    new |= (
        {"chosen": answers, "rejected": [_said(talk.rejected) if talk else None for talk in talks]} if preference else {"answer": answers}
    )
    new["messages"] = [json.dumps(list(talk.messages), ensure_ascii=False) if talk else None for talk in talks]
    if shape.kind == "chat":
        new["messages"] = of(frame, "messages").tolist()  # as it stands in the file
    kept = [str(name) for name in frame.columns if name not in shape.parts and name not in new]
    made = pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in new.items()}, index=frame.index)
    return pd.concat([frame[[k for k in kept if k == "id"]], made, frame[[k for k in kept if k != "id"]]], axis=1)


def notes(shape: Shape, told: Mapping[str, int], rows: int) -> tuple[str, ...]:
    """What was recognised, in sentences."""
    said = [f"Recognised as {TITLES[shape.kind]}."]
    if not shape.nested:
        return tuple(said)
    if told.get("several"):
        said.append(
            f"{count(told['several'])} of {plural(rows, 'conversation')} with more than one turn: question holds all that comes before the "
            "last answer, messages keeps them whole."
        )
    if told.get("unanswered"):
        said.append(f"{plural(told['unanswered'], 'conversation')} without an answer at the end.")
    said += [f"{count(n)} {what}." for what, n in told.items() if what not in ("several", "unanswered")]
    return tuple(said)


def _record(values: Mapping[Any, Any]) -> dict[str, Any]:
    """The filled cells of a row, nested ones parsed."""
    filled = {str(name): _parsed(cell) for name, cell in values.items() if cell is not None and cell == cell}
    return {name: cell for name, cell in filled.items() if cell != ""}


def _parsed(cell: Any) -> Any:
    if isinstance(cell, str) and cell[:1] in ("[", "{"):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def _talk(row: dict[str, Any], kind: str, lost: Counter[str]) -> Talk | None:
    """One row in the neutral shape; None where it does not have the shape of the others."""
    try:
        return talk_of(row, kind, lost)
    except (KeyError, TypeError, AttributeError):
        lost["rows have another shape and keep empty cells"] += 1
        return None


def _taken(talk: Talk | None) -> tuple[str | None, str | None, str | None, bool]:
    """(system, question, answer, whether there is more than one turn) of a conversation."""
    messages = [one for one in talk.messages if isinstance(one, dict)] if talk else []
    first = next((i for i, one in enumerate(messages) if one.get("role") not in ("system", "developer") or one.get("name")), len(messages))
    system = "\n".join(text for one in messages[:first] if (text := _said(one)))
    rest = messages[first:]
    answer = _said(rest.pop()) if rest and rest[-1].get("role") == "assistant" else None
    if len(rest) == 1 and rest[0].get("role") == "user":
        return system or None, _said(rest[0]), answer, False
    turns = [f"{str(one.get('name') or one.get('role')).capitalize()}: {_said(one) or ''}" for one in rest]
    return system or None, "\n\n".join(turns) or None, answer, len(rest) > 1


def _said(message: Mapping[str, Any] | None) -> str | None:
    """The words of a message, or what it calls."""
    if message is None:
        return None
    content = text_of(message.get("content", message.get("value")))
    calls = message.get("tool_calls") or message.get("function_call")
    return content or (json.dumps(calls, ensure_ascii=False) if calls else None)
