"""Add data by a path of this machine: a file of any size, a folder of files of one kind, or a saved dataset."""

from __future__ import annotations

import streamlit as st

from core.errors import StudioError
from core.io import parts, reading
from core.load.read import ReadOptions
from ui import explore_large, explore_table


def page() -> None:
    """The field for the path, and what it leads to."""
    path = st.text_input(
        "Path of a file or folder on this machine", key="explore_path", placeholder="/home/me/reviews.csv", disabled=explore_large.runs()
    )
    if explore_large.watched():
        return
    if not path:
        st.caption("Files over 50 MB and folders are read piece by piece in the background; they may be larger than the memory.")
        explore_table.wait("Choose a file")
        return
    try:
        place = parts.locate(path)
        if place.streamed:
            explore_large.show(path, place)
        else:
            name, data = reading.local(path)
            explore_table.show(name, data)
    except StudioError as error:
        explore_table.refused(error, path.replace("\\", "/").rsplit("/", 1)[-1], path, ReadOptions())
