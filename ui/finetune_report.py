"""Send to: a run's curves on Weights & Biases, or as TensorBoard files to take along."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import streamlit as st

from core.io import jobs, reporting
from core.io.jobs import Job
from ui.jobs import watch
from ui.state import plain

KEY = "WANDB_API_KEY"
FORMER = "Only what is new is sent when a run is sent again."


def environment() -> dict[str, str]:
    """What a job that tells Weights & Biases is started with: the key of this session, if one was typed."""
    typed = str(st.session_state.get(f"key_{KEY}") or "").strip()
    return {KEY: typed} if typed else {}


def actions(job: Job) -> None:
    """The popover "Send to" of a run, local or hosted, running or ended."""
    with st.popover("Send to", icon=":material/ios_share:", help="The run's losses, settings and scores; no text of your data."):
        _wandb(job)
        _tensorboard(job)


def _wandb(job: Job) -> None:
    st.text_input("W&B key for this session", type="password", key=f"key_{KEY}", persist_state="session", placeholder="never saved",
                  help="Without a key a folder is written that can be sent later.")  # fmt: skip
    ready = bool(environment() or os.environ.get(KEY))
    label = "Sync to W&B" if ready else "Write a W&B folder"
    st.button(label, key="finetune_report_wandb", icon=":material/cloud_upload:", help=FORMER, width="stretch", on_click=_start,
              args=(job, "wandb"))  # fmt: skip
    told = _told(job, "wandb")
    if told and not told.online:
        st.caption("Send it later with")
        st.code(told.command, language="bash", wrap_lines=True)
    elif told:
        st.caption(plain(f"Sent up to step {told.last}: {told.place}"))


def _tensorboard(job: Job) -> None:
    st.button("Write TensorBoard files", key="finetune_report_tensorboard", icon=":material/show_chart:", width="stretch", on_click=_start,
              args=(job, "tensorboard"))  # fmt: skip
    told = _told(job, "tensorboard")
    if told:
        st.download_button("TensorBoard files as zip", lambda: _packed(Path(told.place), job.id), f"tensorboard-{job.id}.zip",
                           "application/zip", key="finetune_report_zip", icon=":material/download:", on_click="ignore",
                           width="stretch")  # fmt: skip


def _start(job: Job, kind: str) -> None:
    title = f"Tell {reporting.TITLES[kind]}"
    jobs.start("report", {"job": job.id, "to": kind}, title=title, dataset=job.dataset, environment=environment())


def _told(job: Job, kind: str) -> reporting.Sent | None:
    """How it was told last; a telling that goes on, or that failed, is shown."""
    asked = [one for one in jobs.all_jobs(job.dataset, "report") if (one.request["job"], one.request["to"]) == (job.id, kind)]
    if asked and asked[0].state != "done":
        watch(asked[0].id, f"finetune_report_{kind}", stop="")
    told = reporting.sent(job.folder, kind)
    return told if told and (told.online or Path(told.place).is_dir()) else None


def _packed(folder: Path, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{name}/{path.name}")
    return out.getvalue()
