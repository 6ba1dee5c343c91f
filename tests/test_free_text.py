"""ROUGE-L and chrF against published and recomputed values, in English and Korean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluate.answers import make_answers
from core.evaluate.free_text import longest_common, rouge_l
from core.evaluate.intervals import measure
from core.evaluate.metrics import value_of
from core.evaluate.paired import difference

CHRF = [  # sacrebleu 2.5: chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no
    ("the cat sat on the mat", "the cat is on the mat", 64.5779420625287),
    ("서울특별시에 있는 대학교", "서울시에 있는 대학교이다", 55.594035594035596),
    ("hello", "goodbye world", 5.660377358490566),
    ("abc", "abc", 100.0),
]
WHOLE = 47.05239489890914


@pytest.mark.parametrize(("guess", "truth", "percent"), CHRF)
def test_chrf_agrees_with_sacrebleu(guess: str, truth: str, percent: float) -> None:
    assert value_of("chrf", make_answers("chat", [truth], [guess])) * 100 == pytest.approx(percent, abs=1e-9)


def test_chrf_of_several_rows_is_that_of_the_whole_and_not_a_mean() -> None:
    answers = make_answers("chat", [truth for _, truth, _ in CHRF], [guess for guess, _, _ in CHRF])
    assert value_of("chrf", answers) * 100 == pytest.approx(WHOLE, abs=1e-9)
    assert np.mean([percent for _, _, percent in CHRF]) != pytest.approx(WHOLE, abs=1)


def test_rouge_knows_words_in_english_and_characters_in_korean() -> None:
    assert rouge_l("testing", "testing one two") == pytest.approx(0.5)
    assert rouge_l("나는 학교에 간다", "나는 학교에 간다") == 1.0
    assert rouge_l("학교에 간다", "나는 학교에 간다") == pytest.approx(2 * 5 / (5 + 7))
    assert rouge_l("two one", "one two") == pytest.approx(0.5)
    assert rouge_l("", "") == 1.0
    assert rouge_l("", "one") == 0.0


@given(st.lists(st.sampled_from("abcd"), max_size=70), st.lists(st.sampled_from("abce"), max_size=70))
def test_the_longest_common_subsequence_is_that_of_the_plain_table(a: list[str], b: list[str]) -> None:
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            table[i + 1, j + 1] = table[i, j] + 1 if one == other else max(table[i, j + 1], table[i + 1, j])
    assert longest_common(a, b) == table[-1, -1]


def test_the_best_accepted_answer_counts_and_an_unread_one_shares_nothing() -> None:
    answers = make_answers("qa", [("Paris", "the city of Paris"), "Rome"], ["city of Paris", None])
    assert value_of("rouge_l", answers) == pytest.approx(0.5)
    alone = make_answers("qa", [("Berlin", "Paris")], ["Paris"])
    assert value_of("chrf", alone) == 1.0


def test_failing_to_answer_never_improves_chrf() -> None:
    truths, guesses = ["one two three", "four five six", "seven"], ["one two", "four six", "eleven"]
    whole = value_of("chrf", make_answers("chat", truths, guesses))
    for place in range(3):
        fewer = [None if i == place else guess for i, guess in enumerate(guesses)]
        assert value_of("chrf", make_answers("chat", truths, fewer)) <= whole


def test_chrf_has_an_interval_and_a_test_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    truths = [" ".join(rng.choice(["red", "green", "blue", "white"], 4)) for _ in range(60)]
    worse = [" ".join(rng.choice(["red", "green", "blue", "white"], 4)) for _ in range(60)]
    good, bad = make_answers("chat", truths, truths), make_answers("chat", truths, worse)
    found = measure(bad, ["chrf"], count=500)["chrf"]
    assert found.low < found.value < found.high
    gap = difference("chrf", good, bad, count=500)
    assert gap.test == "swap"
    assert gap.p < 0.01
    assert gap.low > 0
