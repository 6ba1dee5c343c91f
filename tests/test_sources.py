"""Datasets of the Hub and of Kaggle, read through loopback servers, and tables that are made up."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.errors import SettingsError, StudioError
from core.evaluate.answers import answers_of
from core.evaluate.metrics import value_of
from core.io import fetching, jobs, kaggle, store
from core.io.jobs import Job
from core.io.sources import hub
from core.io.sources.wish import Wish
from core.io.sources.wish import look as look_at
from core.io.testing import run_predictor
from core.load import synthetic
from core.load.condition import Condition, kept
from core.load.joining import joined
from core.load.repository import Entry, pick, repository_id, tables
from core.load.synthetic import PRESETS, SPLIT, Description, make
from core.load.synthetic_columns import Column
from core.load.synthetic_faults import Faults
from core.reading import read_amount
from tests.hub_server import Hub, parquet
from tests.kaggle_server import NOWHERE, Kaggle, point
from tests.kaggle_server import TOKEN as KAGGLE_TOKEN

SECRET = "hf_typed_for_this_session_only"
AMAZON = "McAuley-Lab/Amazon-Reviews-2023"
PRICES = ["$12.50", "12.5", "None", "1,299.00", None]


@pytest.fixture
def online(home: Path, monkeypatch: pytest.MonkeyPatch):
    with Hub() as server:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr(hub, "WAIT", 1.0)
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def products(name: str, rows: int, row_group: int = 100) -> bytes:
    frame = pd.DataFrame(
        {
            "title": [f"{name} number {i}" for i in range(rows)],
            "price": [PRICES[i % 5] for i in range(rows)],
            "features": [["sturdy", f"{i} parts"] for i in range(rows)],
            "details": [{"Brand": "Acme", "rank": i} for i in range(rows)],
        }
    )
    return parquet(frame, row_group)


def amazon(server: Hub, rows: int = 60) -> None:
    found = {f"raw_meta_Appliances/full-0000{n}-of-00002.parquet": products(f"kettle {n}", rows) for n in range(2)}
    found |= {"raw_meta_All_Beauty/full-00000-of-00001.parquet": products("brush", 40), "Amazon-Reviews-2023.py": b"raise SystemExit"}
    found["raw/review_categories/Appliances.jsonl"] = b'{"rating": 5.0, "text": "good"}\n' * 30
    server.repo(AMAZON, found)


def wish(id: str, configs: tuple[str, ...] = ("default",), splits: tuple[str, ...] = (), **more) -> Wish:
    return Wish(id, hub.describe(id, own=True).commit, configs, splits, **more)


def fetch(one: Wish, environment: dict[str, str] | None = None, label: str = "fetched", **roles) -> Job:
    request = {"source": "hub", "wish": one.to_dict(), "label": label, "roles": roles, "task": None}
    return jobs.start("fetch", request, title="Fetch", environment=environment)


def rows_of(job: Job) -> pd.DataFrame:
    assert job.state == "done", job.error
    return store.frame(store.version(job.result["dataset"], job.result["version"]))


# What a repository holds


def layout(*paths: str, card: dict | None = None) -> dict[tuple[str, str], list[str]]:
    found = tables([Entry(path, 10) for path in paths], card)
    return {(table.config, table.split): [file.path for file in table.files] for table in found}


def test_folders_of_shards_are_configurations_and_names_of_splits_are_splits():
    found = layout(
        "raw_meta_Appliances/full-00001-of-00002.parquet", "raw_meta_Appliances/full-00000-of-00002.parquet", "README.md",
        "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet", "en/validation/0000.parquet", "en/partial-train/0000.parquet",
    )  # fmt: skip
    assert list(found) == [
        ("default", "train"), ("default", "test"), ("en", "train"), ("en", "validation"), ("raw_meta_Appliances", "full"),
    ]  # fmt: skip
    assert found["raw_meta_Appliances", "full"] == [f"raw_meta_Appliances/full-0000{n}-of-00002.parquet" for n in range(2)]


def test_other_formats_are_offered_after_parquet_and_files_about_the_data_are_not():
    found = layout(
        "en/b.parquet", "raw/meta.jsonl.gz", "train.csv", "test.csv", "dataset_infos.json", ".gitattributes", "x/.hidden.csv", "a.txt"
    )
    assert list(found) == [("en", "train"), ("default", "train"), ("default", "test"), ("raw/meta", "train")]
    assert found["default", "train"] == ["train.csv"]


@pytest.mark.parametrize(
    ("data_files", "data_dir", "want"),
    [
        ("d/*.parquet", "", {("en", "train"): ["d/a.parquet"]}),
        ("d/**", "", {("en", "train"): ["d/a.parquet", "d/e/b.parquet"]}),
        ([{"split": "test", "path": ["e/b.parquet"]}, {"split": "train", "path": "a.*"}], "d",
         {("en", "test"): ["d/e/b.parquet"], ("en", "train"): ["d/a.parquet"]}),
    ],
)  # fmt: skip
def test_the_card_names_configurations_and_their_files(data_files, data_dir, want):
    card = {"configs": [{"config_name": "en", "data_files": data_files, "data_dir": data_dir}]}
    found = layout("d/a.parquet", "d/e/b.parquet", card=card)
    assert {key: paths for key, paths in found.items() if key[0] == "en"} == want
    assert sorted(path for paths in found.values() for path in paths) == ["d/a.parquet", "d/e/b.parquet"]


@pytest.mark.parametrize(
    "card", [{"configs": "x"}, {"configs": [1, None]}, {"configs": [{"config_name": 1, "data_files": {"a": 1}}]}, {"configs": None}]
)
def test_a_card_that_says_nothing_of_use_changes_nothing(card):
    assert layout("a.parquet", card=card) == layout("a.parquet")


@settings(max_examples=150, deadline=None)
@given(some.lists(some.text(alphabet="ab/._-*0é", min_size=1, max_size=12).map(lambda s: s + ".parquet"), max_size=8, unique=True))
def test_every_readable_file_is_in_exactly_one_table_whatever_its_name(paths):
    found = [path for group in layout(*paths).values() for path in group]
    assert len(found) == len(set(found))
    assert set(found) == {path for path in paths if not any(part.startswith(".") for part in path.split("/"))}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (f" {AMAZON} ", (AMAZON, None)),
        (f"https://huggingface.co/datasets/{AMAZON}/tree/main/raw", (AMAZON, "main")),
        (f"hf://datasets/{AMAZON}@v1", (AMAZON, "v1")),
        ("squad", ("squad", None)),
    ],
)
def test_an_id_an_address_and_a_revision_are_understood(text, want):
    assert repository_id(text) == want


@pytest.mark.parametrize("text", ["", "a b", "../x", "a/b/c", "-x/y", "a" * 200])
def test_what_names_no_dataset_is_refused(text):
    with pytest.raises(SettingsError, match="names no dataset"):
        repository_id(text)


def test_a_wrong_configuration_or_split_is_answered_with_those_that_there_are():
    found = tables([Entry("en/train.parquet", 1), Entry("ko/test.parquet", 1)])
    with pytest.raises(StudioError, match=r"no configuration 'fr'\. There are en, ko"):
        pick(found, ["fr"], [])
    with pytest.raises(StudioError, match=r"'ko' has no split 'train'\. It has test"):
        pick(found, ["ko"], ["train"])


# Rows that are kept, and parts that come together


@settings(max_examples=150, deadline=None)
@given(
    some.lists(some.one_of(some.none(), some.sampled_from(["$12.50", "12.5", "None", "1,299", "from 3", "", "0"]), some.floats(-9, 9).map(str)), max_size=30),
    some.floats(-5, 20), some.floats(0, 1300),
)  # fmt: skip
def test_rows_are_kept_as_if_each_were_judged_alone(cells, low, width):
    table = pa.table({"price": pa.array(cells, pa.string()), "row": list(range(len(cells)))})
    found = kept(table, Condition("price", low=low, high=low + width)).column("row").to_pylist()
    values = [read_amount(cell) for cell in cells]
    assert found == [row for row, value in enumerate(values) if value is not None and low <= value <= low + width]


def test_values_are_compared_as_text_and_a_missing_column_is_named():
    table = pa.table({"stars": [1.0, 2.0, None, 1.0]})
    assert kept(table, Condition("stars", ("1",))).num_rows == 2
    with pytest.raises(StudioError, match=r"'price', which is not a column\. There are stars"):
        kept(table, Condition("price", ("1",)))
    for wrong in ({"column": "x"}, {"column": "x", "low": 2.0, "high": 1.0}, {"column": "", "low": 1.0}):
        with pytest.raises(SettingsError):
            Condition(**wrong)


def test_parts_of_different_columns_and_types_become_one_table_without_losing_a_cell():
    found = joined([
        pa.table({"a": pa.array([1, 2]), "b": pa.array([None, None], pa.null())}),
        pa.table({"b": ["x"], "a": pa.array([1.5])}),
        pa.table({"a": pa.array([7], pa.int32()), "c": [True]}),
    ])  # fmt: skip
    assert found.to_pydict() == {"a": [1.0, 2.0, 1.5, 7.0], "b": [None, None, "x", None], "c": [None, None, None, True]}
    assert joined([pa.table({"a": [1]}), pa.table({"a": ["$3"]})]).to_pydict() == {"a": ["1", "$3"]}


# The Hub


def test_several_categories_become_one_version_with_text_prices_and_a_record_of_their_source(online: Hub):
    amazon(online)
    found = hub.describe(f"https://huggingface.co/datasets/{AMAZON}")
    assert found.configs == ["raw_meta_All_Beauty", "raw_meta_Appliances", "raw/review_categories/Appliances"]
    one = wish(AMAZON, ("raw_meta_Appliances", "raw_meta_All_Beauty"), config_column="category")
    job = fetch(one, text=["title"], target="price", category="category")
    frame = rows_of(job)
    assert frame["category"].tolist() == ["raw_meta_Appliances"] * 120 + ["raw_meta_All_Beauty"] * 40
    assert [cell if cell == cell else None for cell in frame["price"].tolist()[:5]] == PRICES
    assert json.loads(frame["features"].iloc[1]) == ["sturdy", "1 parts"]
    saved = store.version(job.result["dataset"], job.result["version"])
    assert saved.source["revision"] == online.repos[AMAZON].refs["main"]
    assert saved.source["files"][0] == "raw_meta_Appliances/full-00000-of-00002.parquet"
    assert saved.source["rows"] == {"raw_meta_Appliances, full": 120, "raw_meta_All_Beauty, full": 40}
    assert not [path for path in online.paths() if path.endswith(".py")], "no script is asked for"


def test_any_number_of_processes_gives_the_same_rows(online: Hub, monkeypatch: pytest.MonkeyPatch):
    amazon(online)
    one = wish(AMAZON, ("raw_meta_Appliances", "raw_meta_All_Beauty"), config_column="category")
    alone = rows_of(fetch(one, label="one"))
    monkeypatch.setattr(fetching, "workers_for", lambda todo: 2)
    job = fetch(replace(one, asked="main"), label="two")
    pd.testing.assert_frame_equal(rows_of(job), alone)
    assert [(part["name"], part["files"], part["rows"]) for part in job.figures["parts"]] == [
        ("raw_meta_Appliances, full", 2, 120), ("raw_meta_All_Beauty, full", 1, 40),
    ]  # fmt: skip


def test_first_rows_of_a_large_file_fetch_a_small_part_of_it(online: Hub):
    online.repo("lab/large", {"train.parquet": products("thing", 40_000, row_group=1_000)})
    size = len(online.repos["lab/large"].files[online.repos["lab/large"].refs["main"]]["train.parquet"])
    frame = rows_of(fetch(wish("lab/large", rows=25)))
    assert len(frame) == 25
    assert online.bytes < size / 4, f"{online.bytes} of {size} bytes"


def test_columns_and_a_condition_are_applied_while_reading(online: Hub):
    amazon(online)
    one = wish(AMAZON, ("raw_meta_Appliances",), rows=10, columns=("title",), condition=Condition("price", low=10, high=20))
    job = fetch(one)
    frame = rows_of(job)
    assert list(frame.columns) == ["title"]
    assert frame["title"].tolist() == [f"kettle 0 number {i}" for i in range(25) if i % 5 in (0, 1)]
    assert store.datasets()[0].versions[0].source["condition"] == "price from 10.0 to 20.0"


def test_a_revision_is_resolved_to_its_commit_and_old_rows_stay_reachable(online: Hub):
    repo = online.repo("lab/moving", {"train.parquet": products("old", 10)})
    old = repo.refs["main"]
    repo.commit({"train.parquet": products("new", 10)})
    repo.refs["v1"] = old
    assert hub.describe("lab/moving", revision="v1").commit == old
    assert hub.describe("lab/moving@v1").commit == old
    frame = rows_of(fetch(Wish("lab/moving", old, ("default",), ("train",))))
    assert frame["title"].iloc[0] == "old number 0"
    with pytest.raises(StudioError, match="no revision 'v9'"):
        hub.describe("lab/moving", revision="v9")


def test_splits_become_a_column_with_the_role_of_the_split(online: Hub):
    online.repo("lab/split", {"train.parquet": products("a", 20), "validation.parquet": products("b", 6), "test.parquet": products("c", 4)})
    job = fetch(wish("lab/split", split_column="split"), split="split", text=["title"])
    saved = store.version(job.result["dataset"], job.result["version"])
    assert saved.splits == {"train": 20, "validation": 6, "test": 4}


def test_without_parquet_the_converted_copy_is_read_or_the_files_themselves(online: Hub):
    lines = b"".join(b'{"text": "row %d", "price": "$%d.50"}\n' % (i, i) for i in range(3_000))
    repo = online.repo("lab/lines", {"data.jsonl.gz": gzip.compress(lines, mtime=0)})
    own = hub.describe("lab/lines")
    assert (own.converted, own.configs) == (False, ["data"])
    repo.commit({"default/train/0000.parquet": products("copy", 9)}, ref=hub.CONVERTED)
    copy = hub.describe("lab/lines")
    assert (copy.converted, copy.commit) == (True, repo.refs[hub.CONVERTED])
    assert rows_of(fetch(Wish("lab/lines", copy.commit, ("default",), ("train",), converted=True)))["title"].iloc[0] == "copy number 0"
    assert not hub.describe("lab/lines", own=True).converted
    whole = rows_of(fetch(wish("lab/lines", ("data",)), label="whole"))
    assert (len(whole), whole["price"].iloc[-1]) == (3_000, "$2999.50")
    some_rows = rows_of(fetch(wish("lab/lines", ("data",), rows=1_500), label="some"))
    pd.testing.assert_frame_equal(some_rows, whole.head(1_500))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.ndjson", "a.csv.gz"])
def test_every_format_that_is_read_from_disk_is_read_from_the_hub(online: Hub, name: str):
    frame = pd.DataFrame({"text": [f"row, {i}" for i in range(40)], "n": range(40)})
    text = {
        "csv": frame.to_csv(index=False), "tsv": frame.to_csv(index=False, sep="\t"), "json": frame.to_json(orient="records"),
        "ndjson": frame.to_json(orient="records", lines=True),
    }[name.split(".")[1]]  # fmt: skip
    online.repo("lab/any", {name: gzip.compress(text.encode(), mtime=0) if name.endswith(".gz") else text.encode()})
    for rows in (None, 7):
        found = rows_of(fetch(wish("lab/any", ("a",), rows=rows), label=f"{name} {rows}"))
        assert found["n"].tolist() == list(range(rows or 40))
        assert found["text"].iloc[3] == "row, 3"


def test_lines_that_cannot_be_read_are_left_out_and_counted(online: Hub):
    online.repo("lab/odd", {"a.csv": b"x,y\n1,2\n1,2,3\n4,5\n"})
    job = fetch(wish("lab/odd", ("a",)))
    assert len(rows_of(job)) == 2
    source = store.datasets()[0].versions[0].source
    assert (source["rejected"], source["rejects"][0]["line"]) == (1, 3)


def refused(online: Hub, id: str, **how) -> StudioError:
    def read() -> None:
        described = hub.describe(id, **how)
        look_at(Wish(id, described.commit, ("default",), ("train",)), described.tables[0], how.get("token"))

    with pytest.raises(StudioError) as found:
        read()
    return found.value


def test_each_refusal_has_its_own_cause(online: Hub):
    data = {"train.parquet": products("x", 5)}
    online.repo("lab/private", data, private=True, let_in={SECRET})
    online.repo("lab/gated", data, gated=True, let_in={SECRET})
    assert refused(online, "lab/nothing").title == "No such dataset"
    assert "there is no token" in str(refused(online, "lab/private"))
    assert "the token may not see it" in str(refused(online, "lab/private", token="hf_other"))
    assert "Without a token nobody is let in" in str(refused(online, "lab/gated"))
    assert "has not been let in" in str(refused(online, "lab/gated", token="hf_other"))
    assert refused(online, "lab/gated", token="wrong").title == "The token is not accepted"
    for id in ("lab/private", "lab/gated"):
        assert hub.describe(id, token=SECRET).tables


def test_without_a_way_out_the_answer_comes_within_seconds(online: Hub, monkeypatch: pytest.MonkeyPatch):
    for address in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
        monkeypatch.setenv("HF_ENDPOINT", address)
        begun = time.monotonic()
        assert refused(online, "lab/x").title == "No Hub access from here"
        assert time.monotonic() - begun < 30
    monkeypatch.setenv("HF_ENDPOINT", online.url)
    online.down = 3
    assert "answers 503" in str(refused(online, "lab/x"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in str(refused(online, "lab/x"))


def test_a_transfer_that_breaks_once_goes_on_where_it_stopped(online: Hub):
    repo = online.repo("lab/breaks", {"train.parquet": products("x", 4_000)})
    repo.trouble["train.parquet"] = "break"
    assert len(rows_of(fetch(wish("lab/breaks")))) == 4_000
    ranges = [headers["range"] for _, path, headers in online.requests if path.startswith("/cdn/")]
    assert len(ranges) == 2
    assert int(ranges[1].removeprefix("bytes=").split("-")[0]) > 1_000


@pytest.mark.parametrize(
    ("trouble", "title"),
    [("breaks", "The file did not come whole"), ("short", "The file did not come whole"), ("stall", "The file did not come whole"),
     ("swapped", "The file came damaged")],
)  # fmt: skip
def test_a_file_that_does_not_come_whole_adds_nothing_and_says_so(online: Hub, trouble: str, title: str):
    repo = online.repo("lab/bad", {"train.parquet": products("x", 400)})
    repo.trouble["train.parquet"] = trouble
    job = fetch(wish("lab/bad"))
    assert (job.state, job.error and job.error["title"]) == ("failed", title), job.error
    assert not store.datasets()
    assert not (job.folder / "parts").exists()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1 no parquet at all PAR1", b"<html>login</html>"])
def test_a_file_that_is_no_parquet_is_called_damaged(online: Hub, data: bytes):
    online.repo("lab/no", {"train.parquet": data})
    job = fetch(wish("lab/no"))
    assert job.error
    assert job.error["title"] in ("The Parquet file is damaged", "The file is empty")
    assert fetch(wish("lab/no", rows=5)).error


def test_a_wish_for_what_is_not_there_names_what_is(online: Hub):
    amazon(online)
    assert "There are raw_meta_All_Beauty" in fetch(wish(AMAZON, ("raw_meta_Appliance",))).error["message"]
    assert "It has full" in fetch(wish(AMAZON, ("raw_meta_Appliances",), ("train",))).error["message"]
    lost = fetch(wish(AMAZON, ("raw_meta_Appliances",), columns=("title", "prize"))).error["message"]
    assert "no column 'prize'. It has title, price" in lost
    nothing = fetch(wish(AMAZON, ("raw_meta_Appliances",), condition=Condition("price", low=1e6))).error
    assert nothing == {"title": "No rows were kept", "message": "None of 120 rows meets 'price from 1,000,000'. Choose another condition or "
                       "configuration."}  # fmt: skip


def test_the_token_reaches_the_hub_and_nothing_else(online: Hub, child_jobs: Path):
    online.repo("lab/gated", {"train.parquet": products("x", 20)}, gated=True, let_in={SECRET})
    one = Wish("lab/gated", online.repos["lab/gated"].refs["main"], ("default",), ("train",))
    job = fetch(one, {hub.TOKEN: SECRET})
    deadline = time.monotonic() + 240
    while job.alive and time.monotonic() < deadline:
        time.sleep(0.1)
        job = jobs.read(job.id)
    assert job.state == "done", (job.error, (job.folder / "log.txt").read_text())
    asked = [headers.get("authorization") for _, path, headers in online.requests if "/resolve/" in path]
    assert asked
    assert set(asked) == {f"Bearer {SECRET}"}
    assert not [1 for _, path, headers in online.requests if path.startswith("/cdn/") and "authorization" in headers]
    assert not [path for path in child_jobs.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_stopped_fetch_ends_with_its_processes_and_leaves_nothing(online: Hub, child_jobs: Path):
    repo = online.repo("lab/slow", {f"{name}/train.parquet": products(name, 3_000) for name in "ab"})
    repo.trouble.update({f"{name}/train.parquet": "slow" for name in "ab"})
    job = fetch(Wish("lab/slow", repo.refs["main"], ("a", "b"), ("train",), config_column="category"))
    deadline = time.monotonic() + 240
    while not jobs.read(job.id).figures.get("bytes") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert jobs.read(job.id).figures["bytes"] > 0
    jobs.cancel(job.id)
    while jobs.read(job.id).alive and time.monotonic() < deadline:
        time.sleep(0.1)
    assert jobs.read(job.id).state == "cancelled"
    assert not store.datasets()
    asked = len(online.requests)
    time.sleep(1.2)
    assert len(online.requests) == asked


def test_the_same_wish_again_gives_the_version_that_is_there(online: Hub):
    amazon(online)
    one = wish(AMAZON, ("raw_meta_All_Beauty",))
    assert fetch(one).result["version"] == fetch(one).result["version"]
    assert [len(found.versions) for found in store.datasets()] == [1]


# Kaggle


@pytest.fixture
def kaggle_server(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    with Kaggle() as server:
        yield server


def download(handle: str, file: str, version: int = 1) -> Job:
    return jobs.start("fetch", {"source": "kaggle", "handle": handle, "version": version, "file": file}, title="Fetch")


def test_a_file_of_kaggle_comes_into_the_workspace_and_can_be_forgotten(kaggle_server: Kaggle, home: Path):
    data = b"x,y\n" + b"1,2\n" * 5_000
    kaggle_server.add("zillow/zecon", {"sub/a.csv": data, "b.csv": b"x", "c.csv": b"y"}, version=4)
    found = kaggle.listing("https://www.kaggle.com/datasets/zillow/zecon?select=a")
    assert (found.version, found.files) == (4, (("b.csv", 1), ("c.csv", 1), ("sub/a.csv", len(data))))
    job = download("zillow/zecon", "sub/a.csv", 4)
    assert job.state == "done", job.error
    assert kaggle.fetched(dict(job.result)) == data
    assert (job.figures["bytes"], job.step) == (len(data), 1)
    kaggle.forget(dict(job.result))
    assert not list((home / "tmp").glob("kaggle-*"))
    with pytest.raises(StudioError, match="no longer in the workspace"):
        kaggle.fetched(dict(job.result))


def test_a_download_of_kaggle_that_stalls_or_swells_is_given_up(kaggle_server: Kaggle, monkeypatch: pytest.MonkeyPatch):
    kaggle_server.add("me/slow", {"a.csv": b"x,y\n" + b"1,2\n" * 5_000})
    kaggle_server.trouble["a.csv"] = "stall"
    monkeypatch.setattr(kaggle, "QUIET", 0.6)
    assert download("me/slow", "a.csv").error["title"] == "No Kaggle access from here"
    monkeypatch.setattr(kaggle, "MOST_BYTES", 5)
    assert download("me/slow", "a.csv").error["title"] in ("The file is too large", "No Kaggle access from here")


def test_each_refusal_of_kaggle_has_its_own_cause(kaggle_server: Kaggle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    kaggle_server.add("me/secret", {"a.csv": b"x,y\n1,2\n"}, private=True)
    kaggle_server.add("me/empty", {})
    kaggle_server.add("me/open", {"a.csv": b"x,y\n1,2\n" * 50})
    kaggle_server.trouble["a.csv"] = "damaged"
    for handle, told in (("me/none", "knows no me/none"), ("me/secret", "there are no Kaggle credentials"), ("me/empty", "lists no file"),
                         ("me", "names no dataset")):  # fmt: skip
        with pytest.raises(StudioError, match=told):
            kaggle.listing(handle)
    assert download("me/open", "a.csv").error["title"] == "The file came damaged"
    assert download("me/open", "../../a.csv").error["title"] == "That name is not possible"
    assert download("me/open", "zzz.csv").error["title"] == "No such dataset"
    (tmp_path / "kaggle.json").write_text('{"username": "me"}')
    with pytest.raises(StudioError, match="missing 'key'"):
        kaggle.credentials()
    monkeypatch.setenv("KAGGLE_API_TOKEN", KAGGLE_TOKEN)
    assert kaggle.credentials() == "the environment"
    assert kaggle.listing("me/secret").files
    assert f"Bearer {KAGGLE_TOKEN}" in [held for _, _, held in kaggle_server.requests]


def test_without_a_way_to_kaggle_or_without_its_package_a_person_learns_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    point(NOWHERE)
    begun = time.monotonic()
    with pytest.raises(StudioError) as found:
        kaggle.listing("a/b")
    assert found.value.title == "No Kaggle access from here"
    assert time.monotonic() - begun < 30
    monkeypatch.setattr(kaggle, "find_spec", lambda name: None)
    with pytest.raises(StudioError, match=r"pip install kagglehub==1\.0\.2"):
        kaggle.listing("a/b")


# Made up


@pytest.mark.parametrize("name", PRESETS)
def test_faults_are_planted_in_the_numbers_that_are_said_and_in_train_rows_only(name: str):
    wanted = PRESETS[name]
    made, clean = make(wanted), synthetic.table(wanted)
    counts = {fault: count for fault, count in wanted.to_dict()["faults"].items() if count}
    assert {fault: len(cells) for fault, cells in made.planted.items()} == counts
    frame = made.frame
    assert len(frame) == wanted.rows
    assert int(frame.duplicated().sum()) == counts.get("duplicates", 0)
    assert int(frame.isna().sum().sum()) == counts.get("missing", 0)
    assert int(frame.apply(lambda column: column.astype("str").str.contains("<p>")).sum().sum()) == counts.get("html", 0)
    copies = {copy for _, copy in made.planted.get("duplicates", ())}
    changed = (frame.astype("str") != clean.astype("str")).any(axis=1) & ~frame.index.isin(copies)
    touched = sum(count for fault, count in counts.items() if fault != "duplicates")
    assert changed.sum() <= touched
    assert set(frame.loc[changed, SPLIT]) <= {"train"}
    target = wanted.target.name
    wrong = [(row, column) for row, column in made.planted.get("label_noise", ())]
    assert all(column == target and frame.at[row, column] != clean.at[row, column] for row, column in wrong)


def test_the_same_description_gives_the_same_table_and_survives_json():
    wanted = PRESETS["Listings with a price"]
    again = Description.from_dict(json.loads(json.dumps(wanted.to_dict())))
    assert again == wanted
    pd.testing.assert_frame_equal(make(wanted).frame, make(again).frame)
    assert not make(replace(wanted, seed=1)).frame.equals(make(wanted).frame)


def test_rows_do_not_depend_on_how_many_follow_nor_columns_on_their_neighbours():
    wanted = PRESETS["Listings with a price"]
    pd.testing.assert_frame_equal(synthetic.table(wanted, 50), synthetic.table(replace(wanted, rows=9_000)).head(50))
    fewer = replace(wanted, columns=tuple(column for column in wanted.columns if column.name in ("title", "weight")), faults=Faults())
    for name in ("title", "weight"):
        assert synthetic.table(fewer)[name].equals(synthetic.table(wanted)[name])


def test_columns_are_what_is_described():
    wanted = Description(rows=20_000, columns=(
        Column("even", "number", low=-5, high=5, decimals=1), Column("middle", "number", low=0, high=60, shape="normal", decimals=3),
        Column("few", "number", low=1, high=1000, shape="skewed", decimals=2), Column("kind", "category", values=(("a", 3.0), ("b", 1.0))),
        Column("yes", "flag", share=0.25), Column("day", "date", first="2025-01-01", last="2025-01-31"),
        Column("text", "text", templates=("{kind} {taste} {number}",), words=(("taste", ("bland", "rich")),)),
    ))  # fmt: skip
    frame = make(wanted).frame
    assert (frame["even"].min(), frame["even"].max()) == (-5.0, 5.0)
    assert frame["middle"].between(20, 40).mean() == pytest.approx(0.68, abs=0.03)
    assert frame["few"].median() == pytest.approx(np.sqrt(1000), rel=0.1)
    assert (frame["kind"] == "a").mean() == pytest.approx(0.75, abs=0.02)
    assert (frame["yes"] == "yes").mean() == pytest.approx(0.25, abs=0.02)
    assert (frame["day"].min(), frame["day"].max(), frame["day"].nunique()) == ("2025-01-01", "2025-01-31", 31)
    assert all(text.split()[0] == kind for text, kind in zip(frame["text"].head(50), frame["kind"].head(50), strict=True))
    assert Counter(frame[SPLIT])["test"] == pytest.approx(2_000, abs=3)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_noise_bounds_what_can_be_explained(noise: float):
    wanted = Description(rows=8_000, columns=(
        Column("x", "number"), Column("z", "flag"), Column("y", "target", shape="normal", low=0, high=1, decimals=6, noise=noise, weights=(("x", 2.0), ("z", -1.0))),
    ))  # fmt: skip
    frame = make(wanted).frame
    design = np.column_stack([frame["x"], frame["z"] == "yes", np.ones(len(frame))]).astype(float)
    left = frame["y"] - design @ np.linalg.lstsq(design, frame["y"], rcond=None)[0]
    explained = 1 - left.var() / frame["y"].var()
    assert explained == pytest.approx(1 / (1 + noise**2), abs=0.05)
    slope = np.linalg.lstsq(design, frame["y"], rcond=None)[0]
    assert slope[0] > 0 > slope[1]


def test_labels_are_about_equally_often():
    frame = synthetic.table(PRESETS["Messages with a label"])
    shares = frame["mood"].value_counts(normalize=True)
    assert set(shares.index) == {"unhappy", "neutral", "happy"}
    assert shares.min() > 0.25


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ((), "0 columns"),
        ((Column("a", "text"),), "it has no template"),
        ((Column("a", "text", templates=("{b}",)),), "'{b}' is no word list"),
        ((Column("a", "text", templates=("{b}",)), Column("b", "text", templates=("{a}",))), "name each other"),
        ((Column("a", "number", low=1, high=1),), "is no range"),
        ((Column("a", "category", values=(("x", 1.0),)),), "at least two different values"),
        ((Column("a", "date", first="2025-02-30"),), "are no dates"),
        ((Column("a", "flag"), Column("a", "flag")), "'a' is the name of two columns"),
        ((Column("split", "flag"),), "'split' is the name of the column that is added"),
        ((Column("a", "flag"), Column("y", "target")), "it depends on nothing"),
        ((Column("y", "target", weights=(("b", 1.0),)),), "which is no other column"),
        ((Column("a", "flag"), Column("y", "target", weights=(("a", 1.0),)), Column("w", "target", weights=(("a", 1.0),))), "are targets"),
        ((Column("", "flag"),), "it has no name"),
        ((Column("a", "thing"),), "'thing' is no kind"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(columns, told):
    with pytest.raises(SettingsError, match=told.replace("{", r"\{").replace("}", r"\}")):
        make(Description(rows=10, columns=columns))


@pytest.mark.parametrize("fault", ["missing", "duplicates", "outliers", "label_noise", "html"])
def test_more_faults_than_there_is_room_for_are_refused(fault: str):
    with pytest.raises(SettingsError, match="there is room for"):
        make(replace(PRESETS["Listings with a price"], rows=50, faults=Faults(**{fault: 1_000})))


@settings(max_examples=40, deadline=None)
@given(some.integers(2, 300), some.integers(0, 2**31 - 1), some.tuples(*[some.integers(0, 3)] * 5))
def test_any_size_and_seed_can_be_made_or_is_refused(rows, seed, faults):
    wanted = replace(PRESETS["Listings with a price"], rows=rows, seed=seed, faults=Faults(*faults))
    try:
        made = make(wanted)
    except SettingsError as error:
        assert "there is room for" in str(error)
        return
    assert len(made.frame) == rows
    assert sum(map(len, made.planted.values())) == sum(faults)


@pytest.mark.parametrize("name", PRESETS)
def test_baselines_learn_on_a_made_up_table_what_was_put_into_it(home: Path, name: str):
    version = fetching.make_up(replace(PRESETS[name], rows=900, faults=Faults()), name)
    assert version.source["synthetic"]
    assert Description.from_dict(version.source["described"]).rows == 900
    names, metric = (("constant_median", "bow_linear"), "mae") if version.task == "regression" else (("majority", "bow_linear"), "accuracy")
    plain, words = (value_of(metric, answers_of(run_predictor(one, {}, version))) for one in names)
    assert words < 0.75 * plain if metric == "mae" else words > plain + 0.2, (plain, words)
