"""Types of columns whose cells arrive batch by batch, by the same rule as for a table in memory (see `columns`).

A column is written as what its first cells are while every cell is watched: a cell that does not fit says so at once, and
the whole must be read again with what is known by then. Each kind can only become a wider one, so that ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from core.load.columns import as_text, is_plain, is_whole

if TYPE_CHECKING:
    import pyarrow as pa

NONE, FLAG, WHOLE, NUMBER, TEXT = "none", "flag", "whole", "number", "text"
_DECIMAL = r"^(?:-?(?:0|[1-9][0-9]{0,7})\.[0-9]{1,6}|0|-?[1-9][0-9]{0,13})$"
"""Numbers that are plain for certain; whatever else is left to `is_plain`."""
_WIDEST = 10**15
_TENS = 10 ** np.arange(1, 16, dtype=np.int64)


class Column:
    """What the cells of one column have been so far."""

    def __init__(self, kind: str = NONE) -> None:
        self.kind, self.missing, self.written = NONE, False, kind

    @property
    def needed(self) -> str:
        """What the column has to be written as for all cells so far."""
        if self.kind == NONE:
            return TEXT
        if self.missing and self.kind in (WHOLE, FLAG):
            return NUMBER if self.kind == WHOLE else TEXT
        return self.kind

    def texts(self, column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array | None:
        """Cells of a text file (null where empty) as they are written; None when they do not fit what is written."""
        import pyarrow as pa

        if self.written == TEXT and self.kind == TEXT:
            return column
        cells = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        numbers = self._see_texts(cells) if self.kind != TEXT else None
        if self.written == WHOLE and self._fits() and numbers is not None:
            return numbers
        if self.written == TEXT:
            return cells
        if not self._fits():
            return None
        kind = pa.int64() if self.written == WHOLE else pa.float64()
        try:
            return cells.cast(kind)
        except pa.ArrowInvalid:  # blanks around numbers, a plus sign: Python reads what is plain
            values = [float(cell) if cell is not None and cell.strip() else None for cell in cells.to_pylist()]
            return pa.array(values, pa.float64()).cast(kind)

    def values(self, cells: Sequence[Any]) -> pa.Array | None:
        """Values of JSON or a workbook (None where missing) as they are written; None when they do not fit what is written."""
        import pyarrow as pa

        for cell in cells:
            self._see(NONE if cell is None else _kind(cell))
            self.missing = self.missing or cell is None
        if not self._fits():
            return None
        if self.written == FLAG:
            return pa.array(cells, pa.bool_())
        if self.written in (WHOLE, NUMBER):
            return (
                pa.array(cells, pa.int64())
                if self.written == WHOLE
                else pa.array([c if c is None else float(c) for c in cells], pa.float64())
            )
        return pa.array([c if c is None else as_text(c) for c in cells], pa.large_string())

    def _fits(self) -> bool:
        order = (WHOLE, NUMBER)
        return self.written == TEXT or self.needed == self.written or (
            self.needed in order and self.written in order and order.index(self.needed) <= order.index(self.written)
        ) or (self.kind == NONE and self.written == NUMBER)  # fmt: skip

    def _see(self, kind: str) -> None:
        if kind == NONE or kind == self.kind or self.kind == TEXT:
            return
        numbers = {kind, self.kind} <= {WHOLE, NUMBER}
        self.kind = kind if self.kind == NONE else NUMBER if numbers else TEXT

    def _see_texts(self, cells: pa.Array) -> pa.Array | None:
        """Watches the cells; gives them as numbers where that was found out on the way."""
        pc: Any = import_module("pyarrow.compute")
        self.missing = self.missing or cells.null_count > 0
        filled = cells.drop_null() if cells.null_count else cells
        if self.kind in (NONE, WHOLE) and (numbers := _canonical(filled)) is not None:
            self._see(WHOLE if len(filled) else NONE)
            return numbers if len(numbers) == len(cells) else None
        if len(filled) and not is_plain(filled[0].as_py()) and filled[0].as_py().strip():
            self._see(TEXT)
            return None
        plain = pc.match_substring_regex(filled, _DECIMAL)
        if self.kind == NUMBER and pc.all(plain).as_py():
            return None
        if pc.any(plain).as_py():
            self._see(NUMBER if self.kind == NUMBER or pc.any(pc.match_substring(filled.filter(plain), ".")).as_py() else WHOLE)
        for cell in filled.filter(pc.invert(plain)):
            text = cell.as_py()
            if not text.strip():
                self.missing = True
                continue
            self._see(TEXT if not is_plain(text) else WHOLE if is_whole(text) else NUMBER)
            if self.kind == TEXT:
                break
        return None


def _canonical(cells: pa.Array) -> pa.Array | None:
    """The cells as integers when all are written as a program writes them: 0, 17, -3; not 007 or +3."""
    import pyarrow as pa

    pc: Any = import_module("pyarrow.compute")
    try:
        numbers = cells.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    if not len(cells):
        return numbers
    values = numbers.to_numpy()
    if values.min() <= -_WIDEST or values.max() >= _WIDEST:
        return None
    digits = 1 + np.searchsorted(_TENS, np.abs(values), side="right") + (values < 0)
    return numbers if np.array_equal(pc.binary_length(cells).to_numpy(), digits) else None


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, int):
        return WHOLE if abs(value) < 2**53 else TEXT
    if isinstance(value, float):
        return NUMBER if value - value == 0 else TEXT
    return TEXT


def arrow_type(kind: str) -> pa.DataType:
    """How a column of a kind is stored."""
    import pyarrow as pa

    return {FLAG: pa.bool_(), WHOLE: pa.int64(), NUMBER: pa.float64()}.get(kind, pa.large_string())
