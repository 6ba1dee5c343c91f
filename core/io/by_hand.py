"""Writing by hand: requests to copy into any chat, and the replies pasted back, kept per version and settings.

workspace/by_hand/<version>-<settings>/replies.jsonl     as `core/io/written.py` says
"""

from __future__ import annotations

from pathlib import Path

from core.augment.pasted import HandRequest, Pasted, read_pasted, requests_by_hand
from core.augment.presets import AugmentSettings
from core.io import files, written
from core.io.judging import asks
from core.version import Version, digest


def hand_folder(version: Version, settings: AugmentSettings) -> Path:
    """Where pasted replies of this version and these settings are kept."""
    return files.folder("by_hand", f"{version.id}-{digest(settings.to_dict())[:8]}")


def hand_requests(version: Version, settings: AugmentSettings, per_request: int) -> list[HandRequest]:
    """The requests to copy into any chat, one after the other."""
    return requests_by_hand(asks(version, settings), settings, per_request)


def paste(version: Version, settings: AugmentSettings, request: HandRequest, reply: str) -> Pasted:
    """Read a pasted reply and keep what it holds. Rows it does not answer are named in the result."""
    pasted = read_pasted(reply, request.asks)
    folder = hand_folder(version, settings)
    if pasted.found and not (folder / "settings.json").exists():
        files.write_json(folder / "settings.json", settings.to_dict())
    by_key = {ask.key: ask for ask in request.asks}
    for key, read in pasted.found.items():
        written.keep_pasted(folder, by_key[key], read)
    return pasted


def answered_by_hand(version: Version, settings: AugmentSettings) -> set[str]:
    """Keys of the requests that have an answer already."""
    return written.standing(hand_folder(version, settings)).answered
