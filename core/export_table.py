"""What a version's rows look like outside the studio: `text` is the whole prompt, the target is a column of its own.

In train rows `text` shows the answer. In validation and test rows it stops after the answer's prefix: it is rendered from
the template and never cut out of a text, so a text that holds the prefix itself changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.prediction import asked
from core.task import target_of
from core.version import SPLITS, Roles, Version

if TYPE_CHECKING:
    import pandas as pd

TEXT = "text"
SOURCE_TEXT, SOURCE_TARGET = "source_text", "target"
"""The names under which a column `text` of the version's own is handed out: as input text, and as target."""


def exported(rows: pd.DataFrame, version: Version, part: str) -> pd.DataFrame:
    """The rows of one part (train, validation, test) with `text` first, then the target, then every other column.

    A version without a prompt, a target or a task has nothing to render: its rows stay as they are. Rows whose target is
    missing show no answer. Index 0..n-1.
    """
    rows = rows.reset_index(drop=True)
    if not renders(version):
        return rows
    shown = prompts_of(rows, version, answers=part == "train")
    rows = rows.rename(columns=renamed(rows.columns.tolist(), version.roles))
    target = target_name(rows.columns.tolist(), version.roles)
    rows.insert(0, TEXT, shown)
    others = [name for name in rows.columns if name not in (TEXT, target)]
    return rows.reindex(columns=[TEXT, target, *others])


def renders(version: Version) -> bool:
    """Whether rows of the version have a whole prompt."""
    return bool(version.prompt and version.roles.text and version.roles.target and version.task)


def prompts_of(rows: pd.DataFrame, version: Version, *, answers: bool) -> list[str]:
    """Each row's whole prompt, with or without its answer. The prompt never sees the target's cell, only the answer does."""
    prompt, task = version.prompt, str(version.task)
    if prompt is None:
        raise ValueError("a version without a prompt has no prompts")
    questions = asked(rows, version.roles, task).rows()
    if not answers:
        return [prompt.text(row) for row in questions]
    targets = (target_of(task, _bare(cell)) for cell in rows[str(version.roles.target)].tolist())
    return [prompt.text(row, target) for row, target in zip(questions, targets, strict=True)]


def renamed(columns: list[str], roles: Roles) -> dict[str, str]:
    """The new name of a column `text` of the version's own; empty without one."""
    if TEXT not in columns:
        return {}
    wanted = SOURCE_TARGET if roles.target == TEXT else SOURCE_TEXT
    number, name = 2, wanted
    while name in columns:
        name, number = f"{wanted}_{number}", number + 1
    return {TEXT: name}


def target_name(columns: list[str], roles: Roles) -> str:
    """The target's column after `renamed`."""
    target = str(roles.target)
    return target if target in columns else next(name for name in reversed(columns) if name.startswith(SOURCE_TARGET))


def parts_of(version: Version) -> list[str]:
    """The parts that are handed out, in their order: those of the split, else all rows as train."""
    return [name for name in SPLITS if version.splits.get(name)] if version.roles.split else ["train"]


def chats(rows: pd.DataFrame, version: Version) -> list[dict[str, Any]]:
    """The rows as chat training examples of the version's prompt; rows without a target are left out."""
    if version.prompt is None or not renders(version):
        return []
    task = str(version.task)
    targets = (target_of(task, _bare(cell)) for cell in rows[str(version.roles.target)].tolist())
    pairs = zip(asked(rows, version.roles, task).rows(), targets, strict=True)
    return [{"messages": version.prompt.example(row, target)} for row, target in pairs if target is not None]


def _bare(cell: Any) -> Any:
    return cell.item() if hasattr(cell, "item") and getattr(cell, "ndim", 0) == 0 else cell
