"""The running headline: at every number of rows the value and the interval that those rows alone would have."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluate.answers import make_answers
from core.evaluate.intervals import t_interval, wilson
from core.evaluate.running import running


def test_every_point_is_the_mean_and_interval_of_the_rows_before_it() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.uniform(1, 9, 50), rng.uniform(1, 9, 50)
    seen = running(make_answers("regression", truth.tolist(), guess.tolist()))
    misses = np.abs(truth - guess)
    assert seen.rows.tolist() == list(range(1, 51))
    assert np.isnan(seen.low[0])
    for k in (2, 7, 50):
        low, high = t_interval(misses[:k])
        assert (seen.value[k - 1], seen.low[k - 1], seen.high[k - 1]) == pytest.approx((misses[:k].mean(), low, high))


def test_labels_run_by_wilson_and_an_unread_answer_counts_as_wrong() -> None:
    seen = running(make_answers("classification", ["a", "b", "a", "b"], ["a", "b", None, "b"], labels=("a", "b")))
    assert seen.value.tolist() == pytest.approx([1, 1, 2 / 3, 3 / 4])
    assert (seen.low[-1], seen.high[-1]) == pytest.approx(wilson(3, 4))


def test_long_runs_are_thinned_to_their_ends_and_no_rows_give_nothing() -> None:
    many = running(make_answers("regression", [1.0] * 5000, [2.0] * 5000), most=100)
    assert len(many.rows) == 100
    assert (many.rows[0], many.rows[-1], many.value[-1], many.low[-1]) == (1, 5000, 1.0, 1.0)
    assert len(running(make_answers("regression", [], [])).rows) == 0
