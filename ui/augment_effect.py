"""Augment, view Report: the same model trained without and with the new rows and asked the same test rows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.format import count, duration
from core.io import effect as effects
from core.io import jobs
from core.io.batches import Batch
from core.io.jobs import Job
from core.version import Version
from ui import cache, charts
from ui.charts import Rung
from ui.jobs import watch
from ui.layout import card, run_bar
from ui.state import guarded, plain

CHEAP, TUNED = "A cheap model", "The built-in model, fine-tuned"
LIMIT = 150
"""Test rows a fine-tuned model is asked."""


def effect(version: Version, batch: Batch | None) -> None:
    """The card and its run bar: two trainings, one without and one with the new rows."""
    request: dict[str, Any] = {"dataset": version.dataset, "version": version.id}
    if batch:
        request |= {"batch": batch.id, "stamp": list(batch.stamp)}
    with card("With and without", control=_which, height="content"):
        tuned = st.session_state.get("augment_model_of_effect") == TUNED
        request |= {"lora": {"limit": LIMIT}} if tuned else {}
        done = _latest(version, request)
        if done and done.alive:
            watch(done.id, "augment_effect_watch")
        elif done and done.result:
            _ladder(effects.from_json(done.result))
        else:
            if done and done.error:
                watch(done.id, "augment_effect_failed")
            _promise(version, batch, tuned)
    if done and done.alive:
        return
    missing = "Choose what to predict" if not version.roles.target else None if version.splits.get("test") else "Needs a test split"
    seconds = _tuned_seconds(version) if tuned else 5 + version.rows / 500
    finished = bool(done and done.result)
    state, label = "Not ready" if missing else "Done" if finished else "Ready", "Measure again" if finished else "Measure the effect"
    if run_bar(state=state, text=missing or _pace(done, seconds), label=label, key="augment_measure", disabled=bool(missing)):
        with guarded():
            jobs.start("effect", request, title="Effect of the new rows", dataset=version.dataset)
            st.rerun()


def _which() -> None:
    st.segmented_control("Model", [CHEAP, TUNED], default=CHEAP, required=True, key="augment_model_of_effect", label_visibility="collapsed")


def _promise(version: Version, batch: Batch | None, tuned: bool) -> None:
    what = "the saved rows" if batch is None else "the variants that are kept in Review"
    tests = version.splits.get("test", 0)
    if tuned:
        text = (f"The built-in model is fine-tuned (LoRA) twice, without and with {what}, with equally many update steps, so that nothing "
                f"but the rows can make the difference; then both are asked the same {count(min(LIMIT, tests))} test rows.")  # fmt: skip
    else:
        text = f"A cheap classical model is trained twice, without and with {what}, and asked the same {count(tests)} test rows."
    st.caption(text)


def _tuned_seconds(version: Version) -> float:
    """Two trainings at the usual pace of two processor cores, and the questions."""
    from core.finetune.estimates import RATES, steps_of
    from core.io.effect_lora import settings_of

    facts, settings = cache.train_facts(version.dataset, version.id), settings_of(version, {})
    seen = steps_of(int(facts["train"]), settings) * settings.effective_batch * (facts["length"] / 4 + 30)
    return 2 * (seen / RATES["fp32"] + min(LIMIT, facts["test"]) * 0.5) + 20


def _pace(done: Job | None, seconds: float) -> str:
    if done and done.result:
        return f"{duration(done.seconds)}, the estimate was {duration(seconds, about=True)} · free"
    return f"{duration(seconds, about=True)} · free"


def _latest(version: Version, request: dict[str, Any]) -> Job | None:
    """The newest measurement of just this."""
    return next((job for job in jobs.all_jobs(version.dataset, "effect") if dict(job.request) == request), None)


def _ladder(found: effects.Effect) -> None:
    family = "tuned" if found.steps else "classical"
    both = (("With", found.with_them, found.train_rows + found.new_rows), ("Without", found.without, found.train_rows))
    rungs = [Rung(f"{name} ({count(n)} rows)", family, one.value, one.low, one.high) for name, one, n in both]
    best = None if found.word == "not distinguishable" else rungs[0 if found.word == "better" else 1].title
    charts.show(charts.ladder(rungs, found.unit, best=best), f"augment_effect_{family}", found.sentence)
    st.subheader(plain(found.sentence), anchor=False)
    steps = f", {count(found.steps)} update steps each" if found.steps else ""
    st.caption(
        plain(
            f"{found.title} of {found.predictor}{steps}, on {count(found.difference.n)} test rows, 95 % intervals; measured in "
            f"{duration(found.seconds)}. A larger model may gain more, or nothing."
        )
    )
