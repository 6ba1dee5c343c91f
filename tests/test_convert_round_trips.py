"""There and back: where a conversion says that nothing is lost, the row comes back as it was; of real files, what is lost is counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.validate.convert import convert
from core.validate.formats import FORMATS, detect
from core.validate.reading import read_training
from tests.doubles import shared

TEXTS = st.sampled_from(["a", "가격은?", "two\nlines", "two\n\nparagraphs", " led", '{"name": "f"}', "END", ""])
WORDS = TEXTS.filter(bool)
RARELY = st.sampled_from([False] * 12 + [True])
ARGUMENTS = st.sampled_from(["{}", '{"x": 1}', '{"x":1}', '{"b": 2, "a": "가"}', ""])


@st.composite
def chats(draw: Any) -> dict[str, Any]:
    """A chat line as the platform takes it, with anything it may hold."""
    messages: list[dict[str, Any]] = []
    for role in draw(st.lists(st.sampled_from(["system", "developer"]), max_size=2)):
        messages.append({"role": role, "content": draw(TEXTS)})
    tools = draw(st.booleans())
    made = 0
    for _ in range(draw(st.integers(1, 3))):
        asked: Any = draw(TEXTS) if not draw(RARELY) else [{"type": "text", "text": draw(WORDS)}, *draw(pictures)]
        messages.append({"role": "user", "content": asked})
        if draw(RARELY):
            messages.append({"role": "system", "content": "late"})
        if tools and draw(st.booleans()):
            ids = [f"call_{made + 1 + i}" if not draw(RARELY) else "own" + str(i) for i in range(draw(st.integers(1, 2)))]
            made += len(ids)
            calls = [{"id": one, "type": "function", "function": {"name": "f", "arguments": draw(ARGUMENTS)}} for one in ids]
            messages.append({"role": "assistant", "content": draw(st.sampled_from([None, None, "", "see"])), "tool_calls": calls})
            order = ids if draw(st.booleans()) else ids[::-1]
            messages += [{"role": "tool", "tool_call_id": one, "content": draw(WORDS)} for one in order]
        messages.append({"role": "assistant", "content": draw(WORDS)})
    for key, value in (("weight", 1), ("weight", 0), ("name", "kim"), ("refusal", "no")):
        if draw(RARELY):
            messages[-1][key] = value
    row: dict[str, Any] = {"messages": messages}
    if tools:
        row["tools"] = draw(st.sampled_from([[], [{"type": "function", "function": {"name": "f", "description": "가"}}]]))
    if draw(RARELY):
        row["parallel_tool_calls"] = False
    return row


pictures = st.lists(st.just({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}), max_size=1)
TURNS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3)
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "chat": chats(),
    "prompt_completion": st.fixed_dictionaries({"prompt": TEXTS, "completion": TEXTS}),
    "preference": st.builds(
        lambda turns, rejected: {
            "input": {"messages": [one for q, a in turns for one in ({"role": "user", "content": q}, {"role": "assistant", "content": a})][:-1]},
            "preferred_output": [{"role": "assistant", "content": turns[-1][1]}],
            "non_preferred_output": [{"role": "assistant", "content": rejected}],
        },
        TURNS, WORDS,
    ),
    "reinforcement": st.builds(
        lambda question, answer, key: {"messages": [{"role": "developer", "content": "d"}, {"role": "user", "content": question}], key: answer},
        TEXTS, st.one_of(TEXTS, st.integers(), st.lists(st.integers())), st.sampled_from(["reference_answer", "answer", "own"]),
    ),
    "alpaca": st.builds(
        lambda turns, more, system: {"instruction": turns[-1][0], "input": more, "output": turns[-1][1]}
        | ({"system": system} if system else {}) | ({"history": [list(one) for one in turns[:-1]]} if turns[1:] else {}),
        TURNS, st.sampled_from(["", "", "more"]), TEXTS,
    ),
    "sharegpt": st.builds(
        lambda turns, first: {"conversations": [*first, *({"from": who, "value": told} for pair in turns
                                                          for who, told in zip(("human", "gpt"), pair, strict=True))]},
        TURNS, st.sampled_from([[], [{"from": "system", "value": "s"}]]),
    ),
    "text": st.fixed_dictionaries({"text": TEXTS}),
}  # fmt: skip


@pytest.mark.parametrize("through", FORMATS)
@pytest.mark.parametrize("name", OTHERS)
def test_what_loses_nothing_comes_back_equal(name, through):
    seen = {"back": 0}

    @settings(max_examples=80)
    @given(OTHERS[name])
    def there_and_back(row: Any) -> None:
        before = json.dumps(row, sort_keys=True)
        there = convert([row], through, [name])
        assert json.dumps(row, sort_keys=True) == before, "the row itself stays"
        if not there.rows:
            assert there.lost, "a row that goes is counted"
            return
        assert detect(there.rows).format == through
        json.dumps(there.rows)
        back = convert(there.rows, name, [through])
        if not there.lost and not back.lost:
            seen["back"] += 1
            assert back.rows == (row,)

    there_and_back()
    lossless = {("chat", "sharegpt"), ("chat", "alpaca"), ("sharegpt", "chat"), ("alpaca", "chat"), ("prompt_completion", "chat"),
                ("preference", "preference"), ("text", "prompt_completion"), ("reinforcement", "chat"), ("chat", "reinforcement"),
                ("chat", "prompt_completion"), ("sharegpt", "alpaca"), ("alpaca", "sharegpt")}  # fmt: skip
    assert seen["back"] > 0 or (name, through) not in lossless, "the property was never put to the test"


REAL = {"llamafactory_alpaca_en_demo.json": "alpaca", "preference_demo.json": "preference", "sharegpt_dummy_conversation.json": "sharegpt",
        "toy_chat_fine_tuning.jsonl": "chat", "answers_without_price_20.jsonl": "chat"}  # fmt: skip


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name", REAL)
def test_real_files_turn_into_every_format_or_say_why_not(name, to):
    rows = read_training(name, shared(f"chat/{name}").read_bytes()).rows
    there = convert(rows, to)
    kind = REAL[name]
    if to == "preference" and kind != "preference":
        assert there.rows == ()
        assert there.lost["rows without a rejected answer"] == len(rows) - there.lost.get("rows without a question", 0)
        return
    gone = sum(there.lost.get(why, 0) for why in ("rows without a question", "rows whose answer follows no question"))
    assert len(there.rows) == len(rows) - gone
    assert gone <= 1
    assert detect(there.rows).format == to
    back = convert(there.rows, kind)
    if not there.lost and not back.lost and kind != "preference":
        assert back.rows == rows


def test_what_real_files_lose_is_what_stands_in_them():
    alpaca = read_training("a.json", shared("chat/llamafactory_alpaca_en_demo.json").read_bytes()).rows
    inputs = sum(bool(row["input"]) for row in alpaca)
    assert convert(alpaca, "chat").lost == {"borders between instruction and input": inputs}
    plain = [row for row in alpaca if not row["input"]]
    assert convert(convert(plain, "chat").rows, "alpaca").rows == tuple(plain)
    assert convert(convert(plain, "sharegpt").rows, "alpaca").rows == tuple(plain)
    talks = read_training("s.json", shared("chat/sharegpt_dummy_conversation.json").read_bytes()).rows
    there = convert(talks, "chat")
    assert there.lost == {"values of 'id'": 500}
    assert convert(there.rows, "sharegpt").rows == tuple({"conversations": row["conversations"]} for row in talks)
    earlier = sum(len(row["conversations"]) // 2 - 1 for row in talks)
    assert convert(talks, "prompt_completion").lost["earlier answers, no longer learnt"] == earlier
    pairs = read_training("p.json", shared("chat/preference_demo.json").read_bytes()).rows
    assert convert(pairs, "chat").lost == {"rejected answers": 299}
    assert convert(pairs, "preference").lost == {}
    one = convert(pairs, "preference").rows[0]
    assert one["preferred_output"][0]["content"] == pairs[0]["chosen"]["value"]
    assert one["non_preferred_output"][0]["content"] == pairs[0]["rejected"]["value"]


def test_tool_calls_go_to_sharegpt_and_back():
    calls = [{"id": "call_1", "type": "function", "function": {"name": "price", "arguments": '{"of": "조명"}'}}]
    row = {
        "messages": [
            {"role": "user", "content": "얼마?"},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_1", "content": "12"},
            {"role": "assistant", "content": "12"},
        ],
        "tools": [{"type": "function", "function": {"name": "price", "parameters": {"type": "object", "properties": {}}}}],
    }
    there = convert([row], "sharegpt")
    assert there.lost == {}
    assert [one["from"] for one in there.rows[0]["conversations"]] == ["human", "function_call", "observation", "gpt"]
    assert json.loads(there.rows[0]["conversations"][1]["value"]) == {"name": "price", "arguments": {"of": "조명"}}
    assert json.loads(there.rows[0]["tools"])[0]["name"] == "price"
    assert convert(there.rows, "chat").rows == (row,)
    row["messages"][1]["tool_calls"][0]["id"] = row["messages"][2]["tool_call_id"] = "abc"
    assert convert([row], "sharegpt").lost == {"ids of tool calls": 1}


def test_right_answers_become_what_a_grader_compares_with():
    made = convert([{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}],
                   "reinforcement")  # fmt: skip
    assert made.rows == ({"messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "q"}], "reference_answer": "a"},)
    assert made.lost == {"system messages, now the developer's": 1}
    row = {"messages": [{"role": "user", "content": "q"}], "x": 1, "y": 2}
    assert convert([row], "chat").lost == {"rows without a right answer": 1, "values of 'x'": 1, "values of 'y'": 1}
    assert convert([row], "reinforcement").rows == (row,)
    assert convert([{**row, "answer": 7}], "chat", ["reinforcement"]).rows[0]["messages"][-1] == {"role": "assistant", "content": "7"}
