"""Training files from disk or from the workspace, and what counts their tokens and prices them today."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import DataError, MissingError, SettingsError
from core.format import plural
from core.io import store
from core.io.tokens import ENCODINGS, counter, encoding
from core.validate.accounting import Count, Tokens, count_tokens
from core.validate.cost import CostRow, cost_rows, local_row
from core.validate.encodings import encoding_of
from core.validate.fixes import TEXT_FIXES, label, mend
from core.validate.learnt import Pieces
from core.validate.reading import TrainingFile, of_rows, read_training
from core.validate.report import Report, report
from core.validate.training_file import training_file
from core.version import StepReport, Version, digest

LOCAL_LIMIT = 256
"""Tokens of the longest row when the built-in model is trained, unless a setting says otherwise."""


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
    """The report, counted with the model's tokenizer (cl100k_base by the classic rules). `model` may be "embedded"."""
    if rules == "classic":
        count = counter("cl100k_base")
    elif model == "embedded":
        count, max_tokens = counter("embedded"), max_tokens or LOCAL_LIMIT
    else:
        count = counter(encoding_of(model)[0])
    return report(file, count, model=model, max_tokens=max_tokens, rules=rules, others=others)


def usage(chats: Sequence[Any], known: dict[str, Tokens] | None = None) -> Callable[[str], Tokens]:
    """Tokens of these chats by encoding, each counted once. `known` are counts that are there already."""
    found = dict(known or {})

    def of(encoding: str) -> Tokens:
        if encoding not in found:
            found[encoding] = count_tokens(chats, counter(encoding), 65_536)
        return found[encoding]

    return of


def costs(made: Report, models: Sequence[str], epochs: int) -> list[CostRow]:
    """This machine, then every model, priced today."""
    known = {} if made.rules == "classic" or made.model == "embedded" else {encoding_of(made.model)[0]: made.tokens}
    tokens_of = usage(made.chats, known)
    hosted = cost_rows(tokens_of, models, epochs, today())
    rate, title = local_rate()
    return [local_row(tokens_of("o200k_base"), epochs, LOCAL_LIMIT, rate, title), *hosted]


def local_rate() -> tuple[float, str]:
    """Training tokens per second of this machine (measured once it has trained, else a guess), and how the row is called."""
    from core.finetune.estimates import RATES
    from core.io import embedded
    from core.io.device import has_bf16

    return embedded.remembered_rate() or RATES["bf16" if has_bf16() else "fp32"], f"This machine, {embedded.TITLE}"


def pieces_of(model: str) -> Pieces:
    """A function from a text to its tokens as texts, as the model cuts it; joined they are the text."""
    if model == "embedded":
        from core.io import embedded

        words = embedded.tokenizer()

        def cut(text: str) -> list[str]:
            ends = words(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
            return _between(text, [start for start, _ in ends])

        return cut
    chosen = encoding(encoding_of(model)[0] if encoding_of(model)[0] in ENCODINGS else "cl100k_base")
    return lambda text: _between(text, chosen.decode_with_offsets(chosen.encode_ordinary(text))[1])


def _between(text: str, starts: list[int]) -> list[str]:
    """A text cut at these places (a token inside a character starts where the character does, and is empty)."""
    return [text[a:b] for a, b in itertools.pairwise([*starts, len(text)])]


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


def today() -> str:
    """The day, as ISO."""
    return datetime.now(UTC).date().isoformat()


def count_for(model: str) -> Count:
    """What counts texts as a model reads them."""
    return counter("embedded" if model == "embedded" else encoding_of(model)[0])
