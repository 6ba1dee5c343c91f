"""Checks of how much rows repeat: duplicates with the ceiling their contradictions set, near-duplicates, templates, languages."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.explore import diversity, language
from core.explore.finding import Finding, Table, amount, rows_of
from core.format import plural, share, short
from core.load.columns import of
from core.version import Roles

NEAR_ROWS, NEAR_CHARS = 20_000, 20_000_000
"""Near-duplicates are looked for in tables up to this size; in longer ones on Curate."""
POOR = 0.35
"""Distinct-2 below this is poor: two in three pairs of words have been read before. Prose has 0.6 to 0.9 over 10,000 words."""
LOOKED = 20_000
"""Templates are looked for in so many rows, drawn by lot from longer tables."""
_MOST = 0.3
"""A template in more of the rows than this is warned of."""


def asked(texts: pd.Series, frame: pd.DataFrame, roles: Roles, kind: str | None) -> pd.Series:
    """What has to differ between rows: all texts, and of questions on passages the question alone (the shortest column)."""
    if kind != "qa" or len(roles.text) < 2:
        return texts
    columns = [of(frame, name).fillna("").astype("str") for name in roles.text if name in frame]
    return min(columns, key=lambda one: float(one.str.len().mean()))


def near(texts: pd.Series, roles: Roles) -> np.ndarray | None:
    """Groups of near-duplicates (Jaccard of 5-grams from 0.8), None where the table is too large to look at once."""
    if not roles.text or len(texts) > NEAR_ROWS or int(texts.str.len().sum()) > NEAR_CHARS:
        return None
    from core.curate.duplicates import clusters

    return clusters(texts.tolist())


def _near(table: Table) -> list[Finding]:
    if table.near is None:
        return []
    from core.curate.conflicts import conflicts
    from core.curate.duplicates import repeated

    texts = asked(table.text, table.frame, table.roles, table.kind)
    groups = table.near
    again = pd.Series(repeated(groups)) & ~texts.duplicated(keep="first")
    found = []
    split = table.splits()
    if split is not None:
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
        if table.kind == "classification":
            apart = {row for group in conflicts(groups, table.target.tolist()).groups for row in group} & set(rows)
            detail += f" {plural(len(apart), 'of them', 'of them')} disagree on {table.roles.target}." if apart else ""
        part, _ = diversity.largest(groups)
        if part > 0.1:
            detail += f" The five largest groups of them hold {share(part, table.n)} of the rows."
        found.append(Finding("note", "near", plural(int(again.sum()), "near-duplicate"), rows, detail, "near"))
    return found


def crowded(rows: np.ndarray, groups: np.ndarray, titles: Sequence[str]) -> Finding | None:
    """Whether the five largest groups of a map hold half of its texts, and half as many again as even groups would.

    `rows` are the table's row numbers of the texts on the map, `groups` the group of each, `titles` those of group 0, 1, ...
    """
    part, count = diversity.largest(groups)
    even = 5 / max(1, count)
    if count <= 5 or part < max(0.5, 1.5 * even):
        return None
    sizes = np.bincount(groups)
    top = np.argsort(-sizes, kind="stable")[:5]
    detail = f"{plural(count, 'group')} of like texts; even ones would hold {share(even, 100)}. The largest: {titles[int(top[0])]}. "
    detail += "A model learns little of what is rare."
    held = tuple(int(row) for row in rows[np.isin(groups, top)])
    return Finding("note", "cluster", f"Five groups of texts hold {share(part, max(30, len(groups)))}", held, detail, "more")


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
    from core.curate.conflicts import conflicts
    from core.curate.duplicates import exact

    known = (table.text != "") & table.target.notna()
    targets = table.target.astype("object").where(known, None).tolist()
    found = conflicts(exact(table.text.tolist()), targets)
    rows = tuple(sorted(row for group in found.groups for row in group))
    if not rows:
        return (), ""
    if found.numeric:
        return rows, f"no model can miss by less than {amount(table, found.ceiling)} on average"
    told = share(found.ceiling, found.rows)
    if told.startswith("100"):  # a ceiling below one never reads as one
        told = f"{math.floor(10_000 * found.ceiling) / 100:.2f} %"
    return rows, f"your ceiling is {told}"


def _templates(table: Table) -> list[Finding]:
    """Openings and endings many different texts share."""
    if not table.roles.text:
        return []
    found = []
    texts, places = table.text.tolist(), range(table.n)
    if table.n > LOOKED:
        places = sorted(int(row) for row in np.random.default_rng(0).permutation(table.n)[:LOOKED])
        texts = [texts[row] for row in places]
    for one in diversity.templates(texts):
        verb = "opens" if one.place == "opening" else "ends"
        out = diversity.phrase(one.text, [texts[row] for row in one.rows])
        detail = (
            f"They {verb[:-1]} alike"
            + (" but for the numbers" if one.numbers else "")
            + ": a model spends tokens on it and learns nothing."
        )
        fix, settings = ("scrub", {"phrases": (one.text,), "html": False, "runs": False}) if out else (None, {})
        text = f"'{short(one.text, 44)}' {verb} {share(one.share, max(30, table.n))} of texts"
        rows = tuple(places[row] for row in one.rows)
        detail += f" Looked at {LOOKED:,} rows drawn by lot." if table.n > LOOKED else ""
        found.append(Finding("warn" if one.share > _MOST else "note", "template", text, rows, detail, fix, settings=settings))
    return found


def _poor(table: Table) -> list[Finding]:
    """Few different pairs of words, in the text or in free answers."""
    found = []
    answers = table.target.dropna().astype("str").tolist() if table.kind in ("qa", "chat") else []
    for what, texts in (("text", table.text.tolist()), ("answer", answers)):
        one = diversity.distinct(texts)
        if one and one.two < POOR:
            text = f"Distinct-2 of the {what}s is {one.two:.2f}"
            told = f"{100 * one.two:.0f} of 100 pairs of neighbouring words are new, over {one.words:,} words"
            detail = f"{told} of {plural(one.rows, 'row')}; prose has 60 to 90. Many rows are written to one pattern."
            found.append(Finding("note", "variety", text, (), detail, "near"))
    return found


def _languages(table: Table) -> list[Finding]:
    """More than one language that holds a twentieth of the rows."""
    if not table.roles.text or table.identify is None:
        return []
    mix = language.mix(table.text.tolist(), table.identify)
    several = mix.languages
    if len(several) < 2 or several[1].rows < 5:
        return []
    known = sum(one.rows for one in mix.shares)
    drawn = f" of {plural(mix.n, 'row')} drawn by lot" if mix.n < mix.of else ""
    text = " and ".join(f"{share(one.share, max(30, known))} {one.name}" for one in several[:3])
    ends = f"{100 * several[1].low:.0f} to {100 * several[1].high:.0f} %"
    detail = f"Told for {plural(known, 'row')}{drawn}; {several[1].name} holds {ends} (95 % interval). Small models rarely know both."
    rows = tuple(sorted(row for one in several[1:] for row in mix.rows[one.language]))
    settings = _only(several[0].language, several[1].language)
    return [Finding("note", "language", text, rows, detail, "language" if settings else None, settings=settings)]


def _only(main: str, other: str) -> dict[str, str]:
    """The filter that keeps the main language, where Hangul tells the two apart."""
    return {"pattern": "[가-힣]", "keep": "matches" if main == "ko" else "others"} if "ko" in (main, other) else {}


SAMENESS_CHECKS = (_near, _duplicates, _templates, _poor, _languages)
