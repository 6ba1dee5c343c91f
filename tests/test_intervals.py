"""Intervals: published values, their coverage in simulation, and what they do at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluate.answers import make_answers
from core.evaluate.intervals import bca, group_codes, measure, measure_all, resamples, standard_error, t_interval, wilson
from core.evaluate.metrics import weighted_median

close = pytest.approx


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(3, 10, 0.1077913, 0.6032219), (0, 10, 0, 0.2775328), (10, 10, 0.7224672, 1), (18, 20, 0.6989663547715128, 0.972133518786232),
     (4, 20, 0.0806576625797981, 0.4160174322518935), (6, 10, 0.3127, 0.8318), (8, 10, 0.4902, 0.9433), (6, 8, 0.4093, 0.9285)],
)  # fmt: skip
def test_wilson_agrees_with_r(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == (close(low, abs=6e-5 if n in (8, 10) else 1e-6), close(high, abs=6e-5 if n in (8, 10) else 1e-6))


def test_wilson_ends_exactly_at_zero_and_one() -> None:
    assert wilson(38, 38)[1] == 1
    assert wilson(0, 77)[0] == 0
    assert wilson(0, 0) == (0, 1)


def test_clustered_errors_agree_with_the_reference() -> None:
    values = np.array([1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0.0])
    groups = np.repeat([0, 1, 2, 3], 3)
    assert values.mean() == 0.5
    assert standard_error(values) == close(0.1507557, abs=1e-6)
    assert standard_error(values, groups, corrected=False) == close(0.1863390, abs=1e-6)
    assert standard_error(values, groups) == close(0.2151657, abs=1e-6)


def test_a_paired_difference_agrees_with_students_sleep_data() -> None:
    a, b = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2]), np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    assert (a - b).mean() == close(-1.58)
    assert (a - b).mean() / standard_error(a - b) == close(-4.062128, abs=1e-6)
    assert t_interval(a - b) == close((-2.4598858, -0.7001142), abs=1e-6)


def test_paired_errors_are_smaller_than_unpaired_ones() -> None:
    a, b = (np.array(list(map(float, text))) for text in ("1110101101", "1010100101"))
    assert (a - b).mean() == close(0.2)
    assert standard_error(a - b) == close(0.1333333, abs=1e-6)
    assert math.hypot(standard_error(a), standard_error(b)) == close(0.2260777, abs=1e-6)


def test_the_bootstrap_agrees_with_scipys() -> None:
    from scipy import stats

    values = np.random.default_rng(3).lognormal(0, 1, 60)
    truth = np.zeros(60)
    mine = measure(make_answers("regression", truth, values), ["rmse"], seed=1)["rmse"]
    theirs = stats.bootstrap(
        (values,), lambda x, axis: np.sqrt(np.mean(x**2, axis=axis)), method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    assert mine.method == "bca"
    assert (mine.low, mine.high) == (close(theirs.low, rel=0.04), close(theirs.high, rel=0.04))


def test_a_median_of_resamples_is_numpys() -> None:
    values = np.array([5.0, 1.0, 9.0, 2.0, 2.0])
    for weights in resamples(5, 50, 0):
        expected = [np.median(np.repeat(values, row.astype(int))) for row in weights]
        assert weighted_median(values, weights).tolist() == expected


def test_intervals_hold_the_estimate_and_repeat_with_the_seed() -> None:
    rng = np.random.default_rng(0)
    truth = rng.lognormal(3, 1, 80)
    answers = make_answers("regression", truth, truth * rng.lognormal(0, 0.4, 80), target_range=(0.5, 900))
    first, again = measure(answers, seed=5), measure(answers, seed=5)
    assert first == again
    assert all(one.low <= one.value <= one.high for one in first.values())
    assert measure_all([answers, answers], seed=5) == [first, first]


def test_no_variation_and_single_rows_are_said_and_not_invented() -> None:
    same = measure(make_answers("regression", [5.0] * 4, [6.0] * 4, target_range=(0, 9)))
    assert (same["rmse"].low, same["rmse"].high, same["rmse"].note) == (1, 1, "no variation")
    assert same["r2"].note == "not defined for these rows"
    one = measure(make_answers("regression", [5.0], [7.0]))["mae"]
    assert (one.value, one.to_dict()["low"]) == (2, None)
    assert measure(make_answers("regression", [], []))["mae"].n == 0
    assert bca(math.nan, np.array([1.0]), None)[2] == "none"


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    codes = group_codes(["a", "a", None, "", "b", float("nan")])
    assert codes is not None
    assert codes[0] == codes[1]
    assert len(set(codes.tolist())) == 5
    assert group_codes(None) is None


def test_duplicating_rows_shrinks_naive_errors_and_leaves_clustered_ones() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(50, 10, 60)
    guess = truth + rng.normal(0, 5, 60)
    once = make_answers("regression", truth, guess, target_range=(0, 100))
    twice = make_answers("regression", np.tile(truth, 2), np.tile(guess, 2), target_range=(0, 100))
    groups = np.tile(np.arange(60), 2)

    def width(one: dict) -> float:
        return one["mae"].high - one["mae"].low

    assert width(measure(twice, ["mae"])) == close(width(measure(once, ["mae"])) / math.sqrt(2), rel=0.03)
    assert width(measure(twice, ["mae"], groups=groups)) == close(width(measure(once, ["mae"])), rel=0.01)


def test_ninety_five_percent_intervals_hold_the_truth_in_ninety_five_percent_of_simulations() -> None:
    rng, held, runs = np.random.default_rng(11), np.zeros(3), 1000
    for _ in range(runs):
        mean = t_interval(rng.normal(3, 2, 60))
        share = wilson(int(rng.binomial(120, 0.7)), 120)
        groups = np.repeat(np.arange(60), 4)
        clustered = t_interval(np.repeat(rng.normal(0, 1, 60), 4) + rng.normal(0, 1, 240), groups)
        held += [mean[0] <= 3 <= mean[1], share[0] <= 0.7 <= share[1], clustered[0] <= 0 <= clustered[1]]
    assert np.all((held / runs >= 0.93) & (held / runs <= 0.97)), held / runs
