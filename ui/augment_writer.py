"""Who writes: by hand, the built-in model, OpenAI or any compatible address, with its key for this session."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.errors import StudioError
from core.format import plural
from core.io import providers
from core.io.augmenting import Writer
from core.io.providers import PROVIDERS
from core.io.providers.addresses import OPENAI, clean_url, key_for
from ui.state import plain, show_error

TITLES = {"hand": "By hand", **{name: entry.title for name, entry in PROVIDERS.items()}}
MEANINGS = {
    "hand": "Copy a request into any chat and paste the reply here: no key, no network.",
    **{name: entry.meaning for name, entry in PROVIDERS.items()},
}
OPENAI_MODELS = ("gpt-4o-mini", "gpt-4.1-mini", "gpt-4.1", "gpt-4o")
HELP = "Every other cell of a new row is copied from the row it was written from. Only train rows are sent, one text at a time."
ADDRESSES = (
    "On this machine: Ollama `http://localhost:11434/v1` · LM Studio `http://localhost:1234/v1` · llama.cpp `http://localhost:8080/v1` · "
    "vLLM `http://localhost:8000/v1`. Elsewhere: the address the service names; most end in /v1."
)


@dataclass(frozen=True)
class Chosen:
    """The writer, the key of this session, and what is missing before it can write."""

    writer: Writer
    key: str | None = None
    missing: str | None = None


BATCH = (
    "Everything goes up in one file and is answered within a day, often within the hour, at half the price. You may close this tab "
    "and come back. Three rows are still tried at once."
)


def pick(parallel: int, rates: tuple[float, float] | None) -> Chosen:
    """The writer's widgets, from the top."""
    name = st.selectbox(
        "Writer", list(TITLES), index=1, format_func=lambda one: TITLES[one], key="augment_writer", help=HELP, persist_state="session"
    )
    st.caption(MEANINGS[name])
    if name == "openai":
        return _openai(parallel, rates)
    if name == "compatible":
        return _compatible(parallel, rates)
    return Chosen(Writer(name, PROVIDERS[name].model if name in PROVIDERS else ""))


def _openai(parallel: int, rates: tuple[float, float] | None) -> Chosen:
    model = st.selectbox("Model", OPENAI_MODELS, accept_new_options=True, key="augment_openai_model", persist_state="session")
    batch = st.toggle("Half price, within a day", key="augment_batch_openai", persist_state="session", help=BATCH)
    writer = Writer("openai", model or "", OPENAI, parallel, rates, batch)
    typed = st.session_state.get("key_OPENAI_API_KEY")
    found, where = key_for(OPENAI, typed)
    if where != "the environment":
        typed = st.text_input(
            "Key for this session",
            type="password",
            key="key_OPENAI_API_KEY",
            placeholder="kept in memory, never saved",
            persist_state="session",
        )
        found, where = key_for(OPENAI, typed)
    tested(writer, typed, disabled=not found)
    missing = "OpenAI has no key" if not found else "Choose a model" if not model else None
    if not missing and writer.known_rates() is None:
        missing = f"No price is known for {model}: give it under Advanced"
    return Chosen(writer, typed or None, missing)


def _compatible(parallel: int, rates: tuple[float, float] | None) -> Chosen:
    address = st.text_input(
        "Address", key="augment_address", placeholder="http://localhost:11434/v1", persist_state="session", help=ADDRESSES
    )
    if not address:
        return Chosen(Writer("compatible"), None, "The address is missing")
    try:
        url = clean_url(address)
    except StudioError as error:
        st.caption(plain(f"{error.title}. {error}"))
        return Chosen(Writer("compatible"), None, error.title)
    found = st.session_state.get("augment_models", {}).get(url, [])
    if found and not st.session_state.get("augment_model"):
        st.session_state["augment_model"] = found[0]
    model = st.selectbox(
        "Model",
        found,
        index=None,
        accept_new_options=True,
        key="augment_model",
        persist_state="session",
        placeholder="Test the address, or type a name",
    )
    typed = st.text_input(
        "Key for this session",
        type="password",
        key=f"key_{url}",
        placeholder="only if the address needs one",
        persist_state="session",
        help="Kept in memory for this address only, never saved.",
    )
    writer = Writer("compatible", model or "", url, parallel, rates, bool(st.session_state.get("augment_batch_compatible")))
    tested(writer, typed, disabled=False)
    return Chosen(writer, typed or None, None if model else "Choose a model")


def tested(writer: Writer, key: str | None, *, disabled: bool) -> None:
    """Ask for the models there are; the answer stays until something changes."""
    mark = (writer.name, writer.base_url, hash(key))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = st.button("Test the key" if key or writer.name == "openai" else "Test the address", key="augment_test", disabled=disabled)
        if not pressed:
            said = st.session_state.get("augment_tested")
            if said and said[0] == mark:
                st.badge(said[1], color="green", icon=":material/check_circle:")
    if not pressed:
        _listed(writer)
        return
    try:
        with st.spinner("Asking which models there are"):
            found = providers.test_connection(writer.name, base_url=writer.base_url, model=writer.model, key=key)
    except StudioError as error:
        show_error(error)
        return
    st.session_state["augment_tested"] = (mark, plain(f"works, {plural(len(found.models), 'model')}"))
    st.session_state.setdefault("augment_models", {})[writer.base_url] = list(found.models)
    st.rerun()


def _listed(writer: Writer) -> None:
    """The models an address said it has."""
    found = st.session_state.get("augment_models", {}).get(writer.base_url, [])
    if found:
        more = f" and {len(found) - 6} more" if len(found) > 6 else ""
        st.caption(plain(f"Models there: {', '.join(found[:6])}{more}"))
