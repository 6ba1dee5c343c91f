"""Baselines: the ladder of everything that answered the test rows, and which model is chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core import format as fmt
from core.evaluate.intervals import Measured
from core.evaluate.metrics import METRICS
from core.evaluation import Evaluation
from core.io import jobs as work
from core.task import task
from core.version import Version
from ui import boards, cache, charts
from ui.layout import card
from ui.state import plain

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Ranked:
    """One model on the ladder."""

    evaluation: Evaluation
    values: Mapping[str, Measured]


def found(version: Version) -> list[Ranked]:
    """Everything that answered this version's test rows, the best by the headline first."""
    headline = METRICS[task(version.task or "chat").headline]

    def order(one: Ranked) -> tuple[float, str]:
        value = one.values[headline.name].value if headline.name in one.values else math.nan
        return (headline.rank(value) if math.isfinite(value) else math.inf, one.evaluation.title)

    return sorted((Ranked(*pair) for pair in cache.ranked(version.dataset, version.id)), key=order)


def unit_of(version: Version, name: str) -> str:
    """The unit a metric's value is shown in."""
    unit = METRICS[name].unit
    return fmt.unit_of(version.roles.target) if unit == "target" else unit


def title_of(version: Version, name: str) -> str:
    return METRICS[name].title + (" in dollars" if unit_of(version, name) == "usd" else "")


def chosen(ranked: list[Ranked]) -> Ranked:
    """The model that is looked into: the one that was clicked, else the best."""
    wanted = st.session_state.get("baselines_model")
    return next((one for one in ranked if one.evaluation.id == wanted), ranked[0])


def ladder_card(version: Version, ranked: list[Ranked], as_table: Callable[[Version, list[Ranked], str], None]) -> None:
    """Metric picker, ladder, key; or the same as a table. A click on a dot chooses the model."""
    names = [name for name in task(version.task or "chat").metrics if all(name in one.values for one in ranked)]
    if st.session_state.get("baselines_metric") not in names:
        st.session_state.pop("baselines_metric", None)
    name = st.session_state.get("baselines_metric", names[0])

    def picker() -> None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.segmented_control("Shown as", ["Ladder", "Table"], default="Ladder", required=True, key="baselines_shown",
                                 label_visibility="collapsed")  # fmt: skip
            st.selectbox("Metric", names, key="baselines_metric", format_func=lambda one: METRICS[one].title, label_visibility="collapsed",
                         width=190)  # fmt: skip

    with card(title_of(version, name), control=picker, help=METRICS[name].meaning):
        shown = sorted(ranked, key=lambda one: _rank(one, name))
        if st.session_state.get("baselines_shown") == "Table":
            as_table(version, shown, name)
            return
        _draw(version, shown, name)
        least, most = min(one.evaluation.n for one in ranked), max(one.evaluation.n for one in ranked)
        fewer = f" Intervals are wider where fewer rows were answered: {fmt.count(least)} to {fmt.count(most)}." if least < most else ""
        st.caption(charts.FAMILY_KEY + " Shaded: the best one's interval. Dotted: the constant. Click a model to look inside." + fewer)
        if line := boards.clean(version.dataset, version.id):
            st.caption(plain(line))


def _rank(one: Ranked, name: str) -> float:
    value = one.values[name].value
    return METRICS[name].rank(value) if math.isfinite(value) else math.inf


def _draw(version: Version, shown: list[Ranked], name: str) -> None:
    unit = unit_of(version, name)
    rungs = [rung(one, name) for one in shown]
    constants = [one.values[name].value for one in shown if _is_constant(one)]
    key = f"baselines_ladder_{name}"

    def click() -> None:
        place = charts.clicked(key)
        if place is not None and place < len(shown):
            st.session_state["baselines_model"] = shown[place].evaluation.id
            st.session_state.pop("baselines_rows", None)

    best = shown[0]
    said = f"{best.evaluation.title} is first of {len(shown)}: {fmt.metric(unit, best.values[name].value, best.evaluation.n)}"
    fig = charts.ladder(rungs, unit, best=rungs[0].title, constant=constants[0] if constants else None)
    charts.show(fig, key, said, select="points", on_select=click)


def _is_constant(one: Ranked) -> bool:
    return one.evaluation.family == "trivial" and one.evaluation.predictor != "random"


def rung(one: Ranked, name: str) -> charts.Rung:
    """A model as a row of the ladder."""
    value = one.values[name]
    return charts.Rung(one.evaluation.title, one.evaluation.family, value.value, value.low, value.high)


def before(version: Version) -> None:
    """Nothing has answered yet: what a run would tell."""
    with card("No baselines yet"):
        st.caption(
            "A constant, words counted, trees and neighbours answer the same test rows, each with its 95 % interval. "
            "What they reach for free is what a language model has to beat."
        )


def table(ranked: list[Ranked]) -> pd.DataFrame:
    """The ladder as a table: one line per model and metric."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"model": one.evaluation.title, "family": one.evaluation.family, "metric": name, "value": value.value, "low": value.low,
             "high": value.high, "n": value.n, "fit_seconds": one.evaluation.fit_seconds, "predict_seconds": one.evaluation.predict_seconds}
            for one in ranked
            for name, value in one.values.items()
        ]
    )  # fmt: skip


def failures(job: work.Job) -> None:
    """Predictors that failed, each with its reason."""
    for figure in job.figures.values():
        if isinstance(figure, Mapping) and figure.get("state") == "failed":
            st.markdown(f":red[:material/cancel:] **{plain(figure.get('title', ''))}** {plain(figure.get('reason', ''))}")
