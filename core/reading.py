"""How text becomes a number, a label or an answer.

Two readers of numbers: `read_amount` for *cells* of a table (the whole cell must be one amount) and `read_number` for
*replies* of a model (one unambiguous number somewhere in a sentence). What cannot be read is None with a reason, never 0.
Not known here: locales that write 1.234,56 are read only when the text can mean nothing else.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_MONEY = r"(?:US\$|\$|€|£|¥|₩|USD|EUR|GBP|KRW|원|달러)"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "천": 1e3, "만": 1e4}
_CELL = re.compile(rf"([-+−]?)\s*{_MONEY}?\s*([-+−]?)\s*({_DIGITS})(e[-+]?\d+)?\s*([kKmM천만]?)\s*{_MONEY}?", re.I)
_REPLY = re.compile(rf"(?P<sign>(?<![\w.])[-−])?\s*(?P<money>{_MONEY})?\s*(?P<sign2>[-−])?(?P<digits>{_DIGITS})(?P<exp>e[-+]?\d+)?"
                    rf"(?P<scale>\s?(?:[kKmM](?![\w])|[천만]))?\s*(?P<money2>{_MONEY})?", re.I)  # fmt: skip


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
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    found = _CELL.fullmatch(text)
    if not found:
        return _european(text)
    return _value(found.group(3), found.group(4), found.group(5), bool(found.group(1) in ("-", "−")) ^ (found.group(2) in ("-", "−")))


def read_number(reply: str) -> Reading:
    """The one number a reply means.

    A JSON field or a currency amount wins over bare numbers ("3 items at $49.99" is 49.99); a range ("$10-20"), two
    different amounts, or no number at all is unread, with the reason.
    """
    text = unicodedata.normalize("NFKC", reply)
    if not text.strip():
        return Reading(None, "the reply is empty")
    if re.search(rf"{_MONEY}?\s*(?:{_DIGITS})\s*(?:-|–|—|~|\bto\b)\s*{_MONEY}?\s*(?:{_DIGITS})(?!\w)", text, re.I):
        return Reading(None, "a range is not one number")
    found = list(_REPLY.finditer(text))
    if not found:
        return Reading(None, "there is no number in it")
    money = [match for match in found if match["money"] or match["money2"]]
    values = {_reply_value(match) for match in (money or found)}
    if len(values) > 1:
        return Reading(None, f"{len(values)} different numbers")
    value = values.pop()
    return Reading(value) if value is not None else Reading(None, "the number is too large")


def read_label(reply: str, labels: Sequence[str]) -> Reading:
    """The one label a reply names, ignoring case, punctuation and what surrounds it; two labels are unread."""
    text = _plain(reply)
    if not text:
        return Reading(None, "the reply is empty")
    plain = {_plain(label): label for label in labels}
    if text in plain:
        return Reading(plain[text])
    hits = {label for key, label in plain.items() if key and re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text)}
    if len(hits) > 1:  # "very good" contains "good": the longer label wins when it covers the shorter
        hits = {one for one in hits if not any(one != other and _plain(one) in _plain(other) for other in hits)}
    if len(hits) == 1:
        return Reading(hits.pop())
    return Reading(None, "none of the labels" if not hits else f"{len(hits)} different labels")


def read_answer(reply: str) -> Reading:
    """A short answer: the first line that says something, stripped of quotes and a leading "Answer:"."""
    for line in unicodedata.normalize("NFC", reply).splitlines():
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


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s.]", " ", unicodedata.normalize("NFKC", text).casefold()).split()).strip(" .")


def _value(digits: str, exponent: str | None, scale: str | None, negative: bool) -> float | None:
    value = float(digits.replace(",", "") + (exponent or "")) * _SCALE[(scale or "").strip().casefold()]
    return (-value if negative else value) if math.isfinite(value) else None


def _reply_value(match: re.Match[str]) -> float | None:
    return _value(match["digits"], match["exp"], match["scale"], bool(match["sign"]) ^ bool(match["sign2"]))


def _european(text: str) -> float | None:
    """1.234,56 and 12,50 with a currency sign: read only when no other reading is possible."""
    found = re.fullmatch(rf"{_MONEY}?\s*(\d{{1,3}}(?:\.\d{{3}})+|\d+),(\d{{2}})\s*{_MONEY}?", text)
    return float(found.group(1).replace(".", "") + "." + found.group(2)) if found else None
