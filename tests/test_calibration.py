"""Stated probabilities: Brier and log loss against scikit-learn, the calibration error and what luck alone would show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.evaluate.answers import Answers, answers_of, make_answers
from core.evaluate.calibration import FEWEST, reliability
from core.evaluate.intervals import measure
from core.evaluate.metrics import applicable, per_item, value_of
from tests.boards import labels as board

close = pytest.approx


def two(n: int, *, power: float = 1.0, seed: int = 0) -> tuple[Answers, np.ndarray, np.ndarray]:
    """Answers of yes and no, the truths as 0/1, and the stated probability of yes; right for power 1, too careful below it."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    yes = rng.random(n) < p
    said = p**power / (p**power + (1 - p) ** power)
    answers = make_answers("classification", np.where(yes, "yes", "no").tolist(), np.where(said > 0.5, "yes", "no").tolist(),
                           labels=("no", "yes"))  # fmt: skip
    return replace(answers, probabilities=np.column_stack([1 - said, said])), yes.astype(int), said


def test_brier_and_log_loss_of_two_labels_agree_with_scikit_learn() -> None:
    from sklearn import metrics as sk

    answers, truth, said = two(300)
    assert value_of("brier", answers) == close(sk.brier_score_loss(truth, said))
    assert value_of("log_loss", answers) == close(sk.log_loss(truth, said))


def test_brier_and_log_loss_of_three_labels_agree_with_scikit_learn() -> None:
    from sklearn import metrics as sk

    rng = np.random.default_rng(1)
    table = rng.dirichlet([1, 1, 1], 200)
    truth = rng.integers(0, 3, 200)
    answers = make_answers("classification", [str(t) for t in truth], [str(g) for g in table.argmax(axis=1)], labels=("0", "1", "2"))
    answers = replace(answers, probabilities=table)
    assert value_of("brier", answers) == close(((table - np.eye(3)[truth]) ** 2).sum(axis=1).mean())
    assert value_of("log_loss", answers) == close(sk.log_loss(truth, table))


def test_by_hand() -> None:
    answers = make_answers("classification", ["a", "b"], ["a", "a"], labels=("a", "b"))
    answers = replace(answers, probabilities=np.array([[0.8, 0.2], [1.0, 0.0]]))
    assert per_item("brier", answers) == close([0.04, 1.0])
    assert per_item("log_loss", answers) == close([-np.log(0.8), -np.log(1e-15)])


def test_without_probabilities_or_with_some_rows_lacking_them_the_metrics_are_not_shown() -> None:
    answers, _, _ = two(30)
    assert {"brier", "log_loss"} <= set(applicable(answers))
    bare = replace(answers, probabilities=None)
    assert not {"brier", "log_loss"} & set(applicable(bare))
    assert reliability(bare) is None
    assert answers.probabilities is not None
    holed = answers.probabilities.copy()
    holed[3] = np.nan
    assert "brier" not in applicable(replace(answers, probabilities=holed))


def test_an_unread_answer_costs_the_most_there_is() -> None:
    answers, _, _ = two(30)
    assert answers.probabilities is not None
    guess, table = answers.guess.copy(), answers.probabilities.copy()
    guess[0], table[0] = None, np.nan
    failed = replace(answers, guess=guess, probabilities=table)
    assert (per_item("brier", failed)[0], per_item("log_loss", failed)[0]) == (1.0, close(-np.log(1e-15)))
    assert value_of("brier", failed) >= value_of("brier", answers)
    assert reliability(failed).n == 29  # type: ignore[union-attr]


def test_right_probabilities_show_no_more_error_than_luck_and_wrong_ones_do() -> None:
    honest, careful = reliability(two(2000)[0]), reliability(two(2000, power=0.4)[0])
    assert honest is not None
    assert careful is not None
    assert honest.error is not None
    assert careful.error is not None
    assert honest.error <= honest.luck < 0.05
    assert careful.error > careful.luck
    assert careful.low <= careful.error <= careful.high
    assert "not sure enough" in careful.sentence
    assert "no more than luck" in honest.sentence


def test_right_probabilities_exceed_luck_in_about_five_percent_of_simulations() -> None:
    found = [reliability(two(FEWEST, seed=seed)[0], seed=seed) for seed in range(200)]
    assert 0.01 <= np.mean([one.error > one.luck for one in found if one and one.error is not None]) <= 0.10


def test_the_error_is_the_mean_gap_of_bins_of_equal_mass() -> None:
    answers, _, _ = two(400)
    found = reliability(answers, bins=10)
    assert found is not None
    assert [one.n for one in found.bins] == [40] * 10
    assert found.error == close(sum(one.n * abs(one.right - one.sure) for one in found.bins) / 400)
    assert all(one.low <= one.right <= one.high for one in found.bins)
    assert [one.sure for one in found.bins] == sorted(one.sure for one in found.bins)


def test_few_rows_have_bins_and_no_error() -> None:
    found = reliability(two(FEWEST - 1)[0])
    assert found is not None
    assert found.error is None
    assert sum(one.n for one in found.bins) == FEWEST - 1
    assert "mostly luck" in found.sentence


def test_equally_sure_rows_share_a_bin_and_the_order_of_rows_changes_nothing() -> None:
    answers, _, _ = two(300)
    assert answers.probabilities is not None
    coarse = np.round(answers.probabilities, 1)
    answers = replace(answers, probabilities=coarse)
    found, turned = reliability(answers), reliability(answers.take(np.arange(300)[::-1]))
    assert found is not None
    assert turned is not None
    assert found.bins == tuple(turned.bins)
    assert (found.place[::-1] == turned.place).all()
    same = reliability(replace(answers, probabilities=np.full((300, 2), 0.5)))
    assert same is not None
    assert len(same.bins) == 1


def test_a_label_that_train_did_not_have_is_given_no_chance() -> None:
    one = board({"m": ("classical", 0.7)}, n=20)[0]
    stated = [np.array([0.25, 0.25, 0.25, 0.25], dtype=np.float32)] * 20
    one = replace(one, answers=one.answers.assign(probabilities=stated), probability_labels=("1", "2", "3", "4"))
    answers = answers_of(one)
    assert answers.probabilities is not None
    assert answers.probabilities[:, 4].tolist() == [0.0] * 20
    worst = per_item("log_loss", answers)[answers.truth == "5"]
    assert worst == close(-np.log(1e-15))
    assert np.isfinite(measure(answers)["log_loss"].high)


def test_the_page_shows_how_sure_a_model_is_and_says_when_it_does_not_tell(home) -> None:
    from streamlit.testing.v1 import AppTest

    from core.io import evaluations, testing
    from tests.doubles import ROOT, version

    one = version("classification")
    for name in ("bow_linear", "neighbours"):
        testing.run_predictor(name, None, one)
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    at.query_params["dataset"] = one.dataset
    at.switch_page("../pages/baselines.py").run()
    said = {}
    for made in evaluations.of(one.dataset):
        at.session_state["baselines_model"] = made.id
        at.session_state["baselines_view"] = "How sure"
        at.run()
        assert not at.exception
        said[made.predictor] = "\n".join(caption.value for caption in at.caption)
    assert "% sure" in said["bow_linear"]
    assert "Brier" in said["bow_linear"]
    assert "does not say how likely" in said["neighbours"]
