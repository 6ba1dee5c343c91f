"""Augment, view Review: the run bar that saves what is kept as a new version."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from core.augment.decisions import kept
from core.format import count, plural
from core.io import batches, children, store, written
from core.io.batches import Batch
from core.version import Version
from ui.layout import run_bar
from ui.state import choose, guarded

if TYPE_CHECKING:
    import pandas as pd


def save(version: Version, batch: Batch, frame: pd.DataFrame) -> None:
    """Says how many rows come, and from how many; saved, the version is opened in the view Report."""
    rows = kept(frame)
    number = max(one.number for one in store.versions(version.dataset)) + 1
    text = (
        f"{plural(len(rows), 'new train row')} from {plural(len(set(rows['row'].tolist())), 'row')} · validation and test stay as they are"
    )
    ready = len(rows) > 0
    if run_bar(
        state="Ready" if ready else "Not ready",
        text=text if ready else "No variant is kept",
        label=f"Save {count(len(rows))} rows as version {number}",
        key="augment_save",
        disabled=not ready,
        icon=":material/save:",
    ):
        with guarded():
            rejected = Counter(gate for gate in frame["gate"].tolist() if gate)
            dated = _dated(rows, frame, batch)
            made = children.save(
                version, dated, batch.settings, batch.writer, rejected=dict(rejected.most_common()), usd=batches.usd(batch), job=batch.id,
                limits=batches.limits(batch),
            )  # fmt: skip
            choose(made)
            st.session_state["_augment_view"] = "Report"
            st.toast(f"Saved as version {made.number}")
            st.rerun()


def _dated(rows: pd.DataFrame, frame: pd.DataFrame, batch: Batch) -> pd.DataFrame:
    """With the time each variant was written."""
    times = {line["key"]: line.get("time", "") for line in written.lines(batch.folder) if "key" in line}
    keys = dict(zip(frame["variant"].tolist(), frame["key"].tolist(), strict=True))
    return rows.assign(written_at=[times.get(keys[text]) or None for text in rows["variant"].tolist()])
