"""Which tokenizer counts: those that come with the studio, a folder of one's own, a model of the Hub; and counting all rows."""

from __future__ import annotations

import streamlit as st

from core.explore.distributions import half_width
from core.format import count, duration
from core.io import jobs, numbers, tokenizer_files
from core.io.profiling import Counted
from core.version import Version
from ui import cache
from ui.jobs import running, watch
from ui.state import guarded

SHIPPED = {
    "embedded": "SmolLM2 (the built-in model)",
    "o200k_base": "GPT-4o, GPT-4.1 (o200k)",
    "cl100k_base": "GPT-4, GPT-3.5 (cl100k)",
}


def chosen() -> str:
    """The tokenizer in use; the model to be tuned first."""
    return st.session_state.setdefault("explore_tokenizer", "embedded" if cache.embedded_ready() else numbers.DEFAULT)


def picker() -> None:
    """The list of tokenizers, and a door for another one."""
    names = [name for name in SHIPPED if name != "embedded" or cache.embedded_ready()]
    names += [*tokenizer_files.older_encodings(), *st.session_state.get("explore_tokenizers", [])]
    st.selectbox("Tokenizer", names, key="explore_tokenizer", format_func=_title, label_visibility="collapsed", width=215,
                 help="Each model cuts text into its own pieces.")  # fmt: skip
    with st.popover("Another", icon=":material/add:", type="tertiary", key="explore_tokenizer_more"):
        where = st.text_input("Folder with a tokenizer.json, or a model's id on the Hub", key="explore_tokenizer_where",
                              placeholder="/models/mine or Qwen/Qwen3-0.6B")  # fmt: skip
        if st.button("Use this tokenizer", key="explore_tokenizer_add", disabled=not (where or "").strip()):
            _add((where or "").strip())


def _add(where: str) -> None:
    here = where.startswith(("/", "~", ".", "\\")) or where[1:3] == ":\\"
    name = (tokenizer_files.FILE if here else tokenizer_files.HUB) + where
    with guarded(), st.spinner("Reading the tokenizer"):
        tokenizer_files.named(name)
        known = st.session_state.setdefault("explore_tokenizers", [])
        known.append(name) if name not in known else None
        st.session_state["_explore_tokenizer"] = name
        st.rerun()


def settle() -> None:
    """Take over a tokenizer that was just added, before its list is drawn."""
    waiting = st.session_state.pop("_explore_tokenizer", None)
    if waiting:
        st.session_state["explore_tokenizer"] = waiting


def _title(name: str) -> str:
    return SHIPPED.get(name) or (tokenizer_files.title(name) if tokenizer_files.is_named(name) else name)


def counting(version: Version, found: Counted, tokenizer: str) -> None:
    """What the numbers are drawn from, and the button that counts all rows; its job when it runs."""
    drawn = found.lengths.counted
    told = f"From a sample of {count(drawn)} of {count(version.rows)} rows, drawn by lot, ± {100 * half_width(0.5, drawn):.1f} % at most."
    st.caption(told)
    live = [job for job in running("tokens", version.dataset) if job.request.get("version") == version.id]
    if live:
        watch(live[0].id, "explore_count")
        return
    if st.button(f"Count all rows · {duration(found.seconds, about=True)}", key="explore_count_all", icon=":material/functions:"):
        request = {"dataset": version.dataset, "version": version.id, "tokenizer": tokenizer}
        jobs.start("tokens", request, title=f"Count tokens of {count(version.rows)} rows", dataset=version.dataset)
        st.rerun()
