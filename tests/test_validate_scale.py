"""A large training file is checked piece by piece, and nothing is told otherwise than of a small one."""

from __future__ import annotations

import gzip
import json
import random
import zipfile

import numpy as np
import pytest

from core.errors import DataError
from core.io import checking, validating
from core.io.checking import check_lines
from core.io.counting import count_of
from core.io.line_rows import lines_between
from core.io.plain_lines import is_large, plain_lines
from core.validate.answers import stem_of
from core.validate.merging import contradictions, repeats
from core.validate.piece import Pairs, Rules, held_questions
from core.validate.places import Places, ascending, distinct, taken, without
from core.validate.reading import read_training
from core.validate.report import report, summary
from core.validate.stems import Told, stem_of_all

MODEL, LIMIT = "gpt-3.5-turbo-0125", 60
SAID = "price of a large steel kettle with café isnâ€™t 가격 <|end|> kim@example.com 🙂 blue the sport"
WORDS = SAID.split()
HOSTILE = [
    b"", b"   ", b"{no", b"[1, 2]", b"[]", b"5", b'"words only"', b"null", b"{}", b'{"messages": []}', b'{"messages": 7}', b"[" * 3000,
    b'{"a": ' * 3000, b'{"messages": [{"role": "user", "content": NaN}]}', b'{"price": ' + b"9" * 5000 + b"}", b'{"price": 1e999}',
    b'{"messages": [{"role": "user", "content": "a\\ud83d b"}, {"role": "assistant", "content": "c"}]}', b"\xef\xbb\xbf{}", b"\xff\xfe\x00",
    b'{"messages": [{"role": "user", "role": "assistant", "content": "twice"}]}', b'{"messages": [{"role": ["x"], "content": {"a": 1}}, 4]}',
    b'{"prompt": ["a", {"role": "user", "content": null}], "completion": 5}', b'{"conversations": [{"from": null, "value": [1]}, 8]}',
    b'{"instruction": {"a": 1}, "input": 3, "output": null, "history": 4}', b'{"input": 5, "preferred_output": 6, "non_preferred_output": 7}',
    b'{"chosen": null, "rejected": [1, {}], "prompt": 3}', b'{"text": "only text"}', b'{"a": 1} {"b": 2}', b"\x00\x01\x02",
    b'{"messages": [{"role": "assistant", "content": "", "tool_calls": [{"id": {}, "function": 5}]}], "tools": {"a": [1]}}',
    b'{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": 7}, 3]}], "functions": [null, 2]}', b"\xa0\xc2\xa0",
]  # fmt: skip


def chat_line(random_: random.Random) -> dict:
    said = " ".join(random_.choices(WORDS, k=random_.randint(0, 9)))
    answer = random_.choice(
        ["Price is $", f"Price is ${random_.randint(1, 9)}.00", "Price is $nan", "", f"Price is ${random_.randint(1, 4)}.99"]
    )
    before = [{"role": "system", "content": "Be brief"}] if random_.random() < 0.7 else []
    return {"messages": [*before, {"role": "user", "content": said}, {"role": "assistant", "content": answer}]}


def other_line(random_: random.Random) -> dict | str:
    said = " ".join(random_.choices(WORDS, k=4))
    return random_.choice([
        {"prompt": said, "completion": "sport"}, {"instruction": said, "output": "large"}, {"text": said},
        {"conversations": [{"from": "human", "value": said}, {"from": "gpt", "value": "kettle"}]},
        {"input": {"messages": [{"role": "user", "content": said}]}, "preferred_output": [{"role": "assistant", "content": "a"}],
         "non_preferred_output": [{"role": "assistant", "content": random_.choice("ab")}]},
        {"messages": [{"role": "user", "content": said}], "reference_answer": "9"}, {"messages": [{"role": "user", "content": said}]},
    ])  # fmt: skip


