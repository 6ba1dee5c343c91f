"""Which format a file and each of its rows has, and the rules of each format's rows."""

from __future__ import annotations

import base64
import copy
import json
import random

import pytest

from core.validate import chat
from core.validate.file_rules import beyond_images, file_checks
from core.validate.fixes import mend
from core.validate.formats import FORMATS, UNKNOWN, detect, kind_of
from core.validate.pictures import wrong_with
from core.validate.reading import of_rows, read_training
from core.validate.report import report
from core.validate.row_rules import row_problems
from core.validate.rules import RULES
from core.validate.wording import spots
from tests.doubles import shared
from tests.test_validate import ROWS, good, line, words

USER = {"role": "user", "content": "q"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}


def named(row: object, kind: str | None = None) -> set[str]:
    """The types of findings of one row."""
    return {name for name, _ in row_problems(row, kind or kind_of(row))} - {"missing_system"}


def called(*messages: dict, tools: list | None = None) -> dict:
    return {"messages": [USER, *messages], "tools": [TOOL] if tools is None else tools}


ASKS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "c1", "content": "r"}
SAYS = {"role": "assistant", "content": "a"}

# --- detection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "rows"),
    [
        ("toy_chat_fine_tuning.jsonl", "chat", 5),
        ("answers_without_price_20.jsonl", "chat", 20),
        ("llamafactory_alpaca_en_demo.json", "alpaca", 999),
        ("preference_demo.json", "preference", 299),
        ("sharegpt_dummy_conversation.json", "sharegpt", 500),
    ],
)
def test_real_files_are_told_apart(name, kind, rows):
    found = detect(read_training(name, shared(f"chat/{name}").read_bytes()).rows)
    assert (found.format, found.confidence, len(found.kinds)) == (kind, 1.0, rows)


@pytest.mark.parametrize("row", [
    None, 5, 1.5, True, [], ["a"], {}, {"messages": "no list"}, {"messages": {}}, {"conversations": "x"}, {"text": 5}, {"prompt": "only"},
    {"instruction": "only"}, {"chosen": "only"}, {"preferred_output": []},
])  # fmt: skip
def test_what_has_no_format_has_none(row):
    assert kind_of(row) is None
    assert detect([row]).format == UNKNOWN


def test_a_chat_line_that_lost_its_answer_stays_a_chat_line_among_chat_lines():
    lost = {"messages": [USER], "price": 3}
    assert kind_of(lost) == "reinforcement"
    found = detect([*good(9), lost])
    assert (found.format, found.strangers) == ("chat", ())
    assert "example_missing_assistant_message" in named(lost, "chat")


def test_a_reinforcement_row_without_its_other_keys_stays_one_among_its_kind():
    answered = {**line("q", "a"), "reference_answer": "a"}
    found = detect([*[ROWS["reinforcement"]] * 9, {"messages": [USER]}, answered, line("q", "a")])
    assert found.format == "reinforcement"
    assert found.kinds[9:11] == ("reinforcement", "reinforcement")
    assert found.strangers == (11,)
    assert named(answered, "reinforcement") == {"last_message_not_user"}
    assert named({"messages": [USER]}, "reinforcement") == {"no_reference"}


@pytest.mark.parametrize("other", [name for name in FORMATS if name not in ("chat", "reinforcement")])
def test_a_mixed_file_is_reported_with_the_rows_of_the_smaller_kind(other):
    made = report(of_rows([*good(50), ROWS[other], ROWS[other]]), words)
    assert next(one for one in made.checks if one.name == "mixed_formats").lines == (51, 52)
    assert made.detection.counts == {"chat": 50, other: 2}


# --- chat ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [
    called(ASKS, TOLD, SAYS), called(ASKS), called(ASKS, TOLD, ASKS, TOLD, SAYS), {**called(ASKS, TOLD, SAYS), "parallel_tool_calls": False},
    {"messages": [{"role": "developer", "content": "d"}, USER, {**SAYS, "weight": 0}, USER, {**SAYS, "weight": 1, "name": "bot"}]},
    {"messages": [USER, {"role": "assistant", "content": None, "refusal": "no"}]},
    {"messages": [USER, {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
                  {"role": "function", "name": "f", "content": "r"}, SAYS], "functions": [{"name": "f"}]},
    {"messages": [{"role": "user", "name": "kim", "content": "a"}, {"role": "user", "name": "lee", "content": "b"}, SAYS]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "t"}]}, {"role": "assistant", "content": [{"type": "text", "text": "t"}]}]},
    {"messages": [USER, {"role": "assistant", "content": "a", "refusal": None, "tool_calls": None, "tool_call_id": None}]},
])  # fmt: skip
def test_what_the_platform_takes_is_no_finding(row):
    assert named(row) == set()


