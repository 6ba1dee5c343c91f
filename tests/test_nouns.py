"""Task, Prompt, Examples, Roles: what they promise to everybody else."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError, SettingsError
from core.evaluation import drawn
from core.evaluation import test_id as frozen_id
from core.prediction import examples
from core.prompt import Prompt, default_prompt, fill
from core.task import TASKS, labels_of, target_of, targets_of, task
from core.version import Roles, Step, Version, version_id

PRICE = Prompt(user="How much?\n\n$text", prefix="Price is $", decimals=2)


def test_the_test_prompt_is_the_training_prompt_without_the_answer():
    row = {"text": "a hat"}
    asked, taught = PRICE.question(row), PRICE.example(row, 12.5)
    assert taught[:-1] == asked
    assert taught[-1]["content"] == "Price is $12.50"
    assert "12" not in str(asked)


def test_a_dollar_before_no_column_stays_a_dollar():
    assert fill("$5 and $price and $$price and ${a b} $미정", {"price": 3.0, "a b": "x"}) == "$5 and 3 and $3 and x $미정"


def test_a_column_name_inside_a_longer_word_is_not_a_placeholder():
    assert fill("$textile $text", {"text": "x"}) == "$textile x"


@given(st.text(max_size=40))
def test_what_a_row_says_is_never_a_placeholder(cell):
    assert fill("$a|$b", {"a": cell, "b": "$a"}) == f"{cell}|$a"


def test_missing_cells_become_nothing():
    assert fill("[$a][$b]", {"a": None, "b": float("nan")}) == "[][]"


def test_an_empty_prompt_is_refused():
    with pytest.raises(SettingsError, match="empty"):
        Prompt(user="  ")


def test_a_prompt_survives_its_dict_and_refuses_unknown_fields():
    assert Prompt.from_dict(PRICE.to_dict()) == PRICE
    with pytest.raises(SettingsError, match="temperature"):
        Prompt.from_dict({"temperature": 1})


@pytest.mark.parametrize("kind", TASKS)
def test_every_task_has_a_default_prompt_that_shows_the_text_and_hides_the_answer(kind):
    prompt = default_prompt(kind, Roles(text=("title", "body"), target="answer"), ("1", "2"), "usd")
    asked = str(prompt.question({"title": "세탁기", "body": "corpus", "answer": "SECRET"}))
    assert "세탁기" in asked
    assert "corpus" in asked
    assert "SECRET" not in asked


@pytest.mark.parametrize(("kind", "cell", "wanted"), [("regression", "$1,299.00", 1299.0), ("regression", "from 12", None), ("classification", 5.0, "5"),
                                                      ("classification", " good ", "good"), ("qa", None, None), ("qa", float("nan"), None)])  # fmt: skip
def test_a_cell_becomes_a_target(kind, cell, wanted):
    assert target_of(kind, cell) == wanted


def test_an_unreadable_target_names_its_rows():
    with pytest.raises(DataError, match=r"2 of 3 rows \(rows 2, 3\)"):
        targets_of("regression", ["$1", "None", "cheap"], "price")


def test_labels_are_in_numeric_order():
    assert labels_of(["10", "2", "good", "1"]) == ("1", "2", "10", "good")


def test_an_unknown_task_names_the_choices():
    with pytest.raises(SettingsError, match="regression"):
        task("ranking")


def test_examples_hold_neither_target_nor_split():
    frame = pd.DataFrame({"t": ["a"], "price": ["$2"], "split": ["test"], "kind": ["x"], "notes": ["price is $2"]})
    rows = examples(frame, Roles(text=("t",), target="price", category="kind", split="split"), "regression")
    assert list(rows.frame.columns) == ["t", "kind"]
    assert rows.without_targets().targets is None
    assert rows.targets == (2.0,)


def test_the_frozen_rows_change_with_a_text_and_not_with_the_train_rows():
    roles = Roles(text=("t",), target="y")
    one = examples(pd.DataFrame({"t": ["a", "b"], "y": [1, 2]}), roles, "regression")
    two = examples(pd.DataFrame({"t": ["a", "c"], "y": [1, 2]}), roles, "regression")
    assert frozen_id(one) != frozen_id(two)
    assert frozen_id(one) == frozen_id(examples(pd.DataFrame({"t": ["a", "b"], "y": [1, 2]}), roles, "regression"))


def test_a_version_survives_its_dict():
    made = Version("d", "1", 1, "Import", steps=(Step("range", {"low": 1}),), roles=Roles(text=("a",)), prompt=PRICE)
    assert Version.from_dict(made.to_dict()) == made


def test_a_version_without_parent_or_source_has_no_id():
    with pytest.raises(SettingsError):
        version_id(None, [], 0)


def test_rows_that_are_asked_are_drawn_from_the_whole_test_split_and_the_same_for_all() -> None:
    some, more = drawn(1000, 100), drawn(1000, 250)
    assert some == sorted(set(some))
    assert len(some) == 100
    assert set(some) < set(more)
    assert min(sum(place >= 500 for place in rows) / len(rows) for rows in (some, more)) > 0.35
    assert drawn(40, 100) == drawn(40, None) == list(range(40))
