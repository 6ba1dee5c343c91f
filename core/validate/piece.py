"""Some rows of a training file, examined by themselves: what the whole is later put together from, small enough to travel.

Two things about the whole file change how a row is seen: its format (which settles rows that could be of two) and the stem of
its answers. Both are guessed from a sample first (`Guess`); where the whole turns out otherwise, the rows are looked at again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from core.validate import chat
from core.validate.accounting import Count, Tokens, count_tokens
from core.validate.answers import Pair, folded, identity, is_empty, pairs_of, shown_value, stem_of, without_value
from core.validate.chat import Findings
from core.validate.formats import FORMATS, detect, kind_of, settled
from core.validate.pictures import has_image
from core.validate.preference import is_hosted_shape
from core.validate.row_rules import as_chat, row_problems
from core.validate.stems import Told
from core.validate.talks import talk_of
from core.validate.words import scan, words_of

NAMES = tuple(FORMATS)
_CODES = {name: code for code, name in enumerate(NAMES)}
MOST_VALUES = 200
"""Distinct values of answers up to which words of the question's own wording are told from an answer (see `answers.in_prompt`)."""


@dataclass(frozen=True)
class Guess:
    """What a row is seen by besides itself."""

    format: str
    stem: str = ""


@dataclass(frozen=True)
class Rules:
    """How rows are looked at."""

    model: str
    limit: int
    rules: str = "current"
    """current, classic, or tokens: nothing but counted."""
    held: bool = False
    """Whether questions are compared with those of other files."""


@dataclass(frozen=True)
class Pairs:
    """Questions and answers as fingerprints: arrays of one length."""

    places: np.ndarray
    question: np.ndarray
    """uint64, as are the next two."""
    example: np.ndarray
    """Question, answer and what else tells examples apart."""
    answer: np.ndarray
    """Question and answer."""
    answered: np.ndarray
    """bool: whether there is an answer in words."""
    folded: np.ndarray
    """uint64 of the question as leaks compare it; empty unless asked for."""


@dataclass(frozen=True)
class Piece:
    """What some rows hold. Positions count these rows from 0."""

    rows: int
    raw: np.ndarray
    """int8: each row's own format as a position in NAMES, -1 without one."""
    kinds: np.ndarray
    """The same, settled by the format guessed."""
    findings: Mapping[tuple[int, str], np.ndarray]
    """(number of the source, type) -> int32 positions."""
    tokens: Tokens
    pairs: Pairs | None = None
    told: Told | None = None
    shown: tuple[np.ndarray, np.ndarray, tuple[str, ...]] = field(default=(np.empty(0, np.int32), np.empty(0, np.int16), ()))
    """Answers that stand in their question: position, number of the value or -1 beyond MOST_VALUES, the values."""
    images: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    """Positions of rows with a picture."""
    unhosted: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    """Positions of preference rows that have not the shape of hosted jobs."""


def examine(rows: Sequence[Any], count: Count, rules: Rules, guess: Guess) -> Piece:
    """One look at these rows."""
    raw = [kind_of(row) for row in rows]
    kinds = [settled(row, kind, guess.format) for row, kind in zip(rows, raw, strict=True)]
    if rules.rules == "classic":
        found = {(0, name): _int32(places) for name, places in chat.classic(rows).items()}
        return Piece(len(rows), codes(raw), codes(kinds), found, _small(count_tokens(rows, count, rules.limit, rules.model, tools=False)))
    talks = [None if kind in ("chat", None) else talk_of(row, kind) for row, kind in zip(rows, kinds, strict=True)]
    if rules.rules == "tokens":
        chats = [as_chat(row, kind, talk) for row, kind, talk in zip(rows, kinds, talks, strict=True)]
        return Piece(len(rows), codes(raw), codes(kinds), {}, _small(count_tokens(chats, count, rules.limit, rules.model)))
    chats = [as_chat(row, kind, talk) for row, kind, talk in zip(rows, kinds, talks, strict=True)]
    pairs = pairs_of(chats, rows)
    texts = [words_of(line, talk.rejected if talk else None) for line, talk in zip(chats, talks, strict=True)]
    answers = {
        "empty_answer": [pair.place for pair in pairs if is_empty(pair)],
        "answer_without_information": without_value(pairs, guess.stem),
    }
    shapes = [shape_of(row) if kind == "chat" else None for row, kind in zip(rows, kinds, strict=True)]
    sources = (_problems(rows, kinds, shapes, chats, talks), answers, scan(texts))
    return Piece(
        len(rows), codes(raw), codes(kinds),
        {(i, name): _int32(places) for i, source in enumerate(sources) for name, places in source.items() if places},
        _small(count_tokens(chats, count, rules.limit, rules.model)),
        _prints(pairs, rules.held),
        Told.of([pair.answer for pair in pairs if pair.answer is not None]),
        _shown(pairs, guess.stem),
        _int32([place for place, line in enumerate(chats) if shapes[place] is None and has_image(line)]),
        _int32([i for i, kind in enumerate(kinds) if kind == "preference" and not is_hosted_shape(rows[i])]),
    )  # fmt: skip


