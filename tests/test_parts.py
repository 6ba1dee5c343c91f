"""What predictors share, and the counting and solving that is the studio's own: the same figures as without, and as elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.svm import LinearSVR

from core.io import evaluations, jobs, testing
from core.predict.median import MedianLine
from core.predict.parts import Parts
from core.predict.registry import make
from core.predict.words import Bag, words
from core.prediction import Examples, examples
from core.version import Roles
from tests.doubles import version

NAMES = ("features_linear", "bow_linear", "tfidf_linear", "word2vec_linear", "word2vec_svm", "svm", "forest", "boosting", "neighbours")
SMALL: dict[str, dict[str, Any]] = {"forest": {"trees": 8}, "boosting": {"rounds": 8}}


def listings(seed: int, n: int = 90, task: str = "regression") -> Examples:
    rng = np.random.default_rng(seed)
    things, grades = ["kettle", "pump", "lamp", "의자", "水筒", "drill"], ["plain", "good", "고급", "fine", "old"]
    parts = [(rng.choice(things), rng.choice(grades), rng.integers(0, 30)) for _ in range(n)]
    text = [f"{grade} {thing} number {number} with a {thing} lid" for thing, grade, number in parts]
    target: Sequence[Any] = [10.0 * things.index(t) + 3 * grades.index(g) + 1 for t, g, _ in parts]
    if task == "classification":
        target = ["dear" if value > 30 else "cheap" for value in target]
    table = pd.DataFrame({"text": text, "kind": [t for t, _, _ in parts], "answer": target})
    return examples(table, Roles(text=("text",), target="answer", category="kind"), task)


def answers(name: str, train: Examples, test: Examples, parts: Parts | None) -> list[Any]:
    return [p.value for p in testing.measure(make(name, SMALL.get(name), seed=3), train, test, parts=parts).predictions]


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_what_is_shared_changes_no_answer(task: str) -> None:
    train, test, shared = listings(0, task=task), listings(1, 20, task), Parts()
    assert {name: answers(name, train, test, shared) for name in NAMES} == {name: answers(name, train, test, None) for name in NAMES}


def test_what_was_learnt_of_other_rows_is_never_used() -> None:
    shared, test = Parts(), listings(1, 20)
    for name in ("word2vec_linear", "neighbours", "boosting"):
        answers(name, listings(0), test, shared)
        assert answers(name, listings(2), test, shared) == answers(name, listings(2), test, None)
        assert answers(name, listings(2), listings(4, 20), shared) == answers(name, listings(2), listings(4, 20), None)


def test_a_part_is_made_once_and_its_seconds_count_for_each_that_uses_it() -> None:
    now, made = [0.0], []

    def learn() -> str:
        made.append(1)
        now[0] += 5.0
        return "vectors"

    shared = Parts(lambda: now[0])
    texts = ("a lamp", "a pump")
    assert shared.get("vectors", (texts,), learn) == "vectors"
    assert shared.borrowed == 0.0
    assert shared.get("vectors", (("a lamp", "a pump"),), learn) == "vectors"
    assert (len(made), shared.borrowed) == (1, 5.0)
    shared.get("vectors", (("another",),), learn)
    assert (len(made), shared.borrowed) == (2, 5.0)


def test_word2vec_is_trained_once_for_both_models_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import gensim.models

    trained, usual = [], gensim.models.Word2Vec.train
    monkeypatch.setattr(gensim.models.Word2Vec, "train", lambda self, *args, **how: trained.append(1) or usual(self, *args, **how))
    train, test, shared = listings(0), listings(1, 20), Parts()
    for name in ("word2vec_linear", "word2vec_svm"):
        answers(name, train, test, shared)
    assert len(trained) == 1


@pytest.mark.usefixtures("home")
def test_a_run_over_many_predictors_saves_what_each_alone_would(monkeypatch: pytest.MonkeyPatch) -> None:
    one = version("regression")
    names = ["word2vec_linear", "word2vec_svm", "svm", "neighbours"]
    jobs.start("baselines", {"dataset": one.dataset, "version": one.id, "names": names, "seed": 1}, title="Baselines", dataset=one.dataset)
    together = {kept.predictor: kept.answers["guess"].tolist() for kept in evaluations.of(one.dataset)}
    assert together == {name: testing.run_predictor(name, None, one, seed=1).answers["guess"].tolist() for name in names}


@pytest.mark.parametrize(
    ("weighting", "kind", "more"), [("counts", CountVectorizer, {}), ("tfidf", TfidfVectorizer, {"sublinear_tf": True})]
)
def test_words_and_pairs_are_counted_as_scikit_learn_does(weighting: str, kind: Any, more: dict[str, Any]) -> None:
    train, test = listings(0).text, [*listings(1, 20).text, "", "never seen", "의자 lamp 의자"]
    bag, other = (
        Bag(weighting, ngrams=(1, 2), fewest=2),
        kind(ngram_range=(1, 2), min_df=2, analyzer="word", tokenizer=words, lowercase=False, token_pattern=None, **more),
    )
    ours, theirs = bag.fit_transform(train), other.fit_transform(train)
    assert sorted(bag.names_) == sorted(other.get_feature_names_out())
    order = [bag.names_.index(name) for name in other.get_feature_names_out()]
    assert np.allclose(ours[:, order].toarray(), theirs.toarray(), atol=1e-6)
    assert np.allclose(bag.transform(test)[:, order].toarray(), other.transform(test).toarray(), atol=1e-6)


def test_of_many_words_the_most_frequent_are_kept() -> None:
    bag = Bag("counts", most=2)
    bag.fit_transform(["a b c", "a b", "a d", "b"])
    assert sorted(bag.names_) == ["a", "b"]


@pytest.mark.parametrize("unit", ["word", "character"])
def test_texts_without_a_word_are_a_column_of_zeros(unit: str) -> None:
    bag = Bag(unit=unit, ngrams=(1, 2))
    assert bag.fit_transform(["", " "]).shape == (2, 1)
    assert bag.transform(["a lamp", "", "x"]).sum() == 0


def test_the_line_of_the_smallest_average_miss_is_that_of_a_support_vector_regression() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 6))
    truth = features @ [3.0, -2.0, 1.0, 0.0, 0.5, 4.0] + 20 + rng.standard_t(2, 400)
    wanted = (truth - np.median(truth)) / truth.std()
    ours = MedianLine(0.3).fit(features, truth)
    theirs = LinearSVR(C=0.3, epsilon=0, max_iter=100_000, intercept_scaling=100, random_state=0).fit(features, wanted)
    assert np.abs(ours.predict(features) - truth).mean() == pytest.approx(
        np.abs(theirs.predict(features) * truth.std() + np.median(truth) - truth).mean(), rel=0.005
    )
    assert np.allclose(ours.coef_ / truth.std(), theirs.coef_, atol=0.02)


def test_one_target_for_all_is_the_line() -> None:
    assert MedianLine().fit(np.eye(3), np.full(3, 7.0)).predict(np.zeros((1, 3))).tolist() == [7.0]
