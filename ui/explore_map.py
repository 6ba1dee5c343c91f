"""Map: every text a point, near where texts are alike; a lasso filters the rows below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.explore import map as placing
from core.explore.diversity import largest
from core.format import count, number, plural, share, short, unit_of
from core.io import mapping, numbers, query
from core.io.mapping import TextMap
from core.io.query import Filter
from core.version import Version
from ui import charts, explore_cache, explore_meaning, explore_python
from ui import explore_filters as filters
from ui import explore_map_figure as drawing
from ui.explore_rows import browser
from ui.layout import card, metrics
from ui.state import plain

GROUP = "Group"
_LENGTHS = {"n_chars": "Characters", "n_words": "Words", "n_tokens": "Tokens"}


def view(version: Version) -> None:
    """The map with its rows; before there is one, what making it takes."""
    if not version.roles.text:
        st.caption("No column is Text, and a map is made of texts. Choose it under *What should be predicted?* in Overview.")
        return
    found: TextMap | None = explore_cache.text_map(version.dataset, version.id, mapping.stamp(version))
    if found is None:
        with card("Map", height="content"):
            st.caption("Every text becomes a point, near the texts it is like. Groups of texts get a title from their words.")
            explore_meaning.choosing(version)
        explore_meaning.bar(version)
        _languages(version)
        browser(version, filters.strip(version), "explore_map")
        return
    _card(version, found)
    explore_meaning.form(version)
    browser(version, filters.strip(version), "explore_map")
    _numbers(version, found)
    _languages(version)
    with st.expander("Other vectors, other groups", icon=":material/tune:"):
        explore_meaning.choosing(version)
        explore_meaning.button(version, "Make this map")


def _card(version: Version, found: TextMap) -> None:
    """The figure with its controls."""
    ways = [*(["UMAP"] if found.has_umap else []), "PCA"]
    with card("Map", control=lambda: _controls(version, found, ways), height="content"):
        way = st.session_state.get(f"explore_map_way_{version.id}") or ways[0]
        x, y = (found.points[name].to_numpy() for name in (("u", "v") if way == "UMAP" and found.has_umap else ("x", "y")))
        paint = _paint(version, found)
        passing = _passing(version, found)
        seen = (version.id, found.vectors.name, way, paint.title, None if passing is None else passing.tobytes(), mapping.stamp(version))
        figure = explore_cache.map_figure(seen, lambda: _figure(found, x, y, paint, passing))
        key = f"explore_map_{version.id}_{found.vectors.name}_{way}_{paint.title}_{filters.stamp(version)}"
        alt = f"{plural(len(found.points), 'text')} in {plural(len(found.titles), 'group')}, the largest: {found.titles[0]}"
        charts.show(figure, key, alt, select="lasso", on_select=_lassoed(version, found, key, x, y))
        st.caption(plain(_told(version, found, way, paint)))
        with st.container(horizontal=True, gap="small"):
            explore_python.copied(_script(version, found), "map")
            explore_python.taken(lambda: _points(found), "map", "map")


def _figure(found: TextMap, x: np.ndarray, y: np.ndarray, paint: drawing.Paint, passing: np.ndarray | None) -> Any:
    """The points with their colours; titles where groups are coloured."""
    titles = []
    if paint.title == GROUP:
        middles = placing.spread(found.points["group"].to_numpy(), x, y)
        titles = [(*at, words) for at, words in zip(middles, found.titles, strict=True)]
    figure = drawing.draw(x, y, found.points["short"].tolist(), paint, titles)
    drawing.keep(figure, passing)
    return figure


def _points(found: TextMap) -> pd.DataFrame:
    """The map as a table: row from 1 on, coordinates, the title of the group."""
    out = found.points.drop(columns=["short", "group"]).assign(group=[found.titles[one] for one in found.points["group"].tolist()])
    return out.assign(row=out["row"] + 1).rename(columns={"x": "pca 1", "y": "pca 2", "u": "umap 1", "v": "umap 2"})


def _script(version: Version, found: TextMap) -> str:
    groups = None if found.chosen else len(found.titles)
    return (
        "from core.io import mapping, store\n"
        "from core.io.vectors import Vectors\n\n"
        f"version = store.version({version.dataset!r}, {version.id!r})\n"
        f"vectors = Vectors(**{found.vectors.to_dict()!r})\n"
        f"made = mapping.make(version, vectors, groups={groups}, umap={found.has_umap})\n"
        'print(made.titles)\nprint(made.points[["row", "x", "y", "group"]])\n'
    )


def _controls(version: Version, found: TextMap, ways: list[str]) -> None:
    with st.container(horizontal=True, width="content", gap="small", vertical_alignment="center"):
        options = [GROUP, *_columns(version)]
        st.selectbox("Colour by", options, key=f"explore_map_colour_{version.id}", label_visibility="collapsed", width=190,
                     format_func=lambda name: f"Colour: {_title(name)}")  # fmt: skip
        st.selectbox("Show the rows of a group", range(len(found.titles)), index=None, key=f"explore_map_group_{version.id}",
                     label_visibility="collapsed", width=190, on_change=_chosen, args=(version, found), placeholder="Rows of a group",
                     format_func=found.titles.__getitem__)  # fmt: skip
        if len(ways) > 1:
            st.segmented_control("Projection", ways, default=ways[0], key=f"explore_map_way_{version.id}", label_visibility="collapsed",
                                 required=True)  # fmt: skip


def _columns(version: Version) -> list[str]:
    """What may colour: the category, the target, the split, other labels and numbers, lengths."""
    roles = version.roles
    target = roles.target if version.task in ("regression", "classification") else None
    lead = [name for name in (roles.category, target, roles.split) if name]
    rest = [name for name, kind in version.columns.items() if kind in ("label", "number", "flag") and name not in (*lead, roles.id)]
    measures = [name for name in _LENGTHS if name not in version.columns and (name == "n_chars" or numbers.is_counted(version))]
    return list(dict.fromkeys([*lead, *rest, *measures]))


def _title(name: str) -> str:
    return _LENGTHS.get(name, name)


def _paint(version: Version, found: TextMap) -> drawing.Paint:
    name = st.session_state.get(f"explore_map_colour_{version.id}") or GROUP
    if name == GROUP or name not in _columns(version):
        cells = pd.Series([found.titles[one] for one in found.points["group"].tolist()])
        return drawing.Paint(cells, GROUP, numeric=False)
    priced = name == version.roles.target and version.task == "regression"
    asked = "target" if priced and "target" not in version.columns else name
    cells = explore_cache.map_values(version.dataset, version.id, asked, found.points["row"].to_numpy(), found.vectors.name)
    few = version.columns.get(name) == "number" and cells.nunique() <= 7 and not priced
    numeric = pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells) and not few
    if numeric:
        cells = pd.Series(cells.to_numpy(dtype="float64", na_value=np.nan))
    return drawing.Paint(cells, _title(name), numeric, unit_of(name) if priced else "number")


def _passing(version: Version, found: TextMap) -> np.ndarray | None:
    """Which points pass the filters; None without filters."""
    chosen = filters.every(version)
    if not chosen:
        return None
    rows = found.points["row"].to_numpy()
    return np.isin(rows, query.rows_of(version, [*chosen, _rows(rows)]))


def _lassoed(version: Version, found: TextMap, key: str, x: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """A callback that turns a line drawn around points into a filter."""

    def took() -> None:
        lines = (st.session_state.get(charts.selection_key(key)) or {}).get("selection", {}).get("lasso") or []
        if lines:
            rows = found.points["row"].to_numpy()[placing.inside(x, y, lines[0]["x"], lines[0]["y"])]
            if len(rows):
                filters.add(version, f"Lasso: {plural(len(rows), 'row')}", _rows(rows), "Lasso: ")

    return took


def _chosen(version: Version, found: TextMap) -> None:
    one = st.session_state.get(f"explore_map_group_{version.id}")
    for label in [text for text in filters.active(version) if text.startswith("Group: ")]:
        del filters.active(version)[label]
    if one is not None:
        rows = found.points["row"].to_numpy()[found.points["group"].to_numpy() == one]
        filters.add(version, f"Group: {short(found.titles[one], 40)}", _rows(rows))


def _rows(rows: np.ndarray) -> Filter:
    return Filter(rows=tuple(int(row) for row in rows))


def _told(version: Version, found: TextMap, way: str, paint: drawing.Paint) -> str:
    """How many texts, what near means, what the colours are."""
    n = len(found.points)
    some = f"{count(n)} of {count(version.rows)} rows, drawn by lot" if n < version.rows and version.rows > found.vectors.most else None
    parts = [some or plural(n, "text"), f"vectors: {found.vectors.title}"]
    parts.append(
        f"the two axes hold {share(found.explained, 100)} of the variance" if way == "PCA" else "near is alike; far says nothing of how far"
    )
    if paint.numeric:
        parts.append(f"colours span the middle 96 % of {paint.title}")
    return ". ".join([", ".join(parts), "Drag around points to filter the rows below."])


def _numbers(version: Version, found: TextMap) -> None:
    """Diversity in four numbers."""
    with st.spinner("Counting words"):
        text, answers = explore_cache.variety(version.dataset, version.id)
    part, groups = largest(found.points["group"].to_numpy(), 5 if len(found.titles) > 5 else 1)
    how = "chosen by the silhouette" if found.chosen else "as asked"
    items: list[tuple[str, str, str | None]] = [
        ("Groups", count(groups), f"{how}: k-means on the vectors. Silhouette {_silhouette(found)}; under 0.1 groups flow together."),
        ("In the five largest" if groups > 5 else "In the largest", share(part, len(found.points)),
         f"Of {count(len(found.points))} texts; even groups would hold {share((5 if groups > 5 else 1) / max(1, groups), 100)}."),
        _distinct("Distinct-2 of texts", text),
    ]  # fmt: skip
    items.append(_distinct("Distinct-2 of answers", answers) if answers else ("Distinct-1 of texts", *_one(text)))
    metrics(items)


def _silhouette(found: TextMap) -> str:
    return "n/a" if found.silhouette is None else number(found.silhouette, 2)


def _distinct(label: str, one: Any) -> tuple[str, str, str | None]:
    if one is None:
        return label, "n/a", "Fewer than 1,000 words say nothing."
    told = f"Different pairs of neighbouring words over all pairs, in {count(one.words)} words of {plural(one.rows, 'row')} drawn by lot."
    return label, f"{one.two:.2f}", f"{told} English prose has 0.6 to 0.9; Korean, written in longer words, more."


def _one(one: Any) -> tuple[str, str | None]:
    if one is None:
        return "n/a", "Fewer than 1,000 words say nothing."
    return f"{one.one:.2f}", f"Different words over all words, in {count(one.words)} words of {plural(one.rows, 'row')} drawn by lot."


def _languages(version: Version) -> None:
    """The languages of a sample; their rows and mixed rows can be seen."""
    with st.spinner("Looking at languages"):
        mix = explore_cache.languages(version.dataset, version.id)
    with card("Languages", height="content"):
        known = mix.n - mix.undetermined
        told = [
            f"{share(one.share, max(30, known))} {one.name} ({share(one.low, 1000)} to {share(one.high, 1000)})" for one in mix.shares[:5]
        ]
        drawn = f"{count(mix.n)} rows drawn by lot" if mix.n < mix.of else plural(mix.n, "row")
        rest = f" {count(mix.undetermined)} are too short or unclear to tell." if mix.undetermined else ""
        st.text(", ".join(told) or "No language could be told")
        st.caption(f"Of {drawn}, with 95 % intervals.{rest} Hangul is Korean by its script; Latin letters are told by py3langid.")
        with st.container(horizontal=True, gap="small"):
            seen = [(one.name, mix.rows[one.language]) for one in mix.shares[1:4]] + ([("Mixed", mix.mixed)] if mix.mixed else [])
            for name, some in seen:
                help = "Rows in which two scripts each hold a quarter of the letters." if name == "Mixed" else None
                label = f"{name}: {plural(len(some), 'row')}"
                st.button(plain(label), key=f"explore_language_{name}", type="tertiary", help=help, icon=":material/filter_list:",
                          on_click=filters.add, args=(version, label, Filter(rows=some)))  # fmt: skip
