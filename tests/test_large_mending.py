"""A large file mended in one pass says what the fixes of a small one say, and leaves every other line as it was."""

from __future__ import annotations

import json

import pytest

from core.__main__ import parser
from core.errors import DataError, SettingsError, Stopped
from core.io import large_mending
from core.io.checking import check_lines
from core.io.commands import validate as command
from core.io.plain_lines import plain_lines
from core.validate.fixes import mend
from core.validate.piece import Rules
from core.validate.reading import read_training
from core.validate.report import report
from tests.test_validate import good, jsonl, words
from tests.test_validate_fixes import many
from tests.test_validate_scale import lines_of, small_is_large

LIMIT = 90


def on_disk(path):
    return check_lines(plain_lines(path), Rules("gpt-4o", LIMIT, "current"), workers=1, piece=1000)


def small(data: bytes):
    return report(read_training("train.jsonl", data), words, model="gpt-4o", max_tokens=LIMIT)


@pytest.mark.parametrize("seed", range(6))
def test_every_fix_writes_the_rows_it_gives_in_memory(home, tmp_path, seed):
    path = tmp_path / "train.jsonl"
    path.write_bytes(lines_of(seed))
    made, whole = on_disk(path), small(path.read_bytes())
    there = large_mending.mendable(made)
    assert len(there) > 5
    for one in there:
        done = large_mending.write(made, [one], tmp_path / f"{one.name}.jsonl", words)
        fixed = mend(whole, one.name, words) if one.name != "unreadable_line" else None
        assert read_training("new.jsonl", done.path.read_bytes()).rows == (fixed.file.rows if fixed else whole.file.rows)
        if fixed:
            assert (done.changed + done.left_out, done.kept) == (len(fixed.changes), fixed.kept)
    assert path.read_bytes() == lines_of(seed)


def test_lines_without_findings_stay_the_same_byte_for_byte(home, tmp_path):
    path = tmp_path / "train.jsonl"
    odd = b'{ "messages" : [ {"role":"user","content":"caf\\u00e9?"}, {"role":"assistant","content":"1.50"} ] }'
    path.write_bytes(jsonl(good(20)) + odd + b"\n\n{no\n" + jsonl(good(1)).strip())
    made = on_disk(path)
    done = large_mending.write(made, large_mending.chosen(made, ["duplicate_example"]), tmp_path / "new.jsonl", words)
    assert done.path.read_bytes() == jsonl(good(20)) + odd + b"\n"
    assert (done.rows, done.left_out, done.unreadable) == (21, 1, 1)
    assert done.sentence() == "21 rows written: 1 row left out, 1 unreadable line left out"


def test_several_fixes_of_one_row_come_one_after_another(home, tmp_path):
    path = tmp_path / "train.jsonl"
    rows = many("chat", 30)
    rows[3]["messages"][0]["content"] = "mail kim.lee@example.co.kr about the cafÃ©"
    path.write_bytes(jsonl(rows))
    made = on_disk(path)
    done = large_mending.write(made, large_mending.chosen(made, ["all"]), tmp_path / "new.jsonl", words)
    assert json.loads(done.path.read_text().splitlines()[3])["messages"][0]["content"] == "mail [e-mail] about the café"
    assert (done.changed, done.kept) == (1, 0)


def test_nothing_is_written_over_or_left_half(home, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(jsonl([*good(30), *good(1)]))
    made = on_disk(path)
    found = large_mending.chosen(made, ["all"])
    with pytest.raises(DataError, match="exists already"):
        large_mending.write(made, found, path, words)

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        large_mending.write(made, found, tmp_path / "new.jsonl", words, stop)
    with pytest.raises(DataError, match="There is no folder"):
        large_mending.write(made, found, tmp_path / "none" / "new.jsonl", words)
    with pytest.raises(SettingsError, match="'email' is no finding of this file with a fix; there are: duplicate_example"):
        large_mending.chosen(made, ["email"])
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["train.jsonl"]
    assert large_mending.beside(path).name == "train.mended.jsonl"
    large_mending.write(made, found, large_mending.beside(path), words)
    assert large_mending.beside(path).name == "train.mended2.jsonl"
    path.write_bytes(b"{}\n")
    with pytest.raises(DataError, match="was changed or removed"):
        large_mending.write(made, found, tmp_path / "later.jsonl", words)


def test_the_command_writes_the_mended_file_beside_the_other(home, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(jsonl([*good(30), *good(1)]))
    said: list[str] = []
    result = command.run(parser("validate").parse_args(["validate", str(path), "--fix", "all"]), said.append)
    assert result["mended"] == {
        "file": str(tmp_path / "train.mended.jsonl"),
        "rows": 30,
        "changed": 0,
        "left_out": 1,
        "kept": 0,
        "unreadable": 0,
    }
    assert said[-1].startswith("30 rows written: 1 row left out. ")
    again = command.run(parser("validate").parse_args(["validate", result["mended"]["file"]]), said.append)
    assert "duplicate_example" not in again["warnings"]


def test_the_page_writes_a_copy_and_checks_it(home, tmp_path, monkeypatch):
    from tests.test_validate_page import app, numbers, said

    small_is_large(monkeypatch)
    path = tmp_path / "train.jsonl"
    path.write_bytes(jsonl([*good(60), *good(1)]))
    at = app(validate_view="A file").run()
    at.text_input(key="validate_path").set_value(str(path)).run()
    assert numbers(at)["Examples"] == "61"
    at.button(key="validate_mend_run").click().run()
    assert not at.exception
    assert "60 rows written: 1 row left out" in said(at)
    at.button(key="validate_mend_check").click().run()
    assert not at.exception
    assert numbers(at)["Examples"] == "60"
    assert at.text_input(key="validate_path").value == str(tmp_path / "train.mended.jsonl")
