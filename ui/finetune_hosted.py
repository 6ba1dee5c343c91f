"""New run at a host: address, base model, how it is trained, what is checked before a row leaves, and what it will cost."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.finetune.checks import Check
from core.finetune.hosted import HYPERPARAMETERS, MEANINGS, Wish
from core.io import jobs
from core.io.hosted import Tuning, costs
from core.io.hosted import rows as training
from core.io.providers.addresses import COMPATIBLE_KEY, COMPATIBLE_URL, OPENAI, clean_url, for_child, key_for
from core.validate.encodings import is_tuned
from core.validate.prices import PRICES, can_train
from core.version import Version
from ui import finetune_hosted_act as act
from ui import finetune_hosted_banner as banner
from ui import finetune_hosted_check as check
from ui.finetune_hosted_check import Host, Plan
from ui.layout import card, run_bar
from ui.state import guarded, plain

HOSTS = ("OpenAI", "Another address")
TITLES = {"n_epochs": "Epochs", "batch_size": "Batch", "learning_rate_multiplier": "Learning rate ×", "beta": "Beta"}
NUMBERS: dict[str, dict[str, Any]] = {
    "n_epochs": {"min_value": 1, "max_value": 50}, "batch_size": {"min_value": 1, "max_value": 256},
    "learning_rate_multiplier": {"min_value": 0.01, "max_value": 100.0, "format": "%.2f"},
    "beta": {"min_value": 0.01, "max_value": 2.0, "format": "%.2f"},
}  # fmt: skip


def possible(version: Version) -> bool:
    """Whether rows that this machine cannot train on can be trained on at a host: conversations and pairs of answers."""
    return training.holds_preferences(version) or (not version.roles.target and "messages" in version.columns)


def show(version: Version, control: Callable[[], None] | None = None) -> None:
    """The whole view; `control` is drawn at the heading of the Model card."""
    top, bottom = st.columns(2), st.columns(2)
    method = "dpo" if training.holds_preferences(version) else "supervised"
    host = _model(top[0], control)
    _data(version, method, top[1])
    plan = _settings(host, method, bottom[0])
    lines, estimate = check.show(version, host, plan, bottom[1])
    if host.url:
        act.elsewhere(version, host.url, host.key, "" if host.missing == "Choose a model" else host.missing)
    _bar(version, host, plan, lines, estimate)


def _model(into: Any, control: Callable[[], None] | None) -> Host:
    with card("Model", control=control, into=into):
        left, right = st.columns(2)
        own = bool(os.environ.get(COMPATIBLE_URL)) and not os.environ.get("OPENAI_API_KEY")
        chosen = left.selectbox("Host", HOSTS, index=int(own), key="hosted_host", persist_state="session",
                                help="Any address that speaks OpenAI's fine-tuning protocol.")  # fmt: skip
        one, other = (st, st) if chosen == HOSTS[0] else st.columns(2)
        url, missing = (OPENAI, "") if chosen == HOSTS[0] else _address(one)
        key = _key(url, right) if url else None
        if url == OPENAI and not key_for(OPENAI, key)[0]:
            missing = "OpenAI has no key"
        known, name = _bases(url), f"hosted_model_{url}"
        if known and not st.session_state.get(name):
            st.session_state[name] = known[0]
        model = other.selectbox("Base model", known, index=None, accept_new_options=True, key=name, persist_state="session",
                                placeholder="Ask, or type a name",
                                help="A base model, or a fine-tuned one to go on with (ft:...).") or ""  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(plain(_facts(url, model)), width="content")
            if st.button("Ask which there are", key="hosted_ask", icon=":material/refresh:", type="tertiary", disabled=bool(missing)):
                with guarded(), st.spinner("Asking which models there are"), Tuning(url, key) as tuning:
                    st.session_state.setdefault(banner.KEPT, {})[url] = tuning.models()
                    st.rerun()
    return Host(url, model.strip(), key, missing or ("" if model else "Choose a model"))


def _address(into: Any) -> tuple[str, str]:
    usual = os.environ.get(COMPATIBLE_URL, "") or str(st.session_state.get("augment_address") or "")
    address = into.text_input(
        "Address", usual, key="hosted_address", persist_state="session", placeholder="https://api.example.com/v1"
    ).strip()
    if not address:
        return "", "The address is missing"
    try:
        return clean_url(address), ""
    except StudioError as error:
        return "", error.title


def _key(url: str, into: Any) -> str | None:
    """The key typed for this address; where the environment holds one, the field says so."""
    name = "key_OPENAI_API_KEY" if url == OPENAI else f"key_{url}"
    there = key_for(url)[1] == "the environment"
    typed = into.text_input("Key for this session", type="password", key=name, persist_state="session",
                            placeholder="from the environment" if there else "kept in memory, never saved",
                            help=f"OPENAI_API_KEY, or {COMPATIBLE_KEY} beside {COMPATIBLE_URL}, in the environment is used as well. A "
                                 "key goes to its address only.")  # fmt: skip
    return typed or None


def _bases(url: str) -> list[str]:
    """What can be trained: by the host's own list where it was asked; at OpenAI today's bases and models of one's own."""
    found = [str(one.get("id")) for one in st.session_state.get(banner.KEPT, {}).get(url, []) if one.get("id")]
    if url != OPENAI:
        order = _trainable()
        return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [name for name in _trainable() if name in found or not found] + sorted(name for name in found if is_tuned(name))


