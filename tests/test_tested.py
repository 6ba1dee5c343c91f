"""Any Python function under the tester: what it is given, what is counted, what is said."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from core.errors import DataError, ModelError
from core.evaluate import test as measured
from core.evaluate.metrics import value_of
from core.evaluate.recorded import from_long

ROWS = [{"title": f"thing {n}", "weight": n, "price": 10.0 * n} for n in range(1, 41)]


def price(row: dict[str, Any]) -> float:
    return row["weight"] * 10.0 + 5


def test_a_function_of_one_row_is_measured_and_never_sees_the_target() -> None:
    seen: list[dict[str, Any]] = []

    def guess(row: dict[str, Any]) -> float:
        seen.append(row)
        return price(row)

    found = measured(guess, ROWS, target="price")
    assert found.task == "regression"
    assert found.metrics["mae"].value == pytest.approx(5.0)
    assert next(iter(found.metrics)) == "mae"
    assert found.n == len(seen) == 40
    assert all("price" not in row and row["text"] for row in seen)


def test_a_function_of_all_rows_is_called_once() -> None:
    calls = []

    def guess(rows: list[dict[str, Any]]) -> list[float]:
        calls.append(len(rows))
        return [price(row) for row in rows]

    assert measured(guess, pd.DataFrame(ROWS), target="price").metrics["mae"].value == pytest.approx(5.0)
    assert calls == [40]


def test_an_exception_is_a_counted_failure_of_its_row() -> None:
    def guess(row: dict[str, Any]) -> float:
        return price(row) if row["weight"] > 10 else row["nothing"]

    found = measured(guess, ROWS, target="price")
    assert len(found.failures) == 10
    assert found.failures[0] == (0, "KeyError: 'nothing'")
    assert found.coverage == pytest.approx(0.75)
    assert found.metrics["mae"].value > measured(price, ROWS, target="price").metrics["mae"].value
    assert "10 rows failed, first row 0: KeyError" in str(found)


def test_a_function_that_fails_everywhere_or_answers_too_few_is_told() -> None:
    with pytest.raises(ModelError, match="failed on every one of 40 test rows"):
        measured(lambda row: row["nothing"], ROWS, target="price")
    with pytest.raises(ModelError, match="gave 1 answers to 40 rows"):
        measured(lambda rows: [1.0], ROWS, target="price")


def test_texts_are_read_as_replies_are() -> None:
    found = measured(lambda row: f"Price is ${price(row):,.2f}", ROWS, target="price")
    assert found.metrics["mae"].value == pytest.approx(5.0)
    unread = measured(lambda row: "$10-20", ROWS, target="price")
    assert unread.coverage == 0.0


def test_the_rows_are_drawn_by_lot_and_the_same_every_time() -> None:
    a, b = (measured(price, ROWS, 10, target="price").answers["index"].tolist() for _ in range(2))
    assert a == b
    assert len(a) == 10
    assert a != list(range(10))


def test_labels_and_answers_are_measured_too() -> None:
    rows = [{"text": f"{word} {n}", "stars": label} for n in range(10) for word, label in (("good", "5"), ("bad", "1"))]
    found = measured(lambda row: "5" if "good" in row["text"] else "1", rows, target="stars", task="classification")
    assert found.metrics["accuracy"].value == 1.0
    facts = [{"text": "capital of France", "answer": "Paris"}, {"text": "capital of Italy", "answer": "Rome"}]
    assert measured(lambda row: "Paris", facts, target="answer", task="qa").metrics["exact_match"].value == 0.5


def test_its_answers_can_be_imported_as_recorded_ones() -> None:
    found = measured(price, ROWS, target="price")
    one = from_long(found.answers, "regression")[0]
    from core.evaluate.answers import answers_of

    assert one.title == "price"
    assert value_of("mae", answers_of(one)) == pytest.approx(5.0)


def test_printing_shows_values_intervals_and_rows() -> None:
    told = str(measured(price, ROWS, target="price"))
    assert told.startswith("price: 40 rows, 100.0% of the answers could be read")
    assert "Average miss" in told


@pytest.mark.parametrize(
    ("rows", "target", "why"),
    [([], "price", "no row"), (ROWS, "cost", "have no 'cost'.*title, weight, price"), ([{"price": 1.0}], "price", "nothing but 'price'")],
)
def test_rows_that_cannot_be_tested_are_told(rows, target, why) -> None:
    with pytest.raises(DataError, match=why):
        measured(price, rows, target=target)
