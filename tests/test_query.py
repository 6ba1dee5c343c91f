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
    found = query.summary(version, "target")
    values = np.array([12.5] * 84 + [12.5] * 84 + [1299.0] * 83 + [5.0] * 83)
    assert found.pop("skewness") == pytest.approx(pd.Series(values).skew(), rel=0.01)
    assert found == pytest.approx(
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


def test_the_sql_box_closes_its_doors_in_an_order_that_works_and_locks_them(version: Version) -> None:
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        sql._close(connection, version)
        settings = dict(connection.execute("SELECT name, value FROM duckdb_settings()").fetchall())
        assert settings["enable_external_access"] == "false"
        assert settings["lock_configuration"] == "true"
        assert str(store.data_path(version)) in settings["allowed_paths"]
        assert settings["temp_directory"].startswith(str(store.folder(version).parents[2]))
        for name, value in (("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false"),
                            ("allow_community_extensions", "false"), ("python_enable_replacements", "false")):  # fmt: skip
            assert settings[name] == value, name
        with pytest.raises(duckdb.Error, match="locked"):
            connection.execute("SET enable_external_access=true")
        with pytest.raises(duckdb.Error):
            connection.execute("SELECT * FROM read_text('/etc/passwd')")
        assert connection.execute("SELECT count(*) FROM data").fetchall() == [(500,)]
    finally:
        connection.close()


def test_the_files_of_a_version_cannot_be_written(version: Version) -> None:
    numbers.ensure(version)
    assert {path.stat().st_mode & 0o777 for path in store.folder(version).glob("*.parquet")} == {0o444}


def test_a_copy_to_the_versions_own_file_is_no_select_however_it_is_written(version: Version) -> None:
    before = store.data_path(version).read_bytes()
    for text in ("/**/ copy (select 1) to '{p}' (format parquet)", "with x as (select 1) copy x to '{p}'", "select 1;;copy data to '{p}'",
                 "explain analyze copy data to '{p}'", "from data select *; copy data to '{p}'"):  # fmt: skip
        with pytest.raises(StudioError):
            sql.select(version, text.format(p=store.data_path(version)))
    assert store.data_path(version).read_bytes() == before


def test_the_sql_box_stops_after_five_seconds_unless_told_otherwise() -> None:
    import inspect

    from core.io import database

    assert database.SECONDS == 5.0
    assert inspect.signature(sql.select).parameters["seconds"].default == 5.0


def test_rows_that_pass_come_in_the_order_of_the_file_over_many_row_groups(home: Path) -> None:
    n = 130_000
    frame = pd.DataFrame({"text": [f"row {i} {'needle' if i % 1000 == 7 else ''}" for i in range(n)], "x": np.arange(n) % 97})
    one = store.save("many", frame, title="Import", roles=Roles(text=("text",)), source_hash="many groups")
    wanted = list(range(7, n, 1000))
    assert list(query.numbered(one, [Filter(search="NEEDLE")], limit=500)) == wanted
    assert list(query.numbered(one, [Filter(search="needle")], offset=20, limit=30)) == wanted[20:50]
    kept = [i for i in wanted if i % 97 >= 50 and len(frame.text[i]) >= 14]
    assert list(query.numbered(one, [Filter(search="needle"), Filter("x", low=50), Filter("n_chars", low=14)], limit=500)) == kept
    deep = query.page(one, (), offset=100_000, limit=3)
    assert deep.rows == (100_000, 100_001, 100_002)
    assert deep.frame["text"].tolist() == frame["text"].iloc[100_000:100_003].tolist()
