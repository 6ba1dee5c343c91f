"""How sure classifiers are: who has probabilities, and that they are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.evaluation import Evaluation, answers_frame
from core.io import evaluations
from core.predict.confidence import FEWEST_TO_CALIBRATE, platt
from core.predict.registry import make
from core.prediction import Examples, examples
from core.version import Roles
from tests.boards import labels as board
from tests.doubles import frame

ROLES = Roles(text=("text",), target="answer", category="kind", split="split")


def rows(n: int = 400) -> tuple[Examples, Examples]:
    table = frame("classification", n)
    train = examples(table[table["split"] == "train"].reset_index(drop=True), ROLES, "classification")
    return train, examples(table[table["split"] == "test"].reset_index(drop=True), ROLES, "classification", train.labels)


@pytest.mark.parametrize("name", ["majority", "features_linear", "bow_linear", "tfidf_linear", "svm", "forest", "boosting"])
def test_probabilities_add_up_to_one_and_are_in_the_order_of_the_train_labels(name: str) -> None:
    train, test = rows()
    found = make(name).fit(train).predict(test.without_targets())
    table = np.array([one.probabilities for one in found])
    assert table.shape == (len(test), len(train.labels))
    assert np.allclose(table.sum(axis=1), 1, atol=1e-5)
    agree = [train.labels[place] == one.value for place, one in zip(table.argmax(axis=1), found, strict=True)]
    assert np.mean(agree) >= (0.9 if name == "svm" else 1.0), "the answer is the likeliest label; a support vector machine's nearly always"


@pytest.mark.parametrize("name", ["random", "constant_group", "neighbours"])
def test_who_has_no_honest_probabilities_gives_none(name: str) -> None:
    train, test = rows(60)
    assert all(one.probabilities is None for one in make(name).fit(train).predict(test.without_targets()))


def test_a_support_vector_machine_with_few_rows_or_an_absent_label_has_none() -> None:
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(0)
    features = rng.normal(size=(FEWEST_TO_CALIBRATE, 3))
    truth = np.where(features[:, 0] > 0, "yes", "no").astype(object)
    assert platt(LinearSVC, features, truth, 0) is not None
    assert platt(LinearSVC, features[:-1], truth[:-1], 0) is None
    truth[0] = "once"
    assert platt(LinearSVC, features, truth, 0) is None


def test_probabilities_are_kept_with_the_evaluation_bit_for_bit(home: Path) -> None:
    train, test = rows(120)
    found = make("tfidf_linear").fit(train).predict(test.without_targets())
    one = Evaluation("probable", "tfidf_linear", "TF-IDF", "classical", "d", "v", "classification", "t", len(test),
                     answers_frame(test, found), train.labels, probability_labels=train.labels)  # fmt: skip
    evaluations.save(one)
    again = evaluations.load("probable")
    assert again.probability_labels == train.labels
    assert [tuple(map(float, row)) for row in again.answers["probabilities"]] == [one.probabilities for one in found]


def test_evaluations_without_probabilities_are_read_as_before(home: Path) -> None:
    old = board({"model": ("classical", 0.8)}, n=20)[0]
    meta = old.meta()
    del meta["probability_labels"]
    assert Evaluation.from_meta(meta, old.answers).probability_labels == ()
    assert "probabilities" not in evaluations.save(old).answers
    assert evaluations.load(old.id).probability_labels == ()
