"""Add data from the Hugging Face Hub: a dataset, its configurations and splits, the first rows, and the job that reads it."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.errors import StudioError
from core.format import count, duration, plural, short, size
from core.io import store
from core.io.sources import hub
from core.io.sources.hub import Repository
from core.io.sources.wish import Wish
from core.io.sources.wish import look as look_at
from core.load.condition import Condition
from core.load.repository import Table, pick, repository_id
from core.load.roles import Guess, guess
from ui import explore_add, explore_fetch
from ui.explore_look import Choice, line, look
from ui.layout import run_bar
from ui.state import guarded, link, plain, show_error

EXAMPLE = "McAuley-Lab/Amazon-Reviews-2023"
FIRST = "raw_meta_Appliances"
"""Of the example."""


def page() -> None:
    """Name a dataset, choose of it, look at it, add it."""
    job = explore_fetch.running("hub")
    if job is not None:
        if explore_fetch.show(job, "hub"):
            return
        if job.state == "done" and job.result and st.session_state.get("explore_fetch_hub") == job.id:
            explore_fetch.forget("hub")
            with guarded():
                explore_add.done(store.version(job.result["dataset"], job.result["version"]))
    _ask()
    found = st.session_state.get("explore_hub_found")
    if isinstance(found, StudioError):
        show_error(found)
        if found.title in ("This dataset is gated", "No such dataset", "The token is not accepted", "No right to read this dataset"):
            link("settings", "Set a token on Settings", icon=":material/key:")
    if not isinstance(found, Repository):
        _wait(found.title if isinstance(found, StudioError) else "Name a dataset")
        return
    with guarded():
        _choose(found)


def _ask() -> None:
    """The field for the id, its revision, and which token is used."""
    typed = st.session_state.get("key_HF_TOKEN")
    with st.form("explore_hub_form", border=False):
        name, revision, go = st.columns([3, 1.2, 0.8], vertical_alignment="bottom")
        text = name.text_input("Dataset of the Hub", key="explore_hub_id", persist_state="session", placeholder=EXAMPLE, max_chars=300)
        asked = revision.text_input("Revision", key="explore_hub_revision", persist_state="session", placeholder="main", max_chars=100,
                                    help="A branch, a tag or a commit. It is resolved to its commit, which is recorded.")  # fmt: skip
        pressed = go.form_submit_button("Look it up", width="stretch", icon=":material/search:")
    held = "typed for this session" if typed else "from the environment" if hub.token_for(None) else "none, so public datasets only"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(f"Asks {hub.endpoint()} · token: {held}"), width="content")
        example = st.button("Use the Amazon products of 2023", key="explore_hub_example", type="tertiary", on_click=_example)
    if pressed or example:
        st.session_state["explore_hub_found"] = _found(text, asked, typed)
        st.session_state.pop("explore_hub_looks", None)
        for key in ("explore_hub_configs", "explore_hub_columns", "explore_hub_by"):
            st.session_state.pop(key, None)


def _example() -> None:
    st.session_state["explore_hub_id"], st.session_state["explore_hub_revision"] = EXAMPLE, ""


def _found(text: str | None, revision: str | None, typed: str | None, own: bool = False) -> Repository | StudioError | None:
    """What the Hub says of it, or why not; None when nothing was named."""
    if not (text or "").strip():
        return None
    try:
        with st.spinner("Asking the Hub"):
            return hub.describe(text or "", revision=revision or None, token=hub.token_for(typed), own=own)
    except StudioError as error:
        return error


def _choose(found: Repository) -> None:
    """Configurations, splits, rows and columns; then the first look and the run bar."""
    facts = [f"commit {found.commit[:8]}", plural(len(found.configs), "configuration")]
    facts.append(size(sum(table.size for table in found.tables)))
    partial = any("partial-" in file.path for table in found.tables for file in table.files)
    copy = ("the first part of it, as the Hub copied it", "yellow") if partial else ("the Hub's own Parquet copy", "blue")
    line("database", found.id, facts, copy if found.converted else None)
    if found.converted and st.button("Use the repository's own files", key="explore_hub_own", type="tertiary"):
        st.session_state["explore_hub_found"] = _found(found.id, found.asked, st.session_state.get("key_HF_TOKEN"), own=True)
        st.rerun()
    first = [FIRST] if FIRST in found.configs else found.configs[:1]
    left, middle, right = st.columns([2, 1.2, 0.9])
    configs = left.multiselect(
        "Configurations", found.configs, default=first, key="explore_hub_configs", persist_state="session",
        placeholder="Choose at least one", help="Several are read at once and become one table, with a column that names them.",
    )  # fmt: skip
    there = found.splits(configs)
    splits = middle.multiselect(
        "Splits",
        there,
        default=there,
        key=f"explore_hub_splits_{_crc([found.commit, configs])}",
        persist_state="session",
        placeholder="Choose at least one",
    )
    first_rows = right.number_input("First rows", 1, None, None, key="explore_hub_rows", persist_state="session", placeholder="all",
                                    help="So many kept rows of each split of each configuration; only as much is fetched.")  # fmt: skip
    if not configs or not splits:
        _wait("Choose a configuration" if not configs else "Choose a split")
        return
    tables = pick(found.tables, configs, [])
    tables = [table for table in tables if table.split in splits]
    frame = _looked(found, tables)
    if frame is None:
        return
    mixed = len({table.split for table in tables}) > 1
    wish = Wish(
        found.id, found.commit, tuple(configs), tuple(splits), found.asked, found.converted,
        rows=int(first_rows) if first_rows else None,
        config_column=_new("category", frame) if len(configs) > 1 else None,
        split_column=_new("split", frame) if mixed else None,
    )  # fmt: skip
    with st.popover("Columns and rows", icon=":material/tune:", type="tertiary"):
        columns, condition, wrong = _narrow(frame)
    wish = replace(wish, columns=columns, condition=condition)
    shown = frame if columns is None else frame[list(columns)]
    shown = shown.assign(**{name: value for name, value in ((wish.config_column, configs[0]), (wish.split_column, splits[0])) if name})
    key = f"hub_{_crc([found.id, found.commit, configs, splits, columns])}"
    chosen = look(shown, _guessed(shown, wish), key, _stem(found.id, configs))
    _bar(wish, tables, chosen, wrong or (None if len(shown.columns) else "Choose a column"))


def _looked(found: Repository, tables: list[Table]) -> pd.DataFrame | None:
    """The first rows of the first table, asked for once; None after saying why there are none."""
    looks = st.session_state.setdefault("explore_hub_looks", {})
    table = tables[0]
    key = (found.commit, table.config, table.split)
    if key not in looks:
        token = hub.token_for(st.session_state.get("key_HF_TOKEN"))
        wish = Wish(found.id, found.commit, (table.config,), (table.split,))
        try:
            with st.spinner(f"Looking at the first rows of {plain(short(table.config, 60))}"):
                looks[key] = look_at(wish, table, token)
        except StudioError as error:
            looks[key] = error
    if isinstance(looks[key], StudioError):
        show_error(looks[key])
        with st.container(horizontal=True):
            if st.button("Look again", key="explore_hub_again", icon=":material/refresh:"):
                del looks[key]
                st.rerun()
            if looks[key].title == "This dataset is gated":
                link("settings", "Set a token on Settings", icon=":material/key:")
        _wait(looks[key].title)
        return None
    return looks[key]


def _narrow(frame: pd.DataFrame) -> tuple[tuple[str, ...] | None, Condition | None, str | None]:
    """(columns, condition, what is wrong with it): fewer columns and fewer rows, decided while reading."""
    names = [str(name) for name in frame.columns]
    picked = st.multiselect(
        "Columns",
        names,
        key="explore_hub_columns",
        persist_state="session",
        placeholder="all",
        help="Only these are fetched, where the files are Parquet.",
    )
    by = st.selectbox(
        "Keep rows by",
        [None, *names],
        key="explore_hub_by",
        persist_state="session",
        format_func=lambda one: "All rows" if one is None else one,
    )
    columns = tuple(name for name in names if name in picked) if picked else None
    if by is None:
        return columns, None, None
    how = st.segmented_control(
        "Condition", ["Number", "Values"], default="Number", required=True, key=f"explore_hub_how_{by}", persist_state="session"
    )
    try:
        if how == "Values":
            text = st.text_input(
                "One of, separated by commas", key=f"explore_hub_values_{by}", persist_state="session", placeholder=_some(frame, by)
            )
            values = tuple(one.strip() for one in (text or "").split(",") if one.strip())
            return columns, Condition(by, values) if values else None, None if values else f"Say which values of {by} are kept"
        low = st.number_input("From", value=None, key=f"explore_hub_low_{by}", persist_state="session", placeholder="any")
        high = st.number_input("To", value=None, key=f"explore_hub_high_{by}", persist_state="session", placeholder="any")
        st.caption("Prices such as \\$12.50 are read as numbers; cells that are none leave their row out.")
        if low is None and high is None:
            return columns, None, f"Say which numbers of {by} are kept"
        return columns, Condition(by, low=low, high=high), None
    except StudioError as error:
        return columns, None, error.title


def _bar(wish: Wish, tables: list[Table], chosen: Choice, wrong: str | None) -> None:
    files, total = sum(len(table.files) for table in tables), sum(table.size for table in tables)
    told = [f"first {count(wish.rows)} rows of each" if wish.rows else "all rows", plural(files, "file")]
    told.append(f"{'at most ' if wish.rows or wish.columns else ''}{size(total)}")
    if (pace := explore_fetch.pace()) and not wish.rows:
        told.append(duration(total / pace, about=True))
    told.append(f"predict {chosen.roles.target}" if chosen.roles.target else "nothing to predict chosen yet")
    blocked = wrong or chosen.blocked
    pressed = run_bar(
        label=f"Add {plain(short(chosen.label or 'data', 28))}", key="explore_add_run",
        state="Not ready" if blocked else chosen.state, text=blocked or " · ".join(told),
        disabled=bool(blocked), icon=":material/add:",
    )  # fmt: skip
    if pressed:
        typed = (st.session_state.get("key_HF_TOKEN") or "").strip()
        request = {"wish": wish.to_dict(), "label": chosen.label, "roles": chosen.roles.to_dict(), "task": chosen.task}
        with guarded():
            explore_fetch.start("hub", request, f"Fetch {chosen.label}", {hub.TOKEN: typed} if typed else None)


def _guessed(frame: pd.DataFrame, wish: Wish) -> Guess:
    """The guess from the rows, with the added columns in their roles."""
    found = guess(frame)
    roles = found.roles
    if wish.config_column:
        roles = replace(roles, category=wish.config_column, text=tuple(c for c in roles.text if c != wish.config_column))
    if wish.split_column:
        roles = replace(roles, split=wish.split_column, text=tuple(c for c in roles.text if c != wish.split_column))
    return replace(found, roles=roles)


def _new(name: str, frame: pd.DataFrame) -> str:
    """A name for an added column that no column has."""
    options = [name, f"hub_{name}", *(f"hub_{name}_{n}" for n in range(2, 99))]
    return next(one for one in options if one not in frame.columns)


def _stem(id: str, configs: list[str]) -> str:
    name = repository_id(id)[0].rsplit("/", 1)[-1]
    return configs[0].rsplit("/", 1)[-1] if len(configs) == 1 and configs != ["default"] else name


def _some(frame: pd.DataFrame, column: str) -> str:
    cells = [short(str(cell), 20) for cell in frame[column].dropna().drop_duplicates().head(3).tolist()]
    return short(", ".join(cells), 60)


def _crc(value: object) -> str:
    return f"{zlib.crc32(repr(value).encode()):08x}"


def _wait(text: str) -> None:
    run_bar(label="Add data", key="explore_add_run", state="Not ready", text=text, disabled=True, icon=":material/add:")
