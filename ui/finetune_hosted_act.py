"""What is done at a host itself: pause, resume, cancel, delete; and the jobs that are there, whoever made them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core import format as fmt
from core.io import files, jobs
from core.io.hosted import Tuning
from core.io.jobs import Job
from core.io.providers.addresses import OPENAI, for_child
from core.version import Version
from ui.finetune_hosted_banner import typed_key
from ui.state import guarded, plain
from ui.tables import rows

ENDED = ("succeeded", "failed", "cancelled")


def at_the_host(job: Job) -> None:
    """The expander with everything that changes something at the host; each act is told in the host's words."""
    state: dict[str, Any] = _json(job, "state")
    there: dict[str, Any] = _json(job, "job")
    id, status = str(state.get("job") or job.request.get("adopt") or ""), str(there.get("status", ""))
    if not id:
        return
    with st.expander("At the host", icon=":material/cloud:"):
        st.caption(plain(f"{id} at {_url(job)}" + (f", last seen as {status}" if status else "")))
        if said := st.session_state.pop("_hosted_said", None):
            st.caption(plain(said))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            if status not in ENDED:
                _once(job, "Pause", "pause", id, ":material/pause:")
                _once(job, "Resume", "resume", id, ":material/play_arrow:")
                _twice(job, "Cancel at the host", "Cancel it for good", "cancel", id)
            if model := (there.get("fine_tuned_model") or state.get("model")):
                _twice(job, "Delete the model", f"Delete {plain(model)} for good", "delete_model", str(model))
            for part in ("train", "validation"):
                if status in ENDED and state.get(part):
                    _twice(job, f"Delete the {part} file", f"Delete {plain(state[part])} for good", "delete_file", str(state[part]))


def _json(job: Job, name: str) -> dict[str, Any]:
    path = job.folder / f"{name}.json"
    return files.read_json(path) if path.exists() else {}


def _url(job: Job) -> str:
    return str(job.request.get("base_url") or OPENAI)


def _once(job: Job, label: str, call: str, what: str, icon: str) -> None:
    if st.button(label, key=f"hosted_{call}", icon=icon):
        _do(job, call, what)


def _twice(job: Job, label: str, sure: str, call: str, what: str) -> None:
    """Two clicks in place."""
    if st.session_state.get("_hosted_sure") != (job.id, call, what):
        if st.button(label, key=f"hosted_{call}_{what}", icon=":material/delete:" if "delete" in call else ":material/cancel:"):
            st.session_state["_hosted_sure"] = (job.id, call, what)
            st.rerun()
        return
    if st.button(sure, key=f"hosted_{call}_{what}_sure", icon=":material/delete_forever:"):
        st.session_state.pop("_hosted_sure", None)
        _do(job, call, what)
    if st.button("Keep", key=f"hosted_{call}_{what}_no"):
        st.session_state.pop("_hosted_sure", None)
        st.rerun()


def _do(job: Job, call: str, what: str) -> None:
    url = _url(job)
    with guarded(), st.spinner("Telling the host"), Tuning(url, typed_key(url)) as tuning:
        told = getattr(tuning, call)(what)
        if told.get("object") == "fine_tuning.job":
            files.write_json(job.folder / "job.json", told)
        st.session_state["_hosted_said"] = f"{what} is deleted." if told.get("deleted") else f"{what}: {told.get('status')}"
        st.rerun()


def elsewhere(version: Version, url: str, key: str | None, missing: str) -> None:
    """The jobs at an address, those not made here too; one of them can be followed."""
    import pandas as pd

    with st.expander("Jobs at the host", icon=":material/cloud:"):
        if st.button("Ask which jobs there are", key="hosted_list", icon=":material/refresh:", disabled=bool(missing)):
            with guarded(), st.spinner("Asking which jobs there are"), Tuning(url, key) as tuning:
                st.session_state["_hosted_listed"] = (url, tuning.list(50))
        at, found = st.session_state.get("_hosted_listed", ("", []))
        if at != url:
            return
        if not found:
            st.caption("There is no fine-tuning job at this address.")
            return
        ours = {str(_json(job, "state").get("job")) for job in jobs.all_jobs(kind="hosted")}
        table = pd.DataFrame([
            {"Created": f"{datetime.fromtimestamp(one.get('created_at') or 0, UTC):%d %b %Y, %H:%M}", "Status": str(one.get("status")),
             "Model": str(one.get("fine_tuned_model") or one.get("model")), "Job": str(one.get("id")),
             "Followed here": "yes" if one.get("id") in ours else "no"}
            for one in found
        ])  # fmt: skip
        chosen = rows(table, "hosted_jobs", select=True, alt=f"{fmt.plural(len(table), 'job')} at the host")
        if chosen and chosen[0] < len(found):
            st.button("Follow this job", key="hosted_adopt", icon=":material/visibility:", on_click=_adopt,
                      args=(version, url, key, str(found[chosen[0]]["id"])),
                      help="Its events and losses are read from the start; its model then answers this version's test rows.")  # fmt: skip
        else:
            st.caption("Select a job to follow it here, and to measure its model on this version's test rows.")


def _adopt(version: Version, url: str, key: str | None, id: str) -> None:
    """Callback: follow a job, once."""
    for job in jobs.all_jobs(version.dataset, "hosted"):
        if _json(job, "state").get("job") == id and not job.request.get("measure"):
            st.session_state["finetune_job"], st.session_state["finetune_view"] = job.id, "Current run"
            return
    request = {"dataset": version.dataset, "version": version.id, "base_url": url, "adopt": id}
    job = jobs.start("hosted", request, title="Follow a hosted job", dataset=version.dataset, environment=for_child(url, key))
    st.session_state["finetune_job"], st.session_state["finetune_view"] = job.id, "Current run"
