"""How the target goes with the other columns of a version of any size, and how a number is spread.

Quantiles are exact up to 200,000 rows; above they are DuckDB's approximate ones (t-digest) of every 17th row. Associations
need ranks and come from at most 50,000 rows, drawn by lot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.explore import association
from core.io import numbers, profiling
from core.io.database import asking, literal, one
from core.io.query import THINNED
from core.io.question import Filter, Question
from core.task import target_of
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd

    from core.explore.association import Association

ROWS = 50_000
SHARES = {"5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95}


def quantiles(version: Version, column: str, by: str | None = None, filters: Sequence[Filter] = (), most: int = 12) -> pd.DataFrame:
    """n, 5 %, 25 %, median, 75 %, 95 % of a number (or measure), over all rows or for the most frequent values of `by`."""
    asked = Question(version, filters)
    name = asked.number(column)
    label = f"coalesce({asked.text(by)}, 'n/a')" if by else "'all rows'"
    taken = f"{_quantile(version)}({name}, {list(SHARES.values())})"
    with asking() as ask:
        some = [f"{asked.row} % {THINNED} = 0"] if version.rows > numbers.LARGE else []
        query = f"""SELECT {label} AS category, count(*) AS rows, {taken} AS q {asked.source(f"isfinite({name})", *some)}
                    GROUP BY 1 ORDER BY rows DESC, 1 LIMIT {int(most)}"""
        found = ask.sql(query, params=asked.values).to_arrow_table().to_pandas()
    for place, title in enumerate(SHARES):
        found[title] = [q[place] for q in found["q"]]
    return found.drop(columns="q")


def _quantile(version: Version) -> str:
    return "approx_quantile" if version.rows > numbers.LARGE else "quantile_cont"


def associations(version: Version) -> tuple[dict[str, Association], pd.DataFrame, int]:
    """(column -> how it goes with the target, Spearman's matrix of the numeric columns, rows looked at).

    Texts count by their length ("length of title"). From at most ROWS rows.
    """
    import pandas as pd

    roles = version.roles
    aside = (roles.split, roles.id, roles.parent_row)
    names = [name for name, kind in version.columns.items() if name not in aside and (kind != "list" or name in roles.text)]
    frame = profiling.sample(version, names, ROWS)
    columns, kinds = {}, {}
    for name in names:
        kind = version.columns[name]
        if name == roles.target and version.task != "qa" and version.task != "chat":
            continue
        if (kind == "text" or name in roles.text) and name not in (roles.category, roles.group):
            columns[f"length of {name}"], kinds[f"length of {name}"] = frame[name].fillna("").astype("str").str.len(), "number"
        else:
            columns[name], kinds[name] = frame[name], "number" if kind == "number" else "label"
    found: dict[str, Association] = {}
    numeric = {name: cells for name, cells in columns.items() if kinds[name] == "number"}
    if roles.target and version.task in ("regression", "classification"):
        cells = [target_of(version.task, cell) for cell in frame[roles.target].tolist()]
        target = pd.Series(cells, index=frame.index, dtype="float64" if version.task == "regression" else "object")
        found = association.with_target(columns, kinds, target, version.task == "regression")
        numeric = {roles.target: target, **numeric} if version.task == "regression" else numeric
    return found, association.matrix(pd.DataFrame(dict(list(numeric.items())[:12]))), len(frame)


def target_by_length(version: Version, bins: int = 10) -> pd.DataFrame:
    """The numeric target in tenths of the rows by characters: from, to, rows, 25 %, median, 75 %."""
    path, taken = literal(numbers.ensure(version)), _quantile(version)
    shares = [round(i / bins, 3) for i in range(1, bins)]
    thin = f" AND file_row_number % {THINNED} = 0" if version.rows > numbers.LARGE else ""
    known = f"FROM read_parquet({path}, file_row_number=true) WHERE target IS NOT NULL{thin}"
    with asking() as ask:
        edges = sorted(set(one(ask.execute(f"SELECT {taken}(n_chars, {shares}) {known}"))[0] or []))
        place = " + ".join(f"(n_chars > {edge})::INT" for edge in edges) or "0"
        query = f"""SELECT min(n_chars) AS "from", max(n_chars) AS "to", count(*) AS rows, {taken}(target, 0.25) AS "25 %",
                    {taken}(target, 0.5) AS median, {taken}(target, 0.75) AS "75 %"
                    FROM (SELECT n_chars, target, {place} AS bin {known}) GROUP BY bin ORDER BY bin"""
        return ask.sql(query).to_arrow_table().to_pandas()
