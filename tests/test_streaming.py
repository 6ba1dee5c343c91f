"""Large files come in piece by piece and are what the reader of small files makes of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from core.errors import DataError
from core.io import importing, jobs, parts, pieces, store, streaming
from core.load.read import ReadOptions, read
from core.load.roles import guess
from core.version import Roles
from tests.doubles import shared

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
CELL = some.one_of(
    some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff\x1f\x1c\x1d\x1e\x85"), max_size=8),
    some.sampled_from(
        ["", "1", "2.5", "007", "NA", "-3", "12345678901234567890", "1e5", " 4 ", "+5", 'a "b" c', "x\ny", "x\r\ny", '"', "0"]
    ),
)


def streamed(path: Path, options: ReadOptions | None = None, **more: Any) -> tuple[pd.DataFrame, streaming.Streamed, pd.DataFrame]:
    """(rows, report, rejects) of a file read piece by piece."""
    target, bad = path.with_name("out.parquet"), path.with_name("bad.parquet")
    made = streaming.stream(parts.locate(str(path)), options or ReadOptions(), target, bad, **more)
    rejects = pd.read_parquet(bad) if bad.exists() else pd.DataFrame({"line": [], "reason": [], "text": []})
    return pq.read_table(target).to_pandas(), made, rejects


def same(big: pd.DataFrame, small: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(big, pq.read_table(written(small)).to_pandas())


def written(frame: pd.DataFrame) -> io.BytesIO:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None), out)
    out.seek(0)
    return out


def compare(path: Path, data: bytes, options: ReadOptions) -> None:
    """Both readers give the same rows and the same rejects, or both refuse."""
    path.write_bytes(data)
    try:
        small = read(path.name, data, options)
    except DataError:
        with pytest.raises(DataError):
            streamed(path, options)
        return
    big, made, rejects = streamed(path, options)
    same(big, small.frame)
    assert [(r.line, r.reason, r.text) for r in small.rejects] == list(rejects.itertuples(index=False, name=None))
    assert made.rows == len(small.frame)


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(
    rows=some.integers(1, 4).flatmap(lambda n: some.lists(some.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=12)),
    block=some.sampled_from([16, 40, 100, 1 << 20]),
    ends=some.sampled_from(["\n", "\r\n"]),
)
def test_a_table_in_blocks_of_any_size_is_the_table_read_at_once(
    rows: list[list[str]], block: int, ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "BLOCK", block)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=ends)
    writer.writerows([[f"c{i}" for i in range(len(rows[0]))], *rows])
    compare(tmp_path / "t.csv", out.getvalue().encode(), ReadOptions(encoding="utf-8", separator=",", quotes="double"))


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(
    lines=some.lists(some.text(some.sampled_from('ab1,,""" \n'), max_size=12), min_size=1, max_size=15),
    block=some.sampled_from([8, 30, 1 << 20]),
    quotes=some.sampled_from(["double", "none", "backslash"]),
)
def test_ragged_and_badly_quoted_lines_are_told_alike(
    lines: list[str], block: int, quotes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "BLOCK", block)
    data = ("x,y\n" + "\n".join(lines) + "\n").encode()
    compare(tmp_path / "t.csv", data, ReadOptions(encoding="utf-8", separator=",", quotes=quotes))


@settings(max_examples=80, deadline=None, suppress_health_check=QUIET)
@given(
    records=some.lists(
        some.one_of(
            some.dictionaries(
                some.sampled_from(["a", "b", "c"]),
                some.one_of(
                    some.none(), some.booleans(), some.integers(-5, 2**60), some.floats(allow_nan=False, allow_infinity=False), CELL
                ),
                min_size=1,
            ),
            some.just("broken"),
        ),
        min_size=1,
        max_size=12,
    ),
    block=some.sampled_from([16, 64, 1 << 20]),
)
def test_json_lines_in_blocks_are_the_lines_read_at_once(
    records: list[Any], block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "BLOCK", block)
    lines = [json.dumps(one, ensure_ascii=False) if isinstance(one, dict) else "{broken" for one in records]
    compare(tmp_path / "t.jsonl", "\n".join(lines).replace("\x85", "").encode(), ReadOptions(encoding="utf-8", shapes=False))


