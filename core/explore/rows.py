"""Checks of rows: leaks between splits, damaged, empty and overlong texts, answers that stand in the text."""

from __future__ import annotations

import re

import numpy as np

from core.explore.finding import Finding, Table, rows_of
from core.format import count, plural, unit_of

_DAMAGE = re.compile("\ufffd|Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—™š›œŸ©®°±³´¸¹]|â€[™œ\x9d\u009d“”¦˜]|ì\u009d|ë\u008b")
_HTML = re.compile(r"<(?:br|p|div|span|a|b|i|li|ul|table|td|tr|img|h\d)\b[^<>]{0,200}>|&(?:nbsp|amp|quot|lt|gt|#\d{2,4});", re.I)


def _leaks(table: Table) -> list[Finding]:
    split = table.splits()
    if split is None:
        return []
    known = set(table.text[split == "train"]) - {""}
    hit = (split == "test") & table.text.isin(known).to_numpy()
    if not hit.any():
        return []
    detail = "They are word for word the same. Scores would flatter every model."
    return [Finding("fail", "leak", f"{plural(int(hit.sum()), 'test row')} also in train", rows_of(hit), detail, "leaks")]


def _texts(table: Table) -> list[Finding]:
    if not table.roles.text:
        return []
    found = []
    blank = table.text.str.strip() == ""
    if blank.any():
        detail = "There is nothing to predict from."
        found.append(Finding("warn", "missing", f"{plural(int(blank.sum()), 'row')} without text", rows_of(blank), detail, "missing"))
    words = table.text.str.len()
    short = ~blank & (words < 10)
    if table.kind in ("regression", "classification") and short.sum() > 0.005 * table.n:
        detail = "Fewer than 10 characters rarely say enough."
        found.append(Finding("note", "short", f"{plural(int(short.sum()), 'very short text')}", rows_of(short), detail, "windows"))
    return found


def _long(table: Table) -> list[Finding]:
    if table.lengths is None or not len(table.lengths):
        return []
    over = table.lengths > table.limit
    if not over.any():
        return []
    detail = f"The end of the text would be cut in training. The longest has {count(int(table.lengths.max()))}."
    severe = "warn" if over.mean() > 0.01 else "note"
    return [Finding(severe, "long", f"{plural(int(over.sum()), 'row')} over {table.limit} tokens", rows_of(over), detail, "windows")]


def _damage(table: Table) -> list[Finding]:
    damaged = table.text.str.contains(_DAMAGE, regex=True)
    marked = table.text.str.contains(_HTML, regex=True)
    found = []
    if damaged.any():
        detail = "Letters were lost or doubled when the file was read in the wrong encoding, here or earlier."
        found.append(Finding("warn", "encoding", f"{plural(int(damaged.sum()), 'damaged text')}", rows_of(damaged), detail, "scrub"))
    if marked.any():
        detail = "Tags and entities such as <br /> cost tokens and say nothing."
        found.append(Finding("note", "markup", f"HTML in {plural(int(marked.sum()), 'text')}", rows_of(marked), detail, "scrub"))
    return found


def _told(table: Table) -> list[Finding]:
    """A price that stands in the text, as "$12.50": the answer is given away."""
    if table.kind != "regression" or not table.roles.target:
        return []
    if unit_of(table.roles.target, table.frame[table.roles.target].head(50).tolist()) != "usd":
        return []
    told = [
        "$" in text and value == value and (f"${value:.2f}" in text or f"${value:,.2f}" in text)
        for text, value in zip(table.text.tolist(), table.target.tolist(), strict=True)
    ]
    if not any(told):
        return []
    detail = f"A model would copy it from there and look better than it is. Remove the {table.roles.target} from the text."
    return [
        Finding("warn", "leak", f"The {table.roles.target} stands in {plural(sum(told), 'text')}", rows_of(np.array(told)), detail, "scrub")
    ]


ROW_CHECKS = (_leaks, _texts, _long, _damage, _told)
