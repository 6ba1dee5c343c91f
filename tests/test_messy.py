"""Real files that break readers: every cell as the collection expects it, and the outcome of every other file, known."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from benchmarks import messy
from core.load.read import ReadOptions, read
from tests.doubles import ROOT, shared

SPECTRUM = ROOT.parent / "shared" / "data" / "messy" / "csv_spectrum" / "csvs"
OWN = {"location_coordinates": {"Contact Phone Number": "2095257564"}, "newlines_crlf": {"a": "Once upon \na time"}}
OWN_ROW = {"location_coordinates": 0, "newlines_crlf": 1}
"""Where the collection's JSON is not what its own CSV holds (another number; line feeds alone): what the CSV holds, byte for byte."""
TITLES = {"html": "This kind of file is not read", "head": "A header without rows", "empty": "The file is empty"}
HORROR: dict[str, tuple[int, int, int] | str] = {
    "211.csv": (2132, 96, 0), "badcolspan.html": TITLES["html"], "begrotingsanalyse-2011.csv": (42, 20, 0),
    "bian-anal-mca-2005-dols-eng-1011-0312-tab3.xlsm": (13, 4, 0), "blank_line.ods": (3, 3, 0), "characters.csv": (382, 18, 0),
    "complex.csv": (2, 4, 1), "complex.html": TITLES["html"], "encrypted_no_password.xls": "The workbook is damaged",
    "example.tsv": (140, 17, 0), "excel_pasting.csv": (20, 9, 0), "excel_properties.xls": (17, 1, 0), "html.html": TITLES["html"],
    "invisible_text.html": TITLES["html"], "large.ods": (23760, 5, 0), "large.xlsx": (30, 11, 0), "libreoffice.xlsx": TITLES["empty"],
    "loffice-4.4.1.2.ods": (3, 3, 0), "long.csv": (3999, 1, 0), "mixedGLB.csv": (136, 19, 0), "multilineods.ods": TITLES["head"],
    "null.csv": (9, 4, 0), "ods_formats.ods": (5, 10, 0), "rowcolspan.html": TITLES["html"], "simple.csv": (6, 3, 0),
    "simple.ods": (3, 3, 0), "simple.psv": (28, 6, 0), "simple.ssv": (6, 3, 0), "simple.unknown": TITLES["empty"], "simple.xls": (6, 3, 0),
    "simple.xlsx": (6, 3, 0), "simple.zip": (6, 3, 0), "skip_initials.csv": (2, 2, 0), "small.csv": TITLES["head"],
    "span_rich.xls": (5, 4, 0), "spanish_chars.csv": (116, 8, 0), "sparse_with_column_errors.csv": (2237, 4, 0), "sw_gen.xlsx": (15, 17, 0),
    "unicode_sheet_name.xls": TITLES["head"], "utf-16le_encoded.csv": (327, 19, 0), "utf8bom.csv": TITLES["head"],
    "weird_head_padding.csv": "No line can be read",
}  # fmt: skip
"""File -> (rows, columns, lines left out), or the title of its refusal."""


@pytest.mark.parametrize("name", [path.stem for path in sorted(SPECTRUM.glob("*.csv"))] or ["absent"])
def test_every_cell_is_what_the_collection_says(name: str) -> None:
    path = shared(f"messy/csv_spectrum/csvs/{name}.csv")
    expected = json.loads(path.parent.with_name("json").joinpath(f"{name}.json").read_text(encoding="utf-8", errors="replace"))
    expected = expected if isinstance(expected, list) else [expected]
    loaded = read(path.name, path.read_bytes(), ReadOptions(typed=False))
    got = [{k: "" if v is None or v != v else v for k, v in row.items()} for row in loaded.frame.to_dict("records")]
    assert got == [{**row, **OWN.get(name, {})} if place == OWN_ROW.get(name) else row for place, row in enumerate(expected)]
    assert not loaded.rejects


@pytest.mark.parametrize("name", HORROR)
@pytest.mark.filterwarnings("ignore")
def test_the_outcome_of_every_horror_is_known(name: str) -> None:
    found = messy.outcome(shared(f"messy/messytables_horror/{name}"))
    outcome = found["refused"] or (found["rows"], found["columns"], found["rejected"])
    assert outcome == HORROR[name]


def test_no_horror_is_left_out_of_the_table() -> None:
    assert {path.name for path in shared("messy/messytables_horror").iterdir()} - {"README.md"} == set(HORROR)


LINE = some.lists(some.text(some.sampled_from("ab1 é"), max_size=4), max_size=5).map(",".join)


@settings(max_examples=200, deadline=None)
@given(lines=some.lists(LINE, min_size=1, max_size=20), ends=some.sampled_from(["\n", "\r\n"]))
def test_rows_left_out_header_and_blank_lines_are_all_lines(lines: list[str], ends: str) -> None:
    data = ends.join(["name,text,n", "x,y,1", *lines]).encode()
    loaded = read("t.csv", data, ReadOptions(encoding="utf-8", separator=","))
    blank = sum(line == "" for line in lines)
    assert len(loaded.frame) + len(loaded.rejects) + blank + 1 == len(lines) + 2
    used = [*loaded.lines, *(one.line for one in loaded.rejects)]
    assert len(set(used)) == len(used)
    for one in loaded.rejects:
        assert one.text == ["name,text,n", "x,y,1", *lines][one.line - 1]
