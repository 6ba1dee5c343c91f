"""Questions to a version's Parquet through DuckDB; the table itself is never loaded.

One in-memory database per process and a cursor per question, stopped after 5 s. Sorting and searching give row numbers
first, then the rows of one page are fetched by number. Numbers of rows (tokens, target) stand in a file beside the table
and are joined by position, which is right only because that file has as many rows (see `numbers`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import StudioError
from core.explore import distributions
from core.explore.distributions import Histogram
from core.io import files, numbers, store
from core.version import Version

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

SECONDS = 5.0
REACH = 10_000
"""The deepest row a sorted view can be paged to; filter to see what lies deeper."""
MEASURES = numbers.COLUMNS
"""Names that mean a number beside the table, unless the table has a column of that name."""


@dataclass(frozen=True)
class Filter:
    """Rows to keep; all given conditions must hold."""

    column: str = ""
    """A column of the table, or one of MEASURES."""
    low: float | None = None
    high: float | None = None
    """Numbers from low to high, both ends included."""
    values: tuple[str, ...] = ()
    """One of these texts; "n/a" means missing."""
    search: str = ""
    """A word in any of `columns`, ignoring case."""
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None
    """These row numbers, 0-based."""


@dataclass(frozen=True)
class Page:
    rows: tuple[int, ...]
    """0-based row numbers, in the order shown."""
    frame: pd.DataFrame
    """The rows with all columns of the table and the measures n_chars, n_tokens."""


def page(
    version: Version, filters: Sequence[Filter] = (), *, sort: str | None = None, descending: bool = False, offset: int = 0, limit: int = 50
) -> Page:
    """One page of the rows that pass. A deep page of a sorted view ends at REACH rows."""
    where, values = _where(version, filters)
    if sort:
        limit = max(0, min(limit, REACH - offset))
    key = _name(version, sort) + (" DESC" if descending else "") + " NULLS LAST, " if sort else ""
    with _asking() as ask:
        found = ask.execute(f"SELECT d.file_row_number {_source(version)}{where} ORDER BY {key}d.file_row_number LIMIT {int(limit)} "
                            f"OFFSET {int(offset)}", values).fetchall()  # fmt: skip
    rows = tuple(int(row) for (row,) in found)
    return Page(rows, fetch(version, rows))


def fetch(version: Version, rows: Sequence[int]) -> pd.DataFrame:
    """The rows of these 0-based numbers, in this order."""
    own = [f"d.{_quoted(name)}" for name in version.columns]
    extra = [f"n.{_quoted(name)}" for name in ("n_chars", "n_tokens") if name not in version.columns]
    with _asking() as ask:
        columns = ", ".join(['d.file_row_number AS " row "', *own, *extra])
        query = f"SELECT {columns} {_source(version)} WHERE d.file_row_number IN (SELECT unnest(?))"
        frame = ask.sql(query, params=[list(map(int, rows))]).to_arrow_table().to_pandas()
    return frame.set_index(" row ").reindex(list(rows)).reset_index(drop=True)


def count(version: Version, filters: Sequence[Filter] = ()) -> int:
    """How many rows pass."""
    if not filters:
        return version.rows
    where, values = _where(version, filters)
    with _asking() as ask:
        return int(_one(ask.execute(f"SELECT count(*) {_source(version)}{where}", values))[0])


def rows_of(version: Version, filters: Sequence[Filter], limit: int = 200_000) -> list[int]:
    """The numbers of the rows that pass, in order."""
    where, values = _where(version, filters)
    with _asking() as ask:
        query = f"SELECT d.file_row_number {_source(version)}{where} ORDER BY 1 LIMIT {int(limit)}"
        return [int(row) for (row,) in ask.execute(query, values).fetchall()]


def histogram(version: Version, column: str, filters: Sequence[Filter] = (), *, bins: int = 40, log: bool = False) -> Histogram:
    """Counts of a numeric column or a measure over the rows that pass."""
    where, values = _where(version, filters)
    name = f"try_cast({_name(version, column)} AS DOUBLE)"
    good = f"isfinite({name})" + (f" AND {name} > 0" if log else "")
    joined = f"{where} AND {good}" if where else f" WHERE {good}"
    with _asking() as ask:
        low, high = _one(ask.execute(f"SELECT min({name}), max({name}) {_source(version)}{joined}", values))
        if low is None:
            return Histogram((), (), log)
        edges = distributions.spaced(float(low), float(high), bins, log=log)
        scale = "ln" if log else ""  # the place of a value between the first and the last edge, in bins
        part = f"({scale}({name}) - {scale}(?)) / ({scale}(?) - {scale}(?))"
        place = f"least(greatest(floor({part} * ?), 0), ? - 1)"
        size = len(edges) - 1
        query = f"SELECT {place}::INT AS bin, count(*) {_source(version)}{joined} GROUP BY bin"
        found = dict(ask.execute(query, [edges[0], edges[-1], edges[0], size, size, *values]).fetchall())
    return Histogram(tuple(edges), tuple(int(found.get(i, 0)) for i in range(size)), log)


def summary(version: Version, column: str, filters: Sequence[Filter] = ()) -> dict[str, float]:
    """n, median, mean, lowest, highest, total of a numeric column or measure; empty when nothing passes."""
    where, values = _where(version, filters)
    name = f"try_cast({_name(version, column)} AS DOUBLE)"
    with _asking() as ask:
        query = f"SELECT count({name}), median({name}), avg({name}), min({name}), max({name}), sum({name}) {_source(version)}{where}"
        found = _one(ask.execute(query, values))
    keys = ("n", "median", "mean", "lowest", "highest", "total")
    return {key: float(value) for key, value in zip(keys, found, strict=True)} if found[0] else {}


def categories(version: Version, column: str, filters: Sequence[Filter] = (), *, most: int = 12) -> pd.DataFrame:
    """The most frequent values of a column with rows, share of the rows that pass, and the median target."""
    where, values = _where(version, filters)
    name = f"coalesce(CAST({_name(version, column)} AS VARCHAR), 'n/a')"
    with _asking() as ask:
        query = f"""SELECT {name} AS category, count(*) AS rows, median(n.target) AS median, count(*) / sum(count(*)) OVER () AS share
                    {_source(version)}{where} GROUP BY 1 ORDER BY rows DESC, category LIMIT {int(most)}"""
        return ask.sql(query, params=values).to_arrow_table().to_pandas()


def position(version: Version, column: str, *, highest: bool = True) -> int | None:
    """The number of the first row that holds the highest (or lowest) value."""
    found = page(version, (), sort=column, descending=highest, limit=1)
    return found.rows[0] if found.rows else None


def _source(version: Version) -> str:
    data, beside = _literal(store.data_path(version)), _literal(numbers.ensure(version))
    return f"FROM read_parquet({data}, file_row_number=true) d POSITIONAL JOIN read_parquet({beside}) n"


def _where(version: Version, filters: Sequence[Filter]) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for one in filters:
        name = _name(version, one.column) if one.column else ""
        if one.low is not None:
            parts.append(f"try_cast({name} AS DOUBLE) >= ?")
            values.append(float(one.low))
        if one.high is not None:
            parts.append(f"try_cast({name} AS DOUBLE) <= ?")
            values.append(float(one.high))
        if one.values:
            parts.append(f"list_contains(?, coalesce(CAST({name} AS VARCHAR), 'n/a'))")
            values.append(list(one.values))
        if one.search:
            found = [f"contains(lower(CAST({_name(version, c)} AS VARCHAR)), lower(?))" for c in one.columns or version.roles.text]
            parts.append("(" + (" OR ".join(found) or "false") + ")")
            values += [one.search] * len(found)
        if one.rows is not None:
            parts.append("d.file_row_number IN (SELECT unnest(?))")
            values.append(list(map(int, one.rows)))
    return (" WHERE " + " AND ".join(parts) if parts else ""), values


def _name(version: Version, column: str) -> str:
    if column in version.columns:
        return f"d.{_quoted(column)}"
    if column in MEASURES:
        return f"n.{_quoted(column)}"
    raise StudioError(f"There is no column '{column[:60]}' in {version.label}.", title="No such column")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _one(cursor: Any) -> tuple[Any, ...]:
    found = cursor.fetchone()
    assert found is not None
    return found


@contextmanager
def _asking() -> Iterator[duckdb.DuckDBPyConnection]:
    with _connection(str(files.home())).cursor() as cursor, limited(cursor):
        yield cursor


@contextmanager
def limited(connection: duckdb.DuckDBPyConnection, seconds: float = SECONDS) -> Iterator[None]:
    """Interrupts what runs on the connection after so many seconds and says what to do."""
    import duckdb

    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise StudioError(
            f"The question took longer than {seconds:.0f} s and was stopped. Filter first, ask for fewer columns, or ask on Curate, where "
            "a step runs as long as it takes.",
            title="That takes too long",
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise StudioError(
            "The question needs more than 512 MB of memory. Filter first, or ask for fewer columns.", title="That takes too much memory"
        ) from error
    finally:
        timer.cancel()


@lru_cache(maxsize=2)
def _connection(home: str) -> duckdb.DuckDBPyConnection:
    """The process's one database; it holds no data, only the settings."""
    import atexit

    import duckdb

    connection = duckdb.connect(":memory:")
    spill = Path(home) / "tmp"
    spill.mkdir(parents=True, exist_ok=True)
    connection.execute(f"SET temp_directory={_literal(spill)}; SET memory_limit='512MB'; SET threads=2; SET enable_progress_bar=false")
    connection.execute("SET autoinstall_known_extensions=false; SET autoload_known_extensions=false; SET python_enable_replacements=false")
    atexit.register(connection.close)
    return connection
