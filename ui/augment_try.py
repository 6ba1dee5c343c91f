"""Augment, view Write: three rows really written and judged, and what the whole will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import streamlit as st

from core.augment.gates import GATES
from core.augment.requests import Estimate
from core.curate.difference import difference
from core.errors import ProviderError
from core.format import cost, count, duration, tokens
from core.io import augmenting
from core.io.augmenting import Tried, Writer
from core.version import Version
from ui import augment_cache, cache
from ui.augment_write import Wish
from ui.layout import card
from ui.state import guarded, plain
from ui.tables import marked

PASS_RATE = {"embedded": 0.4}
"""Share of variants that usually pass, 0.65 where not named; the estimate says "about". The tried rows' own share replaces it."""


def tried_rows(version: Version, wish: Wish) -> Tried | None:
    """The card: three rows, really written and judged. Kept for the session while nothing changes."""
    held = st.session_state.get("augment_tried")
    tried: Tried | None = held[1] if held and held[0] == (version.id, wish.mark) else None
    estimate, pressed = wish.estimate, False

    def again() -> None:
        nonlocal pressed
        pressed = st.button("Try again", icon=":material/refresh:", type="tertiary", key="augment_again")

    with card("Three rows, tried", control=again if tried else None):
        if tried is None:
            each = None if estimate is None or estimate.usd is None or not estimate.rows else 3 * estimate.usd / estimate.rows
            st.caption("Look before you run: three train rows are written and judged by all gates of the run.")
            price = "" if each is None else f" · {plain(cost(each))}"
            missing = wish.chosen.missing or (wish.error.title if wish.error else "nothing can be written yet" if not estimate else None)
            pressed = st.button(f"Try three rows{price}", key="augment_try", disabled=bool(missing))
            if missing:
                st.caption(plain(missing))
        if pressed and wish.settings:
            _try(version, wish)
        if tried:
            _show(tried)
    return tried


def _try(version: Version, wish: Wish) -> None:
    settings, writer = wish.settings, wish.chosen.writer
    if settings is None:
        return
    drawn = st.session_state.get("augment_draw", 0) + 1
    more: dict[str, Any] = {"engine": cache.engine()} if writer.name == "embedded" else {"key": wish.chosen.key}
    words = (
        "Writing three rows"
        if writer.name != "embedded"
        else "Writing three rows; the built-in model is prepared the first time, about 20 s"
    )
    with guarded(), st.spinner(words), _advised(writer):
        few = replace(settings, seed=settings.seed + 1000 * (drawn - 1))
        tried = augmenting.try_rows(version, few, replace(writer, batch=False), **more)
        st.session_state["augment_draw"] = drawn
        st.session_state["augment_tried"] = ((version.id, wish.mark), tried)
        st.rerun()


@contextmanager
def _advised(writer: Writer) -> Iterator[None]:
    """What an address of one's own may have got wrong stands behind the words of an error."""
    try:
        yield
    except ProviderError as error:
        if writer.name != "compatible":
            raise
        advice = "Check the address, which usually ends in /v1, and the model; Test the address says whether it answers."
        raise ProviderError(f"{error} {advice}", title=error.title) from error


def _show(tried: Tried) -> None:
    parts = [f":green[:material/check_circle:] {tried.report.accepted} of {tried.report.written} pass"]
    parts += [f":red[:material/cancel:] {n} {plain(GATES[gate].title)}" for gate, n in tried.report.rejected.items()]
    st.markdown(" · ".join(parts))
    st.caption(plain(f"{cost(tried.usd) if tried.usd is not None else 'price unknown'} · {duration(tried.seconds)}"))
    with st.container(border=False, gap="xsmall"):
        for row, family in tried.judged.groupby("row", sort=False):
            st.caption(f"Train row {count(int(str(row)) + 1)}")
            st.text(family["original"].iloc[0])
            for place, (text, gate) in enumerate(zip(family["variant"].tolist(), family["gate"].tolist(), strict=True)):
                _variant(family["original"].iloc[0], text, gate, f"augment_tried_{row}_{place}")
    for words in tried.errors:
        st.caption(plain(f"Not answered: {words}"))


def _variant(original: str, text: str, gate: str, key: str) -> None:
    with st.container(border=True, gap=None, key=f"{key}_box"):
        if gate:
            st.markdown(f":small[:red[:material/cancel:] {plain(GATES[gate].title)}]", help=plain(GATES[gate].meaning))
        else:
            st.markdown(":small[:green[:material/check_circle:] passes]")
        if text:
            marked(*changes(original, text), key)


def changes(original: str, text: str) -> tuple[str, list[Any]]:
    """The variant alone, with what the original does not have marked."""
    merged, spans = difference(original, text)
    out, marks, at = "", [], 0
    for start, end, mark in spans:
        out += merged[at:start]
        if mark == "added":
            marks.append((len(out), len(out) + end - start, "added"))
            out += merged[start:end]
        at = end
    return out + merged[at:], marks


def what_it_takes(estimate: Estimate, tried: Tried | None, writer: Writer) -> float | None:
    """The card with rows, tokens, time, cost and the budget. Returns the budget in USD, None where nothing is charged."""
    rate = tried.report.accepted / tried.report.written if tried and tried.report.written else PASS_RATE.get(writer.name, 0.65)
    with card("What it will take"), st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shown = [
            ("Rows in", count(estimate.rows)),
            ("Variants kept", f"about {count(round(estimate.variants * rate, -1 if estimate.variants > 99 else 0))}"),
            ("Tokens", tokens(estimate.tokens_in + estimate.tokens_out)),
            ("Time", "within a day" if writer.batch else duration(60 * estimate.minutes, about=True)),
            ("Cost", "unknown" if estimate.usd is None else cost(estimate.usd)),
        ]
        other = augment_cache.other_way(estimate, writer)
        if other is not None:
            shown.append(("At once" if writer.batch else "In a batch, within a day", cost(other)))
        for label, value in shown:
            with st.container(width="content", gap=None):
                st.caption(label)
                st.markdown(f"**{plain(value)}**")
        if writer.name == "embedded" or estimate.usd == 0:
            return None
        budget = st.number_input(
            "Stop at (USD)",
            0.0,
            100_000.0,
            1.00,
            0.5,
            key="augment_budget",
            width=150,
            persist_state="session",
            help="A hard limit: no request is sent that could pass it. What arrived is kept.",
        )
        return float(budget)
