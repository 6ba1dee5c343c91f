"""The classic assistant: its rules, its row numbers from 0, its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.__main__ import parser
from core.errors import DataError
from core.io.commands import prepare as command
from core.validate.prepare import next_command, prepare
from tests.doubles import shared


def pairs(n: int = 30) -> list[dict[str, str]]:
    return [{"prompt": f"{i} things to say", "completion": f"{i * 7} is what, {i}"} for i in range(n)]


def yes(advice) -> bool:
    return True


def no(advice) -> bool:
    return False


def advice(rows: list, rule: str):
    return next((one for one in prepare(rows, yes).advices if one.rule == rule), None)


def test_the_documented_example_gives_the_documented_advice(tmp_path):
    result = run(shared("prepare/sport2.jsonl.gz"), "--yes", "--out", str(tmp_path))
    assert (result["rows"], result["task"]) == (1197, "classification")
    long = next(one for one in result["remedies"] if one["rule"] == "long_examples")
    assert long["rows"] == [134, 200, 281, 320, 404, 595, 704, 838, 1113, 1139, 1174]
    assert [one["text"] for one in result["remedies"]][1] == r"Add a suffix separator `\n\n###\n\n` to all prompts"
    train, held = (Path(name).read_text(encoding="utf-8").splitlines() for name in result["files"])
    assert (len(train), len(held)) == (948, 238)
    assert json.loads(train[0])["completion"].startswith(" ")


def run(path, *more: str) -> dict:
    return command.run(parser("prepare").parse_args(["prepare", str(path), *more]), lambda text: None)


def test_without_yes_nothing_is_written_and_the_keys_are_those_of_the_contract(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("prompt,completion\n" + "".join(f"p{i},c{i} x\n" for i in range(5)))
    result = run(path)
    assert list(result) == ["rows", "task", "remedies", "files"]
    assert result["files"] == []
    assert all(set(one) == {"rule", "text", "rows", "applied"} for one in result["remedies"])
    assert {one["rule"]: one["applied"] for one in result["remedies"]}["read_any_format"] is True
    assert not any(one["applied"] for one in result["remedies"] if one["rule"] != "read_any_format")
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    assert command.show(result)


def test_files_that_are_there_are_never_written_over(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in pairs()))
    assert [run(path, "--yes")["files"][0].rsplit("/", 1)[1] for _ in range(2)] == ["x_prepared.jsonl", "x_prepared (1).jsonl"]


def test_the_rows_of_a_remedy_count_from_zero():
    rows = pairs()
    rows[4] = {"prompt": "p", "completion": ""}
    rows[7] = dict(rows[2])
    assert advice(rows, "empty_completion").rows == (4,)
    assert advice(rows, "duplicated_rows").rows == (7,)
    made = prepare(rows, yes)
    assert 4 not in made.table.numbers
    assert 7 not in made.table.numbers


def test_necessary_remedies_come_unasked_and_others_wait():
    rows = [{"Prompt": f"p {i}", "completion": f"c {i} d", "extra": 1} for i in range(5)] + [{"Prompt": "p", "completion": None}]
    made = prepare(rows, no)
    done = {one.rule for one in made.advices if one.applied}
    assert done == {"lower_case_column_prompt", "additional_column", "empty_completion"}
    assert len(made.table.rows) == 5


@pytest.mark.parametrize(
    ("prompts", "separator"), [(["a", "b"], " ->"), (["a\nb", "c"], "\n\n###\n\n"), (["a ->", "b -> c", "d\n\n###\n\ne"], "\n\n===\n\n")]
)
def test_the_first_separator_that_is_in_no_prompt_is_offered(prompts, separator):
    rows = [{"prompt": text, "completion": f"say {i} so"} for i, text in enumerate(prompts)]
    assert all(row["prompt"].endswith(separator) for row in prepare(rows, yes).table.rows)


def test_an_ending_only_where_completions_are_generated_and_it_is_in_none():
    rows = [{"prompt": f"p{i}", "completion": f"one.\ntwo {i} x" + "yz"[i % 2]} for i in range(6)]
    assert all(row["completion"].endswith(" END") for row in prepare(rows, yes).table.rows)
    labels = [{"prompt": f"p{i}", "completion": "ab"[i % 2]} for i in range(12)]
    assert advice(labels, "common_completion_suffix") is None
    assert prepare(labels, no).task == "classification"
    assert prepare([{"prompt": "", "completion": "x"}] * 9, no).task == "open-ended generation"


def test_prefixes_are_removed_only_when_long():
    rows = [{"prompt": f"Please tell me now: {'xyz'[i % 3]}{i}", "completion": f" Answer: {'uvw'[i % 3]} {i}"} for i in range(9)]
    table = prepare(rows, yes).table.rows
    assert table[0]["prompt"].startswith("x0")
    assert table[0]["completion"].startswith(" u 0")
    short = [{"prompt": f"Say: {'xyz'[i % 3]}{i}", "completion": f"{i} b"} for i in range(9)]
    assert advice(short, "common_prompt_prefix").remedy == ""


def test_shouting_is_lowered_and_long_rows_leave():
    rows = [{"prompt": f"WHY {i} SO LOUD", "completion": f"c{i} d"} for i in range(5)] + [{"prompt": "x" * 9_999, "completion": "yy z"}]
    made = prepare(rows, yes)
    assert made.table.numbers == (0, 1, 2, 3, 4)
    assert prepare(rows[:5], yes).table.rows[0]["prompt"].startswith("why 0")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"prompt": "a"}], "`completion` column/key is missing"),
        ([{"prompt": "same", "completion": f"c{i}"} for i in range(3)], "All prompts are identical"),
        ([{"prompt": f"p{i}", "completion": "same"} for i in range(3)], "All completions are identical"),
        ([{"prompt": "p", "completion": ""}], "No row has a completion"),
    ],
)
def test_what_cannot_be_prepared_is_said(rows, words):
    with pytest.raises(DataError, match=words):
        prepare(rows, no)


def test_the_next_command_names_ends_and_classes():
    labels = [{"prompt": f"p{i} ->", "completion": f" {'abc'[i % 3]}"} for i in range(30)]
    made = prepare(labels, yes)
    told = next_command(made, "t.jsonl", "v.jsonl")
    assert "--classification_n_classes 3" in told
    assert "indicator string ` ->`" in told
    assert [len(part.rows) for part in made.split] == [24, 6]
