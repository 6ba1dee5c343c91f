"""Questions to a version's Parquet through DuckDB; the table itself is never loaded.

Sorting and searching give row numbers first, then the rows of one page are fetched by number. Numbers of rows (tokens,
target) stand in a file beside the table (see `numbers`); which files a question reads is decided by `question`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.explore import distributions
from core.explore.distributions import Histogram
from core.io import numbers, store
from core.io.database import SECONDS, asking, literal, one, quoted
from core.io.question import Filter, Question
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd

SLICE = 1_000_000
"""Rows of a large table that are searched at once."""
THINNED = 17
"""Of a large table every so manieth row tells the median: a prime, so that no pattern of rows falls in step with it."""
REACH = 10_000
"""The deepest row a sorted view can be paged to; filter to see what lies deeper."""


@dataclass(frozen=True)
class Page:
    rows: tuple[int, ...]
    """0-based row numbers, in the order shown."""
    frame: pd.DataFrame
    """The rows with all columns of the table and the measures n_chars, n_tokens."""
    until: int | None = None
    """A search that took too long: so many rows of the table, from the first, were looked at. None when it ended."""


def page(
    version: Version,
    filters: Sequence[Filter] = (),
    *,
    sort: str | None = None,
    descending: bool = False,
    offset: int = 0,
    limit: int = 50,
    seconds: float = SECONDS,
) -> Page:
    """One page of the rows that pass. A deep page of a sorted view ends at REACH rows.

    A search of a large table looks from the first row on and stops when the page is full, or after about `seconds` (see `Page.until`).
    """
    if version.rows > numbers.LARGE and not sort and any(part.search for part in filters):
        rows, until = _searched(version, filters, offset, limit, seconds)
        return Page(rows, fetch(version, rows), until)
    rows = numbered(version, filters, sort=sort, descending=descending, offset=offset, limit=limit)
    return Page(rows, fetch(version, rows))


def numbered(
    version: Version, filters: Sequence[Filter] = (), *, sort: str | None = None, descending: bool = False, offset: int = 0, limit: int = 50
) -> tuple[int, ...]:
    """The row numbers of one page."""
    if sort:
        limit = max(0, min(limit, REACH - offset))
    elif not filters:
        return tuple(range(offset, min(offset + limit, version.rows)))
    asked = Question(version, filters)
    key = asked.name(sort) + (" DESC" if descending else "") + " NULLS LAST" if sort else ""
    source = asked.source()
    order = f" ORDER BY {key}, {asked.row}" if sort else ""  # without a sort rows come as they stand in the file, and the scan ends early
    with asking() as ask:
        found = ask.execute(f"SELECT {asked.row}{source}{order} LIMIT {int(limit)} OFFSET {int(offset)}", asked.values).fetchall()
    return tuple(int(row) for (row,) in found)


def _searched(version: Version, filters: Sequence[Filter], offset: int, limit: int, seconds: float) -> tuple[tuple[int, ...], int | None]:
    """Row numbers of a page, slice by slice of the table, and how many rows were looked at when that took too long."""
    found: list[int] = []
    began = time.monotonic()
    for start in range(0, version.rows, SLICE):
        if time.monotonic() - began > seconds - 1:
            return tuple(found[offset : offset + limit]), start
        asked = Question(version, filters)
        source = asked.source(f"{asked.row} BETWEEN {start} AND {start + SLICE - 1}")
        with asking(max(seconds, 4 * SECONDS)) as ask:
            query = f"SELECT {asked.row}{source} LIMIT {offset + limit - len(found)}"
            found += [int(row) for (row,) in ask.execute(query, asked.values).fetchall()]
        if len(found) >= offset + limit:
            break
    return tuple(found[offset : offset + limit]), None


def fetch(version: Version, rows: Sequence[int]) -> pd.DataFrame:
    """The rows of these 0-based numbers, in this order."""
    import pandas as pd

    wanted = sorted(set(map(int, rows)))
    own = ", ".join(['file_row_number AS " row "', *(quoted(name) for name in version.columns)])
    extra = [name for name in ("n_chars", "n_tokens") if name not in version.columns]
    beside = ", ".join(['file_row_number AS " row "', *extra])
    found = []
    for columns, path in ((own, store.data_path(version)), (beside, numbers.ensure(version))):
        query = f"SELECT {columns} FROM read_parquet({literal(path)}, file_row_number=true) WHERE {_among(wanted)}"
        with asking() as ask:
            found.append(ask.sql(query).to_arrow_table().to_pandas().set_index(" row ").reindex(list(rows)).reset_index(drop=True))
    frame = pd.concat(found, axis=1)
    if "n_tokens" in extra and len(frame) and bool(frame["n_tokens"].isna().any()):
        frame["n_tokens"] = numbers.counted(frame, version)
    return frame


def _among(rows: Sequence[int]) -> str:
    """A condition for row numbers, its ends said apart so that other row groups are not opened."""
    if not rows:
        return "false"
    if rows[-1] - rows[0] + 1 == len(rows):
        return f"file_row_number BETWEEN {rows[0]} AND {rows[-1]}"
    return f"file_row_number BETWEEN {rows[0]} AND {rows[-1]} AND file_row_number IN ({', '.join(map(str, rows))})"


def count(version: Version, filters: Sequence[Filter] = ()) -> int:
    """How many rows pass."""
    if not filters:
        return version.rows
    asked = Question(version, filters)
    with asking() as ask:
        return int(one(ask.execute(f"SELECT count(*){asked.source()}", asked.values))[0])


def rows_of(version: Version, filters: Sequence[Filter], limit: int = 200_000) -> list[int]:
    """The numbers of the rows that pass, in order."""
    return list(numbered(version, filters, limit=limit))


def histogram(version: Version, column: str, filters: Sequence[Filter] = (), *, bins: int = 40, log: bool = False,
              ends: tuple[float, float] | None = None) -> Histogram:  # fmt: skip
    """Counts of a numeric column or a measure over the rows that pass. `ends` are its lowest and highest value, when known."""
    asked = Question(version, filters, column)
    name = asked.number(column)
    good = [f"isfinite({name})"] + ([f"{name} > 0"] if log else [])
    source = asked.source(*good)
    with asking() as ask:
        low, high = (
            ends if ends and not (log and ends[0] <= 0) else one(ask.execute(f"SELECT min({name}), max({name}){source}", asked.values))
        )
        if low is None:
            return Histogram((), (), log)
        edges = distributions.spaced(float(low), float(high), bins, log=log)
        scale = "ln" if log else ""  # the place of a value between the first and the last edge, in bins
        part = f"({scale}({name}) - {scale}(?)) / ({scale}(?) - {scale}(?))"
        size = len(edges) - 1
        query = f"SELECT greatest(least(floor({part} * ?), ? - 1), 0)::UTINYINT AS bin, count(*){source} GROUP BY bin"
        found = dict(ask.execute(query, [edges[0], edges[-1], edges[0], size, size, *asked.values]).fetchall())
    return Histogram(tuple(edges), tuple(int(found.get(i, 0)) for i in range(size)), log)


def summary(version: Version, column: str, filters: Sequence[Filter] = ()) -> dict[str, float]:
    """n, median, mean, lowest, highest, total and skewness of a numeric column or measure; empty when nothing passes.

    Above 200,000 rows the median (t-digest) and the skewness come from every 17th row.
    """
    asked = Question(version, filters, column)
    name = asked.number(column)
    some = f"FILTER (WHERE {asked.row} % {THINNED} = 0)"
    large = version.rows > numbers.LARGE
    middle, skew = (
        (f"approx_quantile({name}, 0.5) {some}", f"skewness({name}) {some}") if large else (f"median({name})", f"skewness({name})")
    )
    with asking() as ask:
        query = f"SELECT count({name}), coalesce({middle}, avg({name})), avg({name}), min({name}), max({name}), sum({name}), {skew}"
        found = one(ask.execute(query + asked.source(f"isfinite({name})"), asked.values))
    keys = ("n", "median", "mean", "lowest", "highest", "total", "skewness")
    return {key: float(value if value is not None else "nan") for key, value in zip(keys, found, strict=True)} if found[0] else {}


def categories(version: Version, column: str, filters: Sequence[Filter] = (), *, most: int = 12, median: bool = True) -> pd.DataFrame:
    """The most frequent values of a column with rows, share of the rows that pass, and (when asked for) the median target."""
    asked = Question(version, filters)
    name = f"coalesce({asked.text(column)}, 'n/a')"
    middle = f"median({asked.name('target') if 'target' not in version.columns else asked.number('target')})" if median else "NULL"
    with asking() as ask:
        query = f"""SELECT {name} AS category, count(*) AS rows, {middle}::DOUBLE AS median, count(*) / sum(count(*)) OVER () AS share,
                    count(*) OVER () AS different {asked.source()} GROUP BY 1 ORDER BY rows DESC, category LIMIT {int(most)}"""
        return ask.sql(query, params=asked.values).to_arrow_table().to_pandas()


def distinct(version: Version, column: str, most: int = 500) -> list[Any]:
    """Different filled cells of a column as they are stored, at most so many, in order."""
    asked = Question(version)
    name = asked.name(column)
    with asking() as ask:
        query = f"SELECT DISTINCT {name} AS v{asked.source(f'{name} IS NOT NULL')} ORDER BY 1 LIMIT {int(most)}"
        return [cell for (cell,) in ask.execute(query).fetchall()]


def position(version: Version, column: str, *, highest: bool = True) -> int | None:
    """The number of the first row that holds the highest (or lowest) value."""
    found = numbered(version, (), sort=column, descending=highest, limit=1)
    return found[0] if found else None
