"""Baselines: the features of the linear model: which are noticed in these rows, which are left out, and new ones derived from columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.predict.derived import WAYS, columns_of, derived, expression, read_all, read_made
from core.predict.noticed import Feature
from core.prediction import Examples
from core.version import Version
from ui import cache, tables
from ui.state import plain, show_error

PREDICTOR = "features_linear"
SHOWN = 50
OWN = "own"
FORM = ("baselines_expression", "baselines_word", "baselines_named_")
"""How the keys of the form's fields begin."""


def editor(version: Version, picks: str) -> dict[str, Any]:
    """The settings of the linear model on features. `picks` is the key of the pills among which a change chooses it."""
    rows = cache.some_rows(version.dataset, version.id)
    found = cache.noticed(version.dataset, version.id)
    now = _desk(version, [one.name for one, _ in found])
    with st.expander("Features of the linear model", icon=":material/instant_mix:", key="baselines_features_open", on_change="rerun"):
        st.caption(_told(len(found), now))
        _noticed(version, found, now, picks)
        made = _made(version, rows, now, picks)
        draft = _derive(version, rows, now, picks)
        _preview(rows, made + [one for one, _ in found if one.name not in now["off"]], draft)
    return {name: list(names) for name, names in now.items() if names}


def _desk(version: Version, names: Sequence[str]) -> dict[str, list[str]]:
    """What is left out and what was derived, in this visit, else as the last run had it."""
    key = f"baselines_features_{version.id}"
    if key not in st.session_state:
        mine = [one for one in cache.evaluations(version.dataset, version.id) if one.predictor == PREDICTOR]
        last = mine[-1].settings if mine else {}
        st.session_state[key] = {"off": list(last.get("off", [])), "made": list(last.get("made", []))}
    now = st.session_state[key]
    now["off"] = [name for name in now["off"] if name in names]
    return now


def _told(many: int, now: dict[str, list[str]]) -> str:
    left = len(now["off"])
    told = f"{many - left} of {many} noticed" if left else f"All {many} noticed"
    return told + (f", {len(now['made'])} derived" if now["made"] else ", none derived yet") + "."


def _choose(picks: str) -> None:
    """Who changes the features wants the model that reads them."""
    st.session_state[picks] = list(dict.fromkeys([*(st.session_state.get(picks) or []), PREDICTOR]))


def _make(now: dict[str, list[str]], made: list[str], picks: str) -> None:
    """Take over the derived features; the form is empty again."""
    now["made"] = made
    for key in [key for key in st.session_state if str(key).startswith(FORM)]:
        st.session_state[key] = ""
    _choose(picks)


def _noticed(version: Version, found: Sequence[tuple[Feature, float]], now: dict[str, list[str]], picks: str) -> None:
    names = [one.name for one, _ in found]
    shares = {one.name: share for one, share in found}
    key = f"baselines_noticed_{version.id}"
    st.session_state[key] = [name for name in names if name not in now["off"]]

    def keep() -> None:
        now["off"] = [name for name in names if name not in st.session_state[key]]
        _choose(picks)

    st.pills(
        "Noticed in these rows, and the share of train rows that tell it",
        names,
        selection_mode="multi",
        format_func=lambda name: f"{plain(fmt.short(name, 40))} :small[{fmt.share(shares[name])}]",
        key=key,
        on_change=keep,
        help="\n".join(f"* {plain(one.name)}: {plain(one.meaning)}" for one, _ in found),
    )


def _made(version: Version, rows: Examples, now: dict[str, list[str]], picks: str) -> list[Feature]:
    """The derived ones, each with its expression, its coverage and a button that removes it."""
    features: list[Feature] = []
    for place, text in enumerate(now["made"]):
        one = read_made(text)
        with st.container(horizontal=True, vertical_alignment="center"):
            try:
                features.append(derived(one, rows))
                told = summary(features[-1], features[-1].read(rows))
            except StudioError as error:
                told = str(error)
            st.markdown(f"**{plain(one.name)}** :small[:gray[{plain(one.expression)}]]", width="content")
            st.caption(plain(told), width="stretch")
            others = [other for other in now["made"] if other != text]
            st.button("Remove", key=f"baselines_unmake_{version.id}_{place}", type="tertiary", icon=":material/close:",
                      on_click=_make, args=(now, others, picks))  # fmt: skip
    return features


