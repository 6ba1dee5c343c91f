"""Replies and cells as people and models write them."""

from __future__ import annotations

import time

import pytest

from core.reading import read_amount, read_answer, read_first_number, read_label, read_number

NUMBERS = {
    "49.99": 49.99, "$49": 49, "Price is $49.00": 49, "The price is 49 dollars.": 49, "49.99 USD": 49.99, "US$1,299.00": 1299,
    "1,299": 1299, "１２": 12, "₩15,000": 15000, "15,000원": 15000, "1만 5천원": 15000, "가격은 3만원입니다": 30000, "1억 2천만 원": 120e6,
    "2천만": 20e6, "1.299,00 €": 1299, "12,50 €": 12.5, "5 million": 5e6, "$2.5 billion": 2.5e9, "3k": 3000, "$1.2M": 1.2e6, "$5m": 5e6,
    "5m": 5, "-5": -5, "−5": -5, "The change is -3.5 degrees": -3.5, "-$5": -5, "$-5": -5, "- $49.99": 49.99, "1e3": 1000,
    "1.5e-3": 0.0015, ".5": 0.5, "about 20": 20, "~20": 20, "3 items at $49.99": 49.99, "iPhone 13 costs $699": 699,
    "It is $49. Yes, $49.00": 49, "**$49**": 49, '{"price": 49.99}': 49.99, '{"price": 49.99, "confidence": 0.8}': 49.99,
    '```json\n{"answer": "$12.50"}\n```': 12.5, "<think>maybe 30 or 40</think>35": 35, "20%": 20, "49.": 49, "10-20 pack, $30": 30,
    "a 3-pack for $20": 20, "0": 0, "$0.00": 0,
}  # fmt: skip
UNREAD_NUMBERS = [
    "", "   ", "no idea", "nan", "inf", "$10-20", "$10–$20", "$10 - $20", "10 to 20", "10~20", "10-20", "between 10 and 20", "49 or 50",
    "$49.99 (was $59.99)", "4.5/5", "2024-01-05", "Price is $", '{"low": 1, "high": 2}', "{}", "12,5", "1,2999", "<think>it is 5", "9e999",
    "twenty dollars",
]  # fmt: skip


@pytest.mark.parametrize(("reply", "value"), NUMBERS.items())
def test_one_number_is_read(reply: str, value: float) -> None:
    assert read_number(reply).value == pytest.approx(value)


@pytest.mark.parametrize("reply", UNREAD_NUMBERS)
def test_what_is_not_one_number_is_unread_with_a_reason_and_never_zero(reply: str) -> None:
    reading = read_number(reply)
    assert reading.value is None
    assert reading.reason


CELLS = {
    "12.5": 12.5, "$12.50": 12.5, "1,299": 1299, "１２": 12, "-5": -5, "+3": 3, "12,50": 12.5, "1.234,56 €": 1234.56, "3만원": 30000,
    "$ 12": 12, "12 USD": 12, "1e3": 1000, "2k": 2000, 7: 7, 2.5: 2.5,
    "from 12.99": None, "None": None, "": None, "12.99 - 15": None, "inf": None, "nan": None, True: None, "12 kg": None, "1,29": 1.29,
    "12,5": None, "5 stars": None, "3/4": None, "12.5.1": None,
}  # fmt: skip


@pytest.mark.parametrize(("cell", "value"), CELLS.items())
def test_a_cell_is_an_amount_as_a_whole_or_nothing(cell: object, value: float | None) -> None:
    assert read_amount(cell) == (pytest.approx(value) if value is not None else None)


STARS = ("1", "2", "3", "4", "5")
MOODS = ("negative", "neutral", "positive")
LABELS = [
    ("4", STARS, "4"), ("4.0", STARS, "4"), ("4 stars", STARS, "4"), ("4 out of 5", STARS, "4"), ("4/5", STARS, "4"),
    ("I would give it five stars", STARS, "5"), ("Stars: 3", STARS, "3"), ("3.5", STARS, None), ("3-4", STARS, None), ("6", STARS, None),
    ("3 or 4", STARS, None), ("", STARS, None), ("-1", ("-1", "0", "1"), "-1"), ("The sentiment is 1.", ("-1", "0", "1"), "1"),
    ("Positive", MOODS, "positive"), ("It is **positive**.", MOODS, "positive"), ("positive, not negative", MOODS, "positive"),
    ("not positive", MOODS, None), ("It isn't negative", MOODS, None), ("positive and negative", MOODS, None), ("unsure", MOODS, None),
    ("very good", ("good", "very good"), "very good"), ("good", ("good", "very good"), "good"), ("goodness", ("good", "bad"), None),
    ("긍정입니다", ("긍정", "부정"), "긍정"), ("긍정이 아닙니다", ("긍정", "부정"), None), ("부정", ("긍정", "부정"), "부정"),
    ("A good product", ("A", "B"), None), ("Answer: B", ("A", "B"), "B"), ("(A)", ("A", "B"), "A"), ("C++", ("C", "C++"), "C++"),
    ("Musical_Instruments", ("Appliances", "Musical_Instruments"), "Musical_Instruments"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "labels", "label"), LABELS)
def test_a_label_is_read_when_exactly_one_is_meant(reply: str, labels: tuple[str, ...], label: str | None) -> None:
    assert read_label(reply, labels).value == label


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Paris", "Paris"),
        ("\n\nAnswer: Paris\nbecause", "Paris"),
        ("“서울”", "서울"),
        ("정답: 1989년", "1989년"),
        ("", None),
        ("<think>x</think> ok", "ok"),
    ],
)
def test_a_short_answer_is_the_first_line_that_says_something(reply: str, answer: str | None) -> None:
    assert read_answer(reply).value == answer


def test_decomposed_korean_is_composed() -> None:
    assert read_answer("\u1109\u1165\u110b\u116e\u11af").value == "서울"


def test_the_courses_reader_takes_the_first_number_even_of_a_range() -> None:
    assert read_first_number("$1,010-20").value == 1010
    assert read_first_number("none").value is None


@pytest.mark.parametrize("reply", ["1" * 20_000, "1," * 10_000, "$" * 10_000, "1천" * 5_000, "- " * 10_000, "{" * 5_000, "1-" * 10_000])
def test_endless_replies_are_read_in_no_time(reply: str) -> None:
    start = time.perf_counter()
    read_number(reply), read_label(reply, STARS), read_label(reply, MOODS), read_amount(reply), read_answer(reply)
    assert time.perf_counter() - start < 20
