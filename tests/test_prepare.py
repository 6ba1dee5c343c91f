"""The classic assistant: its rules, its row numbers from 0, its files."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.__main__ import parser
from core.errors import DataError, MissingError, SettingsError
from core.io.commands import prepare as command
from core.validate.prepare import RECOMMENDATIONS, prepare
from core.validate.prepare_read import read_pairs
from core.validate.prepare_write import hints, jsonl, names, seconds, spoken
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
    assert advice(rows, "duplicated_rows").rows == (6,)  # of the rows that are left, as the old tool counted
    assert advice(rows, "duplicated_rows").numbers == (7,)
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


def test_the_hints_name_ends_classes_and_only_what_there_is_today():
    labels = [{"prompt": f"p{i} ->", "completion": f" {'abc'[i % 3]}"} for i in range(30)]
    made = prepare(labels, yes)
    told = "\n".join(map(str, hints(made, ["t.jsonl", "v.jsonl"])))
    assert "end with ` ->`" in told
    assert "3 classes" in told
    assert "core finetune local t.jsonl --validation v.jsonl" in told
    assert "/v1/fine_tuning/jobs" in told
    assert not any(gone in told for gone in ("fine_tunes.", "fine-tunes", "`ada`", "compute_classification_metrics", "stop=["))
    assert [len(part) for part in made.split] == [24, 6]
    texts = [{"prompt": f"p{i} ->", "completion": f" {'abc'[i % 3]} a long answer {i} END"} for i in range(5)]
    assert 'stop=[" END"]' in " ".join(map(str, hints(prepare(texts, yes), ["t.jsonl"])))
    two = [{"prompt": f"p{i}", "completion": " no" if i % 3 else " yes"} for i in range(12)]
    assert "2 classes, the most frequent ` no`" in " ".join(map(str, hints(prepare(two, yes), ["t", "v"])))


def test_every_command_in_the_hints_is_one_the_studio_understands():
    made = prepare([{"prompt": f"p{i} ->", "completion": f" {'abc'[i % 3]}"} for i in range(30)], yes)
    lines = [one.command for one in hints(made, ["my t.jsonl", "v.jsonl"]) if one.command]
    assert len(lines) == 3
    for line in lines:
        words = shlex.split(line)[3:]
        assert parser(words[0]).parse_args(words)


@pytest.mark.parametrize(
    ("time", "words"),
    [(12.345, "12.35 seconds"), (150, "2.5 minutes"), (1863.84 + 140, "33.4 minutes"), (7200, "2.0 hours"), (90_000, "1.04 days")],
)
def test_the_time_is_said_as_the_old_tool_said_it(time, words):
    assert spoken(time) == words


def test_the_time_follows_rows_for_classes_and_bytes_for_texts():
    labels = prepare([{"prompt": f"p{i}", "completion": "ab"[i % 2]} for i in range(100)], yes)
    assert seconds(labels) == pytest.approx(1.44 * 100 + 140)
    texts = prepare(pairs(31), no)
    assert spoken(seconds(texts)) == "2.87 minutes"


words = st.text(alphabet="aB é의\n->/.#\U0001f600\u0130", max_size=6)


@st.composite
def tables(draw) -> list[dict[str, str]]:
    """Rows with shared beginnings and ends, duplicates, gaps, capitals and long ones."""
    before, after, first, last = draw(st.sampled_from(["", "Q: ", "TELL ME THE Answer: "])), draw(words), draw(words), draw(words)
    body = draw(st.lists(st.tuples(words, st.sampled_from(["", "x", "YES", "no", "Answer: 1"]) | words), min_size=2, max_size=14))
    rows = [{"prompt": before + a + after, "completion": first + b + last} for a, b in body]
    rows += draw(st.lists(st.sampled_from(rows), max_size=3))
    return rows + [{"prompt": "L" * 10_001, "completion": "q"}] * draw(st.integers(0, 1))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(tables(), st.sets(st.sampled_from(RECOMMENDATIONS)))
def test_any_answers_give_what_the_accepted_remedies_give_one_after_another(rows, declined):
    try:
        every = prepare(rows, no)
        made = prepare(rows, lambda one: one.rule not in declined)
    except DataError:
        return
    table = prepare(rows, no).table
    for one in every.advices:
        if one.apply and not one.necessary and one.rule not in declined:
            table = one.apply(table)
    assert made.table == table
    assert {one.rule for one in made.remedies if not one.applied} <= declined
    assert made.changed == bool([one for one in made.remedies if one.applied])
    if made.split:
        assert sorted(made.split[0].numbers + made.split[1].numbers) == sorted(table.numbers)
        assert not set(made.split[0].numbers) & set(made.split[1].numbers)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(tables())
def test_what_is_written_reads_back_as_the_rows(rows):
    try:
        made = prepare(rows, yes)
    except DataError:
        return
    for part in made.parts.values():
        assert [json.loads(line) for line in jsonl(part).decode("utf-8").split("\n")[:-1]] == part.rows


def test_answers_come_from_the_command_line_too(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*pairs(), pairs()[0]]))
    only = run(path, "--accept", "duplicated_rows", "--out", str(tmp_path / "a"))
    assert [one["rule"] for one in only["remedies"] if one["applied"]] == ["duplicated_rows"]
    assert Path(only["files"][0]).read_text() == "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in pairs())
    rest = run(path, "--decline", "duplicated_rows, common_completion_suffix, split", "--out", str(tmp_path / "b"))
    assert {one["rule"] for one in rest["remedies"] if not one["applied"]} == {"duplicated_rows", "common_completion_suffix"}
    assert run(path, "--accept", "", "--out", str(tmp_path / "c"))["files"] == []
    assert not (tmp_path / "c").exists()
    with pytest.raises(SettingsError, match="no such recommendation"):
        run(path, "--decline", "nonsense")
    with pytest.raises(SettingsError, match="leave out"):
        run(path, "--yes", "--accept", "duplicated_rows")


def test_nothing_is_written_when_nothing_changes(tmp_path):
    path = tmp_path / "ready.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"{i} a ->", "completion": f" {'xyz'[i % 3]} {i} end"}) + "\n" for i in range(6)))
    result = run(path, "--yes")
    assert (result["remedies"], result["files"]) == ([], [])
    assert [p.name for p in tmp_path.iterdir()] == ["ready.jsonl"]


def test_both_parts_of_a_split_take_the_same_free_number():
    taken = {"d_prepared_valid.jsonl", "d_prepared_train (1).jsonl"}
    assert names("d", ["_train", "_valid"], taken.__contains__) == ["d_prepared_train (2).jsonl", "d_prepared_valid (2).jsonl"]


def test_the_name_keeps_all_but_its_last_ending(tmp_path):
    path = tmp_path / "My.Data v1.csv"
    path.write_text("Prompt,Completion\na b,c d\ne f,g h\n")
    assert Path(run(path, "--yes")["files"][0]).name == "My.Data v1_prepared.jsonl"


def test_long_rows_leave_even_when_others_left_before_them():
    rows = [{"prompt": "z", "completion": ""}, *pairs(5), {"prompt": "x" * 10_001, "completion": "q w"}, pairs()[0], *pairs(9)[5:]]
    made = prepare(rows, yes)
    assert made.table.numbers == (1, 2, 3, 4, 5, 8, 9, 10, 11)
    assert advice(rows, "long_examples").rows == (5,)
    assert advice(rows, "long_examples").numbers == (6,)
    moved = [pairs()[0], *pairs(5), {"prompt": "x" * 10_001, "completion": "q w"}]
    assert "are now rows [5]" in advice(moved, "long_examples").text


def test_the_task_is_judged_again_on_what_is_left():
    rows = [{"prompt": f"p{i % 4}", "completion": "ab"[i % 2]} for i in range(12)]
    made = prepare(rows, yes)
    assert (made.task, made.split) == ("conditional generation", None)
    assert prepare(rows, lambda one: one.rule != "duplicated_rows").split is not None
    shouted = [{"prompt": f"p{i}", "completion": c} for i, c in enumerate(["YES", "Yes", "yES", "YEs", "NO", "No", "nO", "yes", "no"])]
    assert prepare(shouted, no).task == "conditional generation"
    assert prepare(shouted, yes).task == "classification"


def test_a_prefix_leaves_by_its_length_after_lower_casing():
    rows = [{"prompt": f"PLEASE TELL ME NOW: {'XYZ'[i % 3]}{i}", "completion": f"{i} of {'uvw'[i % 3]}"} for i in range(9)]
    assert prepare(rows, yes).table.prompts[0] == "x0 ->"


def test_a_missing_file_and_a_folder_that_is_a_file_are_said(tmp_path):
    with pytest.raises(MissingError, match="is not a file"):
        run(tmp_path / "absent.csv")
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in pairs()))
    with pytest.raises(DataError, match="is a file"):
        run(path, "--yes", "--out", str(path))


def test_a_hundred_thousand_rows_take_seconds():
    lines = "".join(f'{{"prompt":"question {i} is","completion":"answer {i % 7} of it"}}\n' for i in range(100_000))
    source = read_pairs("x.jsonl", lines.encode())
    begun = time.perf_counter()
    made = prepare(source.frame, yes, source.notes)
    assert time.perf_counter() - begun < 20
    assert [len(part) for part in made.parts.values()] == [99_000, 1_000]
