"""Model: the base that is taught (the built-in one, one that is here, a folder, or one of the Hub), and what it goes on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.finetune.checks import Check
from core.finetune.settings import TrainSettings
from core.io import embedded, jobs, lora
from core.io.lora import bases, continuing
from core.io.sources import hub
from core.load.repository import repository_id
from core.version import Version
from ui import finetune_settings as chosen
from ui.jobs import latest, watch
from ui.layout import card, run_bar
from ui.state import plain, show_error

FOLDER, HUB = "a folder", "from the Hub"  # neither is the id of a base
BASE = "finetune_model"


@dataclass(frozen=True)
class Model:
    """What is trained, as the card has it."""

    base: str
    """What a request takes: "" for the built-in one, a folder, or "owner/name"."""
    folder: Path | None
    """None while it has to be prepared or fetched first, or is not named yet."""
    start: str = ""
    """The adapter to go on from; "" to begin anew."""
    only_new: bool = False


def show(version: Version, control: Callable[[], None] | None, into: Any) -> Model:
    """The card."""
    with card("Model", control=control, into=into):
        known = {one.id: one for one in bases.known()}
        wanted = st.selectbox("Base model", [*known, FOLDER, HUB], key=BASE, persist_state="session",
                              format_func=lambda id: known[id].title if id in known else id[:1].upper() + id[1:],
                              help="The model that is taught. Its own weights never change: what is learnt is a small adapter beside "
                                   "them.")  # fmt: skip
        if wanted in (FOLDER, HUB):
            base, folder = _named(wanted)
        else:
            base, folder = wanted, known[wanted].folder if known[wanted].facts else None
        if folder:
            _facts(bases.of(folder))
        elif not base and wanted not in (FOLDER, HUB):
            st.caption("135 M parameters · 257 MiB · Apache-2.0 · unpacked once from its package, about 20 s")
        start, only_new = _start(version, folder) if folder else ("", False)
    return Model(base, folder, start, only_new)


def is_built_in(model: Model) -> bool:
    """Whether what is missing is only the unpacking of the built-in one."""
    return not model.base and st.session_state.get(BASE) not in (FOLDER, HUB)


def _facts(one: bases.Base) -> None:
    known = one.facts
    if known:
        parts = [f"{known.parameters / 1e6:,.0f} M parameters", fmt.size(known.bytes), known.licence, "ready offline"]
        st.caption(plain(" · ".join(part for part in parts if part)))
    if not one.chat:
        st.caption(plain(bases.PLAIN))


def _named(kind: str) -> tuple[str, Path | None]:
    """A folder or a repository, typed; what is wrong with it stands below the field."""
    if kind == FOLDER:
        typed = st.text_input("Folder of the model", key="finetune_folder", persist_state="session", placeholder="/models/my-model",
                              help="It holds config.json, tokenizer.json and *.safetensors.").strip()  # fmt: skip
    else:
        typed = st.text_input("Repository", key="finetune_repository", persist_state="session", placeholder="owner/name",
                              help="Fetched once, at one commit, which the adapter remembers: weights in safetensors only, and no code. "
                                   "A branch or a commit may follow after @.").strip()  # fmt: skip
    if not typed:
        return "", None
    try:
        if kind == HUB:
            return typed, bases.here(*repository_id(typed))
        if not Path(typed).expanduser().is_dir():
            raise StudioError(f"There is no folder '{typed[:120]}' on the machine the studio runs on.", title="No such folder")
        return typed, bases.resolve(typed)
    except StudioError as problem:
        show_error(problem)
        return "", None


def _start(version: Version, folder: Path) -> tuple[str, bool]:
    """An earlier adapter of this data with this base to go on from, and whether only new rows are learnt."""
    revision = embedded.facts(folder).revision
    there = [one for one in lora.adapters(version.dataset) if one.revision == revision and one.origin == "trained"]
    earlier = {one.id: f"{fmt.count(one.step)} steps on {fmt.date(one.created)}, {one.created[11:16]}" for one in there}
    if not earlier:
        return "", False
    if st.session_state.get("finetune_from") not in earlier:
        st.session_state["finetune_from"] = ""
    start = st.selectbox("Start from", ["", *earlier], format_func=lambda id: earlier.get(id, "the base model"), key="finetune_from",
                         persist_state="session",
                         help="Go on from an earlier adapter of this data. Rank and layers must be the same.")  # fmt: skip
    only_new = bool(start) and st.toggle("Only rows that are new since", key="finetune_only_new", persist_state="session",
                                         help="Learn from the train rows that adapter has not been trained on.")  # fmt: skip
    return start or "", only_new


def kept_to(model: Model, prepared: lora.Prepared) -> lora.Prepared:
    """The rows that would be learnt: those that are new, or all where that is not wished or none is (see `going_on`)."""
    known = continuing.parent(model.start).learnt if model.start and model.only_new else frozenset()
    if not known or all(key in known for key in prepared.keys):
        return prepared
    return replace(prepared, train=continuing.unseen(prepared.train, prepared.keys, known))


def going_on(model: Model, prepared: lora.Prepared, settings: TrainSettings) -> list[Check]:
    """Whether the adapter to go on from fits these settings, and how many rows are new to it."""
    if not model.start or model.folder is None:
        return []
    one = continuing.parent(model.start)
    try:
        continuing.check(one, model.folder, settings)
    except StudioError as problem:
        return [Check("FAIL", problem.title, "take over its settings")]
    new = sum(key not in one.learnt for key in prepared.keys)
    if model.only_new and not new:
        return [Check("FAIL", "No row is new to that adapter", "add rows, or train on all of them")]
    return [Check("PASS", f"Goes on from {fmt.count(int(one.about.get('step') or 0))} steps", f"{fmt.count(new)} of "
                  f"{fmt.count(len(prepared.keys))} rows are new")]  # fmt: skip


def take_over(start: str, settings: TrainSettings, kind: str) -> None:
    """Callback: the rank, scale and layers of the adapter to go on from."""
    made = lora.adapter(start).trained_with()
    same = {name: getattr(made, name) for name in ("rank", "alpha", "targets", "rslora", "dora")}
    chosen.take(replace(settings, **same), kind)


def fetch_bar(model: Model) -> None:
    """The run bar of a base that is not here yet: name it, or fetch it as a job people can watch."""
    job = latest("fetch_base")
    if job and job.alive:
        watch(job.id, "finetune_fetch_base")
        return
    if job and job.error and job.request.get("base") == model.base:
        watch(job.id, "finetune_fetch_base")
    text = "once; its rows are counted then" if model.base else "Choose a model"
    run_bar(label="Fetch the model", key="finetune_fetch", state="Not ready", badge="Not ready yet", text=text, disabled=not model.base,
            icon=":material/download:", shortcut=None, on_click=partial(_fetch, model.base))  # fmt: skip


def _fetch(base: str) -> None:
    typed = (st.session_state.get("key_HF_TOKEN") or "").strip()
    jobs.start("fetch_base", {"base": base}, title=f"Fetch {base}", environment={hub.TOKEN: typed} if typed else None)
