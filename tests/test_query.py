"""Questions through DuckDB agree with pandas, and the SQL box lets nothing else through."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import StudioError
from core.io import numbers, query, sql, store
from core.io.query import Filter
from core.version import Roles, Version

PRICES = ["$12.50", "12.5", "None", None, "1,299", "5"]


@pytest.fixture
def version(home: Path) -> Version:
    rng = np.random.default_rng(0)
    n = 500
    frame = pd.DataFrame(
        {
            "text": [f"thing {i} {'주전자' if i % 7 == 0 else 'Kettle'} {'x' * (i % 40)}" for i in range(n)],
            "kind": [["a", "b'c", None][i % 3] for i in range(n)],
            "price": [PRICES[i % 6] for i in range(n)],
            "weight": rng.normal(10, 2, n),
            'odd "name"': range(n),
        }
    )
    return store.save(
        "t", frame, title="Import", roles=Roles(text=("text",), target="price", category="kind"), task="regression", source_hash="q"
    )


def test_pages_filter_sort_and_search_as_pandas_does(version: Version) -> None:
    frame = store.frame(version)
    found = query.page(version, [Filter("weight", low=9, high=11)], sort="weight", descending=True, limit=10)
    wanted = frame[(frame.weight >= 9) & (frame.weight <= 11)].sort_values("weight", ascending=False, kind="stable").head(10)
    assert list(found.rows) == wanted.index.tolist()
    assert found.frame["text"].tolist() == wanted["text"].tolist()
    searched = query.rows_of(version, [Filter(search="주전자"), Filter("kind", values=("a",))])
    assert searched == frame[frame.text.str.contains("주전자") & (frame.kind == "a")].index.tolist()
    assert query.count(version, [Filter(search="KETTLE")]) == frame.text.str.contains("Kettle").sum()
    assert query.count(version, [Filter("kind", values=("n/a", "b'c"))]) == (frame.kind.isna() | (frame.kind == "b'c")).sum()
    assert query.page(version, [Filter(rows=(400, 3))], limit=5).rows == (3, 400)
    assert query.page(version, sort='odd "name"', descending=True, limit=1).rows == (499,)


def test_rows_come_back_in_the_order_asked_for(version: Version) -> None:
    assert query.fetch(version, [7, 3, 499])['odd "name"'].tolist() == [7, 3, 499]


def test_a_search_takes_percent_signs_and_quotes_as_they_are(version: Version) -> None:
    assert query.count(version, [Filter(search="%")]) == 0
    assert query.count(version, [Filter(search="' OR 1=1 --")]) == 0


def test_the_target_is_read_as_a_number_beside_the_table(version: Version) -> None:
    assert query.summary(version, "target") == pytest.approx(
        {"n": 333, "median": 12.5, "mean": 332.25 - (332.25 - 83 * 1299 / 333 - (84 * 25 + 83 * 5) / 333), "lowest": 5, "highest": 1299,
         "total": 84 * 25 + 83 * 1304}, rel=1e-2)  # fmt: skip
    assert query.count(version, [Filter("target", low=5, high=5)]) == 83


def test_histograms_count_every_value_once_with_and_without_log(version: Version) -> None:
    frame = store.frame(version)
    for log in (False, True):
        found = query.histogram(version, "weight", bins=20, log=log)
        assert sum(found.counts) == len(frame)
        expected, _ = np.histogram(frame.weight, bins=np.array(found.edges))
        assert np.abs(expected - np.array(found.counts)).sum() <= 2
    lengths = query.histogram(version, "n_chars")
    assert sum(lengths.counts) == 500
    assert query.histogram(version, "weight", [Filter("weight", low=1e9)]).counts == ()


def test_categories_come_with_rows_share_and_median(version: Version) -> None:
    found = query.categories(version, "kind")
    assert found["rows"].tolist() == [167, 167, 166]
    assert set(found["category"]) == {"a", "b'c", "n/a"}
    assert found["share"].sum() == pytest.approx(1)


def test_numbers_that_do_not_fit_the_table_are_written_again(version: Version) -> None:
    path = numbers.ensure(version)
    inode = path.stat().st_ino
    assert numbers.ensure(version).stat().st_ino == inode
    path.chmod(0o644)
    pd.DataFrame({"n_chars": [1], "n_tokens": [1], "target": [1.0]}).to_parquet(path)
    assert query.count(version, [Filter("n_chars", low=0)]) == 500
    path = numbers.path(version)
    path.chmod(0o644)
    path.write_bytes(b"half a fi")
    assert len(numbers.lengths(version)) == 500
    assert not [name for name in os.listdir(path.parent) if name.endswith(".tmp")]


def test_an_unknown_column_is_named(version: Version) -> None:
    with pytest.raises(StudioError, match="no column 'nothing'"):
        query.page(version, sort="nothing")


@pytest.mark.parametrize(
    "text",
    [
        "copy data to '{home}/stolen.csv'",
        "copy (select 1) to '{data}'",
        "select 1; select 2",
        "insert into data values (1)",
        "create table x as select 1",
        "drop view data",
        "attach '{home}/x.db'",
        "install httpfs",
        "load httpfs",
        "set threads=8",
        "pragma database_list",
        "explain select 1",
        "select * from duckdb_settings()",
        'select * from "duckdb_settings" ()',
        "select * from duckdb_secrets/**/()",
        "select current_setting('temp_directory')",
        "select * from information_schema.tables",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select * from read_parquet('{home}/datasets/*/*/data.parquet')",
        "select * from query('select 1')",
        "",
        "selec",
    ],
)
def test_the_sql_box_refuses_everything_but_one_select_of_the_rows(version: Version, home: Path, text: str) -> None:
    before = store.data_path(version).read_bytes()
    with pytest.raises(StudioError):
        sql.select(version, text.format(home=home, data=store.data_path(version)))
    assert store.data_path(version).read_bytes() == before
    assert not (home / "stolen.csv").exists()


def test_the_sql_box_answers_and_says_when_it_cut(version: Version) -> None:
    answer = sql.select(
        version, "select kind, count(*) as n from data where text not like '%duckdb_settings()%' group by all order by n desc;"
    )
    assert (list(answer.frame.columns), answer.cut) == (["kind", "n"], False)
    assert sql.select(version, "with q as (select 1 as query) select query, query from q").frame.shape == (1, 2)
    many = sql.select(version, "select a.text from data a, data b")
    assert (len(many.frame), many.cut) == (1000, True)
    joined = sql.select(version, "select sum(n_chars) from data positional join numbers").frame.iloc[0, 0]
    assert joined == store.frame(version)["text"].str.len().sum()


def test_a_question_that_takes_too_long_is_stopped(version: Version) -> None:
    with pytest.raises(StudioError, match="longer than"):
        sql.select(version, "select count(*) from range(100000000) a, range(1000) b where a.range * b.range = 7", seconds=0.3)
