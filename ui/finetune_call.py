"""How to call a model: the same question as curl, Python, JavaScript and a command line, for every model of this version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.finetune import calling
from core.finetune.calling import OPENAI, SERVER, Question, question_of
from core.io import jobs, lora, query
from core.io.embedded.weights import TITLE
from core.io.providers.addresses import COMPATIBLE_KEY
from core.predict.registry import PREDICTORS
from core.version import Version
from ui import cache
from ui.layout import card

Snippets = Callable[[], dict[str, str]]


def show(version: Version, made: lora.Adapter | None = None) -> None:
    """The card: which model (an adapter that was chosen above comes first), then its snippets with a question of this version."""
    with card("How to call it", height="content", key="finetune_call_card"):
        options = models(version)
        names = list(options)
        first = next((i for i, name in enumerate(names) if made and name.endswith(made.id)), 0)
        chosen = st.selectbox("Model", names, index=first, key=f"finetune_call_{made.id if made else 'any'}")
        snippets(options[chosen]())


def snippets(told: dict[str, str]) -> None:
    """The command that serves the model, where it is a local one, and a tab for each language."""
    if SERVER in told:
        st.caption("Start the server first, in the studio's folder; it answers on this machine only.")
        st.code(told[SERVER], language=None, wrap_lines=True)
    rest = [name for name in told if name != SERVER]
    for name, tab in zip(rest, st.tabs(rest), strict=True):
        with tab:
            st.code(told[name], language=None, wrap_lines=True)


def models(version: Version) -> dict[str, Snippets]:
    """Title -> what gives its snippets: the built-in model, adapters, models at hosts, classical predictors that were measured."""
    found: dict[str, Snippets] = {TITLE: lambda: calling.local(_question(version))}
    for made in lora.adapters(version.dataset):
        found[f"{made.title} · {made.id}"] = lambda made=made: calling.local(_question(version, made), adapter=made.id)
    for job in jobs.all_jobs(version.dataset, "hosted"):
        model = (job.result or {}).get("model")
        if model:
            where = str(job.request.get("base_url") or OPENAI)
            found[f"{model} · at its host"] = lambda model=model, where=where: _hosted(version, model, where)
    for one in cache.evaluations(version.dataset, version.id):
        model, where = one.notes.get("model"), str(one.notes.get("base_url") or OPENAI)
        if one.predictor in PREDICTORS and not PREDICTORS[one.predictor].needs and one.family in ("trivial", "classical"):
            found[one.title] = lambda one=one: calling.classical(one.predictor, _own(one), version.id, version.dataset, _row(version))
        elif model and one.notes.get("provider"):
            found.setdefault(f"{model} · at its host", lambda model=model, where=where: _hosted(version, model, where))
    return found


def _own(one: Any) -> dict[str, Any]:
    """The predictor's own settings, as `make` takes them."""
    known = PREDICTORS[one.predictor].settings
    return {name: value for name, value in one.settings.items() if name in known}


def _hosted(version: Version, model: str, where: str) -> dict[str, str]:
    same = where.rstrip("/") == OPENAI
    return calling.hosted(_question(version), model=model, base_url=where, key="OPENAI_API_KEY" if same else COMPATIBLE_KEY)


def _question(version: Version, made: lora.Adapter | None = None) -> Question:
    """The prompt of an adapter, else the version's, filled with a row of this version."""
    if made is None and not version.task:
        return Question(({"role": "user", "content": "Hello"},))
    return question_of(made.asked() if made else lora.prompt_of(version), _row(version))


def _row(version: Version) -> dict[str, Any]:
    """The first row, without what is to be predicted."""
    row = _first(version.dataset, version.id)
    return {name: value for name, value in row.items() if name not in (version.roles.target, version.roles.split)}


@st.cache_data(max_entries=16, show_spinner=False)
def _first(dataset: str, version: str) -> dict[str, Any]:
    from core.io import store

    rows = query.fetch(store.version(dataset, version), [0])
    return {str(name): value for name, value in rows.iloc[0].to_dict().items()}
