"""Tokens: how long rows are in tokens, words or characters, and what a cut would keep."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.format import count, plural
from core.format import tokens as short_count
from core.io import numbers
from core.io.profiling import MEASURES, Counted
from core.io.query import Filter
from core.version import Version
from ui import charts, explore_cache, explore_figures, explore_python
from ui import explore_filters as filters
from ui.explore_rows import browser
from ui.explore_send import send
from ui.explore_tokenizers import SHIPPED, chosen, counting, picker, settle
from ui.layout import card, run_bar

NAMES = {"tokens": "Tokens", "words": "Words", "characters": "Characters"}


def view(version: Version) -> None:
    """Four numbers, the figure with the cut greyed, the slider under it, the rows it leaves, and the run bar once there is a cut."""
    if not version.roles.text:
        st.caption("No column is Text: tokens are counted on the text. Choose it under *What should be predicted?* in Overview.")
        return
    explore_cache.prepare(version)
    figures = st.container()
    settle()
    measure, tokenizer = _measure(), chosen()
    with st.spinner(f"Counting {measure} of {plural(version.rows, 'row')}"):
        found: Counted = explore_cache.lengths(version, measure, tokenizer)
    lengths = found.lengths
    longest = max(1, lengths.longest)
    key = f"explore_cut_{version.id}_{measure}_{tokenizer if measure == 'tokens' else ''}"
    low, high = _cut(key, longest)
    kind = st.session_state.get("explore_tokens_figure") or "Histogram"
    with card(f"{NAMES[measure]} per row", control=lambda: _controls(measure), height="content"):
        if kind == "Histogram":
            shape = lengths.histogram(60)
            figure = charts.histogram(shape.edges, shape.counts, keep=(low, high), drag=True, height=230)
            figure.update_layout(yaxis={"visible": False}, xaxis={"range": [0, longest]}, margin={"l": 6, "r": 6, "t": 6, "b": 0})
        else:
            figure = explore_figures.curve(*lengths.curve(), (low, high), longest)
            figure.update_layout(xaxis={"range": [0, longest]}, margin={"l": 6, "r": 6, "t": 6, "b": 0})
        place = f"explore_tokens_{key}_{low}_{high}_{kind}"
        alt = f"Half of the rows have at most {count(lengths.quantile(0.5))} {measure}, the longest {count(longest)}"
        charts.show(figure, place, alt, select="box", on_select=lambda: _dragged(place, key, longest))
        st.slider("Keep rows between", 0, longest, key=key)
        low, high = st.session_state[key]
        st.caption("Drag across the figure or move the handles. In Curate, rows below the cut leave and rows above it are shortened.")
        if not lengths.whole:
            counting(version, found, tokenizer)
    _numbers(found, measure, low, high, figures)
    _rows(version, measure, tokenizer, low, high, longest)
    explore_python.copied(explore_python.lengths(version, measure, tokenizer, low, high), "tokens")
    kept = lengths.kept(low, high)
    if kept.rows < kept.of_rows and measure == "tokens":
        _send(version, tokenizer, low, high, kept.of_rows - kept.rows)


def _measure() -> str:
    return st.session_state.get("explore_length_measure") or "tokens"


def _controls(measure: str) -> None:
    with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center"):
        st.segmented_control("Figure", ["Histogram", "Cumulative"], default="Histogram", required=True, key="explore_tokens_figure",
                             label_visibility="collapsed")  # fmt: skip
        st.selectbox("Length in", list(NAMES), key="explore_length_measure", format_func=NAMES.__getitem__, label_visibility="collapsed",
                     width=125)  # fmt: skip
        if measure == "tokens":
            picker()


def _cut(key: str, longest: int) -> tuple[int, int]:
    """The cut, inside what there is: a count of all rows may find longer ones than a sample had."""
    seen = f"{key}_longest"
    low, high = st.session_state.get(key, (0, longest))
    if high >= st.session_state.get(seen, longest):
        high = longest
    st.session_state[seen] = longest
    st.session_state[key] = (min(low, longest), min(high, longest))
    return st.session_state[key]


def _dragged(place: str, key: str, longest: int) -> None:
    state = st.session_state.get(charts.selection_key(place))
    box = (state or {}).get("selection", {}).get("box") or []
    if box:
        low, high = sorted(round(float(x)) for x in box[0]["x"])
        st.session_state[key] = (max(0, min(low, longest)), max(0, min(high, longest)))


def _rows(version: Version, measure: str, tokenizer: str, low: int, high: int, longest: int) -> None:
    """The rows the cut leaves, or those it takes away."""
    cut = low > 0 or high < longest
    known = measure == "characters" or numbers.is_counted(version, tokenizer if measure == "tokens" else numbers.DEFAULT)
    if cut and not known:
        st.caption("Which rows fall outside is known once all rows are counted.")
        return
    outside = cut and st.segmented_control("Rows", ["Rows that stay", "Rows that fall outside"], default="Rows that stay", required=True,
                                           key="explore_tokens_side", label_visibility="collapsed") == "Rows that fall outside"  # fmt: skip
    column = MEASURES[measure] + (f"@{tokenizer}" if measure == "tokens" and tokenizer != numbers.DEFAULT else "")
    found = filters.strip(version, *([Filter(column, low, high, outside=outside)] if cut else []))
    browser(version, found, f"explore_tokens_rows_{low}_{high}_{outside}")


def _send(version: Version, tokenizer: str, low: int, high: int, gone: int) -> None:
    """The bar that takes the cut to Curate."""
    known = tokenizer in SHIPPED
    told = f"{plural(gone, 'row falls', 'rows fall')} outside {count(low)} to {count(high)} tokens"
    if not known:
        told += ". Curate cuts with the tokenizers that come with the studio: choose one of them"
    pressed = run_bar(label="Send cut to Curate", key="explore_send_cut", icon=":material/content_cut:", text=told, disabled=not known,
                      state="Ready" if known else "Not ready")  # fmt: skip
    if pressed:
        send(version, "windows", settings={"minimum": low, "maximum": high, "tokenizer": tokenizer})
        st.rerun()


def _numbers(found: Counted, measure: str, low: int, high: int, into: Any) -> None:
    first, second, third, fourth = into.columns(4)
    lengths, kept = found.lengths, found.lengths.kept(low, high)
    gone = kept.of_rows - kept.rows
    margin = lengths.margin(low, high)
    give = f" ± {short_count(margin * kept.of_rows)}" if margin and gone else ""
    delta = f"−{short_count(gone)}{give} of {short_count(kept.of_rows)}" if gone else f"all of {count(kept.of_rows)}"
    style = {"border": True, "delta_color": "off", "delta_arrow": "off"}
    first.metric("Rows kept", count(kept.rows) if kept.rows < 1_000_000 else short_count(kept.rows), delta, **style)
    about = "" if lengths.whole else "about "
    told = "A token is a word or a piece of one." if measure == "tokens" else None
    second.metric(f"{NAMES[measure]} kept", about + short_count(kept.tokens), f"of {short_count(kept.of_tokens)}", help=told, **style)
    third.metric("Median", count(lengths.quantile(0.5)), f"{measure} a row", **style)
    fourth.metric(
        "Longest", count(lengths.longest), f"row {count(found.longest_row + 1)}" + ("" if lengths.whole else ", of the sample"), **style
    )
