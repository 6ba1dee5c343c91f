"""Comparisons: exact p values, adjustment, sample sizes, and simulations of no difference."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluate.answers import make_answers
from core.evaluate.metrics import METRICS
from core.evaluate.paired import benjamini_hochberg, difference, differences, holm, mcnemar, sign_flip, swap
from core.evaluate.power import detectable, more_rows, needed_for_mean, needed_for_repeats, needed_for_share

close = pytest.approx


def test_mcnemar_agrees_with_published_values() -> None:
    assert mcnemar(121, 59) == close(4.434449e-06, rel=1e-5)
    assert mcnemar(11, 1) == close(0.00634765625)
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1


def test_few_rows_are_flipped_in_every_way() -> None:
    sleep = np.array([-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4])
    assert sign_flip(sleep) == (close(2 / 512), "sign-flip exact")
    assert sign_flip(np.zeros(5)) == (1.0, "sign-flip exact")
    from scipy import stats

    values = np.random.default_rng(1).normal(0.4, 1, 12)
    theirs = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip(values)[0] == close(theirs)


def test_monte_carlo_p_is_never_zero() -> None:
    assert sign_flip(np.full(400, 3.0) + np.random.default_rng(0).normal(0, 0.1, 400))[0] == close(1e-4)


def test_holm_and_benjamini_hochberg_agree_with_r() -> None:
    ps = [0.01, 0.02, 0.03, 0.04, 0.05]
    assert holm(ps) == close([0.05, 0.08, 0.09, 0.09, 0.09])
    assert benjamini_hochberg(ps) == close([0.05] * 5)
    assert holm([0.04, 0.01]) == close([0.04, 0.02])
    assert holm([]) == []


def test_sample_sizes_agree_with_the_reference() -> None:
    assert needed_for_mean(60, 5) == 1131
    assert detectable(60, 200) == close(11.89, abs=0.01)
    assert detectable(60, 1000) == close(5.32, abs=0.01)
    assert [needed_for_share(0.125, 0.075), needed_for_share(0.05, 0.15), needed_for_share(0.08, 0.12)] == [626, 155, 979]
    assert [needed_for_repeats(1 / 9, 0, 0, 0.03), needed_for_repeats(1 / 9, 1 / 6, 1 / 6, 0.03)] == [969, 3876]


def pair(n: int = 120, seed: int = 0, shift: float = 0.0) -> tuple:
    rng = np.random.default_rng(seed)
    truth = rng.normal(100, 20, n)
    a, b = truth + rng.normal(0, 10, n), truth + rng.normal(0, 10 + shift, n)
    return tuple(make_answers("regression", truth, guess, target_range=(0, 300)) for guess in (a, b))


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "medae", "hits"])
def test_changing_sides_turns_the_sign_and_keeps_p(name: str) -> None:
    a, b = pair(shift=6)
    one, other = difference(name, a, b, seed=3), difference(name, b, a, seed=3)
    assert one.value == close(-other.value)
    assert one.p == other.p
    assert (one.low, one.high) == (close(-other.high, rel=0.05, abs=1e-9), close(-other.low, rel=0.05, abs=1e-9))


@pytest.mark.parametrize("name", ["mae", "rmse", "hits", "medae"])
def test_a_model_is_not_different_from_itself(name: str) -> None:
    a, _ = pair()
    same = difference(name, a, a)
    assert (same.value, same.p) == (0, 1)
    assert more_rows(same) is None


def test_models_are_judged_alone_as_they_are_together() -> None:
    a, b = pair(shift=4)
    _, c = pair(shift=9)
    assert differences("mae", [b, c], a) == [difference("mae", b, a), difference("mae", c, a)]


def test_other_rows_are_refused() -> None:
    a, _ = pair(seed=0)
    _, b = pair(seed=1)
    with pytest.raises(ValueError, match="not the same"):
        difference("mae", a, b)


def test_groups_move_together() -> None:
    rng = np.random.default_rng(4)
    gap = np.repeat(rng.normal(0, 1, 12), 20)  # twelve groups of twenty equal rows
    groups = np.repeat(np.arange(12), 20)
    assert sign_flip(gap, groups=groups)[1] == "sign-flip exact"
    assert sign_flip(gap, groups=groups)[0] == close(sign_flip(gap[::20])[0])
    assert sign_flip(gap)[0] < sign_flip(gap, groups=groups)[0]


def test_a_large_difference_in_a_metric_of_the_whole_is_seen() -> None:
    a, b = pair(shift=15)
    assert difference("rmse", a, b).p < 0.001
    assert difference("rmse", a, b).test == "swap"
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 150).astype(str)
    worse = np.where(rng.random(150) < 0.5, truth, rng.integers(0, 3, 150).astype(str))
    right, half = (make_answers("classification", truth.tolist(), g.tolist(), labels=list("012")) for g in (truth, worse))
    assert difference("macro_f1", right, half).p < 0.001


def test_no_difference_is_claimed_in_five_percent_of_simulations() -> None:
    rng, runs, flips, swaps = np.random.default_rng(5), 400, 0, 0
    for run in range(runs):
        gap = rng.standard_t(4, 60)
        flips += sign_flip(gap, seed=run, count=499)[0] <= 0.05
        if run < 200:
            a, b = (np.abs(rng.standard_t(4, 40)).reshape(-1, 1) ** 2 for _ in range(2))
            swaps += swap(METRICS["rmse"], a, b, seed=run, count=299) <= 0.05
    assert 0.025 <= flips / runs <= 0.08
    assert swaps / 200 <= 0.09
    wins = [(int(rng.binomial(n, 0.5)), int(n)) for n in rng.integers(10, 40, 400)]
    assert np.mean([mcnemar(won, n - won) <= 0.05 for won, n in wins]) <= 0.06


def test_the_rows_that_are_asked_for_show_the_difference_in_eighty_percent_of_simulations() -> None:
    rng, n, seen = np.random.default_rng(6), needed_for_mean(1.0, 0.35), 0
    for run in range(400):
        seen += sign_flip(rng.normal(0.35, 1, n), seed=run, count=499)[0] <= 0.05
    assert 0.74 <= seen / 400 <= 0.86


def test_more_rows_are_asked_for_when_several_models_are_compared() -> None:
    a, b = pair(n=60, seed=2, shift=2)
    seen = difference("mae", a, b)
    assert seen.p > 0.05
    one, seven = more_rows(seen), more_rows(seen, comparisons=7)
    assert one is not None
    assert seven is None or seven > one
