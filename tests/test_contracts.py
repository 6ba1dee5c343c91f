"""One contract for everything that can answer: every predictor on every task it supports, nothing skipped."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError
from core.predict.passages import Passage
from core.predict.registry import PREDICTORS, make
from core.prediction import Examples, Predictor, examples
from core.prompt import default_prompt
from core.reply import Reply
from core.version import Roles
from tests.doubles import frame

PAIRS = [(name, task) for name, entry in PREDICTORS.items() for task in entry.tasks]
KNOWN_PAIRS = 45
ROLES = Roles(text=("text",), target="answer", category="kind", split="split")
ONE_ROW_IS_ENOUGH = {
    "random",
    "constant_mean",
    "constant_median",
    "constant_geometric",
    "constant_group",
    "majority",
    "neighbours",
    "overlap",
    "overlap_words",
    "passages",
    "prompted",
    "fewshot",
    "retrieval",
}


PASSAGES = (Passage("Lamps are sold by the river.", "a.md"), Passage("의자는 강가에서 판다.", "b.md"))


def encode(texts: Sequence[str]) -> np.ndarray:
    """A stand-in encoder: 16 counts of letters."""
    return np.array([[float(text.lower().count(chr(97 + i))) for i in range(16)] for text in texts]).reshape(len(texts), 16)


def complete(requests: Sequence[Any]) -> list[Reply]:
    """A stand-in model: it repeats a digit or a word of the question, and sometimes says nothing."""
    said = []
    for messages in requests:
        question = messages[-1]["content"]
        words = [word for word in question.split() if word.isdigit()] or question.split()[-1:]
        said.append(Reply(words[0] if words else "", 10, 2, 0.01))
    return said


def rows(task: str) -> tuple[Examples, Examples]:
    table = frame(task, 60)
    train = examples(table[table["split"] == "train"].reset_index(drop=True), ROLES, task)
    test = examples(table[table["split"] == "test"].reset_index(drop=True), ROLES, task, train.labels)
    return train, test


def fresh(name: str, task: str, seed: int = 0) -> Predictor:
    prompt = default_prompt(task, ROLES, ("bad", "fair", "good", "좋음") if task == "classification" else ())
    return make(name, seed=seed, prompt=prompt, complete=complete, encode=encode, passages=PASSAGES)


def settings(predictor: Predictor) -> dict[str, Any]:
    return {
        part.name: copy.deepcopy(getattr(predictor, part.name)) for part in fields(predictor) if part.name not in ("complete", "encode")
    }  # type: ignore[arg-type]


def odd_rows(task: str, train: Examples) -> Examples:
    """Empty text, an unseen category, no category, Korean, marks only, one very long line."""
    text = ["", "고급 의자 번호 삼", "!!! ??? $", "zxqv " * 3000, "plain kettle", "\U0001f600"]
    table = pd.DataFrame({"text": text, "kind": ["의자", "never seen", None, "lamp", "", "pump"]})
    return Examples(table, tuple(text), task, train.roles, train.labels)


def test_no_predictor_and_no_task_is_forgotten() -> None:
    assert len(PAIRS) >= KNOWN_PAIRS
    assert {"random", "constant_mean", "constant_median", "constant_geometric", "constant_group", "majority", "features_linear",
            "bow_linear", "tfidf_linear",
            "word2vec_linear", "word2vec_svm", "svm", "forest", "boosting", "neighbours", "embedding_linear", "prompted", "fewshot",
            "retrieval"} <= set(PREDICTORS)  # fmt: skip


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_every_predictor_keeps_the_contract(name: str, task: str) -> None:
    train, test = rows(task)
    predictor = fresh(name, task)
    before = settings(predictor)
    assert isinstance(predictor, Predictor)
    assert predictor.fit(train) is predictor
    assert settings(predictor) == before
    learnt = set(vars(predictor)) - {part.name for part in fields(predictor)}  # type: ignore[arg-type]
    assert learnt, "fit leaves nothing behind"
    assert all(attribute.endswith("_") for attribute in learnt)

    bare = test.without_targets()
    answers = predictor.predict(bare)
    assert len(answers) == len(test)
    for answer in answers:
        assert (answer.value is None) == (answer.status != "ok")
        if answer.status == "ok":
            assert isinstance(answer.value, float if task == "regression" else str)
        if task == "regression" and answer.status == "ok":
            assert np.isfinite(answer.value)
        if task == "classification" and answer.status == "ok":
            assert answer.value in train.labels
    assert settings(predictor) == before

    again = fresh(name, task).fit(train).predict(bare)
    assert [a.value for a in again] == [a.value for a in answers], "the same seed gives other answers"

    poisoned = replace(test, targets=tuple(reversed(test.targets or ())))
    assert [a.value for a in predictor.predict(poisoned)] == [a.value for a in answers], "targets of the rows change the answers"

    if name != "random":  # a random guess draws by place
        order = list(range(len(test)))[::-1]
        turned = predictor.predict(bare.take(order))
        assert _same([a.value for a in turned], [answers[i].value for i in order]), "the answer depends on the other rows"

    odd = predictor.predict(odd_rows(task, train))
    assert len(odd) == 6
    assert all(task != "regression" or a.value is None or np.isfinite(a.value) for a in odd)  # type: ignore[arg-type]
    assert predictor.predict(bare.take([])) == []


def _same(one: list[Any], other: list[Any]) -> bool:
    return all(a == b or (isinstance(a, float) and abs(a - b) <= 1e-9 * max(1.0, abs(b))) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_one_train_row_is_enough_or_a_clear_error(name: str, task: str) -> None:
    train, test = rows(task)
    one = train.take([0])
    if name in ONE_ROW_IS_ENOUGH:
        assert len(fresh(name, task).fit(one).predict(test.without_targets())) == len(test)
        return
    with pytest.raises(DataError, match="1 train row"):
        fresh(name, task).fit(one)


@pytest.mark.parametrize("name", [name for name, task in PAIRS if task == "classification" and PREDICTORS[name].family == "classical"
                                  and name != "neighbours"])  # fmt: skip
def test_one_class_in_train_is_a_clear_error(name: str) -> None:
    train, _ = rows("classification")
    only = [i for i, target in enumerate(train.targets or ()) if target == "good"]
    with pytest.raises(DataError, match="labelled 'good'"):
        fresh(name, "classification").fit(train.take(only))


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_train_texts_without_a_single_word_are_survived(name: str, task: str) -> None:
    train, test = rows(task)
    silent = replace(train, text=("",) * len(train), frame=train.frame.assign(text=""))
    assert len(fresh(name, task).fit(silent).predict(test.without_targets())) == len(test)
