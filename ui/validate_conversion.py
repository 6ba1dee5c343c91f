"""The file in another format: how many rows can be carried over, what is lost, the first of them before and after, the download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.format import count, plural
from core.io.commands.convert import pieces
from core.validate.convert import Converted, convert
from core.validate.fixes import shown
from core.validate.formats import FORMATS, UNKNOWN
from ui.validate_source import Subject

SAMPLE = 5_000
"""Rows that are converted to count and show; the download converts all."""
LONGEST = 1_500
"""Characters of a row that are shown."""


def conversion(subject: Subject) -> None:
    """The choice of the format, what is lost, a preview, the download."""
    made = subject.made
    if made.detection.format == UNKNOWN:
        st.caption("The format is not known, so nothing can be converted.")
        return
    mixed = len(made.detection.counts) > 1
    others = [name for name in FORMATS if mixed or name != made.detection.format or name == "preference"]
    to = st.selectbox("Turn it into", others, format_func=FORMATS.__getitem__, key="validate_to", width=260)
    rows, kinds = made.file.rows[:SAMPLE], made.detection.kinds[:SAMPLE]
    done = convert(rows, to, kinds)
    many = f"the first {count(SAMPLE)} rows" if made.examples > SAMPLE else plural(made.examples, "row")
    st.caption(f"{count(len(done.rows))} of {many} can be carried over.")
    if done.lost:
        lost = pd.DataFrame({"What cannot be carried over": list(done.lost), "times": list(done.lost.values())})
        st.dataframe(lost, hide_index=True, key="validate_lost", alt="What is lost")
    elif done.rows:
        st.caption("Nothing is lost.")
    if done.rows:
        _preview(subject, rows, done)
    st.download_button(f"Download as {FORMATS[to]}", lambda: _file(subject, to), f"{subject.name}-{to}.jsonl", "application/jsonl",
                       key="validate_converted", on_click="ignore", disabled=not done.rows, icon=":material/download:")  # fmt: skip


def _preview(subject: Subject, rows: Sequence[Any], done: Converted) -> None:
    """One row before and after; which one is a number."""
    number = 1
    if len(done.rows) > 1:
        number = st.number_input("Preview row", 1, len(done.rows), 1, key=f"validate_preview_{len(done.rows)}", width=160,
                                 help="Of the rows that can be carried over.")  # fmt: skip
    place = done.origins[int(number) - 1]
    pair = (("before", rows[place]), ("after", done.rows[int(number) - 1]))
    for column, (words, row) in zip(st.columns(2, gap="small"), pair, strict=True):
        column.caption(f"Row {count(subject.made.file.lines[place])}, {words}")
        column.code(_short(shown(row)), language=None, wrap_lines=True)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _file(subject: Subject, to: str) -> bytes:
    """Every row in the new format, as JSON lines; converted some thousand rows at a time."""
    return b"".join(pieces(subject.made.file.rows, to, Counter()))
