"""Curate: how many rows are left after each step, what leaks, what the text and the target became, the prompt on real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.curate.contrast import Outlines
from core.curate.steps import kind
from core.format import count, plural, unit_of
from core.io import previewing
from core.io.previewing import Preview
from core.version import Version
from ui import cache, charts, tables
from ui import curate_state as state
from ui.layout import card
from ui.state import guarded, plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

LONGEST = 640
"""Characters of a prompt that are shown."""


def rows_left_card(version: Version, seen: Preview, into: Any) -> None:
    """Bars from the source to the last step (click one for its rows), the leak gate, the sizes of the parts."""
    now = state.desk(version)
    on = [
        (place, step, one) for place, (step, one) in enumerate(zip(now.recipe.steps, seen.steps, strict=True)) if one.on and not one.error
    ]
    with card("Rows left", into=into):
        names = ["Source", *(kind(step.name).title for _, step, _ in on)]
        values = [seen.scaled(n) for n in (seen.rows, *(one.after for _, _, one in on))]
        fig = charts.bars(names, values, [count(n) for n in values], height=20 + 34 * len(names))
        places = [0, *(place + 1 for place, _, _ in on)]

        def chosen() -> None:
            points = st.session_state[charts.selection_key("curate_left")].selection.points
            now.at = (
                places[int(points[0]["customdata"] if not isinstance(points[0]["customdata"], list) else points[0]["customdata"][0])]
                if points
                else None
            )

        charts.show(fig, "curate_left", f"{count(values[-1])} of {count(values[0])} rows are left", select="points", on_select=chosen)
        if not seen.whole:
            st.caption(f"From {count(seen.rows)} rows spread evenly over {count(seen.total)}. Saving counts them all.")
        _gate(version, seen)


def _gate(version: Version, seen: Preview) -> None:
    if not seen.splits:
        st.caption("No split yet. Models are trained on one part of the rows and measured on another.")
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if not seen.splits.get("test"):
            st.markdown(":red[:material/cancel:] No test rows", width="content")
        elif seen.leaks.reasons:
            st.markdown(":red[:material/gpp_bad:] Test rows that are also in train", width="content")
            st.caption(plural(seen.leaks.test_rows, "row"), width="content")
        else:
            st.markdown(":green[:material/gpp_good:] No leak between train and test", width="content")
            st.caption("0 rows", width="content")
    st.caption(" · ".join(f"{count(seen.scaled(n))} {name}" for name, n in seen.splits.items()))


def below(version: Version, seen: Preview) -> None:
    """The rows a click asked for, then before and after, then the prompt."""
    now = state.desk(version)
    if now.dropped is not None and now.dropped < len(seen.steps):
        _dropped(version, seen, now.dropped)
    if now.at is not None and now.at <= len(now.recipe.steps):
        _rows_at(version, now.at)
    if now.recipe.on:
        _before_and_after(version, seen)
    with guarded():
        _prompt(version, seen)


def _dropped(version: Version, seen: Preview, place: int) -> None:
    gone = seen.steps[place].dropped
    if gone is None:
        return
    step = state.desk(version).recipe.steps[place]
    with card(f"Rows that leave with {kind(step.name).title}", control=lambda: _close(version, place)):
        st.caption(plain(" · ".join(f"{count(n)} {reason}" for reason, n in list(seen.steps[place].reasons.items())[:6])))
        table = cache.frame(version.dataset, version.id)
        first = [name for name in (version.roles.target, *version.roles.text) if name in table]
        order = [*first, *(name for name in table.columns if name not in first)]
        shown = table[order].iloc[gone["row"].head(500)].reset_index(drop=True)
        shown.insert(0, "why", gone["reason"].head(500).tolist())
        shown.insert(0, "row", (gone["row"].head(500) + 1).tolist())
        tables.rows(shown, "curate_dropped", height=280, alt=f"{len(gone)} rows that leave, with reasons")
        if len(gone) > 500:
            st.caption(f"The first 500 of {count(len(gone))}. The saved version keeps the whole list.")


def _close(version: Version, place: int) -> None:
    st.button(
        "Close", key="curate_dropped_close", type="tertiary", icon=":material/close:", on_click=state.show_dropped, args=(version, place)
    )


def _rows_at(version: Version, place: int) -> None:
    recipe = state.desk(version).recipe
    frame = previewing.rows_at(version, recipe, place)
    title = f"Rows after {kind(recipe.steps[place - 1].name).title}" if place else "Rows of the source"
    with card(title):
        st.caption(f"The first {count(min(200, len(frame)))} of {plural(len(frame), 'row')}")
        shown = frame.head(200)
        shown.insert(0, "row in the source", [number + 1 for number in shown.index.tolist()])
        tables.rows(shown.reset_index(drop=True), f"curate_at_{place}", height=280)


def _before_and_after(version: Version, seen: Preview) -> None:
    recipe = state.desk(version).recipe
    target = previewing.target_outlines(version, seen)
    tokens = previewing.token_outlines(version, recipe, seen)
    shown = [(name, one) for name, one in ((version.roles.target or "Target", target), ("Tokens", tokens)) if one]
    if not shown:
        return
    for column, (name, one) in zip(st.columns(2) if len(shown) > 1 else [st], shown, strict=True):
        with card(f"{name}, before and after", into=column):
            unit = unit_of(version.roles.target) if name != "Tokens" else "number"
            if isinstance(one, Outlines):
                charts.show(
                    outline_figure(one, unit), f"curate_{'tokens' if name == 'Tokens' else 'target'}", f"{name} before and after the recipe"
                )
            else:
                fig = charts.bars(list(one), [after for _, after in one.values()], [f"{count(b)} → {count(a)}" for b, a in one.values()])
                fig.update_layout(margin={"r": 96})
                charts.show(fig, "curate_target", f"{name} before and after the recipe")
            st.caption(":gray[**—**] before :blue[**—**] after" if isinstance(one, Outlines) else "rows before → after")


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


def _prompt(version: Version, seen: Preview) -> None:
    """The same question in training and in the test, on three rows."""
    recipe = state.desk(version).recipe
    rows = previewing.prompt_rows(version, recipe, seen)
    if not rows:
        return
    with card("The prompt on three rows", control=_which_prompt):
        training = st.session_state.get("curate_prompt") != "Test"
        for column, one in zip(st.columns(len(rows)), rows, strict=True):
            with column:
                st.code(_middle_out(one.training if training else one.test), language=None, wrap_lines=True)
                tokens = one.training_tokens if training else one.test_tokens
                st.caption(f"{count(tokens)} tokens" + ("" if training else ", answer hidden"))


def _middle_out(text: str) -> str:
    """A long prompt without its middle: its beginning and its end are what matters, and a box that scrolls is no help to a keyboard."""
    cut = len(text) - LONGEST
    return text if cut <= 0 else f"{text[: LONGEST // 2]} … {count(cut)} characters … {text[-LONGEST // 2 :]}"


def _which_prompt() -> None:
    options = ["Training", "Test"]
    st.segmented_control("Prompt", options, default=options[0], required=True, key="curate_prompt", label_visibility="collapsed")