def lines_of(seed: int, n: int = 140) -> bytes:
    """Good lines of one format or another with others, hostile ones and all line ends among them."""
    random_ = random.Random(seed)
    main = [chat_line, other_line, lambda r: {"prompt": f"{r.choice(WORDS)} ->", "completion": r.choice(WORDS)},
            lambda r: {"messages": [{"role": "user", "content": r.choice(WORDS)}], "answer": r.choice(WORDS)}, chat_line][seed % 5]  # fmt: skip
    made = []
    for _ in range(n):
        dice = random_.random()
        line = random_.choice(HOSTILE) if dice < 0.25 else json.dumps(
            (other_line if dice < 0.3 else main)(random_), ensure_ascii=random_.random() < 0.5
        ).encode()  # fmt: skip
        made.append(line + (b"\r\n" if random_.random() < 0.1 else b"\n"))
    return (b"\xef\xbb\xbf" if seed % 3 == 0 else b"") + b"".join(made) + (b'{"messages": [{"role"' if seed % 2 else b"")


def told(made) -> dict:
    """Everything a report says, as plain values."""
    file = made.file
    return {
        "rows": list(file.rows), "lines": list(file.lines), "unreadable": list(file.unreadable), "notes": file.notes, "size": file.size,
        "repeated": list(file.repeated), "detection": made.detection, "chats": list(made.chats), "epochs": made.epochs, "rules": made.rules,
        "model": made.model, "findings": {name: list(places) for name, places in made.findings.items()},
        "tokens": {name: value.tolist() if hasattr(value, "tolist") else value for name, value in vars(made.tokens).items()},
        "checks": [{name: list(value) if isinstance(value, (tuple, Places)) else value for name, value in vars(check).items()}
                   for check in made.checks],
        "summary": summary(made),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("rules", ["current", "classic"])
def test_a_file_in_pieces_cut_anywhere_gives_the_report_of_the_whole(home, tmp_path, seed, rules):
    data = lines_of(seed)
    path = tmp_path / "train.jsonl"
    path.write_bytes(data)
    count = count_of(MODEL)
    whole = told(report(read_training(path.name, data), count, model=MODEL, max_tokens=LIMIT, rules=rules))
    for piece in (67, 1000, len(data)):
        made = check_lines(plain_lines(path), Rules(MODEL, LIMIT, rules), workers=1, piece=piece)
        assert told(made) == whole


def test_two_workers_give_the_report_of_one(home, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(lines_of(4, 400))
    found = []
    whole = check_lines(plain_lines(path), Rules(MODEL, LIMIT), workers=1, say=lambda *one: found.append((one[0], dict(one[2]))))
    assert told(check_lines(plain_lines(path), Rules(MODEL, LIMIT), workers=2, piece=5000)) == told(whole)
    assert found[-1][0] == path.stat().st_size
    assert found[-1][1]["unreadable_line"] == len(whole.file.unreadable)


def test_the_files_of_these_tests_hold_every_kind_of_finding_that_needs_the_whole_file():
    found = set()
    for seed in range(15):
        found |= set(report(read_training("x.jsonl", lines_of(seed)), count_of(MODEL), model=MODEL, max_tokens=LIMIT).findings)
    wanted = {"duplicate_example", "conflicting_answers", "answer_in_prompt", "answer_without_information", "mixed_formats", "no_format",
              "not_hosted_format", "too_long", "repeated_key", "encoding_damage", "special_token", "missing_system"}  # fmt: skip
    assert wanted <= found, wanted - found


def test_questions_of_other_files_are_found_by_fingerprint(home, tmp_path):
    data, other = lines_of(4), list(read_training("y.jsonl", lines_of(9)).rows)
    path = tmp_path / "train.jsonl"
    path.write_bytes(data)
    whole = report(read_training(path.name, data), count_of(MODEL), model=MODEL, max_tokens=LIMIT, others=[other])
    held = held_questions(other, "chat")
    made = check_lines(plain_lines(path), Rules(MODEL, LIMIT, held=True), held=held, workers=1, piece=900)
    assert whole.findings["leak"]
    assert told(made) == told(whole)


def test_a_file_that_turns_out_otherwise_than_its_sample_is_looked_at_again(home, tmp_path, monkeypatch):
    """The first lines are chats whose answers stop at "Price is $", the many after them questions without an answer."""
    monkeypatch.setattr(checking, "_SAMPLES", 1)
    monkeypatch.setattr(checking, "_SAMPLE", 1000)
    before = [
        {"messages": [{"role": "user", "content": f"q {i} sport"}, {"role": "assistant", "content": f"Price is ${i or ''}"}]}
        for i in range(40)
    ]
    after = [{"messages": [{"role": "user", "content": f"which {i}"}], "answer": f"the sport {i}"} for i in range(400)]
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(map(json.dumps, [*before, *after])))
    looks = []
    made = check_lines(plain_lines(path), Rules(MODEL, LIMIT), workers=1, piece=5000, say=lambda done, total, found: looks.append(done))
    assert looks.count(path.stat().st_size) > 1
    assert told(made) == told(report(read_training(path.name, path.read_bytes()), count_of(MODEL), model=MODEL, max_tokens=LIMIT))


def test_rows_are_read_when_asked_for_and_a_changed_file_is_noticed(home, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(lines_of(4))
    made = check_lines(plain_lines(path), Rules(MODEL, LIMIT), workers=1)
    rows = read_training(path.name, path.read_bytes()).rows
    assert (made.file.rows[3], made.file.rows[-1], made.file.rows[2:5]) == (rows[3], rows[-1], list(rows[2:5]))
    with pytest.raises(IndexError):
        made.file.rows[len(rows)]
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(DataError, match="changed or removed"):
        made.file.rows[0]


@pytest.mark.parametrize("kind", ["gz", "zip", "utf-16", "list", "list.gz", "txt"])
def test_what_is_no_plain_file_of_lines_is_rewritten_once_and_removed_after(home, tmp_path, kind):
    data = lines_of(4)
    values = list(read_training("x.jsonl", data).rows)
    data = {"utf-16": data.decode("utf-8", errors="replace").encode("utf-16"), "txt": b"one\n\n two \r\nthree"}.get(kind, data)
    if kind.startswith("list"):
        data = json.dumps(values, indent=1).encode()
    name = {"zip": "x.zip", "txt": "x.txt"}.get(kind, "x.jsonl.gz" if kind.endswith("gz") else "x.json")
    path = tmp_path / name
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("x.jsonl", data)
    else:
        path.write_bytes(gzip.compress(data, mtime=0) if kind.endswith("gz") else data)
    source = plain_lines(path)
    made = check_lines(source, Rules(MODEL, LIMIT), workers=1, piece=3000)
    whole = report(read_training(name, path.read_bytes()), count_of(MODEL), model=MODEL, max_tokens=LIMIT)
    assert told(made) == told(whole)
    assert any((home / "checked").iterdir()) == (kind != "txt") if (home / "checked").exists() else kind == "txt"
    del made, source
    assert not (home / "checked").exists() or not any((home / "checked").iterdir())


def test_the_command_and_the_page_take_large_files_in_pieces_and_small_ones_whole(home, tmp_path, monkeypatch):
    from core.io import large_training
    from core.io import plain_lines as opening

    path = tmp_path / "train.jsonl"
    path.write_bytes(lines_of(4))
    assert not is_large(path)
    small = validating.checked(str(path), model=MODEL, max_tokens=LIMIT)
    monkeypatch.setattr(opening, "LARGE", 1000)
    monkeypatch.setattr(large_training, "LARGE", 1000)
    assert is_large(path)
    large = validating.checked(str(path), model=MODEL, max_tokens=LIMIT, workers=1)
    assert isinstance(small.file.rows, tuple)
    assert not isinstance(large.file.rows, tuple)
    assert told(large) == told(small)
    upload = large_training.open_upload("train.jsonl", path.read_bytes())
    assert told(large_training.check_large(upload, model=MODEL, max_tokens=LIMIT, workers=1)) == told(small)
    table = tmp_path / "table.csv"
    table.write_text("prompt,completion\n" + "a,b\n" * 1000)
    assert not is_large(table)


def test_a_large_version_is_checked_without_its_table_in_memory(home, monkeypatch):
    from core.io import large_training
    from tests.test_validate import version

    one = version(rows=200)
    file, others = validating.of_version(one)
    whole = validating.check(file, others, model=MODEL, max_tokens=LIMIT)
    monkeypatch.setattr(large_training, "ROWS", 30)
    monkeypatch.setattr(large_training, "LARGE", 10)
    made = validating.checked(one.id, model=MODEL, max_tokens=LIMIT, workers=1)
    assert not isinstance(made.file.rows, tuple)
    assert told(made) == told(whole)


# --- the parts -------------------------------------------------------------------------------------------------------


def test_every_line_belongs_to_one_span_wherever_it_is_cut(tmp_path):
    path = tmp_path / "x"
    random_ = random.Random(1)
    data = b"\n".join(b"x" * random_.choice([0, 1, 3, 40]) for _ in range(200))
    path.write_bytes(data)
    for size in (1, 2, 3, 7, 50, 10_000):
        with open(path, "rb") as file:
            parts = [lines_between(file, start, min(start + size, len(data)), 0)[1] for start in range(0, len(data), size)]
        assert b"".join(parts) == data
        assert all(part.endswith(b"\n") for part in parts[:-1] if part and part is not parts[-1]) or size == 1


def test_the_stem_of_pieces_is_the_stem_of_the_whole():
    random_ = random.Random(2)
    for _ in range(400):
        pool = random_.choice([["Price is $", "Price is $1", "Price is $2.5", "no"], ["yes", "no"], ["It is: a", "It is: ", "It is: b"], ["same"],
                               ["A: x", "A: y", "B"], ["-", "-1", "- 2"], ["x" * 61 + "$", "x" * 61 + "$1"], ["", "  "]])  # fmt: skip
        answers = [random_.choice(pool) for _ in range(random_.randint(0, 30))]
        cuts = sorted(random_.choices(range(len(answers) + 1), k=3))
        pieces = [answers[a:b] for a, b in zip([0, *cuts], [*cuts, len(answers)], strict=True)]
        assert stem_of_all([Told.of(piece) for piece in pieces]) == stem_of(answers), answers


def test_repeats_and_contradictions_of_fingerprints():
    prints = np.array([5, 7, 5, 9, 7, 5], dtype=np.uint64)
    assert repeats(prints).tolist() == [2, 4, 5]
    question = np.array([1, 2, 1, 3, 2, 2], dtype=np.uint64)
    answer = np.array([8, 8, 8, 8, 9, 8], dtype=np.uint64)
    pairs = Pairs(np.arange(6), question, answer, answer, np.array([True] * 6), np.empty(0, np.uint64))
    assert contradictions(pairs).tolist() == [1, 4, 5]
    assert contradictions(Pairs(*(np.empty(0, np.uint64) for _ in range(4)), np.empty(0, bool), np.empty(0, np.uint64))).tolist() == []


def test_places_are_a_tuple_in_all_but_memory():
    places = Places([3, 1, 3, 2])
    assert places == (3, 1, 3, 2)
    assert places != (1, 2)
    assert (places[0], places[-1], places[1:3], len(places), bool(Places())) == (3, 2, Places([1, 3]), 4, False)
    assert distinct(places) == distinct((3, 1, 3, 2)) == (3, 1, 2)
    assert taken((10, 11, 12, 13), places) == taken((10, 11, 12, 13), (3, 1, 3, 2)) == (13, 11, 13, 12)
    assert list(without(places, (3,))) == list(without([3, 1, 3, 2], [3])) == [1, 2]
    assert ascending(places) == ascending([3, 1, 3, 2]) == [1, 2, 3]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-3.5-turbo"])
def test_counting_by_words_gives_the_tokens_of_the_encoding(model):
    from core.io.word_counting import by_words

    random_ = random.Random(5)
    bits = ["a", "B", "é", "가", "1", "234", " ", "  ", "\n", "\t", "'s", "'LL", "/", "-", "!?", "\u3000", "\xa0", "\x85", "\x1c", "🙂", "hello", "World",
            "12345", "\r\n", "\u2028", " \n", "_", "<|end|>", "日本", "\u0301", "x" * 40]  # fmt: skip
    texts = [
        "".join(random_.choice(bits) + (" " if random_.random() < 0.4 else "") for _ in range(random_.randint(0, 14)))
        for _ in range(20_000)
    ]
    count = count_of(model)
    fast = by_words(count)
    assert fast(texts) == count(texts)
    assert fast(texts[:100]) == count(texts[:100])


def test_rows_of_one_shape_have_the_same_problems_whatever_they_say():
    from core.validate.piece import shape_of
    from core.validate.row_rules import row_problems

    random_ = random.Random(6)
    known = {}
    for _ in range(3000):
        said = [random_.choice(["", " ", "a", "<|end|>", "nan", "9", "[]"]) for _ in range(random_.randint(1, 4))]
        roles = ["system", "developer", "user", "assistant", "tool", "function", "Human", ""]
        row = {"messages": [{"role": random_.choice(roles), "content": one} for one in said]}
        shape = shape_of(row)
        assert shape is not None
        assert known.setdefault(shape, row_problems(row, "chat")) == row_problems(row, "chat")
    for odd in (
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [], "a": 1},
        {"messages": ["x"]},
        {"messages": [{"role": "user"}]},
    ):
        assert shape_of(odd) is None


# --- the page --------------------------------------------------------------------------------------------------------


def small_is_large(monkeypatch):
    from core.io import large_training
    from core.io import plain_lines as opening

    monkeypatch.setattr(opening, "LARGE", 3000)
    monkeypatch.setattr(large_training, "LARGE", 3000)


def test_a_large_upload_is_checked_in_pieces_and_its_examples_are_read_from_disk(home, monkeypatch):
    from tests.test_validate import good, jsonl
    from tests.test_validate_page import numbers, said, upload

    small_is_large(monkeypatch)
    at = upload(jsonl(good()) + b"{no\n" + jsonl(good(1)))
    assert numbers(at)["Examples"] == "61"
    assert "1 line cannot be read" in said(at)
    assert "1 example repeats an earlier one" in said(at)
    assert "What is thing 0 worth?" in str(at.dataframe[1].value["question"].tolist())
    assert not [one for one in at.button if str(one.key).startswith("validate_fix_")], "a large file is not mended in memory"
    assert len(list((home / "checked").iterdir())) == 1


def test_a_file_of_this_machine_is_checked_where_it_stands_large_or_small(home, tmp_path, monkeypatch):
    from tests.test_validate import good, jsonl
    from tests.test_validate_page import app, numbers, said

    path = tmp_path / "train.jsonl"
    path.write_bytes(jsonl(good(20)))
    at = app(validate_view="A file").run()
    at.text_input(key="validate_path").set_value(str(path)).run()
    assert not at.exception
    assert numbers(at)["Examples"] == "20"
    small_is_large(monkeypatch)
    path.write_bytes(jsonl(good(60)))
    at.run()
    assert numbers(at)["Examples"] == "60"
    assert not any((home / "checked").iterdir()), "it is read where it stands"
    at.text_input(key="validate_path").set_value(str(tmp_path / "none.jsonl")).run()
    assert "is no file on this machine" in said(at)
    assert not at.exception


def test_the_progress_of_a_check_tells_what_was_found_so_far_the_gravest_first():
    from ui.validate_large import progress

    told = progress(50 << 20, 100 << 20, {"email": 900, "unreadable_line": 1, "empty_answer": 4, "special_token": 0})
    assert told == "50.0 MiB of 100.0 MiB checked: 4 examples have an empty answer, 1 line cannot be read and 1 more"
    assert progress(1 << 20, 1 << 21, {}).endswith("checked, nothing found so far")
