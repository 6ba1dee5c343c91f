"""One template that renders the training prompt (answer shown) and the test prompt (answer hidden).

Because both come from the same text, what a model is asked can never differ from what it was trained on.
A placeholder is `$column` or `${column with spaces}`; only names of known columns are replaced, so a lone dollar sign
stays a dollar sign: "Price is $$price" renders as "Price is $12.00".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError

if TYPE_CHECKING:
    from core.version import Roles

Message = dict[str, str]
"""{"role": "system" | "user" | "assistant" | "text", "content": text}"""
PLAIN = "text"
"""The role of a text that is to be continued; providers that know chats only take it as a user's message."""


@dataclass(frozen=True)
class Prompt:
    system: str = ""
    """Who the model is; left out when empty."""
    user: str = "$text"
    """The question, with $column placeholders."""
    prefix: str = ""
    """How every answer begins, e.g. "Price is $". A local model continues it; a hosted one is told to."""
    answer: str = "$target"
    """What follows the prefix, with $column placeholders; $target is the target column's value."""
    decimals: int | None = None
    """Digits after the point of a numeric target (0: nearest whole number); None leaves it as it is."""
    max_tokens: int = 32
    """The longest reply that is waited for, in tokens."""
    plain: bool = False
    """The model continues the text itself: a local model gets no chat template, a hosted one the text as a user's message."""

    def __post_init__(self) -> None:
        if not self.user.strip():
            raise SettingsError("The prompt is empty. It needs a question with at least one $column.", title="Empty prompt")
        if self.max_tokens < 1:
            raise SettingsError(f"max_tokens is {self.max_tokens}; at least 1 is needed.", title="No room for a reply")

    def used(self, columns: Sequence[str]) -> set[str]:
        """Which of these columns the question uses (the answer's columns are not counted)."""
        return {name for part in (self.system, self.user) for name in _names(part, columns)}

    def question(self, row: Mapping[str, Any]) -> list[Message]:
        """System and user message of the test prompt; the answer is nowhere in it. A plain prompt's last role is PLAIN."""
        messages = [{"role": "system", "content": fill(self.system, row)}] if self.system.strip() else []
        return [*messages, {"role": PLAIN if self.plain else "user", "content": fill(self.user, row)}]

    def reply(self, row: Mapping[str, Any], target: Any) -> str:
        """What the model should say: prefix and answer."""
        shown = format_target(target, self.decimals)
        return self.prefix + fill(self.answer, {**row, "target": shown})

    def example(self, row: Mapping[str, Any], target: Any) -> list[Message]:
        """The training prompt: the question and the right reply."""
        return [*as_chat(self.question(row)), {"role": "assistant", "content": self.reply(row, target)}]

    def text(self, row: Mapping[str, Any], target: Any = None) -> str:
        """The whole prompt as one text, up to the answer's prefix; with a target the answer stands behind it.

        Between question and answer stands a blank line; a plain prompt brings its own separator.
        """
        return continued(self.question(row)) + (self.prefix if target is None else self.reply(row, target))

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `plain` is told only where it is on, so that older prompts keep their hash."""
        return {name: value for name, value in asdict(self).items() if name != "plain" or value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Prompt:
        unknown = set(data) - set(cls.__dataclass_fields__)
        if unknown:
            raise SettingsError(
                f"A prompt has no field {sorted(unknown)}; it has {sorted(cls.__dataclass_fields__)}.", title="Unknown field"
            )
        return cls(**data)


def continued(messages: Sequence[Message]) -> str:
    """Messages as one text that an answer may follow: a blank line after each, nothing after text that is to be continued."""
    return "".join(one["content"] + ("" if one["role"] == PLAIN else "\n\n") for one in messages)


def as_chat(messages: Sequence[Message]) -> list[Message]:
    """The messages as a chat model knows them: text to be continued is what a user says."""
    return [{**one, "role": "user"} if one["role"] == PLAIN else one for one in messages]


def default_prompt(kind: str, roles: Roles, labels: Sequence[str] = (), unit: str = "number") -> Prompt:
    """A sensible first prompt for a task, which every later page shows and lets people change.

    `unit` "usd" asks for a price the way the pricing course did; `labels` are named in the question when they are few.
    """
    text = "\n".join(f"${{{column}}}" for column in roles.text) or "$text"
    if kind == "regression" and unit == "usd":
        return Prompt(user=f"How much does this cost to the nearest dollar?\n\n{text}", prefix="Price is $", decimals=0, max_tokens=8)
    if kind == "regression":
        name = (roles.target or "the number").replace("_", " ")
        return Prompt(user=f"What is the {name}? Answer with one number.\n\n{text}", prefix=f"The {name} is ", max_tokens=12)
    if kind == "classification":
        name = (roles.target or "label").replace("_", " ")
        choice = f" Answer with one of: {', '.join(labels)}." if 0 < len(labels) <= 20 else ""
        longest = max((len(label) for label in labels), default=8)
        return Prompt(user=f"Which {name} fits this text?{choice}\n\n{text}", prefix=f"{name.capitalize()}: ", max_tokens=max(4, longest))
    if kind == "qa":
        return Prompt(system="Answer the question in a few words.", user=text, max_tokens=32)
    return Prompt(user=text, max_tokens=256)


def format_target(target: Any, decimals: int | None) -> str:
    """A target as the answer shows it: 12.3456 with 2 decimals is "12.35", with 0 decimals "12"; 5.0 without is "5"."""
    if isinstance(target, (int, float)) and not isinstance(target, bool):
        if decimals is not None:
            return f"{target:.{decimals}f}"
        return str(int(target)) if float(target).is_integer() else str(target)
    return str(target)


def fill(template: str, row: Mapping[str, Any]) -> str:
    """The template with every known `$column` replaced by the row's value (missing values become nothing)."""
    if "$" not in template:
        return template
    names = tuple(name for name in row if name in template)  # the others cannot be meant
    return _pattern(names).sub(lambda found: _shown(row[found.group(1) or found.group(2)]), template)


def _shown(value: Any) -> str:
    if value is None or value != value:  # NaN is the one value that differs from itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _names(template: str, columns: Sequence[str]) -> set[str]:
    return {one or other for one, other in _pattern(tuple(columns)).findall(template)}


def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    any_of = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"\$(?:\{{({any_of})\}}|({any_of})(?!\w))")
