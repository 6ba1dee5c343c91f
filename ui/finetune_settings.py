"""The settings of a training run as widgets: a preset, the two that matter, and all the others behind one expander.

What is chosen is kept under one session key, because a widget's own value is lost when it is not drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from core.finetune.settings import PRESETS, TrainSettings, changed, preset

KEPT = "_finetune_settings"
TITLES = {"Quick": "quick", "Balanced": "balanced", "Thorough": "thorough"}
SHOWN = ("epochs", "max_tokens")
"""On the card; the others are in the expander."""
LABELS = {
    "max_tokens": "Longest row (tokens)",
    "max_steps": "Most steps",
    "train_rows": "Train rows used",
    "batch": "Rows per step",
    "rslora": "Rank-stabilised",
    "targets": "Layers",
    "group_by_length": "Group by length",
}
STEPS = {"epochs": 0.5, "learning_rate": 1e-4, "warmup": 0.01, "weight_decay": 0.01, "clip": 0.1, "dropout": 0.05}


def current(kind: str) -> tuple[TrainSettings, TrainSettings]:
    """(the settings as chosen, the preset they started from)"""
    name = st.session_state.get("_finetune_preset", "quick")
    base = preset(name if name in PRESETS else "quick", kind)
    held = st.session_state.get(KEPT)
    if held is None or held.get("kind") != kind:
        st.session_state[KEPT] = {"kind": kind, **base.to_dict()}
        _forget()
    values = {key: value for key, value in st.session_state[KEPT].items() if key != "kind"}
    return TrainSettings.from_dict(values), base


def take(settings: TrainSettings, kind: str) -> None:
    """Choose these settings; in a callback, because widgets show them from the next run on."""
    st.session_state[KEPT] = {"kind": kind, **settings.to_dict()}
    _forget()


def _forget() -> None:
    for one in fields(TrainSettings):
        st.session_state.pop(f"finetune_set_{one.name}", None)


def preset_control(kind: str) -> Callable[[], None]:
    """Quick | Balanced | Thorough for the card's heading."""

    def changed_preset() -> None:
        name = TITLES.get(st.session_state.get("finetune_preset") or "", "quick")
        st.session_state["_finetune_preset"] = name
        take(preset(name, kind), kind)

    def draw() -> None:
        now = st.session_state.get("_finetune_preset", "quick")
        st.segmented_control(
            "Preset",
            list(TITLES),
            default=next(title for title, name in TITLES.items() if name == now),
            required=True,
            key="finetune_preset",
            label_visibility="collapsed",
            on_change=changed_preset,
        )

    return draw


def field(name: str, base: TrainSettings, into: Any = st) -> None:
    """One setting as a widget with its sentence and its recommended value."""
    one = TrainSettings.__dataclass_fields__[name]
    meta, value = one.metadata, st.session_state[KEPT][name]
    label, key = LABELS.get(name, name.replace("_", " ").capitalize()), f"finetune_set_{name}"
    recommended = getattr(base, name)
    words = ("on" if recommended else "off") if isinstance(recommended, bool) else f"{recommended}"
    how: dict[str, Any] = {"key": key, "help": f"{meta['meaning']} Recommended: {words}.", "on_change": _chosen, "args": (name,)}
    # set, not given as the default: of a widget that is there already the browser takes no new default
    st.session_state.setdefault(key, float(value) if isinstance(recommended, float) else value)
    if isinstance(value, bool):
        into.toggle(label, **how)
    elif meta["choices"]:
        into.selectbox(label, list(meta["choices"]), **how)
    elif meta["offered"]:
        into.selectbox(label, list(dict.fromkeys([*meta["offered"], value])), accept_new_options=True, **how)
    elif isinstance(recommended, float):
        low, high = (None if limit is None else float(limit) for limit in (meta["low"], meta["high"]))
        shape = "%.6f" if name == "learning_rate" else "%.2f"
        into.number_input(label, low, high, step=STEPS.get(name, 0.1), format=shape, **how)
    else:
        into.number_input(label, meta["low"], meta["high"], step=1, **how)


def _chosen(name: str) -> None:
    value = st.session_state.get(f"finetune_set_{name}")
    if value is not None:
        st.session_state[KEPT] = {**st.session_state[KEPT], name: value}


def expander(settings: TrainSettings, base: TrainSettings, kind: str) -> None:
    """All settings but the two on the card, three columns, with Reset."""
    different = changed(settings, base)
    told = f"{len(different)} changed" if different else "none changed"
    label = f"All {len(fields(settings))} settings, {told}"
    opened = st.session_state.get("_finetune_open", False)
    with st.expander(label, opened, icon=":material/tune:", key="finetune_all", on_change=_toggled):
        if different:
            st.button("Reset", icon=":material/undo:", key="finetune_reset", on_click=take, args=(base, kind))
        columns = st.columns(3)
        rest = [one.name for one in fields(settings) if one.name not in SHOWN]
        for place, name in enumerate(rest):
            field(name, base, columns[place % 3])


def _toggled() -> None:
    """An expander whose label changes is a new one to the browser, and closed: so its state is kept here."""
    st.session_state["_finetune_open"] = bool(st.session_state.get("finetune_all"))


def use_four_bits(kind: str) -> None:
    """Callback of the button beside "Does not fit"."""
    settings, _ = current(kind)
    take(replace(settings, quantization="4-bit"), kind)
