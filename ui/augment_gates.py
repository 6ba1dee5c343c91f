"""Augment, view Review: how many variants each gate stopped, a filter by gate, and accepting or rejecting all of one gate."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from core.augment.decisions import NEVER
from core.augment.gates import GATES
from core.format import count, plural, share
from core.io import batches
from core.io.batches import Batch
from core.version import Version
from ui import charts
from ui.augment_table import PASSES, renew
from ui.augment_threshold import Between, threshold
from ui.layout import card
from ui.state import plain

if TYPE_CHECKING:
    import pandas as pd


def gates(version: Version, frame: pd.DataFrame, batch: Batch) -> tuple[str | None, Between | None]:
    """The card. Returns the gate that is chosen as filter ("" for those that pass, None for all), and the bar of a histogram."""
    with card("What the gates say", control=lambda: _reset(batch)):
        left, right = st.columns([1, 1])
        stopped = Counter(frame["gate"].tolist())
        passed = stopped.pop("", 0)
        order = list(GATES)
        names = ["", *sorted(stopped, key=lambda gate: (-stopped[gate], order.index(gate)))]
        with left:
            chosen = _bars(names, [passed, *(stopped[gate] for gate in names[1:])], batch)
            _filter(names, chosen)
            if chosen is not None:
                _bulk(chosen, frame, batch)
        with right:
            between = threshold(version, batch, chosen)
        st.caption(f"{plural(passed, 'variant')} of {count(len(frame))} pass. Nothing is dropped unseen: what a gate stopped stands here "
                   "with its reason, and can be accepted, unless it repeats a row kept aside for the test.")  # fmt: skip
        if between:
            words = f"{GATES[between[0]].title}: {between[1]:.2f} to {between[2]:.2f}"
            st.button(words, icon=":material/close:", key="augment_between_off", help="Remove this filter",
                      on_click=lambda: st.session_state.update(augment_between=None))  # fmt: skip
    return chosen, between


def _reset(batch: Batch) -> None:
    def forget() -> None:
        batches.forget(batch)
        renew()

    st.button("Keep all that pass", type="tertiary", icon=":material/undo:", key="augment_reset", on_click=forget,
              help="Forget what was accepted, rejected and edited: back to the gates.")  # fmt: skip


def _bars(names: list[str], values: list[int], batch: Batch) -> str | None:
    total = max(1, sum(values))
    titles = [GATES[gate].title if gate else PASSES for gate in names]
    labels = [f"{count(n)} · {share(n / total)}" if total >= 30 else count(n) for n in values]
    fig = charts.bars(titles, values, labels, colors=[charts.GOOD, *[charts.TRIVIAL] * (len(names) - 1)])
    key = f"augment_gates_{batch.id}_{st.session_state.get('augment_nonce', 0)}"

    def picked() -> None:
        place = charts.clicked(key)
        st.session_state["augment_gate"] = None if place is None else names[place]

    charts.show(fig, key, f"{values[0]} of {sum(values)} variants pass", select="points", on_select=picked)
    chosen = st.session_state.get("augment_gate")
    return chosen if chosen in names else None


def _filter(names: list[str], chosen: str | None) -> None:
    """The same choice for the keyboard."""
    titles = {"all": "all", **{gate or PASSES: GATES[gate].title if gate else PASSES for gate in names}}
    st.session_state["augment_filter"] = "all" if chosen is None else chosen or PASSES

    def changed() -> None:
        value = st.session_state["augment_filter"]
        st.session_state["augment_gate"] = None if value in (None, "all") else "" if value == PASSES else value

    st.pills("Filter", list(titles), format_func=lambda one: titles[one], key="augment_filter", on_change=changed, wrap=True,
             label_visibility="collapsed")  # fmt: skip


def _bulk(gate: str, frame: pd.DataFrame, batch: Batch) -> None:
    """All of one gate at once."""
    if gate:
        st.caption(plain(GATES[gate].meaning))
    ids = frame.loc[frame["gate"] == gate, "id"].tolist()
    never = gate in NEVER

    def all_of(keep: bool) -> None:
        batches.decide(batch, {id: {"keep": keep} for id in ids})
        renew()

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(f"Accept all {count(len(ids))}", key="augment_accept_all", on_click=all_of, args=(True,), disabled=never or not ids)
        st.button(f"Reject all {count(len(ids))}", key="augment_reject_all", on_click=all_of, args=(False,), disabled=not ids)
        if never:
            st.caption("None of these can be accepted.", width="content")
