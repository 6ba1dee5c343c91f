"""What is asked of a version: filters, columns by name, and the files that have to be read for them.

A question reads the file whose columns it names, and joins table and numbers by position only when it names both, which
is right because they have as many rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import StudioError
from core.io import numbers, store
from core.io.database import literal, quoted
from core.version import Version

MEASURES = numbers.MEASURES
"""Names that mean a number beside the table, unless the table has a column of that name."""


@dataclass(frozen=True)
class Filter:
    """Rows to keep; all given conditions must hold."""

    column: str = ""
    """A column of the table, or one of MEASURES."""
    low: float | None = None
    high: float | None = None
    """Numbers from low to high, both ends included."""
    outside: bool = False
    """Numbers below low or above high instead."""
    values: tuple[str, ...] = ()
    """One of these texts; "n/a" means missing."""
    search: str = ""
    """A word in any of `columns`, ignoring case."""
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None
    """These row numbers, 0-based."""


class Question:
    """Columns named in one question, and the files they stand in."""

    def __init__(self, version: Version, filters: Sequence[Filter] = (), *columns: str) -> None:
        self.version, self.table = version, False
        self.alone = _beside_alone(version, filters, columns)
        self.beside: list[str] = []  # tokenizers whose numbers are asked for, in order: n0, n1, ...
        self.values: list[Any] = []
        self.parts: list[str] = []
        for part in filters:
            self._keep(part)

    def name(self, column: str) -> str:
        """A column of the table or a measure as SQL; "n_tokens@cl100k_base" are another tokenizer's. StudioError for any other name."""
        if column in self.version.columns:
            self.table = True
            return f"d.{quoted(column)}"
        measure, _, tokenizer = column.partition("@")
        if measure in MEASURES:
            tokenizer = tokenizer or numbers.DEFAULT
            self.beside += [tokenizer] if tokenizer not in self.beside else []
            return f"n{self.beside.index(tokenizer)}.{quoted(measure)}"
        raise StudioError(f"There is no column '{column[:60]}' in {self.version.label}.", title="No such column")

    def number(self, column: str) -> str:
        """The column as a double; null where it is none."""
        kind = self.version.columns.get(column, "number")
        if self.alone and column == self.version.roles.target:
            return self.name("target")
        return f"{'CAST' if kind == 'number' else 'try_cast'}({self.name(column)} AS DOUBLE)"

    def text(self, column: str) -> str:
        return f"CAST({self.name(column)} AS VARCHAR)"

    @property
    def row(self) -> str:
        """The 0-based row number."""
        return "n0.file_row_number" if self.beside and not self.table else "d.file_row_number"

    def source(self, *more: str) -> str:
        """FROM and WHERE; call it when every column is named. `more` are conditions besides the filters."""
        parts = [*self.parts, *more]
        files = [(numbers.ensure(self.version, tokenizer), f"n{place}") for place, tokenizer in enumerate(self.beside)]
        files = [(store.data_path(self.version), "d"), *files] if self.table or not files else files
        read = [f"read_parquet({literal(path)}, file_row_number=true) {alias}" for path, alias in files]
        return f" FROM {' POSITIONAL JOIN '.join(read)}" + (f" WHERE {' AND '.join(parts)}" if parts else "")

    def _keep(self, part: Filter) -> None:
        if part.outside and part.low is not None and part.high is not None:
            name = self.number(part.column)
            self._add(f"({name} < ? OR {name} > ?)", float(part.low), float(part.high))
        elif part.low is not None or part.high is not None:
            for sign, end in ((">=", part.low), ("<=", part.high)):
                self._add(f"{self.number(part.column)} {sign} ?", float(end)) if end is not None else None
        if part.values:
            cell = self.text(part.column)
            cell = f"coalesce({cell}, 'n/a')" if "n/a" in part.values else cell
            self._add(f"{cell} IN ({', '.join('?' * len(part.values))})", *part.values)
        if part.search:
            cased = part.search.lower() != part.search.upper()
            form, sought = ("regexp_matches({}, ?, 'i')", _literally(part.search)) if cased else ("contains({}, ?)", part.search)
            found = [form.format(self.text(name)) for name in part.columns or self.version.roles.text]
            self._add("(" + (" OR ".join(found) or "false") + ")", *[sought] * len(found))
        if part.rows is not None:
            self.table = True
            self._add("d.file_row_number IN (SELECT unnest(?))", list(map(int, part.rows)))

    def _add(self, condition: str, *values: Any) -> None:
        self.parts.append(condition)
        self.values += values


def _literally(text: str) -> str:
    """A pattern of RE2 that matches this very text."""
    return "".join(f"\\x{{{ord(letter):x}}}" if letter.isascii() and not letter.isalnum() else letter for letter in text)


def _beside_alone(version: Version, filters: Sequence[Filter], columns: Sequence[str]) -> bool:
    """Whether a question about measures and a numeric target can be answered beside the table, where the target stands too."""
    target = version.roles.target
    if version.task != "regression" or version.columns.get(target or "") != "number" or "target" in version.columns:
        return False
    if any(part.search or part.values or part.rows is not None for part in filters):
        return False
    asked = {*columns, *(part.column for part in filters)}
    measured = {one for one in asked if one not in version.columns and one.partition("@")[0] in MEASURES}
    return bool(measured) and asked <= {*measured, target}
