"""Current run at a host: its status in the host's words, loss, events, checkpoints, what it brought, and what can be done there."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import MissingError
from core.finetune.advice import advise
from core.io import files, jobs, store
from core.io.hosted import line as event_line
from core.io.jobs import Job
from core.io.providers.addresses import OPENAI, for_child
from core.version import Version
from ui import boards, charts
from ui import finetune_call as call
from ui import finetune_hosted_act as act
from ui import finetune_hosted_banner as banner
from ui import finetune_report as report
from ui import finetune_result as outcome
from ui.jobs import line, share, show_failure, watch
from ui.layout import card, metrics, run_bar
from ui.state import go, plain
from ui.tables import rows

NO_VALUE = "not yet"
ADVISED = ("overfitting", "improving", "settled", "not learning")
RESULTS = {"train_loss": "train loss", "valid_loss": "validation loss", "train_accuracy": "train accuracy",
           "train_mean_token_accuracy": "train accuracy", "valid_mean_token_accuracy": "validation accuracy"}  # fmt: skip


def live(job: Job) -> None:
    """The whole view of a run at a host."""
    (st.fragment(_live, run_every="2s") if job.alive else _live)(job.id, _mark(job))
    version, result = _version(job), job.result or {}
    if version:
        _checkpoints(job, version)
    if not job.alive:
        _results(job)
    act.at_the_host(job)
    if version and result.get("model"):
        if told := call.models(version).get(f"{result['model']} · at its host"):
            with st.expander("How to call it", icon=":material/code:"):
                call.snippets(told())
        with st.expander("Keep it when its host shuts it down", icon=":material/event_busy:"):
            st.caption(plain(_ends(url_of(job), str(result["model"]))))
            banner.way_off(version, str(result["model"]), url_of(job), str(result.get("job") or ""))
    if version and files.read_lines(job.folder / "history.jsonl"):
        report.actions(job)
    _bar(job)


def _mark(job: Job) -> tuple[Any, ...]:
    """What the rest of the page depends on: it is drawn anew when this changes."""
    steps = bool(files.read_lines(job.folder / "history.jsonl"))
    return job.alive, str((known(job, "job") or {}).get("status")), _job_id(job), len(known(job, "checkpoints") or []), steps


def url_of(job: Job) -> str:
    """The address of the job's host."""
    return str(job.request.get("base_url") or OPENAI)


def known(job: Job, name: str) -> Any:
    """What a file of the job's folder holds; None where there is none yet."""
    path = job.folder / f"{name}.json"
    return files.read_json(path) if path.exists() else None


def _version(job: Job) -> Version | None:
    try:
        return store.version(str(job.request["dataset"]), str(job.request["version"]))
    except (KeyError, MissingError):
        return None


def _ends(url: str, model: str) -> str:
    day = banner.told(url, model)
    if day:
        return f"{model} answers until {fmt.date(day)}."
    return "A host may end a model. Recorded answers stay comparable, and a model trained here stays yours."


def _live(id: str, mark: tuple[Any, ...]) -> None:
    job = jobs.read(id)
    if _mark(job) != mark:
        st.rerun(scope="app")
    records = files.read_lines(job.folder / "history.jsonl")
    _progress(job)
    if job.state == "done" and (job.result or {}).get("evaluation"):
        outcome.show(job)
    _metrics(job, records)
    if records:
        _loss(job, records)
    else:
        st.caption("The first losses appear once the host has told of a step.")
    with st.expander("Events", icon=":material/description:"):
        told = files.read_lines(job.folder / "events.jsonl")
        st.code("\n".join(map(event_line, told[:-41:-1])) or "The host has told nothing yet.", language=None)


def _loss(job: Job, records: list[dict[str, Any]]) -> None:
    from ui.finetune_run import loss_figure  # that page shows this one

    with card("Loss", height="content"):
        last = max(int(one["step"]) for one in records)
        measured = [one["val_loss"] for one in records if one.get("val_loss") is not None]
        alt = f"The validation loss is {measured[-1]:.2f}" if measured else "Train loss by step"
        charts.show(loss_figure(records, max(job.total if job.figures.get("phase") == "train" else 0, last)), "hosted_loss", alt)
        said = advise(records)
        if said.word in ADVISED:
            st.caption(plain(said.sentence))


def _progress(job: Job) -> None:
    if job.alive:
        st.progress(share(job), text=plain(line(job)) or "Starting")
        return
    result = job.result or {}
    if job.state == "done":
        paid = f", {fmt.tokens(result['trained_tokens'])} trained tokens" if result.get("trained_tokens") else ""
        usd = f", {fmt.cost(result['usd'])}" if result.get("usd") is not None else ""
        st.markdown(f"**Done.** {plain(result.get('model') or 'No model')} is ready{paid}{plain(usd)}.")
    elif job.error:
        show_failure(job)
    else:
        status = plain((known(job, "job") or {}).get("status", "unknown"))
        st.markdown(f"**No longer watched.** When last seen, the host said {status}. The job goes on there.")


def _metrics(job: Job, records: list[dict[str, Any]]) -> None:
    there: dict[str, Any] = known(job, "job") or {}
    losses = [one["loss"] for one in records if one.get("loss") is not None]
    measured = [one["val_loss"] for one in records if one.get("val_loss") is not None]
    state = known(job, "state") or {}
    cost = (job.result or {}).get("usd", state.get("usd"))
    planned = (state.get("estimate") or {}).get("usd")
    told = fmt.cost(cost) if cost is not None else f"about {fmt.cost(planned)}" if planned is not None else "not known"
    metrics([
        ("Status", str(there.get("status") or "not created yet"), "The host's own word."),
        ("Step", fmt.count(max((int(one["step"]) for one in records), default=0)) if records else NO_VALUE, "Updates so far."),
        ("Validation loss" if measured or not losses else "Train loss",
         f"{(measured or losses)[-1]:.2f}" if measured or losses else NO_VALUE,
         "How surprised the model is by the right answers, per token, as the host measures it. Lower is better."),
        ("Training cost", told, "Trained tokens times the price; an estimate until the host has told how many there were."),
    ])  # fmt: skip


