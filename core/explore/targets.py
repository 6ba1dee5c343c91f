"""Checks of the target, of labels and categories, and of columns that say nothing."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from core.explore.finding import Finding, Table, amount, rows_of
from core.format import count, plural, share, unit_of
from core.load.columns import of


def _targets(table: Table) -> list[Finding]:
    """Cells of the target that are empty, or that hold something which is no number."""
    name = table.roles.target
    if not name or name not in table.frame or not table.kind:
        return []
    cells = table.frame[name]
    blank = cells.isna() | (cells.astype("str").str.strip() == "")
    unread = table.target.isna() & ~blank
    found = []
    if blank.any():
        detail = "They cannot be learnt from or measured on."
        found.append(
            Finding("warn", "missing", f"{plural(int(blank.sum()), 'row')} without {name}", rows_of(blank), detail, "missing", name)
        )
    if unread.any():
        examples = ", ".join(f"'{str(cell)[:20]}'" for cell in cells.loc[unread].astype("str").unique()[:3])
        detail = f"They hold {examples} where a number is needed."
        found.append(
            Finding("warn", "unreadable", f"{plural(int(unread.sum()), 'unreadable ' + name)}", rows_of(unread), detail, "parse", name)
        )
    if table.kind == "regression":
        found += _odd_numbers(table, name)
    return found


def _odd_numbers(table: Table, name: str) -> list[Finding]:
    values = table.target.astype("float64")
    found = []
    if unit_of(name, table.frame[name].head(50).tolist()) == "usd" and (values <= 0).any():
        low = values <= 0
        detail = "Nothing costs nothing: such rows are usually placeholders."
        found.append(Finding("warn", "target", f"{plural(int(low.sum()), 'row')} at or below $0", rows_of(low), detail, "range", name))
    middle = float(values.median()) if values.notna().any() else 0.0
    if middle > 0 and (far := values > 50 * middle).any() and far.sum() < 0.02 * table.n:
        detail = f"The median is {amount(table, middle)}, the highest {amount(table, float(values.max()))}. Few such rows rule the mean."
        found.append(
            Finding("note", "target", f"{plural(int(far.sum()), 'row')} above 50 times the median", rows_of(far), detail, "range", name)
        )
    return found


def _balance(table: Table) -> list[Finding]:
    found = []
    if table.kind == "classification":
        counts = table.target.dropna().value_counts()
        if len(counts) >= 2 and counts.iloc[-1] * 4 < counts.iloc[0]:
            few, many = counts.index[-1], counts.index[0]
            rows = rows_of((table.target == few).fillna(False))
            text = f"{_value(table, few)} has {plural(int(counts.iloc[-1]), 'row')}, {_value(table, many)} {count(int(counts.iloc[0]))}"
            detail = f"Always answering {_value(table, many)} is right in {share(counts.iloc[0] / counts.sum(), int(counts.sum()))}."
            found.append(Finding("warn", "balance", text, rows, detail, "augment", table.roles.target))
        if len(counts) == 1:
            detail = "There is nothing to tell apart."
            found.append(Finding("fail", "balance", f"Every {table.roles.target} is {_value(table, counts.index[0])}", (), detail, "roles"))
        found += _spellings(table, counts)
    category = table.roles.category
    if category and category in table.frame and bool(of(table.frame, category).notna().any()):
        counts = table.frame[category].value_counts()
        part = counts.iloc[0] / table.n
        if len(counts) > 1 and part > 0.5:
            text = f"{str(counts.index[0])[:40]} is {share(part, table.n)} of the rows"
            detail = (
                f"The other {plural(len(counts) - 1, 'category', 'categories')} share the rest; a mean over all rows says little of them."
            )
            found.append(Finding("note", "balance", text, (), detail, "balance", category))
    return found


def _value(table: Table, label: object) -> str:
    name = (table.roles.target or "").replace("_", " ")
    return f"{name} {label}" if re.fullmatch(r"[\d.]+", str(label)) else f"'{str(label)[:30]}'"


def _spellings(table: Table, counts: pd.Series) -> list[Finding]:
    """Labels that differ only in case, blanks or width: one class in two."""
    plain: dict[str, list[str]] = {}
    for label in counts.index[:2000]:
        plain.setdefault(" ".join(unicodedata.normalize("NFKC", str(label)).casefold().split()), []).append(str(label))
    twice = next((names for names in plain.values() if len(names) > 1), None)
    if not twice:
        return []
    rows = rows_of(table.target.isin(twice[1:]))
    told = " and ".join(f"'{name[:30]}'" for name in twice[:3])
    return [Finding("warn", "label", f"{told} are one label", rows, "Written differently they are learnt as different answers.", "scrub")]


def _columns(table: Table) -> list[Finding]:
    """Columns that say nothing: empty, never changing, or a category that does not repeat."""
    found = []
    empty = [one.name for one in table.columns if table.n and one.nulls == table.n]
    if empty:
        text = f"{empty[0][:40]} is empty" if len(empty) == 1 else f"{len(empty)} columns are empty"
        found.append(Finding("note", "column", text, (), "No row has a value there.", "roles", empty[0]))
    used = [one for one in table.columns if table.roles.of(one.name) and table.n >= 20 and one.nulls < table.n]
    for one in used:
        role = table.roles.of(one.name)
        if one.unique == 1 and role not in ("split", "target"):
            found.append(
                Finding("note", "column", f"{one.name[:40]} never changes", (), "It cannot help to tell rows apart.", "roles", one.name)
            )
        elif role == "category" and one.unique > 50 and one.unique > 0.5 * (table.n - one.nulls):
            detail = "A category should repeat; slices would hold one row each."
            found.append(Finding("note", "column", f"{count(one.unique)} values of {one.name[:40]}", (), detail, "roles", one.name))
    gaps = sorted((one for one in used if table.roles.of(one.name) == "text" and one.nulls > 0.3 * table.n), key=lambda one: -one.nulls)
    for one in gaps[:1] if len(table.roles.text) > 1 else []:
        more = f" So are {len(gaps) - 1} further text columns, in 30 % or more." if len(gaps) > 1 else ""
        text = f"{one.name[:40]} is missing in {share(one.nulls / table.n, table.n)}"
        cells = table.frame[one.name]
        missing = rows_of(cells.isna() | (cells.astype("str").str.strip() == ""))
        found.append(Finding("note", "missing", text, missing, f"These rows rest on the other texts.{more}", None, one.name))
    return found


COLUMN_CHECKS = (_targets, _balance, _columns)
