"""Pieces of Compare around its views: what is compared, the verdict card, exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.compare.board import Board
from core.compare.matrix import lines
from core.compare.report import file_name, report
from core.compare.verdict import Verdict
from core.errors import StudioError
from core.evaluation import Evaluation
from core.format import plural
from core.io import store
from core.version import Version
from ui import boards, cache, tables
from ui.layout import empty
from ui.state import Here, go, plain

SHOWN = 5
"""Models shown before anybody chooses."""


@dataclass(frozen=True)
class Shown:
    """What the page is about: the board against the chosen reference, its verdict, and how the data is called."""

    board: Board
    said: Verdict
    name: str


def found(here: Here) -> Shown | StudioError | None:
    """Everything that answered the current version's test rows; why it cannot be compared; None when nothing has answered."""
    if not here.version:
        return None
    dataset, version = here.version.dataset, here.version.id
    try:
        board = boards.board(dataset, version)
        if board is None:
            return None
        wanted = st.session_state.get("compare_reference")
        if wanted != board.reference and any(row.id == wanted for row in board.rows):
            board = boards.board(dataset, version, wanted)
        first = board.rows[0].evaluation
        return Shown(board, boards.verdict(dataset, version), label(first.dataset, first.version))
    except StudioError as error:
        return error


def nothing_yet(version: Version) -> None:
    """The empty state: what is missing and the button that mends it."""
    why = cache.ready(version.dataset, version.id)
    text = "A verdict needs models that answered the same test rows. The baselines take less than a minute and need no key."
    empty(
        "balance",
        "Nothing to compare yet.",
        f"{text} First: {plain(why)}" if why else text,
        "Run the baselines",
        to="baselines",
        key="compare",
    )


def label(dataset: str, version: str) -> str:
    """How the verdict names the data: "Price it, version 4"; versions that are gone by their id."""
    try:
        one = store.version(dataset, version)
        return f"{store.dataset(dataset).label}, version {one.number}"
    except StudioError:
        return f"version {version}"


def texts(board: Board) -> dict[int, str]:
    """The text of each test row on the board, by its place in the test split; empty when the table is gone."""
    one = board.rows[0].evaluation
    try:
        said = cache.examples(one.dataset, one.version, "test").text
    except StudioError:
        return {}
    return {int(place): said[int(place)] for place in board.index if int(place) < len(said)}


def categories(board: Board) -> dict[int, str]:
    """The category of each test row on the board; empty when there is none."""
    one = board.rows[0].evaluation
    try:
        found = cache.examples(one.dataset, one.version, "test").category()
    except StudioError:
        return {}
    return {int(place): found[int(place)] for place in board.index if int(place) < len(found)} if any(found) else {}


def verdict_card(board: Board, said: Verdict, name: str) -> None:
    """The answer first, then what it rests on, then the report."""
    with st.container(border=True, gap="xsmall"):
        with st.container(gap=None):
            st.caption(plain(f"The verdict · {name}"))
            st.header(plain(said.headline), anchor=False)
        st.markdown(_bold(said), width=780)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            for badge in said.badges:
                st.badge(plain(badge.text), icon=f":material/{badge.icon}:", color=badge.color)  # type: ignore[arg-type]
            st.space("stretch")
            if said.kind != "withheld":
                download(board, said, name, "compare_report", primary=True)


def _bold(said: Verdict) -> str:
    """The sentences with their strong stretches in bold; everything is escaped first."""
    text = plain(" ".join(said.sentences))
    for strong in sorted(set(said.strong), key=len, reverse=True):
        text = text.replace(plain(strong), f"**{plain(strong)}**")
    return text.replace("****", "")


def download(board: Board, said: Verdict, name: str, key: str, words: str = "Download report", *, primary: bool = False) -> None:
    """The button that hands over the report; it is made when it is asked for."""
    st.download_button(
        words,
        lambda: report(board, said, title=name, texts=texts(board)).encode(),
        file_name([name, "comparison"]),
        "text/html",
        key=key,
        type="primary" if primary else "secondary",
        icon=":material/download:",
        on_click="ignore",
        width="content" if primary or words != "Download report" else "stretch",
    )


