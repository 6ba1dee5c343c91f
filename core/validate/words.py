"""What the words of a training file should not hold: control tokens, damaged characters, keys and addresses.

A platform refuses files with control tokens ("message contains an invalid token: <|fim_suffix|>"). Damage is text that was
decoded with the wrong encoding or lost characters. Not known here: names, phone numbers, and secrets of unusual shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from core.validate.chat import Findings
from core.validate.talks import text_of

SPECIAL = re.compile(r"<\|[A-Za-z0-9_.\- ]{1,40}\|>")
EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}(?![A-Za-z0-9])")
SECRET = re.compile(
    r"sk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,200}|hf_[A-Za-z0-9]{30,60}|gh[pousr]_[A-Za-z0-9]{36,80}|github_pat_\w{60,100}"
    r"|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|xox[abprs]-[A-Za-z0-9-]{10,80}|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
)
_SECRET_STARTS = ("sk-", "hf_", "gh", "AKIA", "AIza", "xox", "-----BEGIN")
MOJIBAKE = re.compile(
    "\ufffd|Ã[\x80-\xbf\u0152-\u2122]|â(?:€|\x80)[\x80-\xbf\u0152-\u2122]|Â[\xa0-\xbf]|ï»¿|ì[\x80-\xbf\u0152-\u2122]{2}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_HINTS = frozenset("\ufffdÃâÂïì\x7f") | {chr(i) for i in range(32) if i not in (9, 10, 13)}


def scan(texts: Sequence[str]) -> Findings:
    """Positions of texts that hold a special_token, encoding_damage, a secret or an email, by type."""
    found: Findings = {"special_token": [], "encoding_damage": [], "secret": [], "email": []}
    for place, text in enumerate(texts):
        if "<|" in text and SPECIAL.search(text):
            found["special_token"].append(place)
        if "@" in text and EMAIL.search(text):
            found["email"].append(place)
        if any(start in text for start in _SECRET_STARTS) and SECRET.search(text):
            found["secret"].append(place)
        if (not text.isascii() or not text.isprintable()) and not _HINTS.isdisjoint(text) and MOJIBAKE.search(text):
            found["encoding_damage"].append(place)
    return {name: places for name, places in found.items() if places}


def words_of(row: Any) -> str:
    """Everything a chat row says, its messages joined by a line break."""
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list):
        return ""
    return "\n".join(_words(one) for one in messages if isinstance(one, dict))


def _words(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else text_of(content)


def without_special(text: str) -> str:
    """Control tokens opened up, so that they are plain words: "<|end|>" becomes "< | end | >"."""
    return SPECIAL.sub(lambda found: f"< | {found.group()[2:-2].strip()} | >", text)


def without_private(text: str) -> str:
    """E-mail addresses and keys replaced by what they were."""
    return SECRET.sub("[key]", EMAIL.sub("[e-mail]", text))


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


def changed(row: Any, change: Callable[[str], str]) -> Any:
    """A chat row with `change` applied to every text in it; new objects, the old row stays."""
    messages = [_changed(one, change) if isinstance(one, dict) else one for one in row["messages"]]
    return {**row, "messages": messages}


def _changed(message: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, str):
        return {**message, "content": change(content)}
    if isinstance(content, list):
        parts = [
            {**part, "text": change(part["text"])} if isinstance(part, dict) and isinstance(part.get("text"), str) else part
            for part in content
        ]
        return {**message, "content": parts}
    return message
