"""Reading options: how a file is read where its content leaves a choice."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.load.decoding import ENCODINGS, shown
from core.load.delimited import QUOTES, SEPARATORS
from core.load.formats import BOOKS
from core.load.read import Loaded, ReadOptions

_TEXT = ("csv", "jsonl", "json")


def current(key: str) -> ReadOptions:
    """The options chosen for a file; `key` names it."""
    return st.session_state.get(f"explore_options_{key}", ReadOptions())


def popover(key: str, options: ReadOptions, loaded: Loaded | None) -> None:
    """The choices that matter for this kind of file (all of them where it could not be read); a change draws the page again."""
    kind = loaded.format if loaded else "csv"
    place = f"explore_option_{key[:12]}"
    with st.popover("Reading options", icon=":material/tune:", type="tertiary"):
        chosen = options
        if kind in _TEXT:
            encodings = [None, *ENCODINGS]
            encoding = st.selectbox(
                "Encoding", encodings, format_func=lambda one: "Find it" if one is None else shown(one), key=f"{place}_encoding",
                index=encodings.index(options.encoding) if options.encoding in encodings else 0,
            )  # fmt: skip
            chosen = replace(chosen, encoding=encoding)
        if kind == "csv":
            chosen = replace(chosen, **_csv(place, options))
        if kind in BOOKS:
            sheets = loaded.choices.get("sheet", ()) if loaded else ()
            if sheets:
                sheet = st.selectbox("Sheet", sheets, key=f"{place}_sheet", index=sheets.index(options.sheet or sheets[0]))
                chosen = replace(chosen, sheet=None if sheet == sheets[0] else sheet)
        if kind == "csv" or kind in BOOKS:
            header = st.toggle("The first line names the columns", value=options.header, key=f"{place}_header")
            skip = st.number_input("Leave out first lines", 0, 1000, options.skip, key=f"{place}_skip")
            chosen = replace(chosen, header=header, skip=int(skip))
        members = loaded.choices.get("member", ()) if loaded else ()
        if members:
            first = options.member if options.member in members else members[0]
            member = st.selectbox("File in the archive", members, key=f"{place}_member", index=members.index(first))
            chosen = replace(chosen, member=None if member == members[0] else member)
        rows = st.number_input("First rows", 1, None, options.rows, key=f"{place}_rows", placeholder="all", help="Read only so many rows.")
        apart = st.toggle(
            "Take conversations and pairs apart", value=options.shapes, key=f"{place}_shapes",
            help="Chat, ShareGPT, Alpaca and preference files get columns for question and answer.",
        )  # fmt: skip
        chosen = replace(chosen, rows=int(rows) if rows else None, shapes=apart)
    if chosen != options:
        st.session_state[f"explore_options_{key}"] = chosen
        st.rerun()


def _csv(place: str, options: ReadOptions) -> dict[str, str | None]:
    separators, ways = [None, *SEPARATORS], [None, *QUOTES]
    separator = st.selectbox(
        "Separator", separators, format_func=lambda one: "Find it" if one is None else SEPARATORS[one], key=f"{place}_separator",
        index=separators.index(options.separator) if options.separator in separators else 0,
    )  # fmt: skip
    quotes = st.selectbox(
        "Quotation marks", ways, format_func=lambda one: "Find it" if one is None else QUOTES[one], key=f"{place}_quotes",
        index=ways.index(options.quotes),
    )  # fmt: skip
    return {"separator": separator, "quotes": quotes}
