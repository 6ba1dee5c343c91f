"""Every number for people: unit, size, absence."""

import pytest

from core import format as fmt


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (fmt.money(44.06), "$44.1"), (fmt.money(1240.4), "$1,240"), (fmt.money(-5.7), "−$5.7"), (fmt.money(999.6), "$1,000"), (fmt.money(0.5), "$0.5"),
        (fmt.cost(0.42), "$0.42"), (fmt.cost(0.0006), "$0.0006"), (fmt.cost(0), "free"), (fmt.cost(None), "free"), (fmt.cost(None, local="local"), "local"),
        (fmt.cost(12345), "$12,345"), (fmt.cost(0.00000731), "$0.000007"),
        (fmt.share(0.58, 292), "58 %"), (fmt.share(0.7512, 1000), "75.1 %"), (fmt.share(0.75, 20), "15 of 20"), (fmt.share(float("nan")), "n/a"),
        (fmt.p_value(0.0004), "p < 0.001"), (fmt.p_value(0.0042), "p = 0.004"), (fmt.p_value(0.5), "p = 0.50"),
        (fmt.count(2331), "2,331"), (fmt.tokens(312_400), "312k"), (fmt.tokens(1_120_000), "1.1 M"),
        (fmt.duration(0.0004), "0.4 ms"), (fmt.duration(0.00001), "< 0.1 ms"), (fmt.duration(0.096), "96 ms"), (fmt.duration(41), "41 s"), (fmt.duration(231), "3 min 51 s"),
        (fmt.duration(7800), "2 h 10 min"), (fmt.duration(45.3, about=True), "about 45 s"), (fmt.duration(138, about=True), "about 2 min"),
        (fmt.duration(0.01, about=True), "about 1 s"), (fmt.duration(None), "n/a"),
        (fmt.interval(41.94, 46.4, "usd"), "41.9 – 46.4"), (fmt.interval(1.9, 9.6, "usd", prose=True), "[1.9, 9.6]"), (fmt.interval(0.31, 0.6, "share"), "31 – 60"),
        (fmt.interval(-0.8, 2.7, "number", prose=True), "[−0.800, 2.70]"),
        (fmt.size(1 << 31), "2.0 GiB"), (fmt.size(412_000), "412 kB"), (fmt.date("2027-01-06"), "6 January 2027"),
        (fmt.plural(1, "row"), "1 row"), (fmt.plural(2914, "row"), "2,914 rows"), (fmt.short("x" * 40), "x" * 21 + "…"),
        (fmt.number(0), "0"), (fmt.number(1240.2), "1,240"), (fmt.number(0.0312), "0.0312"), (fmt.metric("usd", None), "n/a"),
    ],
)  # fmt: skip
def test_numbers_read_as_the_style_says(told, wanted):
    assert told == wanted


@pytest.mark.parametrize(
    ("column", "cells", "unit"),
    [("price", [], "usd"), ("가격", [], "usd"), ("target", ["$3", "$4.50"], "usd"), ("stars", [1, 2], "number")],
)
def test_a_target_is_money_by_its_name_or_its_cells(column, cells, unit):
    assert fmt.unit_of(column, cells) == unit


def test_names_that_begin_alike_are_shortened_so_that_they_differ() -> None:
    assert fmt.apart(["short", "longer than that is"], 10) == ["short", "longer th…"]
    assert fmt.apart([f"Complaint about group {i}: delivery" for i in (1, 2)], 10) == ["…1: deliv…", "…2: deliv…"]
    assert fmt.apart(["same text here", "same text here"], 8) == ["same te…", "same te…"]
    assert fmt.apart([], 8) == []
