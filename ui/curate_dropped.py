"""Curate: the rows a step drops: search, one reason, page by page, all of them as a file."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core.curate.running import grouped
from core.curate.steps import kind
from core.export import csv_bytes
from core.format import count, plural
from core.io.previewing import Preview
from core.version import Version
from ui import cache, tables
from ui import curate_state as state
from ui.layout import card
from ui.state import plain

PAGE = 50
"""Rows a page."""


def dropped(version: Version, seen: Preview, place: int) -> None:
    """The card below the recipe that a click on "−61 rows" opens."""
    gone = seen.steps[place].dropped
    if gone is None:
        return
    title = kind(state.desk(version).recipe.steps[place].name).title
    with card(f"Rows that leave with {title}", control=lambda: _close(version, place), key="curate_dropped_card"):
        bare = pd.Series([next(iter(grouped([reason]))) for reason in gone["reason"]], index=gone.index, dtype="object")
        search, why = st.columns(2)
        asked = search.text_input("Search these rows", type="search", live="300ms", key=f"curate_dropped_search_{place}",
                                  label_visibility="collapsed", placeholder="Search these rows")  # fmt: skip
        reasons = [str(reason) for reason in bare.value_counts().index]
        chosen = why.selectbox("Reason", reasons, None, key=f"curate_dropped_reason_{place}", label_visibility="collapsed",
                               format_func=lambda reason: f"{reason} ({count((bare == reason).sum())})",
                               placeholder=f"All reasons ({len(reasons)})")  # fmt: skip
        found = _table(version, pd.DataFrame(gone[bare == chosen]) if chosen else gone)
        if asked:
            found = pd.DataFrame(found[_holds(found, asked)])
        pages = max(1, math.ceil(len(found) / PAGE))
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            looked = "" if seen.whole else f", among {count(seen.rows)} rows looked at"
            st.caption(plain(f"{count(len(found))} of {plural(len(gone), 'row')} that leave{looked}"), width="content")
            at = st.pagination(pages, key=f"curate_dropped_page_{place}_{pages}") if pages > 1 else 1
            name = f"{version.dataset}-{title.lower().replace(' ', '-')}-dropped.csv"
            st.download_button("Download as CSV", lambda: csv_bytes(found), name, "text/csv", key="curate_dropped_csv", on_click="ignore",
                               icon=":material/download:", type="tertiary")  # fmt: skip
        shown = found.iloc[(at - 1) * PAGE : at * PAGE].reset_index(drop=True)
        key, alt = f"curate_dropped_{place}_{at}_{len(found)}", f"{plural(len(found), 'row')} that leave, with reasons"
        picked = tables.rows(shown, key, select=True, height=280, alt=alt)
        if picked:
            with st.container(border=True):
                tables.record(dict(shown.iloc[picked[0]]), "curate_dropped_row")


def _table(version: Version, gone: pd.DataFrame) -> pd.DataFrame:
    """Those rows of the version with their number and the reason, target and text first."""
    table = cache.frame(version.dataset, version.id)
    first = [name for name in (version.roles.target, *version.roles.text) if name in table]
    shown = table[[*first, *(name for name in table.columns if name not in first)]].iloc[gone["row"]].reset_index(drop=True)
    shown.insert(0, "why", gone["reason"].tolist(), allow_duplicates=True)
    shown.insert(0, "row", (gone["row"] + 1).tolist(), allow_duplicates=True)
    return shown


def _holds(table: pd.DataFrame, asked: str) -> list[bool]:
    """Whether any cell of a row holds these words, whatever their case."""
    words = asked.casefold()
    return [any(words in str(cell).casefold() for cell in row) for row in table.itertuples(index=False, name=None)]


def _close(version: Version, place: int) -> None:
    st.button(
        "Close", key="curate_dropped_close", type="tertiary", icon=":material/close:", on_click=state.show_dropped, args=(version, place)
    )
