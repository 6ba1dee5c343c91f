"""What only the whole file can have wrong by its form: rows of two formats, a format hosted jobs do not take, pictures, size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import count
from core.validate.chat import Findings
from core.validate.checks import Check
from core.validate.formats import HOSTED, UNKNOWN, Detection
from core.validate.limits import MAX_BYTES, MAX_IMAGE_EXAMPLES
from core.validate.pictures import has_image
from core.validate.preference import is_hosted_shape

MAX_UPLOAD = 8_000_000_000
"""Bytes that can be sent in parts (Uploads)."""


def file_findings(rows: Sequence[Any], detection: Detection, chats: Sequence[Any]) -> Findings:
    """mixed_formats, no_format, not_hosted_format, too_many_image_examples: type -> positions."""
    found: Findings = {}
    if detection.format != UNKNOWN:
        found["mixed_formats"] = list(detection.strangers)
        found["no_format"] = list(detection.nameless) if detection.format not in ("chat", "reinforcement") else []
        found["not_hosted_format"] = not_hosted(rows, detection)
    found["too_many_image_examples"] = beyond_images([place for place, line in enumerate(chats) if has_image(line)])
    return found


def not_hosted(rows: Sequence[Any], detection: Detection) -> list[int]:
    """Positions of rows of the file's format, when hosted jobs do not take it (pairs of prompt and completion left in October 2026)."""
    if detection.format == "preference":
        return [
            i for i, (row, kind) in enumerate(zip(rows, detection.kinds, strict=True)) if kind == "preference" and not is_hosted_shape(row)
        ]
    if detection.format in HOSTED:
        return []
    return [place for place, kind in enumerate(detection.kinds) if kind == detection.format]


def beyond_images(places: Sequence[int], most: int = MAX_IMAGE_EXAMPLES) -> list[int]:
    """Of the examples with a picture, those past the number a file may have."""
    return list(places[most:])


def file_checks(size: int) -> list[Check]:
    """A check of the file's bytes; none while the Files upload takes it."""
    if size <= MAX_BYTES:
        return []
    told = f"The file has {count(size // 1_000_000)} MB"
    if size <= MAX_UPLOAD:
        return [Check("file_size", "WARN", f"{told}: a plain upload takes 512 MB, larger files go in parts", detail="at most 8 GB")]
    return [Check("file_size", "FAIL", f"{told}: at most 8 GB can be uploaded", detail="split the file")]


def skipped_groups(detection: Detection, held: bool) -> set[str]:
    """Groups of checks that were not looked at, so they do not pass."""
    skipped = {"system"} | (set() if held else {"leak"})
    if detection.format == "text":
        skipped |= {"user", "prompt", "conflicts", "leak", "order"}
    if detection.format == "reinforcement":
        skipped |= {"last"}
    return skipped
