"""What the gates find by a short way is what the long way finds: on hundreds of texts in two languages, changed in every way."""

from __future__ import annotations

import random
import re

import pytest

from core.augment import facts, negation, wording
from core.augment.asks import Ask
from core.augment.gates import HeldOut, Judge, Near
from core.augment.near import pieces
from core.augment.said import Said
from core.io.judging import language, probable_language

ENGLISH = (
    "The kettle from Berlin boils 30 litres in two minutes and nobody complained about it at all.",
    "I don't think that Maria Lopez would ever recommend this lamp, because it isn't bright enough for three readers.",
    "We have never seen a better harbour; no doubt the view of the old castle costs more than 1,299 dollars.",
    "Let us know whether it helps, she said, and I hope this helps the seven people who asked without an answer.",
    "It can't be denied that the soup was cold, yet the waiter cannot be blamed for what the café did not do.",
)
KOREAN = (
    "서울에 있는 가장 오래된 박물관은 언제 지어졌는지 김철수 교수에게 두 번 물어보았다.",
    "이 영화는 재미가 없고 배우들의 연기도 좋지 않아서 다시 보고 싶지 않습니다.",
    "부산에서 3개의 상자를 샀지만 아무도 그 안 상자를 열지 못했다고 합니다.",
    "물론이죠, 도움이 되었으면 좋겠다는 말은 사실이 아니라고 모르는 사람이 말했다.",
)
PLANTED = ("not", "NEVER", "without", "12", "½", "three", "n’t", "어이없는", "안", "못 하는", "세 개", "$5", "Let me know if", "Ünder", "привет", "\x07", "，", "_no_",
           "Sure, here are", "도움이 되었", "I HOPE THIS HELPS", "ſure,", "Here’s a variant")  # fmt: skip


def texts(count: int = 400) -> list[str]:
    drawn = random.Random(5)
    found = []
    for number in range(count):
        some = ENGLISH if number % 2 else KOREAN
        words: list[str] = " ".join(drawn.sample(some, 2)).split()
        for _ in range(drawn.randint(1, 6)):
            at = drawn.randrange(len(words))
            words[at : at + drawn.randint(0, 2)] = [drawn.choice(PLANTED)] * drawn.randint(0, 1)
        found.append(" ".join(words))
    return found


@pytest.fixture(scope="module")
def said() -> list[Said]:
    return [Said(text) for text in texts()]


def test_denials_numbers_and_words_are_found_without_the_short_way_too(said: list[Said]) -> None:
    shortened = 0
    for one in said:
        assert negation.denials(one.normal, one.tokens) == negation.denials(one.normal, one.tokens | {"not"})
        assert facts.words_in(one.normal, one.tokens) == facts.words_in(one.normal, one.tokens | {"two"})
        found = (facts.read_amount(digits) for digits in re.findall(facts._NUMBER, one.normal))
        assert one.numbers == {value for value in found if value is not None}
        shortened += one.tokens.isdisjoint(negation._DENYING) + (not one.numbers)
    assert shortened > 50


def test_words_to_the_person_and_scripts_are_the_same(said: list[Said]) -> None:
    for one in said:
        chats = wording._CHAT_FIRST.search(one.text) is not None or wording._CHAT_ANYWHERE.search(one.text) is not None
        assert wording.chats(one.text) == chats
        assert wording.scripts(one.text) == wording.scripts(f"{one.text}…")
    assert 20 < sum(wording.chats(one.text) for one in said) < 300


def test_letters_in_common_are_counted_as_sets_of_strings_count_them(said: list[Said]) -> None:
    def grams(plain: str) -> set[str]:
        letters = f" {plain} "
        return {letters[i : i + n] for n in (2, 3) for i in range(len(letters) - n + 1)}

    for one in said:
        assert len(one.grams) == len(grams(one.bare))


def test_the_nearest_text_is_the_one_that_comparing_with_all_finds(said: list[Said]) -> None:
    kept = said[:150]
    near = Near(((row, one.text) for row, one in enumerate(kept)), most=1024, looked=2**62)
    for one in said[150:250]:
        mine = set(pieces(one.bare, 1024).tolist())
        others = [set(pieces(other.bare, 1024).tolist()) for other in kept]
        best = max(len(mine & other) / len(mine | other) for other in others)
        found = near.nearest(one.bare)
        assert found == pytest.approx(best) or (found < best < 0.2)


def test_texts_of_the_same_words_are_told_to_be_of_the_same_language_either_way() -> None:
    """The gate asks for the language only where a fifth of the letters stands in other words than the original's."""
    asked: list[str] = []

    def told(text: str) -> str:
        asked.append(text)
        return language(text)

    drawn, seen = random.Random(9), set()
    for number in range(300):
        original = drawn.choice((*ENGLISH, *KOREAN))
        words = original.split()
        drawn.shuffle(words)
        words = words[: max(4, number % len(words))] + drawn.choice((*ENGLISH, *KOREAN)).split()[: number % 9]
        variant = " ".join(words)
        value = Judge(HeldOut([]), language=told).look(variant, Ask(0, original, "", 1, ())).values["language"]
        assert value == float(wording.other_language(variant, original, language)), variant
        seen.add(value)
    assert seen == {0.0, 1.0}
    assert len(asked) < 500


def test_a_german_variant_is_told_although_its_english_original_is_full_of_names() -> None:
    original = "The lamp that Peter Lindgren bought in Prague for 23 dollars looks elegant beside the old oak table."
    german = "Das Gerät, das Peter Lindgren in Prague für 23 Dollar gekauft hat, gefällt uns noch immer sehr gut."
    assert language(original) == ""
    assert probable_language(original) == "en"
    judge = Judge(HeldOut([]), language=language, original=probable_language)
    assert judge.look(german, Ask(0, original, "", 1, ())).gate == "language"
    said = "For 23 dollars Peter Lindgren bought a lamp in Prague, and it looks elegant beside the old oak table."
    assert "language" not in judge.look(said, Ask(0, original, "", 1, ())).failed
