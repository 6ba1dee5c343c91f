"""A file that is too large for one request, uploaded in parts: begun, every part, completed. One that breaks off is cancelled.

Source: the published description of /v1/uploads: parts of at most 64 MB, 8 GB in all, an upload expires after an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ProviderError, StudioError

if TYPE_CHECKING:
    from openai import OpenAI

PART = 64_000_000
"""Bytes of one part."""
MOST = 8_000_000_000
"""Bytes of one file."""


def in_parts(client: OpenAI, ask: Callable[[Callable[[], Any]], Any], path: Path, name: str) -> dict[str, Any]:
    """The file object. `ask` sends one request, patiently; only a part that failed is sent again."""
    size = path.stat().st_size
    if size > MOST:
        raise ProviderError(
            f"{name} has {size:,} bytes; a host takes at most {MOST:,}. Train on fewer rows.", title="The file is too large"
        )
    uploads = client.uploads.with_raw_response
    begun = ask(lambda: uploads.create(bytes=size, filename=name, mime_type="text/jsonl", purpose="fine-tune"))
    try:
        ids = []
        with open(path, "rb") as handle:
            while data := handle.read(PART):
                ids.append(ask(lambda data=data: client.uploads.parts.with_raw_response.create(begun["id"], data=data))["id"])
        done = ask(lambda: uploads.complete(begun["id"], part_ids=ids))
    except BaseException:
        with suppress(StudioError):
            ask(lambda: uploads.cancel(begun["id"]))
        raise
    if not done.get("file"):
        raise ProviderError(
            f"The upload of {name} ended as '{done.get('status')}' without a file. Upload it again.", title="The upload failed"
        )
    return done["file"]