def _trainable() -> list[str]:
    today = datetime.now(UTC).date().isoformat()
    order = sorted((one for one in PRICES.values() if can_train(one, today) and one.training), key=lambda one: one.training or 0)
    return [one.model for one in order]


def _facts(url: str, model: str) -> str:
    """What training costs, and until when there are jobs and answers."""
    if not model:
        return ""
    price = costs.price_at(url, model)
    rate = f"{fmt.cost(price.training)} per million trained tokens" if price and price.training else "no price known at this address"
    ends = banner.told(url, model) or (price.answers_until if price and url == OPENAI else "")
    jobs_until = f"new jobs until {fmt.date(price.jobs_until)}" if price and price.jobs_until else ""
    return " · ".join(part for part in (rate, jobs_until, f"answers until {fmt.date(ends)}" if ends else "") if part)


def _data(version: Version, method: str, into: Any) -> None:
    with card("Data", into=into):
        if method == "dpo":
            st.caption("Pairs of a preferred and a rejected answer: trained with the method dpo.")
        elif version.roles.target:
            prompt = training.prompt_of(version)
            st.selectbox("Prompt", [" ".join(prompt.user.split())], key="hosted_prompt",
                         help="What the model is asked, in training and at the test alike. Change it on Curate.")  # fmt: skip
        else:
            st.caption("Conversations, as they are.")
        told = [f"Version {version.number}", *(f"{fmt.count(n)} {part} rows" for part, n in version.splits.items())]
        st.caption(" · ".join(told if version.splits else [*told, f"{fmt.count(version.rows)} rows"]))
        with st.popover("What leaves this machine", icon=":material/visibility:", type="tertiary"):
            st.caption("Train and validation rows, as the host gets them. Test rows are only asked, without their answers.")
            with guarded():
                for row in _first(version.dataset, version.id):
                    st.json(row, expanded=3)


@st.cache_data(max_entries=4, show_spinner=False)
def _first(dataset: str, version: str) -> list[Any]:
    from core.io import store

    return training.rows_of(store.version(dataset, version), "train")[:2]


