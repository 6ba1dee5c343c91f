"""Downloads: spreadsheets cannot be made to run anything, JSONL and Parquet round-trip."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest

from core.export import csv_bytes, defused, jsonl_bytes, parquet_bytes


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u200b=1", "＝1", "ok\n=1+1", "=HYPERLINK(\"x\")"])  # fmt: skip
def test_a_formula_is_defused(cell):
    lines = defused(cell).splitlines() or [defused(cell)]
    assert any(line.startswith("'") for line in lines)


@pytest.mark.parametrize("cell", ["-5", "+1,299.50", "12", "plain", "a=b", "가격", "", "1e-5", 3.5, None])
def test_numbers_and_plain_text_stay_as_they_are(cell):
    assert defused(cell) == cell


def test_csv_opens_in_spreadsheets_with_korean_and_line_breaks():
    data = csv_bytes(pd.DataFrame({"이름": ["의자, 큰", "a\nb"], "n": [1.5, None]}))
    assert data.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig")))) == [["이름", "n"], ["의자, 큰", "1.5"], ["a\nb", ""]]


def test_jsonl_has_null_for_missing_and_never_nan():
    data = jsonl_bytes([{"a": float("nan"), "b": [1, None], "c": "=1"}])
    assert json.loads(data) == {"a": None, "b": [1, None], "c": "=1"}


def test_parquet_comes_back():
    frame = pd.DataFrame({"a": ["=1", None], "b": [1, 2]})
    assert pd.read_parquet(io.BytesIO(parquet_bytes(frame))).equals(frame)
