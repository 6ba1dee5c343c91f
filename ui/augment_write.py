"""Augment, view Write: what to write, three rows tried, what it will take."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.augment.gates import GATES
from core.augment.presets import PRESETS, AugmentSettings
from core.augment.requests import Estimate
from core.errors import StudioError
from core.format import cost, count, duration, tokens
from core.io import augmenting
from core.io.augmenting import Tried, Writer
from core.version import Version
from ui import augment_writer, cache
from ui.layout import card
from ui.state import guarded, plain

PASS_RATE = {"embedded": 0.4}
"""Share of variants that usually pass, 0.65 where not named; the estimate says "about". The tried rows' own share replaces it."""


@dataclass(frozen=True)
class Wish:
    """Everything the view's widgets say."""

    settings: AugmentSettings | None
    chosen: augment_writer.Chosen
    error: StudioError | None = None

    @property
    def mark(self) -> str:
        writer = replace(self.chosen.writer, parallel=1).to_dict()
        return json.dumps([self.settings.to_dict() if self.settings else None, writer], sort_keys=True)


def texts_of(version: Version) -> list[str]:
    """Columns that can be varied, the text columns first."""
    roles = version.roles
    taken = {roles.target, roles.split, roles.parent_row, roles.id, roles.time, roles.group, "origin"}
    others = [name for name, kind in version.columns.items() if kind == "text" and name not in taken and name not in roles.text]
    return [*(name for name in roles.text if name in version.columns), *others]


def what_to_write(version: Version) -> Wish:
    """The card: request, column, how many, writer, prompt, advanced."""
    offered = [name for name in PRESETS if version.roles.target or PRESETS[name].keeps != "label"]
    offered = [name for name in offered if version.task == "classification" or not PRESETS[name].balance]
    with card("What to write"):
        preset = st.selectbox(
            "Do", offered, format_func=lambda one: PRESETS[one].title, key="augment_do", persist_state="session", help=_meanings(offered)
        )
        left, right = st.columns(2)
        column = left.selectbox("Column", texts_of(version), key="augment_column", persist_state="session")
        balance = PRESETS[preset].balance
        variants = right.number_input(
            "At most per row" if balance else "Variants per row",
            1,
            20,
            10 if balance else 3,
            key=f"augment_variants_{balance}",
            persist_state="session",
            help="3 is a good start; above 5 they begin to repeat each other.",
        )
        to = 0
        if balance:
            largest = max(cache.class_sizes(version.dataset, version.id).values(), default=2)
            to = st.number_input(
                "Train rows per class",
                2,
                1_000_000,
                largest,
                key="augment_to",
                persist_state="session",
                help="Classes below it get variants of their rows until they have that many.",
            )
        advanced = st.session_state.get
        rates = (float(advanced("augment_rate_in") or 0), float(advanced("augment_rate_out") or 0))
        chosen = augment_writer.pick(int(advanced("augment_parallel") or 8), rates if any(rates) else None)
        small = chosen.writer.name == "embedded"
        system, user = _prompt(preset, small)
        temperature, rows, seed = _advanced(version, chosen.writer.name)
    try:
        settings = AugmentSettings(str(column), preset, int(variants), int(to), system, user, small, temperature, rows, seed)
        return Wish(settings, chosen)
    except StudioError as error:
        return Wish(None, chosen, error)


def _meanings(offered: list[str]) -> str:
    return "\n".join(f"- **{PRESETS[name].title}**: {PRESETS[name].meaning}" for name in offered).replace("$", "\\$")


def _prompt(preset: str, small: bool) -> tuple[str | None, str | None]:
    """The request's text, changed or not; None is the preset's own."""
    own = AugmentSettings("text", preset, one_each=small).asked
    with st.popover("Edit the prompt", icon=":material/edit:", width="stretch"):
        st.caption("$text is the cell, ${n} how many, $target the answer or label. Other columns by their names.".replace("$", "\\$"))
        user = st.text_area("Request", own[1], key=f"augment_user_{preset}_{small}", height=220, persist_state="session")
        system = st.text_area("Standing order", own[0], key=f"augment_system_{preset}_{small}", height=80, persist_state="session")
    return (None if system == own[0] else system), (None if user == own[1] else user)


def _advanced(version: Version, writer: str) -> tuple[float, int, int]:
    small = writer == "embedded"
    with st.expander("Advanced"):
        temperature = st.slider(
            "Temperature",
            0.0,
            1.5,
            0.4 if small else 0.9,
            0.1,
            key=f"augment_temperature_{small}",
            persist_state="session",
            help="How freely it writes: 0.9 is recommended, 0.4 for the built-in model; lower is closer to the original.",
        )
        rows = st.number_input(
            "Rows at most (0: all)",
            0,
            10_000_000,
            0,
            key="augment_rows",
            persist_state="session",
            help="Draws that many train rows by the seed. 0 takes all.",
        )
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, key="augment_seed", persist_state="session", help="Another seed asks for other variants."
        )
        if writer in ("openai", "compatible"):
            st.number_input(
                "Parallel requests",
                1,
                64,
                8,
                key="augment_parallel",
                persist_state="session",
                help="8 is recommended; it shrinks by itself when the endpoint is busy.",
            )
        if writer in ("openai", "compatible"):
            st.number_input(
                "USD per million tokens in",
                0.0,
                1000.0,
                0.0,
                key="augment_rate_in",
                persist_state="session",
                help="Needed for costs and the budget; this machine itself is free.",
            )
            st.number_input("USD per million tokens out", 0.0, 1000.0, 0.0, key="augment_rate_out", persist_state="session")
    return float(temperature), int(rows), int(seed)


