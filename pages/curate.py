"""Curate: a recipe of steps turns raw rows into training data; nothing is saved before the last click."""

import streamlit as st

from core.io import previewing
from ui import curate_add, curate_bar, curate_export, curate_files, curate_gate, curate_recipe, curate_rows, curate_state
from ui.layout import no_data
from ui.state import current, guarded, open_page, settle

LEAD = "Steps from raw rows to training data. Every step can be undone; the source never changes."


def export() -> None:
    """The table, the recipe, the same action elsewhere."""
    version = current().version
    if version:
        curate_export.export(version)


settle()
here = open_page("curate", "Curate", LEAD, export)
version = here.version
if not version:
    if not here.error:
        no_data("curate")
    st.stop()

curate_bar.greet()
recipe = curate_state.desk(version).recipe
with guarded():
    with st.bottom, st.spinner("Counting rows step by step", show_time=True):
        seen = previewing.preview(version, recipe)
    curate_add.panel(version)
    left, right = st.columns([3, 2])
    curate_recipe.recipe_card(version, seen, left)
    curate_rows.rows_left_card(version, seen, right)
    place = curate_rows.below(version, seen)
    curate_files.advanced(version)
    curate_bar.bar(version, seen)
    if place:
        curate_gate.leakage_card(version, seen, place)
