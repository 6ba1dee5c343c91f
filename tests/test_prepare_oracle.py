"""The old tool's own answers: files, decisions and bytes that openai 0.28.1 gave for small inputs (with pandas 3), one line each.

`prepared_by_the_old_tool.jsonl` holds, for each run of `openai tools fine_tunes.prepare_data`, the input, the questions answered
with "n", the remedies in order, the rows it listed, and the files it wrote. Left out are its failures (see `core.validate.prepare`).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.__main__ import parser
from core.io.commands import prepare as command
from core.validate.prepare import prepare
from core.validate.prepare_read import read_pairs
from core.validate.prepare_write import classes
from tests.doubles import shared

CASES = [json.loads(line) for line in (Path(__file__).parent / "prepared_by_the_old_tool.jsonl").read_text(encoding="utf-8").splitlines()]
RULES = {"duplicated_rows", "lower_case_prompt", "lower_case_completion", "common_prompt_suffix", "common_prompt_prefix",
         "common_completion_prefix", "common_completion_suffix", "completions_space_start"}  # fmt: skip


def name(case: dict) -> str:
    return f"{case['file']}-{'-'.join(case['declined'])}"


def test_the_record_reaches_every_rule_taken_and_declined():
    assert len(CASES) >= 100
    assert set().union(*({*case["remedies"]} - {*case["declined"]} for case in CASES)) >= RULES | {"split"}
    assert set().union(*(case["declined"] for case in CASES)) >= RULES | {"split"}


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_files_are_the_old_tools_byte_for_byte(case, tmp_path):
    path = tmp_path / case["file"]
    path.write_bytes(case["text"].encode())
    answer = ["--decline", ",".join(case["declined"])] if case["declined"] else ["--yes"]
    result = command.run(parser("prepare").parse_args(["prepare", str(path), *answer, "--out", str(tmp_path / "out")]), lambda text: None)
    written = {Path(one).name: Path(one).read_bytes().decode() for one in result["files"]}
    assert written == case["files"]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_remedies_and_their_rows_are_the_old_tools(case):
    source = read_pairs(case["file"], case["text"].encode())
    made = prepare(source.frame, lambda advice: advice.rule not in case["declined"], source.notes)
    told = [one.rule for one in made.remedies]
    if told[:1] == ["read_any_format"] and case["file"].endswith(".json"):  # said for every JSON file here, there only for JSON lines
        told, case = told[1:], {**case, "remedies": [one for one in case["remedies"] if one != "read_any_format"]}
    assert told == case["remedies"]
    assert {one.rule: list(one.rows) for one in made.remedies if one.rule in case["rows"]} == case["rows"]
    assert {one.rule for one in made.remedies if not one.applied} == set(case["declined"])
    if "positive" in case:
        assert next(iter(classes(made))) == case["positive"]


def test_sport2_is_written_byte_for_byte(tmp_path):
    import hashlib

    path = shared("prepare/sport2.jsonl.gz")
    result = command.run(parser("prepare").parse_args(["prepare", str(path), "--yes", "--out", str(tmp_path)]), lambda text: None)
    sums = {Path(one).name: hashlib.md5(Path(one).read_bytes()).hexdigest() for one in result["files"]}
    assert sums == {
        "sport2_prepared_train.jsonl": "8262134f40e813b283fe63b1f99a83a2",
        "sport2_prepared_valid.jsonl": "313bb875f5426b9ebd20e47188060d56",
    }
