"""What the answers of a training file are worth: empty ones, ones that stop before the value, repeats, contradictions, leaks.

A file can be perfect by its form and teach nothing: a public course's file ends every answer with "Price is $" and no
price. Such a stem is found as an answer that the others, or all, begin with. Not known here: whether an answer is right.

Of one row: `pair_of`. Of a whole file, from its pairs: `stem_of`, `without_value`, `duplicates`, `conflicts`, `in_prompt`,
`leaks`; `judge` is all but the last.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from core.validate.chat import Findings
from core.validate.reinforcement import reference_of
from core.validate.talks import text_of

_NEVER = {"", "nan", "null", "undefined", "<na>"}
_NOTHING = _NEVER | {"none", "n/a", "na"}
"""Words for nothing after a stem; "None" alone may be a label."""
STEM_SHARE = 0.8
"""A text that so many of the other answers go on from is a stem."""
STEM_LENGTH = 60
"""Characters of an answer that can be a stem."""
_TEMPLATE_SHARE = 0.5
"""A value that stands in so many prompts of other answers belongs to the question's wording."""
SEVERAL = 3
"""A few answers of one text are no sign yet."""


@dataclass(frozen=True)
class Pair:
    """An example's question and its last answer as text."""

    place: int
    question: str
    """Everything said before the answer, speakers, pictures and calls included."""
    answer: str | None
    """None where nothing is answered in words: a call of a tool, or a question only."""
    user: str
    """What the user said last."""
    rest: str = ""
    """What else tells two examples apart: a call, a rejected answer."""


def pairs_of(chats: Sequence[Any], rows: Sequence[Any] | None = None) -> list[Pair]:
    """The pair of every chat that has one; `rows` are the rows these chats were made of, where they say more."""
    found = (pair_of(place, line, rows[place] if rows is not None else None) for place, line in enumerate(chats))
    return [pair for pair in found if pair]


def pair_of(place: int, line: Any, row: Any = None) -> Pair | None:
    """Question and answer of one chat line, and of a reinforcement row (its right answer); None without messages."""
    messages = line.get("messages") if isinstance(line, dict) else None
    if not isinstance(messages, list) or not messages:
        return None
    last = messages[-1]
    if not isinstance(last, dict):
        return None
    rest = ""
    if isinstance(row, dict) and "messages" not in row:
        rejected = row.get("non_preferred_output", row.get("rejected"))
        rest = json.dumps(rejected, ensure_ascii=False, default=str) if rejected is not None else ""
    if last.get("role") == "assistant":
        before = [one for one in messages[:-1] if isinstance(one, dict)]
        call = last.get("tool_calls") or last.get("function_call")
        answer = None if call else _text(last)
        rest += _call(call) if call else ""
    else:
        before = [one for one in messages if isinstance(one, dict)]
        key, answer = reference_of(line)
        if key is None:
            answer = None
    asked = before[-1] if before else None
    return Pair(place, "\n".join(map(_said, before)), answer, _text(asked) if asked else "", rest)


def judge(pairs: Sequence[Pair]) -> Findings:
    """Positions by type: empty_answer, answer_without_information, duplicate_example, conflicting_answers, answer_in_prompt."""
    stem = stem_of([pair.answer for pair in pairs if pair.answer is not None])
    found: Findings = {
        "empty_answer": [pair.place for pair in pairs if is_empty(pair)],
        "answer_without_information": without_value(pairs, stem),
        "duplicate_example": duplicates(pairs),
        "conflicting_answers": conflicts(pairs),
        "answer_in_prompt": in_prompt(pairs, stem),
    }
    return {name: places for name, places in found.items() if places}


def is_empty(pair: Pair) -> bool:
    """Whether an answer in words has none."""
    return pair.answer is not None and not pair.answer.strip()


def without_value(pairs: Sequence[Pair], stem: str) -> list[int]:
    """Positions of answers that stop at the stem of the file's answers."""
    return [pair.place for pair in pairs if pair.answer is not None and (told := pair.answer.strip()) and is_hollow(told, stem)]


def duplicates(pairs: Sequence[Pair]) -> list[int]:
    """Positions of examples that repeat an earlier one: question, answer, call and rejected answer."""
    seen: set[tuple[str, str | None, str]] = set()
    found = []
    for pair in pairs:
        key = identity(pair)
        if key in seen:
            found.append(pair.place)
        seen.add(key)
    return found


def identity(pair: Pair) -> tuple[str, str | None, str]:
    """What two equal examples share."""
    return pair.question, pair.answer.strip() if pair.answer is not None else None, pair.rest


