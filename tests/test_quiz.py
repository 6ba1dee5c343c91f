"""A person as a predictor, walked on the page: answering, skipping, going on after a reload; and recorded answers beside it."""

from __future__ import annotations

from typing import Any

import pytest

from core.io import evaluations, people, prompting, testing
from core.prompt import Prompt
from core.reply import Reply
from tests.doubles import version
from tests.test_baselines_page import button, labels, page, words


def start(at: Any) -> Any:
    return at.button(key="baselines_quiz_start").click().run()


def answer(at: Any, value: float) -> Any:
    (field,) = [one for one in at.number_input if str(one.key).startswith("baselines_number_")]
    field.set_value(value)
    return button(at, "Next").click().run()


def skip(at: Any) -> Any:
    return button(at, "Skip").click().run()


def test_a_quiz_shows_the_row_without_its_answer_and_never_asks_twice(home) -> None:
    one = version("regression")
    test = testing.test_rows(one)
    at = start(page(one.dataset))
    seen = []
    for _ in range(5):
        row = next(text.value for text in at.text if text.value in test.text)
        seen.append(test.text.index(row))
        assert not [truth for truth in test.targets or () if str(truth) in words(at)]
        answer(at, 25.0)
        assert not at.exception
    assert len(set(seen)) == 5
    (made,) = evaluations.of(one.dataset)
    assert (made.title, made.family, made.n, made.predictor) == ("You", "people", 5, "person")
    assert sorted(made.answers["index"].tolist()) == sorted(seen)
    assert people.kept_quiz(one) is None
    assert [h.value for h in at.header] == ["You"]


def test_skipped_rows_are_not_counted_and_an_empty_answer_is_unread(home) -> None:
    one = version("regression")
    at = skip(skip(start(page(one.dataset))))
    assert "2 skipped" in str(at.get("progress")[0].proto.text)
    answer(at, 20.0)
    button(at, "Next").click().run()
    answer(at, 30.0)
    (made,) = evaluations.of(one.dataset)
    assert sorted(made.answers["status"].tolist()) == ["ok", "ok", "unread"]


def test_a_quiz_goes_on_after_a_reload_and_may_be_left_early(home) -> None:
    one = version("regression")
    answer(skip(start(page(one.dataset))), 20.0)
    again = page(one.dataset)
    assert "Go on at row 3 of 5" in labels(again)
    again.button(key="baselines_quiz_resume").click().run()
    answer(again, 22.0)
    again.button(key="baselines_quiz_later").click().run()
    assert not evaluations.of(one.dataset)
    again.button(key="baselines_quiz_resume").click().run()
    again.button(key="baselines_quiz_leave").click().run()
    assert not again.exception
    (made,) = evaluations.of(one.dataset)
    assert sorted(made.answers["guess"].tolist()) == [20.0, 22.0]
    assert "Go on at row" not in " ".join(labels(page(one.dataset)))


def test_leaving_without_an_answer_leaves_nothing(home) -> None:
    one = version("classification")
    at = start(page(one.dataset))
    assert [b.label for b in at.button if str(b.key).startswith("baselines_answer_")] == ["bad", "fair", "good", "좋음"]
    at.button(key="baselines_quiz_leave").click().run()
    assert not at.exception
    assert not evaluations.of(one.dataset)
    assert people.kept_quiz(one) is None


def test_kept_replies_are_read_again_from_the_page(home) -> None:
    one = version("regression")
    prompting.run_prompted(one, Prompt(user="Price?\n$text"), lambda asked, **how: [Reply("3 items at $49.99", 9, 3, 0.1)] * len(asked),
                           title="Old model")  # fmt: skip
    at = page(one.dataset)
    at.selectbox(key="baselines_reader").set_value("first-number").run()
    at.button(key="baselines_again").click().run()
    assert not at.exception
    found = {made.title: made.answers["guess"].tolist()[0] for made in evaluations.of(one.dataset)}
    assert found == {"Old model": 49.99, "Old model (first number)": pytest.approx(3.0)}
