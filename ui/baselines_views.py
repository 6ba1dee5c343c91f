"""Baselines: inside one model. Figure and coloured table side by side; the figure is the filter of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core import format as fmt
from core.evaluate.answers import Answers, answers_of
from core.evaluate.inside import CLOSE, FAR, JUDGEMENTS, OFF, UNREAD, judged, misses, worst_first
from core.version import Version
from ui import baselines_figures as figures
from ui import baselines_hits as hits
from ui import baselines_looks as looks
from ui import cache, charts, tables
from ui.baselines_curve import learning_curve
from ui.baselines_ladder import Ranked
from ui.shown import account
from ui.shown import shown as shown_before
from ui.state import plain

MARK = {
    CLOSE: ":green[:material/check_circle:]",
    OFF: ":yellow[:material/error:]",
    FAR: ":red[:material/cancel:]",
    UNREAD: ":gray[:material/help:]",
}
COLOR = {CLOSE: charts.GOOD, OFF: charts.FAIR, FAR: charts.POOR, UNREAD: ""}
ROWS = 500
NUMBER_VIEWS = ("Guess and truth", "Residuals", "By category", "What it looks at", "Worst rows", "More rows")
LABEL_VIEWS = ("Confusion", "How sure", "By category", "What it looks at", "Worst rows", "More rows")
ANSWER_VIEWS = ("Worst rows", "By category", "More rows")


def inside(version: Version, ranked: list[Ranked], one: Ranked) -> None:
    """Heading with the views, then the chosen view."""
    options = {"regression": NUMBER_VIEWS, "classification": LABEL_VIEWS}.get(version.task or "", ANSWER_VIEWS)
    if st.session_state.get("baselines_view") not in options:
        st.session_state.pop("baselines_view", None)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="xsmall"):
            st.header(plain(one.evaluation.title), anchor=False, width="content")
            _other_model(ranked, one)
        chosen = st.segmented_control("View", options, default=options[0], required=True, label_visibility="collapsed",
                                      key="baselines_view", bind="query-params")  # fmt: skip
    if told := " ".join(filter(None, [account(one.evaluation), looks.learnt(version, one.evaluation)])):
        st.caption(plain(told))
    answers = answers_of(one.evaluation)
    table = rows_of(version, one, answers)
    if chosen == "Worst rows":
        worst(version, one, answers, table)
        return
    if chosen == "More rows":
        learning_curve(version, one)
        return
    if chosen == "What it looks at" and looks.silent(one.evaluation):
        with st.container(border=True):
            looks.looks_at(version, one, answers, table)
        return
    opened = None
    left, right = st.columns([1.5, 1])
    with left.container(border=True, height="stretch"):
        figures.DRAW[chosen](version, one, answers, table)
    with right.container(border=True, height="stretch", gap="xsmall"):
        if chosen == "What it looks at":
            looks.weights_table(version, one)
        else:
            opened = counted(version, table)
    if opened is not None:
        panel(version, one, opened)


def _other_model(ranked: list[Ranked], one: Ranked) -> None:
    """The keyboard's way to another model."""
    titles = {other.evaluation.id: other.evaluation.title for other in ranked}

    def choose() -> None:
        st.session_state["baselines_model"] = st.session_state["baselines_other"]
        st.session_state.pop("baselines_rows", None)

    with st.popover("Other model", type="tertiary", icon=":material/swap_horiz:", help="Look into another model"):
        st.session_state["baselines_other"] = one.evaluation.id
        st.radio(
            "Model",
            list(titles),
            format_func=lambda id: plain(titles[id]),
            key="baselines_other",
            on_change=choose,
            label_visibility="collapsed",
        )


def rows_of(version: Version, one: Ranked, answers: Answers) -> Any:
    """One line per answered row: place, truth, guess, miss, judgement, category, text, raw reply, status."""
    import pandas as pd

    test = cache.examples(version.dataset, version.id, "test")
    places = one.evaluation.answers["index"].tolist()
    category = test.category()
    return pd.DataFrame(
        {
            "place": places,
            "truth": answers.truth,
            "guess": answers.guess,
            "miss": misses(answers),
            "judged": judged(answers, hits.rule(version)),
            "category": [category[p] for p in places],
            "text": [" ".join(test.text[p].split()) for p in places],
            "raw": one.evaluation.answers["raw"].tolist(),
            "status": one.evaluation.answers["status"].tolist(),
        }
    )


