"""Baselines, view More rows: the learning curve of the chosen model, and what it may and may not say about more training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import format as fmt
from core.errors import SettingsError
from core.evaluate.curve import BEYOND, Curve, sizes_of
from core.evaluate.metrics import metric
from core.io import curves
from core.io import jobs as work
from core.predict.registry import PREDICTORS
from core.version import Version
from ui import charts, jobs
from ui.baselines_ladder import Ranked
from ui.state import guarded, plain


def learning_curve(version: Version, one: Ranked) -> None:
    """Measured: figure and sentence. Else what it would take, and the button."""
    name, settings = one.evaluation.predictor, dict(one.evaluation.settings)
    with st.container(border=True):
        if name not in PREDICTORS or "complete" in PREDICTORS[name].needs:
            st.caption("A learning curve is for models that are trained on these rows here. Choose one of the classical ones.")
            return
        job = _job(version, name)
        if job and job.alive:
            jobs.watch(job.id, "baselines_curve")
            return
        if job and job.error:
            jobs.show_failure(job)
        with guarded():
            found = curves.load(version, name, settings)
            if found is None:
                _offer(version, one, settings)
                return
            _draw(version, *found)


def _job(version: Version, name: str) -> work.Job | None:
    """The newest curve job of this model on this version."""
    mine = (job for job in work.all_jobs(version.dataset, "curve") if job.request.get("version") == version.id)
    return next((job for job in mine if job.request.get("name") == name), None)


def _offer(version: Version, one: Ranked, settings: dict[str, Any]) -> None:
    train = version.splits.get("train", 0)
    about = one.evaluation.fit_seconds + one.evaluation.predict_seconds
    try:
        sizes_of(train, curves.POINTS)
    except SettingsError as error:
        st.caption(plain(str(error)))
        return
    st.markdown("Would more training rows help?")
    st.caption(
        f"The model is trained again on parts of the {fmt.plural(train, 'train row')}, from a 32nd up, each part with {curves.SEEDS} "
        f"seeds, and asked the same test rows. At most {fmt.duration(about * curves.POINTS * curves.SEEDS, about=True)}."
    )
    if st.button("Measure the learning curve", key="baselines_curve_start", icon=":material/show_chart:"):
        request = {"dataset": version.dataset, "version": version.id, "name": one.evaluation.predictor, "settings": settings}
        work.start("curve", request, title=f"Learning curve: {one.evaluation.title}", dataset=version.dataset)
        st.rerun()


def _draw(version: Version, found: Curve, kept: dict[str, Any]) -> None:
    headline = metric(kept["metric"])
    unit = fmt.unit_of(version.roles.target) if headline.unit == "target" else headline.unit
    said = sentence(found, unit, headline.title)
    st.markdown(plain(said))
    charts.show(figure(found, unit), "baselines_curve", alt=said)
    rows = fmt.plural(kept["test_rows"], "test row")
    st.caption(
        f"{headline.title} on the same {rows}. Dots: one training each, {len(found.values)} seeds a size."
        + (
            " Line: the curve through their means, between thin ones its 95 % band (the luck of the draw of train rows, not of test "
            f"rows); dashed beyond {fmt.count(found.sizes[-1])} rows."
            if found.fit
            else ""
        )
    )


def sentence(found: Curve, unit: str, title: str) -> str:
    """What the curve says about more rows, or why it says nothing."""
    last = found.sizes[-1]
    now = float(np.mean(found.values[:, -1]))
    if found.fit is None:
        return f"{title} with all {fmt.count(last)} rows: {fmt.metric(unit, now)}. No curve is drawn: {found.why_not}"
    value, low, high = found.at(found.farthest)
    gain = abs(found.at(last)[0] - value)
    ends = fmt.interval(low, high, unit, prose=True)
    half = found.rows_for(gain / 2)
    way = f" Half of that gain is there at about {fmt.count(round(half, 2 - len(str(round(half)))))}." if half else ""
    return (
        f"With {BEYOND} times the rows ({fmt.count(found.farthest)}) about {fmt.metric(unit, value)} {ends} instead of "
        f"{fmt.metric(unit, found.at(last)[0])}.{way} Nothing is said beyond that."
    )


def figure(found: Curve, unit: str) -> Any:
    """Dots per training, the curve with its band; logarithmic in rows."""
    import plotly.graph_objects as go

    last = found.farthest if found.fit is not None else found.sizes[-1]
    ticks = row_ticks(found.sizes, last)
    across = {**charts.AXIS, "type": "log", "title": {"text": "Training rows"}, "showgrid": False,
              "range": [float(np.log10(found.sizes[0] / 1.15)), float(np.log10(last * 1.15))],
              "tickvals": ticks, "ticktext": [fmt.count(one) for one in ticks]}  # fmt: skip
    fig = charts.figure(320, xaxis=across, yaxis={**charts.AXIS, "gridcolor": charts.GRID, **charts.axis(unit)})
    if found.fit is not None:
        grid = np.geomspace(found.sizes[0], found.farthest, 60)
        values, lows, highs = (np.array(part) for part in zip(*[found.at(size) for size in grid], strict=True))
        edge = {"mode": "lines", "line": {"width": 1, "color": charts.CLASSICAL}, "opacity": 0.35, "hoverinfo": "skip"}
        fig.add_trace(go.Scatter(x=grid, y=highs, **edge))
        fig.add_trace(go.Scatter(x=grid, y=lows, **edge))
        for part, dash in ((grid <= found.sizes[-1], "solid"), (grid >= found.sizes[-1] * 0.97, "dash")):
            line = {"color": charts.CLASSICAL, "width": 2, "dash": dash}
            fig.add_trace(go.Scatter(x=grid[part], y=values[part], mode="lines", line=line, hoverinfo="skip"))
    sizes = np.tile(found.sizes, len(found.values))
    dots = found.values.ravel()
    labels = [f"{fmt.count(int(size))} rows: {fmt.metric(unit, value)}" for size, value in zip(sizes, dots, strict=True)]
    marker = {"color": charts.CLASSICAL, "size": 8, "opacity": 0.75}
    fig.add_trace(go.Scatter(x=sizes, y=dots, mode="markers", marker=marker, hovertext=labels, hoverinfo="text"))
    return fig


def row_ticks(sizes: Sequence[int], last: int) -> list[int]:
    """The sizes that were trained on, and the last of the axis; every other one where there are many."""
    kept = list(sizes)[::-1][:: 2 if len(sizes) > 6 else 1][::-1]
    return [*kept, *([last] if last > kept[-1] else [])]
