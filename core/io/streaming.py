"""Files of any size to one Parquet file, piece by piece: memory stays small, types and rows are those of the small reader.

Every column is written as what the first rows say it is while all its cells are watched. A cell that does not fit ends the
writing, the rest is read for its types only, and a second pass writes what is true of all rows. Reading goes on in a thread
of its own while a piece is written. Rejects go to a Parquet file of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.io import pieces
from core.io.parquet import Rejects, Rows
from core.io.parts import Place
from core.io.pieces import Piece
from core.load import decoding, inference, shapes
from core.load.delimited import Reject
from core.load.inference import Column
from core.load.read import ReadOptions
from core.load.roles import ALIASES
from core.version import SPLITS

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int, int, str], None]
PASSES = 4
"""Types, a guessed encoding and a late system message can each ask for one more reading."""


@dataclass
class Streamed:
    """What was written."""

    rows: int = 0
    rejected: int = 0
    first: list[Reject] = field(default_factory=list)
    splits: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()
    encoding: str = ""
    """Of the first part where it was found out later than by its first megabyte."""
    passes: int = 1


class _AgainError(Exception):
    """Read once more, with what is known now."""

    def __init__(self, why: str, known: _Known) -> None:
        self.why, self.known = why, known


@dataclass(frozen=True)
class _Known:
    """What an earlier pass has learnt."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    encodings: Mapping[str, str] = field(default_factory=dict)
    """Part -> its encoding, where a byte far down showed that the first ones misled."""
    system: bool = False
    """Whether conversations have a system message somewhere."""


def stream(
    place: Place, options: ReadOptions, target: Path, rejects: Path, *, split: str | None = None, progress: Progress | None = None
) -> Streamed:
    """Write all rows of a place to `target` and what could not be read to `rejects` (no file when there is none).

    `split` names a column whose values become train, validation and test. `progress(done, total, message)` counts bytes of
    the files. Raises DataError as the reader of small files does, and when there is no row.
    """
    known, message = _Known(), "Reading"
    for number in range(1, PASSES + 1):
        one = _Pass(place, options, known, split)
        try:
            made = one.run(target, rejects, (lambda done, m=message: progress(done, place.size, m)) if progress else None)
            made.passes = number
            return made
        except _AgainError as again:
            known, message = again.known, f"Reading again: {again.why}"
        except pieces.WrongByteError as wrong:
            encoding = decoding.decode(wrong.part, wrong.sample)[1]
            if options.encoding or encoding.startswith("utf-8") or wrong.part in known.encodings:
                raise
            known = replace(known, encodings={**known.encodings, wrong.part: encoding})
            message = f"Reading again as {decoding.shown(encoding)}"
    raise AssertionError("a pass that knows every cell needs no other")


