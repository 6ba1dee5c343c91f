"""How text becomes a number, a label or an answer.

Two readers of numbers: `read_amount` for *cells* of a table (the whole cell must be one amount) and `read_number` for
*replies* of a model (one unambiguous number somewhere in a sentence). What cannot be read is None with a reason, never 0.
Numbers in words ("twenty") are not read, except as labels; 1.234,56 is read only where it can mean nothing else.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MONEY = r"(?:US\$|A\$|C\$|\$|€|£|¥|₩|USD|EUR|GBP|KRW|원|달러|유로|dollars?|euros?|won|bucks?)"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)(?:\.\d+)?|\.\d+"
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9, "trillion": 1e12}
_SCALE = r"\s?(?:thousand|million|billion|trillion|bn)\b|[km](?!\w)"
_DASH = "-−–"
_AMOUNT = (
    rf"(?P<sign>(?<![\w.)])[{_DASH}])?(?P<money>{_MONEY})?\s*(?P<sign2>[{_DASH}](?=[\d.]))?(?<![A-Za-z\d.])"
    rf"(?P<digits>{_DIGITS})(?P<exp>e[-+]?\d+)?(?P<scale>{_SCALE})?(?:\s*(?P<money2>{_MONEY})(?![A-Za-z]))?"
)
_REPLY = re.compile(_AMOUNT, re.I)
_CELL = re.compile(rf"\+?{_AMOUNT}", re.I)
_RANGE = re.compile(rf"(?<![\w.,])(?:{_MONEY})?\s*(?:{_DIGITS})(?:{_SCALE})?\s*(?:{_MONEY})?\s*(?:[{_DASH}—~]|\bto\b|에서)\s*"
                    rf"(?:{_MONEY})?\s*(?:{_DIGITS})(?:\s*{_MONEY})?", re.I)  # fmt: skip
_EUROPEAN = re.compile(
    rf"(?P<sign>[{_DASH}])?(?P<money>{_MONEY})?\s*(?P<whole>\d{{1,3}}(?:\.\d{{3}})+|\d+),(?P<part>\d{{1,2}})"
    rf"(?!\d|[.,]\d)\s*(?P<money2>{_MONEY})?",
    re.I,
)
_KOREAN = re.compile(rf"(?:(?:{_DIGITS})\s?[조억만천백십]+\s?)+(?:{_DIGITS})?\s*(?:원|달러)?")
_ENDLESS = re.compile(r"\d{60}")
LONGEST = 100
"""Characters of a cell that can be one amount."""
_KOREAN_SMALL = {"천": 1e3, "백": 1e2, "십": 1e1}
_KOREAN_LARGE = {"조": 1e12, "억": 1e8, "만": 1e4}
_FIELDS = ("price", "answer", "value", "prediction", "estimate", "number", "result", "amount", "가격", "답")
_WORDS = dict(zip(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], range(11), strict=True))
_NOT = r"(?:\bnot|n['’]?t|\bnever|\bneither|\bnor|\bno)\s+(?:a\s+|an\s+|very\s+|really\s+)?"


@dataclass(frozen=True)
class Reading:
    """What a reply was read as: the value, or None with the reason."""

    value: float | str | None
    reason: str = ""


def read_amount(cell: object) -> float | None:
    """The number a whole cell stands for: 12.5, "$12.50", "1,299", "１２"; None for "from 12.99", "None", "" or inf."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, (int, float)):
        return float(cell) if math.isfinite(cell) else None
    text = unicodedata.normalize("NFKC", str(cell)[:200]).strip()
    if len(text) > LONGEST:
        return None
    found = _CELL.fullmatch(text)
    if found:
        return _value(found)
    if found := _EUROPEAN.fullmatch(text):
        return _european(found) if len(found["part"]) == 2 else None
    return _korean(text) if _KOREAN.fullmatch(text) else None


