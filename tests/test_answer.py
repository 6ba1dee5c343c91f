"""Must a language model be used here: every word of the answer follows from paired numbers, and never goes beyond them."""

from __future__ import annotations

import numpy as np
import pytest

from core.compare.answer import answer
from core.compare.beside import beside
from core.errors import DataError
from core.evaluate.intervals import PREVIEW
from core.evaluation import Evaluation
from tests.boards import evaluation, labels, prices

CLASSICAL = {"Constant": ("trivial", 0.0), "Random forest": ("classical", 0.3), "Linear SVM": ("classical", 0.5)}


def said(ones: list[Evaluation], unit: str = "usd"):
    found = answer(ones, unit=unit, count=PREVIEW)
    assert found is not None
    return found


def test_without_a_language_model_it_says_what_one_would_have_to_beat() -> None:
    found = said(prices(CLASSICAL))
    assert found.kind == "bar"
    assert found.headline == "A language model has to beat Random forest to be worth using."
    assert "less, better (paired on 300 rows, p < 0.001, Holm-adjusted over 2)" in found.text
    assert "No language model has answered these rows yet." in found.text


@pytest.mark.parametrize(("spread", "kind", "words"), [
    (0.05, "yes", "GPT beats the baseline on these rows."), (0.8, "no", "does not beat the baseline"), (0.3, "open", "Cannot tell yet"),
])  # fmt: skip
def test_the_three_answers_follow_from_the_paired_verdict(spread: float, kind: str, words: str) -> None:
    ones = prices({**CLASSICAL, "GPT": ("prompted", spread)})
    found = said(ones)
    assert (found.kind, words in found.headline) == (kind, True)
    forest, gpt = ones[1], ones[3]
    (pair,) = beside([gpt], forest, count=PREVIEW).values()
    assert pair.verdict in found.strong
    assert {"yes": "better", "no": "worse", "open": "not distinguishable"}[kind] == pair.verdict


def test_a_model_that_answered_fewer_rows_is_compared_on_the_rows_it_answered_and_takes_none_from_the_others() -> None:
    ones = prices(CLASSICAL)
    truth, guess = ones[0].answers["truth"].tolist(), ones[1].answers["guess"].tolist()
    few = evaluation("GPT", "prompted", truth[:40], [2 * g for g in guess[:40]], index=range(40), test_rows=300, target_range=(1.0, 999.0))  # type: ignore[arg-type]
    found = said([*ones, few])
    assert "paired on 300 rows" in found.sentences[0]
    assert "paired on 40 rows" in found.sentences[1]


def test_where_nothing_beats_the_constant_the_constant_is_the_baseline() -> None:
    ones = prices({"Constant": ("trivial", 0.0), "Bad": ("classical", 2.5), "GPT": ("prompted", 0.1)})
    found = said(ones)
    assert "of Constant" not in found.headline
    assert "GPT misses by" in found.sentences[1]
    assert ", Constant by" in found.sentences[1]
    assert said(ones[:2]).headline == "Nothing cheap beats a constant here."


def test_a_model_with_lost_answers_is_left_out_and_named() -> None:
    ones = prices({**CLASSICAL, "GPT": ("prompted", 0.1)})
    ones[3].answers.loc[:5, "status"] = "error"
    found = said(ones)
    assert found.kind == "withheld"
    assert "GPT has no answer for 6 of 300 rows because of errors" in found.text
    assert "beats" not in found.headline


def test_the_order_of_the_models_changes_nothing() -> None:
    ones = prices({**CLASSICAL, "GPT": ("prompted", 0.3), "Other": ("prompted", 0.4)})
    assert said(ones) == said(ones[::-1])


def test_shares_are_told_in_points_and_few_rows_are_said() -> None:
    found = said(labels({"Constant": ("trivial", 0), "SVM": ("classical", 0.5), "GPT": ("prompted", 0.95)}, n=20), "number")
    assert "rows, SVM on" in found.text
    assert "points [" in found.text
    assert "20 test rows are few: only large differences can show." in found.text


@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_row_and_a_constant_target_give_a_sentence_without_nan(n: int) -> None:
    ones = [evaluation("Constant", "trivial", [5.0] * n, [5.0] * n), evaluation("SVM", "classical", [5.0] * n, [5.0] * n),
            evaluation("GPT", "prompted", [5.0] * n, [None] * n)]  # fmt: skip
    for found in (said(ones), said(ones[:2])):
        assert "nan" not in found.text.casefold()
        assert "are few" in found.text or "is few" in found.text


def test_before_constant_and_classical_have_answered_there_is_no_answer() -> None:
    ones = prices({**CLASSICAL, "GPT": ("prompted", 0.3)})
    assert answer(ones[:1]) is None
    assert answer(ones[1:2]) is None
    assert answer([]) is None


def test_models_of_other_test_rows_are_refused_and_p_values_are_adjusted_together() -> None:
    ones = prices({**CLASSICAL, "GPT": ("prompted", 0.31)})
    found = beside(ones[2:], ones[1], count=PREVIEW)
    assert {pair.comparisons for pair in found.values()} == {2}
    assert all(pair.p_adjusted >= pair.p for pair in found.values())
    mirrored = beside([ones[1]], ones[3], count=PREVIEW)[ones[1].id]
    assert np.isclose(mirrored.difference, -found[ones[3].id].difference)
    other = evaluation("Other", "classical", [1.0], [1.0], test_id="t2")
    with pytest.raises(DataError, match="not the same"):
        beside([other], ones[0])