@pytest.mark.parametrize(("name", "row"), [
    ("tool_call_unanswered", called(ASKS, SAYS)),
    ("tool_call_unanswered", called({**ASKS, "tool_calls": [CALL, {**CALL, "id": "c2"}]}, TOLD, SAYS)),
    ("tool_without_call", called(ASKS, {**TOLD, "tool_call_id": "other"}, SAYS)),
    ("tool_without_call", called(ASKS, TOLD, TOLD, SAYS)),
    ("bad_tool_call", called({**ASKS, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{not json"}}]})),
    ("bad_tool_call", called({**ASKS, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "[1]"}}]})),
    ("bad_tool_call", called({**ASKS, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {"x": 1}}}]})),
    ("bad_tool_call", called({**ASKS, "tool_calls": [{**CALL, "function": {"name": "no spaces", "arguments": "{}"}}]})),
    ("tools_not_declared", called(ASKS, TOLD, SAYS, tools=[])),
    ("tools_not_declared", called({**ASKS, "tool_calls": [{**CALL, "function": {"name": "g", "arguments": "{}"}}]})),
    ("bad_tools", called(SAYS, tools=[{"type": "function"}])),
    ("bad_tools", called(SAYS, tools=[TOOL] * 129)),
    ("bad_tools", called(SAYS, tools=[{"type": "function", "function": {"name": "x" * 65}}])),
    ("bad_tools", {**called(SAYS), "parallel_tool_calls": "yes"}),
    ("bad_tools", {**called(SAYS), "functions": {"name": "f"}}),
    ("bad_name", {"messages": [{**USER, "name": 5}, SAYS]}),
    ("message_unrecognized_key", {"messages": [{**USER, "refusal": "no"}, SAYS]}),
    ("message_unrecognized_key", {"messages": [{**USER, "tool_call_id": "c"}, SAYS]}),
    ("roles_out_of_order", {"messages": [USER, {"role": "system", "content": "late"}, SAYS]}),
    ("roles_out_of_order", {"messages": [SAYS, USER, SAYS]}),
    ("roles_out_of_order", {"messages": [USER, USER, SAYS]}),
    ("roles_out_of_order", {"messages": [USER, SAYS, SAYS]}),
    ("missing_content", {"messages": [{"role": "user", "content": []}, SAYS]}),
    ("missing_content", {"messages": [{"role": "user", "content": [{"type": "text"}]}, SAYS]}),
    ("missing_content", {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}, SAYS]}),
    ("missing_content", {"messages": [USER, {"role": "assistant", "content": ""}, USER, SAYS]}),
    ("image_not_from_user", {"messages": [USER, {"role": "assistant", "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c.png"}}]}]}),
    ("bad_image", {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c.gif?x=1"}}]}, SAYS]}),
    ("too_many_images", {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c"}}] * 11}, SAYS]}),
])  # fmt: skip
def test_each_finding_is_found_where_it_is(name, row):
    assert name in named(row)
    assert RULES[name]


def picture(head: bytes, kind: str) -> dict:
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{base64.b64encode(head + bytes(40)).decode()}"}}


@pytest.mark.parametrize("part", [
    picture(b"\x89PNG\r\n\x1a\n", "png"), picture(b"\xff\xd8\xff\xe0", "jpeg"), picture(b"\xff\xd8\xff\xe0", "jpg"),
    picture(b"RIFF\x00\x00\x00\x00WEBP", "webp"), {"type": "image_url", "image_url": {"url": "https://a.b/picture", "detail": "low"}},
])  # fmt: skip
def test_pictures_that_can_be_read_pass(part):
    assert wrong_with(part) is None


@pytest.mark.parametrize(("part", "why"), [
    (picture(b"GIF89a", "gif"), "gif"), (picture(b"GIF89a", "png"), "no PNG"), ({"image_url": "https://a.b/c.png"}, "no url"), ({}, "no url"),
    ({"image_url": {"url": 5}}, "no url"), ({"image_url": {"url": "file:///etc/passwd"}}, "neither"),
    ({"image_url": {"url": "https://a.b/c.svg"}}, "svg"), ({"image_url": {"url": "https://a.b/c.png", "detail": "max"}}, "detail"),
    ({"image_url": {"url": "data:image/png;base64,***"}}, "base64"), ({"image_url": {"url": "data:text/plain,x"}}, "base64"),
    ({"image_url": {"url": "data:image/png;base64," + "A" * 14_000_000}}, "10 MB"), ({"image_url": {"url": "https://[bad"}}, "neither"),
])  # fmt: skip
def test_pictures_that_cannot_be_read_say_why(part, why):
    assert why in str(wrong_with(part))


def test_pictures_and_bytes_of_a_whole_file_have_limits():
    assert beyond_images(range(50_002)) == [50_000, 50_001]
    assert file_checks(512_000_000) == []
    assert [one.word for one in file_checks(613_000_000)] == ["WARN"]
    assert [one.word for one in file_checks(9_000_000_000)] == ["FAIL"]
    assert "613 MB" in file_checks(613_000_000)[0].sentence


# --- preference and reinforcement ------------------------------------------------------------------------------------

PREFERS = ROWS["preference"]


def preferring(**change: object) -> dict:
    return {**copy.deepcopy(PREFERS), **change}


@pytest.mark.parametrize(("name", "row"), [
    ("preference_not_one_answer", preferring(preferred_output=[SAYS, {"role": "assistant", "content": "c"}])),
    ("preference_not_one_answer", preferring(non_preferred_output=[{"role": "user", "content": "c"}])),
    ("preference_not_one_answer", preferring(preferred_output="a")),
    ("preference_not_text", preferring(preferred_output=[ASKS])),
    ("preference_not_text", preferring(input={"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c"}}]}]})),
    ("preference_without_input", preferring(input={"messages": []})),
    ("preference_without_input", preferring(input="q")),
    ("example_unrecognized_key", preferring(tools=[])),
    ("no_rejected_answer", preferring(non_preferred_output=[])),
    ("same_answers", preferring(non_preferred_output=PREFERS["preferred_output"])),
    ("no_rejected_answer", {"prompt": "q", "chosen": "a", "rejected": ""}),
    ("same_answers", {"prompt": "q", "chosen": "a", "rejected": "a"}),
])  # fmt: skip
def test_preference_rows_follow_their_rules(name, row):
    assert name in named(row)
    assert not named(PREFERS)


