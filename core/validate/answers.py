"""What the answers of a training file are worth: empty ones, ones that stop before the value, repeats, contradictions, leaks.

A file can be perfect by its form and teach nothing: a public course's file ends every answer with "Price is $" and no
price. Such a stem is found as an answer that the others, or all, begin with. Not known here: whether an answer is right.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.validate.chat import Findings
from core.validate.talks import text_of

_NEVER = {"", "nan", "null", "undefined", "<na>"}
_NOTHING = _NEVER | {"none", "n/a", "na"}
"""Words for nothing after a stem; "None" alone may be a label."""
_STEM_SHARE = 0.8
"""A text that so many of the other answers go on from is a stem."""
_TEMPLATE_SHARE = 0.5
"""A value that stands in so many prompts of other answers belongs to the question's wording."""
_SEVERAL = 3
"""A few answers of one text are no sign yet."""


@dataclass(frozen=True)
class Pair:
    """An example's question and its last answer as text."""

    place: int
    question: str
    answer: str
    user: str
    """What the user said last."""


def pairs_of(chats: Sequence[Any]) -> list[Pair]:
    """Every chat that ends with the assistant's words (calls of tools have none)."""
    found = []
    for place, row in enumerate(chats):
        messages = row.get("messages") if isinstance(row, dict) else None
        if not isinstance(messages, list) or not messages:
            continue
        last = messages[-1]
        if not isinstance(last, dict) or last.get("role") != "assistant" or last.get("tool_calls") or last.get("function_call"):
            continue
        before = [_said(one) for one in messages[:-1] if isinstance(one, dict)]
        found.append(Pair(place, "\n".join(before), _text(last), _text(messages[-2]) if before and isinstance(messages[-2], dict) else ""))
    return found


def judge(pairs: Sequence[Pair]) -> Findings:
    """Positions by type: empty_answer, answer_without_information, duplicate_example, conflicting_answers, answer_in_prompt."""
    stem = stem_of([pair.answer for pair in pairs])
    seen: dict[tuple[str, str], int] = {}
    answers: dict[str, set[str]] = defaultdict(set)
    found: Findings = defaultdict(list)
    for pair in pairs:
        told = pair.answer.strip()
        if not told:
            found["empty_answer"].append(pair.place)
        elif is_hollow(told, stem):
            found["answer_without_information"].append(pair.place)
        key = (pair.question, told)
        if key in seen:
            found["duplicate_example"].append(pair.place)
        seen.setdefault(key, pair.place)
        answers[pair.question].add(told)
    found["conflicting_answers"] = [pair.place for pair in pairs if len(answers[pair.question]) > 1]
    found["answer_in_prompt"] = _in_prompt(pairs, stem)
    return {name: places for name, places in found.items() if places}


def stem_of(answers: Sequence[str]) -> str:
    """How answers begin before the value: "Price is $" of "Price is $12"; "" when there is nothing of the kind.

    All answers alike are their own stem; otherwise it is an answer (or the common beginning, up to its last word) that at
    least four fifths of the answers go on from.
    """
    told = [text for answer in answers if (text := answer.strip())]
    distinct = sorted(set(told))
    if len(told) >= _SEVERAL and len(distinct) == 1:
        return distinct[0]
    counts = Counter(told)
    for candidate in sorted((one for one in distinct if len(one) <= 60 and not one[-1].isalnum()), key=len):
        going_on = sum(counts[one] for one in _beginning(distinct, candidate)) - counts[candidate]
        if going_on and going_on >= _STEM_SHARE * (len(told) - counts[candidate]):
            return candidate
    return _common(distinct)


def _beginning(distinct: Sequence[str], start: str) -> Sequence[str]:
    """The texts of a sorted list that begin so."""
    low = bisect_left(distinct, start)
    high = bisect_left(distinct, start + "\U0010ffff")
    return distinct[low:high]


def _common(distinct: Sequence[str]) -> str:
    """The beginning all texts of a sorted list share, up to the last character that is no letter or digit."""
    if len(distinct) < 2:
        return ""
    first, last = distinct[0], distinct[-1]
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return re.sub(r"\w+$", "", first[:length]).strip()


def is_hollow(answer: str, stem: str) -> bool:
    """Whether nothing, or a word for nothing, follows the stem."""
    if stem and answer.startswith(stem):
        return answer[len(stem) :].strip(" .$:").casefold() in _NOTHING
    return answer.strip(" .$:").casefold() in _NEVER


def _in_prompt(pairs: Sequence[Pair], stem: str) -> list[int]:
    """Examples whose answer's value stands, as a word of its own, in what the user said; template words are left out."""
    hits, values = [], {}
    for place, pair in enumerate(pairs):
        value = value_of(pair.answer, stem)
        if value and value in pair.user and _whole(value).search(pair.user):
            hits.append(place)
            values.setdefault(value, None)
    template = {value for value in values if _is_template(value, pairs, stem)} if len(values) <= 200 else set()
    return [pairs[place].place for place in hits if value_of(pairs[place].answer, stem) not in template]


def value_of(answer: str, stem: str) -> str:
    """What an answer says after the stem; "" when it is too short or too long to look for (under 4 characters, over 200)."""
    told = answer.strip()
    value = told[len(stem) :].strip(" .$") if stem and told.startswith(stem) else told.strip(" .")
    return value if 4 <= len(value) <= 200 else ""


def _whole(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(value)}(?![\w])")


def _is_template(value: str, pairs: Sequence[Pair], stem: str) -> bool:
    """Whether the value stands in most prompts of other answers too: then it is the wording of the question."""
    others = [pair for pair in pairs[:: max(1, len(pairs) // 50)] if value_of(pair.answer, stem) != value]
    return len(others) >= _SEVERAL and sum(value in pair.user for pair in others) > _TEMPLATE_SHARE * len(others)


def leaks(train: Sequence[Pair], *others: Sequence[Pair]) -> list[int]:
    """Positions of train examples whose question also stands in a validation or test file (spaces and case ignored)."""
    held = {_folded(pair.question) for other in others for pair in other}
    return [pair.place for pair in train if _folded(pair.question) in held] if held else []


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else text_of(content)


def _said(message: dict[str, Any]) -> str:
    return f"{message.get('role')}: {_text(message)}"
