"""A large training file checked in one pass: pieces of it in worker processes, their findings put together here.

The report is the one a small file gets (`core.validate.report`), but its rows stay on disk. Memory: a piece for each worker, and
here about a hundred bytes a row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.io.counting import count_of
from core.io.crew import Crew
from core.io.line_rows import Chats, Rows, UnreadableLines, lines_between
from core.io.plain_lines import PlainLines
from core.io.spawning import Spawned
from core.io.tokens import ENCODINGS, counter
from core.io.word_counting import by_words
from core.validate.accounting import Count, Tokens
from core.validate.encodings import encoding_of, is_local
from core.validate.lines import Notes, parse
from core.validate.merging import merged, settled_guess, tokens_of
from core.validate.piece import Guess, Piece, Rules, examine, guessed
from core.validate.places import Places
from core.validate.reading import TrainingFile
from core.validate.report import Report

PIECE = 1 << 20
"""Bytes of lines that are looked at together."""
_SAMPLES, _SAMPLE = 16, 64 << 10
Say = Callable[[int, int, dict[str, int]], None]
"""Called with bytes done, bytes in all, and findings so far (type -> occurrences); it may raise to stop."""


@dataclass(frozen=True)
class Part:
    """A piece with what ties it to the file; numbers of lines count from 1 within it."""

    piece: Piece
    lines: np.ndarray
    starts: np.ndarray
    """int64: the byte of each row's line."""
    bad_lines: np.ndarray
    bad_starts: np.ndarray
    repeated: np.ndarray
    notes: Notes
    all_lines: int


def check_lines(
    source: PlainLines,
    rules: Rules,
    *,
    held: np.ndarray | None = None,
    numbers: np.ndarray | None = None,
    workers: int | None = None,
    piece: int = PIECE,
    say: Say | None = None,
) -> Report:
    """The report of a file of lines. `held` are fingerprints of questions it must not hold (`piece.held_questions`).

    `numbers` are the rows' numbers where those of the lines mean nothing. `workers` is the number of processes (default: one a
    core); 1 works in this one. Raises StudioError when one is killed.
    """
    spans = _spans(source, piece)
    guess = _guess(source, rules)
    made: list[Part] = []
    for _ in range(3):
        made = list(_all(source, rules, guess, spans, workers or os.cpu_count() or 1, say))
        true = settled_guess([part.piece for part in made])
        if true == guess:
            break
        guess = true
    return _report(source, made, rules, guess, held, numbers)


def _report(
    source: PlainLines, made: Sequence[Part], rules: Rules, guess: Guess, held: np.ndarray | None, numbers: np.ndarray | None
) -> Report:
    notes, above, below = Notes(), 0, 0
    lines, bad, repeated = [], [], []
    for part in made:
        notes = notes.then(part.notes, above)
        lines.append(part.lines + above)
        bad.append(part.bad_lines + above)
        repeated.append(part.repeated + below)
        above, below = above + part.all_lines, below + part.piece.rows
    starts = np.concatenate([part.starts for part in made])
    unreadable = UnreadableLines(source, np.concatenate([part.bad_starts for part in made]), Places(np.concatenate(bad)))
    rows = Rows(source, starts)
    told = (*source.notes, *notes.sentences())
    counted = np.concatenate(lines) if numbers is None else numbers[np.concatenate(lines) - 1]
    file = TrainingFile(rows, Places(counted), unreadable, told, source.size, Places(np.concatenate(repeated)))
    kinds = np.concatenate([part.piece.kinds for part in made])
    chats = Chats(source, starts, kinds) if rules.rules == "current" else rows
    return merged([part.piece for part in made], file, chats, rules, guess, held)


