"""Any Python function under the tester: what it is given, what is counted, what is said."""

from __future__ import annotations

import functools
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, MissingError, ModelError, SettingsError
from core.evaluate import test as measured
from core.evaluate.metrics import value_of
from core.evaluate.recorded import from_long
from core.io.own_predictor import load
from core.predict.own import Own, read

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


def test_numbers_and_texts_of_numpy_and_pandas_are_answers_and_tables_are_not() -> None:
    labels = ("1", "2")
    for said, value in ((np.float32(12.5), 12.5), (np.int64(12), 12.0), (np.array(3.0), 3.0), (np.str_("$12.50"), 12.5), (7, 7.0)):
        assert read("regression", said).value == value
    for said in (None, float("nan"), np.nan, pd.NA, pd.NaT, float("inf"), True, [1.0], {"price": 1.0}, np.array([1.0]), b"12"):
        found = read("regression", said)
        assert (found.value, found.status) == (None, "unread"), said
        assert found.note
    assert read("classification", np.int64(2), labels).value == "2"
    assert read("classification", 2.0, labels).value == "2"
    assert read("classification", 9, labels).note == "none of the labels"
    assert "list" in read("qa", ["Mira"]).note
    assert read("qa", 1923).value == "1923"


def test_a_row_that_hangs_is_a_counted_failure_and_three_in_a_row_end_the_asking() -> None:
    asked: list[int] = []
    never = threading.Event()

    def slow(row: dict[str, Any]) -> float:
        asked.append(row["weight"])
        if row["weight"] == 2 or row["weight"] > 5:
            never.wait(30)
        return 1.0

    found = measured(slow, ROWS, target="price", seconds=0.05)
    never.set()
    assert asked == [1, 2, 3, 4, 5, 6, 7, 8]
    assert found.failures[0] == (1, "no answer within 0.05 s")
    assert len(found.failures) == 1 + 35
    assert found.answers["status"].tolist()[:3] == ["ok", "timeout", "ok"]
    assert found.coverage == pytest.approx(4 / 40)
    with pytest.raises(ModelError, match="TimeoutError: no answer within"):
        measured(lambda rows: threading.Event().wait(30) or [], ROWS[:4], target="price", seconds=0.01)


def test_all_rows_are_answered_in_one_thread_and_leaving_is_a_failure_of_its_row() -> None:
    threads = set()

    def leaves(row: dict[str, Any]) -> float:
        threads.add(threading.get_ident())
        return sys.exit(3) if row["weight"] == 4 else 10.0

    found = measured(leaves, ROWS, target="price")
    assert len(threads) == 1
    assert found.failures == ((3, "SystemExit: 3"),)


def test_what_is_no_plain_function_is_refused_with_the_way_out() -> None:
    async def later(row: dict[str, Any]) -> float:
        return 1.0

    def one_by_one(row: dict[str, Any]) -> Any:
        yield 1.0

    with pytest.raises(SettingsError, match=r"asyncio.run\(later\(row\)\)"):
        measured(later, ROWS, target="price")
    with pytest.raises(SettingsError, match="is a generator"):
        measured(one_by_one, ROWS, target="price")
    with pytest.raises(SettingsError, match="not a function"):
        Own(3)  # type: ignore[arg-type]

    def all_of_them(rows: list[dict[str, Any]]) -> Any:
        for row in rows:
            yield price(row)

    assert measured(all_of_them, ROWS, target="price").metrics["mae"].value == pytest.approx(5.0)
    assert measured(functools.partial(lambda extra, row: price(row) + extra, 5.0), ROWS, target="price").metrics["mae"].value == 10.0
    assert Own(functools.partial(price)).title == "price"


def test_a_file_of_ones_own_may_hold_dataclasses_neighbours_and_prints(tmp_path: Path) -> None:
    (tmp_path / "helping_prices.py").write_text("FACTOR = 10.0\n")
    (tmp_path / "mine.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom helping_prices import FACTOR\n\n"
        "@dataclass\nclass Item:\n    weight: float\n\ndef cost(row):\n    print('looking')\n    return Item(row['weight']).weight * FACTOR\n"
    )
    title, predictor = load(f"{tmp_path / 'mine.py'}:cost")
    assert title == "cost"
    assert isinstance(predictor, Own)
    assert predictor.function({"weight": 2}) == 20.0
    with pytest.raises(MissingError, match="has no 'dear'"):
        load(f"{tmp_path / 'mine.py'}:dear")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(ModelError, match="ZeroDivisionError"):
        load(f"{tmp_path / 'broken.py'}:cost")
