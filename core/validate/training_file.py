"""The file a version becomes: exactly what a model is trained on, made of the same prompt that asks at test time.

A row whose target cannot be read keeps its place with an answer that stops after the prefix; the checks find it (training
would leave it out). Only the columns the prompt uses are in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.errors import DataError
from core.export import jsonl_bytes
from core.prompt import Prompt, as_chat, default_prompt
from core.task import target_of
from core.validate.convert import convert

if TYPE_CHECKING:
    from core.version import Roles

_AT_ONCE = 5_000


def training_file(frame: pd.DataFrame, roles: Roles, task: str | None, prompt: Prompt | None = None) -> list[dict[str, Any]]:
    """One chat line per row, in order: {"messages": [system?, user, assistant]}.

    A table that holds chats already (a column `messages` and no target) gives them as they are. Raises DataError when
    there is neither a target nor a text.
    """
    if not roles.target and "messages" in frame:
        return [{"messages": _list(cell)} for cell in frame["messages"].tolist()]
    if not roles.target or roles.target not in frame:
        raise DataError(f"No target column: {roles.target or 'none is chosen'}. Choose what to predict on Explore.", title="No target")
    missing = [column for column in roles.text if column not in frame]
    if not roles.text or missing:
        raise DataError(f"No text column: {', '.join(missing) or 'none is chosen'}. Choose the text on Explore.", title="No text")
    kind = task or "chat"
    prompt = prompt or default_prompt(kind, roles)
    targets = [target_of(kind, cell) for cell in frame[roles.target].tolist()]
    inputs = [name for name in roles.inputs() if name in frame]
    records = frame.loc[:, inputs].to_dict("records")
    return [{"messages": _messages(prompt, _row(record, roles), target)} for record, target in zip(records, targets, strict=True)]


def _row(record: dict[Any, Any], roles: Roles) -> dict[str, Any]:
    parts = [record[column] for column in roles.text]
    text = "\n".join(str(part) for part in parts if part is not None and part == part and str(part))
    return {**{str(key): value for key, value in record.items()}, "text": text}


def _messages(prompt: Prompt, row: dict[str, Any], target: Any) -> list[dict[str, str]]:
    if target is None:
        return [*as_chat(prompt.question(row)), {"role": "assistant", "content": prompt.prefix}]
    return prompt.example(row, target)


def _list(cell: Any) -> Any:
    """A column of chats holds lists, arrays, or JSON text of lists."""
    if isinstance(cell, str):
        import json

        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell.tolist() if hasattr(cell, "tolist") else cell


def as_jsonl(rows: Sequence[Any]) -> bytes:
    """Rows as JSON lines, UTF-8."""
    return b"".join(jsonl_bytes(list(rows[start : start + _AT_ONCE])) for start in range(0, len(rows), _AT_ONCE))


def in_format(rows: Sequence[dict[str, Any]], to: str) -> bytes:
    """Chat rows as JSON lines of another format (see `convert`)."""
    return jsonl_bytes(list(convert(rows, to).rows))
