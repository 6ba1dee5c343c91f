"""Replies that are JSON or must hold certain words: valid, fitting, right field by field, all answers, a pattern."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.__main__ import main
from core.errors import SettingsError
from core.evaluate.answers import make_answers
from core.evaluate.metrics import applicable, per_item
from core.evaluate.structured import field_f1, matching, read_json

JSON = {"json_valid", "json_fits", "json_fields"}


@pytest.mark.parametrize(
    ("reply", "found"),
    [('{"a": 1}', {"a": 1}), ("[1, 2]", [1, 2]), ('```json\n{"a": 1}\n```', {"a": 1}), ('```\n[]\n```', []), ("7", None), ('"text"', None),
     ("{'a': 1}", None), ('{"a": NaN}', None), ('{"a": Infinity}', None), ('Sure! {"a": 1}', None), ("", None), (None, None),
     ("[" * 100_000, None)],
)  # fmt: skip
def test_json_is_an_object_or_a_list_and_nothing_around_it(reply: str | None, found: object) -> None:
    assert read_json(reply) == found


TRUTH = '{"name": "kettle", "price": 12, "tags": ["red", "metal"], "size": {"cm": 20}}'


@pytest.mark.parametrize(
    ("reply", "valid", "fits", "right"),
    [
        (TRUTH, 1, 1, 1),
        ('{"size": {"cm": 20.0}, "tags": ["red", "metal"], "price": 12.0, "name": "kettle"}', 1, 1, 1),
        ('{"name": "pan", "price": 9, "tags": ["blue"], "size": {"cm": 1}}', 1, 1, 0),
        ('{"name": "kettle", "price": "12", "tags": ["red", "metal"], "size": {"cm": 20}}', 1, 0, 0.8),
        ('{"name": "kettle"}', 1, 0, 2 / 6),
        ("a kettle", 0, 0, 0),
        (None, 0, 0, 0),
    ],
)
def test_validity_fit_and_fields_are_three_questions(reply: str | None, valid: float, fits: float, right: float) -> None:
    answers = make_answers("chat", [TRUTH], [reply])
    assert per_item("json_valid", answers).tolist() == [valid]
    assert per_item("json_fits", answers).tolist() == [fits]
    assert per_item("json_fields", answers) == pytest.approx([right])


def test_metrics_of_json_apply_where_every_truth_is_json() -> None:
    assert set(applicable(make_answers("chat", [TRUTH, "[]"], ["x", "y"]))) >= JSON
    assert not JSON & set(applicable(make_answers("chat", [TRUTH, "a kettle"], ["x", "y"])))
    assert not JSON & set(applicable(make_answers("qa", ["{oops", "[]"], ["x", "y"])))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_fields_agree_with_themselves_and_in_both_directions(one: object, other: object) -> None:
    assert field_f1(one, one) == 1
    assert field_f1(one, other) == field_f1(other, one)
    assert 0 <= field_f1(one, other) <= 1
    assert field_f1(int("9" * 400), 1.5) == 0, "a number too large for a float is still a number"
    assert (field_f1(one, other) == 1) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def test_containing_all_is_more_than_containing_any() -> None:
    answers = make_answers(
        "qa", [("red", "blue"), ("red", "blue"), ("서울", "부산"), "one"], ["red and blue", "red", "서울과 부산에서", "one"]
    )
    assert per_item("contains_all", answers).tolist() == [1, 0, 1, 1]
    assert per_item("contains", answers).tolist() == [1, 1, 1, 1]
    assert "contains_all" not in applicable(make_answers("qa", ["one"], ["one"]))


def test_a_pattern_is_looked_for_in_what_was_read() -> None:
    answers = make_answers("chat", ["x"] * 3, ["Price is $12.", "no idea", None])
    assert matching(answers, r"\$\d+").tolist() == [1, 0, 0]
    assert matching(make_answers("regression", [1.0, 2.0], [np.nan, 2.0]), "n|2").tolist() == [0, 1]
    with pytest.raises(SettingsError, match="no regular expression"):
        matching(answers, "(")


def test_the_command_scores_json_and_a_pattern(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"index": [0, 1], "truth": [TRUTH, TRUTH]}).to_csv(tmp_path / "gold.csv", index=False)
    pd.DataFrame({"index": [0, 1], "guess": [TRUTH, "kettle"]}).to_csv(tmp_path / "said.csv", index=False)
    asked = ["score", str(tmp_path / "said.csv"), str(tmp_path / "gold.csv"), "--task", "chat", "--pattern", "^kettle$"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: found["metrics"][name]["value"] for name in JSON} == {"json_valid": 0.5, "json_fits": 0.5, "json_fields": 0.5}
    assert found["pattern"]["value"] == 0.5
    assert main(asked) == 0
    assert "Pattern found" in capsys.readouterr().out
