"""Curate: the recipe as a file and as Python, its seed and its workers."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.curate.text import as_python, from_yaml, to_yaml
from core.errors import StudioError
from core.io import curating, engine
from core.version import Version
from ui import curate_state as state
from ui.state import show_error


def advanced(version: Version) -> None:
    """Seed, workers, recipes as files, the recipe as Python."""
    recipe = state.desk(version).recipe
    with st.expander("Recipe as a file, seed, Python", icon=":material/tune:"):
        left, right = st.columns(2)
        seed = left.number_input("Seed", 0, 2**31 - 1, recipe.seed, key=f"curate_seed_{version.id}_{state.desk(version).turn}",
                                 help="Decides every random choice of the recipe. The same seed gives the same rows.")  # fmt: skip
        if seed != recipe.seed:
            state.put(version, replace(recipe, seed=int(seed)))
            st.rerun()
        usual = engine.workers_for(version.rows)
        right.number_input("Workers", 1, 64, usual, key="curate_workers",
                           help=f"Processes that work on rows. It changes the time and nothing else. Recommended: {usual}.")  # fmt: skip
        left.file_uploader("Load a recipe", type=["yaml", "yml"], key=f"curate_yaml_{version.id}", max_upload_size=2,
                           help="Replaces the steps above; Undo brings them back.", on_change=_load, args=(version,))  # fmt: skip
        right.download_button("Save the recipe", lambda: to_yaml(recipe), "recipe.yaml", key="curate_yaml_save", on_click="ignore")
        right.caption("YAML with every setting that is not the recommended one. It loads on any table with the columns it names.")
        if error := st.session_state.get("_curate_load_error"):
            show_error(error)
            st.caption("The recipe above is unchanged.")
        st.caption("The recipe in Python: the same steps on the same version give the same id")
        st.code(as_python(recipe, version, curating.planned_id(version, recipe)), language="python")


def _load(version: Version) -> None:
    """Take over an uploaded recipe as a whole, or tell what is wrong with it and change nothing."""
    file = st.session_state.get(f"curate_yaml_{version.id}")
    st.session_state.pop("_curate_load_error", None)
    if file is None:
        return
    try:
        state.put(version, from_yaml(file.getvalue().decode("utf-8", errors="replace")))
    except StudioError as error:
        st.session_state["_curate_load_error"] = error
