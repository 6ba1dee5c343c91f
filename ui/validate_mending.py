"""A large file mended: which findings, where the new file goes, and what was written."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from core.format import count
from core.io import files, large_mending, validating
from core.validate.fixes import FIXES
from ui.layout import card
from ui.state import guarded, plain
from ui.validate_source import Subject


def mending_card(subject: Subject) -> None:
    """Findings to mend, the name of the new file, one button; nothing when there is nothing to mend."""
    there = large_mending.mendable(subject.made)
    if not there:
        return
    with card("Mended copy", height="content"):
        st.caption("One pass writes a new file without the findings chosen here. Yours stays as it is; lines nothing is meant for stay "
                   "the same byte for byte.")  # fmt: skip
        words = {one.name: f"{FIXES[one.fix].verb.removesuffix(' in').removesuffix(' to')}: {one.sentence}" for one in there if one.fix}
        names = st.multiselect("Mend", list(words), list(words), format_func=words.__getitem__,
                               key=f"validate_mend_{subject.sha[:12]}")  # fmt: skip
        given = st.session_state.get("validate_path", "").strip() if not st.session_state.get("validate_file") else ""
        start = Path(given).expanduser() if given else files.folder("mended") / f"{subject.name}.jsonl"
        path = st.text_input("New file", value=str(large_mending.beside(start)), key=f"validate_mend_to_{subject.sha[:12]}")
        if st.button("Write mended copy", key="validate_mend_run", icon=":material/build:", disabled=not (names and path.strip())):
            with guarded():
                _write(subject, names, Path(path.strip()).expanduser())
        _written(subject)


def _write(subject: Subject, names: list[str], path: Path) -> None:
    bar, shown = st.progress(0.0, text="Writing the rows"), [0.0]

    def say(done: int, total: int) -> None:
        if time.monotonic() - shown[0] > 0.3:
            shown[0] = time.monotonic()
            bar.progress(done / max(1, total), text=f"{count(done)} of {count(total)} rows written")

    found = large_mending.chosen(subject.made, names)
    done = large_mending.write(subject.made, found, path, validating.count_for(subject.made.model), say)
    st.session_state["_validate_mended"] = (subject.sha, done)
    bar.empty()


def _written(subject: Subject) -> None:
    """What stands in the new file, and the button that checks it in turn."""
    sha, done = st.session_state.get("_validate_mended", (None, None))
    if sha != subject.sha or not done.path.exists():
        return
    st.caption(f":material/check_circle: {plain(done.sentence())}.")
    st.code(str(done.path), language=None)
    with st.container(horizontal=True, gap="small"):
        st.download_button("Download", done.path.read_bytes, done.path.name, "application/jsonl", key="validate_mend_download",
                           on_click="ignore", icon=":material/download:")  # fmt: skip
        if not st.session_state.get("validate_file"):
            st.button("Check it", key="validate_mend_check", icon=":material/fact_check:", on_click=_check, args=(str(done.path),))


def _check(path: str) -> None:
    st.session_state["validate_path"] = path
