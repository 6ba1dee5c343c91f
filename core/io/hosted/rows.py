"""A version's rows as the files a host trains on: the exporter's chats, made of the same prompt that asks at test time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import DataError
from core.export_table import chats, renders
from core.format import unit_of
from core.io import files, store
from core.prompt import Prompt, default_prompt
from core.validate.training_file import as_jsonl, training_file
from core.version import Version

PARTS = ("train", "validation")
KEYS = ("input", "preferred_output", "non_preferred_output")
"""The columns of rows that hold preferences."""


def holds_preferences(version: Version) -> bool:
    """Whether the rows are pairs of a preferred and a rejected answer: the method dpo."""
    return not version.roles.target and set(KEYS) <= set(version.columns)


def measurable(version: Version) -> bool:
    """Whether the version has test rows whose answers can be compared."""
    return bool(
        version.roles.target and version.task and version.roles.split and version.splits.get("test") and version.splits.get("train")
    )


def prompt_of(version: Version) -> Prompt:
    """The version's prompt, or the task's default where none was chosen, as on this machine. Raises DataError without a task."""
    if version.prompt is not None:
        return version.prompt
    if not version.task:
        raise DataError("Nothing is chosen to be predicted. Choose a target on Explore.", title="Choose what to predict")
    return default_prompt(version.task, version.roles, unit=unit_of(version.roles.target))


def rows_of(version: Version, part: str, prompt: Prompt | None = None) -> list[dict[str, Any]]:
    """The examples of one part; rows without a target are left out."""
    frame = store.frame(version, split=part if version.roles.split else None)
    if holds_preferences(version):
        return [{name: _read(row[name]) for name in KEYS} for row in frame.loc[:, list(KEYS)].to_dict("records")]
    if not version.roles.target:
        return training_file(frame, version.roles, version.task, prompt)
    asking = replace(version, prompt=prompt or prompt_of(version))
    if not renders(asking):
        raise DataError("No text column is chosen. Choose the text on Explore.", title="No text")
    return chats(frame, asking)


def write(version: Version, folder: Path, name: str, prompt: Prompt | None = None) -> dict[str, Path]:
    """Part -> `<folder>/<name>-<part>.jsonl`; without validation rows there is no such part. Raises DataError without train rows."""
    made = {}
    for part in PARTS if version.roles.split else PARTS[:1]:
        rows = rows_of(version, part, prompt) if not version.roles.split or version.splits.get(part) else []
        if rows:
            made[part] = folder / f"{name}-{part}.jsonl"
            files.atomic_write(made[part], as_jsonl(rows))
    if "train" not in made:
        raise DataError(f"{version.label} has no train rows. Split it on Curate.", title="Needs train rows")
    return made


def _read(cell: Any) -> Any:
    """A column of objects holds them, arrays of them, or their JSON text."""
    if isinstance(cell, str):
        return json.loads(cell)
    return cell.tolist() if hasattr(cell, "tolist") else cell
