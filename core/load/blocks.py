"""A large CSV block by block: fast where a block is clean, exact where it is not.

A block whose quotes open and close as they should and whose lines all fit is turned into columns by Arrow; any other block
goes through the strict reader of small files (`delimited`), so that every line ends as a row or a reject with its physical
line number, whichever way it took. Text is UTF-8 here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.load.delimited import LONGEST_CELL_LINES, Reject, fitted, records

if TYPE_CHECKING:
    import pyarrow as pa

_ALONE = "\x1f"
_CACHED = 1 << 20
"""Bytes that Arrow takes at once: what fits a processor's cache is read a third faster."""
_QUOTE, _FEED, _RETURN = 34, 10, 13


@dataclass
class Piece:
    """What one block gave."""

    table: pa.Table | None
    """Text columns (large_string, empty cells null); None when the block held no row."""
    rejects: list[Reject] = field(default_factory=list)


@dataclass
class Blocks:
    """Reads blocks in order; what is left of one is read with the next."""

    columns: tuple[str, ...]
    separator: str
    quotes: str
    line: int = 0
    """Physical lines read so far."""
    trailing: int = 0
    blank: int = 0
    """Empty lines met by the exact way (for the account of lines in tests and notes)."""
    rest: bytes = b""

    def feed(self, data: bytes, last: bool = False) -> Iterator[Piece]:
        """The rows of a block; `last` says that the file ends with it. Raises UnicodeDecodeError with the byte's place in `self.rest`."""
        whole = self.rest + data if self.rest else data
        if not whole:
            return
        at, lines, clean = self._clean(whole, last)
        if clean and at:
            table = self._fast(memoryview(whole)[:at], b'"' in whole)
            if table is not None:
                self.line, self.rest = self.line + lines, whole[at:]
                yield Piece(table if table.num_rows else None)
                if last and self.rest:
                    yield from self._exact(self.rest, last)
                return
        self.rest = whole
        if clean and not last and not at:
            return  # one record fills the block so far
        yield from self._exact(whole, last)

    def _clean(self, data: bytes, last: bool) -> tuple[int, int, bool]:
        """(where the last whole record ends, physical lines up to there, whether quotes and line ends are as they should be)."""
        if self.quotes == "backslash":
            return 0, 0, False
        cells = np.frombuffer(data, dtype=np.uint8)
        if b"\r" in data:
            returns = np.flatnonzero(cells == _RETURN)
            if returns[-1] == len(cells) - 1:
                if last:
                    return 0, 0, False
                returns = returns[:-1]
            if (cells[returns + 1] != _FEED).any():
                return 0, 0, False
        if self.quotes == "none" or b'"' not in data:
            at, lines = data.rfind(b"\n") + 1, data.count(b"\n")
            return (len(data), lines + (at < len(data)), True) if last else (at, lines, True)
        feeds = np.flatnonzero(cells == _FEED)
        quotes = np.flatnonzero(cells == _QUOTE)
        before = np.searchsorted(quotes, feeds)
        ends = np.flatnonzero(before % 2 == 0)
        if last and len(quotes) % 2 == 0:
            at, lines, used = len(data), len(feeds) + (not data.endswith(b"\n")), quotes
        elif len(ends):
            at, lines, used = int(feeds[ends[-1]]) + 1, int(ends[-1]) + 1, quotes[: int(before[ends[-1]])]
        else:
            return 0, 0, len(feeds) <= LONGEST_CELL_LINES
        if len(ends) and np.diff(ends, prepend=-1).max() > LONGEST_CELL_LINES:
            return at, lines, False
        return at, lines, self._well_quoted(cells, used)

    def _well_quoted(self, cells: np.ndarray, quotes: np.ndarray) -> bool:
        """Whether every quote opens a cell, closes one, or is doubled inside one."""
        opens, closes = quotes[::2], quotes[1::2]
        mark = ord(self.separator or _ALONE)
        before = cells[opens - 1]
        starts = (opens == 0) | (before == mark) | (before == _FEED)
        starts[1:] |= opens[1:] == closes[:-1] + 1
        after = cells[np.minimum(closes + 1, len(cells) - 1)]
        stops = (closes + 1 == len(cells)) | (after == mark) | (after == _FEED) | (after == _RETURN) | (after == _QUOTE)
        return bool(starts.all() and stops.all())

    def _fast(self, data: memoryview, quotes: bool) -> pa.Table | None:
        """The block as columns; None when a line does not fit or a byte is not UTF-8."""
        import pyarrow as pa
        from pyarrow import csv

        odd: list[int] = []

        def misfit(row: csv.InvalidRow) -> str:
            odd.append(row.actual_columns)
            return "skip"

        quoted = self.quotes == "double" and quotes
        size = len(data) if quoted else min(len(data), _CACHED)
        try:
            table = csv.read_csv(
                pa.BufferReader(pa.py_buffer(data)),
                csv.ReadOptions(column_names=list(self.columns), block_size=size, use_threads=False),
                csv.ParseOptions(
                    delimiter=self.separator or _ALONE, quote_char='"' if quoted else False, double_quote=quoted, newlines_in_values=quoted,
                    invalid_row_handler=misfit,
                ),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(self.columns, pa.large_string()), strings_can_be_null=True, null_values=[""],
                    quoted_strings_can_be_null=True,
                ),
            )  # fmt: skip
        except pa.ArrowInvalid:
            return None
        return None if odd else table

    def _exact(self, data: bytes, last: bool) -> Iterator[Piece]:
        """The strict way, up to a record that the next block may go on with."""
        import pyarrow as pa

        end = len(data) if last else max(data.rfind(b"\n"), -1 if b"\n" in data else data.rfind(b"\r", 0, len(data) - 1)) + 1
        lines = list(io.StringIO(data[:end].decode("utf-8"), newline=""))
        cells: list[list[str]] = []
        rejects: list[Reject] = []
        at = 0
        for first, after, record, problem in records(lines, 0, self.separator, self.quotes):
            if problem and not last and "never closed" in problem and len(lines) - first <= LONGEST_CELL_LINES:
                break  # it may close in the next block
            at = after
            if not problem and not record:
                self.blank += after - first
                continue
            if not problem:
                record, problem, cut = fitted(record, len(self.columns))
                self.trailing += cut
            if problem:
                rejects.append(Reject(self.line + first + 1, problem, "".join(lines[first:after])[:2000].rstrip("\r\n")))
            else:
                cells.append(record)
        self.line += at
        self.rest = "".join(lines[at:]).encode() + data[end:]
        if cells or rejects:
            turned = [pa.array([cell or None for cell in column], pa.large_string()) for column in zip(*cells, strict=True)]
            yield Piece(pa.Table.from_arrays(turned, names=list(self.columns)) if cells else None, rejects)
