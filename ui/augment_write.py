"""Augment, view Write: what to write, of which column, how many, by whom, and the settings that matter less."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import streamlit as st

from core.augment.presets import PRESETS, AugmentSettings
from core.augment.requests import Estimate
from core.errors import StudioError
from core.format import count, plural
from core.version import Version
from ui import augment_prompt, augment_writer, cache
from ui.layout import card
from ui.state import plain


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
    texts = texts_of(version)
    offered = _offered(version, cache.is_korean(version.dataset, version.id, texts[0]))
    with card("What to write"):
        _train_only(version)
        preset = st.selectbox(
            "Do", offered, format_func=lambda one: PRESETS[one].title, key="augment_do", persist_state="session", help=_meanings(offered)
        )
        st.caption(plain(PRESETS[preset].meaning))
        column, variants, to = _how_many(version, preset, texts)
        advanced = st.session_state.get
        rates = (float(advanced("augment_rate_in") or 0), float(advanced("augment_rate_out") or 0))
        chosen = augment_writer.pick(int(advanced("augment_parallel") or 8), rates if any(rates) else None)
        small = chosen.writer.name == "embedded"
        try:
            system, user = augment_prompt.edit(version, column, preset, variants, small)
        except StudioError as error:
            _advanced(version, chosen.writer.name)
            return Wish(None, chosen, error)
        temperature, rows, seed = _advanced(version, chosen.writer.name)
    try:
        return Wish(AugmentSettings(column, preset, variants, to, system, user, small, temperature, rows, seed), chosen)
    except StudioError as error:
        return Wish(None, chosen, error)


def _train_only(version: Version) -> None:
    kept = version.rows - version.splits.get("train", 0)
    st.caption(
        f":material/verified_user: Train rows only: {count(version.splits['train'])} of {plural(version.rows, 'row')}. "
        f"The {count(kept)} kept for validation and test go to no writer and cannot be chosen."
    )


def _offered(version: Version, korean: bool) -> list[str]:
    """The requests that fit the version's task; those in the language of its texts first."""
    names = [name for name in PRESETS if version.roles.target or PRESETS[name].keeps != "label"]
    names = [name for name in names if version.task == "classification" or not PRESETS[name].balance]
    return sorted(names, key=lambda name: PRESETS[name].language != "ko") if korean else names


def _how_many(version: Version, preset: str, texts: list[str]) -> tuple[str, int, int]:
    """Column, variants per row, and the size classes are brought to (0: not asked)."""
    left, right = st.columns(2)
    column = left.selectbox("Column", texts, key="augment_column", persist_state="session")
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
        sizes = cache.class_sizes(version.dataset, version.id)
        to = st.number_input(
            "Train rows per class",
            2,
            1_000_000,
            max([2, *sizes.values()]),
            key="augment_to",
            persist_state="session",
            help="Classes below it get variants of their rows until they have that many.",
        )
        small = {name: n for name, n in sizes.items() if n < to}
        shown = ", ".join(f"{name} {count(n)}" for name, n in sorted(small.items(), key=lambda pair: pair[1])[:6])
        st.caption(plain(f"Below it: {shown}." if small else "No class is below it."))
    return str(column), int(variants), int(to)


def _meanings(offered: list[str]) -> str:
    return "\n".join(f"- **{plain(PRESETS[name].title)}**: {plain(PRESETS[name].meaning)}" for name in offered)


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
