"""Long work on the page: one live block per job, at most one clock on a page and one in the sidebar."""

from __future__ import annotations

import streamlit as st

from core.format import duration
from core.io import jobs
from core.io.jobs import Job
from ui.state import plain, show_error


def running(kind: str | None = None, dataset: str | None = None) -> list[Job]:
    """Jobs that wait or work, the newest first."""
    return [job for job in jobs.all_jobs(dataset, kind) if job.alive]


def latest(kind: str, dataset: str | None = None) -> Job | None:
    """The newest job of a kind, whatever its state."""
    found = jobs.all_jobs(dataset, kind)
    return found[0] if found else None


def line(job: Job) -> str:
    """ "step 248 of 400 · 3 min 51 s gone, about 2 min left" """
    parts = [job.message] if job.message else []
    if job.total:
        parts.append(f"{job.step:,} of {job.total:,}")
    if job.seconds >= 1:
        parts.append(f"{duration(job.seconds)} gone" + (f", {duration(job.left, about=True)} left" if job.left else ""))
    return " · ".join(parts)


def share(job: Job) -> float:
    return min(1.0, job.step / job.total) if job.total else 0.0


def watch(job_id: str, key: str, *, every: str = "2s", stop: str = "Stop") -> Job:
    """A live progress line with a Stop button; when the job ends the whole page runs again. Returns how it stands now."""
    job = jobs.read(job_id)
    if job.alive:
        st.fragment(_live, run_every=every)(job_id, key, stop)
    elif job.error:
        show_failure(job)
    return job


def _live(job_id: str, key: str, stop: str) -> None:
    job = jobs.read(job_id)
    if not job.alive:
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share(job), text=plain(line(job)) or "Starting")
        if stop and st.button(stop, key=f"{key}_stop", icon=":material/stop:"):
            jobs.cancel(job_id)


def show_failure(job: Job) -> None:
    """Why a job failed, as people read it."""
    from core.errors import StudioError

    if job.error:
        show_error(StudioError(job.error["message"], title=job.error["title"]))


def sidebar() -> None:
    """Running jobs with Stop; ended ones until they were seen once."""
    live = running()
    seen: set[str] = st.session_state.setdefault("_jobs_seen", {job.id for job in jobs.all_jobs() if not job.alive})
    fresh = [job for job in jobs.all_jobs() if not job.alive and job.id not in seen]
    if live or fresh:
        st.fragment(_sidebar, run_every="3s" if live else None)([job.id for job in live + fresh])


def _sidebar(ids: list[str]) -> None:
    states = [jobs.read(id) for id in ids]
    for job in states:
        with st.container(border=True, gap="xsmall"):
            if job.alive:
                st.progress(share(job), text=plain(f"{job.title} · {job.step:,} of {job.total:,}" if job.total else job.title))
                with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                    st.caption(plain(f"{duration(job.left, about=True)} left" if job.left else job.message or "Waiting"))
                    if st.button("Stop", key=f"sidebar_stop_{job.id}", type="tertiary", icon=":material/stop:"):
                        jobs.cancel(job.id)
            else:
                _ended(job)
    if st.session_state.get("_jobs_live") and not any(job.alive for job in states):
        st.session_state["_jobs_live"] = False
        st.rerun(scope="app")
    st.session_state["_jobs_live"] = any(job.alive for job in states)


def _ended(job: Job) -> None:
    word = {"done": ":green[:material/check_circle:] done", "failed": ":red[:material/cancel:] failed"}.get(
        job.state, f":gray[{job.state}]"
    )
    st.markdown(f":small[{plain(job.title)} {word}]")
    if job.error:
        st.caption(plain(job.error["title"]))
    if st.button("Seen", key=f"sidebar_seen_{job.id}", type="tertiary"):
        st.session_state["_jobs_seen"].add(job.id)
        st.rerun(scope="app")
