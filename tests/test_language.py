"""Languages are told by script where it tells, by the identifier where it is sure, and not at all elsewhere."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.explore import language
from core.explore.profile import profile
from core.io import store
from core.io.languages import identify, mix_of
from core.version import Roles
from tests.doubles import shared, version

ENGLISH = "The kettle boils fast and switches off by itself, which is all I wanted from it."
GERMAN = "Der Wasserkocher kocht schnell und schaltet sich von selbst aus, mehr wollte ich nicht."
KOREAN = "물이 빨리 끓고 저절로 꺼져서 아주 편합니다."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        (KOREAN, "ko"),
        ("굿", "ko"),
        ("ㅋㅋㅋ", "ko"),
        ("これはとても良い製品です", "ja"),
        ("Это очень хороший чайник, он быстро кипятит воду и сам выключается.", "ru"),
        ("สวัสดี", "th"),
        ("ok", ""),
        ("12.50 !!", ""),
        ("", ""),
        ("SM-G960 갤럭시 케이스 정품", "ko"),
    ],
)
def test_a_language_is_told_where_it_can_be(text: str, expected: str) -> None:
    assert language.language(text, identify) == expected


def test_without_an_identifier_only_scripts_of_one_language_tell() -> None:
    assert language.language(ENGLISH) == ""
    assert language.language(KOREAN) == "ko"


def test_the_mix_counts_shares_with_intervals_and_lists_rows() -> None:
    mix = language.mix([ENGLISH] * 60 + [KOREAN] * 40 + ["7", "Galaxy 갤럭시 case 케이스"], identify)
    assert [(one.language, one.rows) for one in mix.shares] == [("en", 60), ("ko", 40)]
    assert mix.shares[0].low < mix.shares[0].share < mix.shares[0].high
    assert mix.rows["en"] == tuple(range(60))
    assert mix.mixed == (101,)
    assert mix.n == 102 == mix.of


def test_long_tables_are_sampled_by_lot_and_the_same_way_each_time() -> None:
    texts = [ENGLISH if row % 4 else KOREAN for row in range(4000)]
    one, again = language.mix(texts, identify, most=200), language.mix(texts, identify, most=200)
    assert one == again
    assert (one.n, one.of) == (200, 4000)
    low, high = next((share.low, share.high) for share in one.shares if share.language == "ko")
    assert low < 0.25 < high
    assert all(row % 4 == 0 for row in one.rows["ko"])


@given(some.text())
def test_every_text_has_a_language_or_none(text: str) -> None:
    assert language.language(text, lambda _: ("xx", 1.0)) in ("", "xx", "ko", "ja", "th", "el", "he")
    assert sum(language.scripts(text).values()) <= len(text)


def test_a_second_language_of_more_than_a_twentieth_is_a_finding_with_its_filter() -> None:
    texts = [f"{ENGLISH} It is number {row}." for row in range(60)] + [f"{KOREAN} {row}번 제품입니다." for row in range(10)]
    frame = pd.DataFrame({"text": texts, "stars": [str(row % 5) for row in range(70)]})
    found = profile(frame, Roles(text=("text",), target="stars"), "classification", identify=identify).findings
    one = next(finding for finding in found if finding.group == "language")
    assert one.text == "86 % English and 14 % Korean"
    assert one.rows == tuple(range(60, 70))
    assert (one.fix, one.settings["keep"]) == ("language", "others")
    alone = profile(frame.head(62), Roles(text=("text",), target="stars"), "classification", identify=identify).findings
    assert not [finding for finding in alone if finding.group == "language"]


def test_the_mix_of_a_version_names_rows_of_its_table(home) -> None:
    mix = mix_of(version(rows=60))
    assert (mix.of, mix.undetermined) == (60, 60)
    texts = store.frame(version(rows=60), ["text"])["text"]
    assert mix.mixed == tuple(row for row, text in enumerate(texts) if text.startswith("고급 의자"))


def test_korean_reviews_and_english_products_are_told_apart() -> None:
    reviews = pd.read_csv(shared("nsmc/ratings.txt.gz"), sep="\t", nrows=2000)["document"].dropna().astype(str).tolist()
    products = pd.read_csv(shared("pricer/products.csv.gz"), nrows=500)
    korean, english = language.mix(reviews, identify), language.mix(products["description"].dropna().tolist(), identify)
    assert korean.part("ko") > 0.99
    assert english.part("en") > 0.97
