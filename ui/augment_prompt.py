"""Augment: the request's text, the names it may use with what stands for them in a real row, and what is really sent."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.augment.presets import AugmentSettings
from core.errors import SettingsError
from core.format import short
from core.prompt import fill
from core.version import Version
from ui import cache
from ui.tables import rows

_NAME = re.compile(r"\$(?:\{([^{}\n]{1,60})\}|([^\W\d]\w*))")


def edit(version: Version, column: str, preset: str, variants: int, small: bool) -> tuple[str | None, str | None]:
    """System and request as they stand in the fields; None is the preset's own. Raises SettingsError for a name that is no column."""
    own = AugmentSettings(column, preset, one_each=small).asked
    user_key, system_key = f"augment_user_{preset}_{small}", f"augment_system_{preset}_{small}"
    changed = (st.session_state.get(user_key) or own[1], st.session_state.get(system_key) or own[0]) != (own[1], own[0])
    with st.popover("Edit the prompt" + (" (changed)" if changed else ""), icon=":material/edit:", width="stretch"):
        user = st.text_area("Request", own[1], key=user_key, height=180, persist_state="session")
        system = st.text_area("Standing order", own[0], key=system_key, height=80, persist_state="session",
                              help="Sent before the request. Leave it empty where a model takes none.")  # fmt: skip
        if changed:
            st.button("Back to the ready request", key="augment_prompt_reset", icon=":material/undo:", type="tertiary",
                      on_click=_reset, args=((user_key, own[1]), (system_key, own[0])))  # fmt: skip
        values = _values(version, column, variants)
        st.caption("Names the request may hold, and what stands for them in the first train row:")
        names = pd.DataFrame([(_written(name), short(" ".join(value.split()), 60)) for name, value in values.items()],
                             columns=["Write", "First train row"])  # fmt: skip
        rows(names, "augment_names", height=min(250, 38 + 35 * len(names)), alt=f"{len(names)} names for the request")
        st.caption("What is sent for that row:")
        st.code("\n\n".join(part for part in (fill(system, values), fill(user, values)) if part.strip())[:4000], language=None,
                wrap_lines=True, height=160)  # fmt: skip
    known(f"{system}\n{user}", list(values))
    return (None if system == own[0] else system), (None if user == own[1] else user)


def _reset(*fields: tuple[str, str]) -> None:
    for key, text in fields:
        st.session_state[key] = text


def _written(name: str) -> str:
    return f"${name}" if re.fullmatch(r"[^\W\d]\w*", name) and name != "n" else f"${{{name}}}"


def _values(version: Version, column: str, variants: int) -> dict[str, str]:
    """Name -> its text in the first train row, the three that are always there first."""
    sample = cache.train_sample(version.dataset, version.id)
    cells = {str(name): "" if cell is None or cell != cell else str(cell) for name, cell in sample.iloc[0].items()} if len(sample) else {}
    first = {"text": cells.get(column, ""), "n": str(variants), "target": cells.get(version.roles.target or "", "")}
    return first | {name: cell for name, cell in cells.items() if name not in first and name != version.roles.split}


def known(template: str, names: Sequence[str]) -> None:
    """Raises SettingsError for a `$name` that is none of these, with the nearest that is."""
    for match in _NAME.finditer(template):
        name = match.group(1) or match.group(2)
        if name in names:
            continue
        inside = next((one for one in sorted(names, key=len, reverse=True) if name.startswith(one)), None)
        near = difflib.get_close_matches(name, names, 1)
        advice = (f"Write ${{{inside}}} where a letter follows directly." if inside and match.group(2) else
                  f"Did you mean {_written(near[0])}?" if near else f"It may use {', '.join(map(_written, names[:8]))}.")  # fmt: skip
        raise SettingsError(f"The prompt says ${name}, and no column has that name. {advice}", title="Unknown name in the prompt")
