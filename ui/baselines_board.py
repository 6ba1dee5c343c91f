"""Baselines: the ladder as a table: every model against a pinned one, what it could read, and what time it takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import format as fmt
from core.compare.beside import beside
from core.compare.board import Pair
from core.evaluate.metrics import METRICS
from core.io import evaluations as kept
from core.io import testing
from core.version import Version
from ui import cache
from ui.baselines_ladder import Ranked, unit_of
from ui.state import plain

if TYPE_CHECKING:
    import pandas as pd

SHAPE = {"trivial": "○", "classical": "■", "prompted": "◆", "tuned": "●", "people": "▲"}
"""Family -> its shape in words."""


def board(version: Version, ranked: list[Ranked], name: str) -> None:
    """One line a model: value, interval, against the pinned model, coverage, rows, time to fit and for a thousand predictions."""
    ids = [one.evaluation.id for one in ranked]
    titles = {one.evaluation.id: one.evaluation.title for one in ranked}
    pinned = st.selectbox("Pinned", ids, index=ids.index(first_pin(ranked)), key=f"baselines_pin_{version.id}", icon=":material/push_pin:",
                          format_func=lambda id: f"against {titles[id]}", label_visibility="collapsed", width=320)  # fmt: skip
    with st.spinner("Comparing row by row"):
        pairs = _pairs(version.dataset, version.id, pinned, name, kept.stamp(version.dataset))
    st.dataframe(table(version, ranked, name, pinned, pairs), key=f"baselines_board_{name}", hide_index=True, width="stretch",
                 height="content", placeholder="n/a", alt=f"{len(ranked)} models with their differences and times")  # fmt: skip
    told = [pair for pair in pairs.values() if pair.comparisons > 1]
    adjusted = f", Holm-adjusted over {told[0].comparisons} comparisons" if told else ""
    st.caption(
        plain(
            f"Differences are paired on the rows both answered{adjusted}; intervals are 95 %. Read: answers that could be read; "
            "the others are counted as wrong, never left out. Fit and answering were timed on this machine."
        )
    )


def first_pin(ranked: list[Ranked]) -> str:
    """The model that others are compared with before anybody chooses: the best constant, else the last of the ladder."""
    trivial = [one for one in ranked if one.evaluation.family == "trivial"]
    return (trivial[0] if trivial else ranked[-1]).evaluation.id


@st.cache_data(max_entries=16, show_spinner=False)
def _pairs(dataset: str, version: str, pinned: str, name: str, stamp: Any) -> dict[str, Pair]:
    from core.io import store

    ones = [one for one, _ in cache.ranked(dataset, version)]
    reference = next(one for one in ones if one.id == pinned)
    others = [one for one in ones if one.id != pinned]
    return beside(others, reference, name=name, groups=testing.groups(store.version(dataset, version)))


def table(version: Version, ranked: list[Ranked], name: str, pinned: str, pairs: dict[str, Pair]) -> pd.DataFrame:
    """What `board` shows, as text."""
    import pandas as pd

    unit = unit_of(version, name)
    lines = []
    for one in ranked:
        made, value = one.evaluation, one.values[name]
        read = made.answers["status"].tolist().count("ok") / max(made.n, 1)
        lines.append({
            "Model": f"{SHAPE.get(made.family, '')} {made.title}",
            METRICS[name].title: fmt.metric(unit, value.value, value.n),
            "95 % interval": fmt.interval(value.low, value.high, unit),
            "Against the pinned": "pinned" if made.id == pinned else against(pairs.get(made.id), unit),
            "Read": fmt.share(read, made.n), "Rows": made.n,
            "Fit": fmt.duration(made.fit_seconds) if made.train_rows or made.fit_seconds else "none",
            "Per 1,000": fmt.duration(1000 * made.predict_seconds / made.n) if made.predict_seconds and made.n else "n/a",
        })  # fmt: skip
    return pd.DataFrame(lines)


def against(pair: Pair | None, unit: str) -> str:
    """ "−$23.9 [−32.4, −18.2] better", or that there is nothing to compare."""
    if pair is None or not math.isfinite(pair.difference):
        return "n/a"
    sign = "+" if pair.difference > 0 else ""
    if unit == "share":
        ends = ", ".join(fmt.signed(f"{100 * end:.1f}") for end in (pair.low, pair.high)) if math.isfinite(pair.low) else "n/a"
        return f"{sign}{fmt.signed(f'{100 * pair.difference:.1f}')} points [{ends}] {pair.verdict}"
    return f"{sign}{fmt.metric(unit, pair.difference)} {fmt.interval(pair.low, pair.high, unit, prose=True)} {pair.verdict}"
