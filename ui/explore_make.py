"""Make one up: describe a table, see its first rows as it changes, plant faults in exact numbers, and open it as a project."""

from __future__ import annotations

import time
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from core.errors import SettingsError
from core.format import count, duration, plural, short
from core.io import fetching, store
from core.load import synthetic
from core.load.synthetic import MOST_COLUMNS, MOST_ROWS, PRESETS, Description
from core.load.synthetic_columns import Column, described
from core.load.synthetic_faults import FAULTS, Faults
from core.reading import read_amount
from ui import charts, explore_add, explore_fetch
from ui.explore_look import free
from ui.explore_make_fields import begin, fields
from ui.layout import card, run_bar
from ui.state import guarded, plain, show_error
from ui.tables import rows

STATE = "explore_make"
PREVIEW, JOB_FROM = 2_000, 100_000
"""Rows that are drawn at each change; rows from which on it is a job."""


def page() -> None:
    """The form, the preview beside it, and the run bar."""
    job = explore_fetch.running("described")
    if job is not None:
        if explore_fetch.show(job, "described"):
            return
        if job.state == "done" and job.result and st.session_state.get("explore_fetch_described") == job.id:
            explore_fetch.forget("described")
            explore_add.done(store.version(job.result["dataset"], job.result["version"]))
    state = _state()
    _beginning(state)
    key = f"explore_make_{state['turn']}"
    left, right = st.columns([1.15, 1])
    with card("Columns", into=left, height="content"):
        _columns(state, key)
    _faults(state, key)
    problem, wanted = None, None
    try:
        wanted = Description(
            rows=state["rows"], seed=state["seed"], columns=tuple(map(Column.from_dict, state["columns"])), faults=Faults(**state["faults"])
        )
    except SettingsError as error:
        problem = error
    with card("First rows", into=right, height="content"):
        about = None
        if wanted is not None:
            try:
                about = _preview(wanted, key)
            except SettingsError as error:
                problem = error
        if problem is not None:
            show_error(problem)
    _bar(state, wanted, problem, about)


def _state() -> dict[str, Any]:
    """What is described so far: plain values in the session, begun with the first preset."""
    if STATE not in st.session_state:
        _take(next(iter(PRESETS.values())), next(iter(PRESETS)))
    return st.session_state[STATE]


def _take(one: Description, stem: str) -> None:
    plain_ = one.to_dict()
    turn = st.session_state.get(STATE, {}).get("turn", 0) + 1
    st.session_state[STATE] = {**plain_, "columns": list(plain_["columns"]), "turn": turn, "at": 0, "stem": stem}


def _beginning(state: dict[str, Any]) -> None:
    """Where it starts from, and its size."""
    made = {f"{one.label}, version {version.number}": version.source["described"]
            for one in store.datasets() for version in one.versions if version.source.get("described")}  # fmt: skip
    first, size, chance = st.columns([2, 1, 1])

    def changed() -> None:
        name = st.session_state["explore_make_from"]
        with guarded():
            _take(PRESETS[name] if name in PRESETS else Description.from_dict(made[name]), name.rsplit(", version", 1)[0])

    first.selectbox("Start from", [*PRESETS, *made], key="explore_make_from", on_change=changed,
                    help="A ready description, or that of a table made up before.")  # fmt: skip
    key = f"explore_make_{state['turn']}"
    state["rows"] = int(size.number_input("Rows", 2, MOST_ROWS, state["rows"], step=500, key=f"{key}_rows"))
    state["seed"] = int(
        chance.number_input("Seed", 0, 2**31 - 1, state["seed"], key=f"{key}_seed", help="The same seed gives the same table.")
    )


def _columns(state: dict[str, Any], key: str) -> None:
    """One column at a time: choose it, change it, add one, remove one."""
    columns = [Column.from_dict(one) for one in state["columns"]]
    state["at"] = min(state["at"], len(columns) - 1)
    labels = [short(f"{one.name or 'no name'}: {described(one)}", 70) for one in columns]
    at = st.selectbox(
        "Column", range(len(columns)), index=state["at"], label_visibility="collapsed", format_func=labels.__getitem__,
        key=f"{key}_at_{zlib.crc32(repr(labels).encode()):08x}",
    )  # fmt: skip
    state["at"] = at
    with st.container(horizontal=True, gap="small"):
        if st.button("Add a column", key=f"{key}_add", icon=":material/add:", disabled=len(columns) >= MOST_COLUMNS):
            state["columns"].append(Column(_new(columns), "text", **begin("text", columns)).__dict__)
            state["at"] = len(columns)
            state["turn"] += 1
            st.rerun()
        if st.button(
            f"Remove {plain(short(columns[at].name or 'it', 20))}", key=f"{key}_remove", icon=":material/delete:", disabled=len(columns) < 2
        ):
            del state["columns"][at]
            _renamed(state, columns[at].name, None)
            state["turn"] += 1
            st.rerun()
    others = [one for place, one in enumerate(columns) if place != at]
    changed = fields(columns[at], others, f"{key}_{at}")
    state["columns"][at] = {name: getattr(changed, name) for name in Column.__dataclass_fields__}
    if changed != columns[at]:
        if changed.name != columns[at].name:
            _renamed(state, columns[at].name, changed.name)
        st.rerun()