@pytest.mark.parametrize(("name", "messages"), [
    ("unrecognized_role", [{"role": "system", "content": "s"}, USER]),
    ("last_message_not_user", [USER, {"role": "developer", "content": "d"}]),
    ("bad_weight", [USER, {**SAYS, "weight": 1}, USER]),
    ("missing_content", [{"role": "user", "content": ""}]),
])  # fmt: skip
def test_reinforcement_rows_follow_their_rules(name, messages):
    assert name in named({"messages": messages, "answer": 5}, "reinforcement")
    assert not named(ROWS["reinforcement"])
    assert not named({"messages": [{"role": "developer", "content": "d"}, USER, SAYS, USER], "tools": [TOOL], "item": {"x": [1]}})


def test_a_reinforcement_file_passes_and_its_answers_are_compared():
    rows = [
        {"messages": [{"role": "user", "content": f"What is {i} and {i}?"}], "reference_answer": f"it is {2 * i + 1000}"} for i in range(60)
    ]
    made = report(of_rows(rows), words)
    assert made.worst == "PASS"
    again = report(of_rows([*rows, {**rows[3], "reference_answer": "other"}, rows[7]]), words)
    found = {one.name: one.lines for one in again.checks if one.word != "PASS"}
    assert found == {"conflicting_answers": (4, 61), "duplicate_example": (62,)}


@pytest.mark.parametrize("name", ["alpaca", "sharegpt", "text", "prompt_completion"])
def test_formats_that_hosted_jobs_do_not_take_are_told(name):
    made = report(of_rows([ROWS[name]] * 3), words)
    found = next(one for one in made.checks if one.name == "not_hosted_format")
    assert (found.word, len(found.lines), found.fix) == ("WARN", 3, "to_hosted")


