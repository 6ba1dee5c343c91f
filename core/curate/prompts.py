"""The prompt of the new version: the same question in training and in the test, the answer shown only in training."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.curate.fields import Settings, setting
from core.curate.table import Change, Table
from core.errors import DataError
from core.prompt import Prompt
from core.version import Roles


@dataclass(frozen=True)
class PromptSettings(Settings):
    question: str = setting("", "What is asked before each text; $column puts a cell there.", "text")
    prefix: str = setting("", "How every answer begins, such as: Price is $", "text")
    answer: str = setting("$target", "What follows the prefix; $target is the target's value.", "text")
    decimals: int | None = setting(
        None, "Digits after the point of a number; 0 rounds to the nearest whole number.", "whole", low=0, high=6, empty="as it is"
    )
    separator: str = setting("", "What stands behind the text, right before the answer, such as a line of ###.", "text")
    plain: bool = setting(
        False, "The model continues the text itself: a local model gets no chat turns around question and answer.", "flag"
    )
    system: str = setting("", "Who the model is; left out when empty.", "text")
    max_tokens: int = setting(32, "The longest reply that is waited for, in tokens.", "whole", low=1, high=4096)


def prompts(table: Table, settings: PromptSettings, seed: int) -> Change:
    """Sets the version's prompt: question, a blank line, the text columns (unless the question places them itself). No row changes."""
    if not table.roles.text:
        raise DataError("There is no text column to ask about. Choose the text on Explore, or add a Join step.", title="No text")
    text = text_block(table.roles)
    question = settings.question.strip()
    placed = question and Prompt(user=question).used([*table.roles.inputs(), "text"])
    user = (question if placed else f"{question}\n\n{text}" if question else text) + settings.separator
    answer = settings.answer or "$target"
    return Change(prompt=Prompt(settings.system, user, settings.prefix, answer, settings.decimals, settings.max_tokens, settings.plain))


def text_block(roles: Roles) -> str:
    """The text columns as a template, one a line."""
    return "\n".join(f"${{{column}}}" for column in roles.text)


def moved(prompt: Prompt | None, before: Roles, after: Roles) -> Prompt | None:
    """The prompt after the text moved to other columns: where it asked about the old text, it asks about the new one."""
    if prompt is None or before.text == after.text or not before.text or not after.text:
        return prompt
    old, new = text_block(before), text_block(after)
    if old not in prompt.user:
        return prompt
    return replace(prompt, user=prompt.user.replace(old, new))


def prompts_sentence(settings: PromptSettings) -> str:
    asked = f"“{settings.question.strip()}”" if settings.question.strip() else "the text alone"
    mark = " ".join(settings.separator.split())
    told = f"{asked}, then “{mark}”" if mark else asked
    return f"{told}, answered “{settings.prefix}…”" if settings.prefix else told
