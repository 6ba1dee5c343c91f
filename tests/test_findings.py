"""Findings of diversity and amount: the number, what it implies, and the step that mends it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from statsmodels.stats.proportion import samplesize_confint_proportion

from core.explore import amount, fixes
from core.explore.finding import Finding
from core.explore.profile import profile
from core.explore.sameness import crowded
from core.version import Roles

ROLES = Roles(text=("text",), target="stars", split="split")
WORDS = "amber basin cedar delta ember fjord grove heath inlet jetty knoll ledge marsh north ocean prism quilt ridge stone tower".split()  # noqa: SIM905


def prose(rows: int, seed: int = 0) -> list[str]:
    """Texts that share nothing but words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 12)) + f" {row}" for row in range(rows)]


def table(rows: int, test: int, labels: int = 2) -> pd.DataFrame:
    parts = ["train"] * (rows - test) + ["test"] * test
    return pd.DataFrame({"text": prose(rows), "stars": [str(row % labels) for row in range(rows)], "split": parts})


def of(frame: pd.DataFrame, group: str, task: str = "classification", roles: Roles = ROLES) -> list[Finding]:
    return [one for one in profile(frame, roles, task).findings if one.group == group]


@given(some.floats(0.01, 0.3), some.floats(0.05, 0.95))
def test_the_rows_an_interval_needs_agree_with_the_textbook(width: float, share: float) -> None:
    needed = amount.rows_for(width, share)
    assert needed == math.ceil(samplesize_confint_proportion(share, width) - 1e-9)
    assert amount.half_width(needed, share) <= width + 1e-9
    assert needed == 1 or amount.half_width(needed - 1, share) > width


def test_few_test_rows_say_how_wide_the_interval_is_and_how_many_it_takes() -> None:
    (one,) = of(table(1500, 150), "amount")
    assert (one.severity, one.text, len(one.rows)) == ("note", "Only 150 test rows", 150)
    assert "± 8 points" in one.detail
    assert "385 rows" in one.detail
    assert (one.fix, one.settings) == ("split", {"method": "random", "test": 26.0})
    made = fixes.steps(one.fix, ROLES, {"text": "text"}, settings=one.settings)
    assert (made[0].name, made[0].settings["test"]) == ("split", 26.0)
    assert not of(table(1500, 385), "amount")


def test_numbers_are_judged_by_the_errors_of_the_median() -> None:
    rng = np.random.default_rng(0)
    frame = table(2000, 200).assign(stars=np.exp(rng.normal(3, 1, 2000)).round(2))
    (one,) = of(frame, "amount", "regression")
    errors = np.abs(frame["stars"] - frame["stars"].median())
    width = 1.96 * errors.std(ddof=1) / math.sqrt(200) / errors.mean()
    assert f"± {100 * width:.0f} % of itself" in one.detail
    assert f"{math.ceil((1.959964 * errors.std(ddof=1) / (0.1 * errors.mean())) ** 2):,} rows" in one.detail


def test_rows_and_labels_too_few_to_learn_from_are_named() -> None:
    assert [one.text for one in of(table(40, 0), "amount")] == ["Only 40 rows to learn from"]
    frame = table(900, 400)
    frame.loc[:4, "stars"] = "rare"
    (one,) = of(frame, "amount")
    assert (one.text, one.rows, one.fix) == ("1 of 3 labels has under 20 rows", (0, 1, 2, 3, 4), "more")


def test_an_opening_that_many_share_can_be_taken_out() -> None:
    frame = table(400, 0).drop(columns="split")
    frame.loc[:199, "text"] = "Please rate this product now: " + frame["text"][:200]
    (one,) = of(frame, "template", roles=Roles(text=("text",), target="stars"))
    assert one.text == "'Please rate this product now:' opens 50 % of texts"
    assert (one.severity, one.rows) == ("warn", tuple(range(200)))
    made = fixes.steps(one.fix or "", ROLES, {"text": "text"}, settings=one.settings)
    assert made[0].settings["phrases"] in (("Please rate this product now:",), ["Please rate this product now:"])


