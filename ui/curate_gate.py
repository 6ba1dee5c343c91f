"""Curate: the parts of the split with exact numbers, and the leakage gate: its verdict, a count per level, the pairs, the fix."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.curate.difference import difference
from core.curate.leakage import BLOCKING, LeakageReport
from core.format import count, plural, share
from core.io import inspecting
from core.io.previewing import Preview
from core.version import Version
from ui import curate_state as state
from ui import tables
from ui.curate_prompt import stepper
from ui.layout import card
from ui.state import plain

MEANING = {
    "exact": ("Same text", "equal letter by letter"),
    "normalized": ("Same words", "equal but for case, width, marks and blanks"),
    "near": ("Nearly the same", "at least 0.8 of their 5-letter pieces in common"),
    "substring": ("Shared passage", "a long passage in common, or one inside the other"),
    "group": ("Same group", "the same value in the group column"),
    "time": ("Not later", "not later than the last row trained on"),
    "answer": ("Tells its answer", "its own text holds what is to be predicted"),
    "lineage": ("Same origin", "one made from the other, or both from one row"),
}
VERDICTS = {"clean": ("green", "gpp_good"), "warn": ("yellow", "gpp_maybe"), "blocked": ("red", "gpp_bad")}


def parts(version: Version, seen: Preview) -> Any:
    """The card of the parts, once there is a split; returns the place beside it, for `leakage_card`."""
    if not seen.outcome.roles.split or not seen.splits:
        return None
    left, right = st.columns([2, 3])
    _parts(version, seen, left)
    return right.container(height="stretch")


def _parts(version: Version, seen: Preview, into: Any) -> None:
    table = inspecting.parts_table(version, seen)
    with card("Parts", into=into):
        rows = pd.DataFrame({"part": table["part"], "rows": [count(n) for n in table["rows"]],
                             "share": [share(p, seen.left) for p in table["share"]]})  # fmt: skip
        for name in [name for name in table.columns if name.startswith("median ")]:
            rows[name] = [f"{value:,.4g}" for value in table[name]]
        tables.rows(rows, "curate_parts", alt=" · ".join(f"{n} {part}" for part, n in zip(rows["part"], rows["rows"], strict=True)))
        st.caption("Counted on all rows." if seen.exact else f"Estimated from {count(seen.rows)} rows.")
        st.caption("Models learn from train, are chosen by validation and measured on test. A test row never changes what is trained.")


def leakage_card(version: Version, seen: Preview, into: Any) -> None:
    """The gate's report. It is the slowest of the page: drawn last, into its place."""
    with card("Leakage", into=into, key="curate_leakage"):
        if not seen.splits.get("test") or sum(seen.splits.values()) == seen.splits["test"]:
            st.caption("Needs test rows and others to compare them with.")
            return
        with st.spinner("Comparing the test with all other rows", show_time=True):
            report = inspecting.gate_report(version, state.desk(version).recipe, seen)
        color, sign = VERDICTS[report.verdict]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.badge(report.verdict, icon=f":material/{sign}:", color=color)  # type: ignore[arg-type]
            if report.leaked:
                told = "Adds the step Move leaks. The offending rows leave train; test rows never change."
                st.button("Move them out of train", key="curate_gate_mend", icon=":material/call_split:", on_click=state.move_leaks_out,
                          args=(version,), help=told)  # fmt: skip
        st.markdown(plain(_said(report)))
        hit = {name: level for name, level in report.levels.items() if level.count}
        st.caption(
            plain(" · ".join(f"{MEANING[name][0]} {count(level.count)}" for name, level in report.levels.items())), help=_help(report)
        )
        st.caption("Fixes take rows out of train. Test rows never change.")
        if hit and st.toggle("Show the pairs", key="curate_gate_pairs"):
            _pairs(version, seen, report, list(hit))


def _said(report: LeakageReport) -> str:
    """The verdict in one sentence."""
    whole = f"{count(report.test_rows)} test rows were compared with {plural(report.train_rows, 'other row')}"
    if report.verdict == "clean":
        return f"Nothing of the test stands in train: {whole} at eight levels."
    if report.verdict == "blocked":
        return f"{plural(report.leaked, 'test row')} can be answered from memory: {whole}. Nothing can be saved before that is mended."
    n = sum(level.count for level in report.levels.values())
    return f"{plural(n, 'test row')} should be looked at: {whole}. Saving is possible."


def _help(report: LeakageReport) -> str:
    return plain("Each test row counts once, at the strictest level. " + " ".join(
        f"{title}: {told}{' (blocks)' if name in BLOCKING else ''}." for name, (title, told) in MEANING.items()))  # fmt: skip


def _pairs(version: Version, seen: Preview, report: LeakageReport, hit: list[str]) -> None:
    """One pair after the other: the row outside the test beside the test row."""
    titles = {f"{MEANING[name][0]} ({count(report.levels[name].count)})": name for name in hit}
    name = titles[str(st.selectbox("Level", list(titles), key=f"curate_gate_level_{len(titles)}", label_visibility="collapsed"))]
    pairs = report.levels[name].pairs
    at = stepper("curate_gate", len(pairs), f"{seen.key}_{name}")
    one, other = pairs[at]
    frame, roles = seen.outcome.frame, seen.outcome.roles
    parts = frame[roles.split].astype("str").to_numpy()
    train, test = inspecting.sides(frame, parts)
    text = test.iloc[other]
    beside = None if one is None else train.iloc[one]
    for column in roles.text:
        left, right = str(beside[column]) if beside is not None else "", str(text[column])
        merged, spans = difference(left, right) if beside is not None else (right, [])
        sides = st.columns(2)
        with sides[0]:
            st.caption(plain(f"{column}, in {beside[roles.split]}" if beside is not None else f"{column}: no other row needed"))
            if beside is not None:
                tables.marked(*_only(merged, spans, "removed"), f"curate_gate_train_{column}")
        with sides[1]:
            st.caption(plain(f"{column}, in test"))
            tables.marked(*_only(merged, spans, "added"), f"curate_gate_test_{column}")
    st.caption("Marked: what the two do not share." if beside is not None else "")


def _only(text: str, spans: list[Any], keep: str) -> tuple[str, list[Any]]:
    """One side of a merged text: the stretches of the other side are left out, its own are marked."""
    out, marks, at = "", [], 0
    for start, end, mark in spans:
        out += text[at:start]
        if mark == keep:
            marks.append((len(out), len(out) + end - start, "hit"))
            out += text[start:end]
        at = end
    return out + text[at:], marks
