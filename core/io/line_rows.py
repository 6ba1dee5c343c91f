"""Rows of a large training file, read from its lines when they are asked for; nothing of them is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any, overload

import numpy as np

from core.io.plain_lines import PlainLines
from core.validate.lines import LONGEST, Block, Unreadable, parse
from core.validate.piece import NAMES
from core.validate.places import Places
from core.validate.row_rules import as_chat


class _Lazy(Sequence[Any]):
    """A sequence over lines of a file; `starts` are the bytes at which they begin."""

    def __init__(self, lines: PlainLines, starts: np.ndarray) -> None:
        self.source, self.starts = lines, starts

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return list(self._read(range(*at.indices(len(self)))))
        place = at + len(self) if at < 0 else at
        if not 0 <= place < len(self):
            raise IndexError(at)
        return next(self._read(range(place, place + 1)))

    def __iter__(self) -> Iterator[Any]:
        return self._read(range(len(self)))

    def _read(self, places: range) -> Iterator[Any]:
        self.source.check()
        with open(self.source.path, "rb") as file:
            for place in places:
                yield self.made(place, whole_line(file, int(self.starts[place])))

    def made(self, place: int, line: bytes) -> Any:
        raise NotImplementedError


class Rows(_Lazy):
    """The rows themselves, as `TrainingFile.rows`."""

    def made(self, place: int, line: bytes) -> Any:
        return _block(self.source, line).rows[0]


class Chats(_Lazy):
    """The rows as chat lines, as `Report.chats`; `kinds` as in `core.validate.piece.Piece`."""

    def __init__(self, lines: PlainLines, starts: np.ndarray, kinds: np.ndarray) -> None:
        super().__init__(lines, starts)
        self.kinds = kinds

    def made(self, place: int, line: bytes) -> Any:
        code = int(self.kinds[place])
        return as_chat(_block(self.source, line).rows[0], None if code < 0 else NAMES[code])


class UnreadableLines(_Lazy):
    """What cannot be read, as `TrainingFile.unreadable`."""

    def __init__(self, lines: PlainLines, starts: np.ndarray, numbers: Places) -> None:
        super().__init__(lines, starts)
        self.lines = numbers

    def made(self, place: int, line: bytes) -> Unreadable:
        return parse(line, txt=self.source.txt, first=self.lines[place]).unreadable[0]


def _block(source: PlainLines, line: bytes) -> Block:
    return parse(line, txt=source.txt)


def whole_line(file: IO[bytes], start: int) -> bytes:
    """The line that begins at this byte, with its end; of one that is too long its beginning."""
    file.seek(start)
    line = file.readline(LONGEST + 2)
    return line if len(line) <= LONGEST + 1 else line[: LONGEST + 1] + b"\n"


def lines_between(file: IO[bytes], start: int, end: int, begin: int) -> tuple[int, bytes]:
    """(byte of the first, bytes) of the lines that begin between these bytes of a file whose lines begin at `begin`.

    A line that goes on past `end` is read to its end; of one that is too long, only the beginning is given.
    """
    at = start if start == begin else _next_line(file, start, end)
    if at >= end:
        return at, b""
    file.seek(at)
    data = file.read(end - at)
    if not data.endswith(b"\n"):
        last = data.rfind(b"\n") + 1
        data = data[:last] + whole_line(file, at + last)
    return at, data


def _next_line(file: IO[bytes], start: int, end: int) -> int:
    """Where the first line begins that does not begin before `start`; `end` when there is none before it."""
    file.seek(start - 1)
    at = start - 1
    while at < end and (data := file.read(min(1 << 20, end - at))):
        if (feed := data.find(b"\n")) >= 0:
            return at + feed + 1
        at += len(data)
    return end
