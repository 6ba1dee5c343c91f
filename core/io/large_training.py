"""Training files and versions that are too large for the memory: opened as lines on disk, and checked piece by piece.

What is small is left to `validating`, which gives the same report. A version's train rows are written as the lines that would be
trained on, once, beside the workspace's data; the rows of its other splits are compared as fingerprints only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.errors import DataError
from core.io import store
from core.io.checking import Say, check_lines
from core.io.costing import LOCAL_LIMIT
from core.io.plain_lines import LARGE, LARGE_PACKED, PlainLines, copied, is_large, plain_lines, written
from core.validate.encodings import is_local
from core.validate.formats import detect
from core.validate.piece import Rules, held_questions
from core.validate.report import Report, limit_for
from core.validate.training_file import as_jsonl, training_file
from core.version import Version

ROWS = 20_000
"""Rows of a version below which it is read whole; so many are written at a time."""


@dataclass(frozen=True)
class Large:
    """Lines on disk, and what must not be trained on."""

    lines: PlainLines
    held: np.ndarray | None = None
    """Fingerprints of questions (see `core.validate.piece.held_questions`)."""
    numbers: np.ndarray | None = None
    """The row of the table each line was made of, from 1."""


def open_file(path: Path, name: str = "") -> Large | None:
    """A large file of lines; None for a small one and for a table, which are read whole."""
    found = plain_lines(path, name) if is_large(path, name) else None
    return Large(found) if found else None


def open_upload(name: str, data: bytes) -> Large | None:
    """The same of bytes that came in."""
    if len(data) <= (LARGE_PACKED if data.startswith((b"\x1f\x8b", b"PK\x03\x04")) else LARGE):
        return None
    path = copied(lambda out: out.write(data))
    try:
        made = open_file(path, name)
    except BaseException:
        path.unlink()
        raise
    if made is not None and made.lines.path == path:
        written(made.lines, path)
    else:
        path.unlink()
    return made


def open_version(version: Version) -> Large | None:
    """The train rows of a large version; None for a small one. Raises DataError as `validating.of_version` does."""
    import pyarrow.parquet as pq

    path, marker = store.data_path(version), version.roles.split
    file = pq.ParquetFile(path)
    size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
    if file.metadata.num_rows < ROWS or size <= LARGE:
        return None
    numbers: list[np.ndarray] = []
    held: list[np.ndarray] = []

    def write(out: IO[bytes]) -> None:
        above = 0
        for batch in file.iter_batches(batch_size=ROWS):
            frame = batch.to_pandas()
            parts = frame[marker].astype("str") if marker and marker in frame else None
            train = frame if parts is None else frame.loc[parts == "train"]
            others = frame.iloc[:0] if parts is None else frame.loc[parts.isin(["validation", "test"])]
            if len(train):
                out.write(as_jsonl(training_file(train, version.roles, version.task, version.prompt)))
                numbers.append(train.index.to_numpy() + 1 + above)
            if len(others):
                held.append(held_questions(training_file(others, version.roles, version.task, version.prompt), "chat"))
            above += len(frame)

    copy = copied(write)
    if not numbers:
        copy.unlink()
        raise DataError(f"{version.label} has no train rows: there is nothing to train on. Split it on Curate.", title="No train rows")
    lines = written(PlainLines.of(copy, version.label), copy)
    return Large(lines, np.unique(np.concatenate(held)) if held else None, np.concatenate(numbers))


def check_large(
    large: Large,
    others: Sequence[Sequence[Any]] = (),
    *,
    model: str = "gpt-4o-mini-2024-07-18",
    max_tokens: int | None = None,
    rules: str = "current",
    workers: int | None = None,
    say: Say | None = None,
) -> Report:
    """The report `validating.check` gives, in one pass over the lines. `others` are rows that must not be trained on."""
    limit = limit_for(model, max_tokens or (LOCAL_LIMIT if is_local(model) and rules == "current" else None), rules)
    held = [held_questions(rows, detect(rows).format) for rows in others] + ([] if large.held is None else [large.held])
    known = np.unique(np.concatenate(held)) if held else None
    how = Rules(model, limit, rules, held=known is not None)
    return check_lines(large.lines, how, held=known, numbers=large.numbers, workers=workers, say=say)
