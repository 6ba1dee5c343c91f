"""Training files from disk or from the workspace, and the versions that mending them makes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import DataError, MissingError, SettingsError
from core.format import plural
from core.io import store
from core.io.checking import Say
from core.io.costing import LOCAL_LIMIT
from core.io.counting import count_of
from core.io.large_training import check_large, open_file, open_version
from core.io.tokens import counter
from core.validate.accounting import Count
from core.validate.encodings import is_local
from core.validate.fixes import TEXT_FIXES, Mended, label, mend
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


def checked(name: str, against: Sequence[Sequence[Any]] = (), *, model: str = "gpt-4o-mini-2024-07-18", max_tokens: int | None = None,
            rules: str = "current", workers: int | None = None, say: Say | None = None) -> Report:  # fmt: skip
    """The report of a training file by its path, or of a version by its id, large or small. `against` are rows to compare with.

    Large ones are read piece by piece by `workers` processes, which `say` tells of. Raises MissingError when it is neither.
    """
    path = Path(name)
    if not path.is_file() and (version := store.find(name)):
        return check_version(version, against, model=model, max_tokens=max_tokens, rules=rules, workers=workers, say=say)
    if path.is_file() and (large := open_file(path)):
        return check_large(large, against, model=model, max_tokens=max_tokens, rules=rules, workers=workers, say=say)
    file, others = read(name)
    return check(file, [*others, *against], model=model, max_tokens=max_tokens, rules=rules)


def check_version(version: Version, against: Sequence[Sequence[Any]] = (), *, model: str, max_tokens: int | None = None,
                  rules: str = "current", workers: int | None = None, say: Say | None = None) -> Report:  # fmt: skip
    """The same of a version's train rows. Raises DataError without train rows, target or text."""
    if large := open_version(version):
        return check_large(large, against, model=model, max_tokens=max_tokens, rules=rules, workers=workers, say=say)
    file, others = of_version(version)
    return check(file, [*others, *against], model=model, max_tokens=max_tokens, rules=rules)


def without(version: Version, made: Report, check: str, by: str | None = None) -> Version:
    """The version after a fix: rows left out, or their texts mended, as a new version of the same data.

    Raises SettingsError for a fix that only a file can have.
    """
    fixed = mend(made, check, count_for(made.model), by)
    found = next(one for one in made.checks if one.name == check)
    frame = store.frame(version)
    name = by or found.fix or "drop"
    sentence = found.sentence
    if holds_chats(version):
        return _chats_mended(version, frame, fixed, label(name, len(fixed.changes)), check, sentence)
    here = [change.line - 1 for change in fixed.changes]
    if name in ("drop", "drop_conflicts"):
        return _saved(version, *_left_out(frame, here, sentence), check=check, title=f"Drop {plural(len(here), 'row')}")
    change = TEXT_FIXES.get(name)
    if change is None:
        raise SettingsError("This is mended with a step on Curate.", title="Not here")
    new = frame.copy()
    for column in [*version.roles.text, *([version.roles.target] if version.roles.target else [])]:
        if pd.api.types.is_string_dtype(new[column]) or new[column].dtype == object:
            new.loc[here, column] = [change(cell) if isinstance(cell, str) else cell for cell in new.loc[here, column].tolist()]
    report = StepReport("Checks", sentence, len(frame), len(new))
    return _saved(version, new, report, None, check=check, title=label(name, len(here)), places=here)


def holds_chats(version: Version) -> bool:
    """Whether a version's rows are conversations themselves: then every fix of a training file is one of the version."""
    return not version.roles.target and "messages" in version.columns


def _chats_mended(version: Version, frame: pd.DataFrame, fixed: Mended, title: str, check: str, sentence: str) -> Version:
    """The version with mended conversations, without those that are left out."""
    after = dict(zip(fixed.file.lines, fixed.file.rows, strict=True))
    cells, gone = frame["messages"].tolist(), []
    for change in fixed.changes:
        place = change.line - 1
        if change.after is None:
            gone.append(place)
        else:
            said = after[change.line]["messages"]
            cells[place] = json.dumps(said, ensure_ascii=False) if isinstance(cells[place], str) else said
    new = frame.assign(messages=pd.Series(cells, index=frame.index, dtype=frame["messages"].dtype))
    kept, report, dropped = _left_out(new, gone, sentence)
    return _saved(version, kept, report, dropped, check=check, title=title, places=[change.line - 1 for change in fixed.changes])


def _left_out(frame: pd.DataFrame, here: list[int], sentence: str) -> tuple[pd.DataFrame, StepReport, pd.DataFrame | None]:
    kept = frame.drop(index=here).reset_index(drop=True)
    gone = pd.DataFrame({"row": here, "step": "Checks", "reason": sentence}) if here else None
    return kept, StepReport("Checks", sentence, len(frame), len(kept), reasons={sentence: len(here)} if here else {}), gone


def _saved(
    version: Version,
    rows: pd.DataFrame,
    report: StepReport,
    gone: pd.DataFrame | None,
    *,
    check: str,
    title: str,
    places: list[int] | None = None,
) -> Version:
    source = digest({"check": check, "rows": places if places is not None else gone["row"].tolist() if gone is not None else []})
    return store.save("", rows, title=title, parent=version, roles=version.roles, task=version.task, prompt=version.prompt,
                      report=(report,), dropped=gone, source=version.source, source_hash=source)  # fmt: skip


def count_for(model: str) -> Count:
    """What counts texts as a model reads them."""
    return count_of(model)
