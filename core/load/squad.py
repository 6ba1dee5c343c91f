"""Questions on texts (SQuAD, KorQuAD), nested as JSON or flat as in Parquet: one row a question, every offset checked.

An answer has to stand in its context at the character its answer_start says. Source of the shape: SQuAD's JSON format.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from core.errors import DataError
from core.format import count, plural, short
from core.load.columns import is_nested

Record = dict[str, Any]
_FLAT = {"context", "question", "answers"}


def is_nested_squad(entries: list[Any]) -> bool:
    first = entries[0]
    return isinstance(first, dict) and isinstance(first.get("paragraphs"), list)


def rows(entries: list[Record]) -> list[Record]:
    """One row a question: id, title, context, question, answer, answer_start; further accepted answers as a list.

    A question that has no answer (is_impossible) has none here; what only looks like one stands in plausible_answers.
    """
    made: list[Record] = []
    for entry in entries:
        for paragraph in entry.get("paragraphs", []):
            for qa in paragraph.get("qas", []):
                answers = qa.get("answers") or []
                row: Record = {
                    "id": qa.get("id"),
                    "title": entry.get("title"),
                    "context": paragraph.get("context"),
                    "question": qa.get("question"),
                    **_answers([(str(one.get("text", "")), one.get("answer_start")) for one in answers if isinstance(one, dict)]),
                }
                if qa.get("plausible_answers"):
                    row["plausible_answers"] = qa["plausible_answers"]
                made.append(row)
    if not made:
        raise DataError(f"{plural(len(entries), 'entry', 'entries')} with paragraphs and no question in them.", title="No questions")
    return made


def _answers(found: list[tuple[str, Any]]) -> Record:
    found = list(dict.fromkeys(found))
    texts = list(dict.fromkeys(text for text, _ in found))
    row: Record = {"answer": texts[0] if texts else None, "answer_start": found[0][1] if found else None}
    if len(texts) > 1:
        row["other_answers"] = texts[1:]
    if len(found) > 1:
        row["other_starts"] = [[text, start] for text, start in found[1:]]
    return row


def is_flat(frame: pd.DataFrame) -> bool:
    """Whether a table has columns context, question and answers, the latter {"text": [...], "answer_start": [...]} as JSON text."""
    if not set(frame.columns) >= _FLAT or "answer" in frame:
        return False
    cells = [cell for cell in frame["answers"].head(100).tolist() if isinstance(cell, str)]
    return bool(cells) and all(is_nested(cell) and set(json.loads(cell)) >= {"text", "answer_start"} for cell in cells)


def flattened(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with answer and answer_start (and further answers) in the place of answers."""
    made = []
    for cell in frame["answers"].tolist():
        found = json.loads(cell) if isinstance(cell, str) else {"text": [], "answer_start": []}
        made.append(_answers(list(zip(found["text"], found["answer_start"], strict=False))))
    new = pd.DataFrame(made, index=frame.index)
    for name in ("other_answers", "other_starts"):
        if name in new:
            new[name] = pd.Series([json.dumps(c, ensure_ascii=False) if isinstance(c, list) else None for c in new[name]], dtype="str")
    new["answer"] = new["answer"].astype("str")
    place = list(frame.columns).index("answers")
    return pd.concat([frame.iloc[:, :place], new, frame.iloc[:, place + 1 :]], axis=1)


def notes(frame: pd.DataFrame) -> tuple[str, ...]:
    """Wrong offsets and questions that are asked twice: how many, and the first of them. Nothing for other tables."""
    if not set(frame.columns) >= {"context", "question", "answer", "answer_start"}:
        return ()
    said: list[str] = []
    wrong, answers, first = 0, 0, ""
    others = frame["other_starts"].tolist() if "other_starts" in frame else [None] * len(frame)
    cells = zip(frame["context"].tolist(), frame["answer"].tolist(), frame["answer_start"].tolist(), others, strict=True)
    for row, (context, answer, start, more) in enumerate(cells, start=1):
        if not isinstance(context, str) or not isinstance(answer, str):
            continue
        for text, at in [(answer, start), *(json.loads(more) if isinstance(more, str) else [])]:
            answers += 1
            if not _stands(context, text, at):
                wrong += 1
                first = first or _place(frame, row, context, text, at)
    if wrong:
        said.append(f"{count(wrong)} of {count(answers)} answers do not stand where answer_start says. {first}")
    asked = frame.duplicated(["context", "question"], keep="first")
    if asked.any():
        row = int(asked.to_numpy().argmax())
        told = short(str(frame["question"].iloc[row]), 60)
        many = "1 question is" if asked.sum() == 1 else f"{count(int(asked.sum()))} questions are"
        said.append(f"{many} asked again on the same text. The first is row {row + 1}: '{told}'.")
    return tuple(said)


def _stands(context: str, text: str, at: object) -> bool:
    if not isinstance(at, (int, float)) or at != at:
        return False
    return at >= 0 and context[int(at) : int(at) + len(text)] == text


def _place(frame: pd.DataFrame, row: int, context: str, text: str, at: object) -> str:
    named = f" ({frame['id'].iloc[row - 1]})" if "id" in frame else ""
    if not isinstance(at, (int, float)) or at != at:
        return f"The first is row {row}{named}: '{short(text, 40)}' has no answer_start."
    held = context[int(at) : int(at) + len(text)] if at >= 0 else ""
    true = context.find(text)
    where = f"it stands at {count(true)}" if true >= 0 else "it stands nowhere in the text"
    return f"The first is row {row}{named}: at {count(int(at))} stands '{short(held, 40)}' instead of '{short(text, 40)}'; {where}."
