"""Explore: what is in the table, what is odd about it, and what should be predicted."""

import streamlit as st

from ui import explore_add as adding
from ui import explore_columns as columns
from ui import (
    explore_export,
    explore_map,
    explore_overview,
    explore_roles,
    explore_rows,
    explore_send,
    explore_source,
    explore_sql,
    explore_tokens,
)
from ui.layout import view
from ui.state import current, guarded, open_page

VIEWS = {
    "Overview": explore_overview.view,
    "Columns": columns.view,
    "Tokens": explore_tokens.view,
    "Rows": explore_rows.view,
    "Map": explore_map.view,
    "SQL": explore_sql.view,
}


def export() -> None:
    here = current()
    if here.version:
        explore_export.contents(here.version)


if adding.wanted():
    open_page("explore", adding.TITLE, adding.LEAD, action=adding.button)
    adding.page()
    st.stop()

here = open_page("explore", "Explore", "What is in the table, what is odd about it, and what to throw away.", export, action=adding.button)
adding.tell()
explore_send.follow()
if not here.version:
    st.stop()

chosen = view("explore", list(VIEWS))
with guarded():
    if chosen == "Overview" and not here.version.roles.target:
        explore_roles.predicted(here.version)
    VIEWS[chosen](here.version)
    if chosen == "Overview" and here.version.roles.target:
        explore_roles.predicted(here.version)
    if chosen == "Overview":
        explore_source.expander(here.version)
