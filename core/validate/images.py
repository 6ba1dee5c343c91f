"""Tokens of a picture in a message, by the formulas OpenAI publishes, model by model.

| models | low | high |
|---|---|---|
| gpt-4o, gpt-4.1 (and models not named here) | 85 | 85 + 170 for each tile of 512 x 512 |
| gpt-4o-mini | 2,833 | 2,833 + 5,667 for each tile |
| gpt-4.1-mini, gpt-4.1-nano, o4-mini | patches of 32 x 32, at most 1,536, times 1.62, 2.46, 1.72 | the same |

Tiles: the picture is made to fit 2,048 x 2,048, then its short side 768 (never enlarged), and cut into tiles. `detail` "auto"
or none counts as high: what the platform chooses is not published. Sizes are read from data URLs (PNG, JPEG, WebP, GIF); a
picture behind an address is not fetched and counts as 1,024 x 1,024, which is a guess.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from core.validate.encodings import base_of

TILES = {"gpt-4o-mini": (2_833, 5_667)}
"""Prefix of a model -> (tokens at low detail, tokens of a tile)."""
USUAL_TILES = (85, 170)
PATCHES = {"gpt-4.1-mini": 1.62, "gpt-4.1-nano": 2.46, "o4-mini": 1.72}
"""Prefix of a model -> tokens of a patch."""
MOST_PATCHES = 1_536
UNKNOWN_SIZE = (1_024, 1_024)
_HEAD = 400_000
"""Characters of a data URL that are read for its size: a JPEG's may stand behind a preview."""


def is_image(part: Any) -> bool:
    """Whether a part of a message's content is a picture."""
    return isinstance(part, Mapping) and part.get("type") in ("image_url", "input_image")


def image_tokens(part: Mapping[str, Any], model: str = "") -> tuple[int, bool]:
    """(tokens, whether the size was known or did not matter)."""
    named = part.get("image_url")
    named = named if isinstance(named, Mapping) else {"url": named, "detail": part.get("detail")}
    name = base_of(model)
    factor = next((one for prefix, one in PATCHES.items() if name.startswith(prefix)), None)
    low, tile = next((one for prefix, one in TILES.items() if name.startswith(prefix)), USUAL_TILES)
    if factor is None and named.get("detail") == "low":
        return low, True
    size = size_of(named.get("url"))
    width, height = size or UNKNOWN_SIZE
    if factor is not None:
        return round(patches(width, height) * factor), size is not None
    return low + tile * tiles(width, height), size is not None


def tiles(width: int, height: int) -> int:
    """Tiles of 512 x 512 after the picture was made to fit."""
    shrink = min(1.0, 2_048 / max(width, height))
    shrink *= min(1.0, 768 / (min(width, height) * shrink))
    return max(1, math.ceil(round(width * shrink, 6) / 512)) * max(1, math.ceil(round(height * shrink, 6) / 512))


def patches(width: int, height: int) -> int:
    """Patches of 32 x 32 after the picture was shrunk to at most 1,536 of them."""
    wide, high = math.ceil(width / 32), math.ceil(height / 32)
    if wide * high <= MOST_PATCHES:
        return wide * high
    shrink = math.sqrt(32 * 32 * MOST_PATCHES / (width * height))
    across, down = width * shrink / 32, height * shrink / 32
    shrink *= min(math.floor(across) / across, math.floor(down) / down) if min(across, down) >= 1 else 1.0
    return min(MOST_PATCHES, max(1, round(width * shrink / 32)) * max(1, round(height * shrink / 32)))


def size_of(url: Any) -> tuple[int, int] | None:
    """(width, height) in pixels of a picture in a data URL; None for an address, and for what is no such picture."""
    if not isinstance(url, str) or not url.startswith("data:") or "," not in url[:200]:
        return None
    head, _, body = url[: _HEAD + 200].partition(",")
    if "base64" not in head:
        return None
    body = "".join(body.split())
    try:
        data = base64.b64decode(body[: len(body) - len(body) % 4])
    except (binascii.Error, ValueError):
        return None
    found = _png(data) or _gif(data) or _webp(data) or _jpeg(data)
    return found if found and min(found) > 0 else None


def _png(data: bytes) -> tuple[int, int] | None:
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _gif(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"GIF8" or len(data) < 10:
        return None
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _webp(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + max(2, length)
    return None
