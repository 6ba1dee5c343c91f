"""What of a run is told elsewhere: numbers by step, settings, ids and scores. Never a text of the data, an answer or a key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.io import files

_NAMED = ("dataset", "version", "task", "base", "revision", "rows", "steps")
_WISHED = ("model", "method", "seed")


@dataclass(frozen=True)
class About:
    """A run as it is told: `settings` and `ids` hold plain values only."""

    id: str
    """The job's id; a run told twice is the same run by it."""
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, Any] = field(default_factory=dict)
    """dataset, version, task, base, revision, rows, steps: those that are known."""

    def to_dict(self) -> dict[str, Any]:
        return {"title": self.title, **self.ids, "settings": dict(self.settings)}


def about(folder: Path) -> About:
    """What the folder of a job (local or hosted) says of its run."""
    asked = files.read_json(folder / "request.json")
    request = asked["request"]
    made = files.read_json(folder / "about.json") if (folder / "about.json").is_file() else {}
    ids = {key: value for key, value in ({**_plain(request), **_plain(made)}).items() if key in _NAMED}
    wish = request.get("wish")
    settings = made.get("settings") or request.get("settings") or {}
    if isinstance(wish, Mapping):
        ids |= {key: value for key, value in _plain(wish).items() if key in _WISHED}
        settings = wish.get("hyperparameters") or settings
    return About(folder.name, str(asked["title"]), _plain(settings), ids)


def _plain(values: Any) -> dict[str, Any]:
    found = values if isinstance(values, Mapping) else {}
    return {str(key): value for key, value in found.items() if isinstance(value, (bool, int, float)) or (value and isinstance(value, str))}


def numbers(record: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of a record of the history, without its step and time."""
    found = {key: value for key, value in record.items() if key not in ("step", "time") and isinstance(value, (int, float))}
    return {key: float(value) for key, value in found.items() if not isinstance(value, bool) and math.isfinite(value)}


def scores(folder: Path) -> dict[str, float]:
    """What the answers to the test rows are worth, by metric, with the ends of the 95 % interval and the rows; empty when unmeasured."""
    from core.evaluate.answers import answers_of
    from core.evaluate.intervals import measure

    evaluation = _evaluation(folder)
    if evaluation is None:
        return {}
    found = {}
    for name, one in measure(answers_of(evaluation)).items():
        told = {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
        found |= {key: float(value) for key, value in told.items() if value is not None and math.isfinite(value)}
    return {**found, "rows": float(evaluation.n)} if found else {}


def _evaluation(folder: Path) -> Any:
    """The newest evaluation of the run's adapter, or None."""
    from core.io import evaluations

    known = about(folder).ids
    if not {"dataset", "version"} <= set(known):
        return None
    found = [one for one in evaluations.of(known["dataset"], known["version"]) if one.notes.get("adapter_id") == folder.name]
    return found[-1] if found else None
