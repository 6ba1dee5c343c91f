"""What the words of a training file should not hold: control tokens, damaged characters, keys and addresses.

A platform refuses files with control tokens ("message contains an invalid token: <|fim_suffix|>"). Damage is text that was
decoded with the wrong encoding or lost characters. What counts as personal is `core.curate.identifiers`; names and postal
addresses cannot be told by their shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.curate.identifiers import MAY_HOLD, found_in
from core.validate.chat import Findings
from core.validate.talks import text_of

SPECIAL = re.compile(r"<\|[A-Za-z0-9_.\- ]{1,40}\|>")
NUMBERS = ("accounts", "cards", "resident numbers", "phones")
"""Kinds of personal numbers that are looked for (see `core.curate.identifiers`)."""
_PRIVATE = ("secrets", "emails", *NUMBERS)
_MASKS = {"secrets": "[key]", "emails": "[e-mail]", "accounts": "[account]", "cards": "[card]", "resident numbers": "[resident number]",
          "phones": "[phone]"}  # fmt: skip
MOJIBAKE = re.compile(
    "\ufffd|Ã[\x80-\xbf\u0152-\u2122]|â(?:€|\x80)[\x80-\xbf\u0152-\u2122]|Â[\xa0-\xbf]|ï»¿|ì[\x80-\xbf\u0152-\u2122]{2}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_MAY_HOLD = "|".join([r"<\|", "[\ufffdÃâÂïì\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", *(MAY_HOLD[kind] for kind in ("secrets", "emails")),
                      *(MAY_HOLD[kind] for kind in NUMBERS)])  # fmt: skip
"""RE2 without a match of which a text holds nothing that is looked for: one quick look over all texts."""


def scan(texts: Sequence[str]) -> Findings:
    """Positions of texts that hold a special_token, encoding_damage, a secret, an email or a personal_number, by type."""
    import pyarrow.compute as pc

    found: Findings = {"special_token": [], "encoding_damage": [], "secret": [], "email": [], "personal_number": []}
    hits = pc.match_substring_regex(_arrow(texts), _MAY_HOLD).to_pylist() if len(texts) else []  # type: ignore[attr-defined]
    for place in (place for place, hit in enumerate(hits) if hit):
        for name in held_in(texts[place]):
            found[name].append(place)
    return {name: places for name, places in found.items() if places}


def _arrow(texts: Sequence[str]) -> Any:
    """The texts as Arrow holds them, put together from their bytes: from a list, Arrow would load pandas first."""
    import pyarrow as pa

    data = [text.encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([0, *map(len, data)], dtype=np.int64)
    return pa.LargeStringArray.from_buffers(len(data), pa.py_buffer(ends), pa.py_buffer(b"".join(data)))


def held_in(text: str) -> list[str]:
    """What one text holds that it should not: types of findings."""
    private = {kind for _, _, kind in found_in(text, _PRIVATE)}
    tests = {
        "special_token": "<|" in text and SPECIAL.search(text) is not None,
        "encoding_damage": MOJIBAKE.search(text) is not None,
        "secret": "secrets" in private,
        "email": "emails" in private,
        "personal_number": not private.isdisjoint(NUMBERS),
    }
    return [name for name, yes in tests.items() if yes]


def special_in(text: str) -> str:
    """The first control token of a text; "" without one."""
    found = SPECIAL.search(text)
    return found.group() if found else ""


def words_of(row: Any, more: Any = None) -> str:
    """Everything a chat row says, its messages joined by a line break; `more` is another message of it (a rejected answer)."""
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list):
        return ""
    return "\n".join(words_in(one) for one in (*messages, more) if isinstance(one, dict))


def words_in(message: dict[str, Any]) -> str:
    """Everything one message says: content, refusal, name, and the arguments of its calls."""
    content = message.get("content", message.get("value"))
    told = content if isinstance(content, str) else text_of(content)
    if len(message) <= 2:
        return told
    more = [value for key in ("refusal", "name") if isinstance(value := message.get(key), str)]
    calls = message.get("tool_calls")
    functions = [one.get("function") for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    for function in (*functions, message.get("function_call")):
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            more.append(function["arguments"])
    return "\n".join([told, *more]) if more else told


def without_special(text: str) -> str:
    """Control tokens opened up, so that they are plain words: "<|end|>" becomes "< | end | >"."""
    return SPECIAL.sub(lambda found: f"< | {found.group()[2:-2].strip()} | >", text)


def without_private(text: str) -> str:
    """Keys, e-mail addresses and personal numbers replaced by what they were."""
    parts, at = [], 0
    for start, end, kind in found_in(text, _PRIVATE):
        parts += [text[at:start], _MASKS[kind]]
        at = end
    return "".join([*parts, text[at:]])


def mended(text: str) -> str:
    """UTF-8 that was read as Windows-1252 or Latin-1, read again; control characters taken out. Lost characters stay lost."""
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text.removeprefix("ï»¿"))
    if not MOJIBAKE.search(text):
        return text
    for encoding in ("windows-1252", "latin-1"):
        try:
            again = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return again
    return _RUN.sub(lambda found: _again(found.group()), text)


_RUN = re.compile("[\x80-\xff\u0152-\u2122]+")


def _again(run: str) -> str:
    """One stretch of damaged letters read again, or left as it is."""
    for encoding in ("windows-1252", "latin-1"):
        try:
            return run.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return run


_NO_WORDS = frozenset({"role", "from", "type", "id", "tool_call_id", "url", "detail", "weight", "tools", "functions"})
"""Keys whose values are no words of a text."""


def changed(row: Any, change: Callable[[str], str]) -> Any:
    """A row of any format with `change` applied to every text in it; new objects, the old row stays."""
    if isinstance(row, str):
        return change(row)
    if isinstance(row, list):
        return [changed(one, change) for one in row]
    if isinstance(row, dict):
        return {key: value if key in _NO_WORDS else changed(value, change) for key, value in row.items()}
    return row
