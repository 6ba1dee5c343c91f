"""What a finished run brought: its adapter and its base on the same test rows, and the ways on."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from core import format as fmt
from core.compare.beside import beside
from core.compare.board import Pair
from core.evaluate.metrics import METRICS
from core.io import evaluations as kept
from core.io import store, testing
from core.io.jobs import Job
from core.task import task
from ui import cache
from ui.baselines_board import against
from ui.baselines_ladder import unit_of
from ui.layout import card, metrics
from ui.state import go, plain


def show(job: Job) -> None:
    """The card, once the test rows were answered."""
    version = store.version(str(job.dataset), job.request["version"])
    found = {one.id: (one, values) for one, values in cache.ranked(version.dataset, version.id)}
    result = job.result or {}
    tuned, base = (found.get(str(result.get(key))) for key in ("evaluation", "base_evaluation"))
    if tuned:
        name = task(version.task or "").headline
        unit = unit_of(version, name)
        with card(f"{METRICS[name].title} on {fmt.plural(tuned[0].n, 'test row')}", height="content"):
            shown = [one for one in (tuned, base) if one]
            metrics([(plain(one.title), *_value(unit, values[name])) for one, values in shown])
            st.caption(plain(" · ".join(f"{one.title} {_between(unit, values[name])}" for one, values in shown)))
            if base:
                pair = _pair(version.dataset, version.id, tuned[0].id, base[0].id, name, kept.stamp(version.dataset))
                st.caption(plain(_difference(pair, unit)))
            next_steps()
    else:
        next_steps()


def tested(job: Job) -> int:
    """How many test rows the run's adapter answered; 0 where there are none, or where its answers are gone."""
    wanted = (job.result or {}).get("evaluation")
    return next((one.n for one in cache.evaluations(str(job.dataset)) if one.id == wanted), 0)


def _value(unit: str, value: Any) -> tuple[str, str]:
    return fmt.metric(unit, value.value, value.n), f"95 % interval {fmt.interval(value.low, value.high, unit)}"


def _between(unit: str, value: Any) -> str:
    return f"{fmt.metric(unit, value.value, value.n)} {fmt.interval(value.low, value.high, unit, prose=True)}"


def _difference(pair: Pair | None, unit: str) -> str:
    if pair is None or not math.isfinite(pair.difference):
        return "The two answered no row in common, so they cannot be compared."
    return f"Fine-tuned against its base: {against(pair, unit)}, paired on the rows both answered, 95 % interval."


@st.cache_data(max_entries=8, show_spinner=False)
def _pair(dataset: str, version: str, tuned: str, base: str, name: str, stamp: Any) -> Pair | None:
    ones = {one.id: one for one, _ in cache.ranked(dataset, version)}
    return beside([ones[tuned]], ones[base], name=name, groups=testing.groups(store.version(dataset, version))).get(tuned)


def next_steps() -> None:
    """Where people go from here."""
    st.caption("What next")
    ways = [
        ("Read its mistakes", ":material/table_rows:", "compare", ("compare_view", "Rows")),
        ("Ask it something", ":material/chat:", "compare", ("compare_view", "Try it")),
        ("Use it elsewhere", ":material/api:", "", ("_finetune_go", "Adapters")),
        ("Write more rows", ":material/auto_awesome:", "augment", None),
        ("Train again", ":material/model_training:", "", ("_finetune_go", "New run")),
    ]
    with st.container(horizontal=True, gap="small"):
        for label, icon, page, wish in ways:
            if st.button(label, key=f"finetune_next_{label.split()[0].lower()}", icon=icon, type="tertiary"):
                if wish:
                    st.session_state[wish[0]] = wish[1]
                if page:
                    go(page)
                st.rerun()
