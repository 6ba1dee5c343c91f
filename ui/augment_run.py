"""Augment, the run bar: start, watch, pause, stop and keep, resume; and how the last run ended."""

from __future__ import annotations

import streamlit as st

from core.augment.requests import Estimate
from core.errors import StudioError
from core.format import cost, count, duration, plural
from core.io import jobs
from core.io.augmenting import Writer
from core.io.jobs import Job
from core.io.providers.addresses import for_child
from core.version import Version
from ui.augment_write import Wish
from ui.layout import run_bar
from ui.state import guarded, plain, show_error


def run(version: Version, wish: Wish, estimate: Estimate | None, error: StudioError | None, budget: float | None, last: Job | None) -> None:
    """The run bar: start, or watch, or go on."""
    if last is not None and last.alive:
        with st.bottom:
            st.fragment(_running, run_every="2s")(last.id)
        return
    missing = wish.chosen.missing or (error.title if error else None)
    if budget == 0 and not missing:
        missing = "A budget of $0 sends nothing: raise it"
    over = estimate is not None and estimate.usd is not None and budget is not None and estimate.usd > budget
    if over and estimate is not None:
        missing = missing or f"{cost(estimate.usd)} is over your {cost(budget)} budget"
    if error and not wish.chosen.missing:
        show_error(error)
    before = (lambda: _go_on(last)) if last is not None and last.state in ("cancelled", "interrupted", "failed", "paused") else None
    if missing or estimate is None or wish.settings is None:
        run_bar(
            state="Not ready",
            text=f"{missing or 'nothing to write'}",
            label="Write variants",
            key="augment_run",
            disabled=True,
            icon=":material/auto_awesome:",
            before=before,
        )
        return
    price = "free" if not estimate.usd and estimate.usd is not None else "price unknown" if estimate.usd is None else cost(estimate.usd)
    paid = bool(estimate.usd)
    text = f"{plural(estimate.requests, 'request')} · {duration(60 * estimate.minutes, about=True)} · {price}" + (
        f" of a {cost(budget)} budget" if paid else ""
    )
    label = f"Write variants for {plain(price)}" if paid else "Write variants"
    if run_bar(text=text, label=label, key="augment_run", icon=":material/auto_awesome:", shortcut=None, before=before):
        _start(version, wish, budget)


def _start(version: Version, wish: Wish, budget: float | None) -> None:
    writer, settings = wish.chosen.writer, wish.settings
    if settings is None:
        return
    request = {
        "dataset": version.dataset,
        "version": version.id,
        "settings": settings.to_dict(),
        "writer": writer.to_dict(),
        "budget": budget,
    }
    with guarded():
        job = jobs.start(
            "augment", request, title="Write variants", dataset=version.dataset, environment=for_child(writer.base_url, wish.chosen.key)
        )
        st.session_state["augment_seen"] = job.id
        if not job.alive:
            st.session_state["_augment_view"] = "Review"
        st.rerun()


def status_line(job: Job) -> str:
    """ "212 of 996 · $0.07 of $1.00 · 61 rejected · about 3 min left" """
    spent, budget = job.figures.get("usd"), job.request.get("budget")
    money = cost(spent) + (f" of {cost(budget)}" if budget and spent else "")
    parts = [f"{count(job.step)} of {count(job.total)}" if job.total else job.message or "Starting", money]
    if "rejected" in job.figures:
        parts.append(f"{count(job.figures['accepted'])} pass, {count(job.figures['rejected'])} rejected")
    return " · ".join([*parts, f"{duration(job.left, about=True)} left"] if job.left else parts)


def _running(id: str) -> None:
    job = jobs.read(id)
    if not job.alive:
        st.session_state["_augment_view"] = "Review"
        st.rerun(scope="app")
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.badge("Writing", icon=":material/pending:", color="blue")
            st.markdown(f":small[:gray[{plain(status_line(job))}]]", width="content")
        with st.container(horizontal=True, gap="small", width="content"):
            if st.button("Pause", key="augment_pause", icon=":material/pause:"):
                jobs.pause(id)
                st.rerun(scope="app")
            if st.button(f"Stop and keep {count(job.step)}", key="augment_stop", icon=":material/stop:"):
                jobs.cancel(id)
                st.session_state["_augment_view"] = "Review"
                st.rerun(scope="app")


def _go_on(job: Job) -> None:
    """Resume: asks only for what is missing, of the writer the run began with."""
    label = f"Resume at {count(job.step)} of {count(job.total)}" if job.total else "Resume"
    writer = Writer.from_dict(job.request.get("writer", {}))
    help = f"Goes on with the last run, written by {plain(writer.label)}, and asks only for what is missing."
    if st.button(label, key="augment_resume", icon=":material/play_arrow:", help=help):
        typed = st.session_state.get("key_OPENAI_API_KEY" if writer.name == "openai" else f"key_{writer.base_url}")
        with guarded():
            jobs.resume(job.id, environment=for_child(writer.base_url, typed))
            st.rerun()


def ended(job: Job | None) -> None:
    """How the last run ended, when it did not simply finish: the provider's words, what was spent, what is kept."""
    if job is None or job.alive or job.state == "done":
        if job is not None and (job.result or {}).get("stopped") == "budget":
            st.caption(plain(f"The last run stopped at its budget of {cost(job.request.get('budget'))}; what arrived waits in Review."))
        return
    spent = cost(job.figures.get("usd"))
    if job.error:
        words = f"{job.error['message']} Spent: {spent}. {count(job.step)} replies are kept; Resume asks only for what is missing."
        show_error(StudioError(words, title=job.error["title"]))
    else:
        st.caption(
            plain(f"The last run stopped at {count(job.step)} of {count(job.total)} ({spent}). Resume asks only for what is missing.")
        )