def shape_of(row: Any) -> tuple[tuple[str, bool], ...] | None:
    """(role, whether anything is said) of each message of a chat row of nothing but texts; None of any other row."""
    if len(row) != 1:
        return None
    shape = []
    for message in row["messages"]:
        if not isinstance(message, dict) or len(message) != 2:
            return None
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or not isinstance(content, str):
            return None
        shape.append((role, content != ""))
    return tuple(shape)


def _problems(
    rows: Sequence[Any], kinds: Sequence[str | None], shapes: Sequence[Any], chats: Sequence[Any], talks: Sequence[Any]
) -> Findings:
    """What `row_rules.rows_problems` finds. Rules of form do not read the words, so rows of one shape are looked at once."""
    found: Findings = defaultdict(list)
    known: dict[Any, list[str]] = {}
    for place, shape in enumerate(shapes):
        names = known.get(shape) if shape is not None else None
        if names is None:
            names = [name for name, _ in row_problems(rows[place], kinds[place], chats[place], talks[place])]
            if shape is not None:
                known[shape] = names
        for name in names:
            found[name].append(place)
    return found


def guessed(rows: Sequence[Any], rules: Rules) -> Guess:
    """Format and stem by some rows from all over the file."""
    detection = detect(rows)
    if rules.rules == "classic":
        return Guess(detection.format)
    pairs = pairs_of([as_chat(row, kind) for row, kind in zip(rows, detection.kinds, strict=True)], rows)
    return Guess(detection.format, stem_of([pair.answer for pair in pairs if pair.answer is not None]))


def held_questions(rows: Sequence[Any], guess: str) -> np.ndarray:
    """uint64 fingerprints of the questions of rows that shall not be trained on; `guess` is their file's format."""
    chats = [as_chat(row, settled(row, kind, guess)) for row in rows if (kind := kind_of(row))]
    return np.unique(prints([folded(pair.question) for pair in pairs_of(chats)]))


def codes(kinds: Sequence[str | None]) -> np.ndarray:
    """int8 positions in NAMES."""
    return np.array([-1 if kind is None else _CODES[kind] for kind in kinds], dtype=np.int8)


def prints(texts: Sequence[str]) -> np.ndarray:
    """uint64 fingerprints: two of a million different texts share one in 1 of 40 million files."""
    return np.frombuffer(b"".join(_print(text.encode("utf-8", "surrogatepass")) for text in texts), dtype=np.uint64)


def _print(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def _prints(pairs: Sequence[Pair], held: bool) -> Pairs:
    questions, answers, examples = [], [], []
    for question, answer, rest in map(identity, pairs):
        asked = _print(question.encode("utf-8", "surrogatepass"))
        told = asked if answer is None else _print(asked + answer.encode("utf-8", "surrogatepass"))
        questions.append(asked)
        answers.append(told)
        examples.append(_print(told + rest.encode("utf-8", "surrogatepass")) if rest else told)
    return Pairs(
        _int32([pair.place for pair in pairs]),
        np.frombuffer(b"".join(questions), dtype=np.uint64),
        np.frombuffer(b"".join(examples), dtype=np.uint64),
        np.frombuffer(b"".join(answers), dtype=np.uint64),
        np.array([pair.answer is not None for pair in pairs], dtype=bool),
        prints([folded(pair.question) for pair in pairs]) if held else np.empty(0, np.uint64),
    )


def _shown(pairs: Sequence[Pair], stem: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    numbers: dict[str, int] = {}
    places, which = [], []
    for pair in pairs:
        if value := shown_value(pair, stem):
            places.append(pair.place)
            which.append(numbers.setdefault(value, len(numbers)) if value in numbers or len(numbers) <= MOST_VALUES else -1)
    return _int32(places), np.array(which, dtype=np.int16), tuple(numbers)


def _small(tokens: Tokens) -> Tokens:
    """The same in int32."""
    made: dict[str, Any] = {name: _int32(value) if isinstance(value, np.ndarray) else value for name, value in vars(tokens).items()}
    return Tokens(**made)


def _int32(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.int32)


def shifted(pieces: Sequence[Piece]) -> dict[tuple[int, str], np.ndarray]:
    """The findings of all pieces, positions counted through."""
    found: dict[tuple[int, str], list[np.ndarray]] = defaultdict(list)
    before = 0
    for piece in pieces:
        for key, places in piece.findings.items():
            found[key].append(places + before)
        before += piece.rows
    return {key: np.concatenate(parts).astype(np.int32) for key, parts in sorted(found.items())}
