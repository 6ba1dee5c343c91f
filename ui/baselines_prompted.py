"""Baselines: how language models are asked: who answers, what is shown before the question, how often, and the exact prompt of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.io import passages, prompt_preview, store
from core.io.asking import MOST_RETRIES, USUAL, prompt_of
from core.io.passages import Source
from core.io.prompt_preview import Preview
from core.io.providers import PROVIDERS
from core.io.providers.addresses import OPENAI, clean_url, key_for
from core.io.writers import Writer
from core.predict.prompted import CHOICES
from core.predict.registry import PREDICTORS
from core.version import Version
from ui import cache
from ui.state import plain, show_error

MODELS = ("gpt-4o-mini", "gpt-4.1-mini", "gpt-4.1", "gpt-4o")
CHOSEN = {"spread": "Spread over the answers", "lot": "By lot", "shortest": "The shortest"}
SEARCHED = {"text": "By words", "meaning": "By meaning"}
SOURCES = {"train": "Train rows", "file": "A text file", "version": "Another version"}


@dataclass(frozen=True)
class Asked:
    """How language models are asked, as the job reads it; the key travels beside it."""

    request: dict[str, Any] = field(default_factory=dict)
    """provider, prompt, retries, source, budget: only what differs from the usual."""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Predictor -> its settings that differ from the usual ones."""
    url: str = ""
    key: str | None = None
    missing: str | None = None
    """What stands in the way, in the words of the run bar."""


def asked(version: Version, names: Sequence[str]) -> Asked:
    """The widgets of the chosen language models, from the top."""
    provider, url, key, missing = _who()
    request: dict[str, Any] = {"provider": provider} if provider else {}
    settings, source = _shown(version, names)
    if source is None:
        missing = missing or "Choose where passages come from"
    elif "passages" in names:
        request["source"] = source.to_dict()
    request |= _told(version)
    if provider and Writer.from_dict(provider).known_rates() not in (None, (0.0, 0.0)):
        request["budget"] = st.number_input("Stop at (USD)", 0.01, 10_000.0, 1.0, key="baselines_budget", width=160,
                                            help="No request is sent that could pass this.")  # fmt: skip
    return Asked(request, settings, url, key, missing)


def _who() -> tuple[dict[str, Any] | None, str, str | None, str | None]:
    """(provider, address, key of this session, what is missing)."""
    name = st.segmented_control("Asked", list(PROVIDERS), default="embedded", required=True, key="baselines_asked",
                                format_func=lambda one: PROVIDERS[one].title, help="The built-in model is free and offline.")  # fmt: skip
    st.caption(PROVIDERS[str(name)].meaning)
    if name == "embedded":
        return None, "", None, None
    left, middle, right = st.columns(3)
    if name == "openai":
        model = left.selectbox("Model", MODELS, accept_new_options=True, key="baselines_openai_model") or ""
        typed = middle.text_input("Key for this session", type="password", key="key_OPENAI_API_KEY", persist_state="session",
                                  placeholder="kept in memory, never saved")  # fmt: skip
        missing = None if key_for(OPENAI, typed)[0] else "OpenAI has no key"
        return {"name": "openai", "model": model, "base_url": OPENAI}, OPENAI, typed or None, missing if model else "Choose a model"
    address = left.text_input("Address", key="baselines_url", placeholder="http://localhost:11434/v1").strip()
    model = middle.text_input("Model", key="baselines_model_name", placeholder="qwen3:4b").strip()
    provider = {"name": "compatible", "base_url": address, "model": model}
    if not (address and model):
        return provider, "", None, "Name the address and the model"
    try:
        url = clean_url(address)
    except StudioError as error:
        return provider, "", None, error.title
    typed = right.text_input("Key for this session", type="password", key=f"key_{url}", persist_state="session",
                             placeholder="only if the address needs one")  # fmt: skip
    return {**provider, "base_url": url}, url, typed or None, None


def _shown(version: Version, names: Sequence[str]) -> tuple[dict[str, dict[str, Any]], Source | None]:
    """Settings of each chosen predictor that shows something, and where passages come from (None: not said yet)."""
    showing = [name for name in ("fewshot", "retrieval", "passages") if name in names]
    if not showing:
        return {}, Source()
    found: dict[str, dict[str, Any]] = {name: {} for name in showing}
    columns = st.columns(3)
    shots = columns[0].number_input("Solved rows or passages shown", 1, 32, int(USUAL["shots"]), key="baselines_shots",
                                    help="Each makes every prompt longer. Recommended: 4. Solved rows come from train only.")  # fmt: skip
    for name in showing:
        found[name] |= {"shots": int(shots)} if shots != USUAL["shots"] else {}
    if "fewshot" in names:
        choose = columns[1].selectbox("Few-shot rows", CHOICES, format_func=CHOSEN.__getitem__, key="baselines_choose",
                                      help="Which train rows stand before every question. Recommended: spread.")  # fmt: skip
        found["fewshot"] |= {"choose": choose} if choose != USUAL["choose"] else {}
    if {"retrieval", "passages"} & set(names):
        search = columns[2].selectbox("Looked up", list(SEARCHED), format_func=SEARCHED.__getitem__, key="baselines_search",
                                      help="By words and characters works in every language; by meaning reads English only, "
                                           "about 20 texts a second.")  # fmt: skip
        for name in ("retrieval", "passages"):
            if name in found and search != USUAL["search"]:
                found[name]["search"] = search
    return {name: some for name, some in found.items() if some}, _source(version) if "passages" in names else Source()


