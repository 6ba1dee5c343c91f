"""The settings of a step as a form, made from the fields of its dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

import streamlit as st

from core.curate.fields import default_of, label
from core.curate.steps import kind
from core.errors import SettingsError
from core.io import previewing
from core.version import Step, Version
from ui import curate_state as state
from ui.state import plain, show_error

LONG = ("question", "system", "phrases", "patterns", "expression", "weights")


def form(version: Version, place: int) -> None:
    """Widgets for one step; every change is taken over at once, so that the counts move with it."""
    now = state.desk(version)
    step = now.recipe.steps[place]
    columns = previewing.columns_at(version, now.recipe, place)
    one = kind(step.name)
    with st.container(border=True, gap="small", key=f"curate_form_{place}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(plain(one.meaning), width="stretch")
            st.button(
                "Close", key="curate_form_close", type="tertiary", icon=":material/close:", on_click=state.open_form, args=(version, None)
            )
        values = _widgets(step, columns, f"curate_{version.id}_{now.turn}_{place}")
        try:
            made = Step(step.name, one.settings.from_dict(values).to_dict(), step.on, one.revision)
        except SettingsError as error:
            show_error(error)
            return
        if made != step:
            state.changed(version, place, made)
            st.rerun()


def _widgets(step: Step, columns: Mapping[str, str], key: str) -> dict[str, Any]:
    """Field -> value; short fields side by side, long ones over the whole width."""
    settings = kind(step.name).settings
    if not fields(settings):
        st.caption("Nothing to set; the seed below decides the order.")
    values: dict[str, Any] = {}
    short = [one for one in fields(settings) if one.name not in LONG and one.metadata["kind"] != "columns"]
    for one in [one for one in fields(settings) if one not in short]:
        values[one.name] = _widget(one, step.settings.get(one.name, default_of(one)), columns, f"{key}_{one.name}", st)
    sides = st.columns(2) if short else []
    for number, one in enumerate(short):
        values[one.name] = _widget(one, step.settings.get(one.name, default_of(one)), columns, f"{key}_{one.name}", sides[number % 2])
    return values


def _widget(one: Field[Any], value: Any, columns: Mapping[str, str], key: str, into: Any) -> Any:
    about = one.metadata
    name, what = label(one.name), about["kind"]
    told = {"help": plain(about["meaning"]) + _recommended(one), "key": key}
    if what == "flag":
        return into.toggle(name, bool(value), **told)
    if what == "choice":
        return into.selectbox(name, list(about["choices"]), list(about["choices"]).index(value), **told)
    if what == "choices":
        return into.multiselect(name, list(about["choices"]), list(value), placeholder=about["empty"] or "choose", **told)
    if what == "column":
        fit = [c for c, k in columns.items() if about["only"] in (None, k)] or list(columns)
        options = list(dict.fromkeys([*([""] if about["empty"] or not value else []), *([value] if value else []), *fit]))
        empty = about["empty"] or "choose a column"
        return into.selectbox(name, options, options.index(value), format_func=lambda c: c or empty, **told) or ""
    if what == "columns":
        options = list(dict.fromkeys([*value, *columns]))
        return into.multiselect(name, options, list(value), placeholder=about["empty"] or "choose columns", **told)
    if what == "words":
        return [line for line in into.text_area(name, "\n".join(value), height=110, **told).split("\n") if line]
    if what == "weights":
        return _weights(
            into.text_area(name, "\n".join(f"{k}: {v:g}" for k, v in value.items()), height=80, placeholder="Automotive: 1", **told)
        )
    if what in ("whole", "number"):
        whole = what == "whole"
        low, high = (None if end is None else int(end) if whole else float(end) for end in (about["low"], about["high"]))
        shown = None if value is None else int(value) if whole else float(value)
        empty = about["empty"] or None
        return into.number_input(
            name, low, high, shown, step=1 if whole else None, format=None if whole else "%g", placeholder=empty, **told
        )
    if one.name in LONG:
        return into.text_area(name, value, height=80, **told)
    if one.name == "separator":
        return into.text_input(name, value.replace("\n", "\\n"), **told).replace("\\n", "\n")
    return into.text_input(name, value, placeholder=about["empty"], **told)


def _recommended(one: Field[Any]) -> str:
    """ " Recommended: 0.8." where there is a recommended value."""
    usual = default_of(one)
    if usual in ("", None, (), {}) or one.metadata["kind"] in ("column", "columns", "choices", "text", "words"):
        return ""
    shown = {True: "on", False: "off"}[usual] if isinstance(usual, bool) else f"{usual:g}" if isinstance(usual, float) else usual
    return f" Recommended: {plain(shown)}."


def _weights(text: str) -> dict[str, Any]:
    """ "name: number" lines; what is no number is left for the settings to refuse."""
    found: dict[str, Any] = {}
    for line in text.split("\n"):
        name, mark, number = line.rpartition(":")
        if mark and name.strip():
            try:
                found[name.strip()] = float(number)
            except ValueError:
                found[name.strip()] = number.strip()
    return found
