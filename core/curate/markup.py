"""HTML out of texts: tags, scripts and comments leave, entities become the characters they mean.

Every scan here takes time in proportion to the text, also where tags are opened and never closed.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left

_OPEN = re.compile(r"<\s*(script|style)\b[^>]*>", re.I)
_CLOSE = {name: re.compile(rf"<\s*(?:/\s*){name}\s*>", re.I) for name in ("script", "style")}
_BREAK = re.compile(r"<\s*(?:/\s*)?(?:br|p|div|li|ul|ol|tr|h[1-6])\b[^<>]*>", re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TAG_OR_COMMENT = re.compile(r"<!--|</?[A-Za-z][^<>]*>")
_LONG_NUMBER = re.compile(r"&#[0-9]{9,}+;?")
"""A number no character has; converting thousands of digits is refused."""


def without_tags(text: str) -> str:
    """The text without tags; breaks and ends of paragraphs become line breaks. A `<` that opens no tag stays."""
    if "<" in text:
        text = _without_comments(_BREAK.sub("\n", _without_blocks(text)))
    if "&" not in text:
        return text
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text) if "&#" in text else text)


def _without_blocks(text: str) -> str:
    """Without what stands between <script> or <style> and its end."""
    opens = list(_OPEN.finditer(text, 0, text.rfind(">") + 1))
    if not opens:
        return text
    closes = {name: [(found.start(), found.end()) for found in pattern.finditer(text)] for name, pattern in _CLOSE.items()}
    parts, at = [], 0
    for found in opens:
        ends = closes[found[1].lower()]
        place = bisect_left(ends, (found.end(), 0))
        if found.start() >= at and place < len(ends):
            parts.append(text[at : found.start()])
            at = ends[place][1]
    return "".join([*parts, text[at:]])


def _without_comments(text: str) -> str:
    """Without tags and comments; a comment that never ends is no comment."""
    if "<!--" not in text:
        return _TAG.sub("", text)
    parts, at, last = [], 0, text.rfind("-->")
    for found in _TAG_OR_COMMENT.finditer(text):
        end = found.end()
        if found[0] == "<!--":
            end = text.find("-->", end) + 3 if end <= last else 0
        if found.start() >= at and end:
            parts.append(text[at : found.start()])
            at = end
    return "".join([*parts, text[at:]])