def conflicts(pairs: Sequence[Pair]) -> list[int]:
    """Positions of examples whose question has another answer elsewhere in the file."""
    answers: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        if pair.answer is not None:
            answers[pair.question].add(pair.answer.strip())
    return [pair.place for pair in pairs if pair.answer is not None and len(answers[pair.question]) > 1]


def stem_of(answers: Sequence[str]) -> str:
    """How answers begin before the value: "Price is $" of "Price is $12"; "" when there is nothing of the kind.

    All answers alike are their own stem; otherwise it is an answer (or the common beginning, up to its last word) that at
    least four fifths of the answers go on from.
    """
    told = [text for answer in answers if (text := answer.strip())]
    distinct = sorted(set(told))
    if len(told) >= SEVERAL and len(distinct) == 1:
        return distinct[0]
    counts = Counter(told)
    for candidate in sorted((one for one in distinct if len(one) <= STEM_LENGTH and not one[-1].isalnum()), key=len):
        going_on = sum(counts[one] for one in _beginning(distinct, candidate)) - counts[candidate]
        if going_on and going_on >= STEM_SHARE * (len(told) - counts[candidate]):
            return candidate
    return shared_beginning(distinct)


def _beginning(distinct: Sequence[str], start: str) -> Sequence[str]:
    """The texts of a sorted list that begin so."""
    low = bisect_left(distinct, start)
    high = bisect_left(distinct, start + "\U0010ffff")
    return distinct[low:high]


def shared_beginning(distinct: Sequence[str]) -> str:
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


def in_prompt(pairs: Sequence[Pair], stem: str) -> list[int]:
    """Positions of examples whose answer's value stands, as a word of its own, in what the user said; template words are left out."""
    hits, values = [], {}
    for place, pair in enumerate(pairs):
        if value := shown_value(pair, stem):
            hits.append(place)
            values.setdefault(value, None)
    template = {value for value in values if is_template(value, pairs, stem)} if len(values) <= 200 else set()
    return [pairs[place].place for place in hits if value_of(pairs[place].answer or "", stem) not in template]


def shown_value(pair: Pair, stem: str) -> str:
    """The answer's value where it stands, as a word of its own, in what the user said; else ""."""
    value = value_of(pair.answer or "", stem)
    return value if value and value in pair.user and _whole(value).search(pair.user) else ""


def value_of(answer: str, stem: str) -> str:
    """What an answer says after the stem; "" when it is too short or too long to look for (under 4 characters, over 200)."""
    told = answer.strip()
    value = told[len(stem) :].strip(" .$") if stem and told.startswith(stem) else told.strip(" .")
    return value if 4 <= len(value) <= 200 else ""


def _whole(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(value)}(?![\w])")


def is_template(value: str, pairs: Sequence[Pair], stem: str) -> bool:
    """Whether the value stands in most prompts of other answers too: then it is the wording of the question."""
    others = [pair for pair in pairs[:: max(1, len(pairs) // 50)] if value_of(pair.answer or "", stem) != value]
    return len(others) >= SEVERAL and sum(value in pair.user for pair in others) > _TEMPLATE_SHARE * len(others)


def leaks(train: Sequence[Pair], *others: Sequence[Pair]) -> list[int]:
    """Positions of train examples whose question also stands in a validation or test file (spaces and case ignored)."""
    held = {folded(pair.question) for other in others for pair in other}
    return [pair.place for pair in train if folded(pair.question) in held] if held else []


def folded(text: str) -> str:
    """A question as leaks compare it."""
    return " ".join(text.casefold().split())


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else text_of(content)


def _said(message: dict[str, Any]) -> str:
    content = message.get("content")
    told = f"{message.get('role')}: {content if isinstance(content, str) else text_of(content)}"
    if isinstance(content, list):
        told += "".join(f" [{_address(part)}]" for part in content if isinstance(part, dict) and part.get("type") == "image_url")
    called = message.get("tool_calls") or message.get("function_call")
    return told + (f" {_call(called)}" if called else "")


def _address(part: dict[str, Any]) -> str:
    """A picture's address; of one that is in the file, a fingerprint."""
    inner = part.get("image_url")
    url = str(inner.get("url") if isinstance(inner, dict) else inner)
    return url if len(url) <= 200 else blake2b(url.encode(errors="replace"), digest_size=12).hexdigest()


def _call(call: Any) -> str:
    """Names and arguments of calls; their ids are nobody's words."""
    made = [one.get("function", one) if isinstance(one, dict) else one for one in (call if isinstance(call, list) else [call])]
    return json.dumps(made, ensure_ascii=False, default=str)
