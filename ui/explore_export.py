"""Export of Explore: the table, the columns, and the same as a command and in Python."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.format import count, size
from core.io import store
from core.version import Version
from ui import explore_cache, explore_python
from ui import explore_filters as filters
from ui.tables import downloads, same_action

LARGEST = 256 << 20
"""Bytes of the stored table up to which it is handed to the browser; a larger one is copied from the workspace."""


def contents(version: Version) -> None:
    """What stands in the Export popover."""
    path = store.data_path(version)
    stored = path.stat().st_size
    if stored <= LARGEST:
        downloads(lambda: store.frame(version), f"{version.dataset}-{version.number}", "explore_export")
    else:
        st.caption(f"The table is a Parquet file of {size(stored)} with {count(version.rows)} rows. Copy it from")
        st.code(str(path), language=None, wrap_lines=True)
    downloads(lambda: columns(version), f"{version.dataset}-columns", "explore_export_columns", "Columns")
    same_action(f"python -m core profile {version.id} --json", explore_python.overview(version, None, None, filters.every(version)))


def columns(version: Version) -> pd.DataFrame:
    """The columns as a table."""
    report = explore_cache.profile(version)
    keys = ("name", "kind", "nulls", "unique", "longest", "example")
    return pd.DataFrame([{key: getattr(one, key) for key in keys} for one in report.columns])