def _checkpoints(job: Job, version: Version) -> None:
    """The models on the way, with what can be done with the selected one."""
    import pandas as pd

    found: list[dict[str, Any]] = known(job, "checkpoints") or []
    if not found:
        return
    scores = _scores(version)
    table = pd.DataFrame([
        {"Step": one.get("step_number"), "Train loss": _number(one, "train_loss"),
         "Validation loss": _number(one, "full_valid_loss", "valid_loss"),
         "Score": scores.get(str(one.get("fine_tuned_model_checkpoint")), "not measured"), "Model": one.get("fine_tuned_model_checkpoint")}
        for one in sorted(found, key=lambda one: one.get("step_number") or 0)
    ])  # fmt: skip
    with card("Checkpoints", height="content", help="The host keeps the last few. Each can be asked like any model."):
        chosen = rows(table, "hosted_checkpoints", select=True, alt=f"{fmt.plural(len(table), 'checkpoint')}")
        if chosen and chosen[0] < len(table):
            one = table.iloc[chosen[0]]
            st.button(f"Measure step {fmt.count(one['Step'])} on test rows", key="hosted_measure", icon=":material/leaderboard:",
                      on_click=banner.measure, args=(version, url_of(job), str(one["Model"]), _job_id(job), int(one["Step"])))  # fmt: skip
        else:
            st.caption("Select a checkpoint to measure it on the test rows.")
        if measuring := st.session_state.get("finetune_hosted_measured"):
            watch(measuring, "hosted_measuring")


def _number(one: dict[str, Any], *names: str) -> str:
    values = [one.get("metrics", {}).get(name) for name in names]
    return next((f"{value:.3f}" for value in values if value is not None), "n/a")


def _job_id(job: Job) -> str:
    return str((known(job, "state") or {}).get("job") or job.request.get("adopt") or "")


def _scores(version: Version) -> dict[str, str]:
    """Model -> its score on this version's test rows, with its interval."""
    board = boards.board(version.dataset, version.id)
    found = {}
    for row in board.rows if board else ():
        if model := row.evaluation.notes.get("model"):
            measured, unit = row.values[board.headline.name], board.unit_of(board.headline.name)
            found[str(model)] = f"{fmt.metric(unit, measured.value, row.n)} ({fmt.interval(measured.low, measured.high, unit)})"
    return found


def _results(job: Job) -> None:
    """The result file's other measures, drawn: accuracy of tokens by step."""
    import plotly.graph_objects as go_

    found: list[dict[str, float]] = known(job, "results") or []
    names = [name for name in RESULTS if "accuracy" in name and any(name in row for row in found)]
    if not names:
        return
    with card("Accuracy of tokens", height="content", help="The share of answer tokens the model found likeliest, as the host measured it. "
              "Compare has the studio's own metrics on the test rows."):  # fmt: skip
        fig = charts.figure(220)
        for name, color in zip(names, (charts.TUNED, charts.CLASSICAL), strict=False):
            told = [(row["step"], row[name]) for row in found if name in row and "step" in row]
            if not told:
                continue
            x, y = [step for step, _ in told], [value for _, value in told]
            fig.add_trace(go_.Scatter(x=x, y=y, mode="lines", line={"color": color, "width": 2},
                                      hovertemplate="step %{x}: %{y:.1%}<extra>" + RESULTS[name] + "</extra>"))  # fmt: skip
            fig.add_annotation(x=x[-1], y=y[-1], text=RESULTS[name].split()[0], showarrow=False, xanchor="left", xshift=8,
                               yshift=9 if color == charts.TUNED else -9, font={"color": color, "size": 13})  # fmt: skip
        last = max(row.get("step", 0) for row in found)
        fig.update_xaxes(range=[0, last * 1.12], nticks=6)
        fig.update_yaxes(tickformat=".0%", nticks=5)
        charts.show(fig, "hosted_accuracy", f"Accuracy of tokens by step, {fmt.plural(len(found), 'step')}")


def _bar(job: Job) -> None:
    """Stop watching, go on watching, or on to the comparison: the host's job is not touched by any of them."""
    if job.alive:
        run_bar(label="Stop watching", key="hosted_stop", state="Working", badge=str(job.figures.get("status") or "Preparing"),
                text="You may close this tab; the run goes on.", primary=False, icon=":material/visibility_off:", shortcut=None,
                on_click=partial(_pause, job))  # fmt: skip
    elif job.state == "done":
        tested = outcome.tested(job)
        text = f"Measured on {fmt.plural(tested, 'test row')}" if tested else "Not measured: no test rows"
        if run_bar(
            label="Open the comparison", key="hosted_compare", state="Done", text=text, icon=":material/balance:", disabled=not tested
        ):
            go("compare")
    else:
        text = "Nothing is uploaded or created twice." if _job_id(job) else "Nothing was created at the host yet."
        run_bar(label="Follow again" if _job_id(job) else "Try again", key="hosted_again", shortcut=None, text=text,
                state="Failed" if job.error else "Not ready", badge="Failed" if job.error else "Not watched",
                on_click=partial(_resume, job))  # fmt: skip


def _pause(job: Job) -> None:
    jobs.pause(job.id)


def _resume(job: Job) -> None:
    url = url_of(job)
    jobs.resume(job.id, environment=for_child(url, banner.typed_key(url)))
