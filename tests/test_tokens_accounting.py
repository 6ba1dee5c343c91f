"""Tokens by the cookbook's accounting: known figures, what each key counts, pictures, tools, templates, and what is learnt."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import MissingError
from core.finetune.rows import supervised
from core.io import embedded
from core.io.counting import count_of, end_of, pieces_of, render_of
from core.io.embedded.generate import encode, render
from core.io.tokens import counter
from core.validate import accounting
from core.validate.accounting import COUNTED, count_tokens, cuts, distribution, epochs_for
from core.validate.encodings import base_of, encoding_of, how_counted
from core.validate.images import image_tokens, patches, size_of, tiles
from core.validate.learnt import learnt
from core.validate.reading import read_training
from core.validate.templates import TemplateCount, rendered
from core.validate.tools import tool_tokens
from tests.doubles import shared
from tests.tiny import TEMPLATE, tiny_model


def words(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def cut(text: str) -> list[str]:
    """Pieces for `words`: each word with the space before it."""
    found = text.split()
    return [(" " if i else "") + word for i, word in enumerate(found)]


def toy() -> list:
    return list(read_training("toy.jsonl", shared("chat/toy_chat_fine_tuning.jsonl").read_bytes()).rows)


# --- known figures ---------------------------------------------------------------------------------------------------


def test_the_toy_files_distributions_are_the_notebooks():
    tokens = count_tokens(toy(), counter("cl100k_base"), 16_385)
    names = ("min", "max", "mean", "median", "p10", "p90")
    found = {
        what: [round(distribution(values)[name], 1) for name in names]
        for what, values in (("messages", tokens.messages), ("tokens", tokens.total), ("assistant", tokens.assistant))
    }
    assert found == {
        "messages": [2, 9, 3.8, 3.0, 2.0, 6.6],
        "tokens": [26, 8032, 1648.4, 45.0, 26.8, 4863.6],
        "assistant": [4, 8000, 1610.2, 10.0, 6.0, 4811.2],
    }


def test_the_toy_file_is_billed_as_the_notebook_prints():
    rows = toy()
    assert epochs_for(len(rows)) == 20
    for encoding, limit, billable in (("cl100k_base", 4096, 4306), ("cl100k_base", 16_385, 8242), ("o200k_base", 65_536, 8233)):
        tokens = count_tokens(rows, counter(encoding), limit)
        assert (tokens.billable(), 20 * tokens.billable()) == (billable, 20 * billable)


@pytest.mark.parametrize(
    ("model", "messages", "tool"),
    [("gpt-4", 129, 105), ("gpt-3.5-turbo", 129, 105), ("gpt-4o", 124, 101), ("ft:gpt-4o-mini-2024-07-18:o::x", 124, 101)],
)
def test_the_cookbooks_examples_count_as_the_api_does(model, messages, tool):
    for name, expected in (("cookbook_six_messages", messages), ("cookbook_weather_tool", tool)):
        rows = read_training("x.json", shared(f"chat/{name}.json").read_bytes()).rows
        assert count_tokens(rows, count_of(model), 65_536, model).total.tolist() == [expected]


# --- what each key counts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "more"),
    [
        ({}, 0),
        ({"weight": 0}, 0),
        ({"weight": 1}, 0),
        ({"name": "two words"}, 3),
        ({"refusal": "I will not"}, 3),
        ({"tool_call_id": "call one"}, 2),
        ({"tool_calls": [{"id": "not this", "type": "function", "function": {"name": "look up", "arguments": '{"a": 1}'}}]}, 4),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, 3),
        ({"tool_calls": "odd"}, 1),
        ({"function_call": {"name": "f", "arguments": "{}"}}, 2),
        ({"unknown": "three more words"}, 3),
        ({"unknown": {"a": "b"}, "list": [1, "x"], "number": 12, "flag": True, "nothing": None}, 0),
    ],
)
def test_each_key_counts_what_the_table_says(extra, more):
    def total(message):
        return int(count_tokens([{"messages": [{"role": "user", "content": "q"}, message]}], words, 100).total[0])

    message = {"role": "assistant", "content": "four words in all"}
    assert total({**message, **extra}) - total(message) == more


def test_the_table_people_see_is_the_docstring():
    assert ("weight", "nothing; 0 only stops the learning") in COUNTED
    assert ("every message", "3 tokens of frame") in COUNTED
    assert len(COUNTED) == (accounting.__doc__ or "").count("\n| ") - 1


def test_a_chunk_of_rows_is_counted_in_one_call_each_text_once():
    calls: list[list[str]] = []

    def count(texts: list[str]) -> list[int]:
        calls.append(texts)
        return words(texts)

    tool = {"type": "function", "function": {"name": "f", "description": "does this", "parameters": {"properties": {"a": {"type": "int"}}}}}
    rows = [
        {"messages": [{"role": "user", "content": f"q {i % 3}"}, {"role": "assistant", "content": "yes"}], "tools": [tool]}
        for i in range(4_100)
    ]
    tokens = count_tokens(rows, count, 100, "gpt-4o")
    assert len(calls) == 3
    assert all(len(texts) == len(set(texts)) for texts in calls)
    assert set(tokens.total.tolist()) == {3 + 1 + 2 + 3 + 1 + 1 + 3 + tool_tokens([tool], words, "gpt-4o")}
    assert tokens.estimated


@pytest.mark.parametrize(
    "row",
    [
        {
            "messages": [
                None,
                3,
                "x",
                {},
                {"role": None, "content": {"a": 1}},
                {"role": "assistant", "content": [1, {"text": 2}, {"type": "image_url"}]},
            ]
        },
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [None, {"function": None}, {"function": {"name": 3, "arguments": [1]}}],
                }
            ]
        },
        {
            "messages": [{"role": "user", "content": "q"}],
            "tools": [None, "x", {"function": "y"}, {"function": {"parameters": {"properties": {"a": 1}}}}],
        },
        {
            "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": 5}]}],
            "functions": [{"name": "f", "parameters": []}],
        },
    ],
)
def test_odd_rows_are_counted_and_shown_not_crashed_on(row):
    tokens = count_tokens([row], words, 100, "gpt-4o-mini")
    shown = learnt(row, cut, 100, model="gpt-4o-mini")
    assert shown is not None
    assert shown.learnt + shown.read + shown.cut == tokens.total[0]


# --- pictures --------------------------------------------------------------------------------------------------------


def picture(width: int, height: int, kind: str = "PNG", **more) -> dict:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, kind, **more)
    data = base64.b64encode(out.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind.lower()};base64,{data}"}}


@pytest.mark.parametrize(
    ("width", "height", "n"),
    [(512, 512, 1), (513, 512, 2), (1024, 1024, 4), (2048, 4096, 6), (768, 768, 4), (4096, 8192, 6), (10, 4000, 4), (1, 1, 1)],
)
def test_a_picture_is_fitted_and_cut_into_tiles(width, height, n):
    assert tiles(width, height) == n


@pytest.mark.parametrize(
    ("width", "height", "n"), [(1024, 1024, 1024), (32, 32, 1), (33, 32, 2), (1800, 2400, 1452), (20_000, 20_000, 1521)]
)
def test_a_picture_is_shrunk_to_at_most_1536_patches(width, height, n):
    assert patches(width, height) == n


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        ("gpt-4o-2024-08-06", 85, 765),
        ("gpt-4.1", 85, 765),
        ("gpt-4o-mini", 2833, 2833 + 4 * 5667),
        ("ft:gpt-4o-mini-2024-07-18:o::x", 2833, 25_501),
        ("gpt-4.1-mini", 1659, 1659),
        ("gpt-4.1-nano-2025-04-14", 2519, 2519),
        ("o4-mini", 1761, 1761),
    ],
)
def test_each_model_counts_a_picture_its_own_way(model, low, high):
    one = picture(1024, 1024)
    assert image_tokens(one, model) == (high, True)
    assert image_tokens({**one, "image_url": {**one["image_url"], "detail": "high"}}, model) == (high, True)
    assert image_tokens({**one, "image_url": {**one["image_url"], "detail": "low"}}, model) == (low, True)


@pytest.mark.parametrize(("kind", "more"), [("PNG", {}), ("JPEG", {}), ("WEBP", {}), ("WEBP", {"lossless": True}), ("GIF", {})])
def test_a_pictures_size_is_read_from_its_first_bytes(kind, more):
    assert size_of(picture(300, 170, kind, **more)["image_url"]["url"]) == (300, 170)


@pytest.mark.parametrize(
    "url", ["https://x.example/a.png", "data:image/png;base64,", "data:image/png;base64,!!", "data:,x", None, "data:image/png;base64,AAAA"]
)
def test_a_picture_of_unknown_size_is_a_marked_guess(url):
    part = {"type": "image_url", "image_url": {"url": url}}
    assert image_tokens(part, "gpt-4o") == (765, False)
    row = {"messages": [{"role": "user", "content": [{"type": "text", "text": "what is it"}, part]}]}
    assert count_tokens([row], words, 10_000, "gpt-4o").estimated
    assert not count_tokens([{"messages": [{"role": "user", "content": [picture(10, 10)]}]}], words, 10_000, "gpt-4o").estimated


# --- which encoding --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "base", "encoding", "assumed"),
    [
        ("ft:gpt-4.1-2025-04-14:org::id", "gpt-4.1-2025-04-14", "o200k_base", False),
        ("ft:gpt-4.1-nano-2025-04-14:org:name:id:ckpt-step-12", "gpt-4.1-nano-2025-04-14", "o200k_base", False),
        ("FT:gpt-4o-2024-08-06:org::id", "gpt-4o-2024-08-06", "o200k_base", False),
        ("ada:ft-org-2023-05-01-12-00-00", "ada", "r50k_base", False),
        ("gpt-5-mini", "gpt-5-mini", "o200k_base", False),
        ("gpt-6", "gpt-6", "o200k_base", False),
        ("o1", "o1", "o200k_base", False),
        ("o3-mini", "o3-mini", "o200k_base", False),
        ("gpt-4-turbo", "gpt-4-turbo", "cl100k_base", False),
        ("ft:gpt-3.5-turbo-0125:o::x", "gpt-3.5-turbo-0125", "cl100k_base", False),
        ("text-davinci-003", "text-davinci-003", "p50k_base", False),
        ("llama-9", "llama-9", "o200k_base", True),
        ("ft:", "", "o200k_base", True),
    ],
)
def test_every_way_to_name_a_model_leads_to_its_base(model, base, encoding, assumed):
    assert base_of(model) == base
    assert encoding_of(model) == (encoding, assumed)
    assert ("may not be its own" in how_counted(model)) == assumed


def test_who_counts_is_said():
    assert how_counted("ft:gpt-4o-mini-2024-07-18:o::x") == "Counted with o200k_base, the encoding of gpt-4o-mini-2024-07-18."
    assert "chat template" in how_counted("embedded")
    assert "template is not known" in how_counted("hub:o/n")


# --- local models and their templates --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return f"file:{tiny_model(tmp_path_factory.mktemp('tiny') / 'm')}"


CHATS = [
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "who keeps the lamp"}, {"role": "assistant", "content": "Mira does."}]},
    {"messages": [{"role": "user", "content": "the price is " * 30}, {"role": "assistant", "content": "12 dollars"}]},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d e"}]},
    {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "dollars " * 90}]},
]  # fmt: skip


@pytest.mark.parametrize("limit", [48, 64, 4096])
def test_a_local_models_tokens_are_those_its_training_makes(tiny, limit):
    tokens = count_tokens(CHATS, count_of(tiny), limit)
    tokenizer = embedded.tokenizer(Path(tiny.removeprefix("file:")))
    chats = [[{"role": m["role"], "content": m["content"]} for m in chat["messages"][:-1]] for chat in CHATS]
    answers = [chat["messages"][-1]["content"] for chat in CHATS]
    made = supervised(chats, answers, "", lambda messages, prefix: render(tokenizer, messages, prefix),
                      lambda texts: encode(tokenizer, texts), tokenizer.eos_token_id, limit)  # fmt: skip
    assert tokens.supervised.tolist() == [len(row.answer) for row in made.rows]
    assert np.minimum(tokens.total, limit).tolist() == [len(row) for row in made.rows]
    assert [len(row) + row.cut for row in made.rows][:3] == tokens.total.tolist()[:3]
    pieces, template = pieces_of(tiny), render_of(tiny)
    for i, chat in enumerate(CHATS):
        shown = learnt(chat, pieces, limit, render=template, end=end_of(tiny))
        assert shown is not None
        assert (shown.learnt, shown.learnt + shown.read) == (len(made.rows[i].answer), len(made.rows[i]))
        assert shown.learnt + shown.read + shown.cut == tokens.total[i]


def test_the_generation_prompt_is_counted_and_its_end_is_learnt(tiny):
    (chat, *_), template = CHATS, render_of(tiny)
    assert template is not None
    one = rendered(chat["messages"], template)
    assert one is not None
    assert one.question.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert (one.tail, one.answer) == ("<|im_end|>\n<|im_start|>assistant\n", "Mira does.")
    shown = learnt(chat, pieces_of(tiny), 4096, render=template, end=end_of(tiny))
    assert shown is not None
    marked = "".join(shown.text[a:b] for a, b, mark in shown.spans if mark.startswith("learnt"))
    assert marked == "Mira does.<|im_end|>"
    assert "im_start" in TEMPLATE


def test_rows_a_template_refuses_and_rows_without_an_answer_are_counted(tiny):
    def refuse(messages: list, prefix: str) -> str:
        raise ValueError("Conversation roles must alternate")

    refused = count_tokens(CHATS[:1], TemplateCount(words, refuse), 100)
    assert refused.estimated
    assert refused.total.tolist() == count_tokens(CHATS[:1], words, 100).total.tolist()
    open_ended = count_tokens(
        [{"messages": [{"role": "user", "content": "hi"}]}, {"messages": [{"role": "assistant", "content": "alone"}]}], count_of(tiny), 100
    )
    assert open_ended.supervised.tolist()[0] == 0
    assert open_ended.total[1] == open_ended.supervised[1]
    assert open_ended.unlearnt.tolist() == [0]


def test_a_folder_without_a_tokenizer_is_said(tmp_path):
    with pytest.raises(MissingError, match=r"no tokenizer\.json"):
        count_of(f"file:{tmp_path}")


# --- what is learnt, what is cut -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gpt-4", "gpt-4o-mini"])
@pytest.mark.parametrize("limit", [20, 100, 4096])
def test_the_view_of_one_example_adds_up_to_its_count(model, limit):
    rows = [*toy(), *read_training("x.json", shared("chat/cookbook_weather_tool.json").read_bytes()).rows]
    tokens = count_tokens(rows, count_of(model), limit, model)
    for i, row in enumerate(rows):
        shown = learnt(row, pieces_of(model), limit, model=model)
        assert shown is not None
        assert shown.learnt + shown.read + shown.cut == tokens.total[i]
        assert shown.learnt == tokens.supervised[i]
        assert shown.read + shown.learnt == min(limit, tokens.total[i])


def test_calls_and_refusals_are_learnt_weight_0_is_not_and_the_cut_is_marked():
    row = {"messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "not learnt", "weight": 0},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look", "arguments": '{"a": 1}'}}]},
        {"role": "assistant", "refusal": "I will not"},
    ]}  # fmt: skip
    shown = learnt(row, cut, 1000)
    assert shown is not None
    said = ["".join(shown.text[a:b] for a, b, mark in shown.spans if mark.removesuffix("-even") == name) for name in ("learnt", "removed")]
    assert said == ['look{"a": 1}I will not', ""]
    assert "assistant, weight 0" in shown.text
    short = learnt(row, cut, int(count_tokens([row], words, 1000).total[0]) - 4)
    assert short is not None
    assert "".join(short.text[a:b] for a, b, mark in short.spans if mark == "removed") == " not"


def test_what_is_cut_says_whether_the_answer_is_lost():
    rows = [
        {"messages": [{"role": "user", "content": "a " * n}, {"role": "assistant", "content": "b " * m}, *more]}
        for n, m, more in [
            (5, 5, []), (50, 5, []), (5, 50, []), (10, 5, [{"role": "user", "content": "c " * 50}]), (60, 0, []),
        ]
    ]  # fmt: skip
    tokens = count_tokens(rows, words, 40)
    found = {one.place: one for one in cuts(rows, tokens, words)}
    assert {place: one.says for place, one in found.items()} == {1: "answer gone", 2: "answer cut", 3: "answer kept", 4: "no answer"}
    assert (found[2].answer, found[2].left, found[2].over) == (50, int(tokens.supervised[2]), int(tokens.total[2]) - 40)
    assert [one.total for one in cuts(rows, tokens, words)] == sorted((one.total for one in found.values()), reverse=True)
    assert len(cuts(rows, tokens, words, most=2)) == 2
    assert [one.place for one in cuts(rows, tokens, words, places=[4, 0, 1])] == [4, 1]


def test_the_check_says_that_a_local_training_keeps_the_answer(tiny):
    from core.io.validating import check, of_rows

    rows = [*CHATS[:3]] * 20
    for model, kept in ((tiny, "the answer is kept in all 20"), ("gpt-4o", "the answer is kept in 0 of 20")):
        found = next(one for one in check(of_rows(rows), model=model, max_tokens=64).checks if one.name == "too_long")
        assert found.detail == kept


def test_examples_that_teach_nothing_are_named():
    rows = [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]},
        {"messages": [{"role": "user", "content": "a " * 99}, {"role": "assistant", "content": "b"}]},
        {"messages": [{"role": "user", "content": "a"}]},
        {"no": "messages"},
        {"messages": [{"role": "assistant", "content": ""}]},
    ]
    tokens = count_tokens(rows, words, 50)
    assert tokens.unlearnt.tolist() == [1, 2, 3, 5]


def test_a_long_stretch_is_shown_without_its_middle_and_counted_whole():
    row = {"messages": [{"role": "assistant", "content": "word " * 5000}]}
    shown = learnt(row, cut, 10_000)
    assert shown is not None
    assert shown.learnt == 5000
    assert "4,300 tokens are not shown" in shown.text
    assert learnt(json.loads("{}"), cut, 10) is None
