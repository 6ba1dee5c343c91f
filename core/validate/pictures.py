"""The rules for pictures in a chat line: whose they are, how many, and which formats a platform reads.

Source: OpenAI's guide to fine-tuning on images: JPEG, PNG or WEBP of at most 10 MB, at most 10 an example, none of the
assistant's. A picture behind an address is judged by the ending of that address; it is not fetched.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

KINDS = ("jpeg", "png", "webp")
MAX_PICTURE = 10_000_000
"""Bytes of one picture."""
DETAILS = ("auto", "low", "high")
_DATA = re.compile(r"data:image/([a-zA-Z0-9.+-]{1,20});base64,")
_ADDRESS = re.compile(r"https?://(?:\[[0-9a-fA-F:.]+\]|[^/?#\s\[\]]+)(?P<path>/[^?#]*)?", re.IGNORECASE)
_OTHERS = {"gif", "bmp", "svg", "tif", "tiff", "heic", "heif", "avif", "ico", "pdf", "psd", "mp4", "mov", "webm"}


def images_in(content: Any) -> int:
    """How many pictures a message's content holds."""
    return sum(isinstance(part, dict) and part.get("type") == "image_url" for part in content) if isinstance(content, list) else 0


def has_image(row: Any) -> bool:
    """Whether a chat row shows a picture."""
    messages = row.get("messages") if isinstance(row, dict) else None
    return isinstance(messages, list) and any(isinstance(one, dict) and images_in(one.get("content")) for one in messages)


def wrong_with(part: dict[str, Any]) -> str | None:
    """Why a platform cannot read this picture; None when it can, as far as that shows without fetching it."""
    inner = part.get("image_url")
    address = inner.get("url") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(address, str) or not address:
        return "it has no url"
    if inner.get("detail", "auto") not in DETAILS:
        return "its detail is none of auto, low and high"
    if address[:5].casefold() == "data:":
        return _data(address)
    found = _ADDRESS.match(address)
    if not found:
        return "its url is neither an address nor data"
    name = (found["path"] or "").rpartition("/")[2]
    ending = name.rpartition(".")[2].casefold() if "." in name else ""
    return f"it is a .{ending}, not JPEG, PNG or WEBP" if ending in _OTHERS else None


def _data(address: str) -> str | None:
    found = _DATA.match(address)
    if not found:
        return "its data is not base64 of an image"
    kind = found[1].casefold().replace("jpg", "jpeg")
    if kind not in KINDS:
        return f"it is {kind[:20]}, not JPEG, PNG or WEBP"
    if (len(address) - found.end()) * 3 // 4 > MAX_PICTURE:
        return "it is larger than 10 MB"
    try:
        head = base64.b64decode(address[found.end() : found.end() + 24], validate=True)
    except (binascii.Error, ValueError):
        return "its data is not base64"
    signs = {"jpeg": head[:3] == b"\xff\xd8\xff", "png": head[:8] == b"\x89PNG\r\n\x1a\n", "webp": head[:4] + head[8:12] == b"RIFFWEBP"}
    return None if signs[kind] else f"its data is no {kind.upper()}"
