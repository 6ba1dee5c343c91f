"""Checks of rows: duplicates and contradictions, leaks between splits, damaged, empty and overlong texts."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pandas as pd

from core.explore.finding import Finding, Table, amount, rows_of
from core.format import count, plural, share, unit_of
from core.load.columns import of

NEAR_ROWS, NEAR_CHARS = 20_000, 20_000_000
"""Near-duplicates are looked for in tables up to this size; in longer ones on Curate."""
_DAMAGE = re.compile("\ufffd|Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—™š›œŸ©®°±³´¸¹]|â€[™œ\x9d\u009d“”¦˜]|ì\u009d|ë\u008b")
_HTML = re.compile(r"<(?:br|p|div|span|a|b|i|li|ul|table|td|tr|img|h\d)\b[^<>]{0,200}>|&(?:nbsp|amp|quot|lt|gt|#\d{2,4});", re.I)


def _leaks(table: Table) -> list[Finding]:
    if not table.roles.split or table.roles.split not in table.frame:
        return []
    split = of(table.frame, table.roles.split).astype("str").to_numpy()
    known = set(table.text[split == "train"]) - {""}
    hit = (split == "test") & table.text.isin(known).to_numpy()
    if not hit.any():
        return []
    detail = "They are word for word the same. Scores would flatter every model."
    return [Finding("fail", "leak", f"{plural(int(hit.sum()), 'test row')} also in train", rows_of(hit), detail, "leaks")]


def _near(table: Table) -> list[Finding]:
    """Texts that are nearly the same (Jaccard of 5-grams from 0.8), where the table is small enough to look at once."""
    if not table.roles.text or table.n > NEAR_ROWS or int(table.text.str.len().sum()) > NEAR_CHARS:
        return []
    from core.curate.duplicates import clusters, repeated

    texts = _asked(table)
    groups = clusters(texts.tolist())
    again = pd.Series(repeated(groups)) & ~texts.duplicated(keep="first")
    found = []
    if table.roles.split and table.roles.split in table.frame:
        split = of(table.frame, table.roles.split).astype("str").to_numpy()
        trained = set(groups[split == "train"].tolist())
        same = texts.isin(set(texts[split == "train"])).to_numpy()
        leaked = (split == "test") & np.isin(groups, list(trained)) & (texts != "").to_numpy() & ~same
        if leaked.any():
            detail = "Four fifths of their words stand in a train row. Scores would flatter every model."
            found.append(
                Finding("fail", "leak", f"{plural(int(leaked.sum()), 'test row')} nearly in train", rows_of(leaked), detail, "leaks")
            )
    if again.any():
        detail = "They share four fifths of their wording. A split has to keep them together, or they leak from train to test."
        rows = rows_of(pd.Series(groups).isin(set(groups[again.to_numpy()].tolist())))
        found.append(Finding("note", "near", plural(int(again.sum()), "near-duplicate"), rows, detail, "near"))
    return found


def _asked(table: Table) -> pd.Series:
    """What has to differ between rows: all texts, and of questions on passages the question alone (the shortest column)."""
    if table.kind != "qa" or len(table.roles.text) < 2:
        return table.text
    columns = [of(table.frame, name).fillna("").astype("str") for name in table.roles.text if name in table.frame]
    return min(columns, key=lambda one: float(one.str.len().mean()))


def _unsplit(table: Table) -> list[Finding]:
    if not table.roles.split or table.roles.split not in table.frame:
        return []
    values = set(table.frame[table.roles.split].dropna().astype("str"))
    if "test" in values and "train" in values:
        return []
    lacking = " and ".join(name for name in ("train", "test") if name not in values)
    return [Finding("warn", "split", f"No {lacking} rows", (), "Models are measured on test rows and learn from train rows.", "split")]


def _duplicates(table: Table) -> list[Finding]:
    filled = table.text != ""
    again = filled & table.text.duplicated(keep="first")
    if not again.any():
        return []
    disagree, ceiling = _conflicts(table)
    every = rows_of(filled & table.text.duplicated(keep=False))
    text, target = plural(int(again.sum()), "exact duplicate"), table.roles.target
    if not disagree:
        detail = "The same text again, with the same answer: they count twice when learning and when measuring."
        return [Finding("warn", "duplicate", text, every, detail, "duplicates")]
    detail = f"{plural(len(disagree), 'row')} of equal text disagree on {target}: {ceiling}."
    apart = Finding("note", "conflict", f"{plural(len(disagree), 'row')} contradict each other", disagree,
                    f"The same text with another {target}: {ceiling}. Keep the usual answer, or none of them.", "conflicts")  # fmt: skip
    return [Finding("warn", "duplicate", text, every, detail, "duplicates"), apart]


def _conflicts(table: Table) -> tuple[tuple[int, ...], str]:
    """Rows of equal text with different targets, and the best score that leaves possible, in words."""
    known = (table.text != "") & table.target.notna()
    if not known.any():
        return (), ""
    pairs = pd.DataFrame({"text": table.text[known], "target": table.target[known]})
    pairs = pairs.loc[pairs["text"].duplicated(keep=False).to_numpy()]
    apart = [one for _, one in pairs.groupby("text")["target"] if one.nunique() > 1]
    rows = tuple(sorted(int(row) for one in apart for row in one.index))
    if not rows:
        return (), ""
    n = int(known.sum())
    if table.kind == "regression":
        least = sum(float((one - one.median()).abs().sum()) for one in apart) / n
        return rows, f"no model can miss by less than {amount(table, least)} on average"
    ceiling = (n - len(rows) + sum(max(Counter(one.tolist()).values()) for one in apart)) / n
    told = share(ceiling, n) if ceiling < 0.9995 else f"{100 * ceiling:.2f} %"
    return rows, f"your ceiling is {told}"


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


ROW_CHECKS = (_leaks, _near, _unsplit, _duplicates, _texts, _long, _damage, _told)
