"""Augment, view Report: the text a model is finally trained on, for a row and its new ones, in each format."""

from __future__ import annotations

import streamlit as st

from core.augment.training_text import FORMATS
from core.format import plural, short
from core.io.batches import Batch
from core.version import Version
from ui import augment_cache
from ui.layout import card
from ui.state import guarded


def final_texts(version: Version, batch: Batch | None) -> None:
    """One row with what was written from it, as lines of a training file."""
    if not version.roles.target or not version.task:
        return
    with card("What a model is trained on", height="content"), guarded():
        families = augment_cache.families(version, batch)
        if not families:
            st.caption("No new row has a text and an answer yet.")
            return
        left, right = st.columns([3, 2])
        names = [short(" ".join(one.title.split()), 60) for one in families]
        place = left.selectbox("Row", range(len(families)), format_func=lambda at: names[at], key="augment_final_row")
        name = str(right.selectbox("Format", list(FORMATS), format_func=lambda one: FORMATS[one], key="augment_final_format"))
        one = families[int(place)]
        for number, text in enumerate(one.texts):
            st.caption("Original" if one.parent and number == 0 else f"New row {number + (not one.parent)}")
            st.code(text[name], language=None, wrap_lines=True)
        st.caption(f"The first {plural(len(families), 'row')} can be looked at here; the whole file is on Validate & Cost.")