class _Pass:
    """One reading of all parts."""

    def __init__(self, place: Place, options: ReadOptions, known: _Known, split: str | None) -> None:
        self.place, self.options, self.known, self.split = place, options, known, split
        self.columns = {name: Column(kind) for name, kind in known.kinds.items()}
        self.fixed = pieces.schema_of(place)
        self.why = ""
        self.system = known.system
        self.shape: shapes.Shape | None = None
        self.shaped: Counter[str] = Counter()
        self.made = Streamed()

    def run(self, target: Path, rejects: Path, progress: Callable[[int], None] | None) -> Streamed:
        output, bad, before = Rows(target), Rejects(rejects), 0
        try:
            for part in self.place.parts:
                for piece in _ahead(pieces.of(part, self.options, self.known.encodings.get(part.name))):
                    bad.add(piece.rejects, part.name if len(self.place.parts) > 1 else None)
                    table = self._table(piece, part.marks) if piece.cells is not None and not self._full() else None
                    if table is not None and table.num_rows:
                        output.write(table)
                        self.made.rows += table.num_rows
                    if progress:
                        progress(before + piece.at)
                    if self._full():
                        break
                before += part.path.stat().st_size
            self._check()
        finally:
            output.close()
            bad.close()
        self.made.rejected, self.made.first = bad.rows, bad.first
        self.made.encoding = next((self.known.encodings.get(part.name, "") for part in self.place.parts), "")
        self.made.notes = (*self.place.notes, *(shapes.notes(self.shape, self.shaped, self.made.rows) if self.shape else ()))
        return self.made

    def _full(self) -> bool:
        return bool(self.options.rows) and self.made.rows >= (self.options.rows or 0)

    def _table(self, piece: Piece, marks: Mapping[str, str]) -> pa.Table | None:
        """The piece in the columns that are written; None once a cell was met that does not fit."""
        import pyarrow as pa

        cells = piece.cells
        assert cells is not None
        names = list(cells) if isinstance(cells, dict) else cells.column_names
        size = length(cells)
        if self.fixed:
            arrays = {name: _cast(cells[name], kind) if name in names else pa.nulls(size, kind) for name, kind in self.fixed.items()}
        else:
            arrays = self._watched(cells, names, size)
        if arrays is None:
            return None
        arrays |= {name: pa.array([value] * size, pa.large_string()) for name, value in marks.items() if name not in arrays}
        table = pa.table(arrays)
        if self.options.rows:
            table = table.slice(0, self.options.rows - self.made.rows)
        return self._split(self._apart(table))

    def _watched(self, cells: Any, names: list[str], size: int) -> dict[str, Any] | None:
        import pyarrow as pa

        text = isinstance(cells, pa.Table)
        if not self.columns:
            self.columns = {name: Column(self._first(cells[name], text)) for name in names}
        for name in names:
            if name not in self.columns:
                self.columns[name] = Column(inference.TEXT)
                self.columns[name].missing = True
                self.why = self.why or f"the column {name} begins later"
        arrays: dict[str, Any] = {}
        for name, column in self.columns.items():
            if name not in names:
                arrays[name] = column.values([None] * size)
            elif text:
                arrays[name] = column.texts(cells[name]) if self.options.typed else cells[name]
            else:
                arrays[name] = column.values(cells[name])
            if arrays[name] is None:
                self.why = self.why or f"a later cell of {name} is of another kind"
        return None if self.why else arrays

    def _first(self, cells: Any, text: bool) -> str:
        """What a column is by its first cells."""
        probe = Column()
        if text and not self.options.typed:
            return inference.TEXT
        probe.texts(cells) if text else probe.values(cells)
        return probe.needed

    def _check(self) -> None:
        """Raises _AgainError when what was written is not what all cells need."""
        needed = {name: column.needed for name, column in self.columns.items()}
        wrong = [name for name, column in self.columns.items() if column.written != needed[name]]
        if self.why or wrong:
            raise _AgainError(
                self.why or f"{wrong[0]} is of another kind than its first cells", replace(self.known, kinds=needed, system=self.system)
            )
        if not self.made.rows:
            raise DataError(f"{self.place.name} holds no row that can be read.", title="No line can be read")

    def _apart(self, table: pa.Table) -> pa.Table | None:
        """Conversations and their like taken apart, by what the first piece was recognised as."""
        import pyarrow as pa

        if not self.options.shapes:
            return table
        first = not self.made.rows
        if first:
            self.shape = shapes.find(table.slice(0, 500).to_pandas())
        if self.shape is None or not self.shape.nested:
            return table
        frame = shapes.apart(table.to_pandas(), self.shape, self.shaped)
        spoken = bool(frame["system"].notna().any())
        if first:
            self.system = self.system or spoken
        if spoken and not self.system:
            self.system, self.why = True, "a later conversation has a system message"
            return None
        made = pa.Table.from_pandas(frame if self.system else frame.drop(columns="system"), preserve_index=False)
        return made.replace_schema_metadata(None)

    def _split(self, table: pa.Table | None) -> pa.Table | None:
        import pyarrow as pa

        if table is None or not self.split or self.split not in table.column_names:
            return table
        cells = [None if v is None else str(v).strip().casefold() for v in table.column(self.split).to_pylist()]
        named = [None if one is None else ALIASES.get(one, one) for one in cells]
        self.made.splits.update(name for name in named if name is not None)
        odd = sorted(set(self.made.splits) - set(SPLITS))
        if odd:
            raise DataError(f"{self.split} holds {', '.join(odd[:3])}; train, validation and test are needed. Choose Not used for it.",
                            title="That is not a split")  # fmt: skip
        return table.set_column(table.column_names.index(self.split), self.split, pa.array(named, pa.large_string()))


def length(cells: pa.Table | dict[str, list[Any]]) -> int:
    """Rows of a piece."""
    return len(next(iter(cells.values()))) if isinstance(cells, dict) else cells.num_rows


def _cast(cells: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return cells if cells.type == kind else cells.cast(kind)


def _ahead(source: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, the next one read in a thread while the present one is worked on."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, source, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            yield piece
