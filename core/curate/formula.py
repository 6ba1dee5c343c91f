"""A small language for filters: `price > 10 and len(text) < 500 and category in ("a", "b")`, read and never executed as code.

There are columns (in backquotes where the name is no plain word: `Item Weight`), numbers, texts, True, False and None,
comparisons and their chains, and, or, not, in, not in, is None, + - * / %, and the functions named in FUNCTIONS: `find` is the
first stretch of a text that a pattern matches, `first_number` the first number in a text, `log` the natural logarithm. A text
`in` a column looks for it inside. A backslash in a text is a backslash. Anything else is refused with its place.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass

from core.errors import SettingsError

LONGEST = 4_000
DEEPEST = 60
"""Parts inside parts."""
FUNCTIONS = {
    "len": ("text",), "words": ("text",), "lower": ("text",), "strip": ("text",), "number": ("any",), "abs": ("number",),
    "round": ("number",),
    "contains": ("text", "constant"), "starts": ("text", "constant"), "ends": ("text", "constant"), "matches": ("text", "pattern"),
    "missing": ("any",), "log": ("number",), "find": ("text", "pattern"), "first_number": ("text",),
    "year": ("any",), "month": ("any",), "weekday": ("any",),
}  # fmt: skip
"""Function -> what it is given."""
_QUOTED = re.compile(r"`([^`\n]*)`|\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'")
_PLACEHOLDER = "column_{}_"
_COMPARED = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot)
_COUNTED = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod)
_ALLOWED = "Columns, numbers, texts, comparisons, and, or, not, in, is None, + - * / % and " + ", ".join(FUNCTIONS) + " are known."


@dataclass(frozen=True)
class Formula:
    """An expression that has been read."""

    text: str
    tree: ast.expr
    quoted: tuple[str, ...]
    """Names in backquotes; the tree has them as placeholders."""
    moved: tuple[tuple[int, int], ...]
    """(place in what was read, how many characters the text is longer there)."""

    def column(self, node: ast.expr) -> str | None:
        """The column a node names: a word, words with dots between, or a name in backquotes."""
        if isinstance(node, ast.Attribute):
            front = self.column(node.value)
            return f"{front}.{node.attr}" if front else None
        if not isinstance(node, ast.Name):
            return None
        found = re.fullmatch(r"column_(\d+)_", node.id)
        return self.quoted[int(found[1])] if found and int(found[1]) < len(self.quoted) else self.source(node)

    def columns(self) -> list[str]:
        """Every column it names, in order."""
        found: list[str] = []
        _walk(self, self.tree, found, 0)
        return list(dict.fromkeys(found))

    def place(self, node: ast.AST) -> int:
        """Where a node begins, counted in characters from 1."""
        return self.original(getattr(node, "col_offset", 0)) + 1

    def original(self, at: int) -> int:
        return at + sum(longer for place, longer in self.moved if place < at)

    def source(self, node: ast.expr) -> str:
        """A node as it was written."""
        return self.text[self.original(node.col_offset) : self.original(node.end_col_offset or 0)]


def read_formula(text: str) -> Formula:
    """The expression, checked. Raises SettingsError naming the part and its place."""
    if len(text) > LONGEST:
        raise SettingsError(f"{len(text):,} characters; an expression has at most {LONGEST:,}.", title="The expression is too long")
    quoted: list[str] = []
    moved: list[tuple[int, int]] = []
    shift = 0

    def plain(found: re.Match[str]) -> str:
        nonlocal shift
        if found[1] is None:
            if found.start() and (flat_text[found.start() - 1].isalnum() or flat_text[found.start() - 1] == "_"):
                return found[0]
            moved.append((found.start() + shift, -1))
            shift += 1
            return "r" + found[0]
        name = _PLACEHOLDER.format(len(quoted))
        quoted.append(found[1])
        moved.append((found.start() + shift, len(found[0]) - len(name)))
        shift += len(name) - len(found[0])
        return name

    flat_text = re.sub(r"[\r\n\t]", " ", text)
    flat = _QUOTED.sub(plain, flat_text)
    bare = Formula(text, ast.Constant(True), tuple(quoted), tuple(moved))
    try:
        tree = ast.parse(flat.strip(" "), mode="eval").body
    except SyntaxError as error:
        read = error.offset - 1 if error.offset and error.lineno == 1 else len(flat.strip(" "))
        at = bare.original(read + _led(flat)) + 1
        raise SettingsError(f"At character {at}: {error.msg}. An example: price > 10 and category in (\"a\", \"b\").",
                            title="The expression cannot be read") from error  # fmt: skip
    except (ValueError, RecursionError, MemoryError) as error:
        raise SettingsError(f"{type(error).__name__.replace('Error', '')}: {error}. Write it shorter.",
                            title="The expression cannot be read") from error  # fmt: skip
    made = Formula(text, _counted(tree, flat.strip(" "), _led(flat)), tuple(quoted), tuple(moved))
    _walk(made, made.tree, [], 0)
    return made


def _led(flat: str) -> int:
    return len(flat) - len(flat.lstrip(" "))


def _counted(tree: ast.expr, flat: str, led: int) -> ast.expr:
    """The tree with places in characters, where ast counts bytes."""
    raw = flat.encode()
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset = len(raw[: node.col_offset].decode(errors="ignore")) + led
            node.end_col_offset = len(raw[: node.end_col_offset].decode(errors="ignore")) + led
    return tree


def _walk(made: Formula, node: ast.expr, found: list[str], depth: int) -> None:
    """Check a node and what stands in it; the columns are added to `found`."""
    if depth > DEEPEST:
        raise SettingsError(
            f"At character {made.place(node)}: more than {DEEPEST} parts inside one another.", title="The expression is too deep"
        )
    match node:
        case ast.BoolOp(values=inner):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=one):
            inner = [one]
        case ast.BinOp(op=op, left=left, right=right) if isinstance(op, _COUNTED):
            inner = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=others) if all(isinstance(op, _COMPARED) for op in ops):
            _check_compared(made, node)
            inner = [
                left,
                *(one for op, one in zip(ops, others, strict=True) if not isinstance(op, (ast.Is, ast.IsNot)) and not _list(one)),
            ]
        case ast.Call():
            inner = _check_call(made, node)
        case ast.Constant():
            _check_constant(made, node)
            inner = []
        case _ if (name := made.column(node)) is not None:
            found.append(name)
            inner = []
        case _:
            raise _refused(made, node)
    for one in inner:
        _walk(made, one, found, depth + 1)


def _list(node: ast.expr) -> bool:
    return isinstance(node, (ast.Tuple, ast.List, ast.Set))


def _check_compared(made: Formula, node: ast.Compare) -> None:
    for op, one in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, (ast.Is, ast.IsNot)) and not (isinstance(one, ast.Constant) and one.value is None):
            raise _error(made, one, "behind `is` only None is possible", "Write == to compare values.")
        if isinstance(op, (ast.In, ast.NotIn)) and _list(one):
            entries = one.elts  # type: ignore[attr-defined]
            if not entries or not all(isinstance(_constant(entry), (str, int, float)) for entry in entries):
                raise _error(made, one, "a list holds texts and numbers only, and at least one", 'Write in ("a", "b").')
            if len({isinstance(_constant(entry), str) for entry in entries}) > 1:
                raise _error(made, one, "a list holds texts or numbers, not both", "Put the two into comparisons of their own.")
            for entry in entries:
                _walk(made, entry, [], 0)
        elif _list(one) or _list(node.left):
            raise _error(made, one, "a list can only stand behind `in` and `not in`", 'Write in ("a", "b").')


def _check_call(made: Formula, node: ast.Call) -> list[ast.expr]:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in FUNCTIONS:
        raise _error(made, node, f"there is no function '{name}'", f"There are {', '.join(FUNCTIONS)}.")
    wanted = FUNCTIONS[name]
    if node.keywords or len(node.args) != len(wanted):
        raise _error(made, node, f"{name} is given {len(node.args) + len(node.keywords)} values", f"It takes {len(wanted)}.")
    if len(wanted) == 2:
        from core.curate.characters import check_pattern

        if not isinstance(constant := _constant(node.args[1]), str):
            raise _error(made, node.args[1], f"the second value of {name} is no text in quotes", f'Write {name}(text, "word").')
        if wanted[1] == "pattern":
            check_pattern(constant)
    return node.args[:1]


def _check_constant(made: Formula, node: ast.Constant) -> None:
    value = node.value
    if value is None:
        raise _error(made, node, "None can only stand behind `is` and `is not`", "Write text is None, or missing(text).")
    if not isinstance(value, (str, bool, int, float)):
        raise _refused(made, node)
    if not isinstance(value, (str, bool)) and (abs(value) > 1e300 or math.isnan(value)):
        raise _error(made, node, "this number is too large", "Numbers go up to 1e300.")


def _constant(node: ast.expr) -> object:
    """The value of a constant, also of -5; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(value := _constant(node.operand), (int, float)):
        return -value
    return node.value if isinstance(node, ast.Constant) and not isinstance(node.value, bool) else None


def constant(node: ast.expr) -> object:
    """The value of a checked constant of a list or a call."""
    return _constant(node)


def _refused(made: Formula, node: ast.expr) -> SettingsError:
    return _error(made, node, f"'{made.source(node)[:60]}' is not possible in an expression", _ALLOWED)


def _error(made: Formula, node: ast.expr, what: str, wanted: str) -> SettingsError:
    return SettingsError(f"At character {made.place(node)}: {what}. {wanted}", title="The expression cannot be read")
