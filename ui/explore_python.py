"""What a view of Explore shows, as a script that runs as it is from the folder of the studio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.io.query import Filter
from core.version import Version
from ui.tables import downloads

if TYPE_CHECKING:
    import pandas as pd


def copied(text: str, key: str) -> None:
    """A small door to the script of a view."""
    door = st.popover("Copy as Python", icon=":material/code:", type="tertiary", key=f"explore_python_{key}", on_change="rerun")
    if not door.open:
        return
    with door:
        st.caption("Runs as it is from the folder of the studio.")
        st.code(text, language="python", wrap_lines=True)


def taken(frame: Callable[[], pd.DataFrame], name: str, key: str) -> None:
    """A small door to a figure's numbers as a file."""
    door = st.popover("Download", icon=":material/download:", type="tertiary", key=f"explore_take_{key}", on_change="rerun")
    if door.open:
        with door:
            downloads(frame, name, f"explore_taken_{key}")


def overview(version: Version, column: str | None, category: str | None, filters: Sequence[Filter], log: bool = False) -> str:
    """Rows that pass, the numbers of the histogram's column, its counts, and the categories."""
    lines = ['print("rows", query.count(version, filters))']
    for name, asked in ((column, "summary"), (column, "histogram"), (category, "categories")):
        if name:  # a figure counts what all filters but its own leave, so that its other bars stay to be chosen
            more = {"summary": "", "histogram": f", log={log}", "categories": ", most=8"}[asked]
            chosen = f"[one for one in filters if one.column != {name!r}]" if filters else "filters"
            lines.append(f"print(query.{asked}(version, {name!r}, {chosen}{more}))")
    return _head(version, filters, "query, store") + "\n".join(lines) + "\n"


def rows(
    version: Version, filters: Sequence[Filter], sort: str | None, descending: bool, columns: Sequence[str], offset: int, size: int
) -> str:
    """The page of rows that is shown."""
    call = f"query.page(version, filters, sort={sort!r}, descending={descending}, offset={offset}, limit={size})"
    shown = f"print(page.frame[{list(columns)!r}].to_string(index=False))" if columns else "print(page.frame.to_string(index=False))"
    return _head(version, filters, "query, store") + f'page = {call}\nprint("rows", [row + 1 for row in page.rows])\n{shown}\n'


def columns(version: Version, column: str | None) -> str:
    """The table of columns, and one of them in full."""
    text = _head(version, (), "profiling, query, relating, store") + (
        "report = profiling.profile(version)\n"
        "for one in report.columns:\n    print(one.name, one.kind, one.nulls, one.unique, one.longest)\n"
    )
    if column:
        text += (
            f"print(query.categories(version, {column!r}, most=8, median=False).to_string(index=False))\n"
            f"print(profiling.extremes(version, {column!r}).to_string(index=False))\n"
        )
    return text + "for name, one in relating.associations(version)[0].items():\n    print(name, one.measure, round(one.value, 4), one.n)\n"


def lengths(version: Version, measure: str, tokenizer: str, low: int, high: int) -> str:
    """Lengths of rows and what a cut leaves."""
    return _head(version, (), "profiling, store") + (
        f"counted = profiling.counted(version, {measure!r}, {tokenizer!r})\n"
        f"kept = counted.lengths.kept({low}, {high})\n"
        'print("median", counted.lengths.quantile(0.5), "longest", counted.lengths.longest)\n'
        'print("rows", kept.rows, "of", kept.of_rows)\nprint("total", kept.tokens, "of", kept.of_tokens)\n'
        "print(counted.lengths.histogram(60))\n"
    )


def sql(version: Version, text: str) -> str:
    """The answer of the SQL box."""
    return _head(version, (), "sql, store") + f"answer = sql.select(version, {text!r})\nprint(answer.frame.to_string(index=False))\n"


def _head(version: Version, filters: Sequence[Filter], names: str) -> str:
    head = f"from core.io import {names}\n" + ("from core.io.query import Filter\n" if filters else "")
    head += f"\nversion = store.version({version.dataset!r}, {version.id!r})\n"
    if "query" in names and "profiling" not in names:
        head += f"filters = [{', '.join(map(_written, filters))}]\n"
    return head


def _written(one: Filter) -> str:
    """A filter as it is written in Python, without what it does not ask."""
    plain = Filter()
    given = {name: getattr(one, name) for name in ("column", "low", "high", "outside", "values", "search", "columns", "rows")}
    return f"Filter({', '.join(f'{name}={value!r}' for name, value in given.items() if value != getattr(plain, name))})"
