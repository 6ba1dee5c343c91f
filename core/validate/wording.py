"""Where a finding stands, counted as the platform counts, and what the platform says about it where its words are known.

A hosted job that refuses a file names "Example N, message M", both from 1, and no line; blank lines are no examples. The
words are those of real refusals (see the constants); of other findings only our own words are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.format import count, short
from core.validate.answers import pair_of
from core.validate.checks import Check, example_number
from core.validate.limits import EXAMPLE_KEYS, MIN_EXAMPLES
from core.validate.preference import KEYS as PREFERENCE_KEYS
from core.validate.report import Report
from core.validate.row_rules import as_chat, row_problems
from core.validate.talks import talk_of
from core.validate.words import held_in, special_in, words_in

TOO_FEW = "Training file has {n} example(s), but must have at least 10 examples"
NO_ROLE = "Invalid file format. Example {n}, message {m} Discriminator 'role' is missing in value"
TOKEN = "Invalid file format. Example {n} message contains an invalid token: {token}."
EXTRA = 'Example {n} contains an extra "{key}"'
NO_DICTIONARY = ("Expected file to have JSONL format, where every line is a JSON dictionary. Line {line} is not a dictionary "
                 "(HINT: line starts with: \"{start}...\").")  # fmt: skip
_WORDS = ("special_token", "encoding_damage", "secret", "email", "personal_number")
_ANSWERS = ("empty_answer", "answer_without_information", "conflicting_answers")


@dataclass(frozen=True)
class Spot:
    """One place of a finding."""

    line: int
    """Of the file, or the row of the table, from 1."""
    example: int
    """As the platform counts, from 1."""
    messages: tuple[int, ...] = ()
    """Within the example, from 1; empty when the whole example is meant."""
    platform: str = ""
    """What the platform says, where its words are known."""

    @property
    def says(self) -> str:
        """line 18 is Example 17, message 2"""
        told = ", ".join(count(one) for one in self.messages[:3]) + (" and more" if len(self.messages) > 3 else "")
        inner = f", message{'s' if len(self.messages) > 1 else ''} {told}" if self.messages else ""
        return f"line {count(self.line)} is Example {count(self.example)}{inner}"


def spots(made: Report, check: Check, most: int = 3) -> list[Spot]:
    """The first places of a check, in order."""
    bad = made.file.bad_lines
    if check.name == "unreadable_line":
        return [
            Spot(
                one.line, example_number(one.line, made.file.lines, bad), (), NO_DICTIONARY.format(line=one.line, start=short(one.text, 40))
            )
            for one in made.file.unreadable[:most]
        ]
    found = []
    for place in check.places[:most]:
        line = made.file.lines[place]
        number = example_number(line, made.file.lines, bad)
        row, kind = made.file.rows[place], made.detection.kinds[place]
        inner = tuple(one + 1 for one in messages_of(check.name, row, kind))
        found.append(Spot(line, number, inner, _platform(check.name, row, line, number, inner)))
    return found


def told(made: Report, check: Check, most: int = 3) -> str:
    """The first places in one sentence: "line 18 is Example 18, message 2; line 44 is Example 43, message 1; and 9 more"."""
    parts = [one.says for one in spots(made, check, most)]
    rest = len(check.lines) - len(parts)
    return "; ".join([*parts, *([f"and {count(rest)} more"] if parts and rest > 0 else [])])


def platform_words(made: Report, check: Check) -> str:
    """What the platform says to this check's first place; "" where its words are not known."""
    if check.name == "examples":
        return TOO_FEW.format(n=made.examples) if made.examples < MIN_EXAMPLES else ""
    return next((one.platform for one in spots(made, check, 1)), "")


def messages_of(name: str, row: Any, kind: str | None) -> list[int]:
    """The messages of a row in which a type of finding stands, from 0; none where the example as a whole is meant."""
    line = as_chat(row, kind)
    messages = line.get("messages") if isinstance(line, dict) else None
    if not isinstance(messages, list) or not messages:
        return []
    if name in _WORDS:
        talk = talk_of(row, kind) if kind == "preference" else None
        said = [*messages, *([talk.rejected] if talk and talk.rejected else [])]
        return [place for place, one in enumerate(said) if isinstance(one, dict) and name in held_in(words_in(one))]
    if name in _ANSWERS:
        pair = pair_of(0, line, row)
        return [len(messages) - 1] if pair and kind != "reinforcement" else []
    if name == "answer_in_prompt":
        asked = [place for place, one in enumerate(messages[:-1]) if isinstance(one, dict) and one.get("role") == "user"]
        return asked[-1:]
    return sorted({place for kept, place in row_problems(row, kind) if kept == name and place is not None})


def _platform(name: str, row: Any, line: int, number: int, messages: Sequence[int]) -> str:
    if name == "message_missing_key" and messages:
        one = row["messages"][messages[0] - 1] if isinstance(row, dict) and isinstance(row.get("messages"), list) else None
        return NO_ROLE.format(n=number, m=messages[0]) if isinstance(one, dict) and "role" not in one else ""
    if name == "special_token":
        return TOKEN.format(n=number, token=special_in(_all_words(row)))
    if name == "data_type":
        return NO_DICTIONARY.format(line=line, start=short(str(row), 40))
    if name == "example_unrecognized_key" and isinstance(row, dict):
        known = PREFERENCE_KEYS if "preferred_output" in row else EXAMPLE_KEYS
        extra = next((str(key) for key in row if key not in known), "")
        return EXTRA.format(n=number, key=short(extra, 40)) if extra else ""
    return ""


def _all_words(value: Any) -> str:
    """Every text of a row, one after the other."""
    if isinstance(value, str):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return "\n".join(map(_all_words, inner))