def csv_file(path: Path, rows: int = 400, tail: str = "") -> Path:
    path.write_text(
        "id,text,price\n" + "".join(f"{i},a listing of thing {i},{i * 1.5:.2f}\n" for i in range(rows)) + tail, encoding="utf-8"
    )
    return path


def test_a_cell_of_another_kind_far_down_makes_the_whole_column_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 1000)
    frame, made, _ = streamed(csv_file(tmp_path / "t.csv", tail="007,last,from 12.99\n"))
    assert frame["price"].tolist()[:2] == ["0.00", "1.50"]
    assert frame["id"].tolist()[-2:] == ["399", "007"]
    assert made.passes == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_other_encodings_are_streamed_as_they_are_read(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 777)
    path = tmp_path / "t.csv"
    path.write_bytes(("제목,평점\n" + "".join(f'"영화가 정말\n재미있다 {i}",{i % 5}\n' for i in range(200))).encode(encoding))
    frame, _, _ = streamed(path)
    same(frame, read("t.csv", path.read_bytes()).frame)


def test_a_byte_that_is_not_of_the_encoding_is_named_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 1000)
    path = csv_file(tmp_path / "t.csv")
    path.write_bytes(path.read_bytes() + b"9,caf\xe9,1\n")
    with pytest.raises(DataError, match="line 402: the byte 0xe9 is not UTF-8"):
        streamed(path, ReadOptions(encoding="utf-8"))
    monkeypatch.setattr(pieces, "HEAD", 2000)
    with pytest.raises(DataError, match="line 402: the byte 0xe9 is not CP949"):
        streamed(path, ReadOptions(encoding="cp949"))
    frame, made, _ = streamed(path)
    assert frame["text"].tolist()[-1] == "café"
    assert (made.encoding, len(frame)) == ("windows-1252", 401)


def test_gzip_and_zip_are_unpacked_on_the_way_and_damage_is_told(tmp_path: Path) -> None:
    plain = csv_file(tmp_path / "t.csv").read_bytes()
    (tmp_path / "u.csv.gz").write_bytes(gzip.compress(plain, mtime=0))
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as packed:
        packed.writestr("in/t.csv", plain)
    want = read("t.csv", plain).frame
    same(streamed(tmp_path / "u.csv.gz")[0], want)
    same(streamed(tmp_path / "v.zip")[0], want)
    (tmp_path / "w.csv.gz").write_bytes(gzip.compress(plain * 50, mtime=0)[:-100])
    with pytest.raises(DataError, match="ends too early"):
        streamed(tmp_path / "w.csv.gz")


def test_first_rows_stop_early(tmp_path: Path) -> None:
    assert len(streamed(csv_file(tmp_path / "t.csv"), ReadOptions(rows=7))[0]) == 7


