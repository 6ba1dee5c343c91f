"""What addresses turned out not to know, so that it is found out once: settings they refused, for a week.

workspace/endpoints.json     {"<address> <model>": {"without": [names of settings], "since": seconds since 1970}}
"""

from __future__ import annotations

import time
from typing import Any

from core.io import files

WEEK = 7 * 86400.0


def without(url: str, model: str) -> set[str]:
    """The settings that this model at this address refused within the last week."""
    found = _read().get(f"{url} {model}", {})
    since = found.get("since", 0.0)
    return set(found.get("without", ())) if isinstance(since, (int, float)) and time.time() - since < WEEK else set()


def remember(url: str, model: str, settings: set[str]) -> None:
    """Keep that these settings are refused there."""
    with files.lock(files.home() / "endpoints.lock"):
        known = _read()
        known[f"{url} {model}"] = {"without": sorted(settings | without(url, model)), "since": time.time()}
        files.write_json(files.home() / "endpoints.json", known)


def _read() -> dict[str, dict[str, Any]]:
    try:
        found = files.read_json(files.home() / "endpoints.json")
    except (OSError, ValueError):
        return {}
    return {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}
