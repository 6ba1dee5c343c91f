"""Which rows are kept while a table is read: those with one of some values in a column, or a number in a range.

Numbers are read as everywhere: "$12.50", "12.5" and "1,299" are numbers, "None" and "from 12.99" are not and leave the row out.
The cells themselves stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.errors import DataError, SettingsError
from core.format import number
from core.reading import read_amount

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Condition:
    """One column, and what its cells have to be."""

    column: str
    values: tuple[str, ...] = ()
    """Exactly one of these, as text; with them the range is not used."""
    low: float | None = None
    """The smallest number that is kept."""
    high: float | None = None
    """The largest number that is kept."""

    def __post_init__(self) -> None:
        if not self.column:
            raise SettingsError("A condition on rows names no column.", title="No column")
        if not self.values and self.low is None and self.high is None:
            raise SettingsError(f"Which rows are kept by {self.column}? Give values, or the ends of a range.", title="No condition")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SettingsError(
                f"{self.column} from {number(self.low)} to {number(self.high)} keeps nothing. Turn the ends round.", title="An empty range"
            )

    @property
    def sentence(self) -> str:
        """ "price from 1 to 999", "store is Acme or Nova" """
        if self.values:
            return f"{self.column} is {' or '.join(self.values)}"
        ends = [f"from {number(self.low)}" if self.low is not None else "", f"to {number(self.high)}" if self.high is not None else ""]
        return f"{self.column} {' '.join(end for end in ends if end)}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Condition | None:
        """None for None: no condition."""
        return cls(**{**data, "values": tuple(data.get("values", ()))}) if data else None


def kept(rows: pa.Table, condition: Condition | None) -> pa.Table:
    """The rows that meet the condition, in their order. Raises DataError when its column is not there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if condition is None:
        return rows
    if condition.column not in rows.column_names:
        raise DataError(
            f"Rows are to be kept by '{condition.column}', which is not a column. There are {', '.join(rows.column_names[:20])}.",
            title="No such column",
        )
    coded = rows.column(condition.column).dictionary_encode().combine_chunks()  # each distinct cell is judged once
    cells = coded.dictionary.to_pylist()
    right = pa.array([_meets(cell, condition) for cell in cells], pa.bool_())
    if not len(right):
        return rows.slice(0, 0)
    return rows.filter(pc.fill_null(right.take(coded.indices), False))


def _meets(cell: object, condition: Condition) -> bool:
    if condition.values:
        return _text(cell) in condition.values
    value = read_amount(cell)
    return value is not None and (condition.low is None or value >= condition.low) and (condition.high is None or value <= condition.high)


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
