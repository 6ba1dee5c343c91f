"""Metrics against published numbers, and the rules that no metric may break."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DataError, SettingsError
from core.evaluate.answers import answers_of, clipped, confusion, make_answers
from core.evaluate.inside import measured
from core.evaluate.metrics import METRICS, applicable, metric, per_item, value_of
from core.evaluate.official import official, questions
from core.evaluate.recorded import family_of, from_long, guess_task
from core.evaluate.text import exact, f1
from core.task import TASKS
from tests.boards import evaluation, prices
from tests.doubles import shared

close = pytest.approx


def numbers(truth: list[float], guess: list[float | None], **more: object) -> object:
    return make_answers("regression", truth, guess, **more)  # type: ignore[arg-type]


def test_every_metric_a_task_names_is_registered_under_its_name() -> None:
    assert {name for task in TASKS.values() for name in task.metrics} <= set(METRICS)
    assert all(name == one.name and one.meaning.endswith(".") for name, one in METRICS.items())


@pytest.mark.parametrize(
    ("truth", "guess", "expected"),
    [
        ([3, -0.5, 2, 7], [2.5, 0, 2, 8], {"mae": 0.5, "rmse": 0.6123724, "medae": 0.5, "r2": 0.9486081}),
        ([100, 200, 50, 400], [130, 150, 95, 300], {"mae": 56.25, "rmse": 62.0987117, "rmsle": 0.3974351, "r2": 0.7853913, "hits": 0.25}),
        ([10, 20], [10, 20], {"mae": 0, "rmse": 0, "r2": 1, "bias": 0, "hits": 1}),
    ],
)
def test_numbers_agree_with_published_values(truth: list[float], guess: list[float | None], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert value_of(name, numbers(truth, guess)) == close(value, abs=1e-6)  # type: ignore[arg-type]


def test_close_enough_is_strict_and_zero_knows_only_dollars() -> None:
    hits = per_item("hits", numbers([200, 200, 0, 0, 10], [240, 239.9, 39, 40, 49]))  # type: ignore[arg-type]
    assert hits.tolist() == [0, 1, 1, 0, 1]


def test_a_negative_guess_counts_as_zero_in_the_log_and_negative_truths_have_no_log() -> None:
    assert value_of("rmsle", numbers([1, 1], [-5, 1])) == close(np.sqrt(np.log(2) ** 2 / 2))  # type: ignore[arg-type]
    assert "rmsle" not in applicable(numbers([-1, 2], [1, 2]))  # type: ignore[arg-type]


def test_r2_of_one_truth_is_not_defined() -> None:
    assert np.isnan(value_of("r2", numbers([5, 5], [4, 6])))  # type: ignore[arg-type]


def test_labels_agree_with_scikit_learn() -> None:
    a = make_answers("classification", list("012012"), list("021001"))
    assert value_of("macro_f1", a) == close(0.2666667, abs=1e-6)
    assert value_of("weighted_f1", a) == close(0.2666667, abs=1e-6)
    b = make_answers("classification", list("202201"), list("002202"))
    assert confusion(b)[1][:, :3].tolist() == [[2, 0, 0], [0, 0, 1], [1, 0, 2]]
    from sklearn import metrics as sk

    rng = np.random.default_rng(1)
    truth, guess = (rng.integers(1, 6, 80).astype(str) for _ in range(2))
    c = make_answers("classification", truth.tolist(), guess.tolist())
    assert value_of("mcc", c) == close(sk.matthews_corrcoef(truth, guess))
    assert value_of("balanced_accuracy", c) == close(sk.balanced_accuracy_score(truth, guess))
    assert value_of("qwk", c) == close(sk.cohen_kappa_score(truth, guess, weights="quadratic"))


def test_stars_agree_with_the_reference() -> None:
    a = make_answers("classification", list("12345513"), list("13355433"))
    expected = {"accuracy": 0.5, "label_mae": 0.625, "within_one": 0.875, "qwk": 0.7741935, "macro_f1": 0.3666667}
    assert {name: value_of(name, a) for name in expected} == close(expected, abs=1e-6)


def test_an_unread_star_costs_the_worst_distance_and_has_its_column() -> None:
    a = make_answers("classification", ["1", "3", "5"], [None, "none of these", "5"], labels=list("12345"))
    assert per_item("label_mae", a).tolist() == [4, 2, 0]
    assert confusion(a)[1][:, 5].tolist() == [1, 0, 1, 0, 0]
    assert value_of("accuracy", a) == close(1 / 3)
    assert "label_mae" not in applicable(make_answers("classification", ["a", "b"], ["a", "b"]))


@pytest.mark.parametrize(
    ("guess", "gold", "em", "overlap"),
    [
        ("〈파우스트〉", "파우스트", 1, 1), ("임종석", "임종석 의장", 0, 0.75), ("서울특별시", "서울", 0, 0.5714286),
        ("1989년 2월 15일", "1989년 2월 15일에", 0, 0.952381), ("대한 민국", "대한민국", 0, 1), ("The Denver Broncos.", "denver broncos", 1, 1),
        ("Beyonce", "Beyoncé", 0, 0), ("\u1109\u1165\u110b\u116e\u11af", "서울", 1, 1), ("", "The", 1, 1), ("x", "the", 0, 0),
    ],
)  # fmt: skip
def test_answers_are_compared_by_the_rules_of_their_language(guess: str, gold: str, em: float, overlap: float) -> None:
    assert exact(guess, gold) == em
    assert f1(guess, gold) == close(overlap, abs=1e-6)


def test_the_best_of_several_accepted_answers_counts_and_containing_follows_words() -> None:
    a = make_answers("qa", [("Paris", "the city of Paris"), "art", "서울"], ["city of paris", "party", "서울에서 왔다"])
    assert value_of("exact_match", a) == close(1 / 3)
    assert per_item("contains", a).tolist() == [1, 0, 1]


def test_official_scripts_print_percent() -> None:
    golds = {"a": ["Beyoncé and Bruno Mars"], "b": ["1976"], "c": ["climate change"]}
    said = {"a": "Beyonce", "b": "1976", "c": "climate change"}
    for name in ("squad1", "squad2"):
        assert official(name, said, golds) == close({"exact_match": 200 / 3, "f1": 200 / 3})
    assert official("squad1", {"b": "1976"}, golds)["exact_match"] == close(100 / 3)
    assert official("squad2", {"b": ""}, {"b": []}) == {"exact_match": 100.0, "f1": 100.0}
    assert official("korquad1", {"a": "\u1109\u1165\u110b\u116e\u11af"}, {"a": ["서울"]})["f1"] == 0
    with pytest.raises(SettingsError, match="korquad1, squad1, squad2"):
        official("glue", {}, golds)
    with pytest.raises(DataError, match="SQuAD shape"):
        questions({"data": [1]})


def test_the_right_answers_of_korquad_score_a_hundred() -> None:
    golds = questions(json.loads(shared("korquad/KorQuAD_v1.0_dev.json").read_text()))
    assert len(golds) == 5774
    assert official("korquad1", {key: texts[0] for key, texts in golds.items()}, golds) == {"exact_match": 100.0, "f1": 100.0}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 999), st.floats(-2000, 5000)), min_size=2, max_size=12), st.integers(0, 11))
def test_failing_to_answer_never_improves_a_score(pairs: list[tuple[float, float]], place: int) -> None:
    truth, guess = [t for t, _ in pairs], [g for _, g in pairs]
    failed: list[float | None] = [None if i == place % len(pairs) else g for i, g in enumerate(guess)]
    for name in ("mae", "rmse", "medae", "rmsle", "r2", "hits"):
        before, after = (value_of(name, make_answers("regression", truth, g, target_range=(1, 999))) for g in (guess, failed))
        assert np.isnan(before) or metric(name).rank(after) >= metric(name).rank(before) - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("12345"), st.sampled_from("12345")), min_size=2, max_size=15), st.integers(0, 14))
def test_failing_to_pick_a_label_never_improves_a_score(pairs: list[tuple[str, str]], place: int) -> None:
    truth, guess = [t for t, _ in pairs], [g for _, g in pairs]
    failed = [None if i == place % len(pairs) else g for i, g in enumerate(guess)]
    for name in ("accuracy", "label_mae", "within_one"):
        before, after = (value_of(name, make_answers("classification", truth, g, labels=list("12345"))) for g in (guess, failed))
        assert metric(name).rank(after) >= metric(name).rank(before) - 1e-12


def test_answers_are_clipped_to_the_train_range_and_counted() -> None:
    a = make_answers("regression", [10.0, 20.0, 30.0], [1e9, -5.0, None], target_range=(5, 50))
    assert per_item("mae", a).tolist() == [40, 15, 25]
    assert clipped(a) == 2


def test_only_answers_with_status_ok_are_read() -> None:
    one = evaluation("m", "prompted", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], status=["ok", "truncated", "error"], target_range=(0.0, 4.0))
    assert answers_of(one).read.tolist() == [True, False, False]


def test_files_from_elsewhere_become_evaluations() -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {"Model": ["svm", "svm", "내 모델"], "index": ["b", "a", "b"], "guess": ["5.0", "", "4"], "truth": ["5", "4", "5"]}
    )
    svm, mine = from_long(frame.replace("", None), "classification")
    assert (svm.family, mine.family, svm.labels) == ("classical", "people", ("4", "5"))
    assert sorted(svm.answers["status"]) == ["ok", "unread"]
    assert svm.answers["guess"].dropna().tolist() == ["5"]
    assert svm.test_id == mine.test_id
    assert (svm.test_rows, mine.n) == (2, 1)
    with pytest.raises(DataError, match="truth"):
        from_long(frame.drop(columns="truth"))


def test_a_task_is_guessed_from_the_truths() -> None:
    assert guess_task(["12.5", "13", "99"]) == "regression"
    assert guess_task(["1", "5", "5", "3"]) == "classification"
    assert guess_task(["good", "bad", "bad", "good"]) == "classification"
    assert guess_task(["Paris", "London", "Seoul"]) == "qa"
    assert [family_of(name) for name in ("majority", "forest", "prompted", "SmolLM2 fine-tuned", "anna")] == [
        "trivial", "classical", "prompted", "tuned", "people"]  # fmt: skip


def test_metrics_of_stored_answers_equal_live_ones_bit_for_bit() -> None:
    from core.evaluation import Evaluation

    one = prices({"m": ("classical", 0.5)}, n=40)[0]
    again = Evaluation.from_meta(json.loads(json.dumps(one.meta())), one.answers.copy())
    for name in applicable(answers_of(one)):
        assert value_of(name, answers_of(one)) == value_of(name, answers_of(again))


def test_years_in_korean_data_are_compared_as_korean_and_mixed_data_by_each_answers_letters():
    korean = make_answers("qa", ["파우스트", "서울", "1923년", "바흐", "1923"], ["x"] * 4 + ["1932"])
    assert korean.korean
    assert per_item("f1", korean)[-1] == 1.0, "characters, whose order does not matter"
    assert per_item("f1", korean.take(np.array([4])))[0] == 1.0, "also in a slice without Korean letters"
    mixed = make_answers("qa", ["서울", "the Faust", "1923"], ["서울", "Faust", "1932"])
    assert not mixed.korean
    assert per_item("f1", mixed).tolist() == [1.0, 1.0, 0.0]


def test_rows_that_belong_together_widen_the_intervals_inside_a_model_too() -> None:
    one = evaluation("a", "classical", [f"{i // 20 % 2}" for i in range(200)], ["1"] * 200, task="classification")
    alone, together = measured([one])[0]["accuracy"], measured([one], {i: i // 20 for i in range(200)})[0]["accuracy"]
    assert alone.value == together.value == 0.5
    assert together.high - together.low > 2 * (alone.high - alone.low)
