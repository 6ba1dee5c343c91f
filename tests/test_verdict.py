"""What the board says and what the verdict may say: answer first, never beyond the numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from core.compare.frontier import frontier
from core.compare.leaderboard import leaderboard
from core.compare.matrix import lines
from core.compare.pairs import against, turned, with_reference
from core.compare.report import file_name, report
from core.compare.slices import slices
from core.compare.verdict import Verdict, verdict
from core.compare.wording import answer
from core.errors import DataError, MissingError
from core.evaluation import Evaluation
from tests.boards import evaluation, labels, prices

HOSTILE = "<img src=x onerror=alert(1)> [x](javascript:1) $a$ \"' & </script> 모델"


def told(evaluations: list[Evaluation], **more: object) -> Verdict:
    return verdict(leaderboard(evaluations, unit="usd", resamples=2000), **more)  # type: ignore[arg-type]


CONSTANT = {"constant_median": ("trivial", 0.0)}
FOREST = {"forest": ("classical", 0.4)}
CASES = [
    ("tuned is worse than a forest", {**CONSTANT, **FOREST, "SmolLM2 fine-tuned": ("tuned", 0.62)}, 300, "no",
     "Not on this data. A random forest is closer, and free."),
    ("tuned is better than all", {**CONSTANT, **FOREST, "SmolLM2 fine-tuned": ("tuned", 0.2)}, 300, "yes",
     "Yes. The fine-tuned SmolLM2 is closer than everything else here."),
    ("tuned and forest are alike", {**CONSTANT, **FOREST, "SmolLM2 fine-tuned": ("tuned", 0.42)}, 300, "open", "Cannot tell yet. About"),
    ("only trivial", CONSTANT, 300, "none", "Only constants have answered so far."),
    ("no tuned model yet", {**CONSTANT, **FOREST, "svm": ("classical", 0.6)}, 300, "none", "A random forest is the one to beat."),
    ("no baseline beats the constant", {**CONSTANT, "forest": ("classical", 1.5)}, 300, "none", "Nothing beats a constant yet."),
    ("tuned and a constant only", {**CONSTANT, "SmolLM2 fine-tuned": ("tuned", 0.3)}, 300, "open", "Better than a constant."),
    ("tuned alone", {"SmolLM2 fine-tuned": ("tuned", 0.3)}, 300, "open", "Cannot tell yet. Nothing else has answered"),
    ("tuned worse than the constant, nothing else", {**CONSTANT, "Qwen fine-tuned": ("tuned", 2.0)}, 300, "no", "Not on this data."),
    ("tuned like the constant, nothing else", {**CONSTANT, "Qwen fine-tuned": ("tuned", 0.7)}, 300, "open", "Cannot tell yet. The fine-tuned model is not"),
    ("very few rows", {**CONSTANT, **FOREST, "SmolLM2 fine-tuned": ("tuned", 0.45)}, 8, "open", "Cannot tell yet."),
    ("prompted is best of the others", {**CONSTANT, "prompted": ("prompted", 0.3), "SmolLM2 fine-tuned": ("tuned", 0.6)}, 300, "no",
     "Not on this data. prompted is closer, and free."),
    ("one row", {**FOREST, "SmolLM2 fine-tuned": ("tuned", 0.3)}, 1, "open", "Cannot tell"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "models", "n", "kind", "headline"), CASES, ids=[case[0] for case in CASES])
def test_the_answer_follows_from_the_numbers(name: str, models: dict, n: int, kind: str, headline: str) -> None:
    said = told(prices(models, n=n))
    assert (said.kind, said.headline[: len(headline)]) == (kind, headline)
    assert len(said.sentences) <= 4
    assert not re.search(r"\bNone\b|\bnan\b|inf\b|\$0\b", said.text)
    assert all(any(strong in sentence for sentence in said.sentences) for strong in said.strong)
    assert (n < 30 and len(said.sentences) < 4) == any("few" in sentence for sentence in said.sentences) or len(said.sentences) == 4


def test_labels_are_told_in_shares_and_few_rows_in_counts() -> None:
    said = told(labels({"majority": ("trivial", 0), "svm": ("classical", 0.3), "SmolLM2 fine-tuned": ("tuned", 1.0)}, n=20))
    assert said.headline.startswith("Yes. The fine-tuned SmolLM2 is right on 20 of 20; nothing else passes")
    assert any("few" in sentence for sentence in said.sentences)
    worse = told(labels({"majority": ("trivial", 0), "svm": ("classical", 0.8), "SmolLM2 fine-tuned": ("tuned", 0.5)}))
    assert worse.headline == "Not on this data. A linear SVM is right more often, and free."
    assert "points [" in worse.sentences[1]


def test_what_tuning_changed_is_told_of_the_same_model_only() -> None:
    rows = prices({**CONSTANT, **FOREST, "SmolLM2 fine-tuned": ("tuned", 0.6), "SmolLM2 prompted": ("prompted", 1.4)})
    assert "Fine-tuning did help the model: untuned it misses by" in told(rows).text
    other = [replace(one, title="GPT prompted") if one.family == "prompted" else one for one in rows]
    assert "untuned" not in told(other).text


def test_a_price_is_named_when_the_better_model_has_one() -> None:
    rows = prices({**CONSTANT, "GPT": ("prompted", 0.2), "SmolLM2 fine-tuned": ("tuned", 0.6)})
    paid = [replace(one, answers=one.answers.assign(usd=0.0004)) if one.title == "GPT" else one for one in rows]
    assert told(paid).headline == "Not on this data. GPT is closer, at $0.40 per 1,000 answers."


@pytest.mark.parametrize(("errors", "withheld"), [(2, False), (3, True), (30, True)])
def test_no_verdict_while_one_percent_of_answers_are_errors(errors: int, withheld: bool) -> None:
    rows = prices({**CONSTANT, **FOREST, "SmolLM2 fine-tuned": ("tuned", 0.2)})
    status = ["error"] * errors + ["ok"] * (300 - errors)
    lost = replace(rows[2], answers=rows[2].answers.assign(status=status))
    said = told([*rows[:2], lost])
    assert (said.kind == "withheld") == withheld
    if withheld:
        assert said.headline == "No verdict yet. Some answers are missing."
        assert f"{errors} of 300" in said.text


def test_badges_say_leak_seeds_comparisons_and_samples() -> None:
    rows = prices({**CONSTANT, **FOREST, "SmolLM2 fine-tuned": ("tuned", 0.2)})
    part = replace(rows[2], answers=rows[2].answers.head(100))
    said = verdict(leaderboard([*rows[:2], part], resamples=2000), leak="clean")
    assert [badge.text for badge in said.badges] == ["Clean: no test row in train", "1 seed: training variance unknown",
                                                     "3 models, 2 comparisons", "On 100 of 300 test rows"]  # fmt: skip
    assert all(row.n == 100 for row in leaderboard([*rows[:2], part], resamples=2000).rows)


def test_renaming_and_reordering_models_changes_no_number() -> None:
    rows = prices({**CONSTANT, **FOREST, "svm": ("classical", 0.5)}, n=80)
    one = leaderboard(rows, reference="forest")
    shuffled = [replace(row, answers=row.answers.sample(frac=1, random_state=1)) for row in rows[::-1]]
    other = leaderboard([replace(row, title="x" + row.title) for row in shuffled], reference="xforest")
    assert [row.values for row in one.rows] == [row.values for row in other.rows]
    assert [replace(p, a="", b="") for p in one.pairs] == [replace(p, a="", b="") for p in other.pairs]


def test_pairs_are_adjusted_and_turn_with_the_reference() -> None:
    board = leaderboard(prices({**CONSTANT, **FOREST, "svm": ("classical", 0.45)}), resamples=2000)
    assert board.row(board.reference).title == "constant_median"
    assert {pair.verdict for pair in board.pairs} == {"better"}
    assert all(pair.p_adjusted >= pair.p and pair.needed_items == 0 for pair in board.pairs)
    turned_board = with_reference(board, "forest")
    constant = turned_board.pair(board.reference)
    assert constant is not None
    assert constant.verdict == "worse"
    assert turned(constant).difference == pytest.approx(board.pair("forest").difference)  # type: ignore[union-attr]
    close = turned_board.pair("svm")
    assert close is not None
    assert close.verdict == "not distinguishable"
    assert close.needed_items is None or close.needed_items > 0
    assert len(against(board, "svm", "rmse")) == 2


def test_twins_are_not_distinguishable_and_titles_stay_unique() -> None:
    one = prices(FOREST, n=50)[0]
    board = leaderboard([one, replace(one, id="twin")])
    assert [row.title for row in board.rows] == ["forest", "forest (2)"]
    assert (board.pairs[0].difference, board.pairs[0].p_adjusted, board.pairs[0].verdict) == (0, 1, "not distinguishable")
    assert board.pairs[0].needed_items is None


def test_what_cannot_be_compared_is_refused_with_both_names() -> None:
    first, second = prices({**CONSTANT, **FOREST}, n=30)
    with pytest.raises(DataError, match=r"'constant_median'.*'forest'"):
        leaderboard([first, replace(second, test_id="other", version="w")])
    with pytest.raises(DataError, match="regression"):
        leaderboard([first, replace(second, task="qa")])
    with pytest.raises(DataError, match="row 0 more than once"):
        leaderboard([replace(first, answers=first.answers.assign(index=0))])
    with pytest.raises(DataError, match="another right answer"):
        leaderboard([first, replace(second, answers=second.answers.assign(truth=1.0))])
    with pytest.raises(DataError, match="no test row"):
        leaderboard([first, replace(second, answers=second.answers.assign(index=range(100, 130)))])
    with pytest.raises(DataError, match="baselines"):
        leaderboard([])
    with pytest.raises(MissingError, match="constant_median, forest"):
        leaderboard([first, second], reference="svm")


def test_groups_widen_what_is_said() -> None:
    rows = prices({**CONSTANT, **FOREST}, n=200)
    groups = {i: i // 20 for i in range(200)}
    alone, grouped = leaderboard(rows, resamples=500), leaderboard(rows, groups=groups, resamples=500)
    assert grouped.best.values["mae"].method == "clustered"
    assert alone.best.values["mae"].value == grouped.best.values["mae"].value


def test_the_frontier_holds_what_nothing_beats() -> None:
    rows = prices({**CONSTANT, **FOREST, "slow": ("classical", 0.6), "GPT": ("prompted", 0.1)}, n=100)
    times = {"constant_median": 1e-6, "forest": 0.001, "slow": 0.5, "GPT": 1.0}
    timed = [replace(one, answers=one.answers.assign(seconds=times[one.title], usd=0.001 if one.title == "GPT" else None)) for one in rows]
    assert frontier(leaderboard(timed, resamples=500)) == ("GPT", "forest", "constant_median")


def test_slices_are_measured_alone_and_small_ones_together() -> None:
    board = leaderboard(prices({**CONSTANT, **FOREST}, n=100), resamples=500)
    names = {i: "큰 것" if i < 60 else "small" if i < 97 else f"tiny {i}" for i in range(100)}
    found = slices(board, "forest", names, reference="constant_median")
    assert [(one.name, one.n) for one in found] == [("큰 것", 60), ("small", 37), ("other", 3)]
    assert all(np.isfinite(one.p_adjusted) and one.difference < 20 for one in found)


def test_the_matrix_marks_the_best_and_says_the_reference() -> None:
    board = leaderboard(prices({**CONSTANT, **FOREST}, n=100), unit="usd", resamples=500)
    table = {line.name: line for line in lines(board)}
    assert table["mae"].cells[0].best
    assert table["mae"].cells[0].text.startswith("$")
    assert [cell.text for cell in table["against"].cells][1] == "reference"
    assert table["against"].cells[0].word == "better"
    assert list(table)[-4:] == ["coverage", "time", "cost", "training"]
    assert {cell.text for cell in table["cost"].cells} == {"local"}


def test_the_report_escapes_everything_and_loads_nothing() -> None:
    rows = [evaluation(HOSTILE, "tuned", ["a", HOSTILE, "b"], ["a", "b", HOSTILE], task="qa", settings={"prompt": HOSTILE}),
            evaluation("정상 모델", "classical", ["a", HOSTILE, "b"], ["a", None, "b"], task="qa")]  # fmt: skip
    board = leaderboard(rows, resamples=200)
    page = report(board, verdict(board), title=HOSTILE, texts=dict.fromkeys(range(3), HOSTILE))
    assert "<img" not in page
    assert "<script" not in page
    assert "</script" not in page
    assert not re.search(r"https?://|url\(|@import|src=x on\w+=alert\(1\)>", page)
    assert "&lt;img src=x" in page
    assert "정상 모델" in page
    assert "prefers-color-scheme: dark" in page
    assert "default-src 'none'" in page
    assert page.count("<svg") == 1
    assert file_name(["Price it", "v 4/../x"]) == "Price-it-v-4----x.html"


def test_answers_are_shown_in_their_unit() -> None:
    told = [answer(value, unit) for value, unit in ((21.95, "usd"), (-3.0, "usd"), (1299.0, "number"), (0.0, "number"), (0.125, "number"))]
    assert told == ["$21.95", "−$3.00", "1,299", "0", "0.125"]
    assert [answer(None, "usd"), answer(float("nan"), "number"), answer("5", "number")] == ["unread", "unread", "5"]
