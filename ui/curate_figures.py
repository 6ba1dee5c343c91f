"""Curate: a column and the tokens of the text before and after the recipe, or one step of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from core.curate.contrast import Outlines
from core.curate.recipe import Recipe
from core.curate.steps import kind
from core.format import count, unit_of
from core.io import inspecting
from core.io.inspecting import Change
from core.io.previewing import Preview
from core.version import Version
from ui import charts
from ui import curate_state as state
from ui.layout import card
from ui.state import plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

WHOLE = "The whole recipe"


def before_and_after(version: Version, seen: Preview) -> None:
    """Target or category beside tokens; the steps to look at are chosen above them."""
    recipe = state.desk(version).recipe
    first, last, what = _span(version, seen, recipe)
    columns = [name for name in (version.roles.target, version.roles.category) if name and version.task != "qa"]
    changes = {name: one for name in columns if (one := inspecting.change_of(version, recipe, name, first, last))}
    tokens = inspecting.token_change(version, recipe, first, last)
    if not changes and not tokens:
        return
    with card("Before and after", control=lambda: _choose(version, seen, recipe), key="curate_before_after"):
        sides = st.columns(2) if changes and tokens else [st.container()]
        if changes:
            with sides[0].container(gap="xsmall"):
                name = next(iter(changes))
                if len(changes) > 1:
                    name = str(st.segmented_control("Column", list(changes), default=name, required=True, key="curate_figure_column",
                                                    format_func=plain, label_visibility="collapsed"))  # fmt: skip
                else:
                    st.markdown(f"**{plain(name)}**")
                _show(changes[name], "curate_target", f"{name} before and after {what}", unit_of(name), seen)
        if tokens:
            with sides[-1].container(gap="xsmall"):
                st.markdown("**Tokens of the text**")
                _show(tokens, "curate_tokens", f"Tokens before and after {what}", "number", seen)


def _places(seen: Preview) -> list[int]:
    """The steps that ran."""
    return [place for place, one in enumerate(seen.steps) if one.on and not one.error]


def _choose(version: Version, seen: Preview, recipe: Recipe) -> None:
    options = [-1, *_places(seen)]
    st.selectbox("Steps", options, key=_key(version), label_visibility="collapsed", width=240,
                 format_func=lambda place: WHOLE if place < 0 else f"{place + 1}. {kind(recipe.steps[place].name).title}")  # fmt: skip


def _key(version: Version) -> str:
    return f"curate_figure_{version.id}_{state.desk(version).turn}"


def _span(version: Version, seen: Preview, recipe: Recipe) -> tuple[int, int, str]:
    """The steps that are compared (behind `first` and behind `last`) and their name: what was chosen, else the step whose form is open."""
    place = st.session_state.get(_key(version))
    if place is None:
        form = state.desk(version).form
        place = form if form in _places(seen) else -1
        st.session_state[_key(version)] = place
    if place < 0 or place not in _places(seen):
        return 0, len(recipe.steps), "the recipe"
    return place, place + 1, kind(recipe.steps[place].name).title


def _show(one: Change, key: str, alt: str, unit: str, seen: Preview) -> None:
    if isinstance(one, Outlines):
        charts.show(outline_figure(one, unit), key, alt)
        st.caption(":gray[**—**] before :blue[**—**] after")
    else:
        charts.show(pair_figure(one, seen), key, alt)
        st.caption(":gray[**■**] before :blue[**■**] after")


def outline_figure(one: Outlines, unit: str) -> go.Figure:
    """Two outlines on one axis: before in grey, after in blue."""
    import plotly.graph_objects as go

    fig = charts.figure(200)
    for counts, color, width in ((one.before, charts.TRIVIAL, 1.5), (one.after, charts.CLASSICAL, 2)):
        line = {"color": color, "width": width, "shape": "hv"}
        fill = "tozeroy" if color == charts.CLASSICAL else None
        hover = "%{x:,.4~g}: %{y:,} rows<extra></extra>"
        fig.add_trace(
            go.Scatter(x=list(one.edges), y=[*counts, counts[-1]], mode="lines", line=line, fill=fill, opacity=0.9, hovertemplate=hover)
        )
    fig.update_xaxes(type="log" if one.log else "linear", nticks=6, **charts.axis(unit))
    fig.update_yaxes(rangemode="tozero", nticks=4)
    return fig


def pair_figure(one: Mapping[str, tuple[int, int]], seen: Preview) -> go.Figure:
    """Two bars for each value: before wide and grey, after narrow and blue on it."""
    pairs = [(seen.scaled(before), seen.scaled(after)) for before, after in one.values()]
    fig = charts.bars(list(one), [before for before, _ in pairs], [f"{count(b)} → {count(a)}" for b, a in pairs], color=charts.TRIVIAL)
    after = charts.bars(list(one), [after for _, after in pairs], ["" for _ in pairs]).data[0]
    after.update(width=0.34, hoverinfo="skip")
    fig.data[0].update(opacity=0.45)
    fig.add_trace(after)
    fig.update_layout(barmode="overlay", margin={"r": 104})
    return fig
