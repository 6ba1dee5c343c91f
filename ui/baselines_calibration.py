"""Baselines, view How sure: rows that are about equally sure, and how many of them are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core import format as fmt
from core.evaluate.answers import Answers
from core.evaluate.calibration import Reliability, reliability
from core.version import Version
from ui import charts
from ui.baselines_ladder import Ranked

HEIGHT = 330


def how_sure(version: Version, one: Ranked, answers: Answers, table: Any) -> None:
    """On the dashed line the model is as often right as it says. Click a dot to see its rows."""
    found = reliability(answers)
    if found is None:
        st.caption("This model does not say how likely its answers are. Logistic models, forests, boosted trees and support vector "
                   "machines do; what a language model says about itself in words is no probability.")  # fmt: skip
        return
    key = f"baselines_sure_{one.evaluation.id}"

    def keep() -> None:
        place = charts.clicked(key)
        if place is not None:
            chosen = np.flatnonzero(found.place == place)
            st.session_state["baselines_rows"] = table["place"].iloc[chosen].astype(int).tolist()

    charts.show(_drawn(found), key, found.sentence, select="points", on_select=keep)
    stated = [f"{title} {fmt.number(one.values[name].value)} {fmt.interval(one.values[name].low, one.values[name].high, prose=True)}"
              for name, title in (("brier", "Brier"), ("log_loss", "log loss")) if name in one.values]  # fmt: skip
    st.caption(f"{found.sentence} {'; '.join(stated)}{'; 0 is perfect. ' if stated else ''}{_sizes(found)} Click a dot to see its rows.")


def _sizes(found: Reliability) -> str:
    """How many rows a dot stands for."""
    least, most = min(one.n for one in found.bins), max(one.n for one in found.bins)
    return f"{fmt.plural(most, 'row')} a dot." if least == most else f"{fmt.count(least)} to {fmt.plural(most, 'row')} a dot."


def _drawn(found: Reliability) -> Any:
    import plotly.graph_objects as go

    fig = charts.figure(HEIGHT)
    fig.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": charts.INK, "width": 1, "dash": "dot"}, hoverinfo="skip"))
    bins = found.bins
    fig.add_trace(
        go.Scatter(
            x=[one.sure for one in bins],
            y=[one.right for one in bins],
            mode="lines+markers",
            line={"color": charts.CLASSICAL, "width": 1},
            marker={"color": charts.CLASSICAL, "size": 10},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [one.high - one.right for one in bins],
                "arrayminus": [one.right - one.low for one in bins],
                "color": charts.CLASSICAL,
                "thickness": 1,
                "width": 0,
            },
            customdata=list(range(len(bins))),
            hovertext=[
                f"{fmt.share(one.sure)} sure, {fmt.share(one.right, one.n)} right ({fmt.interval(one.low, one.high, 'share')}), "
                f"{fmt.plural(one.n, 'row')}"
                for one in bins
            ],
            hoverinfo="text",
            unselected={"marker": {"opacity": 0.5}},
        )
    )
    low = max(0.0, min(one.sure for one in bins) - 0.08)
    fig.update_xaxes(title="How sure", range=[low, 1.06], showgrid=True, gridcolor=charts.GRID, **charts.axis("share"))
    fig.update_yaxes(title="Share right", range=[-0.02, 1.02], **charts.axis("share"))
    return fig