def counted(made: Report, model: str, limit: int, *, workers: int | None = None) -> Tokens | None:
    """Tokens of a large report's rows as another model counts them; None of a report whose rows are in memory."""
    if not isinstance(made.chats, Chats):
        return None
    source = made.chats.source
    source.check()
    guess = Guess(made.detection.format)
    parts = _all(source, Rules(model, limit, "tokens"), guess, _spans(source, PIECE), workers or os.cpu_count() or 1, None)
    return tokens_of([part.piece for part in parts])


def _spans(source: PlainLines, piece: int) -> list[tuple[int, int]]:
    return [(start, min(start + piece, source.end)) for start in range(source.begin, max(source.end, source.begin + 1), piece)]


def _guess(source: PlainLines, rules: Rules) -> Guess:
    """Format and stem by lines from all over the file."""
    rows: list[Any] = []
    width = source.end - source.begin
    with open(source.path, "rb") as file:
        for start in sorted({source.begin + width * i // _SAMPLES for i in range(_SAMPLES)}):
            data = lines_between(file, start, min(start + _SAMPLE, source.end), source.begin)[1]
            if len(data) <= PIECE:
                rows += parse(data, txt=source.txt).rows
    return guessed(rows, rules)


def _all(source: PlainLines, rules: Rules, guess: Guess, spans: Sequence[tuple[int, int]], workers: int, say: Say | None) -> Iterator[Part]:
    """The parts in the order of the file."""
    found: dict[str, int] = {}
    total = source.end - source.begin
    task = Task(source.path.as_posix(), source.begin, source.txt, rules)
    parts = _here(task, guess, spans) if workers <= 1 or len(spans) == 1 else _spread(task, guess, spans, min(workers, len(spans)))
    with closing(parts):
        for part, (_, end) in zip(parts, spans, strict=True):
            for (_, name), places in part.piece.findings.items():
                found[name] = found.get(name, 0) + len(places)
            if len(part.bad_lines):
                found["unreadable_line"] = found.get("unreadable_line", 0) + len(part.bad_lines)
            if say:
                say(end - source.begin, total, found)
            yield part


@dataclass(frozen=True)
class Task:
    """What a worker needs besides the bytes it reads."""

    path: str
    begin: int
    txt: bool
    rules: Rules


def _here(task: Task, guess: Guess, spans: Sequence[tuple[int, int]]) -> Generator[Part]:
    count = _count(task.rules)
    return (part_of(task, count, guess, span) for span in spans)


def _spread(task: Task, guess: Guess, spans: Sequence[tuple[int, int]], workers: int) -> Generator[Part]:
    with Crew(workers, Spawned(), _ready, task) as crew:
        yield from crew.in_order(_away, ((guess, span) for span in spans), len(spans))


def part_of(task: Task, count: Count, guess: Guess, span: tuple[int, int]) -> Part:
    """The lines that begin in a span of bytes, read and examined."""
    with open(task.path, "rb") as file:
        at, data = lines_between(file, *span, task.begin)
    block = parse(data, txt=task.txt)
    return Part(
        examine(block.rows, count, task.rules, guess),
        np.array(block.lines, dtype=np.int32),
        np.array(block.starts, dtype=np.int64) + at,
        np.array([one.line for one in block.unreadable], dtype=np.int32),
        np.array(block.bad_starts, dtype=np.int64) + at,
        np.array(block.repeated, dtype=np.int32),
        Notes.of(block),
        block.all_lines,
    )


def _count(rules: Rules) -> Count:
    if rules.rules == "classic":
        return by_words(counter("cl100k_base"))
    hosted = not is_local(rules.model) and encoding_of(rules.model)[0] in ENCODINGS
    return by_words(count_of(rules.model)) if hosted else count_of(rules.model)


_WORKER: dict[str, Any] = {}


def _ready(task: Task) -> None:
    """Runs first in each worker: the tokenizer is loaded once."""
    _WORKER.update(task=task, count=_count(task.rules))


def _away(guess: Guess, span: tuple[int, int]) -> Part:
    return part_of(_WORKER["task"], _WORKER["count"], guess, span)
