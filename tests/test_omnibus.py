"""Cochran's Q, Friedman's test and equivalence: published values, and what must hold of any data."""

from __future__ import annotations

import numpy as np
import pytest

from core.compare.leaderboard import leaderboard
from core.errors import SettingsError
from core.evaluate.omnibus import cochran, equivalent, friedman
from tests.boards import labels, prices

CONOVER = ["111", "111", "010", "110", "000", "111", "111", "110", "001", "010", "111", "111"]


def scores(rows: list[str]) -> np.ndarray:
    return np.array([[int(cell) for cell in row] for row in rows])


def test_cochran_agrees_with_conovers_example() -> None:
    found = cochran(scores(CONOVER))
    assert found.statistic == pytest.approx(2.8)
    assert found.p == pytest.approx(0.246597, abs=1e-6)
    assert (found.models, found.n) == (3, 12)


def test_models_that_answer_alike_are_not_told_apart() -> None:
    assert cochran(scores(["111", "000", "111"])).p == 1.0
    assert friedman(np.ones((5, 3))).p == 1.0


def test_the_order_of_rows_and_models_changes_nothing() -> None:
    table = scores(CONOVER)
    assert cochran(table[::-1, [2, 0, 1]]).statistic == pytest.approx(2.8)
    errors = np.random.default_rng(1).gamma(2, size=(30, 4))
    assert friedman(errors).p == pytest.approx(friedman(errors[::-1, [3, 1, 0, 2]]).p)


def test_friedman_sees_a_model_that_is_always_worse() -> None:
    errors = np.random.default_rng(2).gamma(2, size=(40, 3))
    errors[:, 2] += 5
    assert friedman(errors).p < 1e-6


@pytest.mark.parametrize(("test", "wrong"), [(cochran, np.ones((3, 1))), (cochran, np.full((3, 3), 0.5)), (friedman, np.ones((3, 2)))])
def test_scores_of_another_shape_are_refused(test, wrong) -> None:
    with pytest.raises(ValueError, match=r"scores|models"):
        test(wrong)


def test_as_good_as_needs_rows_and_a_margin() -> None:
    rng = np.random.default_rng(3)
    small = rng.normal(0, 10, 20)
    assert not equivalent(small, 1.0)[0], "20 rows cannot show a margin of a tenth of their spread"
    assert equivalent(rng.normal(0, 10, 20_000), 1.0)[0]
    assert not equivalent(rng.normal(3, 10, 20_000), 1.0)[0]
    assert equivalent(np.zeros(5), 1.0) == (True, 0.0)
    assert equivalent(np.array([0.0]), 1.0) == (False, 1.0)
    with pytest.raises(SettingsError, match="margin is 0"):
        equivalent(small, 0.0)


def test_equivalence_is_claimed_falsely_in_at_most_five_percent_of_simulations() -> None:
    rng = np.random.default_rng(4)
    claims = [equivalent(rng.normal(1.0, 5.0, 100), 1.0)[0] for _ in range(2_000)]
    assert np.mean(claims) <= 0.065


def test_a_board_of_three_models_says_whether_they_differ_at_all() -> None:
    different = leaderboard(prices({"near": ("classical", 5.0), "far": ("classical", 50.0), "middle": ("classical", 20.0)}), resamples=200)
    assert different.omnibus is not None
    assert (different.omnibus.test, different.omnibus.models, different.omnibus.n) == ("friedman", 3, 300)
    assert different.omnibus.p < 1e-6
    same = leaderboard(labels({"a": ("classical", 0.7), "b": ("classical", 0.7), "c": ("classical", 0.7)}), resamples=200)
    assert same.omnibus is not None
    assert same.omnibus.test == "cochran"
    assert same.omnibus.p > 0.05
    assert leaderboard(prices({"near": ("classical", 5.0), "far": ("classical", 50.0)}), resamples=200).omnibus is None
