"""Requests, the tolerant reader, gates and the report card: pure, no provider."""

from __future__ import annotations

import pandas as pd
import pytest

from core.augment.facts import leaked, named, numbers
from core.augment.gates import GATES, HeldOut, Judge
from core.augment.near import similarity, word_changes
from core.augment.pasted import read_pasted, requests_by_hand
from core.augment.presets import PRESETS, AugmentSettings
from core.augment.reading import Read, read_variants
from core.augment.report import candidates, report
from core.augment.requests import Ask, estimate, plan, reply_limit
from core.augment.said import Said
from core.augment.wording import other_language
from core.errors import DataError, SettingsError
from core.version import Roles

ROLES = Roles(text=("text",), target="answer", split="split")
A, B, C = "A brass nozzle for hoses.", "Hose nozzle, made of brass.", "Nozzle of brass for a hose."

SHAPES = {
    "json list": f'["{A}", "{B}", "{C}"]',
    "json in a fence": f'```json\n["{A}",\n "{B}",\n "{C}"]\n```',
    "json inside prose": f'Sure! Here you go: ["{A}", "{B}", "{C}"] Let me know if you need more.',
    "json with a trailing comma": f'["{A}", "{B}", "{C}",]',
    "python quotes": f"['{A}', '{B}', '{C}']",
    "python assignment": f'```python\nvariants = ["{A}", "{B}", "{C}"]\n```',
    "object with a list": f'{{"variants": ["{A}", "{B}", "{C}"]}}',
    "object of original": f'{{"Brass hose nozzle": ["{A}", "{B}", "{C}"]}}',
    "list of objects": f'[{{"text": "{A}"}}, {{"text": "{B}"}}, {{"text": "{C}"}}]',
    "object of strings": f'{{"1": "{A}", "2": "{B}", "3": "{C}"}}',
    "json lines": f'{{"variant": "{A}"}}\n{{"variant": "{B}"}}\n{{"variant": "{C}"}}',
    "numbered": f"1. {A}\n2. {B}\n3. {C}",
    "numbered with brackets": f"1) {A}\n2) {B}\n3) {C}",
    "circled numbers": f"① {A}\n② {B}\n③ {C}",
    "bold numbers": f"**1.** {A}\n**2.** {B}\n**3.** {C}",
    "bulleted": f"- {A}\n- {B}\n- {C}",
    "stars": f"* {A}\n* {B}\n* {C}",
    "dots": f"• {A}\n• {B}\n• {C}",
    "letters": f"a) {A}\nb) {B}\nc) {C}",
    "quoted and numbered": f'1. "{A}"\n2. "{B}"\n3. "{C}"',
    "curly quotes": f"1. “{A}”\n2. “{B}”\n3. “{C}”",
    "labelled": f"Variant 1: {A}\nVariant 2: {B}\nVariant 3: {C}",
    "preamble and farewell": f"Here are three variants:\n\n1. {A}\n2. {B}\n3. {C}\n\nLet me know if you need more!",
    "blank lines between": f"1. {A}\n\n2. {B}\n\n3. {C}",
    "plain lines": f"{A}\n{B}\n{C}",
    "quoted lines with commas": f'"{A}",\n"{B}",\n"{C}"',
    "table": f"| no | variant |\n|---|---|\n| 1 | {A} |\n| 2 | {B} |\n| 3 | {C} |",
    "tags": f"<variant>{A}</variant>\n<variant>{B}</variant><variant>{C}</variant>",
    "thinking first": f"<think>1. maybe this</think>\n1. {A}\n2. {B}\n3. {C}",
    "windows line ends": f"1. {A}\r\n2. {B}\r\n3. {C}",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_reply_reads_as_the_same_three_variants(shape: str) -> None:
    assert read_variants(SHAPES[shape], 3, "Brass hose nozzle").variants == (A, B, C)


def test_chatter_is_told_and_never_taken_for_a_variant() -> None:
    read = read_variants(f"Here are three variants:\n\n1. {A}\n2. {B}\n\nLet me know if you need more!", 2)
    assert read.variants == (A, B)
    assert read.left == ("Here are three variants:", "Let me know if you need more!")


def test_a_reply_cut_in_the_middle_keeps_the_whole_strings() -> None:
    read = read_variants(f'["{A}", "{B}", "Nozzle of br', 3)
    assert read.variants == (A, B)
    assert read.shape == "cut json"
    assert read.left


@pytest.mark.parametrize("reply", ["", "   \n", "I'm sorry, but I can't help with that.", "죄송하지만 도와드릴 수 없습니다."])
def test_nothing_is_read_from_an_empty_reply_or_a_refusal(reply: str) -> None:
    assert read_variants(reply, 3).variants == ()


@pytest.mark.parametrize("reply", ["[" * 50_000, '{"a":' * 20_000, "((" * 9000, "| |\n" * 50, '{"1": [1, 2, {}]}', "```\n```"])
def test_hostile_replies_do_not_break_the_reader(reply: str) -> None:
    assert isinstance(read_variants(reply, 3), Read)


def test_a_number_that_begins_a_sentence_is_no_list_mark() -> None:
    assert read_variants("3.5 stars is what I would give it", 1).variants == ("3.5 stars is what I would give it",)


def test_a_long_original_keeps_its_line_breaks() -> None:
    read = read_variants("1. First line\nsecond line\n2. Other line\nmore of it", 2, "two\nlines")
    assert read.variants == ("First line\nsecond line", "Other line\nmore of it")


def test_korean_replies_are_read() -> None:
    reply = (
        "네, 다음은 비슷한 문장 3개입니다:\n\n1. 영화가 무척 즐거웠어요.\n2. 정말 재미있게 본 영화예요.\n"
        "3. 아주 재미난 영화였습니다.\n\n도움이 되었기를 바랍니다!"
    )
    read = read_variants(reply, 3, "이 영화 정말 재미있었어요.")
    assert read.variants == ("영화가 무척 즐거웠어요.", "정말 재미있게 본 영화예요.", "아주 재미난 영화였습니다.")
    assert len(read.left) == 2


def rows(n: int = 6) -> pd.DataFrame:
    texts = [f"Garden hose {i + 20} m, brass nozzle" for i in range(n)]
    return pd.DataFrame({"text": texts, "answer": [str(1 + i % 2) for i in range(n)], "split": ["train"] * n})


def test_a_request_carries_the_text_the_number_and_nothing_else_of_the_row() -> None:
    [first, *_] = asks = plan(rows(), ROLES, AugmentSettings("text", variants=4))
    assert [ask.row for ask in asks] == list(range(6))
    assert "Garden hose 20 m, brass nozzle" in first.messages[-1]["content"]
    assert "Write 4 different ways" in first.messages[-1]["content"]
    assert first.target == "1"


def test_the_short_korean_request_is_word_for_word_what_people_paste() -> None:
    table = pd.DataFrame({"text": ["이 영화 재미있다"], "answer": ["1"], "split": ["train"]})
    [ask] = plan(table, ROLES, AugmentSettings("text", preset="paraphrase_ko_classic", variants=5))
    assert ask.messages == (
        {"role": "user", "content": '"이 영화 재미있다" 위 문장을 Data Augmentation하기 위해서 뜻은 같지만 비슷한 문장 5개를 만들어줘'},
    )


def test_small_classes_are_brought_to_the_number_asked_for() -> None:
    table = pd.DataFrame({"text": [f"text {i}" for i in range(12)], "answer": ["a"] * 8 + ["b"] * 3 + ["c"], "split": ["train"] * 12})
    asks = plan(table, ROLES, AugmentSettings("text", preset="balance", variants=10))
    made = pd.Series([ask.target for ask in asks]).repeat([ask.variants for ask in asks]).value_counts()
    assert made.to_dict() == {"b": 5, "c": 7}
    with pytest.raises(SettingsError, match="or more"):
        plan(table, ROLES, AugmentSettings("text", preset="balance", to=1))


def test_children_are_never_varied_again() -> None:
    table = rows().assign(parent_row=pd.array([None, None, None, 0, 1, 2], dtype="Int64"))
    asks = plan(table, Roles(text=("text",), target="answer", split="split", parent_row="parent_row"), AugmentSettings("text"))
    assert [ask.row for ask in asks] == [0, 1, 2]


def test_a_prompt_without_the_text_is_refused_and_names_the_place() -> None:
    with pytest.raises(SettingsError) as told:
        plan(rows(), ROLES, AugmentSettings("text", preset="free", user="Write something"))
    assert told.value.title == "The prompt does not use $text"
    with pytest.raises(DataError, match="no column 'titel'"):
        plan(rows(), ROLES, AugmentSettings("titel"))


def test_a_cell_that_looks_like_a_placeholder_stays_text() -> None:
    table = rows(1).assign(text=["costs $answer and ${n} more"])
    [ask] = plan(table, ROLES, AugmentSettings("text"))
    assert "costs $answer and ${n} more" in ask.messages[-1]["content"]


def test_small_models_are_asked_for_one_variant_at_a_time() -> None:
    asks = plan(rows(2), ROLES, AugmentSettings("text", variants=3, one_each=True))
    assert [(ask.row, ask.draw, ask.variants) for ask in asks] == [(0, 0, 1), (0, 1, 1), (0, 2, 1), (1, 0, 1), (1, 1, 1), (1, 2, 1)]
    assert len({ask.key for ask in asks}) == 6


def test_the_estimate_counts_the_requests_that_would_be_sent() -> None:
    asks = plan(rows(), ROLES, AugmentSettings("text", variants=2))
    told = estimate(asks, lambda texts: [len(text) for text in texts], (1.0, 2.0), seconds_per_token=0.01)
    assert (told.rows, told.requests, told.variants) == (6, 6, 12)
    assert told.tokens_in == sum(len(m["content"]) + 3 for ask in asks for m in ask.messages) + 3 * 6
    assert told.usd == pytest.approx((told.tokens_in + 2 * told.tokens_out) / 1e6)
    assert estimate(asks, lambda texts: [1] * len(texts), None, seconds_per_token=1).usd is None
    assert all(0 < reply_limit(ask) <= 4096 for ask in asks)


ORIGINAL = "Garden hose 30 m, brass nozzle"
GATED = {
    "empty": " — ",
    "same": "garden hose 30 m  brass nozzle!",
    "duplicate": "Steel pump, 5 bar",
    "too_long": "A hose for the garden, 30 m, with a nozzle of brass " * 4,
    "language": "Gartenschlauch 30 м и латунная насадка для сада",
    "held_out": "Test row about a 30 m hose",
    "number_lost": "Hose for gardens with a nozzle of brass",
    "number_added": "30 m hose for the garden with 2 nozzles of brass",
    "too_similar": "Garden hoses 30 m, brass nozzle",
    "": "30 m hose for the garden with a nozzle of brass",
}


@pytest.mark.parametrize("gate", GATED)
def test_each_gate_stops_what_it_is_for(gate: str) -> None:
    judge = Judge(HeldOut(["Test row about a 30 m hose"]), seen={"steel pump 5 bar"}, task="regression")
    assert judge(GATED[gate], Ask(0, ORIGINAL, "24.5", 1, ())) == gate


def test_a_drifted_paraphrase_is_stopped_and_a_new_text_with_the_same_label_is_not() -> None:
    ask = Ask(0, "The battery died after two weeks and the support never answered a single mail.", "1", 1, ())
    other = "I love how this soap smells, a fine gift for my aunt."
    assert Judge(HeldOut([]))(other, ask) == "too_different"
    assert Judge(HeldOut([]), keeps="label")(other, ask) == ""


@pytest.mark.parametrize(("variant", "answer", "task", "gives_away"), [
    ("Which city is Paris?", "Paris", "qa", True), ("Where does it stand?", "Paris", "qa", False),
    ("The hose costs $24.50", "24.5", "regression", True), ("A hose of 24 m", "24.5", "regression", False),
    ("Good value, 4 stars", "4", "classification", True), ("A set of 4 pieces", "4", "classification", False),
    ("A positive surprise", "positive", "classification", True), ("서울은 어디인가요?", "서울", "qa", True),
])  # fmt: skip
def test_an_answer_inside_the_question_is_found(variant: str, answer: str, task: str, gives_away: bool) -> None:
    assert leaked(Said(variant), Said("something else"), answer, task) is gives_away


def test_the_label_word_of_the_original_must_stay() -> None:
    ask = Ask(0, "Where in Paris did the poet live for many years?", "Paris", 1, ())
    assert Judge(HeldOut([]), task="qa")("Where did the poet live for many years, in which town?", ask) == "label_lost"


def test_korean_gates_know_particles_numbers_and_script() -> None:
    assert named("서울에서 태어났다", "서울")
    assert numbers("１，２９９원 3.5점") == {1299.0, 3.5}
    assert other_language("This film was fun", "이 영화 정말 재미있었어요")
    assert not other_language("영화 Matrix 재미있다", "영화 Matrix 정말 재미있었어요")
    assert similarity("마리 퀴리는 어디에서 태어났나요?", "마리 퀴리의 출생지는 어디인가요?") > 0.3


def test_two_equal_variants_of_different_rows_are_kept_once() -> None:
    judge = Judge(HeldOut([]))
    assert [judge("A hose of brass, 30 m", Ask(row, ORIGINAL, "", 1, ())) for row in (0, 1)] == ["", "duplicate"]


def test_a_near_copy_of_a_test_row_is_stopped_and_a_far_one_is_not() -> None:
    test = [f"Reviewer {i} wrote that the kettle number {i} boils slowly and leaks at the handle after a month" for i in range(300)]
    held = HeldOut(test)
    assert held.holds(test[7].replace("slowly and", "slowly, and"), 0.8)
    assert held.holds(test[7].replace("a month", "one month"), 0.8)
    assert not held.holds("The kettle is lovely, quick to boil and it has never leaked in a whole year of use", 0.8)


def test_word_changes_name_what_was_removed_and_added() -> None:
    assert word_changes("the small red hose", "the long red, hose hose") == ("small", "long hose")


def test_every_variant_has_its_gate_and_the_report_counts_them() -> None:
    asks = plan(rows(2), ROLES, AugmentSettings("text", variants=2))
    replies = {
        asks[0].key: Read(("20 m hose for gardens, nozzle of brass", "Garden hose 20 m, brass nozzle")),
        asks[1].key: Read((), ("?",)),
    }
    judged = candidates(asks, replies, Judge(HeldOut([])))
    assert judged["gate"].tolist() == ["", "same", "unread"]
    card = report(asks, judged)
    assert (card.asked, card.written, card.accepted, dict(card.rejected)) == (4, 2, 1, {"same": 1, "unread": 1})
    assert card.spread is not None
    assert 0 < card.spread < 1
    assert set(card.rejected) <= set(GATES)


def test_one_request_by_hand_asks_for_several_rows_and_any_reply_finds_its_row() -> None:
    settings = AugmentSettings("text", variants=2)
    asks = plan(rows(3), ROLES, settings)
    [request] = requests_by_hand(asks, settings)
    assert all(ask.original in request.text for ask in asks)
    one, two, three = (ask.original for ask in asks)
    replies = {
        "by number": '{"1": ["a1", "a2"], "2": ["b1"], "3": ["c1"]}',
        "by original": f'```json\n{{"{one}": ["a1", "a2"], "{two}": ["b1"], "{three}": ["c1"]}}\n```',
        "wrapped": '{"results": {"1": ["a1", "a2"], "2": ["b1"], "3": ["c1"]}}',
        "list of objects": f'[{{"original": "{one}", "variants": ["a1", "a2"]}}, {{"id": 2, "variants": ["b1"]}}, '
        '{"id": 3, "variants": ["c1"]}]',
        "list of lists": '[["a1", "a2"], ["b1"], ["c1"]]',
        "heads and bullets": f"1. {one}\n- a1\n- a2\n\n2. {two}\n- b1\n\n3. {three}\n- c1",
        "originals and numbers": f"{one}\n1. a1\n2. a2\n{two}\n1. b1\n{three}\n1. c1",
        "bold heads": f"**1. {one}**\n   1. a1\n   2. a2\n**2. {two}**\n   1. b1\n**3. {three}**\n   1. c1",
        "markdown heads": "### 1\n- a1\n- a2\n### 2\n- b1\n### 3\n- c1",
    }
    for shape, reply in replies.items():
        pasted = read_pasted(reply, asks)
        assert [pasted.found[ask.key].variants for ask in asks] == [("a1", "a2"), ("b1",), ("c1",)], shape
        assert pasted.missing == ()


def test_rows_the_pasted_reply_forgets_are_named() -> None:
    asks = plan(rows(3), ROLES, AugmentSettings("text"))
    pasted = read_pasted('{"1": ["a1"], "9": ["z"]}', asks)
    assert pasted.missing == (1, 2)
    assert pasted.left == ("9",)


def test_every_preset_can_be_planned_and_pasted() -> None:
    for name in PRESETS:
        settings = AugmentSettings("text", preset=name, to=9)
        asks = plan(rows(), ROLES, settings)
        assert all(len(request.text) > 20 for request in requests_by_hand(asks, settings, 3))
