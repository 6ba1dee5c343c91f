"""Search by meaning, and the choice and making of the vectors that it and the map need."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import StudioError
from core.explore.map import umap_installed
from core.format import duration, plural, tokens
from core.io import embedding, jobs, mapping, numbers, sentences
from core.io.jobs import Job
from core.io.providers.addresses import OPENAI, clean_url, for_child, is_loopback, key_for
from core.io.query import Filter
from core.io.vectors import KINDS, MOST, Vectors
from core.version import Version
from ui import explore_cache
from ui import explore_filters as filters
from ui.jobs import latest, watch
from ui.layout import card, run_bar
from ui.state import guarded, plain
from ui.tables import rows

NEAREST = 50


def choosing(version: Version) -> None:
    """Which vectors: the choice with its reason, and what can be corrected."""
    mix = explore_cache.languages(version.dataset, version.id)
    best, why = embedding.choose(mix)
    names = [best, *(name for name in KINDS if name != best and (name != "minilm" or embedding.minilm_installed()))]
    left, right = st.columns(2)
    kind = left.selectbox("Vectors", names, key=_key(version, "kind"), format_func=lambda name: KINDS[name][0])
    with right.container(gap=None):
        st.caption(plain(why) if kind == best else "Chosen by you.")
        st.caption(plain(KINDS[kind][1]))
    if kind == "model":
        st.text_input("Name on the Hugging Face Hub, or a folder", sentences.PROPOSED, key=_key(version, "model"))
    if kind == "endpoint":
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Address", OPENAI, key=_key(version, "address"))
            st.text_input("Model", "text-embedding-3-small", key=_key(version, "embedder"))
            where = _address(st.session_state.get(_key(version, "address"), ""))
            st.text_input("Key for this address", key=_secret(where), type="password", persist_state="session",
                          placeholder="kept in memory, never saved")  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input("Texts at most", 100, 200_000, MOST, key=_key(version, "most"), width=160,
                        help="Of a longer table so many rows are drawn by lot.")  # fmt: skip
        st.number_input("Groups", 0, 30, 0, key=_key(version, "groups"), width=130, help="0: as many as part the texts best.")
        st.number_input("Seed", 0, 2**31 - 1, 0, key=_key(version, "seed"), width=130)
        umap = umap_installed()
        st.checkbox("UMAP", umap, key=_key(version, "umap"), disabled=not umap,
                    help="Keeps neighbours together; takes a minute more." if umap else "Needs the package umap-learn.")  # fmt: skip


def chosen(version: Version) -> Vectors:
    """The vectors as the widgets of `choosing` stand; the automatic ones where they were never drawn."""
    state = st.session_state
    kind = state.get(_key(version, "kind")) or embedding.choose(explore_cache.languages(version.dataset, version.id))[0]
    more: dict[str, Any] = {"most": int(state.get(_key(version, "most"), MOST)), "seed": int(state.get(_key(version, "seed"), 0))}
    if kind == "model":
        return Vectors(kind, state.get(_key(version, "model"), "").strip(), **more)
    if kind == "endpoint":
        return Vectors(kind, state.get(_key(version, "embedder"), "").strip(), state.get(_key(version, "address"), "").strip(), **more)
    return Vectors(kind, **more)


def _address(text: str) -> str:
    try:
        return clean_url(text) if text.strip() else ""
    except StudioError:
        return text.strip()


def _secret(url: str) -> str:
    """Where the session keeps the key of an address: another address never gets it."""
    return "key_OPENAI_API_KEY" if url == OPENAI else f"key_{url}"


def _environment(one: Vectors) -> dict[str, str]:
    """The key of an address for whoever asks it."""
    url = _address(one.base_url)
    return for_child(url, st.session_state.get(_secret(url))) if one.kind == "endpoint" else {}


def _key(version: Version, name: str) -> str:
    return f"explore_vectors_{name}_{version.id}"


def _missing(one: Vectors) -> str:
    """What making the vectors still needs, "" when nothing."""
    if one.kind == "model" and not one.model:
        return "Name an encoder"
    if one.kind == "endpoint" and not one.base_url:
        return "Give an address"
    if one.kind == "endpoint" and _address(one.base_url) == OPENAI and not key_for(OPENAI, st.session_state.get(_secret(OPENAI)))[0]:
        return "OpenAI has no key"
    return "Name a model" if one.kind == "endpoint" and not one.model else ""


def _takes(version: Version, one: Vectors) -> str:
    """ "8,915 texts · about 4 min · free" """
    texts = min(version.rows, one.most)
    if one.kind != "endpoint":
        seconds = embedding.SECONDS.get(one.kind)
        return " · ".join([plural(texts, "text"), *([duration(5 + seconds * texts, about=True)] if seconds else []), "free"])
    price = "free" if is_loopback(_address(one.base_url)) else "price unknown"
    size = [f"about {tokens(explore_cache.summary(version, 'n_tokens')['mean'] * texts)} tokens"] if numbers.is_counted(version) else []
    return " · ".join([plural(texts, "text"), *size, price, "the texts are sent to that address"])


def running(version: Version) -> Job | None:
    """The job that makes vectors or a map of this version now."""
    job = latest("map", version.dataset)
    return job if job and job.request.get("version") == version.id and job.alive else None


def bar(version: Version) -> None:
    """The run bar of a version without a map."""
    job = latest("map", version.dataset)
    if job and job.request.get("version") == version.id and (job.alive or job.error):
        watch(job.id, "explore_map_job")
    if running(version):
        return
    one, lacks = chosen(version), _missing(chosen(version))
    text = lacks or _takes(version, one)
    free = None if one.kind == "endpoint" else "Mod+Enter"
    state = "Not ready" if lacks else "Ready"
    if run_bar(label="Make the map", key="explore_map_run", state=state, text=text, disabled=bool(lacks), shortcut=free):
        start(version, one)


def button(version: Version, label: str) -> None:
    """The same as a button in place, with what it takes."""
    job = latest("map", version.dataset)
    if job and job.request.get("version") == version.id and (job.alive or job.error):
        watch(job.id, "explore_map_job")
    if running(version):
        return
    one, lacks = chosen(version), _missing(chosen(version))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(label, key="explore_map_again", disabled=bool(lacks), icon=":material/play_arrow:"):
            start(version, one)
        st.caption(plain(lacks or _takes(version, one)), width="content")


def start(version: Version, one: Vectors) -> None:
    """Make the vectors and the map as a job."""
    state = st.session_state
    umap = bool(state.get(_key(version, "umap"), True))
    groups = int(state.get(_key(version, "groups"), 0))
    request = {"dataset": version.dataset, "version": version.id, "vectors": one.to_dict(), "groups": groups, "umap": umap}
    with guarded():
        jobs.start("map", request, title="Map", dataset=version.dataset, environment=_environment(one))
        st.rerun()


def form(version: Version) -> None:
    """A question and the rows nearest to it; without vectors the button that makes them."""
    if not version.roles.text:
        return
    made = explore_cache.text_map(version.dataset, version.id, mapping.stamp(version))
    one = made.vectors if made else None
    with st.form(f"explore_meaning_{version.id}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Search by meaning", key=f"explore_meaning_text_{version.id}", placeholder="a sentence, in any words",
                      disabled=one is None, icon=":material/travel_explore:")  # fmt: skip
        st.form_submit_button("Find", disabled=one is None)
    asked = (st.session_state.get(f"explore_meaning_text_{version.id}") or "").strip()
    if one is None:
        _needed(version)
    elif asked:
        with guarded(), st.spinner(f"Comparing with {one.title}"):
            _found(version, one, asked)


def _needed(version: Version) -> None:
    """Why there is nothing to search yet, and the button that mends it; the vectors are chosen when it is pressed."""
    job = latest("map", version.dataset)
    if job and job.request.get("version") == version.id and (job.alive or job.error):
        watch(job.id, "explore_meaning_job")
    if running(version):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Make vectors of {plural(min(version.rows, MOST), 'text')}"
        if st.button(label, key="explore_meaning_make", icon=":material/play_arrow:"):
            with guarded(), st.spinner("Choosing vectors by the language of the texts"):
                start(version, chosen(version))
        st.caption("Not ready · The texts have no vectors yet. The Map view tells what they take.", width="content")


def _found(version: Version, one: Vectors, asked: str) -> None:
    """The nearest rows with their similarity, the nearest first."""
    found = _nearest(version, one, asked)
    if not found:
        st.caption("Nothing is like it: the question shares nothing with the texts.")
        return
    with card("Nearest rows", height="content"):
        places = [row for row, _ in found]
        table = explore_cache.rows(version, tuple(places))
        names = [*version.roles.text, version.roles.target, version.roles.category]
        table = table.loc[:, list(dict.fromkeys(name for name in names if name))].copy(deep=False)
        table.insert(0, "similarity", [round(value, 3) for _, value in found])
        table.insert(0, "row number" if "row" in table else "row", [row + 1 for row in places])
        look = {"similarity": st.column_config.ProgressColumn("similarity", min_value=0, max_value=1, format="%.2f", width=110)}
        rows(table, key=f"explore_meaning_rows_{version.id}", columns=look, alt=f"The {len(places)} nearest rows", height=330)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(f"Cosine of {plain(one.title)}, 1 is the same. {_warning(one)}", width=600)
            st.button("Filter to these rows", key="explore_meaning_filter", type="tertiary", on_click=filters.add,
                      args=(version, f"Like '{asked[:30]}'", Filter(rows=tuple(places)), "Like '"))  # fmt: skip


def _warning(one: Vectors) -> str:
    if one.kind == "ngrams":
        return "It compares spelling: a negated sentence is near, a synonym far."
    return "Negated sentences are near each other: the sense is not checked."


def _nearest(version: Version, one: Vectors, asked: str) -> list[tuple[int, float]]:
    stamp = mapping.stamp(version)
    encoded = explore_cache.encoded(version.dataset, version.id, one, stamp)
    if encoded is None:
        return []
    vector = explore_cache.question(version.dataset, version.id, one, asked, stamp, _environment(one) or None)
    return [pair for pair in embedding.nearest(encoded, vector, NEAREST) if pair[1] > 1e-6]