# --- the classic view ------------------------------------------------------------------------------------------------


def cookbook(dataset: list) -> dict[str, int]:
    """The loop of OpenAI's Chat_finetuning_data_prep notebook (commit b774cbf)."""
    errors: dict[str, int] = {}

    def add(name: str) -> None:
        errors[name] = errors.get(name, 0) + 1

    for example in dataset:
        if not isinstance(example, dict):
            add("data_type")
            continue
        messages = example.get("messages", None)
        if not messages:
            add("missing_messages_list")
            continue
        for message in messages:
            if "role" not in message or "content" not in message:
                add("message_missing_key")
            if any(k not in ("role", "content", "name", "function_call", "weight") for k in message):
                add("message_unrecognized_key")
            if message.get("role", None) not in ("system", "user", "assistant", "function"):
                add("unrecognized_role")
            content = message.get("content", None)
            if (not content and not message.get("function_call", None)) or not isinstance(content, str):
                add("missing_content")
        if not any(message.get("role", None) == "assistant" for message in messages):
            add("example_missing_assistant_message")
    return errors


def test_the_classic_view_counts_what_the_notebook_counts_on_any_rows():
    draw = random.Random(0)
    roles = ["system", "user", "assistant", "function", "tool", "developer", None, 5, "Human"]
    contents = ["a", "", None, 5, [], [{"type": "text", "text": "t"}], {"x": 1}]
    extra = {"name": "n", "weight": 0, "function_call": {"name": "f"}, "tool_calls": [], "mood": 1}

    def message() -> dict:
        made = {}
        if draw.random() < 0.9:
            made["role"] = draw.choice(roles)
        if draw.random() < 0.9:
            made["content"] = draw.choice(contents)
        return made | {key: value for key, value in extra.items() if draw.random() < 0.15}

    for _ in range(300):
        rows = [draw.choice([{"messages": [message() for _ in range(draw.randint(0, 4))]}, {"messages": None}, {}, "text", 5, []])
                for _ in range(draw.randint(0, 6))]  # fmt: skip
        found = {name: len(places) for name, places in chat.classic(rows).items() if name in chat.CLASSIC}
        assert found == cookbook(rows)


HOSTILE = [
    {"messages": [None, 5, "x", [], {}]}, {"messages": [{"role": {}, "content": {}}]}, {"messages": [{"role": "assistant", "tool_calls": {"a": 1}}]},
    {"messages": [{"role": "assistant", "tool_calls": [None, {"id": [], "function": 5}], "weight": {}}]}, {"messages": [USER], "tools": "x"},
    {"input": {"messages": 5}, "preferred_output": {"a": 1}, "non_preferred_output": 7}, {"input": None, "preferred_output": None, "non_preferred_output": None},
    {"chosen": None, "rejected": None}, {"chosen": [5], "rejected": [None], "prompt": [7]}, {"chosen": {}, "rejected": {}, "conversations": [1]},
    {"conversations": [None, {"from": [], "value": {}}, {"from": "function_call", "value": "[[["}]}, {"conversations": [], "tools": "{{"},
    {"instruction": None, "output": None, "history": 5}, {"instruction": {}, "output": [], "input": {}, "history": [[1], 2]},
    {"prompt": {}, "completion": []}, {"prompt": ["x"], "completion": None}, {"text": "", "messages": [USER]}, {"messages": [USER], "answer": None},
    {"messages": [{"role": "user", "content": [None, 5, {"type": "image_url"}, {"type": []}]}, SAYS]}, {5: 6}, {"messages": [USER, {"role": "assistant"}], None: 1},
]  # fmt: skip


@pytest.mark.parametrize("row", HOSTILE, ids=lambda row: json.dumps(row, default=str, skipkeys=True)[:40])
def test_hostile_rows_are_reported_and_never_crash(row):
    for rows in ([row], [row] * 3, [*good(60), row]):
        made = report(of_rows(rows), words)
        told = [one for one in made.checks if len(rows) in one.lines and one.word != "PASS"]
        assert told, "the row is named"
        assert all(spots(made, one) for one in told)
        for one in told:
            if one.fix:
                mend(made, one.name, words)
        report(of_rows(rows), words, rules="classic")
