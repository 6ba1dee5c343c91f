"""The fields of one column of a described table, by its kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from core.load.synthetic_columns import KINDS, SHAPES, WORDS, Column
from ui.state import plain

TASKS = {"regression": "A number", "classification": "A label"}
BEGIN: dict[str, dict[str, Any]] = {
    "text": {"templates": ("{quality} {thing} from {place}",)},
    "number": {"low": 0.0, "high": 100.0},
    "category": {"values": (("first", 1.0), ("second", 1.0), ("third", 1.0))},
    "flag": {},
    "date": {},
    "target": {"low": 0.0, "high": 100.0, "classes": ("low", "high")},
}
"""Settings a column begins with when its kind is chosen."""


def fields(column: Column, others: list[Column], key: str) -> Column:
    """The column as its widgets say. Raises what a column raises only where it is used, so that every state can be typed."""
    name, kind = st.columns([1, 1.2])
    called = name.text_input("Column name", column.name, key=f"{key}_name", max_chars=40) or ""
    chosen = kind.selectbox("Kind", list(KINDS), index=list(KINDS).index(column.kind), format_func=KINDS.__getitem__, key=f"{key}_kind")
    if chosen != column.kind:
        column = Column(column.name, chosen, **begin(chosen, others))
    key = f"{key}_{chosen}"
    column = replace(column, name=called.strip())
    return {"text": _text, "number": _number, "category": _category, "flag": _flag, "date": _date, "target": _target}[chosen](
        column, others, key
    )


def begin(kind: str, others: list[Column]) -> dict[str, Any]:
    """Settings for a new column of that kind; a target begins with the first column there is."""
    first = next((one.name for one in others if one.kind == "text"), next((one.name for one in others if one.kind != "target"), None))
    return BEGIN[kind] | ({"weights": ((first, 1.0),)} if kind == "target" and first else {})


def _text(column: Column, others: list[Column], key: str) -> Column:
    lines = st.text_area("Templates, one a line", "\n".join(column.templates), key=f"{key}_templates", height=96)
    words = st.text_area("Own words, from low to high", "\n".join(f"{slot}: {', '.join(own)}" for slot, own in column.words),
                         key=f"{key}_words", height=68, placeholder="taste: bland, fine, rich",
                         help="A target can follow them: the first word counts lowest, the last highest.")  # fmt: skip
    slots = [*WORDS, "number", *(one.name for one in others if one.kind != "target")]
    st.caption(plain("In braces: " + ", ".join(slots)))
    own = []
    for line in (words or "").splitlines():
        slot, _, rest = line.partition(":")
        if slot.strip():
            own.append((slot.strip(), tuple(word.strip() for word in rest.split(",") if word.strip())))
    return replace(column, templates=tuple(line for line in (lines or "").splitlines() if line.strip()), words=tuple(own))


def _range(column: Column, key: str) -> Column:
    low, high, decimals = st.columns(3)
    least = low.number_input("From", value=float(column.low), key=f"{key}_low")
    most = high.number_input("To", value=float(column.high), key=f"{key}_high")
    places = decimals.number_input("Decimals", 0, 6, column.decimals, key=f"{key}_decimals")
    shape = st.segmented_control(
        "Shape", list(SHAPES), default=column.shape, format_func=SHAPES.__getitem__, required=True, key=f"{key}_shape"
    )
    return replace(column, low=float(least), high=float(most), decimals=int(places), shape=str(shape))


def _number(column: Column, others: list[Column], key: str) -> Column:
    return _range(column, key)


def _category(column: Column, others: list[Column], key: str) -> Column:
    shown = "\n".join(f"{value}: {weight:g}" for value, weight in column.values)
    text = st.text_area("Values and weights, one a line", shown, key=f"{key}_values", height=120,
                        help="Without a weight it is 1. A target can follow them: the first counts lowest.")  # fmt: skip
    values = []
    for line in (text or "").splitlines():
        value, colon, weight = line.rpartition(":")
        if line.strip():
            values.append((value.strip(), _float(weight)) if colon and _float(weight) >= 0 else (line.strip(), 1.0))
    return replace(column, values=tuple(values))


def _flag(column: Column, others: list[Column], key: str) -> Column:
    share = st.slider("Share of yes", 0, 100, round(100 * column.share), key=f"{key}_share", format="%d %%")
    return replace(column, share=share / 100)


def _date(column: Column, others: list[Column], key: str) -> Column:
    left, right = st.columns(2)
    first = left.date_input("First day", date.fromisoformat(column.first), key=f"{key}_first", min_value=date(1900, 1, 1),
                            max_value=date(2100, 1, 1))  # fmt: skip
    last = right.date_input("Last day", date.fromisoformat(column.last), key=f"{key}_last", min_value=date(1900, 1, 1),
                            max_value=date(2100, 1, 1))  # fmt: skip
    return replace(column, first=str(first), last=str(last))


def _target(column: Column, others: list[Column], key: str) -> Column:
    task = st.segmented_control(
        "What it is", list(TASKS), default=column.task, format_func=TASKS.__getitem__, required=True, key=f"{key}_task"
    )
    if task == "classification":
        text = st.text_input("Labels from low to high, separated by commas", ", ".join(column.classes), key=f"{key}_classes")
        column = replace(column, task="classification", classes=tuple(one.strip() for one in (text or "").split(",") if one.strip()))
    else:
        column = replace(_range(column, key), task="regression")
    st.caption("How much each column counts; below 0 turns it round.")
    weights, known = [], dict(column.weights)
    row = st.columns(3)
    for place, one in enumerate(other for other in others if other.kind != "target"):
        if place and place % 3 == 0:
            row = st.columns(3)
        weight = row[place % 3].number_input(
            plain(one.name), value=float(known.get(one.name, 0.0)), step=0.5, key=f"{key}_weight_{one.name}"
        )
        if weight:
            weights.append((one.name, float(weight)))
    noise = st.slider("Noise", 0.0, 3.0, float(column.noise), 0.05, key=f"{key}_noise",
                      help="Spread of what no column explains, beside a spread of 1 that they do.")  # fmt: skip
    return replace(column, weights=tuple(weights), noise=float(noise))


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0
