"""Words in the world's scripts: where they end, and that models learn from them."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest

from core.predict.registry import make
from core.predict.scripts import korean, script_of, spaced
from core.predict.words import Bag, part_of_word, words
from core.prediction import Examples, examples
from core.version import Roles


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The cat's 2nd café", ["the", "cat", "s", "2nd", "café"]),
        ("東京に行く。", ["東京", "京に", "に行", "行く"]),
        ("我 爱北京", ["我", "爱北", "北京"]),
        ("서울의 봄", ["서울의", "봄"]),
        ("किताब पढ़ो।", ["किताब", "पढ़ो"]),
        ("ที่นี่ดี", ["ที่นี่", "นี่ดี"]),
        ("iPhone新品", ["iphone", "新品"]),
        ("", []),
    ],
)
def test_words_end_where_the_script_ends_them(text: str, found: list[str]) -> None:
    assert words(text) == [unicodedata.normalize("NFC", word) for word in found]


def test_decomposed_letters_are_the_same_words() -> None:
    for text in ("café", "서울의 봄", "がくせい"):
        assert words(unicodedata.normalize("NFD", text)) == words(text)


def test_the_script_is_judged_by_most_letters() -> None:
    assert korean(["이 영화는 정말 재미있었습니다", "ok"])
    assert script_of(["이 영화는 정말 재미있었습니다"]) == "korean"
    assert script_of(["我爱北京天安门", "很好"]) == "pairs"
    assert script_of(["a long English line", "我"]) == script_of(["", "!!!"]) == "spaces"
    assert spaced("plain") == "plain"


SAID = {
    "ja": ("この映画はとても面白かった", "この映画はひどく退屈だった"),
    "zh": ("这部电影非常好看", "这部电影实在无聊"),
    "th": ("หนังเรื่องนี้สนุกมาก", "หนังเรื่องนี้น่าเบื่อ"),
    "ko": ("이 영화는 정말 재미있었다", "이 영화는 너무 지루했다"),
}


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize("name", ["bow_linear", "tfidf_linear", "svm", "neighbours", "word2vec_linear"])
def test_models_learn_from_words_without_spaces_between_them(language: str, name: str) -> None:
    good, bad = SAID[language]
    front = "甲乙丙丁戊己庚辛"
    table = pd.DataFrame(
        {"text": [f"{front[i % 8]}{(good, bad)[i % 2]}{front[(i * 3) % 8]}" for i in range(80)], "label": ["good", "bad"] * 40}
    )
    train = examples(table, Roles(text=("text",), target="label"), "classification")
    asked = (f"子{good}丑", f"寅{bad}卯")
    found = make(name).fit(train).predict(Examples(pd.DataFrame({"text": asked}), asked, "classification", train.roles, train.labels))
    assert [one.value for one in found] == ["good", "bad"]


def test_parts_of_words_say_where_in_the_word_they_stand() -> None:
    assert [part_of_word(name) for name in (" ca", "at ", "a", " cat ")] == ["ca-", "-at", "-a-", "cat"]
    bag = Bag(unit="character", ngrams=(2, 2))
    bag.fit_transform(["재미"])
    assert set(bag.names_) == {"재-", "-재미-", "-미"}
