"""Training files from disk or from the workspace, and the versions that mending them makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import DataError, MissingError, SettingsError
from core.format import plural
from core.io import store
from core.io.costing import LOCAL_LIMIT
from core.io.counting import count_of
from core.io.tokens import counter
from core.validate.accounting import Count
from core.validate.encodings import is_local
from core.validate.fixes import TEXT_FIXES, label, mend
from core.validate.reading import TrainingFile, of_rows, read_training
from core.validate.report import Report, report
from core.validate.training_file import training_file
from core.version import StepReport, Version, digest


def read(name: str) -> tuple[TrainingFile, Sequence[Sequence[Any]]]:
    """A training file by its path, or a version's train rows by its id; then what must not be in it (its other splits).

    Raises MissingError when it is neither.
    """
    path = Path(name)
    if path.is_file():
        return read_training(path.name, path.read_bytes()), []
    found = store.find(name)
    if found is None:
        raise MissingError(f"'{name}' is neither a file nor the id of a version in this workspace.", title="No such file")
    return of_version(found)


def of_version(version: Version) -> tuple[TrainingFile, Sequence[Sequence[Any]]]:
    """The training file of a version's train rows (all rows where it is not split), and the rows of its other splits.

    Line numbers are those of the whole table, from 1. Raises DataError without train rows, target or text.
    """
    frame = store.frame(version)
    marker = version.roles.split
    parts = frame[marker].astype("str") if marker and marker in frame else None
    train = frame if parts is None else frame.loc[parts == "train"]
    if not len(train):
        raise DataError(f"{version.label} has no train rows: there is nothing to train on. Split it on Curate.", title="No train rows")
    made = training_file(train, version.roles, version.task, version.prompt)
    held = [] if parts is None else [frame.loc[parts == name] for name in ("validation", "test")]
    others = [training_file(part, version.roles, version.task, version.prompt) for part in held if len(part)]
    return of_rows(made, [int(place) + 1 for place in train.index]), others


def check(file: TrainingFile, others: Sequence[Sequence[Any]] = (), *, model: str = "gpt-4o-mini-2024-07-18",
          max_tokens: int | None = None, rules: str = "current") -> Report:  # fmt: skip
    """The report, counted as the model counts (cl100k_base by the classic rules). `model` may be "embedded" or "file:FOLDER"."""
    if rules == "classic":
        return report(file, counter("cl100k_base"), model=model, max_tokens=max_tokens, rules=rules, others=others)
    limit = max_tokens or (LOCAL_LIMIT if is_local(model) else None)
    return report(file, count_of(model), model=model, max_tokens=limit, rules=rules, others=others)


def without(version: Version, made: Report, check: str, by: str | None = None) -> Version:
    """The version after a fix: rows left out, or their texts mended, as a new version of the same data.

    Raises SettingsError for a fix that only a file can have.
    """
    fixed = mend(made, check, by=by)
    lines = {change.line for change in fixed.changes}
    found = next(one for one in made.checks if one.name == check)
    frame = store.frame(version)
    here = [line - 1 for line in sorted(lines)]
    name = by or found.fix or "drop"
    sentence = found.sentence
    if name in ("drop", "drop_conflicts", "end_with_answer"):
        kept = frame.drop(index=here).reset_index(drop=True)
        gone = pd.DataFrame({"row": here, "step": "Checks", "reason": sentence})
        report = StepReport("Checks", sentence, len(frame), len(kept), reasons={sentence: len(here)})
        return _saved(version, kept, f"Drop {plural(len(here), 'row')}", check, here, report, gone)
    change = TEXT_FIXES.get(name)
    if change is None:
        raise SettingsError("This is mended with a step on Curate.", title="Not here")
    new = frame.copy()
    for column in [*version.roles.text, *([version.roles.target] if version.roles.target else [])]:
        if pd.api.types.is_string_dtype(new[column]) or new[column].dtype == object:
            new.loc[here, column] = [change(cell) if isinstance(cell, str) else cell for cell in new.loc[here, column].tolist()]
    report = StepReport("Checks", sentence, len(frame), len(new))
    return _saved(version, new, label(name, len(here)), check, here, report, None)


def _saved(
    version: Version, rows: pd.DataFrame, title: str, check: str, places: list[int], report: StepReport, gone: pd.DataFrame | None
) -> Version:
    source = digest({"check": check, "rows": places})
    return store.save("", rows, title=title, parent=version, roles=version.roles, task=version.task, prompt=version.prompt,
                      report=(report,), dropped=gone, source=version.source, source_hash=source)  # fmt: skip


def count_for(model: str) -> Count:
    """What counts texts as a model reads them."""
    return count_of(model)
