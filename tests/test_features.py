"""Engineered features: what is noticed, what is switched off, what is derived, and what a linear model says about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, SettingsError
from core.io import evaluations, store, testing
from core.predict.derived import WAYS, expression, read_made
from core.predict.features import Features, FeaturesLinear
from core.predict.importance import WORDS, permutation
from core.predict.noticed import noticed
from core.predict.trees import Boosting, Forest
from core.predict.vectors import Word2VecLinear
from core.prediction import Examples, examples
from core.version import Roles
from tests.doubles import frame, version

ROLES = Roles(text=("title",), target="price", category="kind", time="day", features=("watts", "colour", "weight"))


def rows(n: int = 60) -> Examples:
    colours = ["red", "blue", "green"]
    table = pd.DataFrame({
        "title": [f"Acme lamp {i} weighs {1 + i % 4} kg{'' if i % 3 else ' wireless'}" for i in range(n)],
        "price": [10.0 + 5 * (i % 3 == 0) + i % 4 for i in range(n)],
        "kind": ["lamp" if i % 2 else "pump" for i in range(n)],
        "day": [f"2020-0{1 + i % 9}-11" for i in range(n)],
        "watts": [None if i % 5 == 0 else f"{i % 7 * 100:,}" for i in range(n)],
        "colour": [colours[i % 3] for i in range(n)],
        "weight": [float(i) for i in range(n)],
    })  # fmt: skip
    return examples(table, ROLES, "regression")


def test_every_feature_the_rows_have_is_noticed_with_its_coverage() -> None:
    train = rows()
    found = {one.name: one.coverage(one.read(train)) for one in noticed(train)}
    assert list(found) == ["weight", "rank", "length", "numbers", "capitals", "marks", "day (date)", "watts", "weight (column)", "category",
                           "brand", "colour"]  # fmt: skip
    assert found["weight"] == found["length"] == found["category"] == 1.0
    assert found["rank"] == 0.0
    assert found["watts"] == pytest.approx(0.8)


def test_what_is_switched_off_gives_no_column() -> None:
    train = rows()
    every, fewer = Features().fit(train), Features(off=("colour", "weight", "day (date)")).fit(train)
    assert set(every.names_) - set(fewer.names_) == {
        "weight (log)", "weight given", "day (date): year", "day (date): month", "day (date): weekday",
        "colour: red", "colour: green", "colour: blue",
    }  # fmt: skip
    assert fewer.transform(train).shape == (60, len(fewer.names_)) == (60, len(fewer.of_))
    with pytest.raises(SettingsError, match=r"no feature 'colr'.*colour"):
        Features(off=("colr",)).fit(train)
    with pytest.raises(SettingsError, match="switched off"):
        Features(off=tuple(one.name for one in noticed(train))).fit(train)


def columns(made: str, train: Examples | None = None) -> dict[str, list[float]]:
    train = train or rows()
    fitted = Features(off=tuple(one.name for one in noticed(train)), made=(made,)).fit(train)
    return dict(zip(fitted.names_, fitted.transform(train).T.tolist(), strict=True))


def test_numbers_truths_and_texts_can_be_derived() -> None:
    assert columns('wireless = contains(title, "wireless")')["wireless"][:4] == [1.0, 0.0, 0.0, 1.0]
    watts = columns("log watts = log(1 + number(watts))")
    assert list(watts) == ["log watts", "log watts given"]
    assert watts["log watts given"][:3] == [0.0, 1.0, 1.0]
    assert watts["log watts"][0] == np.median([np.log1p(i % 7 * 100) for i in range(60) if i % 5])
    assert set(columns("shade = lower(colour)")) == {"shade: red", "shade: green", "shade: blue"}
    assert columns("length of all = len(text)")["length of all"][0] == len(rows().text[0])
    assert list(columns("len(title) > 5")) == ["len(title) > 5"]


def test_rows_that_came_later_are_read_as_the_train_rows_were() -> None:
    train = rows()
    fitted = Features(made=("w = number(watts)", "c = colour")).fit(train)
    later = train.take([1, 2]).without_targets()
    later.frame["watts"], later.frame["colour"] = [7.0, np.nan], [3.0, None]
    table = dict(zip(fitted.names_, fitted.transform(later).T.tolist(), strict=True))
    assert table["w"][0] == 7.0
    assert table["w given"] == [1.0, 0.0]
    assert table["c: red"] == [0.0, 0.0]
    assert fitted.transform(train.take([])).shape == (0, len(fitted.names_))


@pytest.mark.parametrize(
    ("made", "error", "said"),
    [
        ("x = price * 2", SettingsError, "price, which is not among"),
        ("x = contains(title", SettingsError, "cannot|never closed|At character"),
        ("x =", SettingsError, "no expression"),
        ("x = title + 1", DataError, "title is text, and a number is needed"),
        ('x = __import__("os")', SettingsError, "no function '__import__'"),
    ],
)
def test_what_cannot_be_derived_says_why(made: str, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        FeaturesLinear(made=(made,)).fit(rows())


def test_a_name_is_what_stands_before_the_first_single_equals_sign() -> None:
    assert (read_made("a b = x == 3").name, read_made("a b = x == 3").expression) == ("a b", "x == 3")
    assert read_made("x == 3").name == "x == 3"
    assert read_made('"a=b" in title').expression == '"a=b" in title'
    with pytest.raises(SettingsError, match="called 'a'"):
        FeaturesLinear(made=("a = len(text)", "a = words(text)"))


def test_coefficients_are_standardised_signed_and_named() -> None:
    train = rows(200)
    off = ("length", "capitals", "colour", "weight (column)", "day (date)", "watts")
    told = dict(FeaturesLinear(scale="plain", off=off, made=('wireless = contains(title, "wireless")',)).fit(train).looks_at())
    assert told["wireless"] == pytest.approx(5 * np.std([i % 3 == 0 for i in range(200)]), rel=0.02)
    assert told["weight (log)"] > 0.8
    assert not any(name.startswith("characters") for name in told)


@pytest.mark.parametrize(
    ("way", "word", "first"),
    [
        ("after", "Lamp", 0.0),
        ("before", "KG", 1.0),
        ("number", "", 0.0),
        ("contains", "Wireless", 1.0),
        ("length", "", 32.0),
        ("words", "", 7.0),
        ("missing", "", 0.0),
    ],
)
def test_the_usual_ways_give_expressions_that_read_the_column(way: str, word: str, first: float) -> None:
    made = expression(way, "title", word)
    assert next(iter(columns(f"x = {made}").values()))[0] == first


def test_ways_of_dates_columns_and_odd_words() -> None:
    assert columns(f"x = {expression('year', 'day')}")["x"][0] == 2020.0
    assert columns(f"x = {expression('log', 'weight')}")["x"][1] == pytest.approx(np.log(2))
    assert set(columns(f"x = {expression('category', 'colour')}")) == {"x: red", "x: blue", "x: green"}
    train = rows()
    odd = Examples(train.frame.assign(**{"a b (c)": 'x+y "z" 5'}), train.text, "regression", train.roles, targets=train.targets)
    assert columns(f"x = {expression('after', 'a b (c)', 'X+Y')}", odd)["x"][0] == 5.0
    assert set(WAYS) >= {"after", "before", "number", "log", "contains", "length", "category", "year", "month", "weekday"}
    with pytest.raises(SettingsError, match="needs a word"):
        expression("contains", "title", " ")


def test_shuffling_what_decides_costs_the_most() -> None:
    table = pd.DataFrame({
        "title": [f"thing {i % 3}" for i in range(300)],
        "price": [float(100 * (i % 2)) for i in range(300)],
        "size": [float(i % 2) for i in range(300)],
        "noise": [float(i * 7919 % 13) for i in range(300)],
    })  # fmt: skip
    roles = Roles(text=("title",), target="price", features=("size", "noise"))
    every = examples(table, roles, "regression")
    fitted = Forest(trees=20, scale="plain").fit(every.take(list(range(200))))
    found = permutation(fitted, every.take(list(range(200, 300))))
    assert found[0].name == "size"
    assert found[0].worse == pytest.approx(50, abs=12)
    assert found == permutation(fitted, every.take(list(range(200, 300))))
    assert {one.name for one in found} >= {"noise", "length", "brand", WORDS}
    assert abs(next(one.worse for one in found if one.name == "noise")) < 5
    labels = replace(every, task="classification", targets=tuple("ab"[int(v > 50)] for v in every.targets or ()), labels=("a", "b"))
    told = permutation(Boosting(rounds=20).fit(labels.take(list(range(200)))), labels.take(list(range(200, 300))))
    assert told[0].name == "size"
    assert 0.3 < told[0].worse < 0.7
    with pytest.raises(DataError, match="at least 10"):
        permutation(fitted, every.take([1, 2]))


def test_importances_come_from_validation_rows_and_are_kept_with_the_answers(home) -> None:
    table = frame("regression", 80)
    table["split"] = ["train"] * 50 + ["validation"] * 15 + ["test"] * 15
    one = store.save("V", table, title="Import", task="regression", source_hash="v",
                     roles=Roles(text=("text",), target="answer", category="kind", split="split"))  # fmt: skip
    made = testing.run_predictor("boosting", {"rounds": 20}, one)
    assert made.notes["permutation_rows"] == 15
    assert {name for name, _, _ in made.notes["permutation"]} >= {"category", "brand", "length"}
    table["split"] = ["train"] * 60 + ["test"] * 20
    other = store.save("W", table, title="Import", task="regression", source_hash="w", roles=one.roles)
    assert "permutation" not in testing.run_predictor("boosting", {"rounds": 20}, other).notes


def test_a_choice_of_features_stands_in_the_title_and_the_record(home) -> None:
    one = version("regression")
    chosen = {"off": ["brand", "marks"], "made": ['red = contains(text, "red")']}
    made, usual = testing.run_predictor("features_linear", chosen, one), testing.run_predictor("features_linear", None, one)
    assert made.title == "Linear, features −2 +1"
    assert usual.title == "Linear on features"
    assert made.id != usual.id
    assert next(kept for kept in evaluations.of(one.dataset) if kept.id == made.id).settings == chosen


def test_word2vec_says_which_words_it_weighs() -> None:
    said = [("good", "fine", "great"), ("bad", "poor", "awful")]
    table = pd.DataFrame(
        {"title": [f"{said[i % 2][i % 3]} {said[i % 2][(i + 1) % 3]} film" for i in range(200)], "price": ["up", "down"] * 100}
    )
    fitted = Word2VecLinear(size=20, epochs=30).fit(examples(table, Roles(text=("title",), target="price"), "classification"))
    told = dict(fitted.looks_at())
    assert told["up: great"] > 0 > told["up: awful"]
