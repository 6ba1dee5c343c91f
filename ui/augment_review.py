"""Augment, view Review: bars of gates that filter the rows below, each variant editable, then saving as a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.augment.decisions import NEVER, kept
from core.augment.gates import GATES
from core.augment.report import Report
from core.format import cost, count, plural, share
from core.io import batches, children, store
from core.io.batches import Batch
from core.version import Version
from ui import cache, charts
from ui.layout import card, run_bar
from ui.state import choose, guarded, plain

if TYPE_CHECKING:
    import pandas as pd

MOST = 500
"""Rows in the editor at once."""
PASSES = "passes"
DISTINCT = (
    "How varied they are: the share of word pairs that occur only once among all accepted variants, and how far the variants of "
    "one row are from it and from each other (0 % is the same text, 100 % has nothing in common)."
)


def choose_batch(version: Version) -> Batch | None:
    """The run or pasted replies to look at; a picker when there are several."""
    found = batches.batches(version)
    if len(found) < 2:
        return found[0] if found else None
    titles = {one.id: one.title or "Just started" for one in found}
    id = st.selectbox("Run", list(titles), format_func=lambda one: titles[one], key="augment_batch", label_visibility="collapsed")
    return next(one for one in found if one.id == id)


def review(version: Version, batch: Batch) -> None:
    """The whole view."""
    frame, report = cache.augment_reviewed(version, batch)
    with card("What the gates say", control=lambda: _card_buttons(batch)):
        gate = _bars(frame, report, batch)
    _table(frame, batch, gate)
    _save(version, batch, frame, report)


def _card_buttons(batch: Batch) -> None:
    if st.button(
        "Keep all that pass",
        type="tertiary",
        icon=":material/undo:",
        key="augment_reset",
        help="Forget ticks and edits: back to the gates.",
    ):
        batches.forget(batch)
        _renew()


def _bars(frame: pd.DataFrame, report: Report, batch: Batch) -> str | None:
    """The bars; returns the gate that is chosen as filter ("" for those that pass), or None."""
    gates = ["", *report.rejected]
    values = [report.accepted, *report.rejected.values()]
    total = max(1, sum(values))
    names = [GATES[gate].title if gate else PASSES for gate in gates]
    labels = [f"{count(n)} · {share(n / total)}" if total >= 30 else count(n) for n in values]
    fig = charts.bars(names, values, labels, colors=[charts.GOOD, *[charts.TRIVIAL] * (len(gates) - 1)])
    key = f"augment_gates_{batch.id}_{st.session_state.get('augment_nonce', 0)}"

    def picked() -> None:
        points = st.session_state[charts.selection_key(key)].selection.points
        st.session_state["augment_gate"] = (
            gates[points[0]["customdata"] if not isinstance(points[0]["customdata"], list) else points[0]["customdata"][0]]
            if points
            else None
        )

    charts.show(fig, key, f"{report.accepted} of {sum(values)} variants pass", select="points", on_select=picked)
    words = [f"{plural(report.accepted, 'variant')} of {plural(report.rows, 'row')} pass"]
    if report.distinct is not None:
        words.append(f"{share(report.distinct, 1000)} of word pairs are said once")
    if report.spread is not None:
        words.append(f"{share(report.spread)} apart within a row")
    spent = batches.usd(batch)
    words.append(f"spent {cost(spent)}" if spent else "free" if spent == 0 or batch.writer.name == "hand" else "price unknown")
    st.caption(plain(" · ".join(words)), help=DISTINCT)
    chosen = st.session_state.get("augment_gate")
    return _pills(gates, chosen if chosen in gates else None)


def _pills(gates: list[str], chosen: str | None) -> str | None:
    """The filter, also for the keyboard."""
    names = {"all": "all", **{gate or PASSES: GATES[gate].title if gate else PASSES for gate in gates}}
    st.session_state["augment_filter"] = "all" if chosen is None else chosen or PASSES

    def changed() -> None:
        value = st.session_state["augment_filter"]
        st.session_state["augment_gate"] = None if value in (None, "all") else "" if value == PASSES else value

    st.pills(
        "Filter", list(names), format_func=lambda one: names[one], key="augment_filter", on_change=changed, label_visibility="collapsed"
    )
    if chosen:
        st.caption(GATES[chosen].meaning)
    return chosen


def _renew() -> None:
    """A fresh editor: its ticks and edits are on disk."""
    st.session_state["augment_nonce"] = st.session_state.get("augment_nonce", 0) + 1
    st.rerun()


def _table(frame: pd.DataFrame, batch: Batch, gate: str | None) -> None:
    """The editor over the chosen rows. What it is given stays the same while it lives, because edits are laid over it."""
    key = f"augment_rows_{batch.id}_{batch.stamp[0]}_{gate}_{st.session_state.get('augment_nonce', 0)}"
    if st.session_state.get("augment_shown", ("",))[0] != key:
        st.session_state["augment_shown"] = (key, frame if gate is None else frame[frame["gate"] == gate])
    shown: pd.DataFrame = st.session_state["augment_shown"][1]
    page = shown.head(MOST)
    titles = [GATES[one].title if one else PASSES for one in page["gate"].tolist()]
    view = page[["keep", "original", "variant", "removed", "added"]].assign(gate=titles)[
        ["keep", "original", "variant", "gate", "removed", "added"]
    ]
    text = st.column_config.TextColumn

    def edited() -> None:
        changes: dict[str, dict[str, Any]] = {}
        for place, made in st.session_state[key]["edited_rows"].items():
            changes[page["id"].iloc[int(place)]] = {name: value for name, value in made.items() if name in ("keep", "variant")}
        batches.decide(batch, changes)

    st.data_editor(
        view.reset_index(drop=True),
        key=key,
        hide_index=True,
        width="stretch",
        height=min(560, 40 + 35 * len(view)),
        num_rows="fixed",
        on_change=edited,
        disabled=["original", "gate", "removed", "added"],
        alt=f"{len(view)} variants",
        column_config={
            "keep": st.column_config.CheckboxColumn("Keep", width=60),
            "original": text("Original", width=170),
            "variant": text("Variant (editable)", width=280),
            "gate": text("Gate", width=105),
            "removed": text("Removed", width=110),
            "added": text("Added", width=110),
        },
    )
    if len(shown) > MOST:
        st.caption(
            f"The first {count(MOST)} of {count(len(shown))}; filter by a gate to see others. All are saved or left out by the same rule."
        )
    failing = frame[frame["edited"] & (frame["gate"] != "")]
    if len(failing):
        reasons = ", ".join(dict.fromkeys(GATES[gate].title for gate in failing["gate"].tolist()))
        st.caption(f"{plural(len(failing), 'rewritten variant')} would not pass: {reasons}.")
    blocked = frame[frame["gate"].isin(NEVER) & frame["id"].isin(_ticked(batch))]
    if len(blocked):
        st.caption(f"{plural(len(blocked), 'ticked variant')} cannot be kept: empty, or too close to a test row.")


def _ticked(batch: Batch) -> list[str]:
    return [id for id, made in batches.decisions(batch).items() if made.get("keep")]


def _save(version: Version, batch: Batch, frame: pd.DataFrame, report: Report) -> None:
    rows = kept(frame)
    number = max(one.number for one in store.versions(version.dataset)) + 1
    text = (
        f"{plural(len(rows), 'new train row')} from {plural(len(set(rows['row'].tolist())), 'row')} · validation and test stay as they are"
    )
    ready = len(rows) > 0
    if run_bar(
        state="Ready" if ready else "Not ready",
        text=text if ready else "No variant is kept",
        label=f"Save {count(len(rows))} rows as version {number}",
        key="augment_save",
        disabled=not ready,
        icon=":material/save:",
    ):
        with guarded():
            made = children.save(
                version, rows, batch.settings, batch.writer, rejected=report.rejected, usd=batches.usd(batch), job=batch.id
            )
            choose(made)
            st.session_state["_augment_view"] = "Effect"
            st.toast(f"Saved as version {made.number}")
            st.rerun()
