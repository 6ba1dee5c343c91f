"""Curate: what Export offers: the version's rows in every format, a push to the Hub, the recipe as a file, command and Python."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from core.curate.text import as_python, to_yaml
from core.errors import StudioError
from core.format import count, size
from core.io import curating, exporting, jobs, pushing
from core.io.sources import hub
from core.version import Version
from ui import curate_state as state
from ui import tables
from ui.jobs import latest, watch
from ui.state import plain, show_error

DIRECT = 50_000
"""Rows up to which a file is made while the browser waits; above, a job writes it into the workspace."""


def export(version: Version) -> None:
    """The stored version (steps that are not saved yet are not in it)."""
    recipe = state.desk(version).recipe
    st.caption(plain(f"Version {version.number}: {count(version.rows)} rows as saved"))
    if version.rows <= DIRECT:
        _files(version)
    else:
        _written(version)
    _push(version)
    st.download_button(
        "Recipe as YAML", lambda: to_yaml(recipe), "recipe.yaml", "text/yaml", key="curate_export_yaml", on_click="ignore", width="stretch"
    )
    tables.same_action(
        f"python -m core curate {version.id} --recipe recipe.yaml --seed {recipe.seed} --out curated",
        as_python(recipe, version, curating.planned_id(version, recipe)),
    )


def _files(version: Version) -> None:
    """One download for each format; a pickle only after its warning."""
    for name, told in exporting.FORMATS.items():
        title, _, meaning = told.partition(": ")
        if name == "chat" and not (version.prompt and version.roles.target):
            continue
        if name == "pickle" and not st.toggle("Offer pickle", key="curate_export_offer_pickle", help=plain(exporting.PICKLE_WARNING)):
            continue
        if name == "pickle":
            st.warning(plain(exporting.PICKLE_WARNING), icon=":material/error:")
        file = f"{version.dataset}-{version.number}-{name}.zip"
        st.download_button(f"{title} (zip)", lambda name=name: made(version, name), file, "application/zip", key=f"curate_export_{name}",
                           on_click="ignore", width="stretch", help=plain(meaning))  # fmt: skip


def made(version: Version, name: str) -> bytes:
    """The version in one format, as a zip with one file a part."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / f"{version.dataset}-{version.number}"
        exporting.write(version, folder, [name])
        return exporting.zipped(folder)


def _written(version: Version) -> None:
    """The formats a job writes into the workspace, where it stands, and what it wrote."""
    chosen = st.multiselect("Formats", list(exporting.FORMATS), ["parquet"], key="curate_export_formats",
                            format_func=lambda name: exporting.FORMATS[name].partition(":")[0])  # fmt: skip
    if "pickle" in chosen:
        st.warning(plain(exporting.PICKLE_WARNING), icon=":material/error:")
    job = latest("export", version.dataset)
    mine = job if job and job.request.get("version") == version.id else None
    if mine and mine.alive:
        watch(mine.id, "curate_export_job", stop="Cancel")
    elif st.button("Write the files", key="curate_export_write", disabled=not chosen, width="stretch"):
        request = {"dataset": version.dataset, "version": version.id, "formats": chosen}
        jobs.start("export", request, title="Write files", dataset=version.dataset)
        st.rerun()
    elif mine and mine.error:
        watch(mine.id, "curate_export_job")
    elif mine and mine.result:
        st.caption(plain(f"{count(len(mine.result['files']))} written, {size(mine.result['bytes'])}, in"))
        st.code(mine.result["folder"], language=None, wrap_lines=True)


def _push(version: Version) -> None:
    """Push to the Hub: private unless switched, with the token of this session or of the environment."""
    st.markdown("**Push to the Hugging Face Hub**")
    job = latest("push", version.dataset)
    mine = job if job and job.request.get("version") == version.id else None
    if mine and mine.alive:
        watch(mine.id, "curate_push_job", stop="Cancel")
        return
    token = hub.token_for(st.session_state.get("key_HF_TOKEN"))
    repo = st.text_input("Repository", key="curate_push_repo", placeholder="owner/name", max_chars=200, persist_state="session")
    private = st.toggle(
        "Private", True, key="curate_push_private", help="A repository that is public already is never written to as private."
    )
    if not private:
        st.warning("Everyone will see these rows.", icon=":material/error:")
    if not token:
        st.caption("Needs a Hugging Face token that may write: set one for this session on Settings.")
    held = st.session_state.get("_curate_push_error")
    if st.button("Push to the Hub", key="curate_push", icon=":material/upload:", disabled=not token, width="stretch"):
        try:
            held = None
            request = {"dataset": version.dataset, "version": version.id, "repo": pushing.checked(repo or "", token), "private": private}
            jobs.start("push", request, title="Push to the Hub", dataset=version.dataset, environment={hub.TOKEN: token or ""})
        except StudioError as error:
            held = error
        st.session_state["_curate_push_error"] = held
        st.rerun()
    if held:
        show_error(held)
    elif mine and mine.error:
        watch(mine.id, "curate_push_job")
    elif mine and mine.result:
        st.caption(plain(f"Pushed as {mine.result['repo']}, {'private' if mine.result['private'] else 'public'}:"))
        st.code(str(mine.result["url"]), language=None, wrap_lines=True)
