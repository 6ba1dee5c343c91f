"""Answers recorded elsewhere: which test row each line answers, what does not fit told by line, and the two readers."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest

from core.errors import DataError, SettingsError
from core.evaluate.joined import lines_of, recorded
from core.io import evaluations, people, prompting, store, testing
from core.prediction import Examples, examples
from core.prompt import Prompt
from core.reply import Reply
from core.version import Roles, Version
from tests.doubles import frame, version


def rows() -> Examples:
    table = pd.DataFrame({"text": ["a lamp", "a pump", "a chair"], "price": [10.0, 20.0, 30.0]})
    return examples(table, Roles(text=("text",), target="price"), "regression")


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False).replace("", None)


def guesses(text: str, **how: Any) -> list[Any]:
    (one,) = recorded(table(text), "mine.csv", rows(), **how)
    return [None if value != value else value for value in one.answers.sort_values("index")["guess"].tolist()]


def test_rows_are_known_by_place_by_id_or_by_position() -> None:
    assert guesses("index,guess\n2,31\n0,11\n1,21\n") == [11.0, 21.0, 31.0]
    assert guesses("id,guess\nc,31\na,11\nb,21\n", ids=["a", "b", "c"]) == [11.0, 21.0, 31.0]
    assert guesses("sku,guess\n7,31\n5,11\n", ids=[5.0, 6.0, 7.0], id_column="SKU") == [11.0, 31.0]
    assert guesses("prediction\n11\n21\n31\n") == [11.0, 21.0, 31.0]
    assert guesses("index,guess\nc,31\na,11\n", ids=["a", "b", "c"]) == [11.0, 31.0]
    two = recorded(table("model,guess\nx,1\ny,2\nx,3\ny,4\nx,5\ny,6\n"), "two.csv", rows())
    assert [(one.title, one.answers["guess"].tolist()) for one in two] == [("x", [1.0, 3.0, 5.0]), ("y", [2.0, 4.0, 6.0])]


@pytest.mark.parametrize(
    ("text", "how", "why"),
    [
        ("guess\n1\n2\n", {}, "holds 2 answers of mine for 3 test rows"),
        ("guess\n1\n2\n3\n4\n", {}, "holds 4 answers of mine for 3 test rows"),
        ("index,guess\n0,1\n7,2\n", {}, r"1 line is of no test row: line 3 \('7'\); the test split has the places 0 to 2"),
        (
            "index,guess\n0,1\n-1,2\n9,2\n8,2\n7,1\n",
            {},
            r"4 lines are of no test row: line 3 \('-1'\), line 4 \('9'\), line 5 \('8'\) and 1 more",
        ),
        ("id,guess\na,1\nz,2\n", {"ids": ["a", "b", "c"]}, r"line 3 \('z'\); the test rows have ids such as a, b"),
        ("index,guess\n0,1\n1,1\n0,2\n", {}, "line 4 answers the test row 0 again, after line 2"),
        ('index,guess,truth\n0,"a\nb",10\n0,2,10\n', {}, "line 4 answers the test row 0 again, after line 2"),
        ("index,guess,truth\n0,1,10\n1,2,99\n", {}, "the truth on line 3 is '99', in this version it is '20.0'"),
        ("index,price\n0,1\n", {}, "a column named guess"),
        ("index,guess\n", {}, "at least one row"),
    ],
)
def test_what_does_not_fit_is_told_by_line(text: str, how: dict[str, Any], why: str) -> None:
    with pytest.raises(DataError, match=why):
        recorded(table(text), "mine.csv", rows(), **how)


def test_the_strict_reader_never_guesses_and_the_first_number_reader_is_labelled_and_gives_0_where_there_is_none() -> None:
    text = 'index,raw\n0,3 items at $49.99\n1,"$1,010-20"\n2,no idea\n'
    assert guesses(text) == [49.99, None, None]
    assert guesses(text, reader="first-number") == [3.0, 1010.0, 0.0]
    (one,) = recorded(table(text), "week six.csv", rows(), reader="first-number")
    assert one.title == "week six (first number)"
    assert one.answers["raw"].tolist()[2] == "no idea"
    assert guesses("index,guess\n0,Price is $12.50\n1,\n") == [12.5, None]
    with pytest.raises(SettingsError, match="strict or first-number"):
        guesses(text, reader="lucky")


def test_lines_are_those_of_the_file() -> None:
    assert lines_of(pd.DataFrame({"a": ["x", "y\nz", None, "w"], "b": ["1", "2\n3", "4", "5"]})) == [2, 3, 6, 7]


def saved_with_ids() -> Version:
    made = frame("regression").assign(sku=lambda t: [f"K{i}" for i in range(len(t))])
    roles = Roles(text=("text",), target="answer", id="sku", split="split")
    return store.save("Ids", made, title="Import", roles=roles, task="regression", source_hash="ids")


@pytest.mark.usefixtures("home")
def test_a_versions_own_ids_join_the_rows_and_the_evaluation_stands_beside_the_others() -> None:
    one = saved_with_ids()
    test = testing.test_rows(one)
    ids = people.test_ids(one) or []
    answers = pd.DataFrame({"sku": ids[::-1], "guess": [str(value) for value in (test.targets or ())[::-1]]})
    (made,) = people.save_recorded(one, answers, "colleague.csv")
    assert made.answers["guess"].tolist() == list(test.targets or ())
    assert made.test_id == testing.run_predictor("constant_median", None, one).test_id
    with pytest.raises(DataError, match="no test row"):
        people.save_recorded(one, answers.assign(sku="K0"), "colleague.csv")


@pytest.mark.usefixtures("home")
def test_kept_replies_are_read_again_without_asking_anybody() -> None:
    one = version("regression")
    replies = ["between $10 and $20", "about 15", "none"] * 4

    def complete(requests: Any, **how: Any) -> list[Reply]:
        return [Reply(replies[place], 10, 3, 0.1) for place in range(len(requests))]

    made = prompting.run_prompted(one, Prompt(user="Price?\n$text"), complete, title="Old model")
    again = people.read_again(one, made.id, "first-number")
    assert again.title == "Old model (first number)"
    assert again.answers["guess"].tolist() == [10.0, 15.0, 0.0] * 4
    assert list(evaluations.load(made.id).answers["status"]) == ["unread", "ok", "unread"] * 4
    with pytest.raises(DataError, match="kept no reply"):
        people.read_again(one, testing.run_predictor("constant_median", None, one).id, "first-number")