def test_an_opening_with_changing_numbers_is_told_and_left_to_the_reader() -> None:
    frame = table(400, 0).drop(columns="split")
    frame["text"] = [f"Item number {row} of the shop: {text}" for row, text in enumerate(frame["text"])]
    (one,) = of(frame, "template", roles=Roles(text=("text",), target="stars"))
    assert "but for the numbers" in one.detail
    assert one.fix is None


def test_texts_of_one_pattern_have_few_different_pairs_of_words() -> None:
    frame = pd.DataFrame({"text": [f"the {WORDS[row % 5]} is {WORDS[row % 3]} and good" for row in range(400)], "stars": ["1", "2"] * 200})
    found = of(frame, "variety", roles=Roles(text=("text",), target="stars"))
    assert len(found) == 1
    assert "Distinct-2 of the texts" in found[0].text
    rng = np.random.default_rng(0)
    free = [" ".join(f"word{number}" for number in rng.integers(0, 3000, 12)) for _ in range(400)]
    assert not of(frame.assign(text=free), "variety", roles=Roles(text=("text",), target="stars"))


@given(some.lists(some.tuples(some.integers(0, 3), some.sampled_from("abc")), min_size=4, max_size=40))
def test_the_ceiling_is_what_the_best_lookup_table_reaches(pairs: list[tuple[int, str]]) -> None:
    """Oracle: the most frequent label of every text, counted by hand."""
    frame = pd.DataFrame({"text": [f"text number {WORDS[text]}" for text, _ in pairs], "stars": [label for _, label in pairs]})
    found = of(frame, "conflict", roles=Roles(text=("text",), target="stars"))
    groups = {text: [label for other, label in pairs if other == text] for text, _ in pairs}
    best = sum(max(map(labels.count, labels)) for labels in groups.values())
    if best == len(pairs):
        assert not found
    else:
        n = len(pairs)
        expected = f"{best} of {n}" if n < 30 else f"{100 * best / n:.0f} %"
        assert f"your ceiling is {expected}" in found[0].detail


@pytest.mark.parametrize("task", ["regression", "classification", "qa", "chat"])
def test_every_task_has_findings_of_known_topics(task: str) -> None:
    frame = table(60, 10).assign(stars=[float(row % 7) for row in range(60)])
    for one in profile(frame, ROLES, task).findings:
        assert one.topic in ("quality", "diversity", "balance", "amount")


def test_a_ceiling_below_one_never_reads_as_one() -> None:
    frame = table(900, 0).drop(columns="split")
    frame.loc[1, ["text", "stars"]] = [frame["text"][0], "other"]
    (one,) = of(frame, "conflict", roles=Roles(text=("text",), target="stars"))
    assert "your ceiling is 99.88 %" in one.detail  # 899 of 900


def test_near_duplicates_that_disagree_are_counted() -> None:
    frame = table(60, 0).drop(columns="split")
    frame.loc[1, "text"] = frame["text"][0] + "!"
    (one,) = of(frame, "near", roles=Roles(text=("text",), target="stars"))
    assert one.rows == (0, 1)
    assert "2 of them disagree on stars" in one.detail


def test_groups_of_a_map_are_told_of_when_five_hold_most_and_not_when_they_are_even() -> None:
    rows = np.arange(1000) * 2
    uneven = np.array([0] * 300 + [1] * 200 + [2] * 150 + [3] * 120 + [4] * 80 + [5 + i % 10 for i in range(150)])
    told = crowded(rows, uneven, [f"title {i}" for i in range(15)])
    assert told is not None
    assert (told.topic, told.text) == ("diversity", "Five groups of texts hold 85.0 %")
    assert told.rows == tuple(int(row) for row in rows[:850])
    assert "title 0" in told.detail
    assert crowded(rows, np.arange(1000) % 15, ["x"] * 15) is None
    assert crowded(rows, np.arange(1000) % 5, ["x"] * 5) is None
