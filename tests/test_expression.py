"""Expressions over columns: what they mean, what a missing value does to them, and what is refused with its place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curate.expression import ExpressionSettings, expression
from core.curate.formula import read_formula
from core.curate.recipe import Recipe, run
from core.curate.steps import describe, make
from core.curate.text import from_yaml
from core.curate.truths import Evaluation
from core.errors import DataError, SettingsError, StudioError
from core.version import Roles

FRAME = pd.DataFrame({
    "price": [5.0, 12.0, np.nan, 40.0, 0.0],
    "text": ["a b", "usb 냄비 hub", None, "", " "],
    "category": ["a", "b", None, "c", "a"],
    "Item Weight": ["2 kg", "3", None, "$4.50", "x"],
    "flag": pd.Series([True, False, None, True, True], dtype=object),
    "가격": [1, 2, 3, 4, 5],
    "empty": pd.Series([None] * 5, dtype=object),
    "details.Brand": list("xyxyx"),
})  # fmt: skip


def kept(text: str, keep: str = "true", frame: pd.DataFrame = FRAME) -> list[int]:
    """Numbers of the rows that stay."""
    told = expression(frame, ExpressionSettings(text, keep))["dropped"].tolist()
    return [row for row, reason in enumerate(told) if reason is None]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("price > 10", [1, 3]),
        ('price > 10 and len(text) < 500 and category in ("a", "b")', [1]),
        ("not price > 10", [0, 4]),
        ("price is None", [2]),
        ("price is not None and price != 5", [1, 3, 4]),
        ('"냄비" in text', [1]),
        ('"usb" not in text', [0, 3, 4]),
        ("missing(text)", [2, 3, 4]),
        ("number(`Item Weight`) >= 3", [1, 3]),
        ("flag", [0, 3, 4]),
        ("not flag", [1]),
        ("flag == False", [1]),
        ("가격 % 2 == 1", [0, 2, 4]),
        ("`가격` > 3 and price / 가격 > 2", [3]),
        ("5 <= price <= 12", [0, 1]),
        ('details.Brand == "x" and category == "a"', [0, 4]),
        ("words(text) >= 2", [0, 1]),
        (r'matches(text, "^u.*\bhub$") or starts(text, "a")', [0, 1]),
        ('lower(strip(category)) != "a"', [1, 3]),
        ('ends(text, "hub") or contains(text, "b")', [0, 1]),
        ("price / 0 > 1 or price == 5", [0]),
        ("abs(price - 10) <= 5 and round(price * 1.04) == 5", [0]),
        ("-price < -10", [1, 3]),
        ("price in (5, -3, 40)", [0, 3]),
        ('category not in ("a", "b")', [3]),
        ("empty == 3", []),
        ('empty is None and not (empty in ("a",) and False)', [0, 1, 2, 3, 4]),
        ("price > 10\nor 가격 == 3", [1, 2, 3]),
        ('"x" == "x"', [0, 1, 2, 3, 4]),
    ],
)
def test_an_expression_keeps_the_rows_for_which_it_is_true(text, rows):
    assert kept(text) == rows
    assert kept(text, "others") == [row for row in range(5) if row not in rows]


def test_the_reason_is_the_part_that_fails_and_unknown_is_told_apart():
    told = expression(FRAME, ExpressionSettings('price > 3 and category in ("a", "b")'))["dropped"].tolist()
    assert told == [None, None, "price > 3 is unknown: a value is missing", 'category in ("a", "b") is false', "price > 3 is false"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price >", "At character 8: invalid syntax"),
        ("  price > 10 and import os", "At character 18"),
        ('__import__("os").system("x")', "At character 1: there is no function"),
        ("가격 > 3 and foo(`Item Weight`)", "At character 12: there is no function 'foo'"),
        ('"한글" in text and `Item Weight` == "\'" and bad(가격)', "At character 43: there is no function 'bad'"),
        ("(lambda: 1)()", "there is no function"),
        ("[x for x in y]", "At character 1: .* is not possible"),
        ("9 ** 9 ** 9 > price", "is not possible"),
        ("price if flag else 1", "is not possible"),
        ('f"{price}" == text', "is not possible"),
        ('b"x" == text', "is not possible"),
        ("text[0]", "is not possible"),
        ("(price := 3) > 1", "is not possible"),
        ("len(text", "never closed"),
        ("len(text, 3) > 1", "len is given 2 values"),
        ("contains(text, category)", "no text in quotes"),
        ('matches(text, "(a")', "cannot be read: missing"),
        ("price == None", "At character 10: None can only stand"),
        ("price is 3", "only None is possible"),
        ("price in ()", "at least one"),
        ('price in ("a", 1)', "not both"),
        ("1e999 > price", "too large"),
        ("price > 1; 3", "At character 10"),
        ("`a", "At character 1"),
        ("not " * 900 + "flag", "more than 60 parts|too|deep"),
        ("(" * 300 + "flag" + ")" * 300, "too many nested"),
        ("x" * 5000, "at most 4,000"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place_before_anything_runs(text, said):
    with pytest.raises(SettingsError, match=said):
        make("expression", expression=text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('flag and price > "a"', 'At character 10 of the expression: price is a number, "a" is text'),
        ("`Item Weight` > 5", "Write number\\(`Item Weight`\\)"),
        ("price and 3 > 1", "price is a number, and true or false is needed"),
        ("text", "Compare it"),
        ("len(price) > 3", "text is needed"),
        ('category in "abc"', "no text in quotes"),
        ("text + 1 > 2", "a number is needed"),
        ('price in ("a",)', "price is a number"),
        ("flag > 1", "flag is true or false, 1 is a number"),
    ],
)
def test_what_does_not_fit_the_columns_is_told_with_its_place(text, said):
    with pytest.raises(DataError, match=said):
        kept(text)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(DataError, match="looks for the column 'prise'"):
        run(FRAME, Roles(), Recipe((make("expression", expression="prise > 3"),)))
    with pytest.raises(DataError, match=r"price\.__class__"):
        run(FRAME, Roles(), Recipe((make("expression", expression="price.__class__ == 3"),)))


def test_an_expression_in_yaml_is_checked_with_its_line():
    with pytest.raises(SettingsError, match=r"Line 2, step 1 \(expression\): At character 3"):
        from_yaml("steps:\n- {name: expression, settings: {expression: 'a b'}}\n")
    assert describe(make("expression")) == "no expression yet: all rows stay"


PARTS = ["price > 10", "flag", "missing(text)", '"a" in text', 'category in ("a",)', "price is None", "가격 < 3"]


@given(
    st.recursive(
        st.sampled_from(PARTS), lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner) | inner.map(lambda one: ("not", one))
    )
)
@settings(deadline=None, max_examples=60)
def test_and_or_and_not_are_those_of_three_values(tree):
    def text(node) -> str:
        return (
            node
            if isinstance(node, str)
            else f"(not {text(node[1])})"
            if len(node) == 2
            else f"({text(node[0])} {node[1]} {text(node[2])})"
        )

    def value(node) -> pd.Series:
        if isinstance(node, str):
            told = expression(FRAME, ExpressionSettings(node))["dropped"].tolist()
            return pd.Series([True if one is None else None if "unknown" in one else False for one in told], dtype="boolean")
        if len(node) == 2:
            return ~value(node[1])
        return value(node[0]) & value(node[2]) if node[1] == "and" else value(node[0]) | value(node[2])

    assert kept(text(tree)) == np.flatnonzero(value(tree).fillna(False).to_numpy(dtype=bool)).tolist()


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        read_formula(text)
    except StudioError:
        return


def test_expressions_find_stretches_numbers_and_parts_of_dates() -> None:
    rows = pd.DataFrame(
        {"text": ["Power: 1,200 watts", "60 Watt bulb", None, "no [x)"], "day": ["2021-03-04", "March 5, 2020", None, "soon"],
         "stamp": [2019.0, 1.6e9, 1.6e12, float("nan")]}
    )  # fmt: skip

    def value(text: str) -> list[Any]:
        made = read_formula(text)
        found = Evaluation(made, rows).value(made.tree)
        return [None if one != one else one for one in (found.values.to_pylist() if found.kind == "text" else found.values.tolist())]

    assert value(r'find(text, "(?i)([\d,]+) watts?")') == ["1,200 watts", "60 Watt", None, None]
    assert value(r'find(text, "\[([x)]+)")') == [None, None, None, "[x)"]
    assert value("first_number(text)") == [1200.0, 60.0, None, None]
    assert value(r'first_number(find(text, "(?i)[\d,]+ watt"))') == [1200.0, 60.0, None, None]
    assert value("year(day)") == [2021.0, 2020.0, None, None]
    assert value("weekday(day)") == [4.0, 4.0, None, None]
    assert value("year(stamp)") == [2019.0, 2020.0, 2020.0, None]
    assert value("log(first_number(text) - 60)") == [pytest.approx(math.log(1140)), None, None, None]
