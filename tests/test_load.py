"""Any table in, nothing lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import zipfile

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.errors import DataError, SettingsError
from core.load import columns, delimited
from core.load.read import ReadOptions, read
from tests.doubles import shared

CELL = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff\x1f"), max_size=12)


def texts(frame: pd.DataFrame) -> list[list[str]]:
    return [["" if cell is None or cell != cell else cell for cell in row] for row in frame.itertuples(index=False, name=None)]


def as_csv(rows: list[list[str]], **how: object) -> bytes:
    out = io.StringIO()
    csv.writer(out, **how).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()


@settings(max_examples=150, deadline=None)
@given(some.integers(2, 4).flatmap(lambda n: some.lists(some.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6)))
def test_any_table_of_text_cells_written_as_csv_comes_back_cell_for_cell(rows: list[list[str]]) -> None:
    header = [f"c{i}" for i in range(len(rows[0]))]
    loaded = read("t.csv", as_csv([header, *rows]), ReadOptions(typed=False, encoding="utf-8"))
    assert texts(loaded.frame) == rows
    assert not loaded.rejects


@settings(max_examples=100, deadline=None)
@given(some.lists(some.one_of(some.text("0123456789.-+eE ", min_size=1, max_size=22), some.floats().map(repr), some.just("")), min_size=1))
def test_a_column_becomes_numbers_only_when_no_cell_changes_its_value(cells: list[str]) -> None:
    column = columns.from_text(cells)
    for cell, value in zip(cells, column.tolist(), strict=True):
        if pd.api.types.is_numeric_dtype(column):
            assert (value != value) if not cell.strip() else float(cell) == value
            assert not cell.strip().lstrip("+-").startswith("00")
        elif cell:
            assert value == cell


@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.dictionaries(some.sampled_from(["a", "b", "c"]), some.one_of(CELL, some.none()), min_size=1), min_size=1, max_size=5)
)
def test_json_lines_come_back_value_for_value(records: list[dict[str, str | None]]) -> None:
    data = "\n".join(json.dumps(record, ensure_ascii=index % 2 == 0).replace("\x85", "\\u0085") for index, record in enumerate(records))
    frame = read("t.jsonl", data.encode()).frame
    for record, row in zip(records, frame.to_dict("records"), strict=True):
        for name in frame.columns:
            value = row[str(name)]
            assert (None if value is None or value != value else value) == record.get(str(name))


@pytest.mark.parametrize("cell", ["NA", "null", "None", "00123", "12345678901234567890", "1e400", "1,299", "$12.50", "-0", "1_000", "٣"])
def test_what_only_looks_like_a_number_stays_text(cell: str) -> None:
    frame = read("t.csv", f"id,x\n{chr(34)}{cell}{chr(34)},1\n5,2\n".encode()).frame
    assert frame["id"].tolist() == [cell, "5"]
    assert frame["x"].tolist() == [1, 2]


def test_one_column_with_a_word_stays_text_as_a_whole() -> None:
    assert read("t.csv", b"a,b\n1,2\nNA,3\n").frame["a"].tolist() == ["1", "NA"]


def test_every_bad_line_is_left_out_with_its_line_in_the_file_and_the_reason() -> None:
    data = b'text,n\n"two\nlines",1\nshort\nok,2\na,b,n/a\n"open,4\nlast,5\n'
    loaded = read("reviews.csv", data)
    assert loaded.frame["text"].tolist() == ["two\nlines", "ok", "last"]
    assert loaded.lines == (2, 5, 8)
    assert [(one.line, one.text) for one in loaded.rejects] == [(4, "short"), (6, "a,b,n/a"), (7, '"open,4')]
    assert loaded.rejects[1].reason == "3 values, the header has 2; the last one is 'n/a'"
    assert "never closed" in loaded.rejects[2].reason


def test_quotes_are_plain_characters_where_the_usual_rules_would_lose_lines() -> None:
    loaded = read("r.txt", '1\t"good" film\t1\n2\t"never closed\t0\n3\tfine\t1\n'.replace("1\t", "id\ttext\tlabel\n1\t", 1).encode())
    assert loaded.frame["text"].tolist() == ['"good" film', '"never closed', "fine"]
    assert "plain characters" in loaded.notes[0]
    assert not loaded.rejects


def test_backslash_quotes_are_understood() -> None:
    assert read("t.csv", b'a,b\n"say \\"hi\\", twice",1\n').frame["a"].tolist() == ['say "hi", twice']


@pytest.mark.parametrize(("separator", "name"), [(",", "t.csv"), (";", "t.csv"), ("\t", "t.tsv"), ("|", "t.txt"), (";", "t.ssv")])
def test_the_separator_is_found(separator: str, name: str) -> None:
    loaded = read(name, separator.join(["a", "b"]).encode() + b"\n" + separator.join(["1.5 kg", "x"]).encode() + b"\n")
    assert loaded.separator == separator
    assert list(loaded.frame.columns) == ["a", "b"]


def test_one_column_of_sentences_is_not_cut_at_commas() -> None:
    assert read("t.csv", b"text\nHello, world\nAgain, and again, you\n").frame["text"].tolist() == ["Hello, world", "Again, and again, you"]


def test_titles_above_the_header_are_left_out_and_said() -> None:
    loaded = read("t.csv", b"Sales of 2024\n\nname,price\na,1\nb,2\nc,3\n")
    assert list(loaded.frame.columns) == ["name", "price"]
    assert [(one.line, one.reason) for one in loaded.rejects] == [(1, "it stands above the header")]


def test_columns_get_names_that_are_unique_and_not_empty() -> None:
    assert list(read("t.csv", b"a,,a,a (2)\n1,2,3,4\n").frame.columns) == ["a", "column 2", "a (2)", "a (2) (2)"]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("cp949", "cp949"),
        ("euc-kr", "cp949"),
    ],
)
def test_korean_in_any_usual_encoding(encoding: str, shown: str) -> None:
    text = "제목,label\n" + "영화가 정말 재미있다,good ones here\n" * 20
    loaded = read("리뷰.csv", text.encode(encoding))
    assert (list(loaded.frame.columns), loaded.encoding) == (["제목", "label"], shown)
    assert loaded.frame["제목"][0] == "영화가 정말 재미있다"


def test_a_wrong_guess_of_the_encoding_can_be_corrected() -> None:
    data = "a,b\nприветствую,1\nещё,2\n".encode("koi8-r")
    assert read("t.csv", data, ReadOptions(encoding="koi8-r")).frame["a"].tolist() == ["приветствую", "ещё"]
    with pytest.raises(DataError, match="line 2: the byte 0x"):
        read("t.csv", data, ReadOptions(encoding="utf-8"))
    with pytest.raises(DataError, match="no encoding 'utf-7x'"):
        read("t.csv", data, ReadOptions(encoding="utf-7x"))


@pytest.mark.parametrize(
    ("name", "data", "title"),
    [
        ("a.csv", b"", "The file is empty"),
        ("a.csv", b"\n\n", "The file is empty"),
        ("a.jsonl", b"\n", "The file is empty"),
        ("a.json", b"[]", "The file is empty"),
        ("a.csv", b"title,price\n", "A header without rows"),
        ("a.parquet", b"title,price\na,1\n", "The file is not what its name says"),
        ("a.xlsx", b"title,price\na,1\n", "The file is not what its name says"),
        ("a.csv", b"%PDF-1.7 ...", "The file is not what its name says"),
        ("a.csv", b"PK\x03\x04 ...", "The file is not what its name says"),
        ("a.csv", b"<!DOCTYPE html><html>", "The file is not what its name says"),
        ("a.zip", b"title,price\na,1\n", "The file is not what its name says"),
        ("a.gz", b"title,price\na,1\n", "The archive is damaged"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "The workbook is damaged"),
        ("a.json", b'{"a": NaN}', "The JSON cannot be read"),
        ("a.json", b"[" * 100_000, "The JSON cannot be read"),
        ("a.json", b'[{"a": 1, "a": 2}]', "The JSON cannot be read"),
        ("a.json", b'[{"a": "\\ud800"}]', "The JSON cannot be read"),
        ("a.json", b'{"a": [1, 2], "b": [1]}', "Columns do not match"),
        ("a.json", b"3", "No table in the JSON"),
    ],
)
def test_what_cannot_be_a_table_is_refused_with_a_reason(name: str, data: bytes, title: str) -> None:
    with pytest.raises(DataError) as caught:
        read(name, data)
    assert caught.value.title == title
    assert name in str(caught.value)


def test_a_pickle_is_refused_unread_and_the_way_out_is_said() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("the pickle was opened",))

    for name in ("items.pkl", "items.csv"):
        with pytest.raises(DataError, match="read_pickle"):
            read(name, pickle.dumps(Bomb()))


def test_bad_json_lines_are_left_out_with_line_and_reason() -> None:
    data = b'{"a": 1}\n{"a": }\n\n[1]\n{"a": NaN}\n{"a": 1, "a": 2}\n{"a": "\\ud800"}\n{"a": 5}\n'
    loaded = read("t.jsonl", data)
    assert loaded.frame["a"].tolist() == [1, 5]
    assert loaded.lines == (1, 8)
    assert [one.line for one in loaded.rejects] == [2, 4, 5, 6, 7]
    assert "this is a list" in loaded.rejects[1].reason


def test_json_text_stays_text_and_long_integers_keep_their_digits() -> None:
    data = json.dumps(
        [{"price": "12.99", "id": 12345678901234567890123, "n": 1, "mixed": 1}, {"price": "5", "id": 7, "n": 2.5, "mixed": "x"}]
    )
    frame = read("t.json", data.encode()).frame
    assert frame["price"].tolist() == ["12.99", "5"]
    assert frame["id"].tolist() == ["12345678901234567890123", "7"]
    assert frame["n"].tolist() == [1.0, 2.5]
    assert frame["mixed"].tolist() == ["1", "x"]


def test_nested_values_become_json_text_of_kind_list() -> None:
    frame = read("t.jsonl", '{"a": ["하나", 2], "b": "x"}\n{"a": {"k": null}, "b": "y"}'.encode()).frame
    assert frame["a"].tolist() == ['["하나", 2]', '{"k": null}']
    assert columns.kinds(frame) == {"a": "list", "b": "text"}


@pytest.mark.parametrize("data", ['{"data": [{"a": 1}, {"a": 2}]}', '{"a": [1, 2]}', '{"a": {"0": 1, "1": 2}}', '[{"a": 1}, {"a": 2}]'])
def test_the_usual_shapes_of_json(data: str) -> None:
    assert read("t.json", data.encode()).frame["a"].tolist() == [1, 2]


def test_json_lines_named_json_are_read_and_said() -> None:
    loaded = read("t.json", b'{"a": 1}\n{"a": 2}\n')
    assert loaded.frame["a"].tolist() == [1, 2]
    assert "one JSON object a line" in loaded.notes[0]


def test_squad_becomes_one_row_a_question() -> None:
    qas = [{"id": "q1", "question": "Who?", "answers": [{"text": "Kim", "answer_start": 3}, {"text": "Kim Min", "answer_start": 3}]}]
    data = {"version": "1", "data": [{"title": "T", "paragraphs": [{"context": "by Kim Min", "qas": qas}]}]}
    row = read("t.json", json.dumps(data).encode()).frame.to_dict("records")[0]
    assert row == {
        "id": "q1", "title": "T", "context": "by Kim Min", "question": "Who?", "answer": "Kim", "answer_start": 3, "other_answers": '["Kim Min"]',
        "other_starts": '[["Kim Min", 3]]',
    }  # fmt: skip


def test_parquet_keeps_types_and_turns_nested_columns_into_text() -> None:
    table = pd.DataFrame({"a": ["x", None], "n": [1, 2], "l": [["p"], ["q", "r"]], "c": pd.Categorical(["u", "v"])})
    frame = read("t.parquet", table.to_parquet()).frame
    assert frame["l"].tolist() == ['["p"]', '["q", "r"]']
    assert frame["c"].tolist() == ["u", "v"]
    assert (frame["n"].dtype, frame["a"].isna().tolist()) == ("int64", [False, True])


def test_a_small_parquet_that_unpacks_to_too_much_is_refused_while_reading() -> None:
    data = pd.DataFrame({"a": ["x" * 100_000] * 2000}).to_parquet()
    assert len(data) < 200_000
    with pytest.raises(DataError) as caught:
        read("t.parquet", data, ReadOptions(bytes=20_000_000))
    assert caught.value.title == "The file unpacks to too much"


def test_a_workbook_gives_its_cells_its_row_numbers_and_its_sheets() -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "첫째"
    for row in [["Prices of 2024"], [], ["title", "price", "when"], ["pot", 3, pd.Timestamp("2024-02-01")], [], ["007", 4.5, None]]:
        book.active.append(row)
    book.create_sheet("other").append(["x", "y"])
    out = io.BytesIO()
    book.save(out)
    loaded = read("t.xlsx", out.getvalue())
    assert loaded.frame["title"].tolist() == ["pot", "007"]
    assert loaded.frame["price"].tolist() == [3.0, 4.5]
    assert loaded.frame["when"][0] == "2024-02-01"
    assert (loaded.lines, loaded.choices) == ((4, 6), {"sheet": ("첫째", "other")})
    with pytest.raises(DataError, match="header and no rows"):
        read("t.xlsx", out.getvalue(), ReadOptions(sheet="other"))


def ods(*rows: list[tuple[str, str]], sheet: str = "첫째") -> bytes:
    """A small ODS file; a cell is (kind, value)."""
    attribute = {"float": "office:value", "date": "office:date-value", "boolean": "office:boolean-value"}

    def cell(kind: str, value: str) -> str:
        told = f'{attribute[kind]}="{value}"' if kind in attribute else ""
        return f'<table:table-cell office:value-type="{kind}" {told}><text:p>{value}</text:p></table:table-cell>'

    lines = "".join(f"<table:table-row>{''.join(cell(*one) for one in row)}</table:table-row>" for row in rows)
    spaces = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="{sheet}">{lines}</table:table>'
    content += '<table:table table:name="other"/></office:spreadsheet></office:body></office:document-content>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
        packed.writestr("META-INF/manifest.xml", '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>')
    return out.getvalue()


def test_an_ods_gives_dates_numbers_as_text_and_sheets_as_they_are() -> None:
    text = [("string", name) for name in ("id", "price", "when", "ok")]
    data = ods(
        text, [("string", "00123"), ("float", "12.5"), ("date", "2024-02-01"), ("boolean", "true")],
        [("string", "7"), ("float", "3"), ("date", "2024-02-01T10:30:00"), ("boolean", "false")],
    )  # fmt: skip
    loaded = read("t.ods", data)
    assert loaded.frame.to_dict("list") == {
        "id": ["00123", "7"], "price": [12.5, 3.0], "when": ["2024-02-01", "2024-02-01 10:30:00"], "ok": [True, False]
    }  # fmt: skip
    assert loaded.choices == {"sheet": ("첫째", "other")}
    assert loaded.lines == (2, 3)
    with pytest.raises(DataError, match="no filled cell"):
        read("t.ods", data, ReadOptions(sheet="other"))
    with pytest.raises(DataError, match="no sheet 'third'"):
        read("t.ods", data, ReadOptions(sheet="third"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/t.ods", data)
    assert len(read("t.zip", packed.getvalue()).frame) == 2


def test_real_old_workbooks_come_in() -> None:
    frame = read("simple.xls", shared("messy/messytables_horror/simple.xls").read_bytes()).frame
    assert frame.iloc[0].tolist() == ["2011-01-01", 1, "Galway"]
    loaded = read("large.ods", shared("messy/messytables_horror/large.ods").read_bytes(), ReadOptions(sheet="2012-13"))
    assert loaded.frame["Offence Code"].tolist()[:2] == ["104", "105A"]
    assert len(loaded.choices["sheet"]) == 6


def test_sheets_that_unpack_to_too_much_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        read("t.ods", ods([("string", "a" * 200)]), ReadOptions(bytes=100))
    assert caught.value.title == "The file unpacks to too much"


def test_one_cell_at_the_far_end_of_a_sheet_costs_nothing() -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in [["a", "b"], [1, 2]]:
        book.active.append(row)
    book.active["XFD2000"] = 5
    out = io.BytesIO()
    book.save(out)
    frame = read("t.xlsx", out.getvalue()).frame
    assert frame.shape == (2, 3)


def test_archives_are_opened_and_bombs_are_not() -> None:
    table = b"a,b\n1,2\n3,4\n"
    assert read("t.csv.gz", gzip.compress(table, mtime=0)).frame["b"].tolist() == [2, 4]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("__MACOSX/._t.csv", b"junk")
        packed.writestr("in/t.csv", table)
        packed.writestr("u.jsonl", b'{"a": 9}\n')
    loaded = read("t.zip", out.getvalue())
    assert loaded.frame["b"].tolist() == [2, 4]
    assert loaded.choices["member"] == ("in/t.csv", "u.jsonl")
    assert read("t.zip", out.getvalue(), ReadOptions(member="u.jsonl")).frame["a"].tolist() == [9]
    bomb = gzip.compress(b"a,b\n" * 20_000_000, mtime=0)
    with pytest.raises(DataError, match="unpacks to more than"):
        read("t.csv.gz", bomb)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("t.csv", b"0" * 50_000_000)
    with pytest.raises(DataError, match="unpacks to more than"):
        read("t.zip", out.getvalue())
    with pytest.raises(DataError, match="ends too early"):
        read("t.csv.gz", gzip.compress(table * 100, mtime=0)[:-20])


def test_a_table_with_too_many_cells_is_refused_and_first_rows_is_the_way_out() -> None:
    data = b"a,b\n" + b"1,2\n" * 100
    with pytest.raises(DataError, match="First rows"):
        read("t.csv", data, ReadOptions(cells=100))
    assert len(read("t.csv", data, ReadOptions(cells=100, rows=10)).frame) == 10


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError):
        ReadOptions(rows=0)
    with pytest.raises(SettingsError):
        ReadOptions(quotes="curly")


def test_lines_without_a_header_get_numbered_columns() -> None:
    assert list(read("t.csv", b"1,2\n3,4\n", ReadOptions(header=False)).frame.columns) == ["column 1", "column 2"]


def test_reading_quotes_that_never_close_stays_fast() -> None:
    rows = "".join(f'{i}\t"open {i}\tx\n' for i in range(3000))
    cells = delimited.parse("t.tsv", "id\ttext\tl\n" + rows)
    assert (len(cells.rows), cells.quotes) == (3000, "none")


def test_the_messy_collection_reads_or_says_why() -> None:
    folder = shared("messy/csv_spectrum").parent
    read_well, refused = 0, 0
    for path in sorted([*folder.glob("messytables_horror/*"), *folder.glob("csv_spectrum/csvs/*")]):
        try:
            loaded = read(path.name, path.read_bytes())
        except DataError as error:
            refused += path.name in str(error)
            continue
        read_well += 1
        assert len(loaded.frame)
        assert loaded.format != "csv" or len(loaded.lines) == len(loaded.frame)
    assert read_well >= 33
    assert refused >= 10


def test_real_files_come_back_whole() -> None:
    for name, rows in [
        ("pricer/products.csv.gz", 8915),
        ("reviews/fine_food_reviews_1k.csv", 1000),
        ("korquad/KorQuAD_v1.0_dev.json", 5774),
    ]:
        path = shared(name)
        loaded = read(path.name, path.read_bytes())
        assert (len(loaded.frame), len(loaded.rejects)) == (rows, 0)
