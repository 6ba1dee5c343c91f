"""A file that was read whole: its line with a badge, what could not be read, roles and first rows, and the run bar."""

from __future__ import annotations

from pathlib import PurePath

import pandas as pd
import streamlit as st

from core.errors import StudioError
from core.format import count, plural
from core.io import reading, store
from core.load.decoding import shown
from core.load.delimited import SEPARATORS
from core.load.formats import FORMATS, UPLOADS
from core.load.read import Loaded, ReadOptions
from core.load.roles import Guess
from ui import cache, explore_add, explore_look, explore_options
from ui.layout import run_bar
from ui.state import guarded, plain, show_error
from ui.tables import downloads, rows

_FINAL = (
    "The file is empty", "This kind of file is not read", "The file is not what its name says", "No such file", "Several kinds of files",
    "No table in the folder", "No table in the archive", "The archive is damaged", "The archive is locked", "The workbook is damaged",
)  # fmt: skip
"""Refusals that no reading option mends."""


def show(name: str, data: bytes) -> None:
    """Read the file (once per content and options) and draw all that belongs to it."""
    sha = reading.sha256(data)
    options = explore_options.current(sha)
    try:
        with st.spinner(f"Reading {plain(name)}"):
            loaded, guess = cache.loaded(sha, name, options, data)
    except StudioError as error:
        refused(error, name, sha, options)
        return
    _table(name, sha, options, loaded, guess)


def refused(error: StudioError, name: str, key: str, options: ReadOptions) -> None:
    """Why a file is not read, and the ways out."""
    show_error(error)
    if error.title == "Pickle files are not opened":
        stem = PurePath(name).stem
        st.code(
            f'import pandas as pd\nframe = pd.DataFrame(pd.read_pickle("{name}"))\nframe.to_parquet("{stem}.parquet")', language="python"
        )
    elif error.title not in _FINAL:
        with st.container(horizontal=True):
            explore_options.popover(key, options, None)
    wait(error.title)


def wait(text: str) -> None:
    """The run bar while there is nothing to add."""
    run_bar(label="Add data", key="explore_add_run", state="Not ready", text=text, disabled=True, icon=":material/add:")


def facts(loaded: Loaded, total: str) -> list[str]:
    """ "8,915 rows · 4 columns · UTF-8 · comma" in parts."""
    said = [total, plural(len(loaded.frame.columns), "column")]
    said += [shown(loaded.encoding)] if loaded.encoding else []
    return [*said, SEPARATORS.get(loaded.separator, f"'{loaded.separator}'") if loaded.format == "csv" else FORMATS[loaded.format]]


def stem(name: str) -> str:
    """The file's name without its endings: "products.csv.gz" is products."""
    found = name
    while PurePath(found).suffix.casefold().lstrip(".") in UPLOADS:
        found = PurePath(found).stem
    return found[:60] or "data"


def left_out(found: pd.DataFrame, name: str, key: str) -> None:
    """The lines that were left out, to look at and to download."""
    rows(found, key=f"explore_rejects_{key}", alt="Lines that were left out")
    downloads(lambda: found, f"{name}-left-out", f"explore_rejects_down_{key}")


def _table(name: str, sha: str, options: ReadOptions, loaded: Loaded, guess: Guess) -> None:
    key = explore_add.key_of(sha, options)
    accepted = bool(st.session_state.get(f"explore_accept_{key}")) or not loaded.rejects
    _file_line(name, sha, options, loaded, accepted)
    if not accepted:
        _rejects(name, key, loaded)
    if loaded.notes:
        st.caption(plain(" ".join(loaded.notes)))
    mine = next((one.label for one in store.datasets() if reading.holds(one, sha)), None)
    chosen = explore_look.look(loaded.frame, guess, key, mine or stem(name), mine=mine)
    blocked = _blocked(loaded, accepted) or chosen.blocked
    pressed = run_bar(
        label=f"Add {plain(chosen.label or 'data')}",
        key="explore_add_run",
        state="Not ready" if blocked else chosen.state,
        text=blocked or f"{plural(len(loaded.frame), 'row')} · {chosen.told}",
        disabled=bool(blocked),
        icon=":material/add:",
    )
    if pressed:
        with guarded(), st.spinner("Saving version 1"):
            explore_add.done(reading.add(chosen.label, name, loaded, sha, options, chosen.roles, chosen.task))


def _blocked(loaded: Loaded, accepted: bool) -> str | None:
    """Why it cannot be added yet, in the words of the run bar."""
    if not accepted:
        return f"{plural(len(loaded.rejects), 'line')} cannot be read: leave them out or change how the file is read"
    return "Only 1 row: two are needed" if len(loaded.frame) < 2 else None


def _file_line(name: str, sha: str, options: ReadOptions, loaded: Loaded, accepted: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.markdown(f":material/description: **{plain(name)}**", width="content")
            st.caption(plain(" · ".join(facts(loaded, plural(len(loaded.frame), "row")))), width="content")
            if not loaded.rejects:
                st.badge("All rows read", icon=":material/check_circle:", color="green")
            elif accepted:
                st.badge(f"{plural(len(loaded.rejects), 'line')} left out", icon=":material/error:", color="yellow")
                with st.popover("See them", type="tertiary"):
                    left_out(_frame(loaded), stem(name), sha[:12])
        explore_options.popover(sha, options, loaded)


def _rejects(name: str, key: str, loaded: Loaded) -> None:
    """What could not be read, and the ways out."""
    first, n = loaded.rejects[0], len(loaded.rejects)
    whole = f"{count(len(loaded.frame))} of {count(len(loaded.frame) + n)} rows read. "
    title = "One line cannot be read" if n == 1 else f"{count(n)} lines cannot be read"
    if loaded.format == "csv":
        advice = "Put quotes around the value, choose another separator, or leave it out."
    else:
        advice = "Mend the line in an editor, or leave it out."
    show_error(StudioError(f"{name}, line {first.line}: {first.reason}. {whole}{advice}", title=title))
    with st.container(horizontal=True, vertical_alignment="center"):
        word = f"line {first.line}" if n == 1 else f"{count(n)} lines"
        if st.button(f"Leave {word} out", key="explore_leave_out", type="secondary", icon=":material/playlist_remove:"):
            st.session_state[f"explore_accept_{key}"] = True
            st.rerun()
        with st.popover(f"Show {word}", type="tertiary"):
            left_out(_frame(loaded), stem(name), key)


def _frame(loaded: Loaded) -> pd.DataFrame:
    return pd.DataFrame([{"line": one.line, "why": one.reason, "text": one.text} for one in loaded.rejects])
