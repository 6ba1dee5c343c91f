"""Requests of every kind and their replies: whatever the shape of the list, the same variants; hostile replies end; chained requests."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from core.augment.asks import Ask, follow, followed, judged, reply_schema
from core.augment.fields import Field, cleaned, fields_of, misfits
from core.augment.gates import HeldOut, Judge
from core.augment.pasted import MOST_ROWS, read_pasted, requests_by_hand
from core.augment.presets import PRESETS, AugmentSettings
from core.augment.reading import Read, read_variants
from core.augment.requests import compared, estimate, placeholders, plan, reply_limit
from core.augment.rows import read_rows
from core.errors import DataError, SettingsError
from core.version import Roles

ENGLISH = ["The kettle boils slowly, and leaks.", "I wouldn't buy it again!", "Is there a café near the harbour?", "A hose of 20 m: brass nozzle",
           'He said "fine" and left.', "Good - not great", "24 hours later it broke", "Don't wait (really)", "Prices rose 3.5 % in May"]  # fmt: skip
KOREAN = ["영화가 무척 즐거웠어요.", "이 제품은 다시 사지 않겠습니다", "마리 퀴리는 어디에서 태어났나요?", "배송이 빨라서, 아주 좋았어요!", "가격은 1,299원이었다",
          '그는 "좋다"고 말했다.']  # fmt: skip
ORIGINAL = "Brass [hose] nozzle"


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def each(form: str, between: str = "\n") -> Callable[[Sequence[str]], str]:
    """A shape that writes {i}, the circled number {o} and {x} for each variant."""
    return lambda texts: between.join(form.format(i=i, o="①②③④⑤"[i - 1], x=x, j=dump(x)) for i, x in enumerate(texts, start=1))


SHAPES: dict[str, Callable[[Sequence[str]], str]] = {
    "json": lambda t: dump(list(t)), "json ascii": lambda t: json.dumps(list(t)), "json lines over": lambda t: json.dumps(list(t), indent=1),
    "fenced": lambda t: f"```json\n{dump(list(t))}\n```", "fence left open": lambda t: f"```json\n{dump(list(t))}",
    "in prose": lambda t: f"Sure! Here is the list:\n{dump(list(t))}\nLet me know if you need more.", "variants": lambda t: dump({"variants": list(t)}),
    "original": lambda t: dump({ORIGINAL: list(t)}), "original and list": lambda t: dump({"original": ORIGINAL, "paraphrases": list(t)}),
    "objects": lambda t: dump([{"original": ORIGINAL, "variant": x} for x in t]), "ids": lambda t: dump([{"id": 1, "text": x} for x in t]),
    "by number": lambda t: dump({str(i): x for i, x in enumerate(t)}), "nested": lambda t: dump({"result": {"variants": list(t)}}),
    "twice encoded": lambda t: dump(dump(list(t))), "json lines": each('{{"variant": {j}}}'), "strings on lines": each("{j}"),
    "trailing comma": lambda t: dump(list(t))[:-1] + ",]", "python": lambda t: repr(list(t)), "tuple": lambda t: repr(tuple(t)),
    "assignment": lambda t: f"```python\nx = {list(t)!r}\n```", "curly list": lambda t: "[" + ", ".join(f"“{x}”" for x in t) + "]",
    "strings without list": lambda t: ", ".join(map(dump, t)), "1.": each("{i}. {x}"), "1)": each("{i}) {x}"), "(1)": each("({i}) {x}"),
    "1:": each("{i}: {x}"), "1 -": each("{i} - {x}"), "wide": each("{i}．{x}"), "[1]": each("[{i}] {x}"), "#1": each("#{i} {x}"),
    "bold number": each("**{i}.** {x}"), "all bold": each("{i}. **{x}**"), "blank lines": each("{i}. {x}", "\n\n"), "quoted": each('{i}. "{x}"'),
    "curly quotes": each("{i}. “{x}”"), "corners": each("{i}. 「{x}」"), "-": each("- {x}"), "- quoted": each('- "{x}"'), "*": each("* {x}"),
    "dots": each("• {x}"), "tight dots": each("•{x}"), "indented": each("   - {x}"), "yaml": lambda t: "variants:\n" + each('  - "{x}"')(t),
    "label": each("Variant {i}: {x}"), "bold label": each("**Variant {i}:** {x}"), "text below": each("**Variant {i}:**\n{x}", "\n\n"),
    "heads": each("### Variant {i}\n{x}", "\n\n"), "Korean label": each("문장 {i}: {x}"), "Korean number": each("{i}번: {x}"), "circled": each("{o} {x}"),
    "plain": each("{x}"), "chatter": lambda t: "Here are the variants:\n\n" + each("{i}. {x}")(t) + "\n\nLet me know if you need more!",
    "Korean chatter": lambda t: "물론이죠! 다음은 비슷한 문장입니다:\n\n" + each("{i}. {x}")(t) + "\n\n도움이 되었기를 바랍니다!",
    "table": lambda t: "| # | Variant |\n|---|---|\n" + each("| {i} | {x} |")(t), "tags": each("<variant>{x}</variant>"),
    "html": lambda t: "<ul>\n" + each("<li>{x}</li>")(t) + "\n</ul>", "windows": each("{i}. {x}", "\r\n"),
    "thinking": lambda t: "<think>1. hm\n2. hm</think>\n" + each("{i}. {x}")(t), "rules": lambda t: "---\n" + each("{i}. {x}")(t) + "\n---",
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_the_shape_of_the_list_the_same_variants_are_read(shape: str) -> None:
    draw = random.Random(shape)
    for turn in range(40):
        texts = draw.sample(KOREAN if turn % 2 else ENGLISH, draw.randint(2, 4))
        assert read_variants(SHAPES[shape](texts), len(texts), ORIGINAL).variants == tuple(texts)


@pytest.mark.parametrize("keep", range(2, 60, 7))
def test_a_list_cut_anywhere_keeps_whole_strings_and_nothing_else(keep: int) -> None:
    texts = [*KOREAN[:3], *ENGLISH[:2]]
    read = read_variants(dump(texts)[: -keep - 1], 5, ORIGINAL)
    assert len(read.variants) >= 2
    assert read.variants == tuple(texts[: len(read.variants)])


N = 100_000
HOSTILE = {
    "brackets": "[" * N, "objects": '{"a":' * (N // 5), "rounds": "(" * N, "tags": "<variant>" * (N // 9), "quotes": '"' * N,
    "controls": "".join(map(chr, range(32))) * (N // 32), "surrogates": "\ud800" * N, "stars": "*" * N + "x", "numbers": "1. " * (N // 3),
    "hangul": "가" * N, "없": "없" * N, "안": "안 " * (N // 2), "지 않": "가지 않" * (N // 4), "capitals": "A " * (N // 2), "letters": "a" * N,
    "digits": "9" * N, "commas": "1," * (N // 2), "addresses": "a@" * (N // 2), "not very": "not " + "very " * (N // 5),
    "sum": "[" + "1+" * (N // 2) + "1]", "minus": "[" + "-" * N + "1]", "fences": "```" * (N // 3), "blanks": " " * N, "backslashes": '["' + "\\" * N,
    "big numbers": "[" + "9" * N + "]", "cells": "| |\n" * (N // 4), "labels": "question: a\n" * (N // 12), "marks": "“" * N, "zero width": "\u200d" * N,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reply_of_100_kb_ends_and_leaves_text_that_can_be_saved(name: str) -> None:
    reply, judge = HOSTILE[name], Judge(HeldOut(["The kettle boils slowly and leaks at the handle"]))
    asks = [Ask(row, f"text {row}", "", 3, (), fields=fields) for row in range(2) for fields in ((), (Field("question"), Field("answer")))]
    reads = [read_variants(reply, 3, "one two"), read_rows(reply, asks[1].fields), *read_pasted(reply, asks[::2]).found.values()]
    for variant in {one[:N] for read in reads for one in read.variants[:3]} | {reply}:
        judge.look(variant, asks[0])
    for read in reads:
        "".join(read.variants).encode()
        assert not any(letter in "".join(read.variants) for letter in "\x00\x1b\x7f\ufeff")


FIELDS = (Field("question"), Field("answer"))
PAIRS = [{"question": "누가 황동 노즐을 샀나요?", "answer": "이모"}, {"question": "Where was it bought?", "answer": "Leipzig"}]


@pytest.mark.parametrize("reply", [
    dump({"variants": PAIRS}), dump(PAIRS), f"```json\n{dump(PAIRS)}\n```", f"Here you go:\n{dump(PAIRS)}\nEnjoy!", "\n".join(map(dump, PAIRS)),
    dump([{"질문": one["question"], "정답": one["answer"]} for one in PAIRS]), dump(PAIRS)[:-1] + ', {"question": "cut o',
    "| question | answer |\n|---|---|\n" + "\n".join(f"| {one['question']} | {one['answer']} |" for one in PAIRS),
    "\n\n".join(f"{i}. Q: {one['question']}\n   A: {one['answer']}" for i, one in enumerate(PAIRS, start=1)),
    "\n\n".join(f"**질문 {i}:** {one['question']}\n**답:** {one['answer']}" for i, one in enumerate(PAIRS, start=1)),
])  # fmt: skip
def test_whole_rows_are_read_in_any_shape(reply: str) -> None:
    read = read_rows(reply, FIELDS)
    assert [dict(one) for one in read.cells] == PAIRS
    assert read.variants == tuple(one["question"] for one in PAIRS)


def test_cells_are_read_as_their_columns_hold_them_and_misfits_are_named() -> None:
    fields = (
        Field("text"),
        Field("stars", "integer", low=1, high=5),
        Field("label", "choice", ("good", "bad")),
        Field("new", "yes/no", optional=True),
    )
    assert cleaned({"Text": " fine ", "STARS": "4", "label": "Good", "extra": 1}, fields) == {
        "text": "fine",
        "stars": 4,
        "label": "good",
        "new": None,
    }
    wrong = misfits({"text": "", "stars": 9, "label": "fair", "new": None}, fields)
    assert [one.split()[0] for one in wrong] == ["text", "stars", "label"]
    assert "from 1 to 5" in wrong[1]
    table = pd.DataFrame({"text": [f"row {i}" for i in range(40)], "stars": [1 + i % 5 for i in range(40)], "label": ["good", "bad"] * 20})
    assert [(one.kind, one.low, one.high, one.choices) for one in fields_of(table, ["text", "stars", "label"])] == [
        ("text", None, None, ()), ("integer", 1.0, 5.0, ()), ("choice", None, None, ("bad", "good")),
    ]  # fmt: skip


ROLES = Roles(text=("text",), target="answer", split="split")


def table(texts: Sequence[str] = ("Garden hose 20 m, brass nozzle", "Steel pump with 5 bar", "A lamp for the desk")) -> pd.DataFrame:
    return pd.DataFrame({"text": list(texts), "answer": ["brass", "steel", "desk"][: len(texts)], "kind": ["a", "b", "c"][: len(texts)],
                         "split": ["train"] * len(texts)}, index=range(4, 4 + len(texts)))  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS)
def test_every_request_has_a_schema_its_reply_can_keep_to_and_is_read_back(preset: str) -> None:
    settings = AugmentSettings("text", preset, to=9, total=4, question="text" if PRESETS[preset].keeps == "context" else "")
    [first, *_] = asks = plan(table(), ROLES, settings)
    schemas = [reply_schema(ask) for ask in asks]
    assert all(schema == schemas[0] for schema in schemas)
    item = schemas[0]["properties"]["variants"]["items"]
    assert (item["type"] == "object") == PRESETS[preset].whole_rows == bool(first.fields)
    one: object = dict.fromkeys(item["properties"], "x y") if first.fields else "x y"
    reply = dump({"variants": [one, one]})
    read = read_rows(reply, first.fields) if first.fields else read_variants(reply, 2, first.original)
    assert read.variants == ("x y", "x y")
    assert len(read.cells) == (2 if first.fields else 0)
    assert "$" not in "".join(message["content"] for message in first.messages)
    assert reply_limit(first) > 0


def test_an_unknown_name_in_a_free_request_is_told_with_the_columns_there_are() -> None:
    settings = AugmentSettings("text", "free", user="Write about $txt of $kind")
    with pytest.raises(SettingsError, match=r"\$txt, and there is no such name. Did you mean \$text\? It may use .*\$kind"):
        plan(table(), ROLES, settings)
    with pytest.raises(SettingsError, match=r"Write \$\{text\} where a letter follows directly"):
        plan(table(), ROLES, AugmentSettings("text", "free", user="$text를 ${n}개로"))
    [first, *_] = plan(table(), ROLES, AugmentSettings("text", "free", user="${kind}: 5$ or $5, write ${n} of ${text}를"))
    assert first.messages[-1]["content"] == "a: 5$ or $5, write 3 of Garden hose 20 m, brass nozzle를"
    assert set(placeholders(settings, table().columns)) == {"text", "n", "target", "answer", "kind", "split"}


def test_translation_there_and_back_is_asked_in_two_requests() -> None:
    table_ko = table(["황동 노즐이 달린 20 m 호스", "Steel pump with 5 bar"])
    korean, english = plan(table_ko, ROLES, AugmentSettings("text", "translate", variants=2))
    assert "into English in 2" in korean.messages[-1]["content"]
    assert "into French in 2" in english.messages[-1]["content"]
    replies = {korean.key: Read(("A 20 m hose\nwith brass", "Hose of 20 m", "one too many")), english.key: Read((), ("no",), "refusal")}
    [second] = followed([korean, english], replies)
    assert (second.row, second.original, second.variants, second.stage, second.then) == (4, korean.original, 2, 1, None)
    assert second.messages[-1]["content"].endswith("1. A 20 m hose with brass\n2. Hose of 20 m")
    assert "into Korean" in second.messages[-1]["content"]
    assert [ask.key for ask in judged([korean, english], replies)] == [second.key, english.key]
    assert judged([korean, english], {}) == []
    assert follow(korean, Read(("바로 쓴 문장",), (), "hand")) is None
    both = estimate([korean], lambda texts: [len(text) for text in texts], (1.0, 1.0), seconds_per_token=0)
    assert both.requests == 2


def test_questions_about_a_text_name_their_columns_and_are_compared_with_questions() -> None:
    roles = Roles(text=("question", "context"), target="answer", split="split")
    rows = pd.DataFrame({"question": ["누가?"], "context": ["이모가 라이프치히에서 호스를 샀다."], "answer": ["이모"], "split": ["train"]})
    settings = AugmentSettings("context", "question_answer_ko", variants=2)
    [ask] = plan(rows, roles, settings)
    assert [one.name for one in ask.fields] == ["question", "answer"]
    assert '{"question": "...", "answer": "..."}' in ask.messages[-1]["content"]
    assert compared(settings, roles) == "question"
    assert compared(AugmentSettings("text"), ROLES) == "text"


def test_new_rows_come_in_portions_with_other_examples_each_and_have_no_parent() -> None:
    settings = AugmentSettings("text", "new_rows", total=25, examples=2, description="Things of a shop.")
    asks = plan(table(), ROLES, settings)
    assert [ask.variants for ask in asks] == [9, 8, 8]
    assert {ask.row for ask in asks} == {-1}
    assert len({ask.key for ask in asks}) == 3
    assert "Things of a shop." in asks[0].messages[-1]["content"]
    assert plan(table(), ROLES, settings) == asks
    with pytest.raises(DataError, match="'price'"):
        plan(table(), ROLES, AugmentSettings("text", "new_rows", fields=(Field("text"), Field("price", "number"))))


def test_settings_of_earlier_runs_keep_their_hash_and_new_ones_come_back_whole() -> None:
    assert set(AugmentSettings("text").to_dict()) == {
        "column",
        "preset",
        "variants",
        "to",
        "system",
        "user",
        "one_each",
        "temperature",
        "rows",
        "seed",
    }
    whole = AugmentSettings("text", "new_rows", fields=(Field("text"), Field("stars", "integer", low=1, high=5)), total=7, pivot="German")
    assert AugmentSettings.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    with pytest.raises(SettingsError, match="too small"):
        AugmentSettings("text", "translate", one_each=True)


def test_by_hand_whole_rows_come_back_to_their_texts_and_missing_rows_are_named() -> None:
    roles = Roles(text=("question", "text"), target="answer", split="split")
    settings = AugmentSettings("text", "question_answer", variants=2)
    asks = plan(table().assign(question="?"), roles, settings)
    [request] = requests_by_hand(asks, settings)
    assert '{"1": [{"question": "...", "answer": "..."}' in request.text
    pasted = read_pasted(dump({"1": PAIRS, asks[2].original: [PAIRS[0]]}), asks)
    assert [len(pasted.found[ask.key].cells) for ask in (asks[0], asks[2])] == [2, 1]
    assert pasted.missing == (asks[1].row,)
    sections = "\n\n".join(f"### {i}\nQ: {one['question']}\nA: {one['answer']}" for i, one in enumerate(PAIRS, start=1))
    assert [dict(pasted_row) for ask in asks[:2] for pasted_row in read_pasted(sections, asks).found[ask.key].cells] == PAIRS


def test_by_hand_translation_is_one_request_and_twenty_rows_are_the_most() -> None:
    settings = AugmentSettings("text", "translate", variants=2)
    asks = plan(table(), ROLES, settings)
    [request] = requests_by_hand(asks, settings, MOST_ROWS)
    assert "back into English" in request.text
    assert all(ask.original in request.text for ask in asks)
    with pytest.raises(SettingsError, match="1 to 20"):
        requests_by_hand(asks, settings, 21)


def test_by_hand_a_request_with_other_columns_shows_them_for_every_row() -> None:
    settings = AugmentSettings("text", "free", user="As a $kind, say $text in ${n} ways")
    [request] = requests_by_hand(plan(table(), ROLES, settings), settings)
    assert "### 2\nAs a b, say Steel pump with 5 bar in 3 ways" in request.text