def _source(version: Version) -> Source | None:
    """Where passages come from."""
    left, middle, right = st.columns(3)
    kind = left.selectbox("Passages from", list(SOURCES), format_func=SOURCES.__getitem__, key="baselines_source",
                          help="Of a split version only train rows. What holds a test row's text is left out.")  # fmt: skip
    longest = int(right.number_input("Characters of a passage", 100, 4_000, 600, step=100, key="baselines_longest"))
    if kind == "file":
        file = middle.file_uploader("Text file", type=["txt", "md"], key="baselines_passages_file", help="UTF-8, up to 20 MB.")
        return Source("file", str(passages.keep(file.name, file.getvalue())), longest=longest) if file else None
    if kind == "version":
        known = {one.id: f"{one.dataset} {one.label}" for data in store.datasets() for one in data.versions if one.roles.text}
        other = middle.selectbox("Version", list(known), format_func=known.__getitem__, key="baselines_source_version")
        return Source("version", other, longest=longest) if other else None
    usual = [name for name, one in version.columns.items() if one == "text" and name != version.roles.target]
    column = middle.selectbox("Column", ["", *usual], format_func=lambda name: name or "The usual one", key="baselines_source_column")
    return Source("train", column=column or "", longest=longest)


def _told(version: Version) -> dict[str, Any]:
    """Prompt fields that differ from the version's, and how often unread replies are asked for again."""
    usual = prompt_of(version, cache.examples(version.dataset, version.id, "train"))
    system = st.text_area("Told first (system prompt)", usual.system, key=f"baselines_system_{version.id}", height=80,
                          help="Empty: the model gets the question alone.")  # fmt: skip
    left, right, rest = st.columns(3)
    longest = left.number_input("Longest reply (tokens)", 1, 4_096, usual.max_tokens, key=f"baselines_tokens_{version.id}")
    retries = right.number_input("Ask again", 0, MOST_RETRIES, 0, key="baselines_retries",
                                 help="How often an unreadable reply is asked for again, paid and counted. Recommended: 0.")  # fmt: skip
    rest.caption("Temperature is 0 for every model; the seed above is sent along.")
    changes = {
        **({"system": system} if system != usual.system else {}),
        **({"max_tokens": int(longest)} if longest != usual.max_tokens else {}),
    }
    return {**({"prompt": changes} if changes else {}), **({"retries": int(retries)} if retries else {})}


@st.cache_resource(max_entries=2, show_spinner="Preparing the prompt")
def _prepared(dataset: str, version: str, key: str, name: str, _request: Any) -> Preview:
    """A prompted predictor, fitted; `key` holds all it depends on."""
    rows = cache.examples(dataset, version, "train"), cache.examples(dataset, version, "test")
    return Preview(name, _request, store.version(dataset, version), rows)


def preview(version: Version, names: Sequence[str], request: dict[str, Any]) -> None:
    """The exact prompt of a real test row, with tokens and cost, when it is wanted."""
    speaking = [name for name in names if PREDICTORS[name].family == "prompted"]
    if not speaking or not st.toggle("Show a prompt before asking", key="baselines_preview"):
        return
    left, right = st.columns([2, 1])
    name = left.segmented_control("Of", speaking, default=speaking[-1], required=True, key="baselines_preview_name",
                                  format_func=lambda one: PREDICTORS[one].title.replace("{model} ", "").replace("+ ", ""))  # fmt: skip
    try:
        found = _prepared(version.dataset, version.id, prompt_preview.key_of(str(name), request), str(name), request)
        number = right.number_input("Row", 1, len(found.places), 1, key="baselines_preview_row", help="Of the test rows that are asked.")
        taken, size = found.of(found.places[int(number) - 1]), found.size
    except StudioError as error:
        show_error(error)
        return
    for message in taken.messages:
        st.caption(plain(message["role"]))
        st.code(message["content"], language=None, wrap_lines=True)
    if taken.prefix:
        st.caption("assistant, to be continued")
        st.code(taken.prefix, language=None)
    st.caption(plain(_sized(taken.tokens, size, len(found.places), found.about)))
    if not size.fits:
        st.warning(f"The largest prompt of the sample has {fmt.count(size.most)} tokens; the model reads {fmt.count(size.limit or 0)}. "
                   "Show less, or shorter passages.", icon=":material/warning:")  # fmt: skip


def _sized(tokens: int, size: prompt_preview.Size, rows: int, about: dict[str, Any]) -> str:
    reads = f"the model reads {fmt.count(size.limit)}" if size.limit else "what the model reads at most is not known"
    price = (
        "free"
        if size.usd == 0
        else f"about {fmt.cost(size.usd)} for {fmt.plural(rows, 'row')}"
        if size.usd is not None
        else "no price known"
    )
    left = about.get("passages_left_out", 0)
    found = f"{fmt.plural(about['passages_n'], 'passage')} from {about['passages']}" if about else ""
    out = f"{fmt.plural(left, 'stretch', 'stretches')} left out that held a test text" if left else ""
    parts = (f"{fmt.plural(tokens, 'token')} in this prompt", f"average {fmt.count(round(size.mean))}, largest {fmt.count(size.most)} of "
             f"{size.counted} counted", reads, price, found, out)  # fmt: skip
    return " · ".join(part for part in parts if part)
