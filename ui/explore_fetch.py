"""A fetch that runs, on the page: progress by file, one line for each part, and Stop."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.format import count, duration, size
from core.io import jobs
from core.io.jobs import Job
from ui.jobs import show_failure
from ui.layout import run_bar
from ui.state import plain

MOST_PARTS = 8


def running(source: str) -> Job | None:
    """The fetch this session started last, or one that still runs; None when neither is of this source."""
    known = st.session_state.get(f"explore_fetch_{source}")
    found = [job for job in jobs.all_jobs(kind="fetch") if job.request.get("source") == source]
    return next((job for job in found if job.id == known or job.alive), None)


def start(source: str, request: dict, title: str, environment: dict[str, str] | None = None) -> None:
    """Start the job and draw the page again."""
    job = jobs.start("fetch", {"source": source, **request}, title=title, environment=environment)
    st.session_state[f"explore_fetch_{source}"] = job.id
    st.rerun()


def forget(source: str) -> None:
    st.session_state.pop(f"explore_fetch_{source}", None)


def show(job: Job, source: str) -> bool:
    """Draw a job of this source. True while it runs, so that the page draws nothing else."""
    if job.alive:
        st.fragment(_live, run_every="1s")(job.id)
        run_bar(
            label="Add data", key="explore_add_run", state="Working", badge="Fetching", text=job.title, disabled=True, icon=":material/add:"
        )
        return True
    if job.error:
        show_failure(job)
    elif job.state in ("cancelled", "interrupted"):
        word = "Stopped" if job.state == "cancelled" else "The fetch ended before its time"
        st.caption(f"{word} after {duration(job.seconds)}. Nothing was added.")
    return False


def pace() -> float | None:
    """Bytes in a second of the last fetch that came to its end; None without one."""
    for job in jobs.all_jobs(kind="fetch"):
        came = (job.result or {}).get("bytes")
        if came and job.seconds > 0.5:
            return float(came) / job.seconds
    return None


def _live(id: str) -> None:
    job = jobs.read(id)
    if not job.alive:
        st.rerun(scope="app")
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(plain(job.title), anchor=False, width="content")
            if st.button("Stop", key="explore_fetch_stop", icon=":material/stop:"):
                jobs.cancel(id)
        parts = job.figures.get("parts") or []
        st.progress(_share(job, parts), text=plain(_line(job)))
        for part in parts[:MOST_PARTS] if len(parts) > 1 else []:
            told = f"{part['name']} · file {part['files']} of {part['of']} · {count(part['rows'])} rows · {size(part['bytes'])}"
            st.progress(_part(part), text=plain(told))
        if len(parts) > MOST_PARTS:
            st.caption(f"and {len(parts) - MOST_PARTS} others")


def _line(job: Job) -> str:
    """ "Reading files · 2 of 3 · 3,000 rows · 723 kB · 4.5 s gone, about 2 s left" """
    told = [job.message or "Starting"]
    told += [f"{job.step:,} of {job.total:,}"] if job.total > 1 else []
    told += [f"{count(job.figures['rows'])} rows"] if job.figures.get("rows") else []
    came, of = job.figures.get("bytes"), job.figures.get("of")
    told += [f"{size(came)}{f' of {size(of)}' if of else ''}"] if came else []
    return " · ".join([*told, f"{duration(job.seconds)} gone" + (f", {duration(job.left, about=True)} left" if job.left else "")])


def _share(job: Job, parts: list[dict[str, Any]]) -> float:
    if parts:
        whole = sum(part["size"] for part in parts)
        return min(1.0, sum(_part(part) * part["size"] for part in parts) / whole) if whole else 0.0
    came, of = job.figures.get("bytes"), job.figures.get("of")
    return min(1.0, came / of) if came is not None and of else min(1.0, job.step / job.total) if job.total else 0.0


def _part(part: dict[str, Any]) -> float:
    """How far a part is: by files, or by bytes where that is further."""
    return min(1.0, max(part["files"] / max(1, part["of"]), part["bytes"] / max(1, part["size"])))
