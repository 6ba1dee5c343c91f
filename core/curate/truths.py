"""What an expression's parts are for each row: numbers, texts or truths, column by column.

Missing takes part as in SQL: `price > 10` is unknown where there is no price, `not` of unknown is unknown, `and` is false
where one side is false, `or` is true where one side is true. Dividing by zero gives a missing number.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.curate.characters import arrow_texts
from core.curate.formula import Formula, constant
from core.curate.found import DATE_PARTS, date_part, first_numbers, stretches
from core.curate.parse import as_text
from core.errors import DataError
from core.format import short
from core.reading import read_amount

_KINDS = {"text": "text", "number": "a number", "truth": "true or false", "nothing": "nothing"}
_COMPARE = {ast.Eq: "equal", ast.NotEq: "not_equal", ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal"}
_COUNT = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Mod: np.mod}


@dataclass(frozen=True)
class Value:
    """A column of what an expression's part is: numbers (NaN missing), texts (Arrow) or truths with whether they are known."""

    kind: str
    values: Any
    known: Any = None
    single: bool = False
    """A text that is the same in all rows, as an Arrow scalar."""


class Evaluation:
    """One expression over some rows, column by column."""

    def __init__(self, made: Formula, rows: pd.DataFrame) -> None:
        self.made, self.rows = made, rows

    def truth(self, node: ast.expr) -> Value:
        found = self.value(node)
        if found.kind == "nothing":
            return self._unknown()
        if found.kind != "truth":
            raise self._error(
                node, f"{self._named(node)} is {_KINDS[found.kind]}, and true or false is needed", "Compare it with something."
            )
        return found

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.BoolOp(op=op, values=parts):
                return self._joined([self.truth(part) for part in parts], isinstance(op, ast.And))
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                one = self.truth(inner)
                return Value("truth", one.known & ~one.values, one.known)
            case ast.UnaryOp(op=op, operand=inner):
                numbers = self.numbers(inner)
                return Value("number", -numbers if isinstance(op, ast.USub) else numbers)
            case ast.BinOp(op=op, left=left, right=right):
                return self._counted(op, left, right)
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip([left, *others[:-1]], ops, others, strict=True)
                return self._joined([self._compared(one, op, other) for one, op, other in pairs], True)
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._called(name, args)
            case ast.Constant(value=value):
                return self._constant(value)
        return self._column(str(self.made.column(node)))

    def numbers(self, node: ast.expr) -> Any:
        found = self.value(node)
        if found.kind == "nothing":
            return np.full(len(self.rows), np.nan)
        if found.kind != "number":
            hint = f"Write number({self._named(node)})." if found.kind == "text" else "Use a number column."
            raise self._error(node, f"{self._named(node)} is {_KINDS[found.kind]}, and a number is needed", hint)
        return found.values

    def texts(self, node: ast.expr) -> Any:
        """The texts as an Arrow array."""
        import pyarrow as pa

        found = self.value(node)
        if found.kind == "nothing":
            return pa.nulls(len(self.rows), pa.large_string())
        if found.kind != "text":
            raise self._error(node, f"{self._named(node)} is {_KINDS[found.kind]}, and text is needed", "Use a text column.")
        return pa.repeat(found.values, len(self.rows)) if found.single else found.values

    def _column(self, name: str) -> Value:
        column = self.rows[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            return Value("number", column.astype("float64").to_numpy(na_value=np.nan))
        cells = [None if cell is pd.NA or (isinstance(cell, float) and cell != cell) else cell for cell in column.tolist()]
        filled = [cell for cell in cells if cell is not None]
        if not filled:
            return Value("nothing", None)
        if all(isinstance(cell, (bool, np.bool_)) for cell in filled):
            known = np.array([cell is not None for cell in cells], dtype=bool)
            return Value("truth", np.array([bool(cell) for cell in cells], dtype=bool), known)
        return Value("text", arrow_texts([cell if isinstance(cell, str) else as_text(cell) for cell in cells]))

    def _constant(self, value: Any) -> Value:
        import pyarrow as pa

        if isinstance(value, bool):
            return Value("truth", np.full(len(self.rows), value), np.full(len(self.rows), True))
        if isinstance(value, str):
            return (
                Value("text", arrow_texts([value])[0], single=True)
                if value
                else Value("text", pa.scalar("", pa.large_string()), single=True)
            )
        return Value("number", np.full(len(self.rows), float(value)))

    def _joined(self, parts: list[Value], both: bool) -> Value:
        """Truths joined by and (or by or), unknown where the known ones do not decide."""
        if both:
            false = np.logical_or.reduce([one.known & ~one.values for one in parts])
            true = np.logical_and.reduce([one.values for one in parts])
        else:
            false = np.logical_and.reduce([one.known & ~one.values for one in parts])
            true = np.logical_or.reduce([one.values for one in parts])
        return Value("truth", true, true | false)

    def _counted(self, op: ast.operator, left: ast.expr, right: ast.expr) -> Value:
        one, other = self.numbers(left), self.numbers(right)
        with np.errstate(all="ignore"):
            found = _COUNT[type(op)](one, other)
        return Value("number", np.where(np.isfinite(found), found, np.nan))

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Value:
        if isinstance(op, (ast.Is, ast.IsNot)):
            gone = self._missing(left)
            return gone if isinstance(op, ast.Is) else Value("truth", ~gone.values, gone.known)
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self._listed(left, right) if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else self._inside(left, right)
            return found if isinstance(op, ast.In) else Value("truth", found.known & ~found.values, found.known)
        one, other = self.value(left), self.value(right)
        if "nothing" in (one.kind, other.kind):
            return self._unknown()
        if one.kind != other.kind:
            raise self._unlike(left, one.kind, right, other.kind)
        if one.kind == "text":
            import pyarrow.compute as pc

            found = getattr(pc, _COMPARE[type(op)])(one.values, other.values)
            return self._truth(self._spread(found) if one.single and other.single else found)
        values = getattr(np, _COMPARE[type(op)])(one.values, other.values)
        known = one.known & other.known if one.kind == "truth" else ~(np.isnan(one.values) | np.isnan(other.values))
        return Value("truth", values & known, known)

    def _listed(self, left: ast.expr, right: Any) -> Value:
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = [constant(entry) for entry in right.elts]
        one, kind = self.value(left), "text" if isinstance(wanted[0], str) else "number"
        if one.kind == "nothing":
            return self._unknown()
        if one.kind != kind:
            raise self._unlike(left, one.kind, right, kind)
        if kind == "number":
            known = ~np.isnan(one.values)
            return Value("truth", np.isin(one.values, np.array(wanted, dtype=float)) & known, known)
        cells = self.texts(left)
        known = cells.is_valid().to_numpy(zero_copy_only=False)
        hits = pc.is_in(cells, value_set=pa.array(wanted, pa.large_string())).to_numpy(zero_copy_only=False)  # type: ignore[attr-defined]
        return Value("truth", hits & known, known)

    def _inside(self, left: ast.expr, right: ast.expr) -> Value:
        looked = constant(left)
        if not isinstance(looked, str):
            raise self._error(left, "in front of `in` stands no text in quotes", 'Write "word" in text, or category in ("a", "b").')
        return self._found("match_substring", right, looked)

    def _found(self, function: str, node: ast.expr, looked: str) -> Value:
        import pyarrow.compute as pc

        return self._truth(getattr(pc, function)(self.texts(node), looked))

    def _called(self, name: str, args: list[ast.expr]) -> Value:
        import pyarrow.compute as pc

        if name == "missing":
            return self._missing(args[0])
        if name in _SEARCHES:
            return self._found(_SEARCHES[name], args[0], str(constant(args[1])))
        if name == "number":
            return self._read(args[0])
        if name in _NUMERIC:
            return Value("number", _NUMERIC[name](self.numbers(args[0])))
        if name in DATE_PARTS:
            return self._dated(name, args[0])
        texts = self.texts(args[0])
        if name == "find":
            return Value("text", stretches(texts, str(constant(args[1]))))
        if name == "first_number":
            return Value("number", first_numbers(texts))
        if name == "len":
            return self._count(pc.utf8_length(texts))  # type: ignore[attr-defined]
        if name == "words":
            return self._count(pc.count_substring_regex(texts, r"[^\s\p{Z}]+"))  # type: ignore[attr-defined]
        return Value("text", pc.utf8_lower(texts) if name == "lower" else pc.utf8_trim_whitespace(texts))  # type: ignore[attr-defined]

    def _read(self, node: ast.expr) -> Value:
        """Amounts in texts as numbers; missing where there is none."""
        if self.value(node).kind == "number":
            return self.value(node)
        found = [read_amount(cell) for cell in self.texts(node).to_pylist()]
        return Value("number", np.array([np.nan if one is None else one for one in found], dtype="float64"))

    def _dated(self, part: str, node: ast.expr) -> Value:
        """A part of each date; missing where there is none."""
        found = self.value(node)
        if found.kind == "nothing":
            return Value("number", np.full(len(self.rows), np.nan))
        if found.kind == "truth":
            raise self._error(node, f"{self._named(node)} is true or false, and a date is needed", "Use a column of dates.")
        cells = found.values.tolist() if found.kind == "number" else self.texts(node).to_pylist()
        return Value("number", date_part(cells, part))

    def _missing(self, node: ast.expr) -> Value:
        """Whether there is no value; blanks alone are none."""
        import pyarrow.compute as pc

        one, known = self.value(node), np.full(len(self.rows), True)
        if one.kind == "nothing":
            return Value("truth", known.copy(), known)
        if one.kind == "number":
            return Value("truth", np.isnan(one.values), known)
        if one.kind == "truth":
            return Value("truth", ~one.known, known)
        blank = pc.equal(pc.utf8_trim_whitespace(self.texts(node)), "").fill_null(True)  # type: ignore[attr-defined]
        return Value("truth", blank.to_numpy(zero_copy_only=False), known)

    def _count(self, found: Any) -> Value:
        import pyarrow as pa

        return Value("number", found.cast(pa.float64()).fill_null(float("nan")).to_numpy())

    def _spread(self, found: Any) -> Any:
        import pyarrow as pa

        return pa.repeat(found, len(self.rows))

    def _truth(self, found: Any) -> Value:
        known = found.is_valid().to_numpy(zero_copy_only=False)
        return Value("truth", found.fill_null(False).to_numpy(zero_copy_only=False), known)

    def _unknown(self) -> Value:
        return Value("truth", np.full(len(self.rows), False), np.full(len(self.rows), False))

    def _named(self, node: ast.expr) -> str:
        return short(self.made.source(node), 60)

    def _unlike(self, left: ast.expr, one: str, right: ast.expr, other: str) -> DataError:
        text = left if one == "text" else right
        hint = (
            f"Write number({self._named(text)}), or put quotes around the number."
            if {one, other} == {"text", "number"}
            else "Compare like with like."
        )
        return self._error(left, f"{self._named(left)} is {_KINDS[one]}, {self._named(right)} is {_KINDS[other]}", hint)

    def _error(self, node: ast.expr, what: str, wanted: str) -> DataError:
        return DataError(
            f"At character {self.made.place(node)} of the expression: {what}. {wanted}", title="The expression does not fit the table"
        )


def _logarithm(values: Any) -> Any:
    """Natural; missing where the number is not above 0."""
    with np.errstate(all="ignore"):
        return np.where(values > 0, np.log(values), np.nan)


_NUMERIC = {"abs": np.abs, "round": np.round, "log": _logarithm}
_SEARCHES: dict[str, str] = {
    "contains": "match_substring",
    "starts": "starts_with",
    "ends": "ends_with",
    "matches": "match_substring_regex",
}
