"""Where a version came from: the file, how it was read, and the lines that could not be read."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.format import count, date, plural
from core.io import store
from core.load.decoding import shown
from core.load.delimited import SEPARATORS
from core.load.formats import FORMATS
from core.version import Version
from ui import explore_cache
from ui.explore_table import left_out
from ui.state import plain

_OPTIONS = {"header": "the first line is a row", "typed": "cells stay text", "shapes": "conversations stay whole"}


def expander(version: Version) -> None:
    """The expander "Where it came from"; nothing for one that was neither read nor fetched."""
    first = min(store.versions(version.dataset), key=lambda one: one.number)
    source = first.source
    if not any(source.get(name) for name in ("file", "hub", "described")):
        return
    rejected = int(source.get("rejected", 0))
    label = f"Where it came from · {plural(rejected, 'line')} left out" if rejected else "Where it came from"
    with st.expander(label, icon=":material/description:"):
        st.text(_told(first, source))
        for note in source.get("notes", ()):
            st.caption(plain(note))
        if rejected:
            path = store.rejects(version)
            if path is None:
                left_out(pd.DataFrame(source.get("rejects", [])), first.dataset, version.id[:12])
                st.caption(f"The first {count(len(source.get('rejects', ())))} of {count(rejected)} were kept.")
                return
            left_out(explore_cache.rejects(str(path)), first.dataset, version.id[:12])
            if rejected > 500:
                st.caption(f"The first 500 of {count(rejected)}; the downloads hold all.")


def _told(first: Version, source: dict[str, Any] | Any) -> str:
    if source.get("hub"):
        return _hub(first, source)
    if source.get("described"):
        planted = ", ".join(f"{count(number)} {fault}" for fault, number in source["planted"].items()) or "none"
        told = f"Made up by the studio on {date(first.created)} · {plural(first.rows, 'row')} · seed {source['seed']}"
        return f"{told}\nplanted: {planted}\nAdd data, Make one up, Start from: makes it again or changes it."
    parts = [f"Kaggle, {source['kaggle']}, version {source['kaggle_version']}"] if source.get("kaggle") else []
    parts += [f"{source['file']}, added on {date(first.created)}", plural(first.rows, "row")]
    parts += [FORMATS.get(source.get("format", ""), "")]
    parts += [shown(source["encoding"])] if source.get("encoding") else []
    parts += [SEPARATORS.get(source["separator"], source["separator"])] if source.get("format") == "csv" else []
    parts += [f"{_OPTIONS.get(name, name)}{'' if name in _OPTIONS else f': {value}'}" for name, value in source.get("options", {}).items()]
    return " · ".join(one for one in parts if one) + f"\nsha256 {source.get('sha256', '')}"


def _hub(first: Version, source: dict[str, Any] | Any) -> str:
    parts = [
        f"{source['hub']} of the Hugging Face Hub, added on {date(first.created)}",
        f"{count(first.rows)} of {plural(source['rows_seen'], 'row')} read",
    ]
    parts += [f"first {count(source['first_rows'])} of each"] if source.get("first_rows") else []
    parts += [f"rows with {source['condition']}"] if source.get("condition") else []
    parts += [f"columns {', '.join(source['columns'])}"] if source.get("columns") else []
    each = "\n".join(f"{name}: {plural(number, 'row')}" for name, number in list(source["rows"].items())[:20])
    return f"{' · '.join(parts)}\n{each}\ncommit {source['revision']} · {plural(len(source['files']), 'file')}"
