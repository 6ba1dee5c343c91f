"""Augment, view Review: the gates, the variants one by one or as a table, and saving what is kept."""

from __future__ import annotations

import streamlit as st

from core.format import cost
from core.io.batches import Batch
from core.version import Version
from ui import augment_cache, augment_gates, augment_look, augment_run, augment_save, augment_table
from ui.layout import card
from ui.state import plain


def choose_batch(version: Version) -> Batch | None:
    """The run or pasted replies to look at; a picker when there are several."""
    found = augment_cache.batches_of(version)
    if len(found) < 2:
        return found[0] if found else None
    titles = {one.id: one.title or "Just started" for one in found}
    id = st.selectbox("Run", list(titles), format_func=lambda one: titles[one], key="augment_batch", label_visibility="collapsed")
    return next(one for one in found if one.id == id)


def review(version: Version, batch: Batch) -> None:
    """The whole view."""
    frame = augment_cache.decided(version, batch)
    gate, between = augment_gates.gates(version, frame, batch)
    places = [place for place, found in enumerate(frame["gate"].tolist()) if gate in (None, found)]
    if between:
        values = augment_cache.values(version, batch)[between[0]]
        places = [place for place in places if between[1] <= values[place] < between[2]]
    shown = frame.take(places)
    with card("The variants", control=_mode):
        st.caption(plain(f"{batch.title} · {_spent(batch)}"))
        look = augment_look.one_by_one if st.session_state.get("augment_mode") != "Table" else augment_table.table
        look(shown, frame, batch, f"{gate}_{between}")
    if batch.job is not None and batch.job.alive:
        augment_run.watched(batch.job)
    else:
        augment_save.save(version, batch, frame)


def _mode() -> None:
    st.segmented_control("Show", ["One by one", "Table"], default="One by one", required=True, key="augment_mode",
                         label_visibility="collapsed", on_change=augment_table.renew)  # fmt: skip


def _spent(batch: Batch) -> str:
    spent = augment_cache.spent(batch)
    return f"spent {cost(spent)}" if spent else "free" if spent == 0 or batch.writer.name == "hand" else "price unknown"
