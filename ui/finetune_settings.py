"""The settings of a training run as widgets: a preset, the two that matter, and all the others behind one expander.

What is chosen is kept under one session key, because a widget's own value is lost when it is not drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from core.errors import SettingsError
from core.finetune.settings import ANSWER_TOKENS, NAMED, PRESETS, TITLES, TrainSettings, changed, preset
from ui.state import plain, show_error

KEPT = "_finetune_settings"
SHOWN = ("epochs", "max_tokens")
"""On the card; the others are in the expander."""
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Rows and length": ("An epoch is one pass over all train rows; a token is a piece of a word, about four letters of English.",
                        ("max_steps", "train_rows", "batch", "accumulate", "answers_only", "group_by_length", "packing")),
    "Learning": ("Each step reads a few rows and moves the adapter a little towards their answers, as far as the learning rate allows.",
                 ("learning_rate", "schedule", "warmup", "weight_decay", "clip", "seed")),
    "Adapter": ("LoRA trains small matrices beside the model's own weights, which stay as they are; rank is how wide those matrices are.",
                ("rank", "alpha", "dropout", "targets", "rslora", "dora")),
    "Numbers": ("Quantization keeps the frozen weights in fewer bits: less memory, and slower on a processor.",
                ("precision", "quantization", "double_quantization", "gradient_checkpointing")),
    "Measuring": ("Validation rows are asked now and then and never learnt from, so they show when the model only learns by heart.",
                  ("evaluate_every", "validation_rows", "checkpoint_every", "patience", "keep", "choose", "keep_best")),
    "Reporting": ("A copy of the figures for another tool. The studio keeps its own either way.", ("report_to",)),
}  # fmt: skip
"""Heading -> what its terms mean, and its settings."""
LABELS = {
    "max_tokens": "Longest row (tokens)",
    "max_steps": "Most steps",
    "train_rows": "Train rows used",
    "batch": "Rows per step",
    "accumulate": "Batches per update",
    "clip": "Longest gradient",
    "rslora": "Rank-stabilised",
    "dora": "DoRA",
    "targets": "Layers",
    "group_by_length": "Group by length",
    "keep": "Checkpoints kept",
    "choose": "Chosen by",
    "report_to": "Report to",
}
PROJECT_KINDS = ("qa",)
"""Task kinds that are offered the presets of one project each."""
STEPS = {"epochs": 0.5, "learning_rate": 1e-4, "warmup": 0.01, "weight_decay": 0.01, "clip": 0.1, "dropout": 0.05}


def current(kind: str) -> tuple[TrainSettings, TrainSettings]:
    """(the settings as chosen, the preset they started from)"""
    name = st.session_state.get("_finetune_preset", "quick")
    base = preset(name if name in PRESETS or (name in NAMED and kind in PROJECT_KINDS) else "quick", kind)
    held = st.session_state.get(KEPT)
    if held is None or held.get("kind") != kind:
        st.session_state[KEPT] = {"kind": kind, **base.to_dict()}
        _forget()
    values = {key: value for key, value in st.session_state[KEPT].items() if key != "kind"}
    return TrainSettings.from_dict(values), base


def take(settings: TrainSettings, kind: str) -> None:
    """Choose these settings; in a callback, because widgets show them from the next run on."""
    st.session_state[KEPT] = {"kind": kind, **settings.to_dict()}
    st.session_state.pop("_finetune_refused", None)
    _forget()


def _forget() -> None:
    for one in fields(TrainSettings):
        st.session_state.pop(f"finetune_set_{one.name}", None)


def take_preset(name: str, kind: str) -> None:
    """Callback: all settings of a preset."""
    st.session_state["_finetune_preset"] = name
    st.session_state["finetune_preset"] = TITLES[name] if name in PRESETS else None
    take(preset(name, kind), kind)


def preset_control(kind: str) -> Callable[[], None]:
    """Quick | Balanced | Thorough for the card's heading."""
    names = {TITLES[name]: name for name in PRESETS}

    def chosen() -> None:
        take_preset(names[st.session_state["finetune_preset"]], kind)

    def draw() -> None:
        now = st.session_state.get("_finetune_preset", "quick")
        st.session_state.setdefault("finetune_preset", TITLES[now] if now in PRESETS else None)
        st.segmented_control("Preset", list(names), required=True, key="finetune_preset", label_visibility="collapsed", on_change=chosen)

    return draw


