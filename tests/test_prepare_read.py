"""How the classic assistant reads its files: the old tool's cells, clear words for what cannot be read, harmless oddities accepted."""

from __future__ import annotations

import gzip
import io
import re
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from core.errors import DataError
from core.validate.prepare_read import read_pairs
from tests.test_prepare import run


def sheet(*sheets: list[list]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for i, rows in enumerate(sheets):
        page = book.create_sheet(f"S{i}")
        for row in rows:
            page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_gives_the_cells_the_old_tool_wrote(tmp_path):
    cells = [["prompt", "completion"], ["a", 1], ["b", 2.5], ["c", 3.0], ["d", None], [5, "x"], [None, "y y"],
             ["f", datetime(2024, 1, 2)], ["h", "NA"], ["l", " sp "], ["m", "가나 \U0001f600"]]  # fmt: skip
    path = tmp_path / "cells.xlsx"
    path.write_bytes(sheet(cells, [["prompt", "completion"], ["not", "read"]]))
    result = run(path, "--yes")
    assert Path(result["files"][0]).read_text(encoding="utf-8") == (
        '{"prompt":"a ->","completion":" 1\\n"}\n{"prompt":"b ->","completion":" 2.5\\n"}\n{"prompt":"c ->","completion":" 3\\n"}\n'
        '{"prompt":"5 ->","completion":" x\\n"}\n{"prompt":" ->","completion":" y y\\n"}\n'
        '{"prompt":"f ->","completion":" 2024-01-02 00:00:00\\n"}\n{"prompt":"l ->","completion":" sp \\n"}\n'
        '{"prompt":"m ->","completion":" 가나 \U0001f600\\n"}\n'
    )
    notes = " ".join(one.text for one in read_pairs("cells.xlsx", path.read_bytes()).notes)
    assert "2 sheets and only the first, 'S0', is read" in notes
    assert "read as missing because of what they say: NA" in notes
    assert result["remedies"][1]["rows"] == [3, 7]


def test_words_that_mean_missing_and_numbers_that_gain_a_point_are_said():
    table = "prompt,completion\n" + "".join(f"q{i},{w}\n" for i, w in enumerate(["NA", "null", "yes", "None", "no"]))
    notes = read_pairs("x.csv", table.encode()).notes
    assert notes[1].rows == (0, 1, 3)
    assert "JSONL" in notes[1].text
    lines = '{"prompt":"a","completion":1}\n{"prompt":"b","completion":null}\n{"prompt":"c","completion":[1]}\n'
    assert "lists or objects" in read_pairs("x.jsonl", lines.encode()).notes[0].text
    gaps = '{"prompt":"a","completion":1}\n{"prompt":"b","completion":null}\n{"prompt":"c","completion":3}\n'
    source = read_pairs("x.jsonl", gaps.encode())
    assert source.frame["completion"].tolist() == ["1.0", "", "3.0"]
    assert "such as 1.0" in source.notes[0].text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.jsonl", b'{"prompt":"a","completion":"b"}\n{bad\n', "line 2 is not JSON"),
        ("x.jsonl", b"", "0 bytes"),
        ("x.csv", b"\xef\xbb\xbf\n \n", "is empty"),
        ("x.csv", b"prompt,completion\na,b\nc,d,e,f\n", "line 3, saw 4"),
        ("x.csv", b"prompt,completion\na,b,1\nc,d,2\n", "rows hold 3 values"),
        ("x.csv", b"prompt,completion\ncaf\xe9,x\n", "line 2: byte 0xe9 is not UTF-8"),
        ("x.tsv", b"prompt,completion\na,b\n", "`prompt` column/key is missing"),
        ("x.json", b'{"prompt": ', "line 1"),
        ("x.jsonl", b'{"prompt":"a","completion":1' + b"0" * 30 + b"}\n", "too large"),
        ("x.jsonl", b'{"prompt":"a","completion":' + b"[" * 3000 + b"]" * 3000 + b"}\n", "nested too deep"),
        ("x.xlsx", b"not a workbook", "workbook"),
        ("x.xlsx", sheet([[]]), "`prompt` column/key is missing"),
        ("x.parquet", b"PAR1", "ends with .parquet"),
        ("noending", b"a", "has no ending"),
        ("x.csv", b"prompt,completion\n", "No row has a completion"),
        ("x.jsonl", b'{"messages":[]}\n{"messages":[]}\n', "The file has 'messages'"),
        ("x.jsonl", b"1\n2\n", "`prompt` column/key is missing"),
        ("x.jsonl.gz", b"\x1f\x8bbroken", "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(name, data, words, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=re.escape(words)):
        run(path, "--yes")
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("data", [
    b"\xef\xbb\xbf" + b'{"prompt":"a","completion":"b c"}\n{"prompt":"d","completion":"e f"}\n',
    '{"prompt":"a","completion":"b c"}\n{"prompt":"d","completion":"e f"}\n'.encode("utf-16"),
    b'[\n {"prompt":"a","completion":"b c"},\n {"prompt":"d","completion":"e f"}\n]',
    b'{"prompt":"a","completion":"b c"}\r\n\r\n{"prompt":"d","completion":"e f"}\r\n',
    gzip.compress(b'{"prompt":"a","completion":"b c"}\n{"prompt":"d","completion":"e f"}\n', mtime=0),
])  # fmt: skip
def test_harmless_oddities_are_read(data):
    source = read_pairs("x.jsonl", data)
    assert source.frame.to_dict("records") == [{"prompt": "a", "completion": "b c"}, {"prompt": "d", "completion": "e f"}]


def test_a_sheet_whose_last_cell_is_far_away_is_refused():
    book = openpyxl.Workbook()
    book.active.append(["prompt", "completion"])
    book.active.cell(row=200_000, column=500, value="x")
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(DataError, match="spans 200,000 rows"):
        read_pairs("x.xlsx", out.getvalue())
