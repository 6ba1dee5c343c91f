"""From each training format to each other; what cannot be carried over is counted."""

from __future__ import annotations

import json

import pytest

from core.__main__ import parser
from core.errors import DataError, SettingsError
from core.io.commands import convert as command
from core.validate.convert import convert
from core.validate.formats import FORMATS, detect
from tests.doubles import shared
from tests.test_validate import ROWS

TALK = {
    "messages": [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "안녕"},
        {"role": "assistant", "content": "네"},
        {"role": "user", "content": "가격?"},
        {"role": "assistant", "content": "12"},
    ]
}


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_pair_of_formats_gives_that_format_or_says_why_not(name, to):
    made = convert([ROWS[name]] * 3, to)
    if made.rows:
        assert detect(made.rows).format == to
        assert made.origins == (0, 1, 2)
    else:
        assert sum(made.lost.values()) >= 3


@pytest.mark.parametrize("through", ["sharegpt", "alpaca"])
def test_a_conversation_survives_there_and_back(through):
    there = convert([TALK], through)
    back = convert(there.rows, "chat")
    assert back.rows == (TALK,)
    assert there.lost == {}
    assert back.lost == {}


def test_what_plain_pairs_cannot_hold_is_counted():
    made = convert([TALK], "prompt_completion")
    assert made.rows == ({"prompt": "Be brief\n\n안녕\n\n네\n\n가격?", "completion": "12"},)
    assert made.lost == {"earlier answers, no longer learnt": 1, "speakers: several messages became one prompt": 1}


def test_tools_pictures_weights_and_extra_columns_are_counted():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    row = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "x"}}], "name": "kim"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "r"},
            {"role": "assistant", "content": "done", "weight": 1},
        ],
        "tools": [{"type": "function"}],
        "price": 3,
    }
    lost = convert([row], "alpaca").lost
    assert {name: lost[name] for name in ("images", "tool calls", "tool definitions", "names and weights", "values of 'price'")} == {
        "images": 1, "tool calls": 1, "tool definitions": 1, "names and weights": 2, "values of 'price'": 1,
    }  # fmt: skip
    assert lost["messages between the last question and the answer"] == 2
    assert "tool definitions" not in convert([row], "sharegpt").lost


def test_old_separators_and_stops_go_when_all_rows_have_them():
    rows = [{"prompt": f"thing {i}\n\n###\n\n", "completion": f" label{i} END"} for i in range(4)]
    made = convert(rows, "chat")
    assert made.rows[1]["messages"] == [{"role": "user", "content": "thing 1"}, {"role": "assistant", "content": "label1"}]
    assert made.lost["separators at the end of prompts"] == 4
    rows[2]["prompt"] = "thing without"
    assert convert(rows, "chat").rows[0]["messages"][0]["content"].endswith("###\n\n")


def test_a_preference_needs_a_rejected_answer_and_keeps_it():
    assert convert([TALK], "preference").lost["rows without a rejected answer"] == 1
    row = {"prompt": "q", "chosen": "good", "rejected": "bad"}
    made = convert([row], "preference").rows[0]
    assert made["preferred_output"] == [{"role": "assistant", "content": "good"}]
    assert made["non_preferred_output"] == [{"role": "assistant", "content": "bad"}]
    listed = {"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "good"}],
              "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "bad"}]}  # fmt: skip
    assert convert([listed], "preference").rows[0] == made


@pytest.mark.parametrize(
    ("name", "kind", "rows"),
    [
        ("llamafactory_alpaca_en_demo.json", "alpaca", 999),
        ("preference_demo.json", "preference", 299),
        ("sharegpt_dummy_conversation.json", "sharegpt", 500),
    ],
)
def test_real_files_convert_whole(name, kind, rows):
    from core.validate.reading import read_training

    file = read_training(name, shared(f"chat/{name}").read_bytes())
    assert detect(file.rows).format == kind
    made = convert(file.rows, "chat")
    assert len(made.rows) == rows
    assert convert(file.rows, kind).lost == {}


def test_the_command_writes_the_file_and_counts(tmp_path):
    path, out = tmp_path / "x.jsonl", tmp_path / "y.jsonl"
    path.write_text(json.dumps(TALK) + "\n{bad\n" + json.dumps({"other": 1}) + "\n")
    result = command.run(parser("convert").parse_args(["convert", str(path), "--to", "sharegpt", "--out", str(out)]), lambda text: None)
    assert result == {"rows": 1, "lost": {"rows of no known format": 1, "lines that cannot be read": 1}}
    assert json.loads(out.read_text())["conversations"][1] == {"from": "human", "value": "안녕"}
    assert "1 row written" in command.show(result)
    with pytest.raises(DataError, match="cannot be written"):
        command.run(parser("convert").parse_args(["convert", str(path), "--to", "chat", "--out", str(tmp_path / "no" / "y")]), print)
    with pytest.raises(SettingsError, match="no format"):
        convert([], "csv")


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_a_long_file_is_written_piece_by_piece_and_separators_are_those_of_all_rows(tmp_path, ending):
    n = command.PIECE * 2 + 7
    path, out = tmp_path / "x.jsonl", tmp_path / f"y.{ending}"
    rows = [{"prompt": f"thing {i} ->", "completion": f" word{i}"} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = command.run(parser("convert").parse_args(["convert", str(path), "--to", "alpaca", "--out", str(out)]), lambda text: None)
    assert result == {"rows": n, "lost": {"leading spaces of completions": n, "separators at the end of prompts": n}}
    made = json.loads(out.read_text()) if ending == "json" else [json.loads(line) for line in out.read_text().splitlines()]
    assert made == [{"instruction": f"thing {i}", "input": "", "output": f"word{i}"} for i in range(n)]
    rows[-1]["prompt"] = "no separator"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = command.run(parser("convert").parse_args(["convert", str(path), "--to", "chat", "--out", str(out)]), lambda text: None)
    assert result["lost"] == {"leading spaces of completions": n}


def test_an_empty_result_is_still_a_file_of_its_kind(tmp_path):
    path, out = tmp_path / "x.jsonl", tmp_path / "y.json"
    path.write_text('{"a": 1}\n')
    result = command.run(
        parser("convert").parse_args(["convert", str(path), "--to", "reinforcement", "--out", str(out)]), lambda text: None
    )
    assert result == {"rows": 0, "lost": {"rows of no known format": 1}}
    assert json.loads(out.read_text()) == []