def project_presets(kind: str) -> None:
    """The presets of one project each, where they fit the task; each says what it sets."""
    if kind not in PROJECT_KINDS:
        return
    for name in NAMED:
        told = f"{summary(preset(name, kind))}. Takes the place of the settings above."
        st.button(f"{TITLES[name]} settings", key=f"finetune_preset_{name}", icon=":material/school:", type="tertiary", help=plain(told),
                  on_click=take_preset, args=(name, kind), disabled=st.session_state.get("_finetune_preset") == name)  # fmt: skip


def answer_tokens(kind: str) -> int | None:
    """The longest answer the chosen preset asks for, where it names one."""
    return ANSWER_TOKENS.get(st.session_state.get("_finetune_preset", "")) if kind in PROJECT_KINDS else None


def summary(settings: TrainSettings) -> str:
    """The settings that decide most, in one line."""
    parts = [f"LoRA rank {settings.rank}", f"learning rate {settings.learning_rate:g}", f"batch {settings.effective_batch}"]
    parts.append("learns answers only" if settings.answers_only else "learns whole rows")
    if settings.quantization != "none":
        twice = " without double quantization" if settings.quantization == "4-bit" and not settings.double_quantization else ""
        parts.append(f"{settings.quantization} base{twice}")
    if settings.max_steps:
        parts.append(f"at most {settings.max_steps} steps")
    return " · ".join(parts)


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
    """Callback of a field. A value that cannot be is said and not taken: the one before stays."""
    value = st.session_state.get(f"finetune_set_{name}")
    if value is None:
        return
    wanted = {**st.session_state[KEPT], name: value}
    try:
        TrainSettings.from_dict({key: one for key, one in wanted.items() if key != "kind"})
    except SettingsError as problem:
        st.session_state["_finetune_refused"] = problem
        st.session_state.pop(f"finetune_set_{name}", None)
        return
    st.session_state.pop("_finetune_refused", None)
    st.session_state[KEPT] = wanted


def expander(settings: TrainSettings, base: TrainSettings, kind: str) -> None:
    """All settings but the two on the card under short headings, with Reset."""
    different = changed(settings, base)
    told = f"{len(different)} changed" if different else "none changed"
    label = f"All {len(fields(settings))} settings, {told}"
    opened = st.session_state.get("_finetune_open", False)
    if problem := st.session_state.get("_finetune_refused"):
        show_error(problem)
    with st.expander(label, opened, icon=":material/tune:", key="finetune_all", on_change=_toggled):
        if different:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button("Reset", icon=":material/undo:", key="finetune_reset", on_click=take, args=(base, kind))
                st.caption(plain("Changed: " + ", ".join(LABELS.get(name, name.replace("_", " ").capitalize()) for name in different)))
        grouped = [name for _, names in GROUPS.values() for name in names]
        other = tuple(one.name for one in fields(settings) if one.name not in (*SHOWN, *grouped))
        for title, (meaning, names) in {**GROUPS, **({"Others": ("", other)} if other else {})}.items():
            st.markdown(f"**{title}** :small[:gray[{plain(meaning)}]]")
            for start in range(0, len(names), 3):
                for column, name in zip(st.columns(3, vertical_alignment="bottom"), names[start : start + 3], strict=False):
                    field(name, base, column)


def _toggled() -> None:
    """An expander whose label changes is a new one to the browser, and closed: so its state is kept here."""
    st.session_state["_finetune_open"] = bool(st.session_state.get("finetune_all"))


def use_four_bits(kind: str) -> None:
    """Callback of the button beside "Does not fit"."""
    settings, _ = current(kind)
    take(replace(settings, quantization="4-bit"), kind)
