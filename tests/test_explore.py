"""Profiles and findings say the number, the consequence and the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.explore import distributions, fixes
from core.explore.finding import Finding
from core.explore.profile import profile
from core.load import roles as guessing
from core.version import Roles


def only(found: tuple[Finding, ...], group: str) -> Finding:
    return next(one for one in found if one.group == group)


def reviews(texts: list[str], targets: list[object], **more: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"text": texts, "stars": targets, **more})


ROLES = Roles(text=("text",), target="stars")


def test_duplicates_that_disagree_set_a_ceiling_for_labels() -> None:
    frame = reviews(["same text here", "same text here", "same text here", "another text here"], ["5", "5", "1", "3"])
    found = only(profile(frame, ROLES, "classification").findings, "duplicate")
    assert (found.text, found.rows) == ("2 exact duplicates", (0, 1, 2))
    assert "3 rows of equal text disagree on stars: your ceiling is 3 of 4." in found.detail


def test_duplicates_that_disagree_set_a_least_error_for_numbers() -> None:
    frame = reviews(["same text here"] * 2 + [f"text number {i}" for i in range(8)], [10.0, 30.0, *range(8)])
    roles = Roles(text=("text",), target="stars")
    found = only(profile(frame, roles, "regression").findings, "conflict")
    assert "no model can miss by less than 2" in found.detail  # two rows miss by 10 each, over ten rows


def test_test_rows_that_are_also_in_train_come_first() -> None:
    frame = reviews(["a long text one", "a long text two", "a long text one"], ["1", "2", "1"], split=["train", "train", "test"])
    found = profile(frame, Roles(text=("text",), target="stars", split="split"), "classification").findings
    assert (found[0].severity, found[0].text, found[0].rows, found[0].fix) == ("fail", "1 test row also in train", (2,), "leaks")


def test_texts_that_are_nearly_the_same_are_found_and_leak_across_a_split() -> None:
    long = "the kettle boils fast, switches off by itself and is easy to clean even after a long year of use"
    frame = reviews([long, long + "!", "something else entirely about garden hoses"], ["1", "1", "2"], split=["train", "test", "test"])
    found = profile(frame, Roles(text=("text",), target="stars", split="split"), "classification").findings
    assert (found[0].severity, found[0].text, found[0].rows) == ("fail", "1 test row nearly in train", (1,))
    assert only(found, "near").rows == (0, 1)


@pytest.mark.parametrize("fix", fixes.FIXES)
def test_every_fix_is_a_step_with_settings_that_hold(fix: str) -> None:
    roles = Roles(text=("title", "body"), target="price", category="kind")
    made = fixes.steps(fix, roles, {"title": "text", "body": "text", "price": "text", "kind": "label"})
    assert made or fix in ("augment", "more")
    assert fixes.steps("windows", Roles(text=("title",)), {"title": "text"}, settings={"maximum": 90})[0].settings["maximum"] == 90


def test_missing_and_unreadable_targets_are_told_apart() -> None:
    frame = pd.DataFrame({"text": [f"thing {i} for sale" for i in range(5)], "price": ["$12.50", "from 5", None, "", "7"]})
    found = profile(frame, Roles(text=("text",), target="price"), "regression").findings
    assert only(found, "missing").rows == (2, 3)
    assert (only(found, "unreadable").rows, only(found, "unreadable").text) == ((1,), "1 unreadable price")
    assert "'from 5'" in only(found, "unreadable").detail


def test_rows_longer_than_the_limit_are_counted_in_tokens() -> None:
    frame = reviews([f"a text of words {i}" for i in range(3)], ["1", "2", "3"])
    found = only(profile(frame, ROLES, "classification", lengths=[10, 300, 400], limit=256).findings, "long")
    assert (found.text, found.rows) == ("2 rows over 256 tokens", (1, 2))
    assert "400" in found.detail


def test_small_classes_name_the_smallest_and_what_always_guessing_gives() -> None:
    frame = reviews([f"a text of words {i}" for i in range(60)], ["5"] * 50 + ["2"] * 10)
    found = only(profile(frame, ROLES, "classification").findings, "balance")
    assert (found.text, found.fix, len(found.rows)) == ("stars 2 has 10 rows, stars 5 50", "augment", 10)
    assert "83 %" in found.detail


@pytest.mark.parametrize(
    ("texts", "group"),
    [
        (["caf\ufffd by the river", "fine words here"], "encoding"),
        (["cafÃ© by the river", "fine words here"], "encoding"),
        (["good film<br />bad end", "fine words here"], "markup"),
        (["", "fine words here"], "missing"),
        (["ok", "fine words here"], "short"),
    ],
)
def test_texts_that_are_odd_are_found(texts: list[str], group: str) -> None:
    assert only(profile(reviews(texts, ["1", "2"]), ROLES, "classification").findings, group).rows == (0,)


@pytest.mark.parametrize("text", ["naïve café élan", "ÃRSREDOVISNING", "Ángel è qui – “ja”", "가나다 라마바", "a < b and c > d"])
def test_texts_in_other_languages_are_not_called_damaged(text: str) -> None:
    groups = {one.group for one in profile(reviews([text, "fine words here"], ["1", "2"]), ROLES, "classification").findings}
    assert not groups & {"encoding", "markup"}


def test_a_price_that_stands_in_the_text_is_a_leak() -> None:
    frame = pd.DataFrame({"text": ["pot, now $12.50 only", "a pan for cooking"], "price": ["$12.50", "$5.00"]})
    found = only(profile(frame, Roles(text=("text",), target="price"), "regression").findings, "leak")
    assert found.rows == (0,)


def test_labels_spelt_in_two_ways_are_one() -> None:
    frame = reviews([f"a text of words {i}" for i in range(4)], ["Good", "good ", "Ｇood", "bad"])
    assert only(profile(frame, ROLES, "classification").findings, "label").rows


def test_a_clean_table_has_no_finding_but_that_it_is_small() -> None:
    words = [
        "amber",
        "basin",
        "cedar",
        "delta",
        "ember",
        "fjord",
        "grove",
        "heath",
        "inlet",
        "jetty",
        "knoll",
        "ledge",
        "marsh",
        "north",
        "ocean",
    ]
    texts = [" ".join(words[(i * j + i) % 15] for j in range(1, 9)) + f" {i * 7919}" for i in range(1, 13)]
    frame = reviews(texts, [str(i % 4) for i in range(12)])
    assert [one.text for one in profile(frame, ROLES, "classification", lengths=[5] * 12).findings] == ["Only 12 rows to learn from"]


def test_every_table_can_be_profiled_without_roles() -> None:
    frame = pd.DataFrame({"a": [None, None], "b": [1.5, np.nan], "c": ["x", ""], "d": [True, False], "e": ['["l"]', "{}"]})
    found = profile(frame)
    assert [(one.name, one.kind, one.nulls, one.unique) for one in found.columns] == [
        ("a", "text", 2, 0), ("b", "number", 1, 1), ("c", "text", 1, 1), ("d", "flag", 0, 2), ("e", "list", 0, 2),
    ]  # fmt: skip
    assert profile(pd.DataFrame({"a": ["x"]})).rows == 1


@given(some.lists(some.floats(-1e6, 1e6, allow_subnormal=False), min_size=1), some.booleans())
def test_a_histogram_counts_each_value_once(values: list[float], log: bool) -> None:
    found = distributions.histogram(np.array(values), log=log)
    assert sum(found.counts) == sum(value > 0 for value in values) if log else sum(found.counts) == len(values)
    assert all(a < b for a, b in zip(found.edges, found.edges[1:], strict=False))


def test_a_cut_keeps_both_ends() -> None:
    assert distributions.kept([5, 10, 20, 30], 10, 20) == distributions.Kept(2, 4, 30, 65)


def test_categories_beyond_the_largest_are_summed() -> None:
    found = distributions.by_category(pd.Series([*"aaabbcd", None]), pd.Series([1, 2, 3, 4, 5, 6, 7, 8]), most=3)
    assert found["category"].tolist() == ["a", "b", "3 others"]
    assert found["rows"].tolist() == [3, 2, 3]
    assert found["median"].tolist() == [2, 4.5, 7]


N = 40
WORDS = [f"some words about the thing number {i}" for i in range(N)]


@pytest.mark.parametrize(
    ("table", "task", "roles"),
    [
        ({"title": WORDS, "category": ["a", "b"] * 20, "price": [f"${i}.50" for i in range(N)]}, "regression",
         {"text": ("title",), "target": "price", "category": "category"}),
        ({"id": [f"u{i}" for i in range(N)], "review": WORDS, "stars": [1, 2, 3, 4, 5] * 8}, "classification",
         {"id": "id", "text": ("review",), "target": "stars"}),
        ({"제목": WORDS, "가격": [float(i) + 0.5 for i in range(N)]}, "regression", {"text": ("제목",), "target": "가격"}),
        ({"리뷰": WORDS, "평점": [1, 5] * 20, "날짜": ["2024-01-02"] * N}, "classification",
         {"text": ("리뷰",), "target": "평점", "time": "날짜"}),
        ({"question": WORDS, "answer": [f"name {i}" for i in range(N)]}, "qa", {"text": ("question",), "target": "answer"}),
        ({"instruction": WORDS, "output": [w * 5 for w in WORDS]}, "chat", {"text": ("instruction",), "target": "output"}),
        ({"text": WORDS, "label": ["pos", "neg"] * 20, "split": ["train"] * 30 + ["val"] * 10}, "classification",
         {"text": ("text",), "target": "label", "split": "split"}),
        ({"body": WORDS, "UserId": [f"A{i % 7}X" for i in range(N)], "Score": [1, 2, 3, 4] * 10}, "classification",
         {"text": ("body",), "target": "Score", "group": "UserId"}),
        ({"a": WORDS, "b": [f"{i}.99 USD" for i in range(N)]}, "regression", {"text": ("a",), "target": "b"}),
        ({"notes": WORDS}, None, {"text": ("notes",)}),
    ],
)  # fmt: skip
def test_roles_are_guessed_from_names_and_content(table: dict[str, list[object]], task: str | None, roles: dict[str, object]) -> None:
    guess = guessing.guess(pd.DataFrame(table))
    assert guess.task == task
    assert {key: value for key, value in guess.roles.to_dict().items() if value} == roles
    assert set(guess.reasons) == set(table)


def test_a_text_that_holds_the_answer_is_not_taken_as_text() -> None:
    table = {
        "title": WORDS,
        "price": [float(i) + 1 for i in range(N)],
        "prompt": [f"{w} Price is ${i + 1}.00" for i, w in enumerate(WORDS)],
    }
    guess = guessing.guess(pd.DataFrame(table))
    assert guess.roles.text == ("title",)
    assert "holds the answer" in guess.reasons["prompt"]


def test_other_words_for_splits_become_the_three() -> None:
    assert guessing.canonical_splits(pd.Series(["Train", "val", "dev", "TEST"])).tolist() == ["train", "validation", "validation", "test"]


def test_another_target_gives_up_its_old_role() -> None:
    assert guessing.with_target(Roles(text=("a", "b"), target="c", category="d"), "d") == Roles(text=("a", "b"), target="d")
