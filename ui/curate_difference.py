"""Curate: what a step changes in the texts, row by row, with what it takes away and what it adds marked."""

from __future__ import annotations

import streamlit as st

from core.curate.difference import difference
from core.curate.steps import kind
from core.format import count, plural
from core.io import inspecting
from core.version import Version
from ui import curate_state as state
from ui import tables
from ui.curate_prompt import stepper
from ui.layout import card
from ui.state import plain


def differences(version: Version, place: int) -> None:
    """The card that "What it changes" opens."""
    recipe = state.desk(version).recipe
    step = recipe.steps[place]
    with card(f"What {kind(step.name).title} changes", control=lambda: _close(version, place), key="curate_difference_card"):
        texts = inspecting.rewritten(version, recipe, place) if step.on else []
        if not texts:
            st.caption("This step writes no text. What it drops opens with the number of rows beside it." if step.on
                       else "This step is off: switch it on to see what it changes.")  # fmt: skip
            return
        one = texts[0]
        if len(texts) > 1:
            names = [text.column for text in texts]
            name = st.selectbox("Column", names, key=f"curate_difference_column_{place}", label_visibility="collapsed")
            one = texts[names.index(name)]
        if not one.rows:
            st.caption(plain(f"No text of {one.column} changes: {plural(one.looked, 'row')} looked at."))
            return
        at = stepper("curate_difference", len(one.rows), f"{recipe.seed}_{place}_{one.column}_{len(one.rows)}")
        row = one.rows[at]
        before, after = inspecting.pair(version, recipe, place, one.column, row)
        what = f"the new column {one.column}" if one.new else one.column
        st.caption(plain(f"{count(len(one.rows))} of {plural(one.looked, 'text')} of {what} changed · row {count(row + 1)}: "
                         f"{count(len(before))} → {count(len(after))} characters"))  # fmt: skip
        text, spans = (after, []) if one.new else difference(before, after)
        tables.marked(text, spans, f"curate_difference_text_{place}_{one.column}_{row}")
        if not one.new:
            st.caption("Struck through in red: taken away. On green: added.")


def _close(version: Version, place: int) -> None:
    st.button("Close", key="curate_difference_close", type="tertiary", icon=":material/close:", on_click=state.edit,
              args=(version, place, "What it changes"))  # fmt: skip
