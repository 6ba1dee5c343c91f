"""Published and hand-computed numbers, and rules of every number, that no other test of metrics and comparisons holds already."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.compare.leaderboard import leaderboard
from core.evaluate.answers import make_answers
from core.evaluate.intervals import measure, standard_error
from core.evaluate.metrics import METRICS, applicable, metric, value_of
from core.evaluate.omnibus import cochran
from core.evaluate.paired import difference, holm, mcnemar
from core.evaluate.perplexity import Surprise, bits_per_byte, perplexity, perplexity_of
from core.task import TASKS
from tests.boards import labels, prices

close = pytest.approx


def test_chi_squared_approximations_of_mcnemar_surround_the_exact_p() -> None:
    from scipy.stats import chi2

    won, lost = 121, 59
    corrected, plain = (abs(won - lost) - 1) ** 2 / (won + lost), (won - lost) ** 2 / (won + lost)
    assert (corrected, plain) == (close(20.67222222), close(21.35555556))
    assert chi2.sf(plain, 1) == close(3.815136e-06, rel=1e-5)
    assert chi2.sf(plain, 1) < mcnemar(won, lost) < chi2.sf(corrected, 1) == close(5.450095e-06, rel=1e-5)


def test_cochrans_q_of_two_models_is_mcnemars_chi_squared() -> None:
    scores = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [101, 121, 59, 33], axis=0)
    found = cochran(scores)
    assert (found.statistic, found.p) == (close(21.35555556), close(3.815136e-06, rel=1e-5))


def test_no_discordant_pair_is_no_difference() -> None:
    same = make_answers("classification", list("aabb"), list("abab"))
    seen = difference("accuracy", same, same, count=200)
    assert (seen.p, seen.value, seen.won, seen.lost) == (1, 0, 0, 0)


def test_the_paired_t_of_students_sleep_data_has_the_published_p() -> None:
    from scipy.special import stdtr

    a, b = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2]), np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    t = float((a - b).mean() / standard_error(a - b))
    assert (t, 2 * stdtr(9, t)) == (close(-4.062128, abs=1e-6), close(0.00283289, abs=1e-8))


def test_holm_is_never_stricter_than_bonferroni() -> None:
    ps = [0.01, 0.02, 0.03, 0.04, 0.05]
    bonferroni = [min(1.0, len(ps) * p) for p in ps]
    assert bonferroni == close([0.05, 0.10, 0.15, 0.20, 0.25])
    assert all(mine <= theirs + 1e-12 for mine, theirs in zip(holm(ps), bonferroni, strict=True))


@pytest.mark.parametrize(
    ("truth", "guess", "expected"),
    [([3, -0.5, 2, 7], [2.5, 0, 2, 8], {"rmse": math.sqrt(0.375)}), ([100, 200, 50, 400], [130, 150, 95, 300], {"mape": 0.425})],
)
def test_numbers_agree_with_published_values(truth: list[float], guess: list[float], expected: dict[str, float]) -> None:
    assert {name: value_of(name, make_answers("regression", truth, guess)) for name in expected} == close(expected)


def test_labels_agree_with_published_values() -> None:
    a = make_answers("classification", list("012012"), list("021001"))
    assert value_of("accuracy", a) == close(1 / 3), "micro F1 is the share right when every row has one label"
    stars = make_answers("classification", list("12345513"), list("13355433"))
    assert value_of("macro_label_mae", stars) == close(0.7)


def test_perplexity_weighs_every_token_the_same() -> None:
    assert perplexity([Surprise(6.0, 3)]).value == close(7.3890561)
    documents = [Surprise(1.0, 1, 4), Surprise(9.0, 3, 12)]
    assert perplexity(documents).value == close(12.1824940)
    assert perplexity(documents).value != close(11.4019099), "the mean of each answer's perplexity is another number"
    assert bits_per_byte(documents).value == close(10 / math.log(2) / 16)
    assert perplexity_of(2.0) == close(7.3890561)


def test_perplexity_has_an_interval_over_answers_and_says_when_it_is_not_defined() -> None:
    rng = np.random.default_rng(0)
    answers = [Surprise(float(rng.gamma(2, k)), int(k), int(4 * k)) for k in rng.integers(1, 30, 200)]
    found = perplexity(answers)
    assert found.method == "bca"
    assert found.low < found.value < found.high
    assert found == perplexity(answers)
    clustered = perplexity([*answers, *answers], groups=np.tile(np.arange(200), 2))
    assert clustered.value == close(found.value)
    assert clustered.high - clustered.low == close(found.high - found.low, rel=0.15), "the same answers twice tell nothing new"
    for empty in ([], [Surprise(0.0, 0)]):
        assert perplexity(empty).note == "no answer has a token"
    assert perplexity([Surprise(1e9, 1), Surprise(1.0, 1)]).note == "too large for a number"
    assert perplexity_of(1e6) == math.inf


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_order_of_rows_changes_no_number_of_a_board(task: str) -> None:
    from dataclasses import replace

    found = (prices if task == "regression" else labels)({"a": ("classical", 0.5), "b": ("tuned", 0.7), "c": ("trivial", 0.5)}, n=60)
    order = np.random.default_rng(3).permutation(60)
    mixed = [replace(one, answers=one.answers.iloc[order].reset_index(drop=True)) for one in found]
    first, again = leaderboard(found, resamples=300), leaderboard(mixed, resamples=300)
    assert [row.values for row in first.rows] == [row.values for row in again.rows]
    assert first.pairs == again.pairs


@pytest.mark.parametrize("task", ["qa", "chat"])
def test_failing_to_answer_never_improves_a_score_of_texts(task: str) -> None:
    truths, guesses = ["one two three", "four five six", "seven", ""], ["one two", "six", "eleven", "x"]
    for name in applicable(make_answers(task, truths, guesses)):
        whole = value_of(name, make_answers(task, truths, guesses))
        for place in range(4):
            failed = make_answers(task, truths, [None if i == place else guess for i, guess in enumerate(guesses)])
            assert metric(name).rank(value_of(name, failed)) >= metric(name).rank(whole) - 1e-12, name


def test_every_row_twice_leaves_every_estimate() -> None:
    rng = np.random.default_rng(5)
    truth = rng.lognormal(3, 1, 31)
    guess = truth * rng.lognormal(0, 0.4, 31)
    stars, said = rng.integers(1, 6, 31).astype(str).tolist(), rng.integers(1, 6, 31).astype(str).tolist()
    for task, t, g in (("regression", truth.tolist(), guess.tolist()), ("classification", stars, said)):
        once, twice = make_answers(task, t, g), make_answers(task, t * 2, g * 2)
        for name in TASKS[task].metrics:
            if METRICS[name].columns(once) is not None:
                assert value_of(name, twice) == close(value_of(name, once)), name


def test_an_interval_holds_its_estimate_for_every_metric_of_labels_and_texts() -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(1, 6, 60).astype(str).tolist()
    said = [t if rng.random() < 0.6 else str(rng.integers(1, 6)) for t in truth]
    words = [" ".join(rng.choice(list("abcdef"), 4)) for _ in range(60)]
    near = [w if rng.random() < 0.4 else w[:3] for w in words]
    for answers in (make_answers("classification", truth, said), make_answers("chat", words, near)):
        found = measure(answers, count=500)
        assert all(one.low <= one.value <= one.high for one in found.values())
