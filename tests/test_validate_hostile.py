"""Hostile lines: each becomes a row or is told with its number and why not; nothing stops the check."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile

import pytest

from core.errors import DataError
from core.io.checking import check_lines
from core.io.counting import count_of
from core.io.plain_lines import plain_lines
from core.validate.lines import DEPTH, Reader, too_deep
from core.validate.listing import listed, values
from core.validate.piece import Rules
from core.validate.reading import read_training
from core.validate.report import report, summary

MODEL, LIMIT = "gpt-4o-mini-2024-07-18", 65_536
GOOD = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'


def words(texts):
    return [len(text.split()) for text in texts]


def of(line: bytes):
    """The file of one good line, this one, and another good line."""
    return read_training("x.jsonl", GOOD + b"\n" + line + b"\n" + GOOD.replace(b'"q"', b'"r"') + b"\n")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[" * 100_000, "nested more than 100 levels deep"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nested more than 100 levels deep"),
        (b'{"a": ' + b"[" * DEPTH + b"]" * DEPTH + b"}", "nested more than 100 levels deep"),
        (b'{"messages": NaN}', "NaN stands where a number should"),
        (b'{"weight": -Infinity}', "-Infinity stands where a number should"),
        (b'{"weight": 1e999}', "number that is too large: 1e999"),
        (b'{"weight": ' + b"7" * 5_000 + b"}", "number that is too long"),
        (b"\xef\xbb\xbf" + GOOD, "not JSON: expecting value at character 1"),
        (GOOD[:40], "not JSON: "),
        (GOOD + GOOD, "not JSON: extra data at character"),
        (b"'single quotes'", "not JSON: expecting value at character 1"),
        (b'{"messages": []', "not JSON: "),
        ("{'caf\xe9'}".encode("latin-1"), "not UTF-8 text"),
        ("{'한국어'}".encode("cp949"), "not UTF-8 text"),
        (b"\x00\x00\x00", "not JSON"),
        (b'{"a": "\x01"}', "not JSON: invalid control character at character"),
        (b'{"a": tru}', "not JSON"),
        (b"\x1f\x8b\x08\x00", "not UTF-8 text"),
    ],
)
def test_a_line_that_is_no_json_is_told_with_its_number_and_why(line, why):
    file = of(line)
    assert len(file) == 2
    assert [one.line for one in file.unreadable] == [2]
    assert why in file.unreadable[0].why
    check = next(one for one in report(file, words).checks if one.name == "unreadable_line")
    assert (check.word, list(check.lines)) == ("FAIL", [2])


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"[1, 2, 3]", "data_type"),
        (b"null", "data_type"),
        (b"12345678901234567890123456789012345678901234567890", "data_type"),
        (b'{"messages": 123456789012345678901234567890}', "missing_messages_list"),
        (b'{"messages": [{"role": "user", "content": "half \\ud83d"}, {"role": "assistant", "content": "b"}]}', "encoding_damage"),
        (b'{"messages": [{"role": "user", "role": "user", "content": "t"}, {"role": "assistant", "content": "b"}]}', "repeated_key"),
        (b'{"messages": [{"role": "user", "content": "t"}, {"role": "assistant", "content": "b", "weight": 1e30}]}', "bad_weight"),
        (b'{"messages": [[[[]]], 5, null, "x"]}', "message_missing_key"),
        (b'{"messages": [{"role": {"a": []}, "content": "t"}]}', "unrecognized_role"),
    ],
)  # fmt: skip
def test_json_that_is_no_example_is_found_by_its_row(line, name):
    made = report(of(line), words)
    found = next((one for one in made.checks if one.name == name), None)
    assert found is not None, [one.name for one in made.checks]
    assert list(found.lines) == [2]


def test_a_pair_of_surrogates_is_a_character_and_a_half_one_is_replaced_and_told():
    file = of(b'{"messages": [{"role": "user", "content": "\\ud83d\\ude00 \\\\ud83d"}]}')
    assert file.rows[1]["messages"][0]["content"] == "\U0001f600 \\ud83d"
    assert file.notes == ()
    assert of(b'{"\\udc00": "a"}').notes == ("1 row held half a character (a lone surrogate), the first in line 2; it reads as \ufffd.",)


def test_of_two_values_of_a_key_the_last_counts():
    file = of(b'{"messages": 1, "messages": [], "a": {"b": 1, "b": 2}}')
    assert file.rows[1] == {"messages": [], "a": {"b": 2}}
    assert list(file.repeated) == [1]


def test_byte_order_marks_line_ends_and_blank_lines_are_told_and_change_nothing():
    plain = read_training("x.jsonl", GOOD + b"\n" + GOOD)
    marked = read_training("x.jsonl", b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n \t\n" + GOOD)
    assert (marked.rows, marked.lines) == (plain.rows, (1, 4))
    assert marked.notes[0].startswith("Line 1 begins with a byte order mark. The file is UTF-8")
    assert marked.notes[1:] == ("2 blank lines left out: lines 2, 3.", "2 lines end with CRLF; the download has plain line ends.")
    for encoding in ("utf-16", "utf-16-le"):
        data = (b"\xff\xfe" if encoding.endswith("le") else b"") + (GOOD + b"\n" + GOOD).decode().encode(encoding)
        assert read_training("x.jsonl", data).rows == plain.rows
    damaged = read_training("x.jsonl", b"\xef\xbb\xbf" + GOOD + b"\n\xff\n")
    assert ([one.line for one in damaged.unreadable], damaged.lines) == ([2], (1,))


def test_a_last_line_that_was_cut_short_says_so():
    file = read_training("x.jsonl", GOOD + b"\n" + GOOD[:-9])
    assert file.unreadable[0].line == 2
    assert file.unreadable[0].why.endswith("; the file ends here, without a line end: it may be cut short")
    assert "cut short" not in read_training("x.jsonl", GOOD[:-9] + b"\n").unreadable[0].why


def test_nesting_is_measured_not_guessed():
    assert not too_deep(json.loads("[" * DEPTH + "]" * DEPTH))
    assert too_deep(json.loads("[" * (DEPTH + 1) + "]" * (DEPTH + 1)))
    wide = "[" + ",".join(["{}"] * 5_000) + "]"
    assert Reader().row(wide) == [{}] * 5_000
    assert Reader().row('"' + "[" * 5_000 + '"') == "[" * 5_000


# --- lists where lines are expected ----------------------------------------------------------------------------------


def test_a_json_list_is_taken_apart_and_a_list_on_a_line_is_a_row():
    rows = [{"messages": [{"role": "user", "content": "a\nb, ] [ {"}]}, {"x": [1, {"y": "]"}]}, 5, "five"]
    for text in (json.dumps(rows), json.dumps(rows, indent=2), f"\n {json.dumps(rows)} \n"):
        file = read_training("x.json", text.encode())
        assert list(file.rows) == rows
        assert file.notes == ("Read as one JSON list.",)
    assert list(read_training("x.jsonl", b"[1, 2]").rows) == [[1, 2]]
    assert list(read_training("x.jsonl", b'[{"a": 1}]\n[{"a": 2}]').rows) == [[{"a": 1}], [{"a": 2}]]
    assert list(read_training("x.json", b'{\n "a": 1\n}\n').rows) == [{"a": 1}]


def test_a_broken_list_is_read_as_lines_and_a_bad_value_in_a_list_is_told_by_its_number():
    broken = read_training("x.json", b'[\n{"a": 1},\n{"a": 2}\n')
    assert len(broken) == 1
    assert [one.line for one in broken.unreadable] == [1, 2]
    odd = read_training("x.json", b'[{"a": 1}, {"a": NaN}, {"a": 3, "a": 4}]')
    assert (list(odd.rows), [one.line for one in odd.unreadable], list(odd.repeated)) == ([{"a": 1}, {"a": 4}], [2], [1])
    assert "NaN" in odd.unreadable[0].why


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_a_list_that_comes_in_pieces_is_the_list_that_comes_whole(size):
    random_ = random.Random(size)
    for text in ['[1, 22, "a]", {"b": [2]}, -1.5e3, true]', "[]", "[\n]", '[{"a":1},]', "[1 2]", '[{"a":1}] x', "[1, 2", '{\n"a": "}"\n}', '{"a": 1}\n{"b": 2}',
                 json.dumps([random_.random() for _ in range(40)], indent=1)]:  # fmt: skip
        whole = listed(text)
        try:
            cut = list(values(iter([text[i : i + size] for i in range(0, len(text), size)])))
        except ValueError:
            cut = None
        assert cut == whole, text


# --- archives --------------------------------------------------------------------------------------------------------


def packed(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.jsonl", data)
    return out.getvalue()


@pytest.mark.parametrize(("name", "pack"), [("x.jsonl.gz", gzip.compress), ("x.zip", packed)])
def test_a_bomb_is_refused_in_memory_and_on_disk_and_leaves_nothing(home, tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack(b" " * 60_000_000))
    for read in (lambda: read_training(name, path.read_bytes()), lambda: plain_lines(path)):
        with pytest.raises(DataError) as raised:
            read()
        assert "unpacks to more than" in str(raised.value)
    assert not any((home / "checked").iterdir())


def test_damaged_and_empty_archives_are_refused_in_words(home, tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD * 100, mtime=0)[:-9])
    with pytest.raises(DataError, match="ends too early"):
        plain_lines(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="0 bytes"):
        plain_lines(path)
    assert not any((home / "checked").iterdir())


# --- anything at all -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_every_line_of_noise_is_a_row_or_told_by_its_number(home, tmp_path, seed):
    random_ = random.Random(seed)
    bits = [b'{"messages": [', b'{"role": "user", "content": ', b'"', b"\\", b"\\ud8", b"]", b"}", b",", b":", b"NaN", b"9" * 400, b"[" * 60, b"\xff", b"\r",
            b"\x00", b" ", b"\xe2\x80\xa8", b'"tool_calls": [{"function": {"name": 5}}]', b'"weight": 2', GOOD, b"null", b"1e400"]  # fmt: skip
    lines = [b"".join(random_.choices(bits, k=random_.randint(0, 9))) for _ in range(600)]
    data = b"\n".join(lines)
    path = tmp_path / "noise.jsonl"
    path.write_bytes(data)
    file = read_training(path.name, data)
    told = sorted([*file.lines, *(one.line for one in file.unreadable)])
    filled = [n for n, line in enumerate(lines, 1) if line.decode("utf-8", errors="replace").strip()]
    assert told == filled
    whole = summary(report(file, count_of(MODEL), model=MODEL, max_tokens=LIMIT))
    assert summary(check_lines(plain_lines(path), Rules(MODEL, LIMIT), workers=1, piece=900)) == whole


def test_a_mutated_row_of_any_shape_never_stops_the_report():
    random_ = random.Random(3)
    odd = [None, 5, -1.5, "", "x", [], {}, [None], {"a": 1}, ["x", {"role": "user"}], True, [[[]]], {"role": "assistant", "content": None}]
    shapes = [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "tool_calls": [{"id": "1", "type": "function", "function": {
            "name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "r"}], "tools": [{"type": "function", "function": {
                "name": "f", "parameters": {"properties": {"x": {"type": "string", "enum": ["a"]}}}}}]},
        {"input": {"messages": [{"role": "user", "content": "q"}], "tools": []}, "preferred_output": [{"role": "assistant", "content": "a"}],
         "non_preferred_output": [{"role": "assistant", "content": "b"}]},
        {"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "rejected": "b", "prompt": "p", "system": "s"},
        {"instruction": "i", "input": "j", "output": "o", "system": "s", "history": [["a", "b"]]},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "system": "s", "tools": "[]"},
        {"prompt": "p", "completion": "c"}, {"text": "t"},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image_url", "image_url": {"url": "http://a/b.png"}}]}],
         "reference_answer": "r", "response_format": {}},
    ]  # fmt: skip

    def mutated(value, depth=0):
        if random_.random() < 0.12 and depth:
            return random_.choice(odd)
        if isinstance(value, dict):
            return {key: mutated(one, depth + 1) for key, one in value.items() if random_.random() > 0.05}
        return [mutated(one, depth + 1) for one in value] if isinstance(value, list) else value

    for _ in range(60):
        rows = [mutated(random_.choice(shapes)) for _ in range(12)]
        made = report(read_training("x.jsonl", "\n".join(map(json.dumps, rows)).encode()), words)
        assert made.examples == 12
        for rules in ("classic", "current"):
            assert summary(report(made.file, words, rules=rules))["examples"] == 12
