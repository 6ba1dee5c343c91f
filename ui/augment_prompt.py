"""Augment: the request's text, the names it may use with what stands for them in a real row, and what is really sent."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.augment.placeholders import written
from core.augment.presets import PRESETS, AugmentSettings
from core.augment.requests import placeholders
from core.errors import StudioError
from core.format import short
from core.version import Version
from ui import augment_cache
from ui.state import plain
from ui.tables import rows

MEANINGS = {
    "question": "the column that gets the question",
    "answer": "the column that gets the answer",
    "pivot": "the language in between",
    "language": "the language of the text",
    "description": "what the rows are about",
    "columns": "the columns of a new row and what each may hold",
    "examples": "real train rows",
    "part": "the number of this request",
    "parts": "how many requests there are",
}
"""Names that stand for something else than a cell."""


def edit(version: Version, base: AugmentSettings) -> AugmentSettings:
    """The settings with the request as it stands in the fields; None is the preset's own."""
    preset = PRESETS[base.preset]
    system, user = base.asked
    keys = {name: f"augment_{name}_{base.preset}_{base.one_each}" for name in ("user", "system", "back")}
    own = {"user": user, "system": system, "back": preset.back}
    changed = any(st.session_state.get(keys[name], text) != text for name, text in own.items())
    with st.popover("Edit the prompt" + (" (changed)" if changed else ""), icon=":material/edit:", width="stretch"):
        said = {"user": st.text_area("Request", user, key=keys["user"], height=180, persist_state="session")}
        if preset.back:
            said["back"] = st.text_area("Second request, with the reply as $reply".replace("$", "\\$"), preset.back, key=keys["back"],
                                        height=100, persist_state="session")  # fmt: skip
        said["system"] = st.text_area("Standing order", system, key=keys["system"], height=80, persist_state="session",
                                      help="Sent before the request. Leave it empty where a model takes none.")  # fmt: skip
        if changed:
            st.button("Back to the ready request", key="augment_prompt_reset", icon=":material/undo:", type="tertiary",
                      on_click=_reset, args=({keys[name]: text for name, text in own.items()},))  # fmt: skip
        found = replace(base, **{name: text for name, text in said.items() if text != own[name]})
        _names(version, found)
        _sent(version, found)
    return found


def _reset(fields: dict[str, str]) -> None:
    for key, text in fields.items():
        st.session_state[key] = text


def _names(version: Version, settings: AugmentSettings) -> None:
    """Each name the request may hold, and what stands for it."""
    sample = augment_cache.train_sample(version.dataset, version.id)
    cells = {str(name): "" if cell is None or cell != cell else str(cell) for name, cell in sample.iloc[0].items()} if len(sample) else {}
    first = {"text": cells.get(settings.column, ""), "n": str(settings.variants), "target": cells.get(version.roles.target or "", "")}
    names = [name for name in placeholders(settings, version.columns) if name != version.roles.split]
    st.caption("Names the request may hold, and what stands for them in the first train row:")
    table = pd.DataFrame([(written(name), short(" ".join(_value(name, {**cells, **first}, settings).split()), 60)) for name in names],
                         columns=["Write", "First train row"])  # fmt: skip
    rows(table, "augment_names", height=min(250, 38 + 35 * len(table)), alt=f"{len(table)} names for the request")


def _value(name: str, cells: dict[str, str], settings: AugmentSettings) -> str:
    if name in PRESETS[settings.preset].names and name in MEANINGS:
        return MEANINGS[name]
    return cells.get(name, "")


def _sent(version: Version, settings: AugmentSettings) -> None:
    """The first request, letter for letter."""
    try:
        asked = augment_cache.first_request(version.dataset, version.id, settings)
    except StudioError as error:
        st.caption(plain(f"Nothing can be sent: {error.title}."))
        return
    st.caption("The first request, as it is sent:")
    st.code(asked[:4000], language=None, wrap_lines=True, height=160)
