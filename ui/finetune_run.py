"""Current run: how far it is, its loss, what the model says by now, and the ways on once it has ended."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from core import format as fmt
from core.evaluate.perplexity import perplexity_of
from core.finetune.advice import advise, smooth
from core.finetune.settings import TrainSettings
from core.finetune.smaller import Smaller, advised, sentence
from core.io import files, jobs, lora, store
from core.io.endings import WAYS
from core.io.jobs import Job
from core.io.lora.runs import notes
from core.version import Version
from ui import charts
from ui import finetune_choose as choose
from ui import finetune_forgetting as forgetting
from ui import finetune_hosted_run as hosted
from ui import finetune_result as result
from ui.finetune_settings import take
from ui.jobs import line, share, show_failure
from ui.layout import card, empty, metrics, run_bar
from ui.state import go, plain

NO_VALUE = "not yet"
KINDS = ("finetune", "hosted")
PARTS = ("measure", "compare")
"""Requests that look again at a run that has ended."""


def runs(dataset: str) -> list[Job]:
    """The training runs of a dataset, here and at hosts, newest first (measuring a model again is not one)."""
    return [job for job in jobs.all_jobs(dataset) if job.kind in KINDS and not any(job.request.get(name) for name in PARTS)]


def show(version: Version) -> None:
    """The run that was started or chosen last, else the newest of this dataset."""
    found = runs(version.dataset)
    if not found:
        if empty("model_training", "No run yet", "A run teaches the built-in model your train rows. You can watch its loss fall here.",
                 "New run", key="finetune_none"):  # fmt: skip
            st.session_state["_finetune_go"] = "New run"
            st.rerun()
        return
    wanted = st.session_state.get("finetune_job")
    job = next((one for one in found if one.id == wanted), found[0])
    if job.kind == "hosted":
        hosted.live(job)
        return
    (st.fragment(_live, run_every="2s") if job.alive else _live)(job.id, job.figures.get("kept"), job.alive)
    _bar(job)


def _live(id: str, kept: int | None, alive: bool) -> None:
    job = jobs.read(id)
    if job.alive != alive or job.figures.get("kept") != kept:
        st.rerun(scope="app")  # the bar below names the step that would be kept
    records = lora.history(job.folder)
    _progress(job, records)
    for told in notes(job.folder):
        st.caption(f":material/info: {plain(told)}")
    if job.state == "done":
        result.show(job)
    _metrics(job, records)
    if not records:
        st.caption("The model is loaded and asked once before it learns; the first losses appear after the first step.")
        return
    with card("Loss", height="content"):
        charts.show(loss_figure(records, _steps(job, records)), "finetune_loss", _alt(records))
        if any(one.get("learning_rate") is not None for one in records):
            now = next(one["learning_rate"] for one in reversed(records) if one.get("learning_rate") is not None)
            st.caption(f"Learning rate {'now' if job.alive else 'at the end'} {now:.2g}; point at the line for that of each step.")
        st.caption(plain(advise(records).sentence))
        choose.offered(job, records)
    if not job.alive:
        choose.show(job)
        forgetting.show(job)
    _says(job, records)
    with st.expander("Log", icon=":material/description:"):
        log = job.folder / "log.txt"
        st.code(log.read_text(errors="replace")[-6000:] if log.exists() else "Nothing was logged.", language=None)


def _progress(job: Job, records: list[dict[str, Any]]) -> None:
    last = lora.last_step(job.folder)
    if job.alive:
        st.progress(share(job), text=plain(" · ".join(filter(None, [line(job) or "Starting", _epoch(job)]))))
    elif job.state == "done":
        st.markdown(f"**Done.** {plain(_ended(job, records))}")
    elif job.error:
        show_failure(job)
        if last is not None:
            st.caption(f"The last complete checkpoint, step {fmt.count(last)}, is kept.")
    else:
        word = {"cancelled": "Stopped", "interrupted": "Interrupted: its process ended"}.get(job.state, job.state)
        st.markdown(f"**{word}.** " + (f"Step {fmt.count(last)} is kept." if last is not None else "There is no checkpoint yet."))


def _ended(job: Job, records: list[dict[str, Any]]) -> str:
    """Which step is kept, and why the run ended before its last one if it did."""
    made = job.result or {}
    last, steps = max((one["step"] for one in records), default=0), int(made.get("steps", 0))
    told = f"Step {fmt.count(made.get('step', 0))} of {fmt.count(steps)} is kept, {fmt.duration(job.seconds)} in all."
    if last < steps and not notes(job.folder):
        told += f" It stopped early at step {fmt.count(last)}: the validation loss had not fallen any further."
    return told


def _epoch(job: Job) -> str:
    """ "epoch 0.4 of 1.5" while it trains, from the rows one step takes."""
    about = job.folder / "about.json"
    if not about.exists() or job.figures.get("phase") not in (None, "train") or not job.step:
        return ""
    told = files.read_json(about)
    size = int(told["settings"]["batch"]) * int(told["settings"]["accumulate"])
    now, whole = (step * size / max(1, int(told["rows"])) for step in (job.step, int(told["steps"])))
    return f"epoch {now:.1f} of {whole:.1f}"


def _metrics(job: Job, records: list[dict[str, Any]]) -> None:
    measured = [one for one in records if one.get("val_loss") is not None]
    best = min(measured, key=lambda one: one["val_loss"], default=None)
    rate, memory = job.figures.get("tokens_per_second"), job.figures.get("memory")
    metrics([
        ("Validation loss", f"{measured[-1]['val_loss']:.2f}" if measured else NO_VALUE,
         "How surprised the model is by the right answers of validation rows, per token; it never learns from these. Lower is better."
         + (f" Perplexity {fmt.number(perplexity_of(measured[-1]['val_loss']))}: as unsure as among so many equally likely tokens."
            if measured else "")),
        ("Tokens per second", fmt.count(rate) if rate else NO_VALUE, "Tokens of train rows per second, measurements not counted."),
        ("Memory", fmt.size(memory) if memory else NO_VALUE, "The most the run has held so far."),
        ("Best so far", f"step {fmt.count(best['step'])}" if best else NO_VALUE, "The step with the lowest validation loss."),
    ])  # fmt: skip


def _steps(job: Job, records: list[dict[str, Any]]) -> int:
    about = job.folder / "about.json"
    return int(files.read_json(about)["steps"]) if about.exists() else max(one["step"] for one in records)


def loss_figure(records: list[dict[str, Any]], steps: int) -> Any:
    """Train loss smoothed with the raw one behind it, validation as squares, the axis to the last step."""
    import plotly.graph_objects as go

    train = [(one["step"], one["loss"]) for one in records if one.get("loss") is not None]
    measured = [(one["step"], one["val_loss"]) for one in records if one.get("val_loss") is not None]
    fig = charts.figure(260)
    if train:
        x, y = [step for step, _ in train], [loss for _, loss in train]
        fig.add_trace(go.Scatter(x=x, y=y, mode="lines", line={"color": charts.TUNED, "width": 1}, opacity=0.35, hoverinfo="skip"))
        even = smooth(y)
        rates = [one.get("learning_rate") or 0.0 for one in records if one.get("loss") is not None]
        fig.add_trace(go.Scatter(x=x, y=even, mode="lines", line={"color": charts.TUNED, "width": 2.5}, customdata=rates,
                                 hovertemplate="step %{x}: %{y:.2f}, learning rate %{customdata:.2g}<extra>train</extra>"))  # fmt: skip
        _label(fig, x[-1], even[-1], "train", charts.TUNED, bool(measured) and measured[-1][1] < even[-1])
    if measured:
        x, y = [step for step, _ in measured], [loss for _, loss in measured]
        line = {"color": charts.CLASSICAL, "width": 2}
        shape = {"symbol": "square", "size": 8}
        told = "step %{x}: %{y:.2f}<extra>validation</extra>"
        fig.add_trace(go.Scatter(x=x, y=y, mode="lines+markers", line=line, marker=shape, hovertemplate=told))
        _label(fig, x[-1], y[-1], "validation", charts.CLASSICAL, not train or smooth([loss for _, loss in train])[-1] <= y[-1])
    fig.update_xaxes(range=[-0.012 * max(1, steps), max(1, steps) * 1.08], nticks=6)
    fig.update_yaxes(rangemode="tozero", nticks=5)
    return fig


def _label(fig: Any, x: float, y: float, text: str, color: str, above: bool) -> None:
    fig.add_annotation(
        x=x, y=y, text=text, showarrow=False, xanchor="left", xshift=8, yshift=9 if above else -9, font={"color": color, "size": 13}
    )


def _alt(records: list[dict[str, Any]]) -> str:
    measured = [one["val_loss"] for one in records if one.get("val_loss") is not None]
    if len(measured) < 2:
        return "Loss by step; the validation loss was measured fewer than twice"
    return f"The validation loss went from {measured[0]:.2f} to {measured[-1]:.2f}"


def _says(job: Job, records: list[dict[str, Any]]) -> None:
    """Four fixed rows, one column per measurement (at most five of them)."""
    import pandas as pd

    from ui.tables import rows

    told = [one for one in records if one.get("says")]
    shown = _shown(job)
    if not told or shown is None:
        return
    pace = max(1, -(-(len(told) - 1) // 4))
    picked = {one["step"]: one for one in [*told[:-1:pace], told[-1]]}
    table = pd.DataFrame(shown)
    for step, one in picked.items():
        table[f"Step {step}"] = [text.strip() or "nothing" for text in one["says"]][: len(table)]
    with card("What it says now", height="content", help="The same four rows, asked at each measurement. None of them is learnt from."):
        rows(table, "finetune_says", alt="What the model says to four rows, by step")


def _shown(job: Job) -> dict[str, list[str]] | None:
    kept = job.folder / "shown.json"
    return files.read_json(kept) if kept.exists() else None


def _bar(job: Job) -> None:
    last = job.figures.get("kept")
    if job.alive:
        if job.state == "queued":
            label, text = "Leave the queue", "Waiting for another run to finish. You may close this tab."
        else:
            label = f"Stop and keep step {fmt.count(last)}" if last is not None else "Stop"
            text = "You may close this tab; the run goes on."
        run_bar(label=label, key="finetune_stop", state="Working", badge="Queued" if job.state == "queued" else "Training", text=text,
                primary=False, icon=":material/stop:", shortcut=None, on_click=partial(_stop, job))  # fmt: skip
    elif job.state == "done":
        tested = result.tested(job)
        text = f"Measured on {fmt.plural(tested, 'test row')}" if tested else "Not measured: no test rows"
        if run_bar(label="Open the comparison", key="finetune_compare", state="Done", text=text, icon=":material/balance:"):
            go("compare")
    else:
        _resume_bar(job)


def _resume_bar(job: Job) -> None:
    last = lora.last_step(job.folder)
    label = f"Resume from step {fmt.count(last)}" if last else "Start again"
    kept = any(one.id == job.id for one in lora.adapters(job.dataset))

    def measure() -> None:
        if kept:
            st.button(f"Measure step {fmt.count(last or 0)}", key="finetune_measure", icon=":material/leaderboard:",
                      help="Ask the kept adapter the test rows, about half a minute.", on_click=measure_again, args=(job,))  # fmt: skip
        if way := _smaller(job):
            st.button("New run with smaller settings", key="finetune_smaller", icon=":material/compress:", on_click=_begin_smaller,
                      args=(job, way), help=plain(sentence(way, job.request.get("settings", {}))))  # fmt: skip

    run_bar(label=label, key="finetune_resume", state="Failed" if job.error else "Not ready", badge="Failed" if job.error else "Stopped",
            text="What was learnt is kept." if last else "Nothing was kept.", before=measure, shortcut=None,
            on_click=partial(_resume, job))  # fmt: skip


def _smaller(job: Job) -> Smaller | None:
    """What to set after a run that memory ran out for."""
    if not job.error or "memory" not in job.error["title"].casefold() or not (job.folder / WAYS).is_file():
        return None
    about = job.folder / "about.json"
    expected = files.read_json(about).get("estimate", {}).get("memory") if about.is_file() else None
    held = job.figures.get("memory") or expected or 0
    return advised([Smaller(**one) for one in files.read_json(job.folder / WAYS)], int(0.8 * min(held, expected or held)))


def _begin_smaller(job: Job, way: Smaller) -> None:
    """Callback: New run with the settings of that run and these instead."""
    task = store.version(str(job.dataset), job.request["version"]).task or ""
    take(replace(TrainSettings.from_dict(job.request.get("settings", {})), **way.changes), task)
    st.session_state["_finetune_go"] = "New run"


def _stop(job: Job) -> None:
    jobs.cancel(job.id)


def _resume(job: Job) -> None:
    jobs.resume(job.id)


def measure_again(job: Job) -> None:
    """Callback: the test rows for the adapter a stopped run left."""
    request = {"dataset": job.dataset, "version": job.request["version"], "measure": job.id, "limit": lora.LIMIT}
    jobs.start("finetune", request, title="Measure the adapter", dataset=job.dataset)
