"""Augment, the run bar: start, watch, pause, stop and keep, resume; and how the last run ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import StudioError
from core.format import cost, count, duration, plural
from core.io import jobs
from core.io.augmenting import Writer
from core.io.jobs import Job
from core.io.providers.addresses import for_child
from core.version import Version
from ui.augment_write import Wish
from ui.jobs import share
from ui.layout import run_bar
from ui.state import guarded, plain, show_error


def run(version: Version, wish: Wish, budget: float | None, last: Job | None) -> None:
    """The run bar: start, or watch, or go on."""
    estimate, error = wish.estimate, wish.error
    if last is not None and last.alive:
        watched(last)
        return
    missing = wish.chosen.missing or (error.title if error else None)
    if budget == 0 and not missing:
        missing = "A budget of $0 sends nothing: raise it"
    over = estimate is not None and estimate.usd is not None and budget is not None and estimate.usd > budget
    if over and estimate is not None:
        missing = missing or f"{cost(estimate.usd)} is over your {cost(budget)} budget"
    before = (lambda: _go_on(last)) if last is not None and can_go_on(last) else None
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
    time = "within a day" if wish.chosen.writer.batch else duration(60 * estimate.minutes, about=True)
    text = f"{plural(estimate.requests, 'request')} · {time} · {price}" + (f" of a {cost(budget)} budget" if paid else "")
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
        st.session_state["augment_following"] = job.id
        st.rerun()


def status_line(job: Job) -> str:
    """ "212 of 996 · 40 a minute · $0.07 of $1.00 · 61 rejected · about 3 min left" """
    spent, budget = job.figures.get("usd"), job.request.get("budget")
    parts = [f"{count(job.step)} of {count(job.total)}" if job.total else job.message or "Starting"]
    if job.message.startswith("Batch"):
        parts.append(job.message)
    elif job.figures.get("rate"):
        parts.append(f"{count(round(60 * job.figures['rate']))} a minute")
    parts.append(cost(spent) + (f" of {cost(budget)}" if budget and spent else ""))
    if "rejected" in job.figures:
        parts.append(f"{count(job.figures['accepted'])} pass, {count(job.figures['rejected'])} do not")
    if job.figures.get("failed"):
        parts.append(f"{count(job.figures['failed'])} failed")
    return " · ".join([*parts, f"{duration(job.left, about=True)} left"] if job.left else parts)


def _running(id: str) -> None:
    job = jobs.read(id)
    if not job.alive:
        st.rerun(scope="app")
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.badge("Writing", icon=":material/pending:", color="blue")
                st.markdown(f":small[:gray[{plain(status_line(job))}]]", width="content")
            with st.container(horizontal=True, gap="small", width="content"):
                help = "You may also close this tab: the run goes on, and this page finds it again."
                if st.button("Pause", key="augment_pause", icon=":material/pause:", help=help):
                    jobs.pause(id)
                    st.rerun(scope="app")
                if st.button(f"Stop and keep {count(job.step)}", key="augment_stop", icon=":material/stop:"):
                    jobs.cancel(id)
                    st.session_state["_augment_view"] = "Review"
                    st.rerun(scope="app")
        st.progress(share(job))


def follow(job: Job | None) -> None:
    """Open Review once a run that was watched has ended well, whoever noticed first; call it before the views are drawn."""
    if job is not None and job.alive:
        st.session_state["augment_following"] = job.id
    elif job is not None and st.session_state.get("augment_following") == job.id:
        del st.session_state["augment_following"]
        if job.state == "done":
            st.session_state["augment_view"] = "Review"


def watched(job: Job) -> None:
    """The live bar of a run, on any view."""
    with st.bottom:
        st.fragment(_running, run_every="2s")(job.id)


def _go_on(job: Job) -> None:
    """Resume: asks only for what is missing, of the writer the run began with."""
    failed = int((job.result or {}).get("failed", 0))
    label = f"Resume at {count(job.step)} of {count(job.total)}" if job.total else "Resume"
    if job.state == "done":
        label = f"Ask again for the {plural(failed, 'request')} that failed"
    writer = Writer.from_dict(job.request.get("writer", {}))
    help = f"Goes on with the last run, written by {plain(writer.label)}, and asks only for what is missing."
    st.button(label, key="augment_resume", icon=":material/play_arrow:", help=help, on_click=_resume, args=(job, writer))


def _resume(job: Job, writer: Writer) -> None:
    typed = st.session_state.get("key_OPENAI_API_KEY" if writer.name == "openai" else f"key_{writer.base_url}")
    try:
        jobs.resume(job.id, environment=for_child(writer.base_url, typed))
    except StudioError as error:
        st.session_state["augment_refused"] = error


def can_go_on(job: Job | None) -> bool:
    """Whether something of this run is missing that may be asked for again."""
    if job is None or job.alive:
        return False
    result = job.result or {}
    return job.state != "done" or bool(result.get("failed")) or result.get("stopped") == "budget"


ADVICE = {
    "busy": "The endpoint asks for patience: resume in a few minutes, or with fewer parallel requests.",
    "failing": "Its server fails, not the request: try again later, or choose another writer.",
    "stalled": "It stopped answering: see whether the server still runs, then resume.",
    "no credit": "The account has no credit left: top it up where the key comes from, then resume.",
}
"""Why an endpoint could not go on -> what to do."""


def ended(job: Job | None) -> None:
    """How the last run ended, when it did not simply finish: the provider's words, what was spent, what is kept, what to do."""
    refused = st.session_state.pop("augment_refused", None)
    if refused:
        show_error(refused)
    if job is None or job.alive:
        return
    result, spent = job.result or {}, cost(job.figures.get("usd"))
    kept = f"Spent: {spent}. {plural(_answered(job), 'reply', 'replies')} are kept; Resume asks only for what is missing."
    if job.state == "done":
        _done(result, job)
    elif job.error:
        advice = ADVICE.get(job.error.get("reason", ""), "Mend that above, then resume.")
        title = f"The run paused: {job.error['title']}" if job.state == "paused" else job.error["title"]
        show_error(StudioError(f"{job.error['message']} {advice} {kept}", title=title))
    else:
        word = {"paused": "paused", "interrupted": "was interrupted: its process ended"}.get(job.state, "was stopped")
        st.caption(plain(f"The last run {word} at {count(job.step)} of {count(job.total)}. {kept}"))


def _answered(job: Job) -> int:
    from core.io import written

    return written.standing(job.folder).replies


def _done(result: Mapping[str, Any], job: Job) -> None:
    if result.get("stopped") == "budget":
        st.caption(plain(f"The last run stopped at its budget of {cost(job.request.get('budget'))}; what arrived waits in Review."))
    if short := result.get("short"):
        most = ", ".join(f"{name} {count(n)}" for name, n in sorted(short.items(), key=lambda one: -one[1])[:6])
        more = f" and {plural(len(short) - 6, 'more class', 'more classes')}" if len(short) > 6 else ""
        st.caption(plain(f"The last run did not bring every class to its number. Still missing: {most}{more}. {_why_short(result)}"))
    if result.get("failed"):
        st.caption(plain(f"{plural(int(result['failed']), 'request')} of the last run got no reply:"))
        st.code("\n".join(f"{n} times: {words}" for words, n in result.get("errors", {}).items())[:2000], language=None, wrap_lines=True)


def _why_short(result: Mapping[str, Any]) -> str:
    if result.get("stopped") == "budget":
        return "The budget ended it: raise it and resume."
    return "Each row has the most it may get, or the writer repeats itself: allow more per row, or raise the temperature."
