"""The first look at rows that are to be added: what each column is, the first rows, and the name they get."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.io import store
from core.load.columns import of
from core.load.roles import Guess
from core.version import Roles
from ui import explore_roles
from ui.layout import card
from ui.state import plain
from ui.tables import rows


@dataclass(frozen=True)
class Choice:
    """What a person made of the first look."""

    roles: Roles
    task: str | None
    label: str
    blocked: str | None
    """Why it cannot be added yet, in the words of the run bar."""

    @property
    def told(self) -> str:
        """ "text: title · predict price" """
        target = f"predict {self.roles.target}" if self.roles.target else "nothing to predict chosen yet"
        return f"text: {', '.join(self.roles.text) or 'none'} · {target}"

    @property
    def state(self) -> str:
        return "Not ready" if self.blocked else "Ready" if self.roles.target and self.roles.text else "Warning"


def look(frame: pd.DataFrame, guess: Guess, key: str, stem: str, *, mine: str | None = None) -> Choice:
    """Two cards side by side. `key` names what is looked at; `mine` is the label of a dataset this one would join without harm."""
    left, right = st.columns([1, 1.18])
    with card("What each column is", into=left):
        roles, task, problem = explore_roles.editor(frame, guess, key)
        label = (st.text_input("Name", value=free(stem, mine), key=f"explore_name_{key}", max_chars=60) or "").strip()
    with card("First rows", into=right):
        used = [name for name in (*roles.text, roles.category, roles.target) if name]
        order = [*used, *(name for name in frame.columns if name not in used)]
        widths = {str(name): st.column_config.Column(width=_width(of(frame, name))) for name in order}
        rows(frame.loc[:, order].head(8), key=f"explore_first_{key}", columns=widths, alt="The first rows")
    taken = any(one.label == label and label != mine for one in store.datasets())
    return Choice(roles, task, label, problem or (None if label else "Give it a name") or ("That name is taken" if taken else None))


def free(stem: str, mine: str | None = None) -> str:
    """The stem, or "stem 2" where another dataset has that name."""
    taken = {one.label for one in store.datasets()} - {mine}
    label, number = stem[:50], 2
    while label in taken:
        label, number = f"{stem[:50]} {number}", number + 1
    return label


def line(icon: str, title: str, facts: list[str], badge: tuple[str, str] | None = None) -> None:
    """The line that says what is looked at: its name, its facts, and a badge (words, colour)."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/{icon}: **{plain(title)}**", width="content")
        st.caption(plain(" · ".join(facts)), width="content")
        if badge:
            st.badge(plain(badge[0]), color=badge[1])  # type: ignore[arg-type]


def _width(column: pd.Series) -> int:
    """Pixels for a column of the first rows: narrow for numbers, at most 180."""
    longest = max((len(str(cell)) for cell in column.head(8).tolist()), default=0)
    return max(80, min(180, 9 * max(longest, len(str(column.name)))))
