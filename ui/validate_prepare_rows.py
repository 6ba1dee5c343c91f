"""What one remedy of the classic assistant does to the rows: how many, and the first of them with what goes and comes marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.format import count, plural
from core.validate.prepare import Advice, Table
from core.validate.prepare_text import visible
from ui.tables import marked

LOOKS, AROUND, LONGEST = 3, 60, 260
"""Rows shown of a change; characters beside it; characters of a removed row."""


def look(key: str, one: Advice, steps: Mapping[str, tuple[Table, Table]]) -> None:
    """How many rows the remedy touches, and a few of them before and after."""
    if one.rule not in steps:
        return
    before, after = steps[one.rule]
    gone = sorted(set(before.numbers) - set(after.numbers))
    if gone:
        told, places = f"{plural(len(gone), 'row')} out", [before.numbers.index(number) for number in gone[:LOOKS]]
    else:
        pairs = zip(before.prompts, after.prompts, before.completions, after.completions, strict=True)
        changed = [place for place, (a, b, c, d) in enumerate(pairs) if a != b or c != d]
        told, places = f"{plural(len(changed), 'row')} changed", changed[:LOOKS]
    with st.popover(told, type="tertiary", disabled=not places, key=f"validate_look_{key}_{one.rule}"):
        for place in places:
            st.caption(f"Row {count(before.numbers[place])} of the file, counted from 0")
            name_of = f"validate_change_{key}_{one.rule}_{place}"
            if gone:
                text = cut(" ".join(f"{before.prompts[place]} → {before.completions[place]}".split()))
                marked(text, [(0, len(text), "removed")], name_of)
                continue
            for name, old, new in (
                ("prompt", before.prompts[place], after.prompts[place]),
                ("completion", before.completions[place], after.completions[place]),
            ):
                if old != new:
                    marked(*difference(old, new), f"{name_of}_{name}")


def difference(old: str, new: str) -> tuple[str, list[tuple[int, int, Any]]]:
    """One text that holds both, with what went and what came marked; only the surroundings of the change."""
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    rest = min(len(old), len(new)) - start
    end = next((i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b or i >= rest), rest)
    went, came = visible(cut(old[start : len(old) - end])), visible(cut(new[start : len(new) - end]))
    ahead, behind = old[:start], old[len(old) - end :] if end else ""
    ahead = "… " + ahead[-AROUND:] if len(ahead) > AROUND else ahead
    behind = behind[:AROUND] + " …" if len(behind) > AROUND else behind
    at = len(ahead)
    spans = [(at, at + len(went), "removed"), (at + len(went), at + len(went) + len(came), "added")]
    return ahead + went + came + behind, [span for span in spans if span[1] > span[0]]


def cut(text: str) -> str:
    """The text, its middle left out when it is long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
