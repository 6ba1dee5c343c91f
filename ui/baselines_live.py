"""Baselines while a job runs: how far each predictor is, the ladder as it fills, and the rows of the one at work as they are answered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.evaluate.answers import Answers, answers_of, confusion, make_answers
from core.evaluate.inside import judged, misses
from core.evaluate.metrics import METRICS
from core.evaluate.running import running
from core.io import evaluations
from core.io import jobs as work
from core.io.asking import titled
from core.io.baselines import told_rows
from core.predict.registry import PREDICTORS
from core.task import labels_of, task
from core.version import Version
from ui import baselines_hits as hits
from ui import baselines_points as points
from ui import cache, charts
from ui.baselines_ladder import Ranked, rung, title_of, unit_of
from ui.baselines_views import coloured
from ui.layout import card
from ui.state import plain

LINES = 60
"""Rows of the log, the newest first."""
POINTS = 1_000
"""Points of the live figure at most."""


def live_card(version: Version, job_id: str, ranked: list[Ranked]) -> None:
    """The ladder while a job runs, and the answers of the predictor that is at work or was last done."""
    job = work.read(job_id)
    if not job.alive:
        st.rerun(scope="app")
    name = task(version.task or "chat").headline
    with card(title_of(version, name), help=METRICS[name].meaning):
        st.progress(_share(job), text=plain(progress_line(job)))
        _ladder(version, job, ranked, name)
        st.caption(charts.FAMILY_KEY)
    seen = _focus(version, job)
    if seen is not None:
        _answers(version, seen)


def progress_line(job: work.Job) -> str:
    """ "SmolLM2 prompted, row 96 of 250 · 3 of 9 done · 41 s gone, about 2 min left" """
    parts = [job.message or "Starting", *([f"{job.step} of {job.total} done"] if job.total else [])]
    left = time_left(job)
    gone = f"{fmt.duration(job.seconds)} gone" if job.seconds >= 1 else ""
    ahead = f"{fmt.duration(left, about=True)} left" if left is not None else ""
    return " · ".join([*parts, *([", ".join(part for part in (gone, ahead) if part)] if gone or ahead else [])])


def time_left(job: work.Job) -> float | None:
    """Seconds to go: by the pace of the predictors that are done, and by its own pace of one that tells its rows; before that by the
    estimate; None when nothing is known."""
    figure = _at_work(job)
    share, began = float(figure.get("share") or 0.0), figure.get("began")
    own = (time.time() - float(began)) * (1 - share) / share if began and share > 0 else None
    if own is None:
        estimate = float(job.request.get("estimate") or 0.0)
        return job.left if job.left is not None else estimate - job.seconds if estimate > job.seconds else None
    waiting = job.total - job.step - 1
    return own + (job.left or 0.0) * waiting / (waiting + 1)


def _at_work(job: work.Job) -> Mapping[str, Any]:
    return next((one for one in job.figures.values() if isinstance(one, Mapping) and one.get("state") == "working"), {})


def _share(job: work.Job) -> float:
    part = float(_at_work(job).get("share") or 0.0)
    return min(1.0, (job.step + part) / job.total) if job.total else 0.0


def _ladder(version: Version, job: work.Job, ranked: list[Ranked], name: str) -> None:
    """Who answered before, then one row per predictor in the order asked for; beside those without a number stands how they are."""
    asked = job.request.get("names", [])
    earlier = [one for one in ranked if one.evaluation.predictor not in asked and name in one.values]
    rungs = [rung(one, name) for one in earlier] + [_live_rung(job.figures[one]) for one in asked if _is_measured(job.figures.get(one))]
    waiting = [one for one in asked if not _is_measured(job.figures.get(one))]
    if not rungs:
        st.skeleton(height=40 + 30 * max(job.total, 1))
        return
    fig: Any = charts.ladder(rungs, unit_of(version, name))
    names = [*fig.layout.yaxis.categoryarray[::-1], *[_axis_name(one, job) for one in waiting]]
    fig.update_layout(height=max(130, 40 + 30 * len(names)))
    fig.update_yaxes(categoryarray=names[::-1], range=[-0.5, len(names) - 0.5])
    for one in waiting:
        state = (job.figures.get(one) or {}).get("state", "waiting")
        fig.add_annotation(x=1, xref="paper", y=_axis_name(one, job), xshift=14, text=state, showarrow=False, xanchor="left",
                           font={"color": charts.SOFT, "size": 12})  # fmt: skip
    charts.show(fig, "baselines_live", f"{len(rungs)} of {job.total} predictors have answers so far")


def _is_measured(figure: Any) -> bool:
    return isinstance(figure, Mapping) and isinstance(figure.get("value"), (int, float))


def _axis_name(name: str, job: work.Job) -> str:
    """The name on the axis of a predictor that has not answered yet."""
    return fmt.short(titled(name, job.request)) if name in PREDICTORS else name


def _live_rung(figure: Mapping[str, Any]) -> charts.Rung:
    value = float(figure["value"])
    low, high = (float("nan") if figure.get(end) is None else float(figure[end]) for end in ("low", "high"))
    return charts.Rung(figure["title"], figure["family"], value, low, high)


@dataclass(frozen=True)
class Seen:
    """The answers that are looked at while a job runs."""

    title: str
    family: str
    answers: Answers
    text: list[str]
    rows: int
    """How many will have been answered at the end."""
    places: list[int] | None = None
    """In the test split; None while they come in."""


def _focus(version: Version, job: work.Job) -> Seen | None:
    """The predictor at work once it has answered a row, else the one that was done last."""
    test = cache.examples(version.dataset, version.id, "test")
    named = [(name, one) for name in job.request.get("names", []) if isinstance(one := job.figures.get(name), Mapping)]
    for name, figure in named:
        if figure.get("state") == "working" and (lines := told_rows(job.folder, name)):
            guess = [line["guess"] if line["status"] == "ok" else None for line in lines]
            answers = make_answers(test.task, [line["truth"] for line in lines], guess, labels=_labels(version))
            asked = round(len(lines) / float(figure.get("share") or 1.0))
            return Seen(figure["title"], figure["family"], answers, [line["text"] for line in lines], asked)
    done = [figure for _, figure in named if figure.get("state") == "done" and figure.get("evaluation")]
    if not done:
        return None
    try:
        one = evaluations.load(done[-1]["evaluation"])
    except StudioError:  # somebody removed it meanwhile
        return None
    places = one.answers["index"].tolist()
    return Seen(one.title, one.family, answers_of(one), [test.text[place] for place in places], one.n, places)


@st.cache_data(max_entries=8, show_spinner=False)
def _labels_of(dataset: str, version: str) -> tuple[str, ...]:
    train, test = (cache.examples(dataset, version, split).targets or () for split in ("train", "test"))
    return labels_of([*train, *test])


def _labels(version: Version) -> tuple[str, ...]:
    return _labels_of(version.dataset, version.id) if version.task == "classification" else ()


def _answers(version: Version, seen: Seen) -> None:
    """Two figures that fill, and the coloured log below them."""
    import pandas as pd

    answers, unit = seen.answers, unit_of(version, task(version.task or "chat").headline)
    words = judged(answers, hits.rule(version))
    table = pd.DataFrame({"place": range(answers.n), "truth": answers.truth, "guess": answers.guess, "miss": misses(answers),
                          "judged": words, "text": [" ".join(one.split()) for one in seen.text]})  # fmt: skip
    with card(seen.title, height="content"):
        share = hits.beside(version, words, seen.places)
        st.caption(plain(f"{fmt.count(answers.n)} of {fmt.plural(seen.rows, 'row')} answered · {share}"))
        left, right = st.columns(2)
        with left:
            _fill(version, answers, table)
        with right:
            st.caption(plain(f"{title_of(version, task(answers.task).headline)} over the rows so far, with its 95 % interval"))
            line = points.running_line(running(answers), unit, color=charts.FAMILY[seen.family][0], rows=seen.rows, height=250)
            charts.show(line, "baselines_live_running", f"The running headline after {answers.n} rows")
        coloured(version, table.iloc[::-1].head(LINES), "baselines_live_log", height=230)


def _fill(version: Version, answers: Answers, table: Any) -> None:
    """Guess against truth so far: points for numbers, the matrix for labels."""
    if version.task == "regression":
        truths = np.asarray(cache.examples(version.dataset, version.id, "test").targets, dtype=float)
        log = points.skewed(truths)
        st.caption("Guess against truth" + (", logarithmic" if log else ""))
        unit = fmt.unit_of(version.roles.target)
        fig, _ = points.scatter(table.tail(POINTS), unit, log=log, height=250, span=points.ends(truths, truths, log))
        charts.show(fig, "baselines_live_points", f"{answers.n} guesses against their truths")
    elif version.task == "classification" and len(answers.labels) <= 12:
        st.caption("Truth down, guess across")
        labels, counts = confusion(answers)
        charts.show(points.cells(labels, counts, height=250), "baselines_live_matrix", f"{answers.n} guesses by label")
    else:
        st.caption(plain(hits.words(version)))
