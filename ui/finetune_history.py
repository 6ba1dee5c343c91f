"""History: every run of this dataset with what it brought, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from core import format as fmt
from core.io import jobs, lora
from core.io.jobs import Job
from core.io.lora import exporting
from core.version import Version
from ui import boards
from ui import finetune_report as report
from ui.finetune_run import measure_again, runs
from ui.finetune_settings import take
from ui.layout import empty
from ui.state import current, go
from ui.tables import rows, same_action

STATES = {
    "done": "done",
    "running": "training",
    "queued": "waiting",
    "failed": "failed",
    "cancelled": "stopped",
    "interrupted": "interrupted",
}


def show(version: Version) -> None:
    """The table, and the actions of the selected row."""
    import pandas as pd

    found = runs(version.dataset)
    if not found:
        if empty("history", "No run yet", "Every run is kept here with its loss, its score on the test rows and its cost.", "New run",
                 key="finetune_past"):  # fmt: skip
            st.session_state["_finetune_go"] = "New run"
            st.rerun()
        return
    scores = _scores(version)
    table = pd.DataFrame([_row(job, scores) for job in found])
    columns = {"Loss": st.column_config.LineChartColumn("Loss", help="Train loss from the first step to the last.")}
    chosen = rows(table, "finetune_history", select=True, columns=columns, alt=f"{fmt.plural(len(found), 'run')} of this dataset")
    if chosen and chosen[0] < len(found):
        _actions(found[chosen[0]])
    else:
        st.caption("Select a run to show, resume, use, continue, export or delete it. Scores are on this version's test rows.")


def _scores(version: Version) -> dict[str, str]:
    """Evaluation id and adapter id -> its score on this version's test rows, with its interval."""
    board = boards.board(version.dataset, version.id)
    found = {}
    for row in board.rows if board else ():
        measured, unit = row.values[board.headline.name], board.unit_of(board.headline.name)
        told = f"{fmt.metric(unit, measured.value, row.n)} ({fmt.interval(measured.low, measured.high, unit)})"
        made = row.evaluation.notes.get("adapter_id")
        found |= {row.evaluation.id: told, **({made: told} if made else {})}
    return found


def _row(job: Job, scores: dict[str, str]) -> dict[str, object]:
    records = lora.history(job.folder)
    measured = [one["val_loss"] for one in records if one.get("val_loss") is not None]
    hosted, result = job.kind == "hosted", job.result or {}
    return {
        "Started": f"{fmt.date(job.created)}, {job.created[11:16]}",
        "Engine": "provider" if hosted else "this machine",
        "Status": STATES.get(job.state, job.state),
        "Steps": max((one["step"] for one in records), default=0),
        "Validation loss": f"{min(measured):.2f}" if measured else "n/a",
        "Score": scores.get(str(result.get("evaluation"))) or scores.get(job.id, "not measured"),
        "Time": fmt.duration(job.seconds),
        "Cost": fmt.cost(result.get("usd")) if hosted and result.get("usd") is not None else "not known" if hosted else "local",
        "Loss": lora.thinned(records),
    }


def _actions(job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Show", key="finetune_show", icon=":material/monitoring:"):
            st.session_state["finetune_job"], st.session_state["_finetune_go"] = job.id, "Current run"
            st.rerun()
        if job.kind == "finetune":
            _local(job)
        elif job.state == "done" and st.button("Use in Compare", key="finetune_use", icon=":material/balance:"):
            go("compare")
        report.actions(job)
        if not job.alive:
            _delete(job)


def _local(job: Job) -> None:
    """What can be done with a run of this machine."""
    made = next((one for one in lora.adapters(job.dataset) if one.id == job.id), None)
    last = lora.last_step(job.folder)
    if not job.alive and job.state != "done" and last is not None:
        st.button(f"Resume from step {fmt.count(last)}", key="finetune_again", icon=":material/play_arrow:", on_click=_resume, args=(job,))
    if made is None:
        return
    if job.state != "done":
        st.button("Measure on test rows", key="finetune_use", icon=":material/leaderboard:", on_click=measure_again, args=(job,))
    elif st.button("Use in Compare", key="finetune_use", icon=":material/balance:"):
        go("compare")
    st.button("Continue on new rows", key="finetune_continue", icon=":material/add:", on_click=_continue, args=(made,),
              help="A new run that starts from this adapter and learns from the rows it has not seen.")  # fmt: skip
    st.download_button("Export", lambda: exporting.adapter_zip(made), f"adapter-{made.id}.zip", "application/zip", key="finetune_export",
                       icon=":material/download:", on_click="ignore", help="Weights, settings and prompt as one zip.")  # fmt: skip


def _continue(made: lora.Adapter) -> None:
    """Callback: New run with this adapter's settings, from where it ended."""
    take(made.trained_with(), made.task)
    st.session_state["finetune_from"], st.session_state["finetune_only_new"] = made.id, True
    st.session_state["_finetune_go"] = "New run"


def _resume(job: Job) -> None:
    jobs.resume(job.id)
    st.session_state["finetune_job"], st.session_state["_finetune_go"] = job.id, "Current run"


def _delete(job: Job) -> None:
    """Two clicks in place."""
    if st.session_state.get("_finetune_delete") != job.id:
        if st.button("Delete run", key="finetune_delete", icon=":material/delete:"):
            st.session_state["_finetune_delete"] = job.id
            st.rerun()
        return
    st.caption("The adapter goes too; its answers to the test rows stay on Compare." if job.kind == "finetune"
               else "Its record here goes; what is at the host, and its answers on Compare, stay.")  # fmt: skip
    if st.button("Delete run for good", key="finetune_delete_sure", icon=":material/delete_forever:"):
        lora.delete(job.id)
        jobs.delete(job.id)
        st.session_state.pop("_finetune_delete", None)
        st.rerun()
    if st.button("Keep", key="finetune_delete_no"):
        st.session_state.pop("_finetune_delete", None)
        st.rerun()


def export() -> None:
    """The Export popover: the newest adapter, and the same action as a command and as Python."""
    version = current().version
    if version is None:
        return
    made = next(iter(lora.adapters(version.dataset)), None)
    if made:
        st.download_button("Newest adapter as zip", lambda: exporting.adapter_zip(made), f"adapter-{made.id}.zip", "application/zip",
                           key="finetune_export_newest", on_click="ignore", width="stretch")  # fmt: skip
    else:
        st.caption("There is no adapter of this data yet.")
    request = {"dataset": version.dataset, "version": version.id}
    same_action(
        f"python -m core finetune local {version.id} --model embedded --out adapter",
        f'from core.io import jobs\njobs.start("finetune", {request}, title="Fine-tune", dataset={version.dataset!r})',
    )
