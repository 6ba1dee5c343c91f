"""Add data by uploading a file, up to 200 MB."""

from __future__ import annotations

import streamlit as st

from core.load.formats import UPLOADS
from ui import explore_table
from ui.state import guarded

MEGABYTES = 200


def page() -> None:
    """The uploader, and the file once there is one."""
    file = st.file_uploader("File", type=list(UPLOADS), key="explore_file", label_visibility="collapsed", max_upload_size=MEGABYTES)
    if file is None:
        st.caption(
            "CSV, TSV, XLSX, XLS, ODS, JSON, JSONL, Parquet, Arrow, and gz or zip of these. A larger file, a folder or a saved dataset: "
            "give its path under This machine."
        )
        explore_table.wait("Choose a file")
        return
    with guarded():
        explore_table.show(file.name, file.getvalue())
