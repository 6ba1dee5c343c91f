"""Augment, view Review: all variants of the filter in one table, each to tick and to rewrite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.augment.decisions import NEVER
from core.augment.gates import GATES
from core.format import count, plural
from core.io import batches
from core.io.batches import Batch
from ui.state import plain

if TYPE_CHECKING:
    import pandas as pd

MOST = 500
"""Rows in the editor at once."""
PASSES = "passes"


def renew() -> None:
    """A fresh editor from the next run on: its ticks and edits are on disk."""
    st.session_state["augment_nonce"] = st.session_state.get("augment_nonce", 0) + 1


def table(shown: pd.DataFrame, frame: pd.DataFrame, batch: Batch, turn: str) -> None:
    """The editor. What it is given stays the same while it lives, because edits are laid over it."""
    key = f"augment_rows_{batch.id}_{batch.stamp[0]}_{turn}_{st.session_state.get('augment_nonce', 0)}"
    if st.session_state.get("augment_shown", ("",))[0] != key:
        st.session_state["augment_shown"] = (key, shown)
    held: pd.DataFrame = st.session_state["augment_shown"][1]
    page = held.head(MOST)
    titles = [GATES[one].title if one else PASSES for one in page["gate"].tolist()]
    view = page[["keep", "original", "variant", "removed", "added"]].assign(gate=titles)[
        ["keep", "original", "variant", "gate", "removed", "added"]
    ]

    def edited() -> None:
        changes: dict[str, dict[str, Any]] = {}
        for place, made in st.session_state[key]["edited_rows"].items():
            changes[page["id"].iloc[int(place)]] = {name: value for name, value in made.items() if name in ("keep", "variant")}
        batches.decide(batch, changes)

    text = st.column_config.TextColumn
    st.data_editor(
        view.reset_index(drop=True),
        key=key,
        hide_index=True,
        width="stretch",
        height=min(560, 40 + 35 * len(view)),
        num_rows="fixed",
        on_change=edited,
        disabled=["original", "gate", "removed", "added"],
        alt=f"{len(view)} variants",
        column_config={
            "keep": st.column_config.CheckboxColumn("Keep", width=60),
            "original": text("Original", width=170),
            "variant": text("Variant (editable)", width=280),
            "gate": text("Gate", width=105),
            "removed": text("Removed", width=110),
            "added": text("Added", width=110),
        },
    )
    if len(held) > MOST:
        st.caption(
            f"The first {count(MOST)} of {count(len(held))}; filter by a gate to see others. All are saved or left out by the same rule."
        )
    _said(frame, batch)


def _said(frame: pd.DataFrame, batch: Batch) -> None:
    """What people changed and the gates object to."""
    failing = frame[frame["edited"] & (frame["gate"] != "")]
    if len(failing):
        reasons = ", ".join(dict.fromkeys(GATES[gate].title for gate in failing["gate"].tolist()))
        st.caption(plain(f"{plural(len(failing), 'rewritten variant')} would not pass: {reasons}."))
    ticked = [id for id, made in batches.decisions(batch).items() if made.get("keep")]
    blocked = frame[frame["gate"].isin(NEVER) & frame["id"].isin(ticked)]
    if len(blocked):
        st.caption(f"{plural(len(blocked), 'ticked variant')} cannot be kept: empty, or too close to a test row.")
