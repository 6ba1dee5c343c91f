"""Baselines, features and what models look at, on the page: chosen, derived, measured, and in shapes that strain the views."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from core.io import evaluations, store, testing
from core.version import Roles, Version, digest
from tests.doubles import frame, version
from tests.test_baselines_page import button, page, words

VIEWS = ("Confusion", "How sure", "By category", "What it looks at", "Worst rows", "More rows")
NUMBERS = ("Guess and truth", "Residuals", "By category", "What it looks at", "Worst rows", "More rows")


def test_features_are_switched_off_derived_measured_and_remembered(home) -> None:
    one = version("regression")
    at = page(one.dataset)
    noticed = at.pills(key=f"baselines_noticed_{one.id}")
    assert {"weight", "length", "category", "brand"} <= {option.split(" ")[0] for option in noticed.options}
    noticed.set_value(["length", "category"]).run()
    at.selectbox(key="baselines_way").set_value("contains").run()
    at.text_input(key="baselines_word").set_value("fine").run()
    assert "contains fine" in "\n".join(block.value for block in at.code)
    button(at, "Add feature").click().run()
    assert not at.exception
    assert "contains fine" in words(at)
    assert at.text_input(key="baselines_word").value == ""
    assert not at.error
    for pills in at.pills:
        if "classical" in str(pills.key):
            pills.set_value(["features_linear"]).run()
        elif "trivial" in str(pills.key):
            pills.set_value([]).run()
    button(at, "Run 1 baseline").click().run()
    (made,) = evaluations.of(one.dataset)
    assert made.settings["made"] == ['contains fine = contains(lower(text), "fine")']
    assert {"brand", "weight"} <= set(made.settings["off"])
    assert made.title.startswith("Linear, features −")
    at = page(one.dataset)
    assert at.pills(key=f"baselines_noticed_{one.id}").value == ["length", "category"]
    button(at, "Remove").click().run()
    assert not at.exception
    assert "contains(lower(text)" not in "\n".join(str(m.value) for m in at.markdown)


def test_an_expression_that_does_not_fit_says_why_and_cannot_be_added(home) -> None:
    at = page(version("regression").dataset)
    at.selectbox(key="baselines_way").set_value("own").run()
    at.text_input(key="baselines_expression").set_value("answer * 2").run()
    assert not at.exception
    assert "which is not among" in words(at)
    assert "Add feature" not in [one.label for one in at.button]


def looked(one: Version, name: str, settings: dict[str, Any] | None = None) -> str:
    testing.run_predictor(name, settings, one)
    at = page(one.dataset)
    at.segmented_control(key="baselines_view").set_value("What it looks at").run()
    assert not at.exception
    return words(at).replace("\\", "")


def test_each_model_says_on_which_scale_it_learnt(home) -> None:
    one = version("regression")
    scale = "log answer" if testing.run_predictor("bow_linear", None, one).notes["log"] else "answer as it is, not its logarithm"
    assert f"Learnt on {scale}, chosen on held-out train rows." in looked(one, "bow_linear")
    assert "Learnt on log answer." in looked(version("regression", label="Other"), "bow_linear", {"scale": "log"})


def test_trees_show_what_shuffling_validation_rows_costs_and_the_silent_say_so(home) -> None:
    assert "shuffled among 12 validation rows" in looked(version("regression"), "boosting", {"rounds": 10})
    assert "train rows most like each row" in looked(version("classification", label="Near"), "neighbours")


def shaped(targets: list[Any], test: list[Any], task: str, **more: Any) -> Version:
    table = pd.DataFrame({"text": [f"word{i % 7} thing {i}" for i in range(len(targets) + len(test))], "answer": targets + test})
    table["split"] = ["train"] * len(targets) + ["test"] * len(test)
    return store.save("Shaped", table, title="Import", task=task, source_hash=digest([targets, test]),
                      roles=Roles(text=("text",), target="answer", split="split"), **more)  # fmt: skip


LONG = [f"a label that is very long indeed, number {i}, with [marks](http://evil.example) and $1 and $2" for i in range(30)]


@pytest.mark.parametrize(
    ("train", "test"),
    [(LONG * 4, LONG), (["up", "down"] * 20, ["up"] * 6), (["up", "down"] * 20, ["never seen"] * 5), (["up", "down"] * 20, ["up"])],
    ids=["thirty long labels", "one label in test", "a label only in test", "one test row"],
)
def test_every_view_of_labels_holds(home, train: list[Any], test: list[Any]) -> None:
    one = shaped(train, test, "classification")
    testing.run_predictor("tfidf_linear", None, one)
    at = page(one.dataset)
    for view in VIEWS:
        at.segmented_control(key="baselines_view").set_value(view).run()
        assert not at.exception, view


@pytest.mark.parametrize(
    ("train", "test"),
    [([5.0] * 40, [5.0] * 6), ([float(i) for i in range(40)], [3.0]), ([-float(i) for i in range(40)], [0.0, -1e9, 1e9])],
    ids=["constant", "one test row", "negative and enormous"],
)
def test_every_view_of_numbers_holds(home, train: list[Any], test: list[Any]) -> None:
    one = shaped(train, test, "regression")
    for name in ("features_linear", "constant_group"):
        testing.run_predictor(name, None, one)
    at = page(one.dataset)
    for view in NUMBERS:
        at.segmented_control(key="baselines_view").set_value(view).run()
        assert not at.exception, view
        assert "nan" not in words(at).lower().split()


def test_the_label_whose_words_are_shown_can_be_chosen(home) -> None:
    one = version("classification")
    testing.run_predictor("bow_linear", None, one)
    at = page(one.dataset)
    at.segmented_control(key="baselines_view").set_value("What it looks at").run()
    label = next(box for box in at.selectbox if str(box.key).startswith("baselines_label_"))
    assert set(label.options) == set(frame("classification")["answer"])
    label.set_value(label.options[-1]).run()
    assert not at.exception
    assert f"speaks more for {label.options[-1]}" in words(at)
