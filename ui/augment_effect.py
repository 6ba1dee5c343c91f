"""Augment, view Effect: the same cheap model with and without the new rows, on the same test rows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.format import count, duration
from core.io import effect, jobs
from core.io.batches import Batch
from core.io.jobs import Job
from core.version import Version
from ui import charts
from ui.charts import Rung
from ui.jobs import watch
from ui.layout import card, empty, run_bar
from ui.state import guarded, plain


def is_written(version: Version) -> bool:
    """Whether the version holds written rows itself."""
    return version.roles.parent_row is not None


def show(version: Version, batch: Batch | None) -> None:
    """The whole view."""
    if batch is None and not is_written(version):
        empty(
            "auto_awesome",
            "Nothing to measure yet.",
            "Write or paste variants first. Then a cheap model is trained with and without them and asked the same test rows.",
            key="augment_effect_empty",
        )
        return
    request: dict[str, Any] = {"dataset": version.dataset, "version": version.id}
    if batch:
        request |= {"batch": batch.id, "stamp": list(batch.stamp)}
    done = _latest(version, request)
    if done and done.alive:
        with card("With and without"):
            watch(done.id, "augment_effect_watch")
        return
    if done and done.error:
        watch(done.id, "augment_effect_failed")
    if done and done.result:
        _ladder(effect.from_json(done.result))
    else:
        with card("With and without"):
            what = "the saved rows" if batch is None else "the variants that are kept in Review"
            st.caption(
                f"A cheap classical model is trained twice, without and with {what}, and asked the same "
                f"{count(version.splits.get('test', 0))} test rows."
            )
    missing = None if version.splits.get("test") else "Needs a test split" if version.roles.target else "Choose what to predict"
    seconds = 5 + version.rows / 500
    state = "Not ready" if missing else "Done" if done and done.result else "Ready"
    label = "Measure again" if done and done.result else "Measure the effect"
    if run_bar(state=state, text=missing or _pace(done, seconds), label=label, key="augment_measure", disabled=bool(missing)):
        with guarded():
            jobs.start("effect", request, title="Effect of the new rows", dataset=version.dataset)
            st.rerun()


def _pace(done: Job | None, seconds: float) -> str:
    if done and done.result:
        return f"{duration(done.seconds)}, the estimate was {duration(seconds, about=True)} · free"
    return f"{duration(seconds, about=True)} · free"


def _latest(version: Version, request: dict[str, Any]) -> Job | None:
    """The newest measurement of just this."""
    return next((job for job in jobs.all_jobs(version.dataset, "effect") if dict(job.request) == request), None)


def _ladder(found: effect.Effect) -> None:
    with card("With and without"):
        both = (("With", found.with_them, found.train_rows + found.new_rows), ("Without", found.without, found.train_rows))
        rungs = [Rung(f"{name} ({count(n)} rows)", "classical", one.value, one.low, one.high) for name, one, n in both]
        best = None if found.word == "not distinguishable" else rungs[0 if found.word == "better" else 1].title
        charts.show(charts.ladder(rungs, found.unit, best=best), "augment_effect", found.sentence)
        st.subheader(plain(found.sentence), anchor=False)
        st.caption(
            plain(
                f"{found.title} of {found.predictor} on {count(found.difference.n)} test rows, 95 % intervals; measured in "
                f"{duration(found.seconds)}. A larger model may gain more, or nothing."
            )
        )
