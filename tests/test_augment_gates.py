"""The gates: one planted case that only one gate can catch, negated pairs, near copies, modes and measured values."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from core.augment.asks import Ask
from core.augment.decisions import decided
from core.augment.fields import Field
from core.augment.gates import Judge, floor
from core.augment.limits import ALWAYS, GATES, MODES, Limits
from core.augment.near import Growing, HeldOut, Near, bare, similarity
from core.augment.negation import changed
from core.augment.reading import Read
from core.augment.report import COLUMNS, candidates
from core.augment.wording import chats, refuses
from core.errors import SettingsError

EN = "Garden hose 30 m with a nozzle of brass, bought by my aunt in Leipzig last summer"
KO = "작년 여름에 서울에서 산 30 m 길이의 정원 호스는 황동 노즐이 아주 튼튼하고 좋다"
FIELDS = (Field("question"), Field("answer"))
ROWS = (Field("text"), Field("stars", "integer", low=1, high=5))


def said(pairs: Sequence[tuple[str, str]]) -> list[float | None]:
    """An encoder that knows English only and finds one pair far apart."""
    return [None if any("가" <= letter <= "힣" for letter in one + other) else 0.2 if "grandmother" in one else 0.9 for one, other in pairs]


def judge(keeps: str = "answer") -> Judge:
    train = [
        "A lamp for the desk that needs no bulb and folds away when it is not wanted",
        "책상에 놓는 전등이고 접어서 넣어 둘 수 있는 작은 물건이다",
    ]
    made = Judge(HeldOut(["The kettle boils 30 m of water slowly and leaks at the handle after a month"]), keeps, "qa",
                 language=lambda text: "de" if "Schlauch" in text else "en", seen={bare("Steel pump with a brass hose 30 m, from Leipzig")}, train=Near([(0, EN), *enumerate(train, start=5)]),
                 meaning=said)  # fmt: skip
    made.take("A 30 m hose for gardens, with its brass nozzle, that my aunt purchased one summer ago in Leipzig", ask(EN, row=0))
    return made


def ask(original: str = EN, target: str = "brass", row: int = 0, fields: tuple[Field, ...] = ()) -> Ask:
    return Ask(row, original, target, 3, (), fields=fields)


PLANTED = {
    "refusal": ("As an AI I offer: hose 30 m for a garden with a brass nozzle, which my aunt bought in Leipzig last summer", EN),
    "chatter": ("Sure, here is my hose for gardens 30 m, with brass at its nozzle, from an aunt in Leipzig", EN),
    "held_out": ("The kettle boils 30 m of water slowly, and leaks at the handle after one month", "The kettle boils slowly, 30 m leaks"),
    "same": (EN.upper() + "!", EN),
    "duplicate": ("steel pump, with a brass hose: 30 m from Leipzig", "Brass hose 30 m with a steel pump, Leipzig"),
    "near_sibling": ("A 30 m hose for gardens, with its brass nozzle, that my aunt purchased one summer ago in Leipzig, yes", EN),
    "near_train": ("A lamp for the desk that needs no bulb and folds away when it is not wanted here", "Desk lamp, needs no bulb, folds if not wanted"),
    "too_long": ("Last summer my aunt went to Leipzig and there bought a garden hose, " + "which is really rather long, " * 7 + "30 m brass", EN),
    "too_short": ("Leipzig: a brass hose of 30 m", "brass hose 30 m from Leipzig, " * 8),
    "language": ("Schlauch hose 30 m for a garden with a brass nozzle, which my aunt bought in Leipzig last summer", EN),
    "number_lost": ("Hose for a garden with a brass nozzle, which my aunt bought in Leipzig last summer", EN),
    "number_added": ("Hose 30 m for 2 gardens with a brass nozzle, which my aunt bought in Leipzig last summer", EN),
    "unit_lost": ("Hose of 30 cm for a garden with a brass nozzle, which my aunt bought in Leipzig last summer", EN),
    "label_lost": ("Hose 30 m for a garden with a metal nozzle, which my aunt bought in Leipzig last summer", EN),
    "name_lost": ("Hose 30 m for a garden with a brass nozzle, which my aunt bought in town last summer", EN),
    "too_similar": (EN.replace("bought", "boughd"), EN),
    "too_different": ("Quick foxes jump over fluffy zebras who vex jovial monks weekly: brass, 30 m, Leipzig", EN),
    "meaning": ("Garden hose 30 m with a nozzle of brass, sold by my grandmother in Leipzig last winter", EN),
    "negation": ("Hose 30 m for a garden with a brass nozzle, which my aunt never bought in Leipzig last summer", EN),
}  # fmt: skip


@pytest.mark.parametrize("gate", PLANTED)
def test_every_gate_catches_a_case_that_no_other_gate_catches(gate: str) -> None:
    variant, original = PLANTED[gate]
    looked = judge().look(variant, ask(original))
    also = {"same": {"too_similar"}, "held_out": set(), "too_different": set()}.get(gate, set())
    assert looked.gate == gate
    assert set(looked.failed) <= {gate} | also, looked


@pytest.mark.parametrize(("gate", "variant", "cells"), [
    ("answer_absent", "Where did she buy the hose?", {"question": "Where did she buy the hose?", "answer": "Dresden"}),
    ("answer_leaked", "Was it bought in Leipzig?", {"question": "Was it bought in Leipzig?", "answer": "Leipzig"}),
    ("schema", "Where did she buy the hose?", {"question": "Where did she buy the hose?", "answer": "  "}),
    ("", "Where did she buy the hose?", {"question": "Where did she buy the hose?", "answer": "Leipzig"}),
    ("", "누가 호스를 샀나요?", {"question": "누가 호스를 샀나요?", "answer": "이모"}),
])  # fmt: skip
def test_a_question_needs_an_answer_that_stands_in_its_text(gate: str, variant: str, cells: dict[str, str]) -> None:
    original = "이모가 라이프치히에서 호스를 샀다." if "누가" in variant else EN
    looked = judge("context").look(variant, ask(original, "", fields=FIELDS), cells)
    assert looked.gate == gate
    assert set(looked.failed) <= {gate, "answer_absent"} - {""}


@pytest.mark.parametrize(("gate", "stars"), [("schema", 9), ("schema", "many"), ("schema", None), ("", 4)])
def test_a_new_row_fits_its_columns_or_is_stopped(gate: str, stars: object) -> None:
    looked = judge("schema").look("The soap smells of roses", ask("The towel is soft", "", -1, ROWS), {"text": "The soap", "stars": stars})
    assert (looked.gate, looked.failed) == (gate, (gate,) if gate else ())


def test_a_good_paraphrase_passes_every_gate_in_both_languages() -> None:
    good = "Hose 30 m for a garden with a brass nozzle, which my aunt bought in Leipzig last summer"
    assert judge().look(good, ask()).failed == ()
    korean = judge().look("서울에서 작년 여름에 구입한 정원용 호스 30m, 황동으로 된 노즐이 무척 튼튼해서 좋다", ask(KO, "", 9))
    assert korean.failed == ()
    assert korean.values["meaning"] is None


NEGATED = [
    ("이 영화는 좋다", "이 영화는 좋지 않다"), ("자리가 있다", "자리가 없다"), ("오늘 학교에 갔다", "오늘 학교에 안 갔다"),
    ("문을 열 수 있었다", "문을 열 수 없었다"), ("숙제를 했다", "숙제를 못 했다"), ("그는 의사이다", "그는 의사가 아니다"),
    ("답을 알고 있어요", "답을 몰라요"), ("재미있는 책이었다", "재미없는 책이었다"), ("추천합니다", "추천하지 않습니다"),
    ("매운 것을 잘 먹는다", "매운 것을 먹지 못한다"), ("그 일은 됩니다", "그 일은 안 됩니다"), ("문을 여세요", "문을 열지 마세요"),
    ("맛있는 식당이에요", "맛없는 식당이에요"), ("비가 올 것이다", "비가 오지 않을 것이다"),
    ("It works well", "It does not work well"), ("I would buy it again", "I wouldn't buy it again"), ("She replied", "She never replied"),
    ("It comes with a charger", "It comes without a charger"), ("There is a reason", "There is no reason"), ("Everyone liked it", "Nobody liked it"),
    ("The staff were not rude and the room was clean", "The staff were rude and the room was not clean"),
    ("배우는 좋지 않지만 음악은 훌륭하다", "배우는 좋지만 음악은 훌륭하지 않다"),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "denied"), NEGATED)
def test_a_negated_pair_is_told_apart_in_either_direction(plain: str, denied: str) -> None:
    assert changed(plain, denied) > 0
    assert changed(denied, plain) > 0
    assert "negation" in Judge(HeldOut([])).look(denied, ask(plain, "")).failed


@pytest.mark.parametrize(("one", "other"), [
    ("이 영화는 좋지 않다", "좋지 않은 영화다"), ("자리가 없다", "빈 자리가 없어요"), ("학교에 안 갔다", "학교에 가지 않았다"),
    ("정말 좋은 영화다", "틀림없이 좋은 영화다"), ("볼 수밖에 없다", "봐야 한다"), ("괜찮은 가게였다", "좋은 가게였다"),
    ("방 안 공기가 맑다", "방의 공기가 맑다"), ("못지않은 작품", "비슷한 작품"), ("없지 않다", "있다"), ("가격뿐만 아니라 질도 좋다", "가격도 질도 좋다"),
    ("It does not work", "It doesn't work"), ("I never saw it", "I have not ever seen it"), ("Not only cheap but good", "Cheap and also good"),
    ("No doubt a good film", "Surely a good film"), ("It never fails to please", "It always pleases"), ("A good film", "A fine film"),
    ("It came without a lid", "There was no lid with it"),
])  # fmt: skip
def test_saying_or_denying_the_same_in_other_words_changes_no_negation(one: str, other: str) -> None:
    assert changed(one, other) == changed(other, one) == 0


def test_a_copy_of_a_row_kept_aside_is_stopped_whatever_is_switched_off() -> None:
    text = "The kettle boils slowly and leaks at the handle after a month of use"
    off = Limits(modes=tuple((gate, "off") for gate in GATES if gate not in ALWAYS))
    made = Judge(HeldOut([text]), limits=off)
    assert made(text.replace("a month", "one month"), ask(text, "")) == "held_out"
    assert decided(candidates([ask(text, "")], {ask(text, "").key: Read((text,))}, made),
                   {f"{ask(text, '').key}:0": {"keep": True}}, made)["keep"].tolist() == [False]  # fmt: skip
    for change in (
        lambda: Limits().with_mode("held_out", "off"),
        lambda: Limits(modes=(("held_out", "warn"),)),
        lambda: Limits(near_held_out=1.1),
    ):
        with pytest.raises(SettingsError):
            change()


@pytest.mark.parametrize("gate", [gate for gate in PLANTED if gate not in ALWAYS])
@pytest.mark.parametrize("mode", MODES)
def test_every_other_gate_can_reject_warn_or_be_off(gate: str, mode: str) -> None:
    variant, original = PLANTED[gate]
    made = judge()
    made.limits = Limits().with_mode("too_similar", "off" if gate == "same" else "reject").with_mode(gate, mode)
    looked = made.look(variant, ask(original))
    assert looked.gate == (gate if mode == "reject" else "")
    assert looked.warned == ((gate,) if mode == "warn" else ())


def test_all_values_are_measured_not_only_the_first_that_fails() -> None:
    looked = judge().look("Hose for a garden with a metal nozzle, which nobody bought", ask())
    assert looked.gate == "number_lost"
    assert {"number_lost", "label_lost", "name_lost", "negation"} <= set(looked.failed)
    assert set(looked.values) == {gate for gate, one in GATES.items() if "answer" in one.of} - {"unread", "schema", "answer_absent"}
    bounded = [gate for gate, one in GATES.items() if one.limit and "answer" in one.of]
    assert all(isinstance(looked.values[gate], float) and Limits().threshold(gate) is not None for gate in bounded)


@pytest.mark.parametrize("gate", [gate for gate, one in GATES.items() if one.limit])
def test_a_variant_fails_on_the_drawn_side_of_its_threshold_only(gate: str) -> None:
    bound = Limits().threshold(gate)
    assert bound is not None
    below, above = Limits().fails(gate, bound - 1e-6), Limits().fails(gate, bound + 1e-6)
    assert (below, above) == ((True, False) if GATES[gate].fails == "below" else (False, True))
    assert Limits().fails(gate, None) is False


def test_the_drawn_value_of_the_drift_gate_meets_its_line_where_the_bar_of_the_text_lies() -> None:
    for original, variant in ((EN, "A brass nozzle 30 m"), (KO, "정원 호스는 좋다"), (KO, "다른 이야기를 하는 긴 문장이다")):
        value = Judge(HeldOut([])).look(variant, ask(original, "")).values["too_different"]
        assert value is not None
        assert (value < Limits().least_similar) == (similarity(variant, original) < floor(original, Limits()))


def test_limits_are_kept_as_plain_values() -> None:
    moved = Limits(longest=3.0).with_mode("negation", "warn").with_mode("language", "off")
    assert Limits.from_dict(json.loads(json.dumps(moved.to_dict()))) == moved
    with pytest.raises(SettingsError, match="no such gate"):
        Limits(modes=(("no such gate", "off"),))


@pytest.mark.parametrize("text", ["As an AI language model, I cannot write that.", "I apologize, but this is not possible.", "죄송합니다. 도와드릴 수 없습니다.",
                                  "죄송하지만 그런 글은 쓸 수 없습니다", "저는 인공지능이라서 의견이 없습니다"])  # fmt: skip
def test_refusals_and_apologies_are_told(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize("text", ["Sure, here are three variants", "물론이죠! 아래는 비슷한 문장입니다.", "Let me know if you need more", "도움이 되었기를 바랍니다",
                                  "Here is the rewritten sentence", "네, 알겠습니다"])  # fmt: skip
def test_words_to_the_person_are_told(text: str) -> None:
    assert chats(text)


@pytest.mark.parametrize("text", ["Sure enough, it broke on day two.", "The sorry state of this kettle", "물론 가격은 비싸지만 좋아요", "Here the music is loud and the food fine",
                                  "Great value for the price.", "좋습니다 잘 쓰고 있어요"])  # fmt: skip
def test_ordinary_sentences_are_neither(text: str) -> None:
    assert not chats(text)
    assert not refuses(text)


def test_a_review_that_apologises_may_be_varied() -> None:
    ask_one = ask("I'm sorry, but I can't recommend this kettle", "")
    assert judge().look("I'm sorry, this kettle I can't recommend to anyone", ask_one).failed == ()


def test_near_copies_are_found_among_thousands_and_in_long_texts() -> None:
    texts = [
        f"Reviewer {i} wrote that the kettle number {i} boils slowly, day {i % 7}, and shop {i * 37} sold it for {i * 13} coins"
        for i in range(3000)
    ]
    index = Near(enumerate(texts))
    assert index.nearest(bare(texts[17].replace("slowly", "slowly now"))) >= 0.8
    assert index.nearest(bare("A wholly different sentence about the weather in spring and the birds")) < 0.2
    assert index.nearest(bare(texts[17]), without=17) < 1.0
    long = " ".join(f"word{i * i % 977} comes after number {i}" for i in range(2000))
    assert HeldOut([long, "another text"]).nearest(long.replace("number 7 ", "number seven ")) > 0.95


def test_variants_that_come_one_by_one_are_compared_however_many_there_are() -> None:
    grown = Growing()
    texts = [bare(f"Sentence {i} tells of city {i * 31 % 1009} and of river {i * 17 % 811} in the year {i}") for i in range(400)]
    for text in texts:
        assert grown.nearest(text) < 1.0
        grown.add(text)
    assert all(grown.nearest(text) == 1.0 for text in texts[::50])
    assert grown.nearest(texts[3].replace("tells", "told")) > 0.7
    later = grown.copy()
    later.remove(texts[3])
    assert (later.nearest(texts[3]) < 1.0, grown.nearest(texts[3])) == (True, 1.0)


def test_a_rewritten_variant_is_judged_as_if_its_first_wording_had_not_been_there() -> None:
    one = ask(EN, "", 3)
    first = "Hose 30 m for a garden with a brass nozzle, which my aunt bought in Leipzig last summer"
    made = Judge(HeldOut([]), train=Near([(3, EN)]))
    frame = candidates([one], {one.key: Read((first, "no"))}, made)
    assert tuple(frame.columns) == COLUMNS
    edited = decided(frame, {f"{one.key}:0": {"variant": first.replace("which", "that")}}, made.copy())
    assert (edited["gate"].iloc[0], bool(edited["edited"].iloc[0]), bool(edited["keep"].iloc[0])) == ("", True, True)
    assert made.look(first, one).gate == "duplicate"


def test_nothing_that_was_read_is_dropped_unseen() -> None:
    one = ask(EN, "", 3)
    variants = (EN, "  ", "Sure, here are three variants", "no")
    frame = candidates(
        [one, ask(KO, "", 4)], {one.key: Read(variants), ask(KO, "", 4).key: Read((), ("죄송합니다",), "refusal")}, Judge(HeldOut([]))
    )
    assert len(frame) == len(variants) + 1
    assert frame["gate"].tolist()[-1] == "refusal"
    assert all(frame["gate"])
    assert all(json.loads(values) for values in frame["values"].tolist()[:-1])
