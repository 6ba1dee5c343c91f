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
from ui import augment_cache, augment_more, augment_prompt, augment_writer
from ui.layout import card
from ui.state import plain, show_error


@dataclass(frozen=True)
class Wish:
    """Everything the view's widgets say."""

    settings: AugmentSettings | None
    chosen: augment_writer.Chosen
    error: StudioError | None = None
    estimate: Estimate | None = None

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
    """The card: request, column, how many, writer, prompt, advanced; and why nothing can be asked for, where that is so."""
    texts = texts_of(version)
    offered = _offered(version, augment_cache.is_korean(version.dataset, version.id, texts[0]))
    with card("What to write"):
        _train_only(version)
        preset = st.selectbox(
            "Do", offered, format_func=lambda one: PRESETS[one].title, key="augment_do", persist_state="session", help=_meanings(offered)
        )
        st.caption(plain(PRESETS[preset].meaning))
        settings, error = None, None
        try:
            more = augment_more.settings(version, preset, texts)
        except StudioError as wrong:
            more, error = {}, wrong
        advanced = st.session_state.get
        rates = (float(advanced("augment_rate_in") or 0), float(advanced("augment_rate_out") or 0))
        chosen = augment_writer.pick(int(advanced("augment_parallel") or 8), rates if any(rates) else None)
        try:
            if more:
                settings = augment_prompt.edit(version, AugmentSettings(**more, one_each=chosen.writer.name == "embedded"))
        except StudioError as wrong:
            error = wrong
        temperature, rows, seed = _advanced(version, chosen.writer.name)
        wish = _planned(version, chosen, settings and replace(settings, temperature=temperature, rows=rows, seed=seed), error)
        if wish.error:
            show_error(wish.error)
    return wish


def _planned(version: Version, chosen: augment_writer.Chosen, settings: AugmentSettings | None, error: StudioError | None) -> Wish:
    """What it takes, or why it cannot be asked for."""
    if settings is None or error:
        return Wish(None, chosen, error)
    try:
        return Wish(settings, chosen, None, augment_cache.estimate(version.dataset, version.id, settings, chosen.writer))
    except StudioError as wrong:
        return Wish(None, chosen, wrong)


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
    names = [name for name in names if not PRESETS[name].tasks or version.task in PRESETS[name].tasks]
    return sorted(names, key=lambda name: PRESETS[name].language != "ko") if korean else names


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
        if writer == "compatible":
            st.toggle(
                "In one batch, within a day",
                key="augment_batch_compatible",
                persist_state="session",
                help="Only for services that offer batches as OpenAI does, usually at half the price; most local servers do not.",
            )
    return float(temperature), int(rows), int(seed)
