"""Checkpoints of a run: when each was, its loss and its score on validation rows, what it cost, and the one to use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from core import format as fmt
from core.evaluate.metrics import METRICS
from core.finetune.advice import advise
from core.io import files, jobs, lora, store
from core.io.jobs import Job
from core.io.lora import choosing, runs
from core.task import task
from ui.baselines_ladder import unit_of
from ui.jobs import watch
from ui.layout import card
from ui.state import plain
from ui.tables import rows

HELP = ("All checkpoints answered the same validation rows; test rows are kept for the one that is chosen. An interval that holds another "
        "one's score means the two cannot be told apart.")  # fmt: skip


def show(job: Job) -> None:
    """The card of a run that has ended, where more than one checkpoint was kept."""
    made = next((one for one in lora.adapters(job.dataset) if one.id == job.id), None)
    kept = runs.kept_checkpoints(job.id) if made else {}
    if made is None or len(kept) < 2:
        return
    place = job.folder / choosing.RESULT
    with card("Checkpoints", height="content", help=HELP):
        if place.exists():
            _table(job, made, files.read_json(place))
        else:
            steps = ", ".join(fmt.count(step) for step in kept)
            st.caption(f"The checkpoints of steps {steps} were kept. Which answers best is not known until they are asked.")
            if made.task and store.version(made.dataset, made.version).splits.get("validation"):
                st.button("Compare the checkpoints on validation rows", key="finetune_checkpoints", icon=":material/leaderboard:",
                          disabled=bool(_later(job)), on_click=_compare, args=(made,))  # fmt: skip
        if later := _later(job):
            watch(later.id, "finetune_later")


def _later(job: Job) -> Job | None:
    """The newest look at this run after its end, while it goes on or where it failed."""
    asked = [one for one in jobs.all_jobs(job.dataset, "finetune") if job.id in (one.request.get("measure"), one.request.get("compare"))]
    return asked[0] if asked and (asked[0].alive or asked[0].error) else None


def _table(job: Job, made: lora.Adapter, told: Mapping[str, Any]) -> None:
    import pandas as pd

    version = store.version(made.dataset, made.version)
    name = task(version.task or "").headline
    unit, records = unit_of(version, name), lora.history(job.folder)
    found = told["checkpoints"]
    table = pd.DataFrame([_line(one, made.step, told["chosen"], name, unit, _trained(records, one["step"])) for one in found])
    chosen = rows(table, "finetune_choose", select=True, alt=f"{fmt.plural(len(found), 'checkpoint')} compared")
    st.caption(f"{fmt.plural(told['rows'], 'validation row')} each, with 95 % intervals.")
    step = found[chosen[0]]["step"] if chosen and chosen[0] < len(found) else told["chosen"]
    if step != made.step:
        st.button(f"Use step {fmt.count(step)}", key="finetune_take", icon=":material/check:", disabled=bool(_later(job)),
                  on_click=take, args=(made, step), help="It becomes the run's adapter, and answers the test rows.")  # fmt: skip


def _line(one: Mapping[str, Any], used: int, best: int, name: str, unit: str, seconds: float) -> dict[str, object]:
    return {
        "Step": one["step"],
        "Epoch": f"{one['epoch']:.2f}",
        "Validation loss": _loss(one["val_loss"]),
        METRICS[name].title: _score(one, unit),
        "Trained for": fmt.duration(seconds),
        "Answered in": fmt.duration(one["seconds"]),
        "": " · ".join(_marks(one["step"], used, best)),
    }


def _marks(step: int, used: int, best: int) -> list[str]:
    return ["in use"] * (step == used) + ["best score"] * (step == best)


def _loss(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _score(one: Mapping[str, Any], unit: str) -> str:
    if one["score"] is None:
        return "n/a"
    between = f" ({fmt.interval(one['low'], one['high'], unit)})" if one["low"] is not None and one["high"] is not None else ""
    return f"{fmt.metric(unit, one['score'])}{between}"


def _trained(records: list[dict[str, Any]], step: int) -> float:
    """Seconds from the first record to that step."""
    times = [float(one["time"]) for one in records if one["step"] <= step and one.get("time")]
    return times[-1] - times[0] if times else 0.0


def _compare(made: lora.Adapter) -> None:
    request = {"dataset": made.dataset, "version": made.version, "compare": made.id}
    jobs.start("finetune", request, title="Compare checkpoints", dataset=made.dataset)


def take(made: lora.Adapter, step: int) -> None:
    """Callback: this checkpoint becomes the adapter and answers the test rows."""
    choosing.take(lora.adapter(made.id), step)
    request = {"dataset": made.dataset, "version": made.version, "measure": made.id, "limit": lora.LIMIT}
    jobs.start("finetune", request, title="Measure the adapter", dataset=made.dataset)


def offered(job: Job, records: list[dict[str, Any]]) -> None:
    """Where a run overfitted: its best checkpoint, where that was kept and another one is in use."""
    said = advise(records)
    made = next((one for one in lora.adapters(job.dataset) if one.id == job.id), None)
    if said.word != "overfitting" or said.step is None or job.alive or made is None or made.step == said.step:
        return
    if said.step in runs.kept_checkpoints(job.id):
        st.button(f"Use step {fmt.count(said.step)}", key="finetune_best", icon=":material/check:", on_click=partial(take, made, said.step),
                  help="Where the validation loss was lowest. It becomes the run's adapter, and answers the test rows.")  # fmt: skip
    else:
        st.caption(plain(f"Step {fmt.count(said.step)} was not kept. The settings can keep the best, or that of each measurement."))
