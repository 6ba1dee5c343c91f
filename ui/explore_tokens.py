"""Tokens: how long rows are for a model, and what a cut would keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.explore import distributions
from core.format import count, plural
from core.format import tokens as short_count
from core.version import Version
from ui import cache, charts
from ui.explore_send import send
from ui.layout import card, run_bar

TOKENIZERS = {
    "embedded": "SmolLM2 (the built-in model)",
    "o200k_base": "GPT-4o, GPT-4.1 (o200k)",
    "cl100k_base": "GPT-4, GPT-3.5 (cl100k)",
}


def view(version: Version) -> None:
    """Four numbers, the histogram with the cut greyed, the slider under it, and the run bar once there is a cut."""
    if not version.roles.text:
        st.caption("No column is Text: tokens are counted on the text. Choose it under *What should be predicted?* in Overview.")
        return
    figures = st.container()
    tokenizer = _chosen()
    with st.spinner(f"Counting tokens of {plural(version.rows, 'row')}"):
        lengths = cache.lengths(version.dataset, version.id, tokenizer)
    longest = max(1, int(lengths.max()))
    key = f"explore_cut_{version.id}_{tokenizer}"
    low, high = st.session_state.setdefault(key, (0, longest))
    with card("Tokens per row", control=_picker, height="content"):
        shape = distributions.histogram(lengths, 60)
        figure = charts.histogram(shape.edges, shape.counts, keep=(low, high), drag=True, height=230)
        figure.update_yaxes(visible=False)
        figure.update_xaxes(range=[0, longest])
        figure.update_layout(margin={"l": 6, "r": 6, "t": 6, "b": 0})
        place = f"explore_tokens_{version.id}_{tokenizer}_{low}_{high}"
        alt = f"Half of the rows have at most {count(float(_median(lengths)))} tokens, the longest {count(longest)}"
        charts.show(figure, place, alt, select="box", on_select=lambda: _dragged(place, key, longest))
        st.slider("Keep rows between", 0, longest, key=key)
        low, high = st.session_state[key]
        st.caption("Drag across the figure or move the handles. In Curate, rows below the cut leave and rows above it are shortened.")
    kept = distributions.kept(lengths, low, high)
    _numbers(version, kept, lengths, longest, figures)
    if kept.rows < kept.of_rows:
        gone = kept.of_rows - kept.rows
        told = f"{plural(gone, 'row falls', 'rows fall')} outside {count(low)} to {count(high)} tokens"
        pressed = run_bar(label="Send cut to Curate", key="explore_send_cut", icon=":material/content_cut:", text=told)
        if pressed:
            send(version, "windows", settings={"minimum": low, "maximum": high, "tokenizer": tokenizer})
            st.rerun()


def _chosen() -> str:
    default = "embedded" if cache.embedded_ready() else "o200k_base"
    return st.session_state.setdefault("explore_tokenizer", default)


def _picker() -> None:
    names = [name for name in TOKENIZERS if name != "embedded" or cache.embedded_ready()]
    st.selectbox("Tokenizer", names, key="explore_tokenizer", format_func=TOKENIZERS.__getitem__, label_visibility="collapsed", width=260,
                 help="Each model cuts text into its own pieces.")  # fmt: skip


def _dragged(place: str, key: str, longest: int) -> None:
    state = st.session_state.get(charts.selection_key(place))
    box = (state or {}).get("selection", {}).get("box") or []
    if box:
        low, high = sorted(round(float(x)) for x in box[0]["x"])
        st.session_state[key] = (max(0, min(low, longest)), max(0, min(high, longest)))


def _median(lengths: np.ndarray) -> float:
    return float(sorted(lengths.tolist())[(len(lengths) - 1) // 2])


def _numbers(version: Version, kept: distributions.Kept, lengths: np.ndarray, longest: int, into: Any) -> None:
    first, second, third, fourth = into.columns(4)
    gone = kept.of_rows - kept.rows
    delta = f"−{count(gone)} of {count(kept.of_rows)}" if gone else f"all of {count(kept.of_rows)}"
    style = {"border": True, "delta_color": "off", "delta_arrow": "off"}
    first.metric("Rows kept", count(kept.rows), delta, **style)
    second.metric(
        "Tokens kept", short_count(kept.tokens), f"of {short_count(kept.of_tokens)}", help="A token is a word or a piece of one.", **style
    )
    third.metric("Median", count(_median(lengths)), "tokens a row", **style)
    fourth.metric("Longest", count(longest), f"row {count(int(lengths.argmax()) + 1)}", **style)
