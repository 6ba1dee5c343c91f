"""Likely wrong labels and numbers are found by models that never saw them, and never in the test."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from core.curate.steps import make
from core.curate.suspects import folds_of
from core.errors import DataError, StudioError
from core.version import Roles
from tests.test_table_steps import LABELLED, WORDS, after, reviews


def test_most_planted_label_errors_are_found_and_little_else():
    frame, flipped = reviews(1000)
    made = after(frame, make("label_errors"), roles=LABELLED, task="classification").frame
    found = (made["label_issue"] == "likely wrong").to_numpy()
    assert (found & flipped).sum() >= 0.8 * flipped.sum()
    assert (found & flipped).sum() >= 0.8 * found.sum()
    assert (made["label_suggested"][found & flipped] != made["y"][found & flipped]).all()
    assert made["label_quality"].between(0, 1).all()
    gone = after(frame, make("label_errors", action="drop"), roles=LABELLED, task="classification")
    assert gone.dropped["row"].tolist() == np.flatnonzero(found).tolist()
    assert set(gone.dropped["reason"]) == {"labelled good, reads like bad", "labelled bad, reads like good"}


def test_planted_wrong_numbers_are_far_from_what_the_texts_suggest():
    rng = np.random.default_rng(0)
    price = {word: 10.0 * 1.3**i for i, word in enumerate(WORDS)}
    picks = rng.choice(WORDS, 600)
    frame = pd.DataFrame(
        {"text": [f"a {word} number {i}" for i, word in enumerate(picks)], "y": [price[w] * rng.uniform(0.9, 1.1) for w in picks]}
    )
    wrong = rng.choice(600, 30, replace=False)
    frame.loc[wrong, "y"] *= 40
    made = after(frame, make("label_errors", action="drop"), roles=LABELLED, task="regression")
    assert len(set(made.dropped["row"]) & set(wrong)) >= 27
    assert len(set(made.dropped["row"]) - set(wrong)) <= 10
    assert made.reports[0].reasons.keys() == {"y is far from what similar texts have"}
    flagged = after(frame, make("label_errors"), roles=LABELLED, task="regression").frame
    assert (flagged["label_distance"][flagged["label_issue"] == "likely wrong"] > 5).all()


def test_label_errors_are_looked_for_in_train_alone():
    frame, _ = reviews(300)
    frame["part"] = ["train"] * 250 + ["test"] * 50
    roles = Roles(text=("text",), target="y", split="part")
    made = after(frame, make("label_errors"), roles=roles, task="classification").frame
    assert made["label_issue"].notna().tolist() == [True] * 250 + [False] * 50
    other = frame.assign(y=["bad" if i >= 250 else y for i, y in enumerate(frame["y"])])
    again = after(other, make("label_errors"), roles=roles, task="classification").frame
    assert made["label_quality"][:250].tolist() == again["label_quality"][:250].tolist()


def test_equal_texts_are_judged_in_one_fold():
    groups = np.array([0, 1, 0, 3, 4, 3, 6, 7, 8, 9])
    fold = folds_of(groups, np.zeros(10, dtype=int), 3, np.random.default_rng(0))
    assert fold[0] == fold[2]
    assert fold[3] == fold[5]
    assert np.ptp(np.bincount(fold[np.unique(groups)], minlength=3)) <= 1


@pytest.mark.parametrize(
    ("frame", "task", "said"),
    [
        (pd.DataFrame({"text": ["a b", "c d"] * 5, "y": ["x"] * 10}), "classification", "labels has 5 different texts"),
        (pd.DataFrame({"text": ["a b"], "y": ["x"]}), "classification", "two are needed"),
        (pd.DataFrame({"text": ["a b", "c d"], "y": [1.0, 2.0]}), "regression", "10 are needed for 5 folds"),
        (pd.DataFrame({"text": ["a b", "c d"], "y": ["q", "r"]}), "qa", "no labels"),
        (pd.DataFrame({"text": [f"?!{'.' * i}" for i in range(20)], "y": ["q", "r"] * 10}), "classification", "no words"),
    ],
)
def test_too_little_to_compare_is_said(frame, task, said):
    with pytest.raises(DataError, match=said):
        after(frame, make("label_errors"), roles=LABELLED, task=task)


def test_missing_cleanlab_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    frame, _ = reviews(40)
    with pytest.raises(StudioError, match="pip install"):
        after(frame, make("label_errors"), roles=LABELLED, task="classification")
