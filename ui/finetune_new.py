"""New run: model, data, settings, check, and the run bar with what it will take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from core import format as fmt
from core.finetune.checks import Check
from core.finetune.estimates import Estimate
from core.finetune.settings import TrainSettings
from core.io import embedded, jobs, lora
from core.version import Version
from ui import cache
from ui import finetune_check as check
from ui import finetune_hosted as hosted
from ui import finetune_hosted_banner as banner
from ui import finetune_model as base_model
from ui import finetune_pasted as pasted
from ui import finetune_report as report
from ui import finetune_settings as chosen
from ui.explore_send import propose
from ui.finetune_model import Model
from ui.jobs import latest, running, watch
from ui.layout import card, run_bar
from ui.state import go, guarded, plain

ENGINE, ENGINES = "finetune_engine", ("This machine", "Provider")
"""Key and choices of where it is trained."""
PREPARE = "Prepare the built-in model"
TERMS = ("LoRA trains small matrices beside the model's own weights, which stay as they are; its rank is how wide those matrices are. "
         "An epoch is one pass over all train rows, a batch the rows read before each update.")  # fmt: skip


def show(version: Version) -> None:
    """The whole view."""
    banner.line()
    if st.session_state.get(ENGINE) == ENGINES[1]:
        hosted.show(version, engine)
        return
    missing = _missing(version)
    if missing:
        _not_ready(version, *missing)
        return
    kind = version.task or ""
    settings, base = chosen.current(kind)
    top, bottom = st.columns(2), st.columns(2)
    model = base_model.show(version, engine, top[0])
    with card("Settings", control=chosen.preset_control(kind), into=bottom[0]):
        one, other = st.columns(2)
        chosen.field("epochs", base, one)
        chosen.field("max_tokens", base, other)
        st.caption(plain(chosen.summary(settings)), help=TERMS)
        chosen.project_presets(kind)
    prepared = _data(version, settings, model, top[1])
    if prepared is None or model.folder is None:
        with card("Check", into=bottom[1]):
            st.caption("Checked once the model is prepared: rows are counted in its tokens.")
        if base_model.is_built_in(model):
            _prepare_bar()
        else:
            base_model.fetch_bar(model)
        return
    plan = check.plan_of(prepared, settings, model.folder)
    more = base_model.going_on(model, cache.training_rows(version.dataset, version.id, settings.max_tokens, str(model.folder)), settings)
    found = check.show(version, prepared, settings, plan, model.folder, bottom[1], more)
    chosen.expander(settings, base, kind)
    pasted.popover(kind)
    _bar(version, settings, plan, found, model)


def engine() -> None:
    """Where it is trained: a control of the Model card."""
    st.segmented_control("Trained", ENGINES, default=ENGINES[0], required=True, key=ENGINE, label_visibility="collapsed",
                         persist_state="session")  # fmt: skip


def _missing(version: Version) -> tuple[str, str, str] | None:
    """(what is missing, the button that mends it, its page)"""
    if not version.roles.target or not version.task:
        return "Choose what to predict", "Choose on Explore", "explore"
    if not version.splits.get("train") or not version.splits.get("test"):
        lacking = "test" if version.splits.get("train") else "train"
        return f"Needs a {lacking} split", "Split on Curate", "curate"
    wrong = cache.ready(version.dataset, version.id)
    return (wrong, "Clean the rows on Curate", "curate") if wrong else None


def _not_ready(version: Version, reason: str, label: str, page: str) -> None:
    st.caption("A model is trained on train rows and measured on test rows it has never seen.")
    if hosted.possible(version):
        engine()
    if run_bar(label=label, key="finetune_mend", state="Not ready", text=reason, icon=None, shortcut=None):
        if page == "curate":
            propose(version, "split" if "split" in reason else "parse", None if "split" in reason else version.roles.target)
        go(page)


def _data(version: Version, settings: TrainSettings, model: Model, into: Any) -> lora.Prepared | None:
    """The data card; the rows as tokens once the model is ready."""
    with card("Data", into=into):
        prompt = lora.prompt_of(version)
        st.selectbox(
            "Prompt",
            [" ".join(prompt.user.split())],
            key="finetune_prompt",
            help="What the model is asked, in training and at the test alike. Change it on Curate.",
        )
        told = f"Version {version.number} · {fmt.count(version.splits.get('train', 0))} train rows"
        told += f" · {fmt.count(version.splits.get('validation', 0))} validation rows"
        if model.folder is None:
            st.caption(told)
            return None
        with st.spinner("Counting the rows in the model's tokens"):
            prepared = cache.training_rows(version.dataset, version.id, settings.max_tokens, str(model.folder))
            prepared = base_model.kept_to(model, prepared)
        st.caption(f"{told} · {fmt.tokens(prepared.train.tokens)} tokens")
        with st.popover("What it learns", icon=":material/visibility:", type="tertiary"):
            _examples(version, prepared, model.folder)
    return prepared


def _examples(version: Version, prepared: lora.Prepared, folder: Path) -> None:
    """Three rows as the model reads them: the marked part is learnt."""
    from ui.tables import marked

    words = embedded.tokenizer(folder)
    st.caption("As the model reads them. What is marked is learnt; the rest is only read.")
    for place, row in enumerate(prepared.train.rows[:3]):
        asked, said = words.decode(list(row.prompt)), words.decode(list(row.answer))
        with st.container(border=True):
            marked(asked + said, [(len(asked), len(asked) + len(said), "learnt")], key=f"finetune_example_{version.id}_{place}")


def _prepare_bar() -> None:
    """The model is not there yet: its conversion as a job people can watch."""
    job = latest("convert")
    if job and (job.alive or job.error):
        watch(job.id, "finetune_convert", stop="")
    if job and job.alive:
        return
    if embedded.wheel_missing():
        with guarded():
            embedded.ensure_converted()
    text = "once, about 20 s · 257 MiB · free"
    if run_bar(
        label=PREPARE, key="finetune_prepare", state="Not ready", badge="Not ready yet", text=text, disabled=embedded.wheel_missing()
    ):
        jobs.start("convert", {}, title="Preparing the built-in model")
        st.rerun()


def _bar(version: Version, settings: TrainSettings, plan: Estimate, found: list[Check], model: Model) -> None:
    kind, busy = version.task or "", running("finetune")
    failed = [line for line in found if line.state == "FAIL"]
    told = [fmt.plural(plan.steps, "step"), fmt.duration(plan.seconds, about=True), fmt.size(plan.memory), "free"]
    text, label, state = " · ".join(told), "Start training", "Ready"
    if failed:
        needs = "needs " if failed[0].sentence.startswith("Does not fit") else ""
        text, state = f"{failed[0].sentence}: {needs}{failed[0].note}", "Not ready"
    elif busy:
        text, label, state = f"{text} · another run is going: this one will wait", "Queue training", "Warning"

    def mend() -> None:
        if failed and failed[0].sentence.startswith("Does not fit in memory") and settings.quantization == "none":
            st.button("Use 4-bit", key="finetune_bits", on_click=chosen.use_four_bits, args=(kind,))
        elif failed and failed[0].note == "take over its settings":
            st.button("Take over its settings", key="finetune_take_over", on_click=base_model.take_over, args=(model.start, settings, kind))

    # no shortcut: Ctrl and Enter is how a pasted command is taken over, and would start the training as well
    run_bar(label=label, key="finetune_start", state=state, text=text, disabled=bool(failed), before=mend, shortcut=None,
            on_click=lambda: _start(version, settings, model))  # fmt: skip


def _start(version: Version, settings: TrainSettings, model: Model) -> None:
    """Callback of the run bar: start the job, then show it."""
    request: dict[str, Any] = {"dataset": version.dataset, "version": version.id, "settings": settings.to_dict(), "limit": lora.LIMIT}
    if most := chosen.answer_tokens(version.task or ""):
        request["prompt"] = replace(lora.prompt_of(version), max_tokens=most).to_dict()
    if model.base:
        request["base"] = model.base
    if model.start:
        request |= {"continue_from": model.start, "only_new": model.only_new}
    wandb = report.environment() if settings.report_to == "wandb" else {}
    job = jobs.start("finetune", request, title="Fine-tune", dataset=version.dataset, environment=wandb)
    st.session_state["finetune_job"] = job.id
    st.session_state["finetune_view"] = "Current run"
