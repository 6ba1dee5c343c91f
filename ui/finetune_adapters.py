"""Adapters: what was trained here and what came from elsewhere; measured, called, merged, exported, pushed, deleted."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.io import jobs, lora
from core.io.embedded.adapters import WEIGHTS
from core.io.lora import bases, uploading
from core.io.lora.runs import CHECKPOINTS
from core.prompt import Prompt
from core.version import Version
from ui import boards, finetune_call, finetune_leave
from ui.jobs import watch
from ui.layout import card, empty
from ui.state import go, plain, show_error
from ui.tables import rows

MEGABYTES = 2048
OWN, VERSIONS, WRITTEN = "Its own, else this version's", "This version's", "Another one"
AUTOMATIC = "The one its settings name"


def show(version: Version) -> None:
    """The table with the actions of the selected row, a card that adds one, and how to call a model."""
    import pandas as pd

    found = lora.adapters(version.dataset)
    made = None
    if found:
        scores = _scores(version)
        table = pd.DataFrame([_row(one, scores) for one in found])
        chosen = rows(table, "adapters_table", select=True, alt=f"{fmt.plural(len(found), 'adapter')} of this dataset")
        made = found[chosen[0]] if chosen and chosen[0] < len(found) else None
        if made:
            _actions(version, made, measured=made.id in scores)
        else:
            st.caption("Select an adapter to measure, export, push or delete it, or to see how to call it.")
    else:
        empty("extension", "No adapter yet", "A run on this page makes one; one from elsewhere can be added below.", key="adapters_none")
    with st.expander("Add an adapter", icon=":material/add:", expanded=not found):
        _add(version)
    finetune_call.show(version, made)


def _scores(version: Version) -> dict[str, str]:
    """Adapter id -> its score on this version's test rows, with its interval."""
    board = boards.board(version.dataset, version.id)
    found: dict[str, str] = {}
    for row in board.rows if board else ():
        made = row.evaluation.notes.get("adapter_id")
        if made and made not in found and Path(str(row.evaluation.notes.get("adapter"))).parent.name != CHECKPOINTS:
            measured, unit = row.values[board.headline.name], board.unit_of(board.headline.name)
            found[made] = f"{fmt.metric(unit, measured.value, row.n)} ({fmt.interval(measured.low, measured.high, unit)})"
    return found


def _row(made: lora.Adapter, scores: dict[str, str]) -> dict[str, object]:
    return {
        "Adapter": made.title,
        "From": "elsewhere" if made.origin == "uploaded" else "a run here",
        "Made": f"{fmt.date(made.created)}, {made.created[11:16]}",
        "Base": made.hub.partition("@")[0] or made.base,
        "Rank": made.settings.get("rank"),
        "Steps": made.step or None,
        "Size": fmt.size((made.folder / WEIGHTS).stat().st_size),
        "Score": scores.get(made.id, "not measured"),
    }


def _actions(version: Version, made: lora.Adapter, *, measured: bool) -> None:
    with card(made.title, height="content", key="adapters_actions"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if measured and st.button("Use in Compare", key="adapters_compare", icon=":material/balance:"):
                go("compare")
            elif not measured:
                tests = bool(version.splits.get("test"))
                st.button("Measure on test rows", key="adapters_measure", icon=":material/leaderboard:", on_click=_measure,
                          args=(version, made), disabled=not tests, help=None if tests else "This version has no test rows.")  # fmt: skip
            finetune_leave.show(made)
            _delete(made)
        job = next((one for one in jobs.all_jobs(made.dataset, "finetune") if one.request.get("measure") == made.id), None)
        if job and (job.alive or (job.error and not measured)):
            watch(job.id, "adapters_measuring", stop="Cancel")
        finetune_leave.running(made)
        with st.expander("Model card", icon=":material/description:"):
            path = made.folder / "README.md"
            st.code(path.read_text(errors="replace") if path.is_file() else "There is none; exporting writes one.", language=None,
                    wrap_lines=True)  # fmt: skip


def _measure(version: Version, made: lora.Adapter) -> None:
    """Callback: the test rows for this adapter."""
    request = {"dataset": version.dataset, "version": version.id, "measure": made.id, "limit": lora.LIMIT}
    jobs.start("finetune", request, title="Measure an adapter", dataset=version.dataset)


def _delete(made: lora.Adapter) -> None:
    """Two clicks in place."""
    if st.session_state.get("_adapters_delete") != made.id:
        if st.button("Delete", key="adapters_delete", icon=":material/delete:"):
            st.session_state["_adapters_delete"] = made.id
            st.rerun()
        return
    if st.button("Delete for good", key="adapters_delete_sure", icon=":material/delete_forever:",
                 help="Its weights go; its answers to the test rows stay on Compare."):  # fmt: skip
        lora.delete(made.id)
        st.session_state.pop("_adapters_delete", None)
        st.session_state.pop("adapters_table", None)
        st.rerun()
    if st.button("Keep", key="adapters_delete_no"):
        st.session_state.pop("_adapters_delete", None)
        st.rerun()


def _add(version: Version) -> None:
    """A zip or a folder, its base model and its prompt; taken in when every check passed."""
    left, right = st.columns(2)
    file = left.file_uploader("Upload a zip", type="zip", key="adapters_file", max_upload_size=MEGABYTES)
    place = right.text_input("Or a folder of this machine", key="adapters_folder", placeholder="/path/to/adapter", max_chars=1000)
    right.caption("LoRA adapters of peft: adapter_config.json and adapter_model.safetensors. Pickled weights are never read.")
    known = {one.title: one.folder for one in bases.known() if one.facts is not None}
    base = left.selectbox("Base model", [AUTOMATIC, *known], key="adapters_base")
    how = right.selectbox("Prompt it is asked with", [OWN, VERSIONS, WRITTEN], key="adapters_prompt")
    prompt = _written(version) if how == WRITTEN else lora.prompt_of(version) if how == VERSIONS and version.task else None
    ready = bool(file or (place or "").strip()) and bool(version.task)
    if not version.task:
        st.caption("Choose what to predict on Explore first: an adapter is asked and measured with this version's rows.")
    if st.button("Add the adapter", key="adapters_add", icon=":material/add:", disabled=not ready):
        try:
            with st.spinner("Looking at the adapter"):
                made = uploading.take(file or Path((place or "").strip()).expanduser(), version, name=file.name if file else "",
                                      base=known.get(base), prompt=prompt)  # fmt: skip
            st.toast(plain(f"{made.title} is here. Measure it on the test rows to see it on Compare."))
            st.session_state.pop("_adapters_error", None)
        except StudioError as error:
            st.session_state["_adapters_error"] = error
        st.rerun()
    if held := st.session_state.get("_adapters_error"):
        show_error(held)


def _written(version: Version) -> Prompt:
    """A prompt of the person's own; $column stands for a column."""
    usual = lora.prompt_of(version) if version.task else Prompt()
    user = st.text_area("Question", usual.user, key="adapters_prompt_user", help="$column stands for the row's value.")
    left, right = st.columns(2)
    prefix = left.text_input("How every answer begins", usual.prefix, key="adapters_prompt_prefix")
    most = right.number_input("Longest answer in tokens", 1, 4096, usual.max_tokens, key="adapters_prompt_tokens")
    return Prompt(usual.system, user or usual.user, prefix or "", usual.answer, usual.decimals, int(most), usual.plain)