def read_number(reply: str) -> Reading:
    """The one number a reply means.

    A JSON field or a currency amount wins over bare numbers ("3 items at $49.99" is 49.99); a range ("$10-20"), two
    different amounts, or no number at all is unread, with the reason.
    """
    text = unicodedata.normalize("NFKC", without_thoughts(reply))
    if not text.strip():
        return Reading(None, "the reply is empty")
    if _ENDLESS.search(text):
        return Reading(None, "the number is too large")
    if (field := _field(text)) is not None:
        return field
    found = _numbers(text)
    ranges = [match[0] for match in _RANGE.finditer(text)]
    if any(re.search(_MONEY, one, re.I) for one in ranges) or (ranges and not any(money for _, money in found)):
        return Reading(None, "a range is not one number")
    if not found:
        return Reading(None, "there is no number in it")
    values = {value for value, money in found if money} or {value for value, _ in found}
    if len(values) > 1:
        return Reading(None, f"{len(values)} different numbers")
    value = values.pop()
    return Reading(value) if value is not None else Reading(None, "the number is too large")


def read_first_number(reply: str) -> Reading:
    """The pricing course's reader: currency signs and commas dropped, then the first number, whatever follows."""
    found = re.search(r"[-+]?\d*\.\d+|\d+", reply.replace("$", "").replace(",", ""))
    return Reading(float(found.group())) if found else Reading(None, "there is no number in it")


def read_label(reply: str, labels: Sequence[str]) -> Reading:
    """The one label a reply names, ignoring case, punctuation and what surrounds it.

    Two labels, or one that is denied ("not good"), are unread. Numeric labels are read as numbers: "4 out of 5", "4.0" and
    "four stars" are 4, "3.5" and "3-4" are none of 1 to 5.
    """
    reply = without_thoughts(reply)
    text = _plain(reply)
    if not text:
        return Reading(None, "the reply is empty")
    plain = {_plain(label): label for label in labels}
    if text in plain:
        return Reading(plain[text])
    numbers = {read_amount(label): label for label in labels}
    if numbers and None not in numbers:
        return _numeric_label(reply, {value: label for value, label in numbers.items() if value is not None})
    hits = {label for key, label in plain.items() if key and _names(reply, text, key, label)}
    if len(hits) > 1:  # "very good" contains "good": the longer label wins when it covers the shorter
        hits = {one for one in hits if not any(one != other and _plain(one) in _plain(other) for other in hits)}
    if len(hits) == 1:
        return Reading(hits.pop())
    return Reading(None, "none of the labels" if not hits else f"{len(hits)} different labels")


def read_answer(reply: str) -> Reading:
    """A short answer: the first line that says something, stripped of quotes and a leading "Answer:"."""
    for line in unicodedata.normalize("NFC", without_thoughts(reply)).splitlines():
        line = re.sub(r"^\s*(?:answer|답|정답)\s*[:：]\s*", "", line, flags=re.I).strip().strip("\"'“”‘’").strip()
        if line:
            return Reading(line)
    return Reading(None, "the reply is empty")


def read_reply(kind: str, reply: str, labels: Sequence[str] = ()) -> Reading:
    """The reply of a model as a target of that task."""
    if kind == "regression":
        return read_number(reply)
    if kind == "classification":
        return read_label(reply, labels)
    return read_answer(reply)


def without_thoughts(reply: str) -> str:
    """The reply without what a reasoning model thought aloud; a thought that never ends leaves nothing."""
    return re.sub(r"<think>.*?(?:</think>|\Z)", "", reply, flags=re.S | re.I)


