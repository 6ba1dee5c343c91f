"""Scores without leaking rows, and the best of several without the flattery of having been picked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.compare.clean import Entrant, cleaned, sentence
from core.compare.leaderboard import leaderboard
from core.compare.wording import picked
from core.evaluate.answers import Answers, make_answers
from core.evaluate.best_of import best_of
from core.evaluate.metrics import value_of
from tests.boards import labels

close = pytest.approx


def entrant(title: str, guess: list[float]) -> Entrant:
    return Entrant(title, make_answers("regression", [10.0, 20.0, 30.0, 40.0], guess, target_range=(0, 99)), [5, 7, 8, 9])


def test_both_scores_stand_with_their_rows() -> None:
    memory, honest = entrant("Memory", [10, 20, 60, 70]), entrant("Honest", [14, 24, 34, 44])
    found = cleaned([memory, honest], {5, 7, 100}, "mae", count=200)
    assert [(one.score_all.value, one.score_all.n) for one in found] == [(15, 4), (4, 4)]
    assert [(one.score_clean.value, one.score_clean.n) for one in found] == [(30, 2), (4, 2)]
    assert [one.leaked for one in found] == [2, 2]


def test_the_line_says_what_changes_and_who_is_first_then() -> None:
    memory, honest = entrant("Memory", [10, 20, 35, 45]), entrant("Honest", [14, 24, 34, 44])
    said = sentence(cleaned([memory, honest], [5, 7], "mae", count=200), "mae", "usd")
    assert said.startswith("2 of 4 test rows are known from train. Without them Memory reaches $5.0")
    assert "on 2 rows, not $2.5 on 4" in said
    assert said.endswith("first is then Honest with $4.0.")


def test_nothing_is_said_when_nothing_leaks_or_changes() -> None:
    honest = entrant("Honest", [14, 24, 34, 44])
    assert cleaned([honest], [1, 2], "mae") == ()
    assert sentence((), "mae", "usd") == ""
    assert sentence(cleaned([honest], [5], "mae", count=200), "mae", "usd") == ""


def test_when_every_row_leaks_no_score_is_clean() -> None:
    found = cleaned([entrant("Memory", [10, 20, 30, 40])], [5, 7, 8, 9], "mae", count=200)
    assert (found[0].score_clean.n, math.isnan(found[0].score_clean.value)) == (0, True)
    assert sentence(found, "mae", "usd") == "4 of 4 test rows are known from train: no score here is clean."


def test_rows_that_belong_together_stay_together_on_the_clean_rows() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(30), 10)
    miss = rng.normal(0, 5, 30)[group]
    one = make_answers("regression", [50.0] * 300, (50.0 + miss).tolist(), target_range=(0, 99))
    alone, together = (
        cleaned([Entrant("m", one, range(300), groups)], range(10), "mae")[0].score_clean for groups in (None, group.tolist())
    )
    assert together.high - together.low > 2 * (alone.high - alone.low)


def equals(k: int, seed: int, n: int = 150) -> list[Answers]:
    """Models that are right in 70 % of rows, each by its own luck."""
    rng = np.random.default_rng(seed)
    truth = np.full(n, "a")
    return [make_answers("classification", truth.tolist(), np.where(rng.random(n) < 0.7, "a", "b").tolist(), labels=("a", "b"))
            for _ in range(k)]  # fmt: skip


def test_picking_the_best_of_equals_flatters_it_and_the_correction_takes_that_off() -> None:
    found = [best_of("accuracy", equals(10, seed), seed=seed, count=300) for seed in range(60)]
    apparent = np.mean([one.value for one in found if one])
    corrected = np.mean([one.corrected for one in found if one])
    assert apparent > 0.745
    assert abs(corrected - 0.7) < 0.5 * abs(apparent - 0.7)


def test_a_single_model_and_a_clear_winner_are_left_as_they_are() -> None:
    alone = best_of("accuracy", equals(1, 0))
    assert alone is not None
    assert alone.optimism == 0
    truth = ["a"] * 150
    right = make_answers("classification", truth, truth, labels=("a", "b"))
    clear = best_of("accuracy", [*equals(3, 1), right])
    assert clear is not None
    assert (clear.place, clear.k, clear.corrected) == (3, 4, 1.0)


@pytest.mark.parametrize("name", ["mae", "rmse", "medae", "bias", "r2"])
def test_the_corrected_score_is_never_better_than_the_one_seen(name: str) -> None:
    rng = np.random.default_rng(4)
    truth = rng.lognormal(4, 0.5, 120)
    models = [
        make_answers("regression", truth.tolist(), (truth * rng.lognormal(0, 0.3, 120)).tolist(), target_range=(1, 999)) for _ in range(5)
    ]
    found = best_of(name, models, count=300)
    assert found is not None
    from core.evaluate.metrics import metric

    assert metric(name).rank(found.corrected) >= metric(name).rank(found.value)
    assert found.value == close(value_of(name, models[found.place]))
    assert best_of(name, models, count=300) == found


def test_what_is_not_defined_is_not_corrected() -> None:
    same = make_answers("regression", [5.0, 5.0], [4.0, 6.0])
    assert best_of("r2", [same, same]) is None
    assert best_of("mae", []) is None


def test_the_leaderboard_says_it_in_one_sentence_or_not_at_all() -> None:
    close_ones = leaderboard(labels({f"m{i}": ("classical", 0.7) for i in range(8)}, n=120), resamples=200)
    said = picked(close_ones, best_of("accuracy", [row.answers for row in close_ones.rows]))
    assert said.startswith("The first of 8 was picked on these very rows")
    one = leaderboard(labels({"m": ("classical", 0.7)}, n=120), resamples=200)
    assert picked(one, best_of("accuracy", [row.answers for row in one.rows])) == ""


def test_both_pages_show_the_clean_score_in_one_quiet_line(home) -> None:
    import pandas as pd
    from streamlit.testing.v1 import AppTest

    from core.io import store, testing
    from tests.doubles import ROOT
    from tests.test_contracts import ROLES

    words = ["kettle", "lamp", "drill", "chair", "pump", "radio", "shelf", "clock", "tent", "piano"]
    train = [(f"a {word} of make {i}", 10.0 * place + i) for place, word in enumerate(words) for i in range(4)]
    known, new = train[::5], [(f"some {word} never seen", 7.0 * place + 31) for place, word in enumerate(words)]
    table = pd.DataFrame([*train, *known, *new], columns=["text", "answer"]).assign(kind="x")
    table["split"] = ["train"] * len(train) + ["test"] * (len(known) + len(new))
    one = store.save("Leaky", table, title="Import", roles=ROLES, task="regression", source_hash="leaky")
    for name in ("constant_median", "neighbours"):
        testing.run_predictor(name, {"k": 1} if name == "neighbours" else None, one)
    for page in ("baselines", "compare"):
        at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
        at.query_params["dataset"] = one.dataset
        at.switch_page(f"../pages/{page}.py").run()
        assert not at.exception
        said = [caption.value for caption in at.caption if "known from train" in caption.value]
        assert len(said) == 1, page
        assert said[0].startswith("8 of 18 test rows are known from train\\.")
        assert "on 10 rows" in said[0]
