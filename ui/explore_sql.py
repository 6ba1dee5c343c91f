"""SQL: one SELECT over the rows, read only."""

from __future__ import annotations

import streamlit as st

from core.format import count
from core.io import sql
from core.version import Version
from ui import explore_python
from ui.state import guarded
from ui.tables import downloads, rows


def view(version: Version) -> None:
    """The box, its answer, and what it may do."""
    with st.form("explore_sql_form"):
        text = st.text_area("SQL", value=_example(version), key=f"explore_sql_{version.id}", height=140, label_visibility="collapsed")
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption("Table `data`, one row each; `numbers` beside it, row by row. Read only · 5 s · first 1,000 rows", width="content")
            pressed = st.form_submit_button("Run query", type="primary", icon=":material/play_arrow:")
    if pressed:
        st.session_state[f"explore_asked_{version.id}"] = text
    asked = st.session_state.get(f"explore_asked_{version.id}")
    if not asked:
        return
    with guarded():
        answer = sql.select(version, asked)
        rows(answer.frame, key=f"explore_answer_{version.id}", alt="The answer")
        more = "; there are more" if answer.cut else ""
        st.caption(f"{count(len(answer.frame))} rows{more}. The first 500 are shown; the download has all {count(len(answer.frame))}.")
        with st.container(horizontal=True):
            downloads(lambda: answer.frame, "answer", f"explore_sql_down_{version.id}")
        explore_python.copied(explore_python.sql(version, asked), "sql")


def _example(version: Version) -> str:
    column = version.roles.category or version.roles.target
    if not column:
        return "SELECT * FROM data LIMIT 10"
    name = '"' + column.replace('"', '""') + '"'
    return f"SELECT {name}, count(*) AS rows\nFROM data\nGROUP BY {name}\nORDER BY rows DESC"