def _renamed(state: dict[str, Any], old: str, new: str | None) -> None:
    """Follow a column's new name (None: it is gone) in what depends on it."""
    for place, one in enumerate(state["columns"]):
        column = Column.from_dict(one)
        weights = tuple((new or name if name == old else name, weight) for name, weight in column.weights if name != old or new)
        lines = tuple(line.replace(f"{{{old}}}", f"{{{new}}}" if new else "") for line in column.templates)
        column = replace(column, weights=weights, templates=lines)
        state["columns"][place] = {name: getattr(column, name) for name in Column.__dataclass_fields__}


def _faults(state: dict[str, Any], key: str) -> None:
    with card("Planted faults", height="content", help="In exact numbers, in train rows only; a cell has one at most."):
        for place, (column, (name, (title, meaning))) in enumerate(zip(st.columns(len(FAULTS)), FAULTS.items(), strict=True)):
            known = int(state["faults"][name])
            state["faults"][name] = int(column.number_input(title, 0, None, known, key=f"{key}_fault_{place}", help=meaning))


def _preview(wanted: Description, key: str) -> float:
    """The first rows and the target's shape; returns the seconds all rows take, estimated."""
    begun = time.perf_counter()
    if wanted.rows <= PREVIEW:
        frame = synthetic.make(wanted).frame
    else:
        frame = synthetic.table(wanted, PREVIEW)
    seconds = (time.perf_counter() - begun) * wanted.rows / len(frame)
    target = wanted.target
    order = [name for name in [*(c.name for c in wanted.columns if c.kind == "text"), target.name if target else None] if name]
    order += [name for name in frame.columns if name not in order]
    rows(frame.loc[:, order].head(8), key=f"{key}_rows_shown", alt="The first rows")
    if target is not None:
        if target.task == "classification":
            what, values = "rows of each label", [frame[target.name].tolist().count(label) for label in target.classes]
        else:
            numbers = [amount for cell in frame[target.name].tolist() if (amount := read_amount(cell)) is not None]
            ratio = target.shape == "skewed" and min(numbers, default=0) > 0
            what = "from low to high, in steps of equal ratio" if ratio else "from low to high"
            values = np.histogram(np.log(numbers) if ratio else numbers, bins=24)[0].tolist()
        charts.show(charts.thumbnail(values), f"{key}_shape", f"How {target.name} is distributed")
        st.caption(plain(f"{target.name}: {what}, of {count(len(frame))} rows"))
    if wanted.rows > PREVIEW and any(wanted.to_dict()["faults"].values()):
        st.caption("Shown before faults are planted.")
    return seconds


def _bar(state: dict[str, Any], wanted: Description | None, problem: SettingsError | None, seconds: float | None) -> None:
    label = (st.text_input("Name", value=free(state["stem"]), key=f"explore_make_{state['turn']}_label", max_chars=60) or "").strip()
    taken = any(one.label == label for one in store.datasets())
    blocked = problem.title if problem else "Give it a name" if not label else "That name is taken" if taken else None
    told = []
    if wanted is not None:
        told = [f"{count(wanted.rows)} rows", plural(len(wanted.columns) + 1, "column")]
        told += [duration(seconds, about=True)] if seconds and seconds > 2 else []
        planted = sum(synthetic.planted_counts(wanted).values())
        told += [plural(planted, "planted fault")] if planted else []
        told.append(f"predict {wanted.target.name}" if wanted.target else "nothing to predict")
    whole = wanted is not None and wanted.target is not None and any(column.kind == "text" for column in wanted.columns)
    pressed = run_bar(
        label=f"Make {plain(short(label or 'it', 40))}", key="explore_add_run",
        state="Not ready" if blocked else "Ready" if whole else "Warning",
        text=blocked or " · ".join(told), disabled=bool(blocked), icon=":material/casino:", shortcut=None,
    )  # fmt: skip
    if pressed and wanted is not None:
        with guarded():
            if wanted.rows >= JOB_FROM:
                explore_fetch.start("described", {"description": wanted.to_dict(), "label": label}, f"Make {label}")
            with st.spinner("Writing the rows"):
                explore_add.done(fetching.make_up(wanted, label))


def _new(columns: list[Column]) -> str:
    taken = {column.name for column in columns} | {synthetic.SPLIT}
    return next(name for name in (f"column {n}" for n in range(len(columns) + 1, 1_000)) if name not in taken)
