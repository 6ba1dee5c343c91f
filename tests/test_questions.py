"""Questions on a text and without one: what stands in the text itself, and what other questions were answered with."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from core.errors import SettingsError
from core.evaluate.answers import make_answers
from core.evaluate.intervals import measure
from core.evaluate.official import official
from core.predict.questions import Overlap, context_column, nearest_sentence, question_texts, sentences, words_of
from core.predict.registry import make, names_for
from core.prediction import Examples, examples
from core.version import Roles
from tests.doubles import shared

ROLES = Roles(text=("context", "question"), target="answer", id="id")
TEXT = (
    "Mira Tal was born in Osk in 1923. She painted 3.5 metres of wall a day. Her brother kept the green lamp! "
    "미라는 오스크에서 자랐다. 그녀의 오빠는 초록 램프를 지켰다."
)


def asked(pairs: list[tuple[str, str, str]], roles: Roles = ROLES) -> Examples:
    table = pd.DataFrame(pairs, columns=["context", "question", "answer"]).assign(id=range(len(pairs)))
    return examples(table, roles, "qa")


def said(predictor: Overlap, question: str, context: str = TEXT) -> str:
    (answer,) = predictor.fit(asked([("", "x", "often"), ("", "y", "often"), ("", "z", "a")])).predict(asked([(context, question, "?")]))
    return str(answer.value)


def test_the_context_is_told_by_its_name_and_is_no_part_of_the_question() -> None:
    assert context_column(ROLES) == "context"
    assert context_column(Roles(text=("질문", "지문"))) == "지문"
    assert context_column(Roles(text=("title", "body"))) is None
    assert context_column(Roles(text=("context",))) is None
    assert question_texts(asked([(TEXT, "Who?", "Mira")])) == ("Who?",)


def test_sentences_end_where_people_end_them() -> None:
    assert sentences(TEXT)[1] == "She painted 3.5 metres of wall a day."
    assert len(sentences(TEXT)) == 5
    assert sentences('He said "Go." Then\nhe left') == ['He said "Go."', "Then", "he left"]
    assert sentences("") == []


@pytest.mark.parametrize(
    ("question", "sentence", "few"),
    [
        ("Who kept the green lamp?", "Her brother kept the green lamp!", "brother"),
        ("초록 램프는 누가 지켰나?", "그녀의 오빠는 초록 램프를 지켰다.", "오빠는"),
        ("When was Mira Tal born?", "Mira Tal was born in Osk in 1923.", "1923"),
    ],
)
def test_the_sentence_that_shares_most_answers_and_few_words_of_it_are_next_to_the_question(question: str, sentence: str, few: str) -> None:
    assert said(Overlap(), question) == sentence
    assert said(Overlap(longest=2), question) == few


def test_without_a_context_the_most_frequent_answer_is_given() -> None:
    assert said(Overlap(), "Who kept the lamp?", "") == "often"
    assert words_of("The lamp", "the lamp", 2) == "The lamp"
    assert nearest_sentence("anything", " \n ") == ""
    with pytest.raises(SettingsError, match="longest is -1"):
        Overlap(-1)


def test_overlap_is_offered_only_where_there_is_a_context() -> None:
    assert "overlap" in names_for("qa", default=True)
    assert "overlap" not in names_for("qa", default=True, context=False)
    assert "overlap" not in names_for("regression")


def test_the_nearest_question_answers_whatever_its_context_is_about() -> None:
    train = asked([("A long text on lamps and brothers. " * 9, "Who painted the wall?", "Mira"), (TEXT, "Who sold the boat?", "Tal")])
    (answer,) = make("neighbours").fit(train).predict(asked([(TEXT, "Who painted that wall?", "?")]).without_targets())
    assert answer.value == "Mira"


def test_on_korquad_sentence_overlap_beats_the_most_frequent_answer() -> None:
    data = json.loads(shared("korquad/KorQuAD_v1.0_dev.json").read_text(encoding="utf-8"))["data"]
    pages = [[(p["context"], q["question"], q["answers"][0]["text"]) for p in page["paragraphs"] for q in p["qas"]] for page in data]
    train, test = asked([row for page in pages[::2] for row in page][::4]), asked([row for page in pages[1::2] for row in page][::8])
    assert len(test) > 300
    found = {name: make(name).fit(train).predict(test.without_targets()) for name in ("majority", "neighbours", "overlap", "overlap_words")}
    measured = {
        name: measure(make_answers("qa", test.targets or (), [one.value for one in answers]), ["f1", "contains"], count=500)
        for name, answers in found.items()
    }
    few, whole, most = (measured[name] for name in ("overlap_words", "overlap", "majority"))
    assert few["f1"].low > most["f1"].high
    assert whole["contains"].low > most["contains"].high
    assert whole["contains"].value > 0.75
    golds = {str(place): [str(answer)] for place, answer in enumerate(test.targets or ())}
    told = {name: official("korquad1", {str(place): str(one.value) for place, one in enumerate(answers)}, golds)["f1"]
            for name, answers in found.items()}  # fmt: skip
    assert told["overlap_words"] > 25 > 10 > told["majority"]
