"""What the classic assistant prepared, on disk: its files, or a dataset of the workspace."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.errors import DataError
from core.io import store
from core.io.files import atomic_write
from core.prompt import default_prompt
from core.validate.prepare import TASKS, Prepared
from core.validate.prepare_write import jsonl, names
from core.version import Roles, Version


def write(made: Prepared, folder: Path, stem: str) -> list[Path]:
    """The prepared files in the folder, under names that are free there. Raises DataError when the folder is a file."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"'{folder}' is a file. Name a folder.", title="Not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    files = [jsonl(part) for part in made.parts.values()]
    places = [folder / name for name in names(stem, made.parts, lambda name: (folder / name).exists())]
    for place, data in zip(places, files, strict=True):
        atomic_write(place, data)
    return places


def save(label: str, made: Prepared, content: str) -> Version:
    """The pairs as a dataset: columns prompt and completion, and split when there is one. `content` names what was prepared and how.

    Spaces around completions are taken off: the studio's own prompts need none. Open-ended files have no prompt column.
    """
    parts = {"train": made.split[0], "validation": made.split[1]} if made.split else {"": made.table}
    tables = [pd.DataFrame({"row": part.numbers, "prompt": part.prompts, "completion": part.completions, "split": name})
              for name, part in parts.items()]  # fmt: skip
    frame = pd.concat(tables).sort_values("row", ignore_index=True).drop(columns="row")
    frame["completion"] = frame["completion"].str.strip()
    empty = [] if made.split else ["split"]
    if made.task == TASKS[2]:
        return store.save(label, frame.drop(columns=[*empty, "prompt"]), title="Prepared pairs", roles=Roles(text=("completion",)),
                          source={"prepared": made.total}, source_hash=content)  # fmt: skip
    task = "classification" if made.task == TASKS[0] else "chat"
    roles = Roles(text=("prompt",), target="completion", split="split" if made.split else None)
    labels = tuple(sorted(set(frame["completion"]))) if task == "classification" else ()
    return store.save(label, frame.drop(columns=empty), title="Prepared pairs", roles=roles, task=task,
                      prompt=default_prompt(task, roles, labels), source={"prepared": made.total}, source_hash=content)  # fmt: skip