def test_parquet_and_arrow_come_in_with_their_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["x", None, "z"], "n": [1, 2, 3], "l": [["p"], ["q", "r"], None], "f": [1.5, None, 2.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_feather(tmp_path / "t.feather")
    table = pa.Table.from_pandas(frame)
    with pa.ipc.new_stream(str(tmp_path / "t.arrow"), table.schema) as out:
        out.write_table(table)
    want = read("t.parquet", (tmp_path / "t.parquet").read_bytes()).frame
    for name in ("t.parquet", "t.feather", "t.arrow"):
        same(streamed(tmp_path / name)[0], want)
        same(read(name, (tmp_path / name).read_bytes()).frame, want)


def test_a_folder_of_parts_is_one_table_typed_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.csv").write_text("id,text\n1,one\n2,two\n")
    (folder / "b.csv").write_text("text,id,extra\nthree,003,x\n,4\n")
    (folder / "README.md").write_text("about")
    made = streaming.stream(parts.locate(str(folder)), ReadOptions(), tmp_path / "o.parquet", tmp_path / "r.parquet")
    frame = pd.read_parquet(tmp_path / "o.parquet")
    assert frame["id"].tolist() == ["1", "2", "003"]
    assert frame["file"].tolist() == ["a.csv", "a.csv", "b.csv"]
    assert [None if v != v else v for v in frame["extra"].tolist()] == [None, None, "x"]
    assert pd.read_parquet(tmp_path / "r.parquet").to_dict("records") == [
        {"file": "b.csv", "line": 3, "reason": "2 values, the header has 3", "text": ",4"}
    ]
    assert (made.rows, made.rejected) == (3, 1)


@pytest.mark.parametrize("kind", ["xlsx", "json"])
def test_a_folder_of_files_that_are_read_whole(kind: str, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("a", "b"):
        frame = pd.DataFrame({"text": [f"{name} one", f"{name} two"], "n": [1, 2]})
        frame.to_excel(folder / f"{name}.xlsx", index=False) if kind == "xlsx" else frame.to_json(folder / f"{name}.json", orient="records")
    streaming.stream(parts.locate(str(folder)), ReadOptions(), tmp_path / "o.parquet", tmp_path / "r.parquet")
    assert pd.read_parquet(tmp_path / "o.parquet")["n"].tolist() == [1, 2, 1, 2]


def test_a_saved_dataset_gives_its_splits_and_the_names_of_its_labels(home: Path, tmp_path: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    made = {
        name: datasets.Dataset.from_dict({"text": [f"{name} {i}" for i in range(4)], "label": [0, 1, 1, -1]}, features=features)
        for name in ("train", "dev")
    }
    datasets.DatasetDict(made).save_to_disk(str(tmp_path / "saved"))
    place = parts.locate(str(tmp_path / "saved"))
    request = importing.request_for(
        str(tmp_path / "saved"), place, "Saved", ReadOptions(), Roles(("text",), "label", split="split"), "classification"
    )
    job = jobs.start("import", request, title="Import")
    assert job.state == "done", job.error
    one = store.version(job.result["dataset"], job.result["version"])  # type: ignore[index]
    assert dict(one.splits) == {"train": 4, "validation": 4}
    assert store.frame(one)["label"].tolist()[:3] == ["neg", "pos", "pos"]
    assert one.prompt is not None
    assert "neg, pos" in one.prompt.user


@pytest.mark.parametrize(
    ("make", "title"),
    [
        (lambda p: None, "No such file"),
        (lambda p: (p / "x").mkdir(), "No table in the folder"),
        (lambda p: [(p / n).write_text("a,b\n1,2\n") for n in ("a.csv", "b.jsonl")], "Several kinds of files"),
        (lambda p: (p / "dataset_dict.json").write_text('{"splits": ["train"]}'), "The dataset is damaged"),
        (lambda p: (p / "dataset_dict.json").write_text('{"splits": ["../up"]}'), "That name is not possible"),
    ],
)
def test_paths_that_lead_to_no_table_are_refused_with_the_reason(make: Any, title: str, tmp_path: Path) -> None:
    folder = tmp_path / "place"
    if title != "No such file":
        folder.mkdir()
    make(folder)
    with pytest.raises(DataError) as caught:
        parts.locate(str(folder))
    assert caught.value.title == title


def started(path: Path, label: str = "Big", **options: Any) -> jobs.Job:
    place = parts.locate(str(path))
    asked = ReadOptions(**options)
    found = guess(importing.look(place, asked).loaded.frame)
    return jobs.start("import", importing.request_for(str(path), place, label, asked, found.roles, found.task), title=f"Import {label}")


def test_the_job_makes_a_version_with_all_its_rejects_beside_it(home: Path, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", tail="".join(f"odd {i}\n" for i in range(1500)))
    job = started(path, quotes="double")
    assert job.state == "done", job.error
    one = store.version(job.result["dataset"], job.result["version"])  # type: ignore[index]
    assert (one.rows, one.source["rejected"], len(one.source["rejects"])) == (400, 1500, 20)
    kept = store.rejects(one)
    assert kept is not None
    assert pd.read_parquet(kept)["line"].tolist() == list(range(402, 1902))
    assert set(one.files) == {"data.parquet", "rejects.parquet"}
    store.check(one)
    later = store.assign(one, Roles(("text",), None), None, None)
    assert store.rejects(later) == kept
    pd.testing.assert_frame_equal(store.frame(later), store.frame(one))


def test_the_same_file_by_either_road_is_the_same_version(home: Path, tmp_path: Path) -> None:
    from core.io import reading

    path = csv_file(tmp_path / "t.csv")
    first = started(path)
    loaded = read(path.name, path.read_bytes())
    found = guess(loaded.frame)
    again = reading.add("Other", path.name, loaded, reading.sha256(path.read_bytes()), ReadOptions(), found.roles, found.task)
    assert (again.dataset, again.id) == (first.result["dataset"], first.result["version"])  # type: ignore[index]
    assert started(path).result["version"] == again.id  # type: ignore[index]
    assert len(store.datasets()[0].versions) == 1


def test_a_job_that_fails_or_is_stopped_leaves_nothing_behind(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv_file(tmp_path / "t.csv")
    place = parts.locate(str(path))
    request = importing.request_for(str(path), place, "Big", ReadOptions(), Roles(("text",), split="id"), None)
    job = jobs.start("import", request, title="Import")
    assert job.error is not None
    assert job.error["title"] == "That is not a split"
    monkeypatch.setattr("core.io.work.Desk.stopped", lambda self: True)
    assert jobs.start("import", {**request, "roles": Roles().to_dict()}, title="Import").state == "cancelled"
    assert not store.datasets()
    assert not list((home / "jobs").rglob("*.parquet"))


def test_a_killed_job_begins_anew_and_saves_once(child_jobs: Path, tmp_path: Path) -> None:
    import os
    import signal
    import time

    path = csv_file(tmp_path / "t.csv", rows=300_000)
    place = parts.locate(str(path))
    request = importing.request_for(str(path), place, "Big", ReadOptions(), Roles(("text",), "price"), "regression")
    job = jobs.start("import", request, title="Import")
    deadline = time.monotonic() + 240
    while not (job.folder / "rows").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(int((job.folder / "pid").read_text()), signal.SIGKILL)
    while jobs.read(job.id).alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not store.datasets()
    jobs.resume(job.id)
    while jobs.read(job.id).alive and time.monotonic() < deadline:
        time.sleep(0.1)
    assert jobs.read(job.id).state == "done"
    assert [one.rows for one in store.datasets()[0].versions] == [300_000]
    assert not (job.folder / "rows").exists()


def test_the_first_look_is_taken_in_a_child_and_says_about_how_many_rows_there_are(child_jobs: Path, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", rows=400_000)
    look = importing.look(parts.locate(str(path)))
    assert not look.exact
    assert 320_000 < look.rows < 480_000
    assert len(look.loaded.frame) == importing.ROLES
    assert look.loaded.frame["price"].dtype == "float64"


def test_chats_in_pieces_are_taken_apart_with_a_system_message_that_comes_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 500)
    chats = [{"messages": [{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": f"a{i}"}]} for i in range(50)]
    chats[40]["messages"].insert(0, {"role": "system", "content": "Be brief."})
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(map(json.dumps, chats)))
    frame, _, _ = streamed(path)
    assert frame["answer"].tolist() == [f"a{i}" for i in range(50)]
    assert frame["system"].dropna().tolist() == ["Be brief."]


def test_a_real_archive_gives_the_same_rows_by_either_road(tmp_path: Path) -> None:
    path = shared("pricer/products.csv.gz")
    made = streaming.stream(parts.locate(str(path)), ReadOptions(), tmp_path / "o.parquet", tmp_path / "r.parquet")
    same(pq.read_table(tmp_path / "o.parquet").to_pandas(), read(path.name, path.read_bytes()).frame)
    assert (made.rows, made.rejected) == (8915, 0)