def _numbers(text: str) -> list[tuple[float | None, bool]]:
    """Every number of a text and whether it is money: Korean units and decimal commas first, then all others."""
    found: list[tuple[float | None, bool]] = []

    def korean(match: re.Match[str]) -> str:
        found.append((_korean(match[0]), "원" in match[0] or "달러" in match[0]))
        return " "

    def european(match: re.Match[str]) -> str:
        if not (match["money"] or match["money2"]) or len(match["part"]) != 2:
            return match[0]
        found.append((_european(match), True))
        return " "

    rest = _EUROPEAN.sub(european, _KOREAN.sub(korean, text))
    return found + [(_value(match), bool(match["money"] or match["money2"])) for match in _REPLY.finditer(rest)]


def _value(match: re.Match[str]) -> float | None:
    scale = (match["scale"] or "").strip()
    factor = _SCALES.get(scale.casefold(), 1.0)
    if scale == "m" and not (match["money"] or match["money2"]):
        factor = 1.0  # "5m" without a currency is a length
    value = float(match["digits"].replace(",", "") + (match["exp"] or "")) * factor
    negative = bool(match["sign"]) ^ bool(match["sign2"])
    return (-value if negative else value) if math.isfinite(value) else None


def _european(match: re.Match[str]) -> float:
    value = float(match["whole"].replace(".", "") + "." + match["part"])
    return -value if match["sign"] else value


def _korean(text: str) -> float:
    """1만 5천원 is 15,000; 1억 2천만 is 120,000,000."""
    total = section = number = 0.0
    for piece in re.findall(rf"{_DIGITS}|[조억만천백십]", text):
        if piece in _KOREAN_SMALL:
            section, number = section + (number or 1.0) * _KOREAN_SMALL[piece], 0.0
        elif piece in _KOREAN_LARGE:
            total, section, number = total + ((section + number) or 1.0) * _KOREAN_LARGE[piece], 0.0, 0.0
        else:
            number = float(piece.replace(",", ""))
    return total + section + number


def _field(text: str) -> Reading | None:
    """The number of a JSON object in the reply; None when there is no such object."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        data: Any = json.loads(text[start : end + 1])
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    found = {str(key).casefold(): value for key, cell in data.items() if (value := read_amount(cell)) is not None}
    named = [found[key] for key in _FIELDS if key in found]
    if named or len(found) == 1:
        return Reading(named[0] if named else next(iter(found.values())))
    return Reading(None, f"{len(found)} different numbers" if found else "there is no number in it")


def _numeric_label(reply: str, labels: dict[float, str]) -> Reading:
    text = unicodedata.normalize("NFKC", reply)
    text = re.sub(r"(?<=\d)\s*(?:/|out of|of)\s*\d+(?:\.0+)?(?![\d.]*\d)", "", text, flags=re.I)
    if _ENDLESS.search(text) or _RANGE.search(text):
        return Reading(None, "a range or an endless number is not one label")
    values = {value for value, _ in _numbers(text)}
    values = values or {float(_WORDS[word]) for word in re.findall(r"[a-z]+", text.casefold()) if word in _WORDS}
    if len(values) == 1 and (value := values.pop()) is not None and value in labels:
        return Reading(labels[value])
    return Reading(None, f"{len(values)} different labels" if len(values) > 1 else "none of the labels")


def _names(reply: str, text: str, key: str, label: str) -> bool:
    """Whether the text names the label and does not deny it."""
    if len(label) == 1 and label.isalpha():  # "A good one" does not choose A
        return bool(re.search(rf"(?:^|[\s(*\"']){re.escape(label)}(?=\s*$|[.):*\"'\n])", reply.strip()))
    after = "" if re.search(r"[가-힣]$", key) else r"(?!\w)"  # Korean particles follow the word
    denied = rf"{_NOT}{re.escape(key)}{after}|{re.escape(key)}\w*\s*(?:이|가|은|는)?\s*아[니닙]"
    return bool(re.search(rf"(?<!\w){re.escape(key)}{after}", re.sub(denied, " ", text)))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s.'’+-]|(?<!\w)['’]|['’](?!\w)", " ", unicodedata.normalize("NFKC", text).casefold()).split()).strip(" .")