def counted(version: Version, table: Any) -> Any | None:
    """How many are close, off and far off (the filter by keyboard), then the rows the figure or the filter leaves.

    Returns the row to open: the one that was clicked in the figure or selected in the table, or None.
    """
    kept = [name for name in JUDGEMENTS if (table["judged"] == name).any()]
    n = len(table)
    words = {name: hits.judgement(version.task or "", name) for name in kept}
    picked = st.pills("Rows", kept, selection_mode="multi", label_visibility="collapsed", key="baselines_judged",
                      format_func=lambda name: f"{MARK[name]} {fmt.share((table['judged'] == name).mean(), n)} {words[name]}",
                      help=plain(hits.words(version)))  # fmt: skip
    st.caption(plain(hits.beside(version, table["judged"], table["place"].tolist())))
    hits.picker(version)
    shown = table[table["judged"].isin(picked)] if picked else table
    places: list[int] | None = st.session_state.get("baselines_rows")
    if places is not None:
        shown = shown[shown["place"].isin(places)]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{fmt.count(len(shown))} of {fmt.plural(n, 'row')}", width="content")
        if places is not None and st.button("Show all", key="baselines_all", type="tertiary", icon=":material/close:"):
            st.session_state.pop("baselines_rows")
            st.rerun()
    chosen = coloured(version, shown, "baselines_table", height=330, select=True)
    if chosen and chosen[0] < len(shown):
        return shown.iloc[chosen[0]]
    return shown.iloc[0] if places is not None and len(places) == 1 and len(shown) == 1 else None


def coloured(version: Version, shown: Any, key: str, *, height: int, select: bool = False) -> list[int]:
    """Truth, guess, miss (coloured by judgement) and text; returns the places of selected lines within `shown`."""
    unit = fmt.unit_of(version.roles.target)
    numeric = version.task == "regression"
    some = shown.head(ROWS)
    columns: dict[str, Any] = {"Truth": some["truth"].tolist(), "Guess": some["guess"].tolist()}
    if numeric:
        columns["Miss"] = some["miss"].tolist()
    columns["Judged"] = [f"{hits.SYMBOL[name][2]} {hits.judgement(version.task or '', name)}" for name in some["judged"]]
    columns["Text"] = some["text"].str.slice(0, 300).tolist()
    table = _frame(columns)

    styled = table.style.apply(
        lambda column: [f"color: {COLOR[name]}" if COLOR[name] else "" for name in some["judged"]], subset=["Miss" if numeric else "Guess"]
    )
    money = st.column_config.NumberColumn(format="dollar" if unit == "usd" else "%.4g")
    formats: Any = dict.fromkeys(("Truth", "Guess", "Miss"), money) if numeric else {}
    chosen: Any = {"on_select": "rerun", "selection_mode": "single-row"} if select else {}
    order = ["Truth", "Guess", *(["Miss"] if numeric else []), "Judged", "Text"]
    tall = min(height, 37 + 35 * max(len(some), 1))
    event = st.dataframe(styled, key=key, hide_index=True, width="stretch", height=tall, placeholder="unread", column_order=order,
                         column_config=formats,
                         alt=f"{len(some)} rows with truth and guess", **chosen)  # fmt: skip
    return list(event.selection.rows) if select and event is not None else []  # type: ignore[union-attr]


def _frame(columns: dict[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame(columns)


def worst(version: Version, one: Ranked, answers: Answers, table: Any) -> None:
    """All rows, the worst first; a selected one opens below with the raw reply and the nearest train rows."""
    order = worst_first(answers, hits.rule(version))
    shown = table.iloc[order]
    picked = coloured(version, shown, "baselines_worst", height=390, select=True)
    st.caption("Unread first, then the largest miss. Select a row to read all of it.")
    if picked:
        panel(version, one, shown.iloc[picked[0]])


def panel(version: Version, one: Ranked, row: Any) -> None:
    """One row: its text, what was said, what was read, what was shown to the model, and the most similar train rows."""
    unit = fmt.unit_of(version.roles.target)
    test, train = (cache.examples(version.dataset, version.id, split) for split in ("test", "train"))
    with st.container(border=True):
        left, right = st.columns([1.5, 1])
        with left:
            st.caption("Row")
            st.text(test.text[int(row["place"])])
        with right:
            tables.record({"Truth": _said(row["truth"], unit), "Guess": _said(row["guess"], unit), "Status": row["status"],
                           **({"Raw reply": row["raw"]} if row["raw"] else {})}, "baselines_record")  # fmt: skip
        shown_before(one.evaluation, int(row["place"]), "baselines_shown_row")
        st.caption("The most similar train rows")
        with st.spinner("Looking for similar train rows"):
            index = cache.neighbours(version.dataset, version.id)
        places, alike = index.nearest([test.text[int(row["place"])]], 5)
        targets = train.targets or ()
        near = {"Alike": np.round(alike[0], 2), "Truth": [_said(targets[p], unit) for p in places[0]],
                "Text": [" ".join(train.text[p].split())[:300] for p in places[0]]}  # fmt: skip
        tables.rows(_frame(near), "baselines_near")


def _said(value: Any, unit: str) -> str:
    if value is None or value != value:
        return "unread"
    return fmt.metric(unit, value) if isinstance(value, float) else str(value)
