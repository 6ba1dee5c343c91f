"""Augment, view Review: what a gate measured of every variant, where its threshold stands, and what moving it would change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.augment.limits import ALWAYS, GATES, MODES, Limits
from core.format import count, plural
from core.io import batches
from core.io.batches import Batch
from core.version import Version
from ui import augment_cache, charts
from ui.augment_table import renew
from ui.state import plain

if TYPE_CHECKING:
    import numpy as np

BARS = 20
RANGES = {"too_long": (0.5, 6.0), "too_short": (0.0, 1.0)}
"""Ends of a slider where they are not 0 and 1."""
WORDS = {"reject": "stops it", "warn": "only warns", "off": "is off"}
Between = tuple[str, float, float]
"""Gate, and the values from and to that rows are filtered by."""


def threshold(version: Version, batch: Batch, gate: str | None) -> Between | None:
    """The histogram and its slider. Returns the bar that is chosen as filter, if one is."""
    values = augment_cache.values(version, batch)
    measured = [name for name, one in GATES.items() if one.measure and name in values and (values[name] == values[name]).any()]
    if not measured:
        st.caption("No gate with a threshold measured these variants.")
        return None
    limits = augment_cache.limits(version, batch)
    proposed = gate if gate in measured else _worst(measured, values, limits)
    if gate in measured and st.session_state.get("augment_measured") != gate and st.session_state.get("augment_measured_for") != gate:
        st.session_state["augment_measured"] = gate
    st.session_state["augment_measured_for"] = gate
    left, right = st.columns([3, 2])
    name = str(left.selectbox("Gate with a threshold", measured, index=measured.index(proposed), key="augment_measured",
                              format_func=lambda one: GATES[one].title, label_visibility="collapsed"))  # fmt: skip
    with right:
        _mode(name, limits, batch)
    known = values[name][values[name] == values[name]]
    bound = limits.threshold(name) or 0.0
    new = bound if name in ALWAYS else _slider(name, bound)
    between = _histogram(name, known, new, batch)
    unjudged = len(values[name]) - len(known)
    st.caption(plain(_told(name, known, bound, new, limits) + (f" {plural(unjudged, 'variant')} not judged." if unjudged else "")))
    _apply(name, new, limits, batch)
    return between


def _worst(measured: list[str], values: dict[str, np.ndarray], limits: Limits) -> str:
    """The one that stops most, the closeness to the original where none does."""
    stops = {name: _stopped(name, values[name], limits) for name in measured}
    worst = max(measured, key=lambda name: stops[name])
    return worst if stops[worst] else "too_similar" if "too_similar" in measured else worst


def _stopped(name: str, values: np.ndarray, limits: Limits) -> int:
    return sum(limits.fails(name, value) for value in values[values == values].tolist())


def _slider(name: str, bound: float) -> float:
    low, high = RANGES.get(name, (0.0, 1.0))
    key = f"augment_bound_{name}_{st.session_state.get('augment_nonce', 0)}"
    return float(st.slider("Threshold", min(low, bound), max(high, bound), bound, 0.01, key=key, label_visibility="collapsed"))


def _histogram(name: str, known: np.ndarray, bound: float, batch: Batch) -> Between | None:
    """Bars of the values, those on the wrong side grey; a click on one filters the variants below."""
    import numpy as np

    low, high = min(RANGES.get(name, (0.0, 1.0))[0], float(known.min())), max(RANGES.get(name, (0.0, 1.0))[1], float(known.max()))
    counts, edges = np.histogram(known, BARS, (low, high))
    keep = (bound, high + 1) if GATES[name].fails == "below" else (low - 1, bound)
    fig = charts.histogram(edges.tolist(), counts.tolist(), height=130, lines=[bound], keep=keep)
    key = f"augment_values_{batch.id}_{name}"

    def picked() -> None:
        points = (st.session_state.get(charts.selection_key(key)) or {}).get("selection", {}).get("points", [])
        span = points[0].get("customdata") if points else None
        last = bool(points) and points[0].get("point_index") == BARS - 1
        st.session_state["augment_between"] = (name, float(span[0]), float(span[1]) + last) if span else None

    charts.show(fig, key, f"{GATES[name].title}: {len(known)} variants, threshold {bound:.2f}", select="points", on_select=picked)
    between = st.session_state.get("augment_between")
    return between if between and between[0] == name else None


def _told(name: str, known: np.ndarray, bound: float, new: float, limits: Limits) -> str:
    now = _stopped(name, known, limits)
    side = "below" if GATES[name].fails == "below" else "above"
    text = f"{GATES[name].measure[:1].upper()}{GATES[name].measure[1:]}: {count(now)} of {count(len(known))} lie {side} {bound:.2f}."
    if new != bound:
        moved = _stopped(name, known, replace(limits, **{GATES[name].limit: new}))
        text += f" At {new:.2f} it would be {count(moved)}."
    return text


def _mode(name: str, limits: Limits, batch: Batch) -> None:
    """Whether the gate stops, warns or is off."""

    def changed() -> None:
        _use(batch, limits.with_mode(name, st.session_state["augment_mode_of"]))

    st.session_state["augment_mode_of"] = limits.mode(name)
    st.selectbox("This gate", MODES, format_func=lambda one: WORDS[one], key="augment_mode_of", on_change=changed, disabled=name in ALWAYS,
                 label_visibility="collapsed")  # fmt: skip


def _use(batch: Batch, limits: Limits | None) -> None:
    """Judge by these limits from now on; None takes the usual ones. Nothing is lost."""
    batches.move(batch, limits)
    renew()


def _apply(name: str, new: float, limits: Limits, batch: Batch) -> None:
    """Take the threshold over, or all the usual ones back."""
    if name in ALWAYS:
        st.caption("This gate always stops: its threshold cannot be moved.")
        return
    moved = replace(limits, **{GATES[name].limit: new})
    with st.container(horizontal=True, gap="small"):
        if moved != limits:
            st.button(f"Use {new:.2f}", key="augment_use", icon=":material/check:", on_click=_use, args=(batch, moved))
        if batches.limits(batch) is not None:
            st.button("Usual thresholds", key="augment_usual", type="tertiary", icon=":material/undo:", on_click=_use, args=(batch, None))
