"""Korean morphemes: parted where kiwipiepy is installed, never required, never looked for in other languages."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pandas as pd
import pytest

from core.io import segmenting, testing
from core.predict.linear import BowLinear
from core.predict.prompted import Prompted
from core.predict.trivial import Majority
from core.prediction import Examples, examples
from core.version import Roles

ROLES = Roles(text=("text",), target="label")


def rows(texts: list[str]) -> Examples:
    table = pd.DataFrame({"text": texts, "label": ["up", "down"] * (len(texts) // 2)})
    return examples(table, ROLES, "classification")


KOREAN = ["영화가 좋았다", "영화는 나빴다", "배우가 좋았고", "배우는 나빴고"]


class Kiwi:
    """A stand-in analyser: each syllable a morpheme; it counts what it was asked."""

    asked: ClassVar[list[str]] = []

    def __init__(self, num_workers: int) -> None:
        self.num_workers = num_workers

    def tokenize(self, texts: list[str]) -> list[list[Any]]:
        Kiwi.asked.extend(texts)
        return [[SimpleNamespace(form=sign) for sign in text if sign != " "] for text in texts]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    package: Any = ModuleType("kiwipiepy")
    package.Kiwi, package.__version__ = Kiwi, "9.9"
    monkeypatch.setitem(sys.modules, "kiwipiepy", package)
    Kiwi.asked.clear()
    segmenting._made.cache_clear()


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)  # type: ignore[arg-type]


def test_where_it_is_installed_korean_words_are_parted_once_for_all_predictors(installed: None) -> None:
    train = rows(KOREAN)
    first, second = BowLinear(), BowLinear()
    found = testing.measure(first, train, train)
    testing.measure(second, train, train)
    assert {"좋", "았", "영", "가"} <= set(first.bags_.names_)
    assert found.notes["tokenizer"] == "kiwipiepy 9.9"
    assert found.notes["script"] == "korean"
    assert sorted(Kiwi.asked) == sorted(KOREAN)


def test_without_it_words_end_at_spaces_and_the_record_says_so(absent: None) -> None:
    predictor = BowLinear()
    found = testing.measure(predictor, rows(KOREAN), rows(KOREAN))
    assert "영화가" in predictor.bags_.names_
    assert (found.notes["script"], found.notes["tokenizer"]) == ("korean", "")


def test_other_languages_and_predictors_that_read_no_words_never_ask_for_it(installed: None) -> None:
    english = testing.measure(BowLinear(), rows(["good film", "bad film"]), rows(["good film", "bad film"]))
    assert (english.notes["script"], english.notes["tokenizer"]) == ("spaces", "")
    assert "tokenizer" not in testing.measure(Majority(), rows(KOREAN), rows(KOREAN)).notes
    assert not getattr(Prompted, "reads_words", False)
    assert Kiwi.asked == []


def test_more_texts_than_are_remembered_are_parted_all_the_same(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmenting, "MOST", 2)
    made = segmenting.analyser()
    assert made is not None
    assert made.part(KOREAN, lambda done, total, message: None) == tuple(" ".join(text.replace(" ", "")) for text in KOREAN)
    assert made.part(KOREAN[:1], lambda done, total, message: None) == ("영 화 가 좋 았 다",)


def test_the_real_analyser_parts_particles_and_endings() -> None:
    pytest.importorskip("kiwipiepy", reason="kiwipiepy is not installed; Korean words end at spaces")
    segmenting._made.cache_clear()
    made = segmenting.analyser()
    assert made is not None
    (one,) = made.part(["이 영화는 정말 재미있었습니다"], lambda done, total, message: None)
    assert {"영화", "는", "정말", "재미있"} <= set(one.split())
    train = rows(KOREAN)
    predictor = BowLinear()
    assert testing.measure(predictor, train, train).notes["tokenizer"].startswith("kiwipiepy ")
    assert {"영화", "배우", "좋"} <= set(predictor.bags_.names_)