def _derive(version: Version, rows: Examples, now: dict[str, list[str]], picks: str) -> Feature | None:
    """The form of a new feature; returns it when it can be made."""
    columns = [name for name in columns_of(rows) if "`" not in name]
    one, two, three, four = st.columns([1.3, 1, 1, 1], vertical_alignment="bottom")
    way = one.selectbox("Derive", [*WAYS, OWN], format_func=lambda way: WAYS[way].title if way in WAYS else "Expression",
                        key="baselines_way", help="A new feature made of a column predictors see.")  # fmt: skip
    if way == OWN:
        written = two.text_input("Expression", key="baselines_expression", placeholder="len(text) > 500",
                                 help="As in Curate's expressions: columns, numbers, texts, comparisons and functions.")  # fmt: skip
        suggested = ""
    else:
        column = two.selectbox("Of", columns, key=f"baselines_of_{version.id}", help="A column with the role text, category or feature.")
        asked = WAYS[way].word
        word = three.text_input(asked, key="baselines_word") if asked else ""
        written = expression(way, str(column), word) if word.strip() or not asked else ""
        suggested = f"{WAYS[way].title.removesuffix(' of a column').lower().removesuffix('a word')}{word.strip() or column}"
    name = four.text_input("Name", key=f"baselines_named_{way}", placeholder=suggested or "long text")
    title = " ".join((name or suggested).replace("=", " ").split())
    text = f"{title} = {written}" if title else written
    if not written.strip():
        return None
    try:
        read_all([*now["made"], text])
        made = derived(read_made(text), rows)
        told = summary(made, made.read(rows))
    except StudioError as error:
        show_error(error)
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Add feature", key="baselines_make", icon=":material/add:", on_click=_make, args=(now, [*now["made"], text], picks))
        st.code(text, language=None, width="content")
        st.caption(plain(told), width="stretch")
    return made


def _preview(rows: Examples, features: Sequence[Feature], draft: Feature | None) -> None:
    """The first rows with every feature that is on, the new one first, then derived ones."""
    import pandas as pd

    few = rows.take(list(range(min(SHOWN, len(rows)))))
    columns: dict[str, Any] = {"Text": [" ".join(text.split())[:200] for text in few.text]}
    for one in [*([draft] if draft else []), *features]:
        cells = one.read(few)
        if not one.columns:
            columns[one.name] = list(cells)
        else:
            columns |= {name: np.round(cells[:, place], 3).tolist() for place, name in enumerate(one.columns)}
    narrow = {"Text": st.column_config.TextColumn(width="medium")}
    tables.rows(pd.DataFrame(columns), "baselines_feature_rows", columns=narrow, height=220, placeholder="")
    st.caption(
        f"{fmt.plural(len(few), 'train row')} as the model gets them; missing numbers become the median. Shares are of "
        f"{fmt.plural(len(rows), 'train row')}. A column is used when it has the role feature on Explore."
    )


def summary(one: Feature, cells: Any) -> str:
    """How many rows tell it, and what they tell."""
    share = f"In {fmt.share(one.coverage(cells), len(cells))} of the rows"
    if not one.columns:
        counts = Counter(cell for cell in cells if cell)
        often = ", ".join(f"{fmt.short(value, 24)} ({count})" for value, count in counts.most_common(3))
        return f"{share}; {fmt.plural(len(counts), 'value')}" + (f", most often {often}" if often else "")
    values = cells[:, 0][np.isfinite(cells[:, 0])]
    if not len(values):
        return f"{share}; no row tells it"
    if set(np.unique(values)) <= {0.0, 1.0}:
        return f"{share}; true in {fmt.share(float(values.mean()), len(values))} of them"
    ends = [fmt.number(float(value), 2) for value in (np.median(values), values.min(), values.max())]
    return f"{share}; middle {ends[0]}, from {ends[1]} to {ends[2]}"