def exports(board: Board, said: Verdict, name: str) -> None:
    """The content of the Export popover."""
    tables.downloads(lambda: table(board), file_name([name, "leaderboard"]).removesuffix(".html"), "compare_table")
    st.download_button("Every answer as CSV", lambda: _answers(board), file_name([name, "answers"]).replace(".html", ".csv"), "text/csv",
                       key="compare_answers", on_click="ignore", width="stretch")  # fmt: skip
    download(board, said, name, "compare_export_report")
    first = board.rows[0].evaluation
    tables.same_action(
        "python -m core compare answers.csv --task " + board.task + " --out comparison",
        "from core.io import evaluations\nfrom core.compare.leaderboard import leaderboard\nfrom core.compare.verdict import verdict\n\n"
        f'board = leaderboard(evaluations.of("{first.dataset}", "{first.version}"), unit="{board.unit}")\nprint(verdict(board).text)',
    )


def table(board: Board) -> pd.DataFrame:
    """The matrix as a table of text: one row per metric, one column per model."""
    found = lines(board)
    columns: dict[str, list[str]] = {"metric": [line.title for line in found]}
    for place, row in enumerate(board.rows):
        cells = [line.cells[place] for line in found]
        columns[row.title] = [" ".join(part for part in (cell.text, cell.soft, cell.word) if part) for cell in cells]
    return pd.DataFrame(columns)


def _answers(board: Board) -> bytes:
    from core.export import csv_bytes

    frames = [row.evaluation.answers.assign(model=row.title) for row in board.rows]
    every = pd.concat(frames, ignore_index=True)
    return csv_bytes(every.reindex(columns=["model", *(name for name in every.columns if name != "model")]))


def other_rows(every: list[Evaluation], board: Board) -> None:
    """Models of the dataset that answered other test rows are named, and the way to bring them in."""
    left_out = [one for one in every if one.test_id != board.test_id]
    if not left_out:
        return
    first, other = board.rows[0].evaluation, left_out[-1]
    names = ", ".join(dict.fromkeys(one.title for one in left_out[:4])) + (f" and {len(left_out) - 4} more" if len(left_out) > 4 else "")
    told = (f"{names} answered the test rows of {label(other.dataset, other.version)}; the models here those of "
            f"{label(first.dataset, first.version)}. Answers to different rows are not compared.")  # fmt: skip
    st.warning(plain(told), title=f"{plural(len(left_out), 'model')} answered different test rows", icon=":material/error:")
    if st.button("Answer the same rows", key="compare_same_rows", icon=":material/leaderboard:"):
        go("baselines")


def default_models(board: Board) -> list[str]:
    """The best of each family, then the best of the rest, in the order of the board."""
    first = {row.family: row.id for row in reversed(board.rows)}
    chosen = set(first.values())
    for row in board.rows:
        if len(chosen) < SHOWN:
            chosen.add(row.id)
    return [row.id for row in board.rows if row.id in chosen]


def models(board: Board, key: str) -> list[str]:
    """The popover "5 of 8 models"; ids in the order of the board."""
    kept = [id for id in st.session_state.get(key, default_models(board)) if any(row.id == id for row in board.rows)]
    if key in st.session_state:
        st.session_state[key] = kept
    given: dict[str, Any] = {} if key in st.session_state else {"default": default_models(board)}
    ids = [row.id for row in board.rows]
    with st.popover(f"{len(kept) or len(default_models(board))} of {plural(len(ids), 'model')}", icon=":material/view_column:"):
        chosen = st.multiselect("Models", ids, format_func=lambda id: board.row(id).title, key=key, **given)
    return [row.id for row in board.rows if row.id in (chosen or default_models(board))]