def planned(version: Version, wish: Wish) -> tuple[Estimate | None, StudioError | None]:
    """What the wish takes, or why it cannot be asked for."""
    if wish.settings is None:
        return None, wish.error
    try:
        return cache.augment_estimate(version.dataset, version.id, wish.settings, wish.chosen.writer), None
    except StudioError as error:
        return None, error


def tried_rows(version: Version, wish: Wish, estimate: Estimate | None) -> Tried | None:
    """The card: three rows, really written and judged. Kept for the session while nothing changes."""
    held = st.session_state.get("augment_tried")
    tried: Tried | None = held[1] if held and held[0] == (version.id, wish.mark) else None
    pressed = False

    def again() -> None:
        nonlocal pressed
        pressed = st.button("Try again", icon=":material/refresh:", type="tertiary", key="augment_again")

    with card("Three rows, tried", control=again if tried else None):
        if tried is None:
            each = None if estimate is None or estimate.usd is None or not estimate.rows else 3 * estimate.usd / estimate.rows
            st.caption("Look before you run: three train rows are written and judged, the same gates as later.")
            price = "" if each is None else f" · {plain(cost(each))}"
            pressed = st.button(f"Try three rows{price}", key="augment_try", disabled=estimate is None or bool(wish.chosen.missing))
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
    with guarded(), st.spinner(words):
        tried = augmenting.try_rows(version, replace(settings, seed=settings.seed + 1000 * (drawn - 1)), writer, **more)
        st.session_state["augment_draw"] = drawn
        st.session_state["augment_tried"] = ((version.id, wish.mark), tried)
        st.rerun()


def _show(tried: Tried) -> None:
    import pandas as pd

    rows: list[tuple[str, str, str]] = []
    for _, family in tried.judged.groupby("row", sort=False):
        rows.append(("Original", family["original"].iloc[0], ""))
        rows += [
            ("Variant", text, GATES[gate].title if gate else "passes") for text, gate in zip(family["variant"], family["gate"], strict=True)
        ]
    shown = pd.DataFrame(rows, columns=["", "Text", "Gate"])
    st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=min(420, 38 + 35 * len(rows)),
        row_height=35,
        key="augment_tried_rows",
        column_config={
            "": st.column_config.TextColumn(width=70),
            "Text": st.column_config.TextColumn(width=250),
            "Gate": st.column_config.TextColumn(width=110),
        },
        alt=f"{tried.report.accepted} of {tried.report.written} variants pass",
    )
    parts = [f":green[:material/check_circle:] {tried.report.accepted} of {tried.report.written} pass"]
    parts += [f":red[:material/cancel:] {n} {GATES[gate].title}" for gate, n in tried.report.rejected.items()]
    st.markdown(" · ".join(parts))
    st.caption(plain(f"{cost(tried.usd) if tried.usd is not None else 'price unknown'} · {duration(tried.seconds)}"))
    for words in tried.errors:
        st.caption(plain(f"Not answered: {words}"))


def what_it_takes(estimate: Estimate, tried: Tried | None, writer: Writer) -> float | None:
    """The card with rows, tokens, time, cost and the budget. Returns the budget in USD, None where nothing is charged."""
    rate = tried.report.accepted / tried.report.written if tried and tried.report.written else PASS_RATE.get(writer.name, 0.65)
    with card("What it will take"), st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shown = [
            ("Rows in", count(estimate.rows)),
            ("Variants kept", f"about {count(round(estimate.variants * rate, -1 if estimate.variants > 99 else 0))}"),
            ("Tokens", tokens(estimate.tokens_in + estimate.tokens_out)),
            ("Time", duration(60 * estimate.minutes, about=True)),
            ("Cost", "unknown" if estimate.usd is None else cost(estimate.usd)),
        ]
        for label, value in shown:
            with st.container(width="content", gap=None):
                st.caption(label)
                st.markdown(f"**{plain(value)}**")
        if writer.name == "embedded" or estimate.usd == 0:
            return None
        budget = st.number_input(
            "Stop at (USD)",
            0.01,
            100_000.0,
            1.00,
            0.5,
            key="augment_budget",
            width=150,
            persist_state="session",
            help="A hard limit: no request is sent that could pass it. What arrived is kept.",
        )
        return float(budget)
