"""What the classic assistant writes and says at the end: the files byte for byte, their names, the time, and what to do next today.

The hints name the studio's commands and the platform's calls that took the place of the old tool's: its `fine_tunes` service closed
on 4 January 2024, and the models that took prompt and completion files (babbage-002, davinci-002) on 23 October 2026.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from core.errors import DataError
from core.format import plural
from core.validate.prepare import TASKS, Prepared, Table
from core.validate.prepare_text import common_suffix, visible

SECONDS_A_ROW, SECONDS_A_BYTE, SECONDS_MORE = 1.44, 0.0515, 140
"""The old tool's rule for `curie`: by rows for classification, else by the bytes pandas' columns take."""
CELL, RANGE = 8, 132
"""Bytes of a reference to a text or of a row number; of a range of row numbers without gaps."""
TIME_CAVEAT = (
    "That was the old tool's rule of thumb for its `curie` model, gone since 2024; it says nothing about today's models. The Fine-tune "
    "page estimates this machine's time, and a job at the platform tells its own (estimated_finish)."
)


def jsonl(table: Table) -> bytes:
    """The file as the old tool wrote it: {"prompt":...,"completion":...} without spaces, slashes escaped, UTF-8, a line feed at the end.

    Raises DataError for a text that has no UTF-8 form (half of a surrogate pair).
    """
    frame = pd.DataFrame({"prompt": table.prompts, "completion": table.completions}, dtype=object)
    try:
        return str(frame.to_json(orient="records", lines=True, force_ascii=False)).encode("utf-8")
    except (UnicodeEncodeError, OverflowError) as error:
        raise DataError(f"A text cannot be written as UTF-8: {error}. Remove the broken character.", title="Not writable") from error


def names(stem: str, ends: Iterable[str], taken: Callable[[str], bool]) -> list[str]:
    """Free names for all parts: `STEM_prepared_train.jsonl`, then ` (1)`, ` (2)` before the ending for all of them."""
    number = 0
    while True:
        suffix = f" ({number})" if number else ""
        found = [f"{stem}_prepared{end}{suffix}.jsonl" for end in ends]
        if not any(map(taken, found)):
            return found
        number += 1


def seconds(made: Prepared) -> float:
    """What the old tool said training takes."""
    n = len(made.table)
    if made.task == TASKS[0]:
        return SECONDS_A_ROW * n + SECONDS_MORE
    steps = {b - a for a, b in pairwise(made.table.numbers)}
    return SECONDS_A_BYTE * (2 * CELL * n + (RANGE if len(steps) < 2 else CELL * n)) + SECONDS_MORE


def spoken(time: float) -> str:
    """Seconds in the old tool's words: 2.52 minutes."""
    for unit, step in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if time >= step:
            return f"{round(time / step, 2)} {unit}"
    return f"{round(time, 2)} seconds"


def ends(made: Prepared) -> tuple[str, str]:
    """The separator all prompts end with and the stop text all generated completions end with; "" where there is none."""
    stop = common_suffix(made.table.completions) if made.task != TASKS[0] else ""
    return common_suffix(made.table.prompts), stop


def classes(made: Prepared) -> Counter[str]:
    """Completions and how many rows have each, the most frequent first (ties: the first seen); empty unless it is classification."""
    return Counter(dict(Counter(made.table.completions).most_common())) if made.task == TASKS[0] else Counter()


@dataclass(frozen=True)
class Hint:
    """What to do next."""

    text: str
    command: str = ""
    """A command line that does it."""

    def __str__(self) -> str:
        return f"{self.text}: {self.command}" if self.command else f"{self.text}."


def hints(made: Prepared, files: list[str]) -> list[Hint]:
    """What to do next with these files (the original where nothing was written): train and perhaps validation."""
    train, held = files[0], files[1] if len(files) > 1 else None
    separator, stop = ends(made)
    told = []
    if separator:
        told.append(Hint(f"A model trained on these pairs is asked with prompts that end with `{visible(separator)}`"))
    if stop:
        told.append(Hint(f'A model trained on these pairs is asked with `stop=["{visible(stop)}"]`, so that its answer ends in time'))
    local = ["finetune", "local", train, *(["--validation", held] if held else []), "--out", f"{_stem(train)}_adapter"]
    told.append(Hint("Train an adapter on this machine", _line(local)))
    chat = [f"{_stem(name)}_chat.jsonl" for name in files]
    for name, to in zip(files, chat, strict=True):
        told.append(Hint("As chat, without separator, leading space and stop text", _line(["convert", name, "--to", "chat", "--out", to])))
    told.append(
        Hint(
            "At the platform: POST /v1/files with purpose fine-tune for each chat file, then POST /v1/fine_tuning/jobs with model, "
            f"training_file{' and validation_file' if held else ''}. Its models for prompt and completion files closed on 23 October 2026"
        )
    )
    if found := classes(made):
        most = f", the most frequent `{visible(next(iter(found)))}`" if len(found) == 2 else ""
        told.append(Hint(f"{plural(len(found), 'class', 'classes')}{most}. The platform counts no classification metrics: let the model "
                         "answer rows kept aside (predict) and score the answers (score)"))  # fmt: skip
    return told


def _stem(name: str) -> str:
    return name.removesuffix(".jsonl")


def _line(words: list[str]) -> str:
    return shlex.join(["python", "-m", "core", *words])


def last_words(made: Prepared, files: list[str]) -> str:
    """The hints and the old tool's time with its caveat, a line each."""
    return "\n".join([*(f"- {one}" for one in hints(made, files)), f"- Time: {spoken(seconds(made))}. {TIME_CAVEAT}"])
