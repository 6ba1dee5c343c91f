"""Untrusted text as text: tables, marked words, downloads. Nothing here renders Markdown or HTML of data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from ui.state import plain

if TYPE_CHECKING:
    import pandas as pd

_MARKED = """
export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".marked");
  box.replaceChildren();
  for (const piece of data.pieces) {
    const span = document.createElement("span");
    span.textContent = piece.text;
    if (piece.mark) span.className = "mark-" + piece.mark;
    box.appendChild(span);
  }
}
"""
_STYLE = """
.marked { white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--st-font); color: var(--st-text-color);
  line-height: 1.55; font-size: 0.95rem; }
.mark-added { background: color-mix(in srgb, var(--st-green-color) 22%, transparent); border-radius: 3px; }
.mark-removed { background: color-mix(in srgb, var(--st-red-color) 18%, transparent); border-radius: 3px; text-decoration: line-through; }
.mark-learnt { background: color-mix(in srgb, var(--st-orange-color) 24%, transparent); border-radius: 3px; font-weight: 600; }
.mark-learnt-even { background: color-mix(in srgb, var(--st-orange-color) 40%, transparent); border-radius: 3px; font-weight: 600; }
.mark-hit { background: color-mix(in srgb, var(--st-yellow-color) 30%, transparent); border-radius: 3px; }
.mark-even { background: color-mix(in srgb, var(--st-text-color) 7%, transparent); border-radius: 3px; }
"""
Mark = Literal["added", "removed", "learnt", "learnt-even", "hit", "even"]


def marked(text: str, spans: Sequence[tuple[int, int, Mark]], key: str, *, height: int | Literal["content"] = "content") -> None:
    """Text with some stretches marked: (start, end, mark) in characters, not overlapping. Sets textContent only.

    Components reserve "__" in keys; column names may hold it.
    """
    pieces, at = [], 0
    for start, end, mark in sorted(spans):
        pieces += [{"text": text[at:start], "mark": ""}] if start > at else []
        pieces.append({"text": text[max(start, at) : end], "mark": mark})
        at = max(at, end)
    pieces.append({"text": text[at:], "mark": ""})
    _component()(data={"pieces": [piece for piece in pieces if piece["text"]]}, key=re.sub("_(?=_)", "_\u2060", key), height=height)


def _component() -> Callable[..., Any]:
    from streamlit.components import v2

    return v2.component("finetune_studio_marked", html='<div class="marked"></div>', css=_STYLE, js=_MARKED)


def rows(
    frame: pd.DataFrame,
    key: str,
    *,
    select: bool = False,
    columns: Mapping[str, Any] | None = None,
    height: int | Literal["auto"] = "auto",
    alt: str | None = None,
    on_select: Callable[[], None] | None = None,
    placeholder: str = "n/a",
) -> list[int]:
    """One page of rows (at most 500) as text and numbers; returns the places of the selected ones."""
    shown = frame.head(500)
    chosen: dict[str, Any] = {"on_select": on_select or "rerun", "selection_mode": "single-row"} if select else {}
    event = st.dataframe(
        _flat(shown),
        key=key,
        hide_index=True,
        width="stretch",
        height=height,
        placeholder=placeholder,
        column_config=dict(columns or {}),
        alt=alt or f"{len(shown)} rows",
        **chosen,
    )
    return list(event.selection.rows) if select and event is not None else []


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Nested cells as JSON text, so that nothing is rendered but text and numbers."""
    out = frame.copy(deep=False)
    for name in out.columns:
        cells = out[name]
        if cells.dtype == object:
            out[name] = [
                json.dumps(c, ensure_ascii=False, default=str) if isinstance(c, (list, dict, tuple)) else c for c in cells.tolist()
            ]
    return out


def record(values: Mapping[str, Any], key: str) -> None:
    """One whole row: each column's name and its value as text."""
    for name, value in values.items():
        st.caption(plain(name))
        if value is None or (isinstance(value, float) and value != value):
            st.text("n/a")
        elif isinstance(value, (list, dict)):
            st.json(value, expanded=1)
        else:
            st.text(str(value))


def downloads(frame: Callable[[], pd.DataFrame], name: str, key: str, what: str = "Table") -> None:
    """The table, or `what` it is called, as CSV (with a mark spreadsheets need, formulas defused) and as Parquet, made when asked for."""
    from core.export import csv_bytes, parquet_bytes

    st.download_button(
        f"{what} as CSV", lambda: csv_bytes(frame()), f"{name}.csv", "text/csv", key=f"{key}_csv", on_click="ignore", width="stretch"
    )
    st.download_button(
        f"{what} as Parquet",
        lambda: parquet_bytes(frame()),
        f"{name}.parquet",
        "application/octet-stream",
        key=f"{key}_parquet",
        on_click="ignore",
        width="stretch",
    )


def same_action(command: str, python: str) -> None:
    """The page's action as a command and as Python."""
    st.caption("The same from the command line")
    st.code(command, language="bash", wrap_lines=True)
    st.caption("and in Python")
    st.code(python, language="python", wrap_lines=True)
