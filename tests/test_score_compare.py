"""The score and compare commands: exactly the promised keys, whatever shape the files have."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from core.__main__ import main
from tests.boards import prices


def call(capsys: pytest.CaptureFixture[str], *argv: object) -> dict:
    assert main([*map(str, argv), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rows = prices({"constant_median": ("trivial", 0), "forest": ("classical", 0.4), "내 모델 fine-tuned": ("tuned", 0.7)}, n=60)
    frame = pd.concat([one.answers.assign(model=one.title, shop=[i // 6 for i in range(60)]) for one in rows])
    frame.to_csv(tmp_path / "all.csv", index=False)
    for one in rows[:2]:
        one.answers[["index", "guess", "truth"]].to_csv(tmp_path / f"{one.title}.csv", index=False)
    rows[0].answers[["index", "truth"]].to_csv(tmp_path / "gold.csv", index=False)
    return tmp_path


def test_compare_gives_the_promised_keys(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, "compare", files / "all.csv", "--reference", "forest", "--out", files / "out")
    assert list(result) == ["table", "pairs", "frontier", "verdict"]
    assert [set(one) for one in result["table"]] == [{"model", "metrics", "n", "coverage"}] * 3
    assert set(result["table"][0]["metrics"]["mae"]) == {"value", "low", "high"}
    assert list(result["pairs"][0]) == ["a", "b", "metric", "difference", "low", "high", "p", "p_adjusted", "verdict", "needed_items"]
    assert {pair["b"] for pair in result["pairs"]} == {"forest"}
    assert "내 모델" in result["verdict"]
    assert sorted(path.name for path in (files / "out").iterdir()) == ["pairs.csv", "report.html", "table.csv"]


def test_files_without_a_model_column_are_named_after_the_file(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, "compare", files / "constant_median.csv", files / "forest.csv")
    assert {one["model"] for one in result["table"]} == {"constant_median", "forest"}
    assert result["pairs"][0]["verdict"] == "better"


def test_groups_come_from_a_column(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone, grouped = (call(capsys, "compare", files / "all.csv", *more) for more in ((), ("--group", "shop")))
    assert alone["table"][0]["metrics"]["mae"]["value"] == grouped["table"][0]["metrics"]["mae"]["value"]
    assert alone["table"][0]["metrics"]["mae"]["low"] != grouped["table"][0]["metrics"]["mae"]["low"]
    assert main(["compare", str(files / "all.csv"), "--group", "none"]) == 1


def test_score_reads_numbers_and_counts_what_is_missing(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, "score", files / "forest.csv", files / "gold.csv", "--task", "regression")
    assert list(result) == ["metrics", "n", "coverage"]
    assert result["coverage"] == 1
    short = pd.read_csv(files / "forest.csv").head(45)
    short.to_csv(files / "short.csv", index=False)
    less = call(capsys, "score", files / "short.csv", files / "gold.csv", "--task", "regression")
    assert (less["n"], less["coverage"]) == (60, 0.75)
    assert less["metrics"]["mae"]["value"] > result["metrics"]["mae"]["value"]


def test_score_gives_official_percent_for_a_korean_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [{"id": "q1", "answers": [{"text": "파우스트"}]}, {"id": "q2", "answers": [{"text": "임종석 의장"}]}]
    (tmp_path / "gold.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": "", "qas": answers}]}]}))
    (tmp_path / "said.json").write_text(json.dumps({"q1": "〈파우스트〉", "q2": "임종석"}))
    result = call(capsys, "score", tmp_path / "said.json", tmp_path / "gold.json", "--official", "korquad1")
    assert result["metrics"]["exact_match"]["value"] == 50
    assert result["metrics"]["f1"]["value"] == pytest.approx(87.5)
    assert result["n"] == 2


def test_the_first_number_reader_reads_what_the_strict_one_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"index": [0, 1], "raw": ["$10-20", "$30"]}).to_csv(tmp_path / "said.csv", index=False)
    pd.DataFrame({"truth": [10, 30]}).to_csv(tmp_path / "gold.csv", index=False)
    strict = call(capsys, "score", tmp_path / "said.csv", tmp_path / "gold.csv", "--task", "regression")
    first = call(capsys, "score", tmp_path / "said.csv", tmp_path / "gold.csv", "--task", "regression", "--reader", "first-number")
    assert (strict["coverage"], first["coverage"]) == (0.5, 1.0)
    assert first["metrics"]["mae"]["value"] == 0
    pd.DataFrame({"index": [0, 1], "raw": ["no idea", "$30-40"], "status": ["ok", "unread"]}).to_csv(tmp_path / "none.csv", index=False)
    none = call(capsys, "score", tmp_path / "none.csv", tmp_path / "gold.csv", "--task", "regression", "--reader", "first-number")
    assert (none["coverage"], none["metrics"]["mae"]["value"]) == (1.0, 5.0)


def test_wrong_files_are_told_and_end_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert main(["compare", str(tmp_path / "x.csv")]) == 1
    assert "model, index, guess, truth" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "none.csv")]) == 1
    assert "There is no file" in capsys.readouterr().err
