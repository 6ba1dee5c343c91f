"""An adapter on its way out: as a zip, merged, as GGUF, to the Hub; what each takes is told before it starts."""

from __future__ import annotations

import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.io import jobs, lora, pushing
from core.io.jobs import Job
from core.io.lora import exporting, gguf_file, merging
from core.io.lora import pushing as model_pushing
from core.io.sources import hub
from ui.jobs import watch
from ui.state import guarded, plain, show_error


def show(made: lora.Adapter) -> None:
    """The three ways out, each behind its own popover."""
    with st.popover("Export", icon=":material/download:"), guarded():
        st.download_button("Adapter as zip", lambda: exporting.adapter_zip(made), f"adapter-{made.id}.zip", "application/zip",
                           key="adapters_zip", on_click="ignore", width="stretch",
                           help="Weights, settings, prompt and model card: for peft, with the base model.")  # fmt: skip
        _merged(made)
    with st.popover("GGUF", icon=":material/file_export:"), guarded():
        _gguf(made)
    with st.popover("Push to the Hub", icon=":material/upload:"), guarded():
        _push(made)


def running(made: lora.Adapter) -> None:
    """What is being written or sent of this adapter, and what became of the last one of each kind."""
    for kind in ("export_model", "push_model"):
        job = _last(made, kind)
        if job is None:
            continue
        if job.alive or job.error:
            watch(job.id, f"adapters_{kind}", stop="Cancel")
        elif job.result and kind == "export_model":
            st.caption(plain(f"Written, {fmt.size(job.result['bytes'])}:"))
            st.code(job.result["path"], language=None, wrap_lines=True)
        elif job.result:
            st.caption(plain(f"Pushed as {job.result['repo']}, {'private' if job.result['private'] else 'public'}:"))
            st.code(str(job.result["url"]), language=None, wrap_lines=True)


def _last(made: lora.Adapter, kind: str) -> Job | None:
    return next((job for job in jobs.all_jobs(kind=kind) if job.request.get("adapter") == made.id), None)


def _busy(made: lora.Adapter, kind: str) -> bool:
    job = _last(made, kind)
    return bool(job and job.alive)


def _takes(disk: int, memory: int) -> None:
    st.caption(plain(f"Takes {fmt.size(disk)} on disk and about {fmt.size(memory)} of memory while it works."))


def _merged(made: lora.Adapter) -> None:
    """Full weights that need no peft."""
    packed = st.toggle("As one zip file", key="adapters_merge_zip")
    _takes(*exporting.expected(made, "merged", zip=packed))
    if st.button("Merge into full weights", key="adapters_merge", icon=":material/merge:", disabled=_busy(made, "export_model"),
                 width="stretch", help="Base and adapter as one model (safetensors), with tokenizer and card."):  # fmt: skip
        jobs.start("export_model", {"adapter": made.id, "what": "merged", "zip": packed}, title="Merge an adapter", dataset=made.dataset)
        st.rerun()


def _gguf(made: lora.Adapter) -> None:
    """One file for llama.cpp, or why there is none and what writes it."""
    why = gguf_file.refusal(merging.base_of(made))
    if why:
        st.caption(plain(why))
        return
    kind = st.selectbox(
        "Numbers", list(gguf_file.TYPES), format_func=lambda name: f"{name}: {gguf_file.TYPES[name]}", key="adapters_gguf_type"
    )
    _takes(*exporting.expected(made, "gguf", kind))
    if st.button("Write a GGUF file", key="adapters_gguf", icon=":material/file_export:", disabled=_busy(made, "export_model"),
                 width="stretch", help="One file for llama.cpp and what is built on it."):  # fmt: skip
        jobs.start("export_model", {"adapter": made.id, "what": "gguf", "type": kind}, title="Write a GGUF file", dataset=made.dataset)
        st.rerun()


def _push(made: lora.Adapter) -> None:
    """Private unless switched, with the token of this session or of the environment."""
    token = hub.token_for(st.session_state.get("key_HF_TOKEN"))
    repo = st.text_input("Repository", key="adapters_push_repo", placeholder="owner/name", max_chars=200, persist_state="session")
    what = st.radio("What", list(model_pushing.WHAT), format_func=lambda name: model_pushing.WHAT[name], key="adapters_push_what")
    private = st.toggle("Private", True, key="adapters_push_private", help="A repository that is public already is never written to.")
    if not private:
        st.warning("Everyone will see this model and its card.", icon=":material/error:")
    if not token:
        st.caption("Needs a Hugging Face token that may write: set one for this session on Settings.")
    held = st.session_state.get("_adapters_push_error")
    if st.button("Push", key="adapters_push", icon=":material/upload:", disabled=not token or _busy(made, "push_model"), width="stretch"):
        try:
            held = None
            request = {"adapter": made.id, "repo": pushing.checked(repo or "", token), "what": what, "private": private}
            jobs.start("push_model", request, title="Push to the Hub", dataset=made.dataset, environment={hub.TOKEN: token or ""})
        except StudioError as error:
            held = error
        st.session_state["_adapters_push_error"] = held
        st.rerun()
    if held:
        show_error(held)