def _settings(host: Host, method: str, into: Any) -> Plan:
    with card("Settings", into=into):
        given: dict[str, Any] = {}
        names = [name for name in HYPERPARAMETERS[method] if name in TITLES]
        for column, name in zip(st.columns(len(names)), names, strict=True):
            value = column.number_input(TITLES[name], value=None, placeholder="auto", key=f"hosted_{name}", help=f"{MEANINGS[name]} Left "
                                        "empty the host chooses.", **NUMBERS[name])  # fmt: skip
            given |= {name: value} if value is not None else {}
        left, right, last = st.columns(3)
        suffix = left.text_input("Suffix", key="hosted_suffix", max_chars=64, placeholder="none", help="Becomes part of the model's name.")
        seed = right.number_input("Seed", 0, 2147483647, None, key="hosted_seed", placeholder="any",
                                  help="The same seed and rows give nearly the same model.")  # fmt: skip
        budget = last.number_input("Stop at (USD)", 0.01, 100_000.0, 10.0, key="hosted_budget",
                                   help="A job expected to cost more is not begun; no question that could pass it is asked.")  # fmt: skip
        more, wandb, metadata = _more()
    try:
        wish = Wish(host.model or "none", method, given, suffix.strip(), None if seed is None else int(seed), metadata, wandb)
    except StudioError as error:
        return Plan(missing=str(error))
    return Plan(wish if host.model else None, more, budget)


def _more() -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """(limit and whether the base is asked, the W&B project, metadata)."""
    with st.popover("More", icon=":material/tune:", type="tertiary"):
        limit = st.number_input(
            "Test rows answered", 1, 100_000, 250, step=50, key="hosted_limit", help="Drawn by lot, the same for everyone."
        )
        base = st.toggle("Ask the base model as well", True, key="hosted_base",
                         help="The same test rows, so that Compare shows what training brought. Paid like any answer.")  # fmt: skip
        project = st.text_input("W&B project", key="hosted_wandb", placeholder="none",
                                help="The host sends the run there; its own settings must hold your W&B key.")  # fmt: skip
        entity = st.text_input("W&B team", key="hosted_wandb_entity", placeholder="the usual one") if project.strip() else ""
        lines = st.text_area("Metadata, one key=value a line", key="hosted_metadata", height=80, placeholder="for=a first try")
    split = [one.partition("=") for one in lines.splitlines() if "=" in one]
    pairs = {key.strip(): value.strip() for key, _, value in split}
    wandb = {"project": project.strip(), **({"entity": entity.strip()} if entity.strip() else {})} if project.strip() else {}
    return {"limit": int(limit), "ask_base": bool(base)}, wandb, pairs


def _bar(version: Version, host: Host, plan: Plan, lines: list[Check], estimate: costs.Estimate | None) -> None:
    failed = [line for line in lines if line.state == "FAIL"]
    label = f"Upload and train for {fmt.cost(estimate.training_usd)}" if estimate and estimate.training_usd else "Upload and train"
    told = [fmt.plural(estimate.rows, "row"), f"{fmt.tokens(estimate.tokens)} trained tokens"] if estimate else []
    told += [f"about {fmt.cost(estimate.usd)}" if estimate.usd is not None else "no price known"] if estimate else []
    told += ["the host says how long"] if estimate else []
    text, state = " · ".join(told), "Ready"
    if failed:
        reason = failed[0]
        text, state = reason.sentence + (f": {reason.note}" if reason.note else ""), "Not ready"
    elif any(line.state == "WARN" for line in lines):
        state = "Warning"
    run_bar(label=label, key="hosted_start", state=state, badge="Ready" if state == "Warning" else None, text=text, shortcut=None,
            disabled=bool(failed) or plan.wish is None, icon=":material/cloud_upload:",
            on_click=lambda: _start(version, host, plan))  # fmt: skip


def _start(version: Version, host: Host, plan: Plan) -> None:
    """Callback of the run bar: start the job, then show it."""
    if plan.wish is None:
        return
    priced = costs.price_at(host.url, host.model) is not None
    request = {"dataset": version.dataset, "version": version.id, "base_url": host.url, "wish": plan.wish.to_dict(), **plan.request,
               **({"budget": plan.budget} if priced else {})}  # fmt: skip
    job = jobs.start("hosted", request, title="Fine-tune at a host", dataset=version.dataset, environment=for_child(host.url, host.key))
    st.session_state["finetune_job"] = job.id
    st.session_state["finetune_view"] = "Current run"
