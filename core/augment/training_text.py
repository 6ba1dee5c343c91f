"""What a model is finally trained on, letter for letter, in each target format: for an original and its variants side by side.

Closed-book text is the one-line instruction of the recipe of that name; chat and prompt/completion are lines of a training file.
All three come from the version's one prompt, so a variant differs from its original in its cells only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.curate.presets import INSTRUCTION, RESPONSE
from core.prediction import examples
from core.prompt import PLAIN, Prompt
from core.validate.convert import convert

if TYPE_CHECKING:
    import pandas as pd

    from core.prompt import Message
    from core.version import Roles

FORMATS = {
    "closed_book": "Closed-book instruction text",
    "chat": "Chat",
    "prompt_completion": "Prompt and completion",
}
"""Name -> title, in the order they are shown."""


def training_texts(rows: pd.DataFrame, roles: Roles, task: str, prompt: Prompt) -> list[dict[str, str]]:
    """For each row the text in every format of FORMATS. Raises DataError for rows without text or target.

    The end token that a trainer puts behind every answer is not shown: it depends on the model.
    """
    some = examples(rows.reset_index(drop=True), roles, task)
    return [_texts(prompt, prompt.question(row), prompt.reply(row, target))
            for row, target in zip(some.rows(), some.targets or (), strict=True)]  # fmt: skip


def _texts(prompt: Prompt, question: Sequence[Message], reply: str) -> dict[str, str]:
    asked = [{**one, "role": "user"} if one["role"] == PLAIN else one for one in question]
    chat = {"messages": [*asked, {"role": "assistant", "content": reply}]}
    pair = convert([chat], "prompt_completion", ["chat"]).rows[0]
    return {
        "closed_book": _closed_book(prompt, question, reply),
        "chat": json.dumps(chat, ensure_ascii=False),
        "prompt_completion": json.dumps(pair, ensure_ascii=False),
    }


def _closed_book(prompt: Prompt, question: Sequence[Message], reply: str) -> str:
    """On one line with single blanks; a prompt that is such a template already is left as it is."""
    asked = question[-1]["content"]
    if prompt.plain and RESPONSE.strip() in asked:
        return asked + reply
    return INSTRUCTION + " ".join(asked.split()) + RESPONSE + reply
