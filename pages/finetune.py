"""Teach a model a version's rows, on this machine or at a provider, watch it learn, and measure it on the same test rows."""

import streamlit as st

from ui import finetune_adapters, finetune_history, finetune_new, finetune_run
from ui.layout import no_data, view
from ui.state import guarded, open_page

VIEWS = {
    "New run": finetune_new.show,
    "Current run": finetune_run.show,
    "History": finetune_history.show,
    "Adapters": finetune_adapters.show,
}

here = open_page(
    "finetune",
    "Fine-tune",
    "Teach a model your rows, on this machine or at a provider, then measure it on the same test rows.",
    export=finetune_history.export,
)
if not here.version:
    no_data("finetune")
if wanted := st.session_state.pop("_finetune_go", None):  # a button asked for another view; its key is free before it is drawn
    st.session_state["finetune_view"] = wanted
chosen = view("finetune", list(VIEWS))
with guarded():
    if here.version:
        VIEWS[chosen](here.version)
